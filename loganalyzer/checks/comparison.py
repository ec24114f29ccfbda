"""REG002: is the head worse than the base it is compared with?"""

from __future__ import annotations

from loganalyzer.checks.findings import outcome
from loganalyzer.checks.registry import Context, Outcome, rule


@rule(
    "REG002",
    "metric-regressed",
    "error",
    cause="worse than the compared run",
    summary="A figure is worse than in the run it is compared with (`loganalyze compare`), beyond what noise explains.",
    why="Two runs differ by chance as well: only what chance does not explain is a reason to look for a cause.",
    example="loganalyze compare before.log after.log: time per step 5.2 → 5.9 s",
    fix="Look at the differences that the comparison lists: settings, versions, card.",
)
def metric_regressed(_context: Context) -> Outcome:
    """Found by `loganalyze compare` alone: one analysis has nothing that it could be compared with."""
    return outcome()
