"""Renders training sequences into files: every sequence has its own seed, family and lens."""

from __future__ import annotations

import logging
import math
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from endo_depth_ros.geometry.camera import (
    STEREOGRAPHIC,
    Camera,
    pinhole_from_hfov,
    stereographic_from_hfov,
)
from endo_depth_ros.settings import SettingsError, setting
from endo_depth_ros.synthetic.camera_path import CameraPathSettings
from endo_depth_ros.synthetic.families import FAMILIES
from endo_depth_ros.synthetic.sequence import Take
from training.clips import film_clip
from training.dataset import TRAINING, VALIDATION
from training.scenes import SceneView, draw_scene, look_at
from training.sequence_file import NO_PAIR, SUFFIX, SequenceWriter

# Seeds from here on are never trained on.
VALIDATION_SEED = 1_000_000
# Of a camera path; after it the path goes back.
DURATION_S = CameraPathSettings.duration_s
MIN_SEEN = 0.5
MIN_MEDIAN_DEPTH_M = 0.002
MAX_INSTRUMENT = 0.35  # of the view
PROJECTIONS = (STEREOGRAPHIC, "pinhole")
# On the stereographic plane, in focal lengths: 88 degrees.
FARTHEST_CORNER = 2 * math.tan(math.radians(88) / 2)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RenderingSettings:
    """What is rendered, and how it is stored."""

    families: str = setting("", "families, parted by commas; empty for all")
    sequences: int = setting(1000, "training sequences; families take turns", minimum=0)
    validation_sequences: int = setting(20, "sequences kept for validation", minimum=0)
    first_seed: int = setting(0, "seed of the first training sequence", minimum=0, maximum=VALIDATION_SEED - 1)
    views: int = setting(20, "widely spaced views of a sequence", minimum=0, maximum=400)
    pairs: int = setting(3, "pairs of neighbouring video frames of a sequence", minimum=0, maximum=100)
    clips: int = setting(0, "short clips of video of a sequence", minimum=0, maximum=100)
    clip_frames: int = setting(8, "frames of a clip", minimum=2, maximum=1000)
    clip_motion: float = setting(
        0.15,
        "fastest motion from one frame of a clip to the next, median over the image, in widths",
        minimum=0.001,
        maximum=1.0,
    )
    projection: str = setting(
        STEREOGRAPHIC,
        "of the renderings: the depth network's, or 'pinhole' for the motion network",
        choices=PROJECTIONS,
    )
    width: int = setting(352, "width of a rendering", unit="px", minimum=32, maximum=2048)
    height: int = setting(288, "height of a rendering", unit="px", minimum=32, maximum=2048)
    hfov_min_deg: float = setting(50.0, "narrowest horizontal field of view", unit="deg", minimum=20, maximum=150)
    hfov_max_deg: float = setting(140.0, "widest horizontal field of view", unit="deg", minimum=20, maximum=150)
    jpeg_quality: int = setting(95, "quality of the stored light", minimum=50, maximum=100)

    def check(self) -> None:
        """Raises SettingsError for values that do not go together."""
        if self.hfov_min_deg > self.hfov_max_deg:
            raise SettingsError(f"hfov_min_deg is {self.hfov_min_deg} but hfov_max_deg only {self.hfov_max_deg}")
        unknown = [name for name in self.chosen_families() if name not in FAMILIES]
        if unknown:
            raise SettingsError(f"there is no family '{unknown[0]}'; known: {', '.join(FAMILIES)}")
        if self.projection == STEREOGRAPHIC:
            self._check_stereographic()
        if self.frames() == 0:
            raise SettingsError("views, pairs and clips are all 0, so there is nothing to render")

    def _check_stereographic(self) -> None:
        if self.clips:
            raise SettingsError("clips are measured in pinhole images; set projection to pinhole, or clips to 0")
        corner = 2 * math.tan(math.radians(self.hfov_max_deg) / 4) * math.hypot(1, self.height / self.width)
        if corner > FARTHEST_CORNER:
            raise SettingsError(
                f"at hfov_max_deg {self.hfov_max_deg:g} the corners of {self.width}x{self.height} pixels are "
                f"{2 * math.degrees(math.atan(corner / 2)):.0f} degrees from the axis, more than 88; lower it"
            )

    def frames(self) -> int:
        """Views of a sequence in all."""
        return self.views + 2 * self.pairs + self.clips * self.clip_frames

    def chosen_families(self) -> list[str]:
        """The families that take turns."""
        return [name.strip() for name in self.families.split(",") if name.strip()] or list(FAMILIES)


@dataclass(frozen=True)
class RenderingRecipe:
    """A recipe of `python -m training render`."""

    renderings: RenderingSettings = field(default_factory=RenderingSettings)


class RenderingError(RuntimeError):
    """Nothing can be rendered here; the text says why and what to do."""


@dataclass(frozen=True)
class Task:
    """One sequence to render. device: what computes it, as PyTorch names it."""

    path: Path
    family: str
    seed: int
    settings: RenderingSettings
    device: str = "cpu"


def render_dataset(settings: RenderingSettings, output: Path, workers: int, device: str = "cpu") -> int:
    """Render what is not there yet, validation first; returns the number of sequences that failed.

    A call with more sequences extends the data set; a call that was killed is taken up again. Raises RenderingError
    where the device is not to be had.
    """
    if device != "cpu" and not torch.cuda.is_available():
        raise RenderingError(f"PyTorch sees no GPU for --device {device}; check nvidia-smi, or leave --device out")
    tasks = [replace(task, device=device) for task in plan(settings, output) if not task.path.exists()]
    failed = 0
    context = multiprocessing.get_context("spawn")
    with context.Pool(max(1, workers), initializer=_prepare_worker) as pool:
        done = pool.imap_unordered(_render_or_explain, tasks)
        for complaint in tqdm(done, total=len(tasks), unit="sequence", desc="render", disable=None):
            if complaint:
                failed += 1
                log.warning(complaint)
    return failed


def plan(settings: RenderingSettings, output: Path) -> Iterator[Task]:
    """Every sequence that the settings ask for, in order of rendering."""
    families = settings.chosen_families()
    for index in range(settings.validation_sequences):
        yield _task(settings, output / VALIDATION, families[index % len(families)], VALIDATION_SEED + index)
    for index in range(settings.first_seed, settings.first_seed + settings.sequences):
        yield _task(settings, output / TRAINING, families[index % len(families)], index)


def render_sequence_file(task: Task) -> None:
    """Render one sequence and write its file. Raises RuntimeError when too few of its views show anything."""
    settings = task.settings
    rng = np.random.default_rng([task.seed, 101])
    take = draw_scene(task.family, task.seed, task.device)
    hfov_deg = float(rng.uniform(settings.hfov_min_deg, settings.hfov_max_deg))
    make_camera = stereographic_from_hfov if settings.projection == STEREOGRAPHIC else pinhole_from_hfov
    camera = make_camera(settings.width, settings.height, hfov_deg)
    writer = SequenceWriter(task.path, task.family, task.seed, camera, settings.jpeg_quality)
    for number, views in enumerate(_film(take, camera, settings, rng)):
        pair = number if len(views) > 1 else NO_PAIR
        for view in views:
            writer.add(view.radiance, view.depth, view.instrument, view.T_world_camera, view.time_s, pair)
    if len(writer) < settings.frames() / 2:
        raise RuntimeError(f"only {len(writer)} views show tissue")
    writer.finish()


def _film(
    take: Take, camera: Camera, settings: RenderingSettings, rng: np.random.Generator
) -> Iterator[list[SceneView]]:
    """Single views, pairs and clips that show tissue."""
    for times in view_times(settings, rng):
        views = [look_at(take, camera, time_s) for time_s in times]
        if all(_shows_tissue(view) for view in views):
            yield views
    for start_s in (
        (np.arange(settings.clips) + rng.uniform(0, 1, settings.clips)) * DURATION_S / max(1, settings.clips)
    ):
        clip = film_clip(take, camera, float(start_s), settings.clip_motion, rng)
        views = list(takewhile(_shows_tissue, islice(clip, settings.clip_frames)))
        if len(views) > 1:
            yield views


def view_times(settings: RenderingSettings, rng: np.random.Generator) -> list[list[float]]:
    """Times of single views and of video pairs, spread over the sequence."""
    slots = settings.views + settings.pairs
    if slots == 0:
        return []
    starts = (np.arange(slots) + rng.uniform(0, 1, slots)) * DURATION_S / slots
    paired = set(rng.choice(slots, settings.pairs, replace=False).tolist())
    gaps = rng.choice([1 / 30, 1 / 20, 1 / 10], slots)
    return [
        [float(start), float(start + gaps[slot])] if slot in paired else [float(start)]
        for slot, start in enumerate(starts)
    ]


def _shows_tissue(view: SceneView) -> bool:
    seen = view.depth[np.isfinite(view.depth)]
    if seen.size < MIN_SEEN * view.depth.size or view.instrument.mean() > MAX_INSTRUMENT:
        return False
    return float(np.median(seen)) >= MIN_MEDIAN_DEPTH_M


def _task(settings: RenderingSettings, folder: Path, family: str, seed: int) -> Task:
    return Task(folder / family / f"{seed:07d}{SUFFIX}", family, seed, settings)


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def _render_or_explain(task: Task) -> str:
    """Render; returns '' or why it failed. One scene that can't be rendered must not end a run of thousands."""
    try:
        render_sequence_file(task)
    except OSError:
        raise
    except Exception as error:
        return f"{task.family} {task.seed}: left out ({type(error).__name__}: {error})"
    return ""
