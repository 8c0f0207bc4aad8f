"""Which data set a path holds, and which of its sequences is meant."""

import miniature_datasets as trees
import pytest

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.datasets.catalog import DATASETS, choose_sequence, find_sequences, holds_dataset
from endo_depth_ros.datasets.split_file import read_split
from endo_depth_ros.datasets.truth_sequence import DatasetError
from endo_depth_ros.evaluation.protocol import BUILT_IN, load_protocol

TREES = {
    "scared": trees.scared,
    "hamlyn": trees.hamlyn,
    "servct": trees.servct,
    "endoslam": trees.endoslam_unity,
    "c3vd": trees.c3vd,
    "simcol3d": trees.simcol3d,
    "tum_rgbd": trees.tum_rgbd,
}


@pytest.mark.parametrize("name", TREES)
def test_the_layout_is_recognised_by_itself_and_by_name(tmp_path, name):
    TREES[name](tmp_path)
    assert {found.layout.name for found in find_sequences(tmp_path)} == {name}
    assert find_sequences(tmp_path) == find_sequences(tmp_path, name)
    assert holds_dataset(tmp_path)


@pytest.mark.parametrize("name", [name for name in BUILT_IN if load_protocol(name).dataset])
def test_every_protocol_names_a_data_set_that_can_be_read(name):
    assert load_protocol(name).dataset in DATASETS


def test_a_folder_of_images_is_no_data_set(tmp_path):
    trees.write_png(tmp_path / "a.png", trees.views()[0][2])
    assert not holds_dataset(tmp_path)
    with pytest.raises(DatasetError, match="give a folder of one of: scared, "):
        find_sequences(tmp_path)


def test_another_data_set_than_the_one_named_is_told(tmp_path):
    trees.hamlyn(tmp_path)
    with pytest.raises(DatasetError, match="holds no C3VD; it should have a folder with pose.txt"):
        find_sequences(tmp_path, "c3vd")
    with pytest.raises(DatasetError, match="no data set 'kitti'"):
        find_sequences(tmp_path, "kitti")
    with pytest.raises(SourceError, match="no such folder"):
        find_sequences(tmp_path / "none")


def test_sequences_come_in_natural_order_and_are_chosen_by_name(tmp_path):
    folder = trees.c3vd(tmp_path)
    for name in ("cecum_t10_a", "cecum_t2_a"):
        (tmp_path / name).symlink_to(folder)
    found = find_sequences(tmp_path)
    assert [one.name for one in found] == ["cecum_t1_a", "cecum_t2_a", "cecum_t10_a"]
    assert choose_sequence(found, "cecum_t2_a").name == "cecum_t2_a"
    assert choose_sequence(found[:1], "").name == "cecum_t1_a"
    with pytest.raises(DatasetError, match="there are 3 sequences; give --sequence as one of: cecum_t1_a, cecum_t2_a"):
        choose_sequence(found, "")
    with pytest.raises(DatasetError, match="no sequence 'cecum'"):
        choose_sequence(found, "cecum")


def test_a_broken_sequence_does_not_hide_the_others(tmp_path):
    folder = trees.c3vd(tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "pose.txt").write_text("x")
    (broken / "0000_color.png").symlink_to(folder / "0000_color.png")
    assert [one.name for one in find_sequences(tmp_path)] == ["broken", "cecum_t1_a"]


def test_split_files_count_from_one_and_rename_the_test_keyframes(tmp_path):
    path = tmp_path / "test_files.txt"
    path.write_text("dataset3/keyframe4 390 l\ndataset3/keyframe4 1 l\n\ndataset8/keyframe1 5 l")
    assert read_split(path) == {"dataset_3/keyframe_4": [389, 0], "dataset_8/keyframe_0": [4]}


@pytest.mark.parametrize("line", ["dataset3/keyframe4 390", "dataset3 390 l", "dataset3/keyframe4 0 l", "a/b 1 l"])
def test_a_broken_line_of_a_split_is_named(tmp_path, line):
    path = tmp_path / "test_files.txt"
    path.write_text(f"dataset3/keyframe4 390 l\n{line}\n")
    with pytest.raises(DatasetError, match="line 2 is not"):
        read_split(path)
