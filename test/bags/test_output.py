"""Output that is there only when complete."""

import pytest

from endo_depth_ros.bags.output import OutputError, complete_output


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
    with complete_output(path, overwrite=True) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="does not exist"), complete_output(tmp_path / "no" / "a.txt"):
        pass
