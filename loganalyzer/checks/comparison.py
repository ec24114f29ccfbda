"""REG002: checks whether the head of a comparison is worse than its base."""

from __future__ import annotations

from loganalyzer.checks.findings import make_outcome
from loganalyzer.checks.registry import Context, Outcome, rule


@rule(
    "REG002",
    "metric-regressed",
    "error",
    cause="worse than the compared run",
    summary="A metric is worse than in the base of `loganalyze compare`, by more than noise explains.",
    why="Two runs always differ a little by chance. Only a larger difference is a reason to look for a cause.",
    example="# loganalyze compare before.log after.log: time per step 5.2 → 5.9 s",
    fix="Check the differences that the comparison lists: settings, versions, GPU.",
)
def metric_regressed(_context: Context) -> Outcome:
    """Never fires here: only `loganalyze compare` has two analyses to compare."""
    return make_outcome()
