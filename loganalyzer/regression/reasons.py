"""Writes the sentences that explain a verdict."""

from __future__ import annotations

from loganalyzer.common.formatting import plural
from loganalyzer.regression.changes import FLOOR_PERCENT, Change


def regressed(change: Change, noise_percent: float | None) -> str:
    """The reason for a confirmed change for the worse, with the noise."""
    return f"Worse {amount(change)}{_noise_text(noise_percent)}."


def improved(change: Change) -> str:
    """The reason for a confirmed change for the better."""
    return f"Better {amount(change)}."


def suspected(change: Change, needed: int) -> str:
    """The reason for a suspected change, and how many more runs are needed."""
    return (
        f"Perhaps worse {amount(change)}. This may still be noise: consecutive runs are correlated. "
        f"Wait for at least {plural(needed, 'more run')}."
    )


def same(runs: int, noise_percent: float | None, spikes: int) -> str:
    """The reason for `same`: the number of runs, the noise, and the outliers."""
    ignored = f" Ignored {plural(spikes, 'single outlier')}." if spikes else ""
    noise = _noise_text(noise_percent)
    return f"No change of {FLOOR_PERCENT:g} % or more in {plural(runs, 'run')}{noise}.{ignored}"


def too_few(runs: int, missing: int) -> str:
    """Why there is no verdict yet."""
    return f"Only {plural(runs, 'run')}: {missing} more needed for a verdict."


def among_many(reason: str, metrics: int) -> str:
    """The reason for a change that would count alone, but not among many metrics."""
    return f"{reason} With {plural(metrics, 'metric')}, one such change is expected by chance."


def dropped_values(count: int) -> str:
    """What was not counted; empty for none."""
    return f" {plural(count, 'value')} that {'is' if count == 1 else 'are'} no number left out." if count else ""


def percent(value: float | None) -> str:
    """`by 5.1 %` without the sign; `from zero` if there is no percentage."""
    return "from zero" if value is None else f"by {abs(value):.1f} %"


def amount(change: Change) -> str:
    """The size of a change, its levels, and its first run."""
    how = "slowly, " if change.kind == "creep" else ""
    start = "the best stable level" if change.kind == "creep" else "before"
    since = "starting at" if change.kind == "creep" else "since"
    return (
        f"{how}{percent(change.change_percent)}: {change.before:.4g} {start}, {change.after:.4g} now, "
        f"{since} run {change.index + 1} ({plural(change.runs_after, 'run')})"
    )


def _noise_text(noise_percent: float | None) -> str:
    return "" if noise_percent is None else f"; runs scatter by {noise_percent:.1f} %"
