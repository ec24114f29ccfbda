"""HSE: the studio's own rules. loganalyze imports this module, and each `@rule` registers itself."""

from __future__ import annotations

import polars as pl

from loganalyzer.extension import Context, Need, Outcome, Texts, make_findings, make_outcome, rule, split_by_needs

_SIZE = Need(pl.col("width").is_not_null() & pl.col("height").is_not_null(), "width and height are not in the log")
WIDTH, HEIGHT = 1280, 720


@rule(
    "HSE001",
    "house-size",
    "error",
    cause="not the house size: {observed}",
    summary="A run does not have the size that the studio delivers.",
    why="Clips of another size must be scaled, which softens mouths.",
    example="Sampling 369 frames in 6 windows, at 832x480 with 4 steps",
    fix="Render at 1280x720.",
)
def house_size(context: Context) -> Outcome:
    """Compares every run's size with the studio's."""
    sized, not_checked = split_by_needs(context.found.runs, _SIZE)
    wrong = sized.filter((pl.col("width") != WIDTH) | (pl.col("height") != HEIGHT))
    size = pl.format("{}x{}", "width", "height")
    found = make_findings(
        wrong,
        lambda: Texts(
            message=pl.format("The run is {}, not 1280x720.", size), observed=size, expected=pl.lit("1280x720")
        ),
    )
    return make_outcome(found, not_checked)
