"""Many metrics judged together: of those said to have changed, few may be said so by chance (Benjamini–Hochberg)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from loganalyzer.regression import reasons
from loganalyzer.regression.scan import BLOCK
from loganalyzer.regression.series import numbers
from loganalyzer.regression.verdicts import Verdict, judge

Key = TypeVar("Key", bound=Hashable)

FALSE_DISCOVERIES = 0.1
"""Share of false ones, on average, among the changes that stand."""


@dataclass(frozen=True)
class History:
    """The measurements of one metric and key, oldest first, and its direction."""

    values: tuple[float | None, ...]
    higher_is_better: bool = False


def judge_together(histories: Mapping[Key, History]) -> dict[Key, Verdict]:
    """A verdict for each; changes that chance would show among so many metrics are only suspected, or the same.

    Counted are the metrics with enough runs to be judged; `unknown` ones raise no bar. Best judged together are the
    metrics of one key: ten runs after a change, blocks confirm it in one of ten metrics, but hardly in one of twenty.
    """
    alone = {key: judge(one.values, higher_is_better=one.higher_is_better) for key, one in histories.items()}
    judged = {key: verdict for key, verdict in alone.items() if verdict.verdict != "unknown"}
    stands = discoveries(_p(verdict) for verdict in judged.values())
    checked = {
        key: verdict if stand else _doubt(verdict, len(judged))
        for (key, verdict), stand in zip(judged.items(), stands, strict=True)
    }
    return {key: checked.get(key, verdict) for key, verdict in alone.items()}


def discoveries(p_values: Iterable[float], share: float = FALSE_DISCOVERIES) -> NDArray[np.bool_]:
    """Which of the p-values stand, shape (m,): all up to the largest p(i) ≤ i/m · share, in order of size.

    Benjamini and Hochberg 1995: holds for independent and for positively dependent metrics.
    """
    p = numbers(p_values)
    order = np.sort(p)
    passing = order[order <= share * np.arange(1, len(p) + 1) / max(1, len(p))]
    return p <= (passing[-1] if len(passing) else -1.0)


def _p(verdict: Verdict) -> float:
    """A suspicion is no discovery: what was not confirmed counts as nothing found."""
    return 1.0 if verdict.verdict == "suspected" else verdict.p


def _doubt(verdict: Verdict, metrics: int) -> Verdict:
    """What is left of a change that does not stand among so many."""
    if verdict.verdict not in {"regressed", "improved"}:
        return verdict
    reason = reasons.outnumbered(verdict.reason, metrics)
    if verdict.verdict == "improved":
        return replace(verdict, verdict="same", reason=reason, change=None, changes=())
    return replace(verdict, verdict="suspected", reason=reason, changes=(), runs_needed=BLOCK)
