"""Judges many metrics together and limits the fraction of false changes among them (Benjamini–Hochberg)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from loganalyzer.regression import reasons
from loganalyzer.regression.scan import BLOCK
from loganalyzer.regression.series import to_numbers
from loganalyzer.regression.verdicts import Verdict, judge

Key = TypeVar("Key", bound=Hashable)

FALSE_DISCOVERIES = 0.1
"""Average fraction of false changes among those that are kept."""


@dataclass(frozen=True)
class History:
    """The measurements of one metric and key, oldest first, and its direction."""

    values: tuple[float | None, ...]
    higher_is_better: bool = False


def judge_together(histories: Mapping[Key, History]) -> dict[Key, Verdict]:
    """A verdict for each metric. Changes that are expected by chance among so many metrics are `suspected` or `same`.

    Only metrics with enough runs count; `unknown` ones do not make the test stricter. It works best for the metrics of
    one key: ten runs after a change, blocks confirm it in one of ten metrics, but hardly in one of twenty.
    """
    alone = {key: judge(one.values, higher_is_better=one.higher_is_better) for key, one in histories.items()}
    judged = {key: verdict for key, verdict in alone.items() if verdict.verdict != "unknown"}
    is_kept = discoveries(_p_value(verdict) for verdict in judged.values())
    checked = {
        key: verdict if kept else _downgrade(verdict, len(judged))
        for (key, verdict), kept in zip(judged.items(), is_kept, strict=True)
    }
    return {key: checked.get(key, verdict) for key, verdict in alone.items()}


def discoveries(p_values: Iterable[float], share: float = FALSE_DISCOVERIES) -> NDArray[np.bool_]:
    """Which p-values are discoveries, shape (m,): all up to the largest p(i) ≤ i/m · share, in ascending order.

    Benjamini and Hochberg 1995; valid for independent and for positively dependent metrics.
    """
    p = to_numbers(p_values)
    order = np.sort(p)
    passing = order[order <= share * np.arange(1, len(p) + 1) / max(1, len(p))]
    return p <= (passing[-1] if len(passing) else -1.0)


def _p_value(verdict: Verdict) -> float:
    """The p-value of a verdict; 1 for `suspected`, because an unconfirmed change is not a discovery."""
    return 1.0 if verdict.verdict == "suspected" else verdict.p


def _downgrade(verdict: Verdict, metrics: int) -> Verdict:
    """The verdict without its change: `suspected` for the worse, `same` for the better."""
    if verdict.verdict not in {"regressed", "improved"}:
        return verdict
    reason = reasons.among_many(verdict.reason, metrics)
    if verdict.verdict == "improved":
        return replace(verdict, verdict="same", reason=reason, change=None, changes=())
    return replace(verdict, verdict="suspected", reason=reason, changes=(), runs_needed=BLOCK)
