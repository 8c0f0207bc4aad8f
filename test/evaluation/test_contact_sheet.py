"""The contact sheet shows what is there and never hides what is not."""

from dataclasses import replace

import numpy as np
import pytest

from endo_depth_ros.evaluation.contact_sheet import TILE_WIDTH, ContactSheetError, DepthUnit, SheetRow, contact_sheet

TITLE, GAP, SIDE = 26, 4, 80


def row(label="a", depth=0.05, truth=None, sigma=None, size=(256, 320)):
    def flat(value):
        return None if value is None else np.full(size, value, np.float32)

    return SheetRow(label, np.full((*size, 3), 77, np.uint8), flat(depth), flat(truth), flat(sigma))


def tile(sheet, x):
    """The lower half of the first row's tile that starts at x, away from its label."""
    return sheet[TITLE + 130 : TITLE + 250, x + 5 : x + TILE_WIDTH - 5]


COLUMNS = (0, TILE_WIDTH + GAP, 2 * (TILE_WIDTH + GAP) + SIDE, 3 * (TILE_WIDTH + GAP) + SIDE)


def test_columns_follow_what_the_rows_have():
    widths = [contact_sheet([r]).shape[1] for r in (row(), row(truth=0.05), row(truth=0.05, sigma=0.01))]
    tiles = TILE_WIDTH + GAP
    assert widths == [2 * tiles + SIDE, 4 * tiles + 2 * SIDE, 5 * tiles + 3 * SIDE]


def test_each_frame_is_one_row():
    one, three = contact_sheet([row()]), contact_sheet([row(), row("b"), row("c")])
    assert three.shape[0] - one.shape[0] == 2 * (256 + GAP)


def test_the_colour_image_is_shown_as_it_is():
    assert (tile(contact_sheet([row()]), COLUMNS[0]) == 77).all()


def test_depth_and_truth_share_their_colours():
    sheet = contact_sheet([row(depth=0.05, truth=0.05), row("b", depth=0.02, truth=0.1)])
    assert np.array_equal(tile(sheet, COLUMNS[1]), tile(sheet, COLUMNS[2]))


def test_larger_errors_look_different():
    tiles = [tile(contact_sheet([row(depth=d, truth=0.05)]), COLUMNS[3])[0, 0] for d in (0.05, 0.055, 0.06)]
    assert tiles[0].sum() < tiles[1].sum() < tiles[2].sum()


@pytest.mark.parametrize("column", [1, 3])
def test_invalid_depth_is_hatched(column):
    broken = row(truth=0.05)
    depth = broken.depth.copy()
    depth[:, 160:] = np.nan
    sheet = contact_sheet([replace(broken, depth=depth)])
    right = tile(sheet, COLUMNS[column])[:, 165:]
    assert len(np.unique(right.reshape(-1, 3), axis=0)) == 2
    assert len(np.unique(tile(sheet, COLUMNS[column])[:, :150].reshape(-1, 3), axis=0)) == 1


def test_infinite_depth_has_no_error_to_show():
    sheet = contact_sheet([row(depth=np.inf, truth=0.05)])
    assert len(np.unique(tile(sheet, COLUMNS[3]).reshape(-1, 3), axis=0)) == 2


def test_frames_without_any_depth_make_a_sheet_too():
    assert contact_sheet([row(depth=np.nan)]).dtype == np.uint8


def test_the_unit_changes_the_labels_only():
    metres, relative = contact_sheet([row()]), contact_sheet([row()], DepthUnit("units", 1.0))
    assert np.array_equal(tile(metres, COLUMNS[1]), tile(relative, COLUMNS[1]))
    assert not np.array_equal(metres, relative)


def test_images_of_other_sizes_are_fitted_to_the_tile():
    sheet = contact_sheet([row(size=(128, 160)), row("b", size=(512, 640))])
    assert sheet.shape[0] == TITLE - GAP + GAP + 2 * (256 + GAP)


def test_maps_of_another_size_than_the_image_are_refused():
    with pytest.raises(ContactSheetError, match="frame 7: truth"):
        contact_sheet([replace(row("frame 7"), truth=np.ones((3, 3)))])


def test_an_empty_sheet_is_refused():
    with pytest.raises(ContactSheetError, match="no frame"):
        contact_sheet([])
