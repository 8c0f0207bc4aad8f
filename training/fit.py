"""Trains the network: trainer, checkpoints, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
import yaml
from pytorch_lightning.callbacks import Callback, EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger

from training.checkpoints import CheckpointError, newest_checkpoint
from training.data_module import Renderings
from training.fit_recipe import FitRecipe
from training.module import untrained
from training.motion.recipe import MotionRecipe
from training.progress import StepProgress
from training.recipe import recipe_document

CHECKPOINTS = "checkpoints"
MONITORED = "validation/abs_rel"
# The average follows the weights at once until it has something to average.
AVERAGE_FROM_STEP = 100


def fit(recipe: FitRecipe, output: Path, resume: bool, start: Path | None = None) -> None:
    """Train into a folder: checkpoints/, TensorBoard events, recipe.yaml.

    start: a weights file to begin from, instead of ImageNet's encoder. Raises DataError, EncoderWeightsError,
    WeightsError, CheckpointError, TrainingDivergedError, each with a sentence.
    """
    data = Renderings(recipe)
    training = untrained(recipe, start)
    training.validation_families = data.validation_families
    run(training, data, recipe, output, resume, MONITORED)


def run(
    training: pl.LightningModule,
    data: pl.LightningDataModule,
    recipe: FitRecipe | MotionRecipe,
    output: Path,
    resume: bool,
    monitored: str,
) -> None:
    """Train into a folder. monitored: the validation's figure that is smallest in the best checkpoint.

    Raises CheckpointError, and what the training raises.
    """
    if not resume and any((output / CHECKPOINTS).glob("*.ckpt")):
        raise CheckpointError(f"{output} holds a training already; give --resume to go on, or another --output")
    checkpoint = newest_checkpoint(output / CHECKPOINTS) if resume else None
    output.mkdir(parents=True, exist_ok=True)
    (output / "recipe.yaml").write_text(yaml.safe_dump(recipe_document(recipe), sort_keys=False))
    make_trainer(recipe, output, monitored).fit(
        training, data, ckpt_path=None if checkpoint is None else str(checkpoint)
    )


def make_trainer(recipe: FitRecipe | MotionRecipe, output: Path, monitored: str) -> pl.Trainer:
    """Lightning's trainer as the recipe says."""
    settings, steps = recipe.trainer, recipe.optimiser.steps
    torch.set_num_threads(settings.cpu_threads)
    many = settings.devices * settings.num_nodes > 1
    return pl.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        num_nodes=settings.num_nodes,
        strategy="ddp" if many else "auto",
        sync_batchnorm=many and settings.accelerator == "gpu",
        precision=settings.precision,  # type: ignore[arg-type]  # the recipe lists the names that Lightning knows
        max_steps=steps,
        max_epochs=-1,
        limit_train_batches=settings.epoch_steps,
        reload_dataloaders_every_n_epochs=1,
        check_val_every_n_epoch=None,
        val_check_interval=settings.validation_steps,
        num_sanity_val_steps=1,
        gradient_clip_val=recipe.optimiser.clip_norm,
        log_every_n_steps=settings.log_steps,
        logger=TensorBoardLogger(output, name="", version="curves"),
        callbacks=make_callbacks(recipe, output, monitored),
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def make_callbacks(recipe: FitRecipe | MotionRecipe, output: Path, monitored: str) -> list[Callback]:
    """Moving average, the newest checkpoint, the best one, the last one, curves of the learning rate, progress.

    The newest monitors nothing: one that does is not written at an epoch's end but waits for the next validation.
    """
    settings = recipe.trainer
    images = recipe.data.batch * settings.devices * settings.num_nodes
    folder = output / CHECKPOINTS
    return [
        EMAWeightAveraging(decay=recipe.optimiser.average_decay, update_starting_at_step=AVERAGE_FROM_STEP),
        ModelCheckpoint(
            folder,
            "{step:07d}",
            every_n_train_steps=settings.checkpoint_steps,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        ),
        ModelCheckpoint(
            folder,
            "best",
            monitor=monitored,
            mode="min",
            enable_version_counter=False,
            save_on_train_epoch_end=False,
        ),
        LastCheckpoint(folder, settings.checkpoint_steps),
        LearningRateMonitor("step"),
        StepProgress(recipe.optimiser.steps, images),
    ]


class LastCheckpoint(Callback):
    """The checkpoint of the last step, where none is due at it: else the steps since the newest would be lost."""

    def __init__(self, folder: Path, checkpoint_steps: int) -> None:
        self._folder, self._checkpoint_steps = folder, checkpoint_steps

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write it, with what a resumed training needs, as the others."""
        if trainer.global_step == trainer.max_steps and trainer.global_step % self._checkpoint_steps:
            trainer.save_checkpoint(self._folder / f"{trainer.global_step:07d}.ckpt")
