"""The stages in their order: the only place that names them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from loganalyzer import tables
from loganalyzer.analysis import Analysis
from loganalyzer.checks.registry import run_all
from loganalyzer.errors import LogAnalyzerError, SourceError
from loganalyzer.excerpts import excerpts
from loganalyzer.expectations import baselines
from loganalyzer.grammar.load import load_all
from loganalyzer.lines import segments
from loganalyzer.records import Grammars, compile_all, extract
from loganalyzer.runs.assemble import rebuild
from loganalyzer.runs.quantization import with_quantization
from loganalyzer.settings import Settings
from loganalyzer.sources import Source, batches, find, read

_REBUILT = ("prompts", "runs", "windows", "steps", "paddings", "memory", "loras")


@dataclass
class _Collected:
    """Tables of the batches read so far."""

    tables: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, frame: pl.DataFrame) -> None:
        self.tables.setdefault(name, []).append(frame)

    def table(self, name: str) -> pl.DataFrame:
        parts = self.tables.get(name)
        return pl.concat(parts) if parts else tables.empty(name)


def analyse(paths: Iterable[str], settings: Settings | None = None) -> Analysis:
    """Everything there is to say about these inputs: files, folders, patterns, `-`.

    An input that cannot be read becomes one entry of `problems`; the others keep their results.

    Raises:
        LogAnalyzerError: a pattern, schedule or baselines file is refused.
    """
    settings = settings or Settings()
    collected = _Collected()
    return _analysed(_readable(paths, collected), collected, settings)


def analyse_sources(sources: Iterable[Source], settings: Settings | None = None) -> Analysis:
    """The same for inputs already read."""
    return _analysed(sources, _Collected(), settings or Settings())


def _analysed(sources: Iterable[Source], collected: _Collected, settings: Settings) -> Analysis:
    grammars = compile_all(load_all(settings.patterns))
    shelf = baselines.load(settings.baselines)
    for batch in batches(_once(sources, collected)):
        _collect(batch, grammars, settings, collected)
    runs = with_quantization(collected.table("runs"), shelf, settings)
    found = Analysis(
        **{name: collected.table(name) for name in ("sources", *_REBUILT, "near_misses", "excerpts")} | {"runs": runs},
        problems=tuple(collected.problems),
        notes=tuple(collected.notes),
    )
    return run_all(found, shelf, settings)


def _readable(paths: Iterable[str], collected: _Collected) -> Iterator[Source]:
    for name in find(paths):
        try:
            if isinstance(name, SourceError):
                raise name
            yield from read(name)
        except LogAnalyzerError as error:
            collected.problems.append(str(error))


def _once(sources: Iterable[Source], collected: _Collected) -> Iterator[Source]:
    """The same content under a second name would give every run twice."""
    names: dict[str, str] = {}
    for source in sources:
        first = names.setdefault(source.digest, source.name)
        if first == source.name:
            yield source
        else:
            collected.notes.append(f"{source.name}: has the same content as {first}, which is analysed once")


def _collect(batch: Sequence[Source], grammars: Grammars, settings: Settings, collected: _Collected) -> None:
    records = extract(segments(batch, grammars.anchors), grammars, len(batch))
    named = _described(batch)
    patterns = [item.pattern for item in grammars.compiled]
    rebuilt = rebuild(records, named.select("position", "source", "digest"), patterns, settings)
    for table in _REBUILT:
        collected.add(table, getattr(rebuilt, table))
    counted = named.join(records.counts, left_on="position", right_on="source", how="left")
    collected.add("sources", tables.conform(counted, "sources"))
    collected.add("near_misses", _in_files(records.near_misses, named, "near_misses"))
    collected.add("excerpts", _in_files(excerpts(records), named, "excerpts"))


def _described(batch: Sequence[Source]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "position": pl.Series(range(len(batch)), dtype=pl.UInt32),
            "source": [source.name for source in batch],
            "digest": [source.digest for source in batch],
            "bytes": [source.size for source in batch],
            "lines": [source.lines for source in batch],
            "encoding": [source.encoding for source in batch],
            "undecodable": [source.undecodable for source in batch],
        }
    )


def _in_files(frame: pl.DataFrame, named: pl.DataFrame, table: str) -> pl.DataFrame:
    """`frame`, whose `source` is a position, with the inputs' names in its place."""
    names = named.select("position", pl.col("source").alias("name"))
    placed = frame.join(names, left_on="source", right_on="position", how="left", maintain_order="left")
    return tables.conform(placed.with_columns(pl.col("name").alias("source")), table)
