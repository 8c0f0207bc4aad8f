"""Trains the motion network."""

from __future__ import annotations

from pathlib import Path

import torch

from training.fit import run
from training.motion.data_module import PairsOfFrames
from training.motion.module import MotionTraining
from training.motion.recipe import MotionRecipe
from training.recipe import recipe_document

VIDEOS = "videos"
MONITORED = "validation/mean_pixel_error"


def fit_motion_network(recipe: MotionRecipe, output: Path, resume: bool) -> None:
    """Train into a folder, as training.fit.fit does.

    Raises DataError, CheckpointError, TrainingDivergedError, each with a sentence.
    """
    data = PairsOfFrames(recipe, output / VIDEOS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.data.seed)
        training = MotionTraining(recipe_document(recipe))
    run(training, data, recipe, output, resume, MONITORED)
