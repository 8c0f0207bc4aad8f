"""Numbered files are the same from a folder and from an archive in any order."""

import io
import tarfile

import pytest

from endo_depth_ros.datasets.archive import NumberedFiles
from endo_depth_ros.datasets.truth_sequence import DatasetError


def write_archive(path, numbers):
    with tarfile.open(path, "w:gz") as tar:
        for number in numbers:
            content = str(number).encode()
            info = tarfile.TarInfo(f"./points{number:06d}.txt")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("order", [(0, 1, 2, 5), (5, 1, 0, 2)])
def test_an_archive_gives_its_files_by_number(tmp_path, order):
    write_archive(tmp_path / "points.tar.gz", order)
    with NumberedFiles(tmp_path, "points", ".txt") as files:
        assert [files.read(number) for number in range(6)] == [b"0", b"1", b"2", None, None, b"5"]
        assert files.numbers == {0, 1, 2, 5}
        assert not files.extracted
        assert str(files.path(1)).endswith("points.tar.gz/points000001.txt")


def test_an_archive_in_order_is_searched_no_farther_than_needed(tmp_path):
    write_archive(tmp_path / "points.tar.gz", range(50))
    with NumberedFiles(tmp_path, "points", ".txt") as files:
        assert files.read(3) == b"3"
        assert len(files._members) == 4


def test_extracted_files_go_before_the_archive(tmp_path):
    write_archive(tmp_path / "points.tar.gz", range(3))
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "points000007.txt").write_bytes(b"seven")
    (tmp_path / "points" / "other.txt").touch()
    with NumberedFiles(tmp_path, "points", ".txt") as files:
        assert (files.numbers, files.extracted) == ({7}, True)
        assert (files.read(7), files.read(0)) == (b"seven", None)


def test_nothing_is_no_error(tmp_path):
    with NumberedFiles(tmp_path, "points", ".txt") as files:
        assert (files.numbers, files.read(0)) == (set(), None)


@pytest.mark.parametrize("length", [0, 5, 100])
def test_a_broken_archive_is_one_sentence(tmp_path, length):
    path = tmp_path / "points.tar.gz"
    write_archive(path, range(50))
    path.write_bytes(path.read_bytes()[:length])
    with (
        pytest.raises(DatasetError, match=r"points.tar.gz: the archive is corrupt"),
        NumberedFiles(tmp_path, "points", ".txt") as files,
    ):
        _ = files.numbers
