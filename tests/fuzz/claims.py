"""What must hold of the analysis of any bytes: tables as in the contract, and no row that the text does not support."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import polars as pl
from polars import selectors

from loganalyzer.analysis import Analysis
from loganalyzer.pipeline import analyse_sources
from loganalyzer.report import document, html, text
from loganalyzer.settings import Settings
from loganalyzer.sources import Source, from_bytes
from loganalyzer.tables import SCHEMAS, empty

MOMENT = datetime(2025, 11, 22, 6, 30, tzinfo=UTC)

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])|\0")
_STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+(?:Z|[+-][0-9:]+)?"
_PREFIX = re.compile(
    rf"{_STAMP} std(?:out|err) [FP] |\[{_STAMP}\] |{_STAMP} - (?:INFO - )?|{_STAMP} \[\w+\] |{_STAMP} |"
    r"[A-Za-z0-9][A-Za-z0-9_.-]* +\| |\[?[A-Z]+\]?:? "
)
_RANGE = re.compile(r"(?:Sampling audio indices|Frames|audio_indices:) (-?[0-9]+)-(-?[0-9]+)")
_PADDING = re.compile(r"for subject -?[0-9]+ not long enough: (-?[0-9]+), need (-?[0-9]+), padding")
_LENGTH = re.compile(r"Padding length: (-?[0-9]+)")
_SIZE = re.compile(r"memory: (?:max_)?(?:memory|reserved)=(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?) ?([KMGTBb])")
_LORA = re.compile(r"Loading LoRA: ")
_GIB = {"K": 2.0**-20, "M": 2.0**-10, "G": 1.0, "T": 2.0**10, "B": 2.0**-30}


@dataclass(frozen=True)
class Text:
    """A log as a person reads it who knows about wrappings: line by line, and with all line ends taken out.

    The latter is for lines that a container runtime has cut.
    """

    source: Source
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        raw = self.source.data.decode().split("\n")
        object.__setattr__(self, "lines", [_ANSI.sub("", line) for line in raw])

    @cached_property
    def whole(self) -> str:
        """Everything that may be looked up, in all readings."""
        bare = [_bare(line) for line in self.lines]
        joined = "".join(line.removesuffix("\n").removesuffix("\r") for line in bare)
        return "\n".join((*self.lines, *bare, joined))

    def pairs(self, pattern: re.Pattern[str]) -> set[tuple[int, int]]:
        """The two figures of each occurrence."""
        return {(int(first), int(second)) for first, second in pattern.findall(self.whole)}

    def holds(self, piece: str) -> bool:
        """Whether a piece of a line is in the text, whatever stamps stood inside it."""
        return piece in self.whole


def _bare(line: str) -> str:
    line = _ANSI.sub("", _of_json(line))
    for _ in range(3):
        line = _PREFIX.sub("", line, count=1) if _PREFIX.match(line) else line
    return line


def _of_json(line: str) -> str:
    try:
        row = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return line
    if not isinstance(row, dict):
        return line
    return next((row[key] for key in ("log", "message", "msg") if isinstance(row.get(key), str)), line)


def analysed(logs: Sequence[bytes], names: Iterable[str] | None = None) -> tuple[Analysis, list[Source]]:
    """The analysis of these logs in one call, and the sources that it must account for."""
    names = names or (f"{number}.log" for number in range(len(logs)))
    sources = [from_bytes(name, data) for name, data in zip(names, logs, strict=True)]
    first = {source.digest: source for source in reversed(sources)}
    return analyse_sources(sources), [source for source in sources if first[source.digest] is source]


def check(found: Analysis, sources: Sequence[Source]) -> None:
    """Every claim, for every source."""
    for table, frame in found.tables():
        assert frame.schema == empty(table).schema == SCHEMAS[table], table
        figures = frame.select(selectors.float())
        assert figures.select(pl.all().is_finite().all()).fill_null(value=True).row(0, named=False).count(False) == 0, (
            table
        )
    assert found.sources["source"].to_list() == [source.name for source in sources]
    _keys(found)
    _bounds(found)
    for source in sources:
        _supported(found, Text(source))


def _keys(found: Analysis) -> None:
    """Ids are unique and lead somewhere; no two steps of a window have the same number."""
    assert found.runs["run_id"].is_unique().all()
    assert found.prompts["prompt_id"].is_unique().all()
    for frame in (found.windows, found.steps, found.paddings):
        assert frame["run_id"].is_in(found.runs["run_id"].implode()).all()
    for frame in (found.runs, found.loras):
        assert frame["prompt_id"].is_in(found.prompts["prompt_id"].implode()).all()
    assert found.steps.select("run_id", "window", "step").is_unique().all()
    assert found.windows.select("run_id", "window").is_unique().all()


def _bounds(found: Analysis) -> None:
    """Figures that cannot be, whatever the log says."""
    for frame in (found.runs, found.prompts):
        assert (frame["end_line"] >= frame["line"]).all()
    for name in ("duration_s", "uncertainty_s"):
        assert (found.steps[name] >= 0).all(), name
    assert (found.steps["duration_s"].is_null() == found.steps["method"].is_null()).all()
    for name in ("sampling_s", "total_s", "s_per_step", "total_uncertainty_s"):
        assert (found.windows[name] >= 0).all(), name
    counted = found.steps.group_by("run_id", "window").agg(pl.len().alias("steps"), pl.col("step").max())
    held = counted.join(found.windows, on=["run_id", "window"], how="left", nulls_equal=True)
    assert held["line"].null_count() == 0
    assert (held["steps"] <= held["steps_total"]).all()
    assert (held["step"] <= held["steps_total"]).all()
    assert (found.windows["steps_done"] <= found.windows["steps_total"]).all()


def _supported(found: Analysis, log: Text) -> None:
    """All that is said of one source stands in it."""
    of = {
        name: frame.filter(pl.col("source") == log.source.name) for name, frame in found.tables() if "source" in frame
    }
    runs = of["runs"]
    ids = runs["run_id"].implode()
    windows, steps, paddings, memory = (
        frame.filter(pl.col("run_id").is_in(ids))
        for frame in (found.windows, found.steps, found.paddings, found.memory)
    )
    for frame in (*of.values(), windows, steps, paddings, memory):
        if "line" in frame.columns:
            assert frame["line"].drop_nulls().is_between(1, max(1, log.source.lines)).all()
    seen = windows.filter(pl.col("audio_start").is_not_null() | pl.col("audio_end").is_not_null())
    assert set(seen.select("audio_start", "audio_end").rows()) <= log.pairs(_RANGE)
    assert set(paddings.select("have", "need").rows()) <= log.pairs(_PADDING)
    assert set(paddings["padding"].drop_nulls()) <= {int(length) for length in _LENGTH.findall(log.whole)}
    _sizes(runs, memory, log)
    _outcomes(runs, of["prompts"], memory, log)
    for name in ("excerpts", "near_misses"):
        lost = [piece for piece in of[name]["text"] if not log.holds(piece)]
        assert not lost, (name, lost[:3])


def _sizes(runs: pl.DataFrame, memory: pl.DataFrame, log: Text) -> None:
    printed = [float(value) * _GIB[unit.upper()] for value, unit in _SIZE.findall(log.whole)]
    said = [
        *runs["peak_allocated_gib"], *runs["peak_reserved_gib"], *memory["allocated_gib"],
        *memory["max_allocated_gib"], *memory["max_reserved_gib"],
    ]  # fmt: skip
    for value in {value for value in said if value is not None}:
        assert any(math.isclose(value, figure, rel_tol=1e-9) for figure in printed), value


def _outcomes(runs: pl.DataFrame, prompts: pl.DataFrame, memory: pl.DataFrame, log: Text) -> None:
    """A good end has its evidence behind the place where the run or prompt begins."""
    ends = _after(log, re.compile(r"Prompt executed in "))
    reports = _after(log, re.compile(r"memory=|max_reserved="))
    for line in prompts.filter(pl.col("status") == "completed")["line"]:
        assert ends >= line
    last = runs.group_by("prompt_id").agg(pl.col("line").max().alias("last"), pl.len().alias("stages"))
    for line, last_line, stages in (
        runs.filter(pl.col("status") == "completed").join(last, on="prompt_id").select("line", "last", "stages").rows()
    ):
        followed = stages > 1 and last_line >= line
        assert followed or ends >= line or reports >= line
    assert runs["status"].is_in(["completed", "failed", "interrupted", "truncated"]).all()


def _after(log: Text, evidence: re.Pattern[str]) -> int:
    """The last line with the evidence; the end where only lines put together show it, 0 where nothing does."""
    held = [number for number, line in enumerate(log.lines, 1) if evidence.search(line)]
    if held:
        return held[-1]
    return len(log.lines) if evidence.search(log.whole) else 0


def rendered(found: Analysis) -> None:
    """Every form of the report can be made, and the document is JSON."""
    said = document.to_json(found, generated_at=MOMENT, version="0")
    tables = json.loads(said)
    assert all(len(tables[name]) == frame.height for name, frame in found.tables())
    page = html.render(found, Settings(), generated_at=MOMENT, document=said)
    assert page.rstrip().endswith("</html>")
    for verbose in (False, True):
        text.write(found, text.console(io.StringIO()), verbose=verbose)
