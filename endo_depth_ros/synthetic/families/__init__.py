"""Families of bodies to draw: every one maps a random generator to an Anatomy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from endo_depth_ros.registry import Registry
from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.abdomen import draw_abdomen
from endo_depth_ros.synthetic.families.airway import draw_airway
from endo_depth_ros.synthetic.families.bags import draw_bladder, draw_stomach
from endo_depth_ros.synthetic.families.clutter import draw_clutter
from endo_depth_ros.synthetic.families.colon import draw_caecum, draw_colon, draw_colon_polyps
from endo_depth_ros.synthetic.families.larynx import draw_larynx
from endo_depth_ros.synthetic.families.sinus import draw_sinus
from endo_depth_ros.synthetic.families.smooth_tubes import draw_blind_tube, draw_oesophagus
from endo_depth_ros.synthetic.families.surgical_field import draw_surgical_field

FAMILIES: Registry[Callable[[np.random.Generator], Anatomy]] = Registry("family")
FAMILIES.register("colon")(draw_colon)
FAMILIES.register("colon_polyps")(draw_colon_polyps)
FAMILIES.register("caecum")(draw_caecum)
FAMILIES.register("blind_tube")(draw_blind_tube)
FAMILIES.register("oesophagus")(draw_oesophagus)
FAMILIES.register("airway")(draw_airway)
FAMILIES.register("sinus")(draw_sinus)
FAMILIES.register("abdomen")(draw_abdomen)
FAMILIES.register("stomach")(draw_stomach)
FAMILIES.register("bladder")(draw_bladder)
FAMILIES.register("larynx")(draw_larynx)
FAMILIES.register("clutter")(draw_clutter)
FAMILIES.register("surgical_field")(draw_surgical_field)

# Those with a trocar: a rigid scope looks at them, held upright.
LAPAROSCOPIC = ("abdomen", "surgical_field")
