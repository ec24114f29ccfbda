"""The tables of an analysis cut up by run, as plain rows: what the page's parts are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from loganalyzer.common.severity import RANK
from loganalyzer.report import words

if TYPE_CHECKING:
    from loganalyzer.tables.analysis import Analysis

Row = Mapping[str, Any]
_PEAKS = ("run_id", "source", "stream", "peak_allocated_gib", "peak_reserved_gib", "peak_covers")


@dataclass(frozen=True)
class RunFacts:
    """A row of `runs` and everything that hangs on it, in the tables' order.

    Attributes:
        anchor: its place on the page.
        place: file name, line and stream, for people.
        rows: windows, steps, paddings, memory, findings and not_checked of this run, loras of its prompt, and as
            `siblings` the peaks of all runs of its log and stream.
    """

    anchor: str
    place: str
    run: Row
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> Sequence[Row]:
        return self.rows.get(table, ())

    @property
    def worst(self) -> str:
        """The gravest severity among its findings, or nothing."""
        found = [item["severity"] for item in self["findings"]]
        return min(found, key=gravity) if found else ""

    @property
    def band(self) -> tuple[float, float] | None:
        """The baseline's band for the peak, low and high in GiB."""
        low, high = self.run["band_low_gib"], self.run["band_high_gib"]
        return None if low is None or high is None else (low, high)

    @property
    def is_cut(self) -> bool:
        """Whether the sampler itself cuts the frames beyond the audio off."""
        return bool(self.run["producer"] == "autosampler")

    @property
    def median_step(self) -> float | None:
        """The median duration of a step; of the windows' averages where no single step is known."""
        single = [step["duration_s"] for step in self["steps"] if step["duration_s"] is not None]
        return words.median(single or [row["s_per_step"] for row in self["windows"] if row["s_per_step"] is not None])

    @property
    def only_averages(self) -> bool:
        """Whether no single step's duration could be recovered."""
        return all(step["method"] == "average" for step in self["steps"])


def gravity(severity: str) -> int:
    """0 for the most severe."""
    return RANK.get(severity, len(RANK))


class Places:
    """Short names for inputs: the file name, with as many folders before it as tell it from the others."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._settle({source: _parts(source) for source in dict.fromkeys(sources)}, 1)

    def _settle(self, parts: Mapping[str, list[str]], depth: int) -> None:
        alike: dict[str, list[str]] = {}
        for source, path in parts.items():
            alike.setdefault("/".join(path[-depth:]), []).append(source)
        for name, sources in alike.items():
            longer = {source: parts[source] for source in sources if len(parts[source]) > depth}
            if len(sources) > 1 and longer:
                self._settle(longer, depth + 1)
            for source in sources:
                self._names.setdefault(source, name)

    def __call__(self, source: str | None, line: int | None = None, stream: str | None = None) -> str:
        """`night.log:18`, with the stream where the file mixes several."""
        if source is None:
            return words.NOTHING
        name = words.visible(self._names.get(source, source))
        where = name if line is None else f"{name}:{line}"
        return f"{where} [{words.visible(stream)}]" if stream else where


def _parts(source: str) -> list[str]:
    if source == "-":
        return ["stdin"]
    return [part for part in source.replace("\\", "/").split("/") if part] or [source]


def gravest(runs: Sequence[RunFacts], most: int) -> tuple[RunFacts, ...]:
    """`most` runs in their order: those with errors are kept first, then those with warnings."""
    kept = {facts.anchor for facts in sorted(runs, key=lambda facts: gravity(facts.worst))[:most]}
    return tuple(facts for facts in runs if facts.anchor in kept)


def gather(analysis: Analysis, places: Places) -> tuple[RunFacts, ...]:
    """Every run with its rows, in the order of the runs."""
    of_run = {
        name: _cut(getattr(analysis, name), "run_id")
        for name in ("windows", "steps", "paddings", "memory", "findings", "not_checked")
    }
    loras = _cut(analysis.loras, "prompt_id")
    of_server: dict[tuple[str | None, str | None], list[Row]] = {}
    for run in analysis.runs.select(_PEAKS).iter_rows(named=True):
        of_server.setdefault((run["source"], run["stream"]), []).append(run)
    return tuple(
        RunFacts(
            f"run-{number}",
            places(run["source"], run["line"], run["stream"]),
            run,
            {name: parts.get(run["run_id"], ()) for name, parts in of_run.items()}
            | {"loras": loras.get(run["prompt_id"], ()), "siblings": of_server[run["source"], run["stream"]]},
        )
        for number, run in enumerate(analysis.runs.iter_rows(named=True), 1)
    )


def _cut(frame: pl.DataFrame, key: str) -> dict[str, Sequence[Row]]:
    known = frame.filter(pl.col(key).is_not_null())
    return {str(name): part.to_dicts() for (name,), part in known.partition_by(key, as_dict=True).items()}
