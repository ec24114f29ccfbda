"""Reads the two sides of a comparison: logs, folders, documents, reports, or runs of a history."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from loganalyzer.common.errors import HistoryError, SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.comparison.model import METRIC_COLUMNS, RunSet
from loganalyzer.engine.interface import Engine
from loganalyzer.history.store import Selection, Store
from loganalyzer.pipeline import analyze
from loganalyzer.redact.masking import Masker
from loganalyzer.settings.model import Settings

_DIGITS: Final = re.compile(":[0-9a-f]+›")
HISTORY: Final = "history:"
"""Prefix of a side that names runs of the history, by label or by the start of an id."""


def read(name: str, settings: Settings, history: str, engine: Engine | None = None) -> tuple[RunSet, tuple[str, ...]]:
    """Returns the side with this name, and the problems while reading it.

    Raises:
        SourceError: no run is found.
        HistoryError: the history has no such runs.
    """
    if name.startswith(HISTORY):
        return _recorded(name, history), ()
    found = analyze([name], settings, engine=engine)
    if found.runs.is_empty():
        why = "; ".join(found.problems) or "a log of WanVideo sampling has windows and progress bars"
        raise SourceError(
            f"{one_line(name)}: no run found: {why}", "compare takes a log, a folder, a report or history:…"
        )
    return RunSet.of(shown(name, settings), found, settings.gpu), found.problems


def shown(name: str, settings: Settings) -> str:
    """Returns a side's name for outputs; secrets and names of people are masked without a digest of their value."""
    text = one_line(name)
    return _DIGITS.sub("›", Masker(b"side").mask(text)) if settings.redact else text


def _recorded(name: str, history: str) -> RunSet:
    label = name.removeprefix(HISTORY)
    with Store.at(history, read_only=True) as store:
        selections = [Selection(label=label)] if label in store.labels() else _by_id(store, label)
        if not selections:
            known = ", ".join(store.labels()) or "none"
            raise HistoryError(
                f"{one_line(name)}: the history has no runs of this label or id",
                f"labels in it: {known}; `loganalyze history list` names the runs",
            )
        runs, recorded, findings = (
            pl.concat([read(chosen) for chosen in selections]) for read in (store.runs, store.recorded, store.findings)
        )
    cards = recorded.select("run_id", pl.col("gpu").alias("card")).unique()
    named = runs.join(cards, on="run_id", how="left", maintain_order="left")
    filled = named.with_columns(pl.coalesce("gpu", "card").alias("gpu")).drop("card")
    return RunSet(one_line(name), filled, recorded.select(*METRIC_COLUMNS), findings)


def _by_id(store: Store, beginning: str) -> list[Selection]:
    names = store.find_ids(beginning) if beginning else []
    return [Selection(run_id=name) for name in names]
