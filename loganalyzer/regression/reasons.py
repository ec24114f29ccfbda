"""The sentences that say why a verdict was given."""

from __future__ import annotations

from loganalyzer.common.formatting import plural
from loganalyzer.regression.changes import FLOOR_PERCENT, Change


def regressed(change: Change, noise_percent: float | None) -> str:
    """The confirmed change for the worse, and the noise it stands out of."""
    return f"Worse {amount(change)}{_noise(noise_percent)}."


def improved(change: Change) -> str:
    """The confirmed change for the better."""
    return f"Better {amount(change)}."


def suspected(change: Change, needed: int) -> str:
    """The change that may be chance, and how many runs would tell."""
    return (
        f"Perhaps worse {amount(change)}. Neighbouring runs that resemble one another could look the same: "
        f"at least {plural(needed, 'more run')} will tell."
    )


def same(runs: int, noise_percent: float | None, spikes: int) -> str:
    """Nothing was found, in how many runs and how much noise."""
    aside = f" {plural(spikes, 'lone outlier')} left aside." if spikes else ""
    return (
        f"No change of {FLOOR_PERCENT:g} % or more stands out in {plural(runs, 'run')}{_noise(noise_percent)}.{aside}"
    )


def too_few(runs: int, missing: int) -> str:
    """Why nothing is said."""
    return f"Only {plural(runs, 'run')}: {missing} more needed before anything is said."


def outnumbered(reason: str, metrics: int) -> str:
    """A change that would count alone, but not among so many metrics."""
    return f"{reason} Among {plural(metrics, 'metric')} judged together, chance alone would show as much in one."


def dropped(count: int) -> str:
    """What was not counted; empty for none."""
    return f" {plural(count, 'value')} that {'is' if count == 1 else 'are'} no number left out." if count else ""


def percent(value: float | None) -> str:
    """`5.1 %` whatever the sign; words where there is no percentage."""
    return "from zero" if value is None else f"by {abs(value):.1f} %"


def amount(change: Change) -> str:
    """By how much, from where to where, since which run."""
    how = "slowly, " if change.kind == "creep" else ""
    start = "the best stable level" if change.kind == "creep" else "before"
    since = "begins at" if change.kind == "creep" else "since"
    return (
        f"{how}{percent(change.change_percent)}: {change.before:.4g} {start}, {change.after:.4g} now, "
        f"{since} run {change.index + 1} ({plural(change.runs_after, 'run')})"
    )


def _noise(noise_percent: float | None) -> str:
    return "" if noise_percent is None else f"; runs scatter by {noise_percent:.1f} %"
