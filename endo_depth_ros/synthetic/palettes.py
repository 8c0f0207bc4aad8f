"""What kinds of tissue look like: distributions of colour, vessels, texture and wetness."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[float, float, float]
_BLOOD: Rgb = (0.42, 0.07, 0.07)


@dataclass(frozen=True)
class Palette:
    """Middle of what is drawn for one kind of tissue.

    rgb: diffuse reflectance, linear. spread: of log reflectance between scenes. patch_rgb: what blotches tend to.
    vessel_rgb, vessels, capillaries: colour of vessels and their opacity in 0-1, large and fine ones.
    grain: rms of log reflectance from cell to cell. gloss: wetness in 0-1. feature: size of its texture against
    mucosa's. lobules, pits, mucus: strength in 0-1 of a fatty lobed pattern, of follicles and pits, share under mucus.
    painted: vessels with hard edges, as on a phantom.
    """

    rgb: Rgb
    patch_rgb: Rgb
    spread: float = 0.14
    vessel_rgb: Rgb = _BLOOD
    vessels: float = 0.5
    capillaries: float = 0.35
    grain: float = 0.06
    gloss: float = 0.6
    feature: float = 1.0
    lobules: float = 0.0
    pits: float = 0.15
    mucus: float = 0.08
    painted: bool = False


_SILICONE_VESSEL: Rgb = (0.62, 0.05, 0.05)

PALETTES: dict[str, Palette] = {
    "mucosa_pink": Palette((0.72, 0.33, 0.25), (0.66, 0.20, 0.15)),
    "mucosa_pale": Palette((0.82, 0.54, 0.43), (0.74, 0.36, 0.28), vessels=0.65, capillaries=0.5),
    "mucosa_red": Palette((0.62, 0.18, 0.13), (0.72, 0.33, 0.24), vessels=0.3, capillaries=0.25, pits=0.25),
    "airway": Palette((0.76, 0.47, 0.36), (0.70, 0.28, 0.22), vessels=0.35, feature=0.7, mucus=0.15),
    "sinus": Palette((0.76, 0.40, 0.33), (0.70, 0.24, 0.19), vessels=0.45, feature=0.6, pits=0.1, gloss=0.7),
    "fat": Palette((0.86, 0.60, 0.22), (0.84, 0.45, 0.18), vessels=0.45, feature=1.6, lobules=0.8, pits=0.0),
    "liver": Palette((0.27, 0.075, 0.06), (0.34, 0.11, 0.08), vessels=0.1, capillaries=0.15, feature=1.6, mucus=0.02),
    "kidney": Palette(
        (0.33, 0.10, 0.085), (0.40, 0.15, 0.12), vessels=0.3, capillaries=0.3, feature=1.5, pits=0.0, mucus=0.0
    ),
    "muscle": Palette((0.56, 0.18, 0.14), (0.64, 0.28, 0.22), vessels=0.3, feature=1.6, pits=0.0, mucus=0.0),
    "bowel": Palette((0.78, 0.43, 0.35), (0.74, 0.30, 0.24), vessels=0.6, feature=1.5, mucus=0.02, gloss=0.7),
    "peritoneum": Palette((0.70, 0.36, 0.30), (0.80, 0.52, 0.40), vessels=0.6, feature=1.8, pits=0.0, mucus=0.02),
    "stomach": Palette((0.74, 0.36, 0.25), (0.66, 0.22, 0.15), vessels=0.2, pits=0.35, mucus=0.18, gloss=0.75),
    "phantom_beige": Palette(
        (0.74, 0.54, 0.39),
        (0.70, 0.47, 0.34),
        vessel_rgb=_SILICONE_VESSEL,
        vessels=0.8,
        capillaries=0.2,
        gloss=0.35,
        pits=0.0,
        mucus=0.0,
        painted=True,
    ),
    "phantom_grey": Palette(
        (0.50, 0.49, 0.47),
        (0.42, 0.41, 0.40),
        vessels=0.15,
        capillaries=0.0,
        gloss=0.3,
        grain=0.03,
        pits=0.0,
        mucus=0.0,
        painted=True,
    ),
    "phantom_pink": Palette(
        (0.82, 0.43, 0.38),
        (0.80, 0.36, 0.30),
        vessel_rgb=_SILICONE_VESSEL,
        vessels=0.7,
        capillaries=0.3,
        gloss=0.4,
        pits=0.0,
        mucus=0.0,
        painted=True,
    ),
    "bladder": Palette((0.82, 0.52, 0.36), (0.78, 0.38, 0.26), vessels=0.75, capillaries=0.6, pits=0.05, mucus=0.03),
    "gallbladder": Palette((0.70, 0.64, 0.40), (0.62, 0.56, 0.46), vessels=0.55, feature=1.4, mucus=0.0, gloss=0.7),
    "vessel": Palette((0.58, 0.11, 0.11), (0.45, 0.16, 0.28), vessels=0.15, capillaries=0.3, grain=0.04, mucus=0.0),
    "polyp": Palette((0.68, 0.24, 0.19), (0.58, 0.14, 0.11), vessels=0.4, capillaries=0.4, pits=0.5, gloss=0.7),
}
