"""Sequence files are whole or not there, and say what is wrong with them."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from planes import CAMERA, HEIGHT, WIDTH, K, write_planes
from scipy.spatial.transform import Rotation

from training.sequence_file import NO_PAIR, TOO_STEEP, SequenceFileError, SequenceWriter, read_record, read_views


def test_a_sequence_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "a.sequence.zip"
    write_planes(path, "wall", 7, views=2, pairs=1)
    record = read_record(path)
    assert (record.family, record.seed, record.width, record.height) == ("wall", 7, WIDTH, HEIGHT)
    assert [view.pair for view in record.views] == [NO_PAIR, NO_PAIR, 0, 0]
    first, last = read_views(path, record, [0, 3])
    np.testing.assert_array_equal(first.K, K)
    assert first.radiance.shape == (HEIGHT, WIDTH, 3)
    assert last.log_depth.shape == (HEIGHT, WIDTH)
    assert not last.instrument.any()


@pytest.mark.parametrize(
    ("family", "rotvec", "down"),
    [
        ("abdomen", [0, 0, 0], [0, 1]),
        ("abdomen", [0, 0, math.pi / 2], [1, 0]),
        ("surgical_field", [0.5, 0, 0], [0, 1]),
        ("surgical_field", [math.pi / 2, 0, 0], None),
        ("surgical_field", [-math.pi / 2, 0, 0], None),
        ("surgical_field", [math.acos(1.1 * TOO_STEEP), 0, 0], [0, 1]),
        ("surgical_field", [math.acos(0.9 * TOO_STEEP), 0, 0], None),
        ("colon", [0, 0, 0], None),
    ],
)
def test_down_is_known_in_pictures_of_laparoscopes_but_for_steep_views(
    tmp_path: Path, family: str, rotvec: list[float], down: list[float] | None
) -> None:
    path, T = tmp_path / "a.sequence.zip", np.eye(4)
    T[:3, :3] = Rotation.from_rotvec(rotvec).as_matrix()
    writer = SequenceWriter(path, family, 7, CAMERA, 95)
    flat = np.full((HEIGHT, WIDTH), 0.05, np.float32)
    writer.add(np.ones((HEIGHT, WIDTH, 3), np.float32), flat, np.zeros(flat.shape, bool), T, 0.0)
    writer.finish()
    view = read_views(path, read_record(path), [0])[0]
    assert view.laparoscopic == (family != "colon")
    found = view.down
    if down is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, down, atol=1e-12)


def test_both_frames_of_a_pair_have_one_down(tmp_path: Path) -> None:
    path, flat = tmp_path / "a.sequence.zip", np.full((HEIGHT, WIDTH), 0.05, np.float32)
    writer = SequenceWriter(path, "abdomen", 7, CAMERA, 95)
    for pair, roll in ((NO_PAIR, 1.0), (3, 0.2), (3, 0.3), (NO_PAIR, 0.4)):
        T = np.eye(4)
        T[:3, :3] = Rotation.from_rotvec([0, 0, roll]).as_matrix()
        writer.add(np.ones((HEIGHT, WIDTH, 3), np.float32), flat, np.zeros(flat.shape, bool), T, 0.0, pair)
    writer.finish()
    downs = [view.down for view in read_views(path, read_record(path), [0, 1, 2, 3])]
    angles = [math.atan2(down[0], down[1]) for down in downs if down is not None]
    np.testing.assert_allclose(angles, [1.0, 0.2, 0.2, 0.4], atol=1e-12)


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_planes(tmp_path / "a.sequence.zip", "wall", 7)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_other_files_are_refused_with_their_name(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "a.sequence.zip"
    path.write_bytes(damage)
    with pytest.raises(SequenceFileError, match=r"a\.sequence\.zip: not a rendered sequence"):
        read_record(path)


def test_a_damaged_view_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.sequence.zip"
    write_planes(path, "wall", 7)
    record, content = read_record(path), bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("000_light.jpg").header_offset + 200
    content[start : start + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(SequenceFileError, match="a view is damaged"):
        read_views(path, record, [0])


def test_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sequence.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sequence.json", json.dumps({"schema_version": 99}))
    with pytest.raises(SequenceFileError, match="schema version 99"):
        read_record(path)


def test_a_writer_counts_its_views(tmp_path: Path) -> None:
    writer = SequenceWriter(tmp_path / "a.sequence.zip", "wall", 0, CAMERA, quality=95)
    assert len(writer) == 0
    writer.add(np.ones((8, 8, 3), np.float32), np.ones((8, 8), np.float32), np.zeros((8, 8), bool), np.eye(4), 0.0)
    assert len(writer) == 1
