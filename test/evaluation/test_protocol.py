"""Protocols are read with good errors, and each published one equals an independent computation of its formula."""

import dataclasses
import math

import numpy as np
import pytest
from manifest import ROOT, distribution

from endo_depth_ros.evaluation.depth_evaluation import evaluate_depth
from endo_depth_ros.evaluation.protocol import BUILT_IN, ProtocolError, load_protocol, parse_protocol

MINIMAL = "name: mine\ntitle: Mine\nsource: here\n"


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_protocol_of_the_package_loads_under_its_name(name):
    protocol = load_protocol(name)
    assert protocol.name == name
    assert protocol.source
    assert all(result.source and result.figures for result in protocol.published)


def test_every_protocol_file_has_a_name_and_is_installed():
    files = (ROOT / "endo_depth_ros" / "evaluation" / "protocols").iterdir()
    assert {path.name for path in files} == {f"{name}.yaml" for name in BUILT_IN}
    assert "evaluation/protocols/*.yaml" in distribution().package_data["endo_depth_ros"]


def test_a_protocol_of_ones_own_is_read_from_its_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL + "clip: [1, 150]\npublished:\n  - {method: A, source: B, figures: {abs_rel: 1}}\n")
    protocol = load_protocol(str(path))
    assert protocol.clip == (1.0, 150.0)
    assert protocol.published[0].figures == {"abs_rel": 1.0}
    assert protocol.max_depth == math.inf


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", "write a mapping"),
        ("", "is empty"),
        ("{a: [", "not a YAML document"),
        ("title: Mine\nsource: here\n", "lacks the key 'name'"),
        (MINIMAL + "clips: [1, 2]\n", "no key 'clips'"),
        (MINIMAL + "clip: [1]\n", "has 1 entries; write 2"),
        (MINIMAL + "clip: [5, 2]\n", "leaves no depth"),
        (MINIMAL + "min_depth: near\n", "'near' (str); write a float"),
        (MINIMAL + "min_depth: 3\nmax_depth: 2\n", "leave no depth"),
        (MINIMAL + "unit: inch\n", "choose one of: m, cm, mm"),
        (MINIMAL + "alignment: median\n", "no depth alignment 'median'"),
        (MINIMAL + "sequences: '('\n", "no regular expression"),
        (MINIMAL + "headline: [accuracy]\n", "no figure 'accuracy'"),
        (MINIMAL + "crops: [{x: 1}]\n", "lacks the key 'y'"),
        (MINIMAL + "snippet_length: five\n", "write a int"),
        (MINIMAL + "temporal: {alignment: none, convention: floor}\n", "centres, half_pixel"),
        (MINIMAL + "published: [{method: A, source: B, figures: {abs_rel: good}}]\n", "figures.abs_rel is 'good'"),
    ],
)
def test_a_wrong_protocol_is_one_sentence_with_its_file(text, words):
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(text, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml: ")
    assert words in str(caught.value)


def test_unknown_names_and_missing_files_are_told():
    with pytest.raises(ProtocolError, match="there is no protocol 'scared'; choose default, scared_af"):
        load_protocol("scared")
    with pytest.raises(ProtocolError, match="none.yaml: not a readable file"):
        load_protocol("none.yaml")


def test_crops_go_by_the_name_of_the_sequence():
    protocol = load_protocol("hamlyn")
    crop = protocol.crop_of("rectified14")
    rows, columns = crop.window(288, 720)
    assert (rows, columns) == (slice(0, 288), slice(180, 590))
    assert protocol.crop_of("rectified12") is None
    assert protocol.crop_of("Hamlyn/rectified27") == crop
    with pytest.raises(ProtocolError, match="leaves the 360x288 image"):
        crop.window(288, 360)


@pytest.mark.parametrize(
    ("protocol", "inside", "outside"),
    [
        ("scared_af", ("dataset_5/keyframe_4", "dataset5/keyframe4"), ("dataset_5/keyframe_3", "dataset_8/keyframe_1")),
        ("scared_endodav", ("dataset_8/keyframe_0", "a/dataset_9/keyframe_3"), ("dataset_9/keyframe_4",)),
        ("hamlyn", ("rectified01", "rectified27"), ("rectified08", "rectified02")),
        ("simcol3d", ("SyntheticColon_I/Frames_S5", "Frames_O3"), ("Frames_S1", "Frames_S15x")),
        ("endoslam", ("UnityCam/Small Intestine",), ("Cameras/HighCam/Colon-IV/TumorfreeTrajectory_1",)),
    ],
)
def test_test_sequences_go_by_name(protocol, inside, outside):
    loaded = load_protocol(protocol)
    assert all(loaded.tests(name) for name in inside)
    assert not any(loaded.tests(name) for name in outside)


def miniature(seed=0, count=4):
    """Predictions and truth in metres with holes, and truth beyond every published cap."""
    rng = np.random.default_rng(seed)
    truths = [rng.uniform(0.02, 0.22, (9, 11)) for _ in range(count)]
    predictions = [t * rng.uniform(0.5, 1.5) * rng.uniform(0.7, 1.3, t.shape) for t in truths]
    for truth in truths:
        truth[rng.random(truth.shape) < 0.2] = np.nan
    return predictions, truths


def evaluate(name):
    protocol = load_protocol(name)
    predictions, truths = miniature()
    pairs = [(protocol.in_unit(p), protocol.in_unit(t)) for p, t in zip(predictions, truths, strict=True)]
    return evaluate_depth(pairs, protocol.alignments, protocol.counting).of(protocol.alignment).mean


@pytest.mark.parametrize(
    ("name", "low", "high"), [("scared_af", 1e-3, 150), ("hamlyn", 1e-3, 150), ("servct", 1, 180), ("c3vd", 1e-3, 100)]
)
def test_median_scaled_protocols_equal_their_formula_in_millimetres(name, low, high):
    expected = []
    for prediction, truth in zip(*miniature(), strict=True):
        d, g = 1000 * prediction, 1000 * truth
        mask = (g > low) & (g < high)
        d, g = d[mask], g[mask]
        d = np.clip(d * np.median(g) / np.median(d), low, high)
        ratio = np.maximum(g / d, d / g)
        expected.append(
            [
                np.mean(np.abs(g - d) / g),
                np.mean((g - d) ** 2 / g),
                np.sqrt(np.mean((g - d) ** 2)),
                np.sqrt(np.mean((np.log(g) - np.log(d)) ** 2)),
                np.mean(ratio < 1.25),
                np.mean(ratio < 1.25**2),
                np.mean(ratio < 1.25**3),
            ]
        )
    assert dataclasses.astuple(evaluate(name))[:7] == pytest.approx(tuple(np.mean(expected, axis=0)), rel=1e-9)


def test_the_protocol_of_whole_videos_equals_its_formula():
    predictions, truths = miniature()
    d, g = 1000 * np.stack(predictions), 1000 * np.stack(truths)
    mask = (g > 1e-3) & (g < 150)
    middle_d, middle_g = np.median(d[mask]), np.median(g[mask])
    spread_d, spread_g = np.mean(np.abs(d[mask] - middle_d)), np.mean(np.abs(g[mask] - middle_g))
    aligned = np.clip((d - middle_d) * (spread_g / spread_d) + middle_g, 1e-3, 150)
    rows = [np.mean(np.abs(a[m] - t[m]) / t[m]) for a, t, m in zip(aligned, g, mask, strict=True)]
    # The pixels of a clip are kept in single precision.
    assert evaluate("scared_endodav").abs_rel == pytest.approx(np.mean(rows), rel=1e-5)


def test_the_protocol_of_simcol3d_equals_its_formula():
    predictions, truths = miniature()
    d, g = np.minimum(100 * np.stack(predictions), 20), 100 * np.stack(truths)
    mask = np.isfinite(g)
    means = np.array([(a[m].mean(), t[m].mean()) for a, t, m in zip(d, g, mask, strict=True)])
    scaled = d * np.sum(means[:, 0] * means[:, 1]) / np.sum(means[:, 0] ** 2)
    rows = [
        (
            np.mean(np.abs(a[m] - t[m])),
            np.sqrt(np.mean((a[m] - t[m]) ** 2)),
            np.median(np.abs(a[m] - t[m]) / (t[m] + 1e-4)),
        )
        for a, t, m in zip(scaled, g, mask, strict=True)
    ]
    errors = evaluate("simcol3d")
    assert (errors.mae, errors.rmse, errors.median_rel) == pytest.approx(tuple(np.mean(rows, axis=0)), rel=1e-9)
