"""Feeds the trainer: a new look into the growing data set at every epoch, samples by their keys."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from endo_depth_ros.geometry.camera import STEREOGRAPHIC
from training.dataset import (
    TRAINING,
    VALIDATION,
    BatchKeys,
    Sample,
    TrainingSamples,
    ValidationSamples,
    find_sequences,
)
from training.fit_recipe import FitRecipe

VALIDATION_BATCH = 8
PREFETCHED_BATCHES = 4


class Renderings(pl.LightningDataModule):
    """The renderings under the recipe's data folder."""

    def __init__(self, recipe: FitRecipe) -> None:
        """Raises DataError when training or validation sequences are missing."""
        super().__init__()
        # Before any worker is forked: a copy of OpenCV's pool of threads would wait for threads that it does not have.
        cv2.setNumThreads(1)
        self._recipe, self._folder = recipe, Path(recipe.data.folder)
        self._held_out = find_sequences(self._folder / VALIDATION, STEREOGRAPHIC)
        find_sequences(self._folder / TRAINING, STEREOGRAPHIC, recipe.data.left_out())

    @property
    def validation_families(self) -> tuple[str, ...]:
        """Names that the family index of a validation sample stands for."""
        return self._held_out.families

    def train_dataloader(self) -> DataLoader[Sample]:
        """Batches from the trainer's present step to the end of its epoch, from all sequences there are now."""
        assert self.trainer is not None
        recipe, schedule = self._recipe, self._recipe.schedule()
        sequences = find_sequences(self._folder / TRAINING, STEREOGRAPHIC, recipe.data.left_out())
        samples = TrainingSamples(
            sequences, recipe.augmentation, schedule, recipe.data.seed, rank=self.trainer.global_rank
        )
        keys = BatchKeys(schedule, self.trainer.global_step, recipe.trainer.epoch_steps)
        workers = recipe.data.workers
        return DataLoader(
            samples,
            batch_sampler=keys,
            num_workers=workers,
            prefetch_factor=PREFETCHED_BATCHES if workers else None,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> DataLoader[Sample]:
        """Every validation view, the same at each call."""
        data = self._recipe.data
        samples = ValidationSamples(self._held_out, data.width, data.height, self._recipe.trainer.validation_views)
        return DataLoader(samples, batch_size=VALIDATION_BATCH, num_workers=data.workers)
