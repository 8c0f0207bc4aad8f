"""Weight files: what is saved comes back, and everything else is refused with a sentence."""

import json
import pickle
from dataclasses import asdict, replace

import pytest
import torch
from network_weights import CONFIG, RECORD, lively_network, write_weights
from safetensors import safe_open
from safetensors.torch import save_file

from endo_depth_ros.depth.weights import WeightsError, load_weights, save_weights


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "small.safetensors")


def parts_of(path):
    with safe_open(path, framework="pt") as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, file.metadata()


def changed(weights_file, path, tensors=None, **metadata):
    """A copy of the file with some tensors and metadata replaced, None to leave one out."""
    old_tensors, old_metadata = parts_of(weights_file)
    new = {**old_tensors, **(tensors or {})}
    words = {**old_metadata, **metadata}
    save_file(
        {name: tensor for name, tensor in new.items() if tensor is not None},
        path,
        {key: word for key, word in words.items() if word is not None},
    )
    return path


def with_record(weights_file, path, **changes):
    values = {**asdict(RECORD), **changes}
    return changed(weights_file, path, record=json.dumps(values))


def refusal(path):
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence


def test_network_and_record_come_back(weights_file):
    loaded = load_weights(weights_file)
    assert loaded.record == RECORD
    assert not loaded.network.training
    for name, tensor in lively_network().state_dict().items():
        torch.testing.assert_close(loaded.network.state_dict()[name], tensor, rtol=0, atol=0)


def test_a_file_in_the_way_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "small.safetensors"
    path.write_bytes(b"old")
    write_weights(path)
    assert load_weights(path).record == RECORD
    assert list(tmp_path.iterdir()) == [path]


def test_weights_that_could_not_be_loaded_are_not_saved(tmp_path):
    network = lively_network()
    network.head.bias.data[0] = torch.nan
    with pytest.raises(WeightsError, match=r"NaN or infinity in head\.bias"):
        save_weights(tmp_path / "a.safetensors", network, RECORD)
    with pytest.raises(WeightsError, match="sigma_factor"):
        save_weights(tmp_path / "a.safetensors", lively_network(), replace(RECORD, sigma_factor=-1.0))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "none.safetensors")


def test_a_folder_is_refused(tmp_path):
    assert "can't be read" in refusal(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.touch()
    assert "empty" in refusal(path)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(weights_file, tmp_path, share):
    data = weights_file.read_bytes()
    path = tmp_path / "a.safetensors"
    path.write_bytes(data[: int(len(data) * share)])
    assert "not a whole safetensors file" in refusal(path)


def test_a_file_with_more_at_its_end_is_refused(weights_file, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(weights_file.read_bytes() + b"more")
    assert "not a whole safetensors file" in refusal(path)


def test_a_damaged_header_is_refused(weights_file, tmp_path):
    data = bytearray(weights_file.read_bytes())
    data[20:40] = b"\xff" * 20
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    assert "not a whole safetensors file" in refusal(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_text("<html>404 not found</html>")
    assert "not a safetensors file" in refusal(path)
    path.write_bytes(b"abc")
    assert "not a safetensors file" in refusal(path)


class Bomb:
    """Says so when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt", "a.ckpt"])
def test_pickles_are_refused_unopened_under_any_name(tmp_path, name):
    path = tmp_path / name
    torch.save({"state_dict": Bomb()}, path)
    assert "never loaded" in refusal(path)
    path.write_bytes(pickle.dumps(Bomb()))
    assert "python -m training export" in refusal(path)


def test_tensors_of_others_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    assert "not weights of endo_depth_ros" in refusal(path)


@pytest.mark.parametrize("key", ["schema", "architecture", "normalisation"])
def test_another_schema_architecture_or_normalisation_is_refused(weights_file, tmp_path, key):
    assert f"its {key} is 'other'" in refusal(changed(weights_file, tmp_path / "a.safetensors", **{key: "other"}))
    assert f"has no '{key}'" in refusal(changed(weights_file, tmp_path / "b.safetensors", **{key: None}))


def test_missing_unknown_and_misshapen_tensors_are_named(weights_file, tmp_path):
    tensors = {"head.bias": None, "tail.bias": torch.zeros(1), "head.weight": torch.zeros(1, 2)}
    sentence = refusal(changed(weights_file, tmp_path / "a.safetensors", tensors))
    assert "lacks head.bias" in sentence
    assert "has unknown tail.bias" in sentence
    assert "head.weight is float32 [1, 2], not float32 [12, 8, 1, 1]" in sentence


def test_another_number_type_is_refused(weights_file, tmp_path):
    path = changed(weights_file, tmp_path / "a.safetensors", {"head.bias": torch.zeros(10, dtype=torch.float16)})
    assert "head.bias is float16 [10]" in refusal(path)


def test_nan_is_refused_and_named(weights_file, tmp_path):
    path = changed(weights_file, tmp_path / "a.safetensors", {"head.bias": torch.full((10,), torch.nan)})
    assert "NaN or infinity in head.bias" in refusal(path)


@pytest.mark.parametrize("record", [None, "", "no json", "[1, 2]", "{}", "[" * 100_000])
def test_a_record_that_is_none_is_refused(weights_file, tmp_path, record):
    assert "record" in refusal(changed(weights_file, tmp_path / "a.safetensors", record=record))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sigma_factor", 0.0),
        ("scale_sigma", -0.1),
        ("sigma_factor", float("nan")),
        ("sigma_factor", "1"),
        ("input_width", 321),
        ("input_height", 2**40),
        ("input_width", True),
        ("licence", ""),
        ("recipe", None),
        ("metrics", {"abs_rel": float("inf")}),
        ("metrics", 3),
    ],
)
def test_an_absurd_record_is_refused_with_the_value(weights_file, tmp_path, name, value):
    assert f"{name} = " in refusal(with_record(weights_file, tmp_path / "a.safetensors", **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("error", float("nan")),
        ("error", True),
        ("error", 10**400),
        ("narrow_deg", None),
        ("wide_deg", "wide"),
        ("error", -0.1),
        ("narrow_deg", 200.0),
        ("wide_deg", 60.0),
        ("wide_deg", 1e39),
    ],
)
def test_an_absurd_doubt_is_refused_with_the_value(weights_file, tmp_path, name, value):
    path = with_record(
        weights_file, tmp_path / "a.safetensors", relief_doubt={**asdict(RECORD.relief_doubt), name: value}
    )
    assert f"{value!r}"[:20] in refusal(path)
    assert "relief_doubt" in refusal(path)


def test_a_doubt_of_other_fields_is_refused(weights_file, tmp_path):
    sentence = refusal(with_record(weights_file, tmp_path / "a.safetensors", relief_doubt={"error": 0.1}))
    assert "'record.relief_doubt' should hold" in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decoder_channels", [8, 8, 8, 8]),
        ("decoder_channels", [8, 8, 8, 8, 10**9]),
        ("decoder_channels", "wide"),
        ("canonical_focal_px", 0),
        ("min_depth_m", 2.0),
        ("max_depth_m", -1.0),
        ("initial_depth_m", 50.0),
        ("min_log_b", 3.0),
        ("max_log_b", None),
    ],
)
def test_an_absurd_network_is_refused_before_it_is_made(weights_file, tmp_path, name, value):
    network = {**asdict(CONFIG), name: value}
    assert f"network.{name} = " in refusal(with_record(weights_file, tmp_path / "a.safetensors", network=network))
