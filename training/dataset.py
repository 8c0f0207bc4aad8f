"""Samples for the network from rendered sequences; everything random follows from the sample's key."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from endo_depth_ros.settings import setting
from training.drawn_video import DrawnVideo
from training.painted_tissue import draw_layers, draw_region, paint
from training.photometry import hide_patches, jitter_colours
from training.sequence_file import NO_PAIR, SUFFIX, SequenceFileError, SequenceRecord, View, read_record, read_views
from training.uneven_light import draw_uneven_light
from training.view_transform import TransformRanges, draw_transform, transform_view

# Folders of a data set.
TRAINING = "train"
VALIDATION = "validation"
MAX_DAMAGED = 20
SCOPE_ERROR_PX = 2
# Shares of the samples.
PAINTED, UNEVENLY_LIT = 0.7, 0.7
# Chances of no, one, two ... regions of other tissue. Organs of all colours lie side by side in an abdomen.
REGIONS, LAPAROSCOPIC_REGIONS = (0.5, 0.5), (0.1, 0.25, 0.25, 0.2, 0.2)
FLAT_LOG_DEPTH = 0.3
FLAT_STRIDE = 8
# No image that is rectified to the default 120 degrees reaches farther; on the stereographic plane, in focal lengths.
FARTHEST = 2 * math.tan(math.radians(75) / 2)
# The pair number of two views of one body that are no video pair; more than any sequence has, less than PAIR_BITS hold.
COMPANIONS = 1 << 15

log = logging.getLogger(__name__)


class DataError(RuntimeError):
    """There is nothing to train on; the text says where and what to do."""


@dataclass(frozen=True)
class AugmentationSettings:
    """How samples are drawn from renderings."""

    max_zoom: float = setting(1.6, "largest enlargement of a rendering", minimum=1.0, maximum=4.0)
    roll: bool = setting(True, "turn about the optical axis")
    upright: float = setting(
        0.85,
        "share of a laparoscope's views that stand upright, give or take 12 degrees; others are turned by any angle",
        minimum=0.0,
        maximum=1.0,
    )
    flip: bool = setting(True, "mirror half of the samples")
    colours: float = setting(0.35, "strength of random colours; 0 turns them off", minimum=0.0, maximum=3.0)
    paint: float = setting(
        1.0, "strength of mottling and vessels painted on the tissue; 0 turns them off", minimum=0.0, maximum=3.0
    )
    regions: float = setting(
        1.0,
        "contrast of tissues of other colours that half of the samples have, a laparoscope's several; 0 turns them off",
        minimum=0.0,
        maximum=3.0,
    )
    uneven_light: float = setting(
        1.0, "strength of light that leaves the scope unevenly; 0 turns it off", minimum=0.0, maximum=3.0
    )
    hidden_patches: float = setting(0.05, "share of samples with hidden patches", minimum=0.0, maximum=1.0)
    obstructions: float = setting(
        0.3, "share of videos in which smoke, blood, droplets or blur may be drawn", minimum=0.0, maximum=1.0
    )
    cropped: float = setting(
        0.85, "share of videos whose border is cropped away, as the node does", minimum=0.0, maximum=1.0
    )
    companions: float = setting(
        0.5, "share of the pairs that are any two views of a body instead of video frames", minimum=0.0, maximum=1.0
    )
    flat_views: float = setting(
        0.4, "share of nearly flat views that is kept: they are many, and say little", minimum=0.05, maximum=1.0
    )
    tools: float = setting(
        0.5, "share of views with instruments that is kept: half of the bodies have some", minimum=0.05, maximum=1.0
    )


class Sample(NamedTuple):
    """One image for the network; stacked along a first axis in a batch.

    image: uint8 [3, H, W], RGB. inside: bool [H, W], the scope's field of view as it would be found in the image.
    log_depth: natural log of z in metres, float32 [H, W], 0 where not valid. valid: bool [H, W], where the loss counts.
    K: float32 [3, 3]. family, sequence: indices. pair: shared within a sequence by the two frames of a video pair, or
    COMPANIONS; NO_PAIR otherwise. damaged: files that had to be passed over for this sample.
    """

    image: Tensor
    inside: Tensor
    log_depth: Tensor
    valid: Tensor
    K: Tensor
    family: Tensor
    sequence: Tensor
    pair: Tensor
    damaged: Tensor


class SampleKey(NamedTuple):
    """Which sample: batch counts from the start of training; slot within the batch of this rank."""

    batch: int
    slot: int


@dataclass(frozen=True, eq=False)
class Sequences:
    """The sequences of a folder, families in order of name."""

    paths: tuple[Path, ...]
    records: tuple[SequenceRecord, ...]
    families: tuple[str, ...]
    damaged: int

    def family_index(self, sequence: int) -> int:
        """Index of the sequence's family."""
        return self.families.index(self.records[sequence].family)


def find_sequences(folder: Path, projection: str, leave_out: tuple[str, ...] = ()) -> Sequences:
    """Sequences under a folder; damaged ones are passed over with a warning.

    projection: that of SequenceRecord. Raises DataError for sequences of another one, and where none is left.
    """
    paths, records, damaged = [], [], 0
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        try:
            record = _cached_record(path, path.stat().st_mtime_ns)
        except (SequenceFileError, OSError) as error:
            log.warning("passed over: %s", error)
            damaged += 1
            continue
        if record.projection != projection:
            raise DataError(
                f"{path}: is {record.projection or 'pinhole'}, but {projection or 'pinhole'} sequences are wanted "
                f"here; render another folder with projection: {projection or 'pinhole'} in the recipe"
            )
        if record.family not in leave_out:
            paths.append(path)
            records.append(record)
    if not paths:
        raise DataError(
            f"{folder} holds no rendered sequences (*{SUFFIX}); make some: "
            "python -m training render --config training/recipes/renderings.yaml --output DIR"
        )
    families = tuple(sorted({record.family for record in records}))
    return Sequences(tuple(paths), tuple(records), families, damaged)


@cache
def _cached_record(path: Path, modified_ns: int) -> SequenceRecord:
    """read_record; a data set that grows is looked through at every epoch."""
    return read_record(path)


class TrainingSamples(Dataset[Sample]):
    """Samples by key: the same key gives the same sample, on any rank's worker and after a resume."""

    def __init__(
        self, sequences: Sequences, augmentation: AugmentationSettings, schedule: BatchSchedule, seed: int, rank: int
    ) -> None:
        self._sequences, self._augmentation, self._schedule = sequences, augmentation, schedule
        self._seed, self._rank = seed, rank
        self._ranges = TransformRanges(
            augmentation.max_zoom, augmentation.roll, augmentation.flip, augmentation.upright
        )
        records = enumerate(sequences.records)
        self._with_pairs = [i for i, record in records if any(view.pair != NO_PAIR for view in record.views)]

    def __getitem__(self, key: SampleKey) -> Sample:
        """The sample; files that can't be read are passed over. Raises DataError when most of them are damaged."""
        in_pair = bool(self._with_pairs) and key.slot < 2 * self._schedule.pairs
        shared = key.slot - key.slot % 2 if in_pair else key.slot
        rng = np.random.default_rng([self._seed, self._rank, key.batch, shared])
        noise = np.random.default_rng([self._seed, self._rank, key.batch, key.slot, 1])
        for damaged in range(MAX_DAMAGED):
            try:
                view, sequence, pair = self._read(rng, in_pair, key.slot % 2)
            except SequenceFileError as error:
                log.warning("passed over: %s", error)
                continue
            width, height = self._schedule.size(key.batch)
            drawn = augment(view, width, height, self._augmentation, self._ranges, rng, noise)
            return make_sample(drawn, self._sequences.family_index(sequence), sequence, pair, damaged)
        raise DataError(f"{MAX_DAMAGED} sequences in a row are damaged; render the data set again")

    def _read(self, rng: np.random.Generator, in_pair: bool, member: int) -> tuple[View, int, int]:
        """A view, its sequence and its pair. Raises SequenceFileError."""
        drawn = self._augmentation
        while True:
            sequence, index, pair = self._choose_pair(rng, member) if in_pair else self._choose(rng)
            view = read_views(self._sequences.paths[sequence], self._sequences.records[sequence], [index])[0]
            # Both frames of a pair are kept or none, so pairs are not looked at.
            if in_pair or (keeps(rng, drawn.flat_views, is_flat, view) and keeps(rng, drawn.tools, has_tool, view)):
                return view, sequence, pair

    def _choose(self, rng: np.random.Generator) -> tuple[int, int, int]:
        sequence = int(rng.integers(len(self._sequences.records)))
        return sequence, int(rng.integers(len(self._sequences.records[sequence].views))), NO_PAIR

    def _choose_pair(self, rng: np.random.Generator, member: int) -> tuple[int, int, int]:
        sequence = self._with_pairs[int(rng.integers(len(self._with_pairs)))]
        views = self._sequences.records[sequence].views
        if rng.random() < self._augmentation.companions:
            companions = rng.choice(len(views), 2, replace=False)
            return sequence, int(companions[member]), COMPANIONS
        pairs = sorted({view.pair for view in views if view.pair != NO_PAIR})
        pair = pairs[int(rng.integers(len(pairs)))]
        members = [i for i, view in enumerate(views) if view.pair == pair]
        return sequence, members[member], pair


def is_flat(view: View) -> bool:
    """Whether most of the view lies at about one depth, give or take FLAT_LOG_DEPTH."""
    known = view.log_depth[::FLAT_STRIDE, ::FLAT_STRIDE]
    low, high = np.nanquantile(known, [0.1, 0.9])
    return bool(high - low < 2 * FLAT_LOG_DEPTH)


def keeps(rng: np.random.Generator, share: float, is_kind: Callable[[View], bool], view: View) -> bool:
    """Whether a view is kept that may be of a kind of which only a share is."""
    return bool(rng.random() < share) or not is_kind(view)


def has_tool(view: View) -> bool:
    """Whether an instrument is in view."""
    return bool(view.instrument.any())


@dataclass(frozen=True, eq=False)
class DrawnView:
    """A view through a random lens and sensor.

    image: uint8 [H, W, 3]. scope: where the scope sees; found: where it would be found to see; bool [H, W].
    seen: the truth.
    """

    image: NDArray[np.uint8]
    scope: NDArray[np.bool_]
    found: NDArray[np.bool_]
    seen: View


def augment(
    view: View,
    width: int,
    height: int,
    augmentation: AugmentationSettings,
    ranges: TransformRanges,
    rng: np.random.Generator,
    noise: np.random.Generator,
) -> DrawnView:
    """A view, drawn through a random lens and sensor.

    rng draws what neighbouring frames of a video share, noise what they don't.
    """
    video = DrawnVideo(rng, width, height, augmentation.obstructions, augmentation.cropped)
    A = draw_transform(rng, (view.radiance.shape[1], view.radiance.shape[0]), video.scope, ranges, view.down)
    seen = transform_view(view, A, width, height)
    strength = augmentation.paint * rng.uniform(0, 1.5) * (rng.random() < PAINTED)
    chances = LAPAROSCOPIC_REGIONS if view.laparoscopic else REGIONS
    count = int(rng.choice(len(chances), p=chances)) if augmentation.regions else 0
    regions = tuple(draw_region(rng, augmentation.regions) for _ in range(count))
    painted = strength > 0 or regions
    radiance = paint(seen, draw_layers(rng, strength), rng, regions) if painted else seen.radiance
    uneven = draw_uneven_light(rng, augmentation.uneven_light * (rng.random() < UNEVENLY_LIT))
    image = video.develop(radiance * uneven.gain(seen.K, height, width)[..., None], noise)
    image = jitter_colours(image, rng, augmentation.colours)
    if noise.random() < augmentation.hidden_patches:
        hide_patches(image, noise)
    return DrawnView(image, video.scope, misjudge_scope(video.scope, rng), seen)


def misjudge_scope(scope: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The field of view [H, W], up to SCOPE_ERROR_PX wider or narrower, as if it had been found in the image."""
    error = int(rng.integers(-SCOPE_ERROR_PX, SCOPE_ERROR_PX + 1))
    kernel = np.ones((2 * abs(error) + 1,) * 2, np.uint8)
    move = cv2.erode if error < 0 else cv2.dilate
    return move(scope.astype(np.uint8), kernel).astype(bool)


def make_sample(drawn: DrawnView, family: int, sequence: int, pair: int, damaged: int) -> Sample:
    """Tensors of a sample."""
    log_depth = drawn.seen.log_depth
    valid = np.isfinite(log_depth) & drawn.scope & drawn.found & within_reach(drawn.seen.K, *log_depth.shape)
    return Sample(
        image=torch.from_numpy(np.ascontiguousarray(drawn.image.transpose(2, 0, 1))),
        inside=torch.from_numpy(drawn.found),
        log_depth=torch.from_numpy(np.where(valid, log_depth, np.float32(0))),
        valid=torch.from_numpy(valid),
        K=torch.from_numpy(drawn.seen.K.astype(np.float32)),
        family=torch.tensor(family),
        sequence=torch.tensor(sequence),
        pair=torch.tensor(pair),
        damaged=torch.tensor(damaged),
    )


def within_reach(K: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels nearer to the optical axis than FARTHEST, bool [H, W]."""
    x, y = (np.arange(width) - K[0, 2]) / K[0, 0], (np.arange(height) - K[1, 2]) / K[1, 1]
    return np.asarray(np.square(x) + np.square(y)[:, None] < FARTHEST**2, np.bool_)


@dataclass(frozen=True)
class BatchSchedule:
    """What the batches of a training look like.

    batch: samples of one rank. pairs: of neighbouring video frames, first in the batch. sizes: width and height up to
    a number of batches, in order; the last holds to the end.
    """

    batch: int
    pairs: int
    sizes: tuple[tuple[int, tuple[int, int]], ...]

    def size(self, batch: int) -> tuple[int, int]:
        """Width and height of the images of a batch."""
        for end, size in self.sizes:
            if batch < end:
                return size
        return self.sizes[-1][1]


class BatchKeys(Sampler[list[SampleKey]]):
    """The keys of one epoch's batches, from `first` on; a resumed epoch begins in its middle."""

    def __init__(self, schedule: BatchSchedule, first: int, epoch_batches: int) -> None:
        self._schedule, self._first, self._epoch_batches = schedule, first, epoch_batches

    def __iter__(self) -> Iterator[list[SampleKey]]:
        end = self._first - self._first % self._epoch_batches + self._epoch_batches
        for batch in range(self._first, end):
            yield [SampleKey(batch, slot) for slot in range(self._schedule.batch)]

    def __len__(self) -> int:
        # Of a whole epoch, also when the first ones are behind us: the trainer counts from the epoch's start.
        return self._epoch_batches


class ValidationSamples(Dataset[Sample]):
    """Every view of the sequences through a scope and sensor that depend on the view alone."""

    def __init__(self, sequences: Sequences, width: int, height: int, views: int) -> None:
        """views: at most so many of each sequence, pairs kept together."""
        self._sequences, self._size = sequences, (width, height)
        chosen = [spread_views(record, views) for record in sequences.records]
        turns = [(turn, s, i) for s, indices in enumerate(chosen) for turn, i in enumerate(indices)]
        # Sequences take turns, so that the batch that is shown has several families.
        self._chosen = [(s, i) for _, s, i in sorted(turns)]
        self._augmentation = AugmentationSettings(
            max_zoom=1.3, colours=0.0, paint=0.0, regions=0.0, uneven_light=0.0, hidden_patches=0.0, obstructions=0.0
        )
        self._ranges = TransformRanges(1.3, roll=True, flip=False, upright=1.0)

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, item: int) -> Sample:
        """The item-th chosen view. Raises SequenceFileError when its file is damaged."""
        sequence, index = self._chosen[item]
        record = self._sequences.records[sequence]
        pair = record.views[index].pair
        view = read_views(self._sequences.paths[sequence], record, [index])[0]
        rng = np.random.default_rng([record.seed, 7, 1000 + pair if pair != NO_PAIR else index])
        noise = np.random.default_rng([record.seed, 8, index])
        drawn = augment(view, *self._size, self._augmentation, self._ranges, rng, noise)
        return make_sample(drawn, self._sequences.family_index(sequence), sequence, pair, 0)


def spread_views(record: SequenceRecord, views: int) -> list[int]:
    """Indices of at most `views` views, half of them in pairs where there are any, in order."""
    paired = [i for i, view in enumerate(record.views) if view.pair != NO_PAIR][: 2 * max(1, views // 4)]
    single = [i for i, view in enumerate(record.views) if view.pair == NO_PAIR]
    wanted = max(0, min(len(single), views - len(paired)))
    chosen = [single[round(k * (len(single) - 1) / max(1, wanted - 1))] for k in range(wanted)]
    return sorted({*paired, *chosen})
