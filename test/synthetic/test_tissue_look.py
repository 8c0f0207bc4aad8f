"""What is drawn for tissue stays plausible."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.palettes import PALETTES
from endo_depth_ros.synthetic.tissue_look import draw_part_looks, draw_texture


@pytest.mark.parametrize("seed", range(30))
def test_drawn_looks_are_shares_and_reflectances(seed):
    rng = np.random.default_rng(seed)
    names = tuple(PALETTES)
    texture = draw_texture(rng, names)
    looks = draw_part_looks(rng, names, texture, "cpu")
    for colours in (looks.rgb, looks.patch_rgb, looks.vessel_rgb):
        assert 0 < colours.min() <= colours.max() < 1
    for shares in (looks.vessels, looks.capillaries, looks.gloss, looks.mucus, looks.lobules):
        assert 0 <= shares.min() <= shares.max() <= 1
    assert texture.capillary_width < texture.vessel_width


def test_painted_vessels_have_hard_edges():
    edges = [draw_texture(np.random.default_rng(s), ("phantom_beige",)).edge for s in range(20)]
    soft = [draw_texture(np.random.default_rng(s), ("airway",)).edge for s in range(20)]
    assert max(edges) < min(soft)


def test_large_organs_have_larger_texture():
    def mean_mesh(palette):
        return np.mean([np.log(draw_texture(np.random.default_rng(s), (palette,)).vessel) for s in range(40)])

    assert mean_mesh("liver") > mean_mesh("sinus") + 0.5
