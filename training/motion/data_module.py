"""Feeds the trainer with pairs; a new look into the growing data set at every epoch."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from endo_depth_ros.geometry.camera import PINHOLE
from training.data_module import PREFETCHED_BATCHES, VALIDATION_BATCH
from training.dataset import TRAINING, VALIDATION, BatchKeys, BatchSchedule, find_sequences
from training.motion.held_out import CLEAR
from training.motion.recipe import MotionRecipe
from training.motion.samples import HeldOutPairs, MotionSample, RenderedPairs
from training.motion.videos import MixedPairs, VideoPairs, prepare_videos


class PairsOfFrames(pl.LightningDataModule):
    """Renderings and videos of a recipe."""

    def __init__(self, recipe: MotionRecipe, cache: Path) -> None:
        """cache: where depth of videos is kept. Raises DataError when sequences or videos are missing."""
        super().__init__()
        cv2.setNumThreads(1)  # before any worker is forked
        self._recipe, self._folder = recipe, Path(recipe.data.folder)
        self._held_out = find_sequences(self._folder / VALIDATION, PINHOLE)
        find_sequences(self._folder / TRAINING, PINHOLE)
        data = recipe.data
        wanted = data.video and data.video_pairs
        self._videos = prepare_videos(Path(data.video), cache, (data.width, data.height)) if wanted else []

    def train_dataloader(self) -> DataLoader[MotionSample]:
        """Batches from the trainer's present step to the end of its epoch, from all sequences there are now."""
        assert self.trainer is not None
        recipe, data = self._recipe, self._recipe.data
        size = (data.width, data.height)
        sequences = find_sequences(self._folder / TRAINING, PINHOLE)
        rank = self.trainer.global_rank
        samples: Dataset[MotionSample] = RenderedPairs(sequences, recipe.augmentation, size, data.seed, rank)
        if self._videos:
            samples = MixedPairs(VideoPairs(self._videos, data.seed, rank), samples, data.video_pairs)
        schedule = BatchSchedule(data.batch, 0, ((recipe.optimiser.steps, size),))
        return DataLoader(
            samples,
            batch_sampler=BatchKeys(schedule, self.trainer.global_step, recipe.trainer.epoch_steps),
            num_workers=data.workers,
            prefetch_factor=PREFETCHED_BATCHES if data.workers else None,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[MotionSample]:
        """The same pairs at each call, a few of each sequence."""
        data = self._recipe.data
        pairs = self._recipe.trainer.validation_views * len(self._held_out.records)
        samples = HeldOutPairs(self._held_out, CLEAR, (data.width, data.height), pairs)
        return DataLoader(samples, batch_size=VALIDATION_BATCH, num_workers=data.workers)
