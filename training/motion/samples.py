"""Samples for the motion network; everything random follows from the sample's key."""

from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from endo_depth_ros.pose.rigid_fit import inverse
from training.dataset import MAX_DAMAGED, DataError, SampleKey, Sequences
from training.motion.augmentation import DrawnPair, PairAugmentation, augment_pair
from training.motion.pairs import draw_pair
from training.sequence_file import SequenceFileError

# That are looked through for one pair.
MAX_SEQUENCES = 200

log = logging.getLogger(__name__)


class MotionSample(NamedTuple):
    """A pair of frames; stacked along a first axis in a batch.

    images: uint8 [2, 3, H, W]. inside: bool [2, H, W], where they show something. log_depth: float32 [2, H, W], the
    true one, or a network's; known: bool [2, H, W], where it is known; given_log_depth: [2, H, W], what the network
    gets. rigid: bool [2, H, W], what does not move by itself. K: [3, 3]. T_first_second: [4, 4] float32, only if
    `posed`. brightness: [2], gain and offset that were applied to the second image.
    """

    images: Tensor
    inside: Tensor
    log_depth: Tensor
    known: Tensor
    given_log_depth: Tensor
    rigid: Tensor
    K: Tensor
    T_first_second: Tensor
    posed: Tensor
    brightness: Tensor
    damaged: Tensor


class RenderedPairs(Dataset[MotionSample]):
    """Pairs from renderings: the same key gives the same pair."""

    def __init__(
        self, sequences: Sequences, settings: PairAugmentation, size: tuple[int, int], seed: int, rank: int
    ) -> None:
        """size: width and height."""
        self._sequences, self._settings, self._size = sequences, settings, size
        self._seed, self._rank = seed, rank

    def __getitem__(self, key: SampleKey) -> MotionSample:
        """The pair; files that can't be read are passed over. Raises DataError when most of them are damaged."""
        rng = np.random.default_rng([self._seed, self._rank, key.batch, key.slot, 2])
        damaged, settings = 0, self._settings
        for _ in range(MAX_SEQUENCES):
            sequence = int(rng.integers(len(self._sequences.records)))
            try:
                pair = draw_pair(self._sequences, sequence, settings.max_motion, settings.min_overlap, rng)
            except SequenceFileError as error:
                log.warning("passed over: %s", error)
                damaged += 1
                if damaged == MAX_DAMAGED:
                    raise DataError(f"{damaged} sequences in a row are damaged; render the data set again") from error
                continue
            if pair is not None:
                return make_motion_sample(augment_pair(pair, *self._size, settings, rng), damaged)
        raise DataError(
            f"of {MAX_SEQUENCES} sequences none has two views of the same; render some: training/recipes/clips.yaml"
        )


class HeldOutPairs(Dataset[MotionSample]):
    """So many pairs, the same at each call."""

    def __init__(self, sequences: Sequences, settings: PairAugmentation, size: tuple[int, int], pairs: int) -> None:
        self._pairs, self._count = RenderedPairs(sequences, settings, size, seed=7, rank=0), pairs

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, item: int) -> MotionSample:
        """The item-th pair. Raises DataError."""
        return self._pairs[SampleKey(item, 0)]


def make_motion_sample(drawn: DrawnPair, damaged: int) -> MotionSample:
    """Tensors of a pair."""
    known = np.stack([np.isfinite(view.log_depth) for view in drawn.views]) & drawn.found
    log_depth = np.stack([view.log_depth for view in drawn.views])
    return MotionSample(
        images=torch.from_numpy(np.ascontiguousarray(drawn.images.transpose(0, 3, 1, 2))),
        inside=torch.from_numpy(drawn.found),
        log_depth=torch.from_numpy(np.where(known, log_depth, np.float32(0))),
        known=torch.from_numpy(known),
        given_log_depth=torch.from_numpy(np.where(known, drawn.given_log_depth, np.float32(0))),
        rigid=torch.from_numpy(~np.stack([view.instrument for view in drawn.views])),
        K=torch.from_numpy(drawn.views[0].K.astype(np.float32)),
        T_first_second=torch.from_numpy(drawn.T_first_second.astype(np.float32)),
        posed=torch.tensor(True),
        brightness=torch.tensor([drawn.brightness.gain, drawn.brightness.offset]),
        damaged=torch.tensor(damaged),
    )


def both_ways(batch: MotionSample) -> MotionSample:
    """The pairs of a batch, then the same pairs with their frames swapped: twice as many from what was loaded once."""
    gain, offset = batch.brightness.unbind(1)
    swapped = batch._replace(
        images=batch.images.flip(1),
        inside=batch.inside.flip(1),
        log_depth=batch.log_depth.flip(1),
        known=batch.known.flip(1),
        given_log_depth=batch.given_log_depth.flip(1),
        rigid=batch.rigid.flip(1),
        T_first_second=inverse(batch.T_first_second),
        brightness=torch.stack([1 / gain, -offset / gain], 1),
    )
    return MotionSample(*(torch.cat(values) for values in zip(batch, swapped, strict=True)))
