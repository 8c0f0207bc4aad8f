"""The motion network in training: loss, optimiser, validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from endo_depth_ros.pose.motion_network import MotionAnswer, MotionNetwork, MotionNetworkConfig
from training.module import make_optimiser, stop_if_diverged
from training.motion.losses import as_values, motion_loss
from training.motion.recipe import MotionRecipe
from training.motion.samples import MotionSample, both_ways
from training.motion.scores import MotionScore, score_motions
from training.recipe import make_recipe

# Trainings are short: the mean over so few images must follow soon. (The depth network's encoder comes trained.)
NORM_MOMENTUM = 0.05


class MotionTraining(pl.LightningModule):
    """Trains a MotionNetwork as a recipe says; `recipe` is its document (recipe.recipe_document)."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters({"recipe": recipe})
        self.recipe = make_recipe(recipe, MotionRecipe)
        self.network = MotionNetwork(MotionNetworkConfig())
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch annotates no such keyword
        for norm in self.network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = NORM_MOMENTUM
        self._scores: list[MotionScore] = []

    def forward(self, batch: MotionSample) -> MotionAnswer:
        """The motions of a batch."""
        images = batch.images.float().div(255)
        answer: MotionAnswer = self.network(images, batch.inside, batch.given_log_depth[:, 0], batch.K)
        return answer

    def training_step(self, batch: MotionSample, batch_index: int) -> Tensor:
        """The loss of a batch. Raises TrainingDivergedError when it is not finite."""
        batch = both_ways(batch)
        terms = motion_loss(self(batch), batch, self.recipe.loss)
        stop_if_diverged(self, terms.total)
        values = {f"train/{name}": value for name, value in as_values(terms).items()}
        self.log_dict({**values, "data/damaged": batch.damaged.float().sum()}, batch_size=len(batch.images))
        self.log("loss", terms.total.detach(), prog_bar=True, logger=False, batch_size=len(batch.images))
        return terms.total

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._scores = []

    def validation_step(self, batch: MotionSample, batch_index: int) -> None:
        """Score the pairs of a batch."""
        self._scores += score_motions(batch, self(batch))

    def on_validation_epoch_end(self) -> None:
        """Log medians and means over all pairs."""
        if self.trainer.sanity_checking or not self._scores:
            return
        errors = np.array([[s.pixel_error, s.turn_error_deg, s.shift_error, s.motion] for s in self._scores])
        median = np.median(errors, axis=0)
        values = {
            "pixel_error": median[0],
            "turn_error_deg": median[1],
            "shift_error": median[2],
            "motion": median[3],
            "mean_pixel_error": errors[:, 0].mean(),
            "lost": float(np.mean(errors[:, 0] > 0.03)),
        }
        self.log_dict({f"validation/{name}": float(value) for name, value in values.items()}, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW with the learning rate that `rate_share` gives each step."""
        return make_optimiser(self.network, self.recipe.optimiser)
