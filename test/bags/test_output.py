"""Output that is there only when complete."""

from pathlib import Path

import pytest

from endo_depth_ros.bags.output import OutputError, Replaceable, complete_output


def test_the_final_name_appears_on_success(tmp_path):
    path = tmp_path / "a.mcap"
    with complete_output(path) as partial:
        partial.write_text("done")
        assert not path.exists()
        assert partial.suffix == ".mcap"
    assert path.read_text() == "done"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_after_an_error(tmp_path):
    def write_half(path):
        with complete_output(path) as partial:
            partial.mkdir()
            (partial / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_stays_unless_it_may_be_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OutputError, match="--force"), complete_output(path):
        pass
    assert path.read_text() == "old"
    with complete_output(path, Replaceable.FILE) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="does not exist"), complete_output(tmp_path / "no" / "a.txt"):
        pass


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    precious = tmp_path / "data" / "patient_case.txt"
    precious.parent.mkdir()
    precious.touch()
    for path in (precious.parent, tmp_path / "data" / "..", Path("/dev/null")):
        with pytest.raises(OutputError, match="no file, so it isn't replaced"), complete_output(path, Replaceable.FILE):
            pass
    assert precious.exists()


def test_a_device_is_never_replaced():
    with (
        pytest.raises(OutputError, match="no file or folder, so it isn't replaced"),
        complete_output(Path("/dev/null"), Replaceable.FILE_OR_FOLDER),
    ):
        pass


def test_a_folder_is_replaced_where_that_is_wanted(tmp_path):
    path = tmp_path / "bag"
    (path / "old").mkdir(parents=True)
    with complete_output(path, Replaceable.FILE_OR_FOLDER) as partial:
        partial.mkdir()
    assert list(path.iterdir()) == []


def test_the_root_is_no_name_of_a_file():
    with pytest.raises(OutputError, match="no name of a file"), complete_output(Path("/"), Replaceable.FILE):
        pass
