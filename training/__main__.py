"""`python -m training render|fit|export|evaluate|fit-pose|export-pose|evaluate-pose`."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
import warnings
from pathlib import Path

from endo_depth_ros.settings import SettingsError, changed
from training.recipe import RecipeError, load_recipe

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Errors that a user can cause are one sentence."""
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return chosen.run(chosen)
    except (RecipeError, SettingsError, RuntimeError, ValueError, OSError) as error:
        if not is_own(error):
            raise
        print(f"[{chosen.command}] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"[{chosen.command}] interrupted", file=sys.stderr)
        return INTERRUPTED


def is_own(error: BaseException) -> bool:
    """Whether the error's text is meant for users: a class of this project, or the operating system's."""
    return type(error).__module__.split(".")[0] in {"training", "endo_depth_ros"} or isinstance(error, OSError)


def make_parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    render = commands.add_parser("render", help="render sequences to train on")
    render.add_argument("--config", type=Path, required=True, help="recipe, e.g. training/recipes/renderings.yaml")
    render.add_argument("--output", type=Path, required=True, help="folder of the renderings; it may hold some already")
    render.add_argument("--workers", type=int, default=1, help="processes")
    render.add_argument("--sequences", type=int, help="training sequences in all, instead of the recipe's")
    render.add_argument("--families", help="families, parted by commas, instead of the recipe's")
    render.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="what computes the renderings")
    render.set_defaults(run=run_render)

    fit = commands.add_parser("fit", help="train the depth network")
    add_fit_options(fit, "training/recipes/synthetic.yaml")
    fit.add_argument("--start", type=Path, help="a weights file to begin from, instead of ImageNet's encoder")
    fit.set_defaults(run=run_fit)

    fit_pose = commands.add_parser("fit-pose", help="train the motion network")
    add_fit_options(fit_pose, "training/recipes/pose.yaml")
    fit_pose.add_argument("--video", type=Path, help="folder of videos without poses, instead of the recipe's")
    fit_pose.set_defaults(run=run_fit_pose)

    export = commands.add_parser("export", help="make a weights file of a checkpoint")
    export.add_argument("checkpoint", type=Path, help="a .ckpt of fit")
    export.add_argument("--data", type=Path, required=True, help="held-out renderings to calibrate sigma on")
    export.add_argument("--output", type=Path, required=True, help="file to write, .safetensors")
    export.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="(%(default)s)")
    export.add_argument(
        "--average-with", type=Path, nargs="+", default=(), metavar="FILE", help="weights files to take the mean with"
    )
    export.add_argument(
        "--relief-doubt",
        type=float,
        nargs=3,
        metavar=("ERROR", "NARROW_DEG", "WIDE_DEG"),
        help="standard deviation of log depth by which relief was wrong on real tissue beyond sigma, in views up to "
        "NARROW_DEG wide; none from WIDE_DEG on",
    )
    export.set_defaults(run=run_export)

    evaluate = commands.add_parser("evaluate", help="score a weights file on held-out renderings")
    evaluate.add_argument("weights", type=Path, help="a weights file, .safetensors")
    evaluate.add_argument("--data", type=Path, required=True, help="renderings to score on, e.g. DIR/validation")
    evaluate.add_argument("--views", type=int, default=20, help="at most so many views of each sequence")
    evaluate.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="(%(default)s)")
    evaluate.set_defaults(run=run_evaluate)
    export_pose = commands.add_parser("export-pose", help="make a weights file of a checkpoint of the motion network")
    export_pose.add_argument("checkpoint", type=Path, help="a .ckpt of fit-pose")
    export_pose.add_argument("--data", type=Path, required=True, help="held-out renderings to calibrate sigma on")
    export_pose.add_argument("--output", type=Path, required=True, help="file to write, .safetensors")
    export_pose.set_defaults(run=run_export_pose)

    evaluate_pose = commands.add_parser("evaluate-pose", help="score a motion network on held-out renderings")
    evaluate_pose.add_argument("weights", type=Path, help="a weights file, .safetensors")
    evaluate_pose.add_argument("--data", type=Path, required=True, help="renderings to score on, e.g. DIR/validation")
    evaluate_pose.set_defaults(run=run_evaluate_pose)
    for command in (export_pose, evaluate_pose):
        command.add_argument("--pairs", type=int, default=400, help="pairs of frames to score")
        command.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="(%(default)s)")
    return parser


def add_fit_options(parser: argparse.ArgumentParser, recipe: str) -> None:
    """What trainings have in common."""
    parser.add_argument("--config", type=Path, required=True, help=f"recipe, e.g. {recipe}")
    parser.add_argument("--data", type=Path, help="folder of the renderings, instead of the recipe's")
    parser.add_argument("--output", type=Path, required=True, help="folder of the training: checkpoints and curves")
    parser.add_argument("--steps", type=int, help="optimiser steps in all, instead of the recipe's")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --output")


def run_render(chosen: argparse.Namespace) -> int:
    """`python -m training render`."""
    from training.render import RenderingRecipe, render_dataset

    settings = load_recipe(chosen.config, RenderingRecipe).renderings
    asked = {"sequences": chosen.sequences, "families": chosen.families}
    settings = changed(settings, {name: value for name, value in asked.items() if value is not None})
    failed = render_dataset(settings, chosen.output, chosen.workers, chosen.device)
    if failed:
        print(f"[render] {failed} sequences could not be rendered and were left out", file=sys.stderr)
    return 0


def run_fit(chosen: argparse.Namespace) -> int:
    """`python -m training fit`."""
    from training.fit import fit
    from training.fit_recipe import FitRecipe

    silence_lightning()
    recipe = load_recipe(chosen.config, FitRecipe)
    if chosen.data is not None:
        recipe = dataclasses.replace(recipe, data=changed(recipe.data, {"folder": str(chosen.data)}))
    if chosen.steps is not None:
        recipe = dataclasses.replace(recipe, optimiser=changed(recipe.optimiser, {"steps": chosen.steps}))
    fit(recipe, chosen.output, chosen.resume, chosen.start)
    return 0


def run_fit_pose(chosen: argparse.Namespace) -> int:
    """`python -m training fit-pose`."""
    from training.motion.fit import fit_motion_network
    from training.motion.recipe import MotionRecipe

    silence_lightning()
    recipe = load_recipe(chosen.config, MotionRecipe)
    asked = {"folder": chosen.data, "video": chosen.video}
    given = {name: str(path) for name, path in asked.items() if path is not None}
    recipe = dataclasses.replace(recipe, data=changed(recipe.data, given))
    if chosen.steps is not None:
        recipe = dataclasses.replace(recipe, optimiser=changed(recipe.optimiser, {"steps": chosen.steps}))
    fit_motion_network(recipe, chosen.output, chosen.resume)
    return 0


def silence_lightning() -> None:
    """It advises on workers, loggers and products; what it advises against here is meant."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")


def run_export(chosen: argparse.Namespace) -> int:
    """`python -m training export`."""
    from endo_depth_ros.depth.relief import NO_DOUBT, ReliefDoubt
    from training.export import export

    doubt = ReliefDoubt(*chosen.relief_doubt) if chosen.relief_doubt else NO_DOUBT
    print(export(chosen.checkpoint, chosen.data, chosen.output, chosen.device, chosen.average_with, doubt))
    return 0


def run_evaluate(chosen: argparse.Namespace) -> int:
    """`python -m training evaluate`."""
    from training.evaluate import evaluate

    print(evaluate(chosen.weights, chosen.data, chosen.views, chosen.device))
    return 0


def run_export_pose(chosen: argparse.Namespace) -> int:
    """`python -m training export-pose`."""
    from training.motion.export import export_motion_network

    print(export_motion_network(chosen.checkpoint, chosen.data, chosen.output, chosen.pairs, chosen.device))
    return 0


def run_evaluate_pose(chosen: argparse.Namespace) -> int:
    """`python -m training evaluate-pose`."""
    from training.motion.export import evaluate_motion_network

    print(evaluate_motion_network(chosen.weights, chosen.data, chosen.pairs, chosen.device))
    return 0


if __name__ == "__main__":
    sys.exit(main())
