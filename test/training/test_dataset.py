"""Samples follow from their keys, damaged files are passed over, masks say what counts."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from planes import CAMERA, FAMILIES, write_planes

from endo_depth_ros.geometry.camera import PINHOLE, STEREOGRAPHIC
from training.dataset import (
    COMPANIONS,
    TRAINING,
    VALIDATION,
    AugmentationSettings,
    BatchKeys,
    BatchSchedule,
    DataError,
    Sample,
    SampleKey,
    TrainingSamples,
    ValidationSamples,
    find_sequences,
    misjudge_scope,
    spread_views,
    within_reach,
)
from training.sequence_file import NO_PAIR, SUFFIX, SequenceWriter, read_record

SCHEDULE = BatchSchedule(batch=6, pairs=1, sizes=((10, (96, 64)), (20, (128, 96))))


def samples_of(folder: Path, rank: int = 0, companions: float = 0.5) -> TrainingSamples:
    sequences, augmentation = (
        find_sequences(folder / TRAINING, STEREOGRAPHIC),
        AugmentationSettings(companions=companions),
    )
    return TrainingSamples(sequences, augmentation, SCHEDULE, seed=3, rank=rank)


def test_the_same_key_gives_the_same_sample(renderings: Path) -> None:
    first, second = (samples_of(renderings)[SampleKey(7, 4)] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_keys_ranks_and_slots_differ(renderings: Path) -> None:
    images = [samples_of(renderings, rank)[SampleKey(b, s)].image for rank, b, s in [(0, 7, 4), (1, 7, 4), (0, 8, 4)]]
    assert not torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


def test_shapes_types_and_what_is_not_valid(renderings: Path) -> None:
    for slot in range(6):
        sample = samples_of(renderings)[SampleKey(0, slot)]
        assert sample.image.shape == (3, 64, 96)
        assert sample.image.dtype == torch.uint8
        assert not bool((sample.valid & ~sample.inside).any())
        assert bool((sample.log_depth[~sample.valid] == 0).all())
        assert bool(torch.isfinite(sample.log_depth).all())
        assert float(sample.log_depth[sample.valid].exp().median()) == pytest.approx(0.03, rel=0.5)
    assert samples_of(renderings)[SampleKey(10, 0)].image.shape == (3, 96, 128)


def test_pairs_share_lens_and_video_processor_but_not_noise(renderings: Path) -> None:
    samples = samples_of(renderings, companions=0.0)
    for batch in range(5):
        first, second, single = (samples[SampleKey(batch, slot)] for slot in (0, 1, 2))
        assert int(first.pair) == int(second.pair) >= 0
        assert int(single.pair) == NO_PAIR
        torch.testing.assert_close(first.K, second.K, rtol=0, atol=0)
        torch.testing.assert_close(first.inside, second.inside, rtol=0, atol=0)
        # planes.py: the second frame's plane is 2 % nearer.
        both = first.valid & second.valid
        step = (first.log_depth - second.log_depth)[both]
        assert float(step.median()) == pytest.approx(np.log(1.02), abs=1e-3)


def test_companions_are_different_views_of_one_body_through_one_lens(renderings: Path) -> None:
    samples = samples_of(renderings, companions=1.0)
    for batch in range(5):
        first, second = (samples[SampleKey(batch, slot)] for slot in (0, 1))
        assert int(first.pair) == int(second.pair) == COMPANIONS
        assert int(first.sequence) == int(second.sequence)
        torch.testing.assert_close(first.K, second.K, rtol=0, atol=0)
        assert not torch.equal(first.log_depth, second.log_depth)


def test_of_views_with_instruments_only_a_share_is_kept(tmp_path: Path) -> None:
    radiance, shape = np.full((80, 96, 3), 0.1, np.float32), (80, 96)
    writer = SequenceWriter(tmp_path / f"0{SUFFIX}", "wall", 0, CAMERA, quality=95)
    for index in range(10):
        tool = np.zeros(shape, bool)
        tool[:40] = index % 2
        # The wall's distance tells of a sample whether an instrument was before it.
        writer.add(radiance, np.full(shape, 0.02 if index % 2 else 0.03, np.float32), tool, np.eye(4), index / 10)
    writer.finish()
    sequences = find_sequences(tmp_path, STEREOGRAPHIC)
    shares = []
    for kept in (0.05, 1.0):
        augmentation = AugmentationSettings(flat_views=1.0, tools=kept)
        samples = TrainingSamples(sequences, augmentation, SCHEDULE, seed=3, rank=0)
        drawn = [samples[SampleKey(batch, 4)] for batch in range(150)]
        shares.append(np.mean([float(each.log_depth[each.valid].median()) < np.log(0.025) for each in drawn]))
    assert shares[0] < 0.12
    assert 0.4 < shares[1] < 0.6


@pytest.mark.parametrize("name", ["paint", "regions", "uneven_light", "colours"])
def test_what_is_turned_off_is_not_drawn_and_what_is_on_changes_the_picture(renderings: Path, name: str) -> None:
    off = AugmentationSettings(
        paint=0.0, regions=0.0, uneven_light=0.0, colours=0.0, hidden_patches=0.0, obstructions=0.0, companions=0.0
    )
    sequences = find_sequences(renderings / TRAINING, STEREOGRAPHIC)

    def images(augmentation: AugmentationSettings) -> torch.Tensor:
        samples = TrainingSamples(sequences, augmentation, SCHEDULE, seed=3, rank=0)
        return torch.stack([samples[SampleKey(batch, 4)].image for batch in range(9)]).float()

    plain = images(off)
    torch.testing.assert_close(images(off), plain, rtol=0, atol=0)
    changed = (images(replace(off, **{name: 1.0})) - plain).abs().flatten(1).amax(1)
    assert int((changed > 4).sum()) >= 3


def test_what_lies_beyond_any_rectified_image_does_not_count() -> None:
    K = np.array([[100.0, 0, 160], [0, 100, 128], [0, 0, 1]])
    reach = within_reach(K, 256, 320)
    edge_px = 2 * math.tan(math.radians(75) / 2) * 100
    assert reach[128, math.floor(160 + edge_px)]
    assert not reach[128, math.ceil(160 + edge_px)]
    assert not reach[0, 0]


def test_sequences_of_another_projection_are_refused_with_the_remedy(renderings: Path) -> None:
    with pytest.raises(DataError, match="is stereographic, but pinhole sequences are wanted here; render another"):
        find_sequences(renderings / TRAINING, PINHOLE)


def test_damaged_files_are_passed_over_and_counted(renderings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(renderings, folder)
    damaged = next((folder / TRAINING).rglob(f"*{SUFFIX}"))
    sequences = find_sequences(folder / TRAINING, STEREOGRAPHIC)
    samples = TrainingSamples(sequences, AugmentationSettings(), SCHEDULE, seed=3, rank=0)
    damaged.write_bytes(b"cut")
    drawn = [samples[SampleKey(batch, slot)] for batch in range(4) for slot in range(6)]
    assert sum(int(sample.damaged) for sample in drawn) > 0
    assert find_sequences(folder / TRAINING, STEREOGRAPHIC).damaged == 1


def test_only_damage_ends_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / TRAINING / "wall" / f"0{SUFFIX}"
    write_planes(path, "wall", 0)
    samples = TrainingSamples(find_sequences(tmp_path, STEREOGRAPHIC), AugmentationSettings(), SCHEDULE, seed=3, rank=0)
    path.write_bytes(b"cut")
    with pytest.raises(DataError, match="render the data set again"):
        samples[SampleKey(0, 0)]


def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="python -m training render"):
        find_sequences(tmp_path, STEREOGRAPHIC)


def test_a_data_set_that_grows_is_seen(tmp_path: Path) -> None:
    write_planes(tmp_path / f"0{SUFFIX}", "wall", 0)
    assert len(find_sequences(tmp_path, STEREOGRAPHIC).records) == 1
    write_planes(tmp_path / f"1{SUFFIX}", "tube", 1)
    assert find_sequences(tmp_path, STEREOGRAPHIC).families == ("tube", "wall")


def test_a_family_can_be_left_out(renderings: Path) -> None:
    assert find_sequences(renderings / TRAINING, STEREOGRAPHIC, (FAMILIES[0],)).families == FAMILIES[1:]


def test_an_epoch_resumed_in_its_middle_has_the_rest_of_its_batches() -> None:
    whole, rest = list(BatchKeys(SCHEDULE, 20, 10)), list(BatchKeys(SCHEDULE, 26, 10))
    assert [keys[0].batch for keys in whole] == list(range(20, 30))
    assert rest == whole[6:]
    assert len(BatchKeys(SCHEDULE, 26, 10)) == 10


def test_validation_is_the_same_each_time_and_has_pairs(renderings: Path) -> None:
    sequences = find_sequences(renderings / VALIDATION, STEREOGRAPHIC)
    first, second = (ValidationSamples(sequences, 96, 64, views=6) for _ in range(2))
    assert len(first) == 12
    samples: list[Sample] = [first[index] for index in range(len(first))]
    for index in (0, 7):
        torch.testing.assert_close(second[index].image, samples[index].image, rtol=0, atol=0)
    pairs = [int(sample.pair) for sample in samples if int(sample.pair) != NO_PAIR]
    assert pairs == [0, 0, 0, 0]


def test_views_are_spread_over_a_sequence(tmp_path: Path) -> None:
    write_planes(tmp_path / f"0{SUFFIX}", "wall", 0, views=20, pairs=2)
    record = read_record(tmp_path / f"0{SUFFIX}")
    assert spread_views(record, 6) == [0, 6, 13, 19, 20, 21]
    assert spread_views(record, 100) == list(range(24))


def test_a_misjudged_field_of_view_is_off_by_two_pixels_at_most() -> None:
    y, x = np.mgrid[:64, :64]
    distance = np.hypot(x - 32, y - 32)
    sizes = set()
    for seed in range(30):
        found = misjudge_scope(distance <= 20, np.random.default_rng(seed))
        sizes.add(int(found.sum()))
        assert found[distance <= 17].all()
        assert not found[distance > 23].any()
    assert len(sizes) > 2
