"""What must hold of the analysis of any bytes: tables as in the contract, and no row that the bytes do not support.

The log is read here by plain regular expressions, line by line, and not by the package's grammar: a figure of a table
has to be found again where the table says it stands.
"""

from __future__ import annotations

import io
import json
import math
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property

import polars as pl
import pytest
from polars import selectors
from polars.testing import assert_frame_equal

from loganalyzer.engine import incremental
from loganalyzer.engine.read import tabulate, tabulate_volumes
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.records import extraction
from loganalyzer.report import json_document
from loganalyzer.report.formats import markdown
from loganalyzer.report.page import html
from loganalyzer.report.terminal import summary
from loganalyzer.settings.model import Settings
from loganalyzer.sources import chunks
from loganalyzer.sources.inputs import Input, from_bytes
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS
from loganalyzer.tables.spool import Spool

SETTINGS = Settings(price_per_hour=1.0, redact=False)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
STATUS = ["completed", "failed", "interrupted", "truncated"]

_CODES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")
_STAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
_LEVEL = r"(?i:debug|info|warning|warn|error|critical)"
_PREFIX = re.compile(
    rf"{_STAMP} std(?:out|err) [FP] |{_STAMP} {_NAME} (?P<iso>{_NAME})\[[0-9]+\]: |"
    rf"[A-Z][a-z]{{2}}[ \t]+[0-9]+ {_CLOCK} {_NAME} (?P<journal>{_NAME})(?:\[[0-9]+\])?: |"
    rf"(?P<compose>{_NAME}) {{2,}}\| |\[{_STAMP}\] |"
    rf"{_STAMP} - (?:{_NAME} - )?{_LEVEL} - |{_LEVEL} [0-9]+-[0-9]+ {_CLOCK} \[{_NAME}:[0-9]+\] |"
    rf"{_STAMP} \[{_LEVEL}\] |\[{_LEVEL}\] |worker-comfyui - |{_STAMP} - |{_STAMP} "
)
_WRAPPED = re.compile(r'\{"(?:log|stream|time|msg|message)":')
_RANGE = re.compile(r"(?:Sampling audio indices|Frames) (-?[0-9]+)-(-?[0-9]+): ")
_LINE_RANGE = re.compile(r"Sampling audio indices (-?[0-9]+)-(-?[0-9]+)(?![0-9])")
_EARLY_RANGE = re.compile(r"audio_indices: (-?[0-9]+)-(-?[0-9]+)\|")
_BAR = re.compile(r"-?[0-9]+%\|[^|\r\n]*\|(?: (-?[0-9]+)/(-?[0-9]+))?")
_COUNTER = re.compile(r"(-?[0-9]+)it \[")
_SIDES = re.compile(r"at (-?[0-9]+)x(-?[0-9]+) with")
_HEADER_STEPS = re.compile(r"with (-?[0-9]+) steps")
_REQUEST = re.compile(r"Audio embedding for subject (-?[0-9]+) not long enough: (-?[0-9]+), need (-?[0-9]+), padding")
_LENGTH = re.compile(r"Padding length: (-?[0-9]+)")
_SIZE = r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?) ?([KMGTBb])"
_SIZES = {
    "allocated_gib": re.compile(r"Allocated memory: memory=" + _SIZE),
    "max_allocated_gib": re.compile(r"Max allocated memory: max_memory=" + _SIZE),
    "max_reserved_gib": re.compile(r"Max reserved memory: max_reserved=" + _SIZE),
}
_VRAM = re.compile(rf"Total VRAM {_SIZE}")
_GIB = {"K": 2.0**-20, "M": 2.0**-10, "G": 1.0, "T": 2.0**10, "B": 2.0**-30}
_EXECUTED = re.compile(r"Prompt executed in (?:([0-9]+):([0-9]{2})(?::([0-9]{2}))?|(-?[0-9.]+(?:[eE][-+]?[0-9]+)?))")
_REPORT = re.compile("|".join(f"(?:{size.pattern})" for size in _SIZES.values()))
_FAILURE = re.compile(r"Exception during processing|Error during|Got an OOM")
_INTERRUPTION = re.compile(r"Processing interrupted")


@dataclass(frozen=True)
class Log:
    """A log as the package reads it, in one piece; the fields are those of `pieces.Source`, and its text."""

    given: Input
    data: bytes
    name: str
    digest: str
    size: int
    lines: int
    encoding: str
    undecodable: int


def read(name: str, raw: bytes) -> Log:
    """A log of these bytes."""
    given = from_bytes(name, raw)
    *parts, whole = chunks.cut_chunks(given, 0)
    assert isinstance(whole, chunks.Source)
    data = b"".join(part.data for part in parts if isinstance(part, chunks.Chunk))
    return Log(given, data, name, whole.digest, whole.size, whole.lines, whole.encoding, whole.undecodable)


class Text:
    """A log as a person reads it who knows about wrappings.

    `at` gives all readings of one physical line: as it stands, without terminal codes and NULs, what a JSON line says,
    and, where a container's runtime may have cut lines, everything behind it in one piece.
    """

    def __init__(self, source: Log) -> None:
        self.source = source
        self.raw = source.data.decode().split("\n")
        self.may_be_cut = any(mark in source.data for mark in (b" stdout P", b" stderr P", b'{"log":'))
        self.at = cache(self._at)

    def _at(self, line: int) -> str:
        here = self.raw[line - 1]
        readings = [here, *_readings(here)]
        if self.may_be_cut:
            _, stream = _bare(here)
            readings.append("".join(bare for bare, name in self._bare[line - 1 :] if name == stream))
        return "\n".join(readings)

    @cached_property
    def _bare(self) -> list[tuple[str, str]]:
        return [_bare(line) for line in self.raw]

    @cached_property
    def whole(self) -> str:
        """Every reading of every line."""
        streams = {name for _, name in self._bare} if self.may_be_cut else set()
        joined = ["".join(bare for bare, name in self._bare if name == stream) for stream in streams]
        return "\n".join([*self.raw, *(reading for line in self.raw for reading in _readings(line)), *joined])

    def said(self, pattern: re.Pattern[str]) -> set[tuple[int, ...]]:
        """The figures of each occurrence anywhere."""
        return _figures(pattern, self.whole)

    def last(self, pattern: re.Pattern[str]) -> int:
        """The last line on which it stands, 0 if nowhere."""
        return max((line for line in range(1, self.source.lines + 1) if pattern.search(self.at(line))), default=0)


def _readings(line: str) -> list[str]:
    found = [_without_codes(text) for text in (line, *_of_json(line))]
    return [reading for reading in found if reading != line]


def _without_codes(text: str) -> str:
    return _CODES.sub("", text).replace("\0", "").replace("\x1b", "")


def _of_json(line: str) -> list[str]:
    if not _WRAPPED.match(line.lstrip()):
        return []
    said: list[str] = []

    def keep(pairs: list[tuple[str, object]]) -> None:
        said.extend(value for key, value in pairs if key in ("log", "message", "msg") and isinstance(value, str))

    try:
        json.loads(line, strict=False, object_pairs_hook=keep)
    except (ValueError, RecursionError):
        return []
    return [value.rstrip("\r\n") for value in said]


def _bare(line: str) -> tuple[str, str]:
    """A line without its wrappers, and the container it is from."""
    line = _without_codes(next(iter(_of_json(line)), line))
    stream = ""
    for _ in range(3):
        prefix = _PREFIX.match(line)
        if prefix is None:
            break
        line = line[prefix.end() :]
        stream = stream or prefix["iso"] or prefix["journal"] or prefix["compose"] or ""
    return line, stream


def _figures(pattern: re.Pattern[str], reading: str) -> set[tuple[int, ...]]:
    return {tuple(map(int, match.groups())) for match in pattern.finditer(reading) if None not in match.groups()}


def _sizes(pattern: re.Pattern[str], reading: str) -> list[float]:
    return [float(match[1]) * _GIB[match[2].upper()] for match in pattern.finditer(reading)]


def _among(value: float, figures: Sequence[float]) -> bool:
    return any(math.isclose(value, figure, rel_tol=1e-9) for figure in figures)


def named(logs: Sequence[bytes]) -> list[Log]:
    """The logs under names of their own."""
    return [read(f"{number}.log", data) for number, data in enumerate(logs)]


def analysed(logs: Sequence[bytes], settings: Settings = SETTINGS) -> tuple[Analysis, list[Log]]:
    """The analysis of these logs in one call, and the sources that it must account for: each content once."""
    sources = named(logs)
    first = {source.digest: source for source in reversed(sources)}
    return analyze_inputs([source.given for source in sources], settings), [
        source for source in sources if first[source.digest] is source
    ]


def broken(logs: Sequence[bytes], settings: Settings = SETTINGS) -> list[list[str]]:
    """For each log the claims that do not hold for it, or what was raised.

    All are analysed in one call, which costs little more than one of them alone.
    """
    try:
        found, sources = analysed(logs, settings)
    except Exception as error:  # noqa: BLE001 -- whatever is raised is what is looked for
        if len(logs) == 1:
            return [[told(error)]]
        return [claims for log in logs for claims in broken([log], settings)]
    in_common(found, sources)
    answers = {source.digest: list(not_held(found, source)) for source in sources}
    return [answers[read("", log).digest] for log in logs]


def not_held(found: Analysis, source: Log) -> Iterator[str]:
    """The claims that do not hold for the rows of one source."""
    own, log = replace(found, **rows_of(found, source.name)), Text(source)
    for claim in CLAIMS:
        try:
            claim(own, log)
        except Exception as error:  # noqa: BLE001 -- a claim that cannot be worked out does not hold
            yield told(error)


def told(error: Exception) -> str:
    """The same for all inputs that have the same fault: where it was raised, and no figures."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    message = re.sub(r"[0-9]+", "0", str(error).partition("\n")[0][:80])
    return f"{frame.name}: {frame.line} ({type(error).__name__} {message})"


def in_common(found: Analysis, sources: Sequence[Log]) -> None:
    """What must hold of all sources together: ids are unique among them, and nothing is said of a source not given."""
    assert found.sources["source"].to_list() == [source.name for source in sources]
    assert found.runs["run_id"].is_unique().all()
    assert found.prompts["prompt_id"].is_unique().all()
    by_source = [source.name for source in sources]
    for table, frame in found.tables():
        if "source" in frame.columns:
            assert frame["source"].drop_nulls().is_in(by_source).all(), table
        for name, known in (("run_id", found.runs), ("prompt_id", found.prompts)):
            if name in frame.columns:
                assert frame[name].drop_nulls().is_in(known[name].implode()).all(), (table, name)
    for name in ("windows", "steps", "paddings", "runs", "loras"):
        frame = getattr(found, name)
        assert frame.to_series(frame.columns.index("run_id" if name != "loras" else "prompt_id")).null_count() == 0
    orphans = found.memory.filter(pl.col("run_id").is_null())
    assert orphans["line"].is_between(1, max((source.lines for source in sources), default=0)).all()
    _printed(orphans, "\n".join(Text(source).whole for source in sources) if orphans.height else "")


def decodes(source: Log, raw: bytes) -> None:
    """The text is what Python reads of the bytes in the encoding that is named."""
    assert source.size == len(raw)
    plain = raw.decode(source.encoding, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    assert source.data.removesuffix(b"\n") == plain.removesuffix(b"\n")
    assert source.lines == source.data.count(b"\n")
    assert 0 <= source.undecodable <= len(raw)


def rows_of(found: Analysis, source: str) -> dict[str, pl.DataFrame]:
    """The rows of one source, by table."""
    runs = found.runs.filter(pl.col("source") == source)["run_id"].implode()
    prompts = found.prompts.filter(pl.col("source") == source)["prompt_id"].implode()
    own = {
        "source": pl.col("source") == source,
        "prompt_id": pl.col("prompt_id").is_in(prompts),
        "run_id": pl.col("run_id").is_in(runs),
    }
    return {
        name: frame.filter(
            next((condition for key, condition in own.items() if key in frame.columns), pl.lit(value=True))
        )
        for name, frame in found.tables()
    }


def same_in_company(found: Analysis, source: Log, settings: Settings = SETTINGS) -> None:
    """What is said of a source does not depend on the sources analysed beside it."""
    alone, together = rows_of(analyze_inputs([source.given], settings), source.name), rows_of(found, source.name)
    for table, frame in alone.items():
        assert_frame_equal(together[table], frame)


def same_in_pieces(log: bytes, size: int, settings: Settings = SETTINGS) -> None:
    """What is said of a log does not depend on where it is cut, nor on how early its parts become tables.

    Nor on whether they wait on disk and come back in volumes, but for the order of these. Whether lines are doubled is
    decided by the many lines of a usual piece, so that it is left out here.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(extraction, "drop_doubles", lambda segments: segments)
        _same_in_pieces(log, size, settings)


def _same_in_pieces(log: bytes, size: int, settings: Settings) -> None:
    whole = tabulate([from_bytes("x.log", log)], settings)
    usual = chunks.HEAD_BYTES, incremental.FLUSH_RECORDS, incremental.SPLIT_RECORDS
    chunks.HEAD_BYTES, incremental.FLUSH_RECORDS = min(len(log), chunks.HEAD_BYTES) // 4, 1
    try:
        cut = tabulate([from_bytes("x.log", log)], settings, chunk_bytes=size)
        incremental.SPLIT_RECORDS = 1
        with Spool(0) as spool:
            found = tabulate_volumes([from_bytes("x.log", log)], settings, spool, chunk_bytes=size)
            parts = [found.single] if found.single else list(found.parts)
    finally:
        chunks.HEAD_BYTES, incremental.FLUSH_RECORDS, incremental.SPLIT_RECORDS = usual
    if not whole.frames["sources"]["encoding"].equals(cut.frames["sources"]["encoding"]):
        return  # told by fewer bytes than usual
    for table, frame in whole.frames.items():
        assert_frame_equal(cut.frames[table], frame)
        if table == "excerpts":
            continue  # a volume of one output may hold another's failures between its own lines as well
        together = pl.concat([part.frames[table] for part in parts])
        told = [name for name in frame.columns if name != "wrapper_era"]
        assert_frame_equal(together.select(told), frame.select(told), check_row_order=False)


def _schemas(found: Analysis, _log: Text) -> None:
    for table, frame in found.tables():
        assert frame.schema == SCHEMAS[table], table
        floats = frame.select(selectors.float())
        assert floats.is_empty() or all(floats.select(pl.all().is_finite().all()).row(0)), table


def _keys(found: Analysis, _log: Text) -> None:
    """No two windows of a run, or steps of a window, have the same number, and what they belong to exists."""
    assert found.windows.select("run_id", "window").is_unique().all()
    assert found.steps.select("run_id", "window", "step").is_unique().all()
    assert found.steps.join(found.windows, on=["run_id", "window"], how="anti", nulls_equal=True).is_empty()
    told = found.findings.filter(pl.col("run_id").is_not_null())
    assert told.join(found.runs, on=["run_id", "source"], how="anti").is_empty()


_NOT_NEGATIVE = {
    "sources": ("bytes", "lines", "undecodable", "records", "near"),
    "prompts": ("duration_s",),
    "runs": ("observed_windows", "expected_windows", "sampling_s", "decode_s", "total_s", "prompt_s"),
    "windows": ("steps_done", "steps_total", "sampling_s", "total_s", "s_per_step", "total_uncertainty_s"),
    "steps": ("duration_s", "uncertainty_s"),
}


def _not_negative(found: Analysis, _log: Text) -> None:
    """Counts of ours and times, whatever the log says."""
    for table, names in _NOT_NEGATIVE.items():
        for name in names:
            assert (getattr(found, table)[name].drop_nulls() >= 0).all(), (table, name)


def _numbered(found: Analysis, _log: Text) -> None:
    """Windows and steps count from 1."""
    assert (found.steps["step"] >= 1).all()
    assert (found.windows["window"] >= 1).all()
    assert found.windows["window"].null_count() == 0


def _lines(found: Analysis, log: Text) -> None:
    """Every line that is named exists."""
    for name, frame in found.tables():
        for column in ("line", "end_line", "peak_line"):
            if column in frame.columns and not frame.is_empty():
                assert frame[column].drop_nulls().is_between(1, log.source.lines).all(), (name, column)
    for frame in (found.runs, found.prompts):
        assert (frame["end_line"] >= frame["line"]).all()
        assert frame.select("line", "end_line").null_count().sum_horizontal().item() == 0
        assert frame["status"].is_in(STATUS).all()


def _method_told(found: Analysis, _log: Text) -> None:
    """A time has a method and a bound; no time has neither."""
    assert (found.steps["duration_s"].is_null() == found.steps["method"].is_null()).all()
    assert (found.steps["duration_s"].is_null() == found.steps["uncertainty_s"].is_null()).all()


def _steps_add_up(found: Analysis, _log: Text) -> None:
    """A window has no more steps than it did, and did no more than it had to."""
    assert (found.windows["steps_done"] <= found.windows["steps_total"]).all()
    counted = found.steps.group_by("run_id", "window").agg(pl.len().alias("steps"), pl.col("step").max())
    held = counted.join(found.windows, on=["run_id", "window"], how="left", nulls_equal=True)
    assert (held["steps"] <= held["steps_done"]).all()
    assert (held["step"] <= held["steps_done"]).all()


def _windows_add_up(found: Analysis, _log: Text) -> None:
    """The windows counted are those with a line, and one that was never seen tells nothing but what was expected."""
    seen = found.windows.filter(pl.col("line").is_not_null()).group_by("run_id").len("seen")
    runs = found.runs.join(seen, on="run_id", how="left").filter(pl.col("observed_windows").is_not_null())
    assert (runs["observed_windows"] == runs["seen"].fill_null(0)).all()
    unseen = found.windows.filter(pl.col("line").is_null())
    rest = unseen.drop("run_id", "window", "expected_start", "expected_end", "line")
    assert all(column.is_null().all() for column in rest)


def _paddings_add_up(found: Analysis, _log: Text) -> None:
    paddings = found.paddings
    assert (paddings["missing"] == paddings["need"] - paddings["have"]).all()
    assert (paddings["context"] == paddings["padding"] - paddings["missing"]).all()


def _verdict(found: Analysis, _log: Text) -> None:
    """A log without runs passes nothing, and every finding is said in words."""
    severities = set(found.findings["severity"])
    assert severities <= {"error", "warning", "info"}
    is_failure = (found.findings["severity"] == "error").any()
    assert (found.verdict == "no-runs") == (found.runs.is_empty() and not is_failure)
    if found.verdict == "pass":
        assert severities <= {"info"}
    for name in ("message", "observed", "expected", "fix"):
        assert (found.findings[name].str.len_chars() > 0).all(), name


def _quoted(found: Analysis, log: Text) -> None:
    """Excerpts and near misses stand on their lines; what was put together of pieces is not looked up."""
    for frame in (found.excerpts, found.near_misses):
        for line, said in frame.select("line", "text").rows():
            assert log.may_be_cut or said in log.at(line), frame.columns


def _printed(memory: pl.DataFrame, whole: str) -> None:
    for name, pattern in _SIZES.items():
        printed = _sizes(pattern, whole) if memory[name].count() else []
        for value in memory[name].drop_nulls():
            assert _among(value, printed), (name, value)


def _windows(found: Analysis, log: Text) -> None:
    seen = found.windows.filter(pl.col("line").is_not_null())
    if seen.is_empty():
        return
    early, bars = log.said(_EARLY_RANGE), log.said(_BAR)
    totals = {total for _, total in bars} | {total for (total,) in log.said(_HEADER_STEPS)}
    done = {n for n, _ in bars} | {n for (n,) in log.said(_COUNTER)}
    without = any(match[1] is None for match in _BAR.finditer(log.whole))
    lines = (seen["range_source"] == "line") & seen["steps_total"].is_null()
    for line, start, end in seen.filter(lines).select("line", "audio_start", "audio_end").rows():
        assert (start, end) in _figures(_LINE_RANGE, log.at(line)), (line, start, end)
    for line, start, end, steps, total in (
        seen.filter(~lines.fill_null(value=False))
        .select("line", "audio_start", "audio_end", "steps_done", "steps_total")
        .rows()
    ):
        assert _BAR.search(log.at(line)) or _COUNTER.search(log.at(line)), line
        assert (start is None) == (end is None)
        assert start is None or (start, end) in _figures(_RANGE, log.at(line)) | early, (line, start, end)
        assert total is None or total in totals, (line, total)
        assert steps is None or steps in done or without, (line, steps)


def _steps(found: Analysis, log: Text) -> None:
    """The bar on the line has come that far."""
    for line, step in found.steps.select("line", "step").rows():
        reading = log.at(line)
        reached = {n for n, _ in _figures(_BAR, reading)} | {n for (n,) in _figures(_COUNTER, reading)}
        without = any(match[1] is None for match in _BAR.finditer(reading))
        assert without or max(reached, default=0) >= step, (line, step)


def _paddings(found: Analysis, log: Text) -> None:
    lengths = log.said(_LENGTH) if found.paddings.height else set()
    told = Counter(found.paddings.select("line", "padding", "subject", "have", "need").rows())
    for (line, padding, *figures), times in told.items():
        held = [tuple(map(_told_int, match.groups())) for match in _REQUEST.finditer(log.at(line))]
        if figures == [None, None, None] and tuple(figures) not in held:
            held = [(None, None, None) for match in _LENGTH.finditer(log.at(line)) if _told_int(match[1]) == padding]
        assert held.count(tuple(figures)) >= times, (line, padding, figures)
    for padding in found.paddings["padding"].drop_nulls():
        assert (padding,) in lengths, padding


def _pair(match: re.Match[str]) -> tuple[int | None, int | None]:
    return _told_int(match[1]), _told_int(match[2])


def _told_int(figure: str) -> int | None:
    """A figure, or null where it is beyond 64 bits."""
    value = int(figure)
    return value if -(2**63) <= value < 2**63 else None


def _memory(found: Analysis, log: Text) -> None:
    """Each figure is printed, and one of the row's stands on the line that is cited."""
    _printed(found.memory, log.whole)
    for row in found.memory.iter_rows(named=True):
        here = [
            _among(row[name], _sizes(pattern, log.at(row["line"])))
            for name, pattern in _SIZES.items()
            if row[name] is not None
        ]
        assert any(here) or not here, row
        assert row["phase"] is None or f"[{row['phase']}]" in log.at(row["line"])


def _loras(found: Analysis, log: Text) -> None:
    for name, rank, strength, line in found.loras.select("name", "rank", "strength", "line").rows():
        assert f"Loading LoRA: {name} with strength: {strength}" in log.at(line), line
        assert rank is None or re.search(rf"(?i)rank[_-]?0*{rank}(?![0-9])", name), name


_STOPPED = re.compile(r"sampling stopped at step \d+ of \d+ in window \d+; no message says why")
"""What a prompt whose last bar stands below its total failed of: the log has no words for it."""


def _prompts(found: Analysis, log: Text) -> None:
    for row in found.prompts.iter_rows(named=True):
        if row["duration_s"] is not None:
            assert _among(row["duration_s"], _durations(log.at(row["end_line"]))), row
        if row["error"] is not None:
            lines = range(row["line"], row["end_line"] + 1)
            assert _STOPPED.fullmatch(row["error"]) or any(row["error"] in log.at(line) for line in lines), row
        if row["started_at"] is not None:
            assert re.search(_STAMP, log.whole), row


def _durations(reading: str) -> list[float]:
    found = []
    for match in _EXECUTED.finditer(reading):
        first, second, third, seconds = match.groups()
        if seconds is not None:
            found.append(float(seconds))
        elif third is None:
            found.append(int(first) * 60.0 + int(second))
        else:
            found.append(int(first) * 3600.0 + int(second) * 60 + int(third))
    return found


def _runs(found: Analysis, log: Text) -> None:
    for row in found.runs.iter_rows(named=True):
        here, whole = log.at(row["line"]), log.whole
        if row["width"] is not None or row["height"] is not None:
            assert (row["width"], row["height"]) in {_pair(match) for match in _SIDES.finditer(here)}, row["line"]
        for name in ("audio_frames", "requested_frames", "announced_windows", "lora_rank", "swapped_blocks", "steps"):
            assert row[name] is None or re.search(rf"(?<![0-9])0*{abs(row[name])}(?![0-9])", whole), (name, row[name])
        for name in ("gpu", "comfyui_version", "torch_version"):
            assert row[name] is None or row[name] in whole, (name, row[name])
        if row["total_vram_gib"] is not None:
            assert _among(row["total_vram_gib"], _sizes(_VRAM, whole)), row
        for name, printed in (("peak_allocated_gib", "max_allocated_gib"), ("peak_reserved_gib", "max_reserved_gib")):
            assert row[name] is None or _among(row[name], _sizes(_SIZES[printed], whole)), (name, row[name])
        assert row["peak_line"] is None or _REPORT.search(log.at(row["peak_line"])), row
        assert row["peak_covers"] is None or row["peak_allocated_gib"] is not None


def _outcomes(found: Analysis, log: Text) -> None:
    """A good end has its evidence at the end of a prompt, or behind the beginning of a run; so has a bad one."""
    for line, end, status, error in found.prompts.select("line", "end_line", "status", "error").rows():
        lines = range(line, end + 1)
        if status == "completed":
            assert _EXECUTED.search(log.at(end)), (line, end)
        if status in ("failed", "interrupted"):
            evidence = _FAILURE if status == "failed" else _INTERRUPTION
            if _STOPPED.fullmatch(error or ""):
                continue
            assert any(evidence.search(log.at(number)) for number in lines), (line, end, status)
    runs = found.runs
    completed = runs.filter(pl.col("status") == "completed")
    if completed.is_empty():
        return
    evidence_line = max(log.last(_EXECUTED), log.last(_REPORT))
    last = dict(runs.group_by("prompt_id").agg(pl.col("line").max()).rows())
    stages = Counter(runs["prompt_id"])
    for line, prompt in completed.select("line", "prompt_id").rows():
        followed = stages[prompt] > 1 and last[prompt] >= line
        assert followed or evidence_line >= line, line


CLAIMS: tuple[Callable[[Analysis, Text], None], ...] = (
    _schemas, _keys, _not_negative, _numbered, _lines, _method_told, _steps_add_up, _windows_add_up, _paddings_add_up,
    _verdict, _quoted, _windows, _steps, _paddings, _memory, _loras, _prompts, _runs, _outcomes,
)  # fmt: skip
"""What is claimed of one source's rows, each on its own, so that one that fails does not hide another."""


def rendered(found: Analysis, settings: Settings = SETTINGS) -> None:
    """Every form of the report can be made, and the document is JSON that holds the tables."""
    inside = json_document.to_json(found, generated_at=MOMENT, version="0")
    said = json.loads(inside)
    assert said["verdict"] == found.verdict
    for table, frame in found.tables():
        assert table not in said or len(said[table]) == frame.height, table
    assert html.render_page(found, settings, generated_at=MOMENT, document=inside).rstrip().endswith("</html>")
    assert markdown.render_analysis(found, settings)
    for verbose in (False, True):
        summary.write(found, io.StringIO(), verbose=verbose)
