"""Groups the tables of an analysis by run, as plain rows. The sections of the page are built from them."""

from __future__ import annotations

import math
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
    """A row of `runs` with its rows of the other tables, in the order of the tables.

    Attributes:
        anchor: its link target on the page.
        place: file name, line and stream, for display.
        rows: by table, the run's windows, steps, paddings, memory, findings, not_checked and trends, the loras and
            nodes of its prompt, and as `siblings` the peaks of all runs of its log and stream.
    """

    anchor: str
    place: str
    run: Row
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> Sequence[Row]:
        return self.rows.get(table, ())

    @property
    def worst(self) -> str:
        """The most severe severity among its findings; empty without findings."""
        severities = [item["severity"] for item in self["findings"]]
        return min(severities, key=severity_rank) if severities else ""

    @property
    def band(self) -> tuple[float, float] | None:
        """The baseline range of the peak, low and high in GiB; None if it is unknown."""
        low, high = self.run["band_low_gib"], self.run["band_high_gib"]
        return None if low is None or high is None else (low, high)

    @property
    def normal_step(self) -> tuple[float, float] | None:
        """The normal range of the step time by earlier nights of the history, in seconds; None if it is unknown."""
        for row in self["trends"]:
            low, high = row["normal_low"], row["normal_high"]
            if row["metric"] == "s_per_step" and low is not None and high is not None and 0 <= low < high < math.inf:
                return (low, high)
        return None

    @property
    def is_cut(self) -> bool:
        """Whether the sampler itself cuts off the frames after the end of the audio."""
        return bool(self.run["producer"] == "autosampler")

    @property
    def median_step(self) -> float | None:
        """The median step duration in seconds; of the windows' averages if no single step is known."""
        single = [step["duration_s"] for step in self["steps"] if step["duration_s"] is not None]
        return words.median(single or [row["s_per_step"] for row in self["windows"] if row["s_per_step"] is not None])

    @property
    def has_only_averages(self) -> bool:
        """Whether the log has step times only as averages of windows."""
        return all(step["method"] == "average" for step in self["steps"])


def severity_rank(severity: str) -> int:
    """The rank of a severity: 0 for the most severe, the highest for an unknown word."""
    return RANK.get(severity, len(RANK))


class Places:
    """Short names of inputs: the file name, with as many parent folders as make it unique."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._assign_names({source: _path_parts(source) for source in dict.fromkeys(sources)}, 1)

    def _assign_names(self, parts: Mapping[str, list[str]], depth: int) -> None:
        """Names each source by its last `depth` path parts, and by more of them if several would share the name."""
        by_name: dict[str, list[str]] = {}
        for source, path in parts.items():
            by_name.setdefault("/".join(path[-depth:]), []).append(source)
        for name, sources in by_name.items():
            longer = {source: parts[source] for source in sources if len(parts[source]) > depth}
            if len(sources) > 1 and longer:
                self._assign_names(longer, depth + 1)
            for source in sources:
                self._names.setdefault(source, name)

    def __call__(self, source: str | None, line: int | None = None, stream: str | None = None) -> str:
        """A place such as `night.log:18`, with the stream if the file mixes several."""
        if source is None:
            return words.DASH
        name = words.visible(self._names.get(source, source))
        where = name if line is None else f"{name}:{line}"
        return f"{where} [{words.visible(stream)}]" if stream else where


def _path_parts(source: str) -> list[str]:
    if source == "-":
        return ["stdin"]
    return [part for part in source.replace("\\", "/").split("/") if part] or [source]


def most_severe(runs: Sequence[RunFacts], most: int) -> tuple[RunFacts, ...]:
    """The `most` runs with the most severe findings, in their original order."""
    chosen = {facts.anchor for facts in sorted(runs, key=lambda facts: severity_rank(facts.worst))[:most]}
    return tuple(facts for facts in runs if facts.anchor in chosen)


def collect_runs(analysis: Analysis, places: Places) -> tuple[RunFacts, ...]:
    """Every run with its rows, in the order of the runs."""
    by_run = {
        name: _rows_by_key(getattr(analysis, name), "run_id")
        for name in ("windows", "steps", "paddings", "memory", "events", "findings", "not_checked", "trends")
    }
    of_prompt = {name: _rows_by_key(getattr(analysis, name), "prompt_id") for name in ("loras", "nodes")}
    by_stream: dict[tuple[str | None, str | None], list[Row]] = {}
    for run in analysis.runs.select(_PEAKS).iter_rows(named=True):
        by_stream.setdefault((run["source"], run["stream"]), []).append(run)
    return tuple(
        RunFacts(
            f"run-{number}",
            places(run["source"], run["line"], run["stream"]),
            run,
            {name: parts.get(run["run_id"], ()) for name, parts in by_run.items()}
            | {name: parts.get(run["prompt_id"], ()) for name, parts in of_prompt.items()}
            | {"siblings": by_stream[run["source"], run["stream"]]},
        )
        for number, run in enumerate(analysis.runs.iter_rows(named=True), 1)
    )


def _rows_by_key(frame: pl.DataFrame, key: str) -> dict[str, Sequence[Row]]:
    known = frame.filter(pl.col(key).is_not_null())
    return {str(name): part.to_dicts() for (name,), part in known.partition_by(key, as_dict=True).items()}
