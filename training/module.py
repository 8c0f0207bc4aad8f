"""The network in training: loss, optimiser, learning rate, validation."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from endo_depth_ros.depth.network import DepthNetwork, NetworkConfig
from endo_depth_ros.depth.weights import load_weights
from endo_depth_ros.pose.motion_network import MotionNetwork
from training.dataset import Sample
from training.depthwise import speed_up_depthwise
from training.fit_recipe import FitRecipe, OptimiserSettings
from training.imagenet import load_imagenet_encoder
from training.losses import LossTerms, total_loss
from training.pictures import validation_grid
from training.recipe import make_recipe, recipe_document
from training.scores import ImageScore, average, by_family, score_batch

PAIR_BITS = 16  # pairs are counted within each sequence


class TrainingDivergedError(RuntimeError):
    """The loss is no number any more; the text says when, and what to do."""


class DepthTraining(pl.LightningModule):
    """Trains a DepthNetwork as a recipe says; `recipe` is its document (recipe.recipe_document)."""

    def __init__(self, recipe: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters({"recipe": recipe})
        self.recipe = make_recipe(recipe, FitRecipe)
        self.network = DepthNetwork(NetworkConfig())
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch annotates no such keyword
        speed_up_depthwise(self.network)
        self.validation_families: tuple[str, ...] = ()
        self._scores: list[ImageScore] = []

    def forward(self, batch: Sample) -> tuple[Tensor, Tensor]:
        """Log depth and log b, float32 [B, H, W]."""
        images = batch.image.float().div_(255).contiguous(memory_format=torch.channels_last)
        log_depth, log_b = self.network(images, batch.inside, batch.K)
        return log_depth.float(), log_b.float()

    def training_step(self, batch: Sample, batch_index: int) -> Tensor:
        """The loss of a batch. Raises TrainingDivergedError when it is not finite."""
        log_depth, log_b = self(batch)
        video_pair = torch.where(batch.pair >= 0, (batch.sequence << PAIR_BITS) + batch.pair, batch.pair)
        terms = total_loss(log_depth, log_b, batch.log_depth, batch.valid, video_pair, self.recipe.loss)
        stop_if_diverged(self, terms.total)
        self._log_terms(terms, batch)
        return terms.total

    def _log_terms(self, terms: LossTerms, batch: Sample) -> None:
        values = {f"train/{f.name}": getattr(terms, f.name).detach() for f in dataclasses.fields(terms)}
        self.log_dict({**values, "data/damaged": batch.damaged.float().sum()}, batch_size=len(batch.image))
        self.log("loss", terms.total.detach(), prog_bar=True, logger=False, batch_size=len(batch.image))

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._scores = []

    def validation_step(self, batch: Sample, batch_index: int) -> None:
        """Score the images of a batch; the first batch is shown as well."""
        log_depth, log_b = self(batch)
        if batch_index == 0 and self.trainer.is_global_zero and isinstance(self.logger, pl.loggers.TensorBoardLogger):
            grid = validation_grid(batch, log_depth, log_b)
            self.logger.experiment.add_image("validation", grid, self.global_step, dataformats="HWC")
        self._scores += score_batch(batch, log_depth, log_b, self.validation_families)

    def on_validation_epoch_end(self) -> None:
        """Log the mean scores, of all families and of each."""
        if self.trainer.sanity_checking or not self._scores:
            return
        whole = average(self._scores)
        values = {f"validation/{name}": value for name, value in dataclasses.asdict(whole).items() if name != "images"}
        for family, score in by_family(self._scores).items():
            values[f"family_abs_rel/{family}"] = score.abs_rel
            values[f"family_metric_abs_rel/{family}"] = score.metric_abs_rel
        self.log_dict({name: value for name, value in values.items() if math.isfinite(value)}, sync_dist=True)

    def configure_optimizers(self) -> Any:
        """AdamW with the learning rate that `rate_share` gives each step."""
        return make_optimiser(self.network, self.recipe.optimiser)


def stop_if_diverged(training: pl.LightningModule, loss: Tensor) -> None:
    """Raise TrainingDivergedError when the loss is no number on any device."""
    # On several devices all stop together; one alone would leave the others waiting for its gradients.
    if not training.trainer.strategy.reduce_boolean_decision(bool(torch.isfinite(loss)), all=True):
        raise TrainingDivergedError(
            f"the loss is {float(loss.detach())} at step {training.global_step}; the last checkpoint is good: "
            "resume it with a lower learning_rate or precision 32-true"
        )


def make_optimiser(network: DepthNetwork | MotionNetwork, settings: OptimiserSettings) -> dict[str, Any]:
    """AdamW with the learning rate that `rate_share` gives each step, as Lightning takes it."""
    optimiser = torch.optim.AdamW(parameter_groups(network, settings))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_share(step, settings))
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def parameter_groups(network: DepthNetwork | MotionNetwork, settings: OptimiserSettings) -> list[dict[str, Any]]:
    """Encoder and decoder at their learning rates, weight decay on kernels only."""
    encoder = {id(parameter) for parameter in network.encoder.parameters()}
    groups = []
    for in_encoder in (True, False):
        for is_kernel in (True, False):
            chosen = [p for p in network.parameters() if (id(p) in encoder) is in_encoder and (p.ndim > 1) is is_kernel]
            rate = settings.learning_rate * (settings.encoder_share if in_encoder else 1.0)
            groups.append({"params": chosen, "lr": rate, "weight_decay": settings.weight_decay if is_kernel else 0.0})
    return groups


def rate_share(step: int, settings: OptimiserSettings) -> float:
    """Learning rate as a share of the full one: linear warm-up, constant, then a cosine to final_share."""
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    start = max(settings.warm_up_steps, settings.constant_share * settings.steps)
    progress = min(1.0, max(0.0, (step - start) / max(1.0, settings.steps - start)))
    return settings.final_share + (1 - settings.final_share) * 0.5 * (1 + math.cos(math.pi * progress))


def untrained(recipe: FitRecipe, start: Path | None = None) -> DepthTraining:
    """A training at its beginning: ImageNet weights in the encoder, or all weights of a file.

    Raises EncoderWeightsError, WeightsError.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.data.seed)
        training = DepthTraining(recipe_document(recipe))
    if start is None:
        load_imagenet_encoder(training.network.encoder)
    else:
        training.network.load_state_dict(load_weights(start).network.state_dict())
    return training
