"""What the report says in words, for readers who know endoscopes better than metrics."""

from __future__ import annotations

WARNING = "Research software, not a medical device. Figures hold for these recordings only."
FIGURES_IN_WORDS = {
    "abs_rel": "relative error (AbsRel) ↓",
    "sq_rel": "SqRel ↓",
    "rmse": "RMSE ↓",
    "rmse_log": "RMSE of log ↓",
    "delta1": "within 25 % (δ1) ↑",
    "delta2": "δ2 ↑",
    "delta3": "δ3 ↑",
    "mae": "mean error ↓",
    "median_rel": "median relative error ↓",
    "coverage": "coverage ↑",
}
LENGTHS = {"sq_rel", "rmse", "mae"}
ALIGNMENTS_IN_WORDS = {
    "none": "as it is, in metres",
    "image_median": "each image scaled to the truth",
    "sequence_median": "one scale for each recording",
    "sequence_mean_depth": "one scale for each recording, from mean depths",
    "image_scale_shift": "each image scaled and shifted",
    "sequence_scale_shift": "one scale and shift for each recording",
    "sequence_disparity_scale_shift": "one scale and shift of 1 / depth for each recording",
    "sequence_median_mad": "one scale and shift for each recording, from median and spread",
}
PATH_ALIGNMENTS_IN_WORDS = {"se3": "as it is, in metres", "sim3": "path scaled to the truth"}
PATH_CAPTION = (
    "The camera's path laid on the true one, seen from above (where the true one is widest) and from the side, and how "
    "far it is from the true place in each frame. "
    "Dashed: the best straight line, which an estimate must beat to be worth anything. Gaps: the camera was lost."
)
GRID_CAPTION = (
    "From the worst frame to the best by relative error. Hatched: no answer. The error's colours go from dark (right) "
    "to bright (30 % wrong or more)."
)
CAPTIONS = (
    (
        "error_over_time.png",
        "Error over time",
        "Above: how wrong depth is on average in each frame. Below: the share of true pixels that have an answer; a "
        "low error at a low coverage means that only the easy part was answered.",
    ),
    (
        "states.png",
        "What was said of each frame",
        "Frames that can't be trusted get no depth, and the reason is named. Where the camera was followed, the second "
        "band says whether its place was known.",
    ),
    (
        "depths.png",
        "Depths",
        "How often each distance occurs. An estimate that is narrower than the truth guesses the average.",
    ),
    (
        "sigma.png",
        "Stated uncertainty",
        "Left: pixels in ten groups by stated uncertainty; above the dashed line depth is more wrong than it says. "
        "Right: error of what is left when the most uncertain pixels are taken away; blue should lie near green.",
    ),
    (
        "latency.png",
        "Time a frame takes",
        "On the machine that ran this, which also read the truth and followed the camera meanwhile; how fast the "
        "model is alone, endo-depth benchmark tells.",
    ),
)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1180px; margin: 2em auto; padding: 0 1.5em; }
h1 { font-size: 1.7em; } h2 { font-size: 1.2em; margin-top: 2em; }
img { max-width: 100%; height: auto; display: block; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0; }
th, td { text-align: left; padding: .3em .8em .3em 0; border-bottom: 1px solid #ddd; vertical-align: top; }
th { border-bottom: 2px solid #888; font-weight: 600; }
.note { background: #fff6dd; border-left: 4px solid #e0a800; padding: .4em .8em; margin: .5em 0; }
details { margin-top: 2em; } summary { cursor: pointer; font-weight: 600; }
"""
