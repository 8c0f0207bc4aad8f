"""Rendering can be killed, taken up and extended; validation is never trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endo_depth_ros.geometry.camera import PINHOLE, STEREOGRAPHIC
from endo_depth_ros.synthetic.families import FAMILIES
from training import render
from training.dataset import TRAINING, VALIDATION
from training.render import (
    RenderingError,
    RenderingSettings,
    Task,
    plan,
    render_dataset,
    render_sequence_file,
    view_times,
)
from training.sequence_file import NO_PAIR, read_record, read_views

TINY = RenderingSettings(families="bladder", views=2, pairs=1, width=64, height=48)


def test_families_take_turns_and_validation_has_seeds_of_its_own() -> None:
    count = len(list(FAMILIES))
    tasks = list(plan(RenderingSettings(sequences=30, validation_sequences=count + 2), Path("data")))
    folders = {TRAINING: [t for t in tasks if TRAINING in t.path.parts], VALIDATION: tasks[: count + 2]}
    assert [task.family for task in folders[TRAINING][:count]] == list(FAMILIES)
    assert {task.family for task in folders[VALIDATION]} == set(FAMILIES)
    assert not {task.seed for task in folders[TRAINING]} & {task.seed for task in folders[VALIDATION]}
    assert len({task.path for task in tasks}) == count + 32


def test_a_rendered_sequence_has_single_views_and_pairs(tmp_path: Path) -> None:
    path = tmp_path / "s.sequence.zip"
    render_sequence_file(Task(path, "bladder", 5, TINY))
    record = read_record(path)
    assert (record.family, record.seed, record.width, record.height) == ("bladder", 5, 64, 48)
    pairs = [view for view in record.views if view.pair != NO_PAIR]
    assert len(pairs) == 2
    assert 0 < pairs[1].time_s - pairs[0].time_s < 0.11
    view = read_views(path, record, [0])[0]
    assert np.isfinite(view.log_depth).mean() > 0.5
    assert 1e-3 < float(np.exp(np.nanmedian(view.log_depth))) < 1.0
    assert view.radiance.max() > 0


@pytest.mark.parametrize("projection", ["stereographic", "pinhole"])
def test_a_rendering_has_the_projection_that_was_asked_for(tmp_path: Path, projection: str) -> None:
    path = tmp_path / "s.sequence.zip"
    wide = replace(TINY, projection=projection, hfov_min_deg=100.0, hfov_max_deg=100.0)
    render_sequence_file(Task(path, "bladder", 5, wide))
    record = read_record(path)
    focal = {"stereographic": 16 / np.tan(np.radians(25)), "pinhole": 32 / np.tan(np.radians(50))}[projection]
    assert record.projection == {"stereographic": STEREOGRAPHIC, "pinhole": PINHOLE}[projection]
    assert record.K[0] == pytest.approx(focal)


def test_times_are_spread_over_the_path() -> None:
    times = view_times(RenderingSettings(views=20, pairs=3), np.random.default_rng(0))
    starts = [group[0] for group in times]
    assert [len(group) for group in times].count(2) == 3
    assert starts == sorted(starts)
    assert starts[-1] - starts[0] > 50


def test_what_is_there_is_not_rendered_again_and_failures_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RenderingSettings(sequences=0, validation_sequences=2, views=2, pairs=0, width=64, height=48)
    there, missing = plan(settings, tmp_path)
    there.path.parent.mkdir(parents=True)
    there.path.write_bytes(b"kept")
    asked: list[Task] = []

    class Pool:
        """A pool in this process."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *_: object) -> None: ...

        def imap_unordered(self, _: object, tasks: list[Task]) -> list[str]:
            asked.extend(tasks)
            return ["failed"] * len(tasks)

    monkeypatch.setattr(render.multiprocessing, "get_context", lambda _: type("Context", (), {"Pool": Pool}))
    assert render_dataset(settings, tmp_path, workers=1, device="cpu") == 1
    assert asked == [missing]
    assert there.path.read_bytes() == b"kept"


def test_a_device_that_is_not_there_is_refused_before_anything_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render.torch.cuda, "is_available", lambda: False)
    with pytest.raises(RenderingError, match="no GPU for --device cuda"):
        render_dataset(TINY, tmp_path, workers=1, device="cuda")
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_is_rendered_on_the_device_that_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = []

    def draw(family: str, seed: int, device: str) -> None:
        named.append(device)
        raise RuntimeError("seen enough")

    monkeypatch.setattr(render, "draw_scene", draw)
    with pytest.raises(RuntimeError, match="seen enough"):
        render_sequence_file(Task(tmp_path / "s", "bladder", 5, TINY, "meta"))
    assert named == ["meta"]
