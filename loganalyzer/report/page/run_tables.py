"""Builds the tables of one run: windows, boundaries, step times, padding warnings, memory reports, nodes, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.model import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row, RunFacts

MOST_ROWS: Final = 60
MOST_STEPS: Final = 12
_WINDOWS: Final = (
    "Window", "Frames", "Time in the video", "Boundary", "Steps", "Sampling", "With decoding", "Per step", "Log line",
)  # fmt: skip
_PADDINGS: Final = (
    "Window", "Subject", "Audio has", "Window needs", "Padded", "Context", "Missing", "Log line",
)  # fmt: skip
_NODES: Final = ("Time", "Peak allocated", "Free memory", "Temperature", "Log line")
_MEMORY: Final = ("Allocated", "Peak allocated", "Peak reserved", "Log line")

_SEGMENTED: Final = "longcat"
"""A mode whose ranges are indices of the audio, of which a frame may have two."""


def window_table(facts: RunFacts, fps: float) -> Table | None:
    """One row per window, with its frames and times. The picture may degrade where a window starts."""
    rows = tuple(_window_row(row, fps) for row in facts["windows"][:MOST_ROWS])
    return _limited_table(f"Windows and boundaries of {facts.place}", _number_columns(_WINDOWS), rows, facts["windows"])


def _window_row(row: Row, fps: float) -> tuple[Cell, ...]:
    seen = row["audio_start"] is not None
    start, end = (row["audio_start"], row["audio_end"]) if seen else (row["expected_start"], row["expected_end"])
    begin = words.timecode(start, fps)
    done = row["steps_done"]
    return (
        Cell(words.count(row["window"])),
        _range_cell(row, start, end, seen=seen),
        Cell(words.DASH if start is None else f"{begin}–{words.timecode(end, fps)}"),
        Cell("none" if row["window"] == 1 else begin),
        Cell(words.DASH if done is None else f"{done} of {words.count(row['steps_total'])}"),
        Cell(words.duration(row["sampling_s"])),
        Cell(words.duration(row["total_s"])),
        Cell(words.step(row["s_per_step"])),
        Cell(words.count(row["line"])),
    )


def _range_cell(row: Row, start: int | None, end: int | None, *, seen: bool) -> Cell:
    if not seen:
        return Cell(words.span(start, end), note="not seen")
    if row["matches"] is not False:
        return Cell(words.span(start, end))
    expected = words.span(row["expected_start"], row["expected_end"])
    return Cell(words.span(start, end), note=f"expected {expected}", kind="error")


def boundary_table(facts: RunFacts, fps: float) -> Table | None:
    """Timecodes to inspect in the video: the start of each window, and the end of the audio."""
    if facts.run["mode"] == _SEGMENTED:
        return None
    marks = [
        (start, f"window {row['window']} starts")
        for row in facts["windows"]
        if (start := row["audio_start"] if row["audio_start"] is not None else row["expected_start"]) and start > 0
    ]
    missing, audio = facts.run["missing_frames"], facts.run["audio_frames"]
    if missing and audio is not None:
        kind = {True: "mirrored speech", False: "silence"}.get(facts.run["mirrored"], "padding")
        begin = min([row["have"] for row in facts["paddings"] if row["have"] and row["missing"]] or [audio])
        marks.append((begin, f"audio ends; {formatting.plural(missing, 'frame')} of {kind}"))
    rows = tuple(
        (Cell(words.smpte(frame, fps)), Cell(words.timecode(frame, fps)), Cell(words.count(frame)), Cell(what))
        for frame, what in sorted(marks)[:MOST_ROWS]
    )
    columns = (Column(f"Timecode at {fps:g} fps"), Column("Time"), Column("Frame", number=True), Column("Event"))
    rest = words.describe_rest(len(marks) - len(rows), "row")
    return (
        Table(f"Boundaries of {facts.place}, as timecodes", columns, rows, rest, words.ALL_ROWS_COMMAND)
        if rows
        else None
    )


def step_table(facts: RunFacts) -> Table | None:
    """Step times as in the figure: a row per window; a column per step, or minimum, median and maximum of many."""
    by_window: dict[int, list[Row]] = {}
    for row in facts["steps"]:
        if row["window"] is not None:
            by_window.setdefault(row["window"], []).append(row)
    widest = max(map(len, by_window.values()), default=0)
    if not widest:
        return None
    shown = dict(list(by_window.items())[:MOST_ROWS])
    if widest <= MOST_STEPS:
        titles = [f"Step {number}" for number in range(1, widest + 1)]
        cells = [[words.step(row["duration_s"]) for row in found] for found in shown.values()]
    else:
        titles = ["Steps", "Fastest", "Median", "Slowest"]
        cells = [_spread_texts([row["duration_s"] for row in found]) for found in shown.values()]
    rows = tuple(
        (Cell(words.count(window)), *map(Cell, texts), *[Cell(words.DASH)] * (len(titles) - len(texts)))
        for window, texts in zip(shown, cells, strict=True)
    )
    return _limited_table(f"Step times of {facts.place}", _number_columns(["Window", *titles]), rows, list(by_window))


def _spread_texts(durations: Sequence[float | None]) -> list[str]:
    known = [value for value in durations if value is not None]
    figures = (min(known, default=None), words.median(known), max(known, default=None))
    return [words.count(len(durations)), *map(words.step, figures)]


def padding_table(facts: RunFacts) -> Table | None:
    """The padding warnings: frames that exist, are needed, were added, and are missing."""
    rows = tuple(_padding_row(row) for row in facts["paddings"][:MOST_ROWS])
    return _limited_table(f"Padding warnings of {facts.place}", _number_columns(_PADDINGS), rows, facts["paddings"])


def _padding_row(row: Row) -> tuple[Cell, ...]:
    frames = [
        words.DASH if row[name] is None else formatting.plural(row[name], "frame")
        for name in ("have", "need", "padding", "context", "missing")
    ]
    missing = Cell(frames.pop(), kind="error" if (row["missing"] or 0) > 0 else "")
    return (
        Cell(words.count(row["window"])),
        Cell(words.count(row["subject"])),
        *(Cell(text) for text in frames),
        missing,
        Cell(words.count(row["line"])),
    )


def memory_table(facts: RunFacts) -> Table | None:
    """The memory reports with the printed precision."""
    rows = tuple(
        (
            Cell(words.or_dash(row["phase"])),
            Cell(words.number(row["allocated_gib"], "GiB", 3)),
            Cell(words.number(row["max_allocated_gib"], "GiB", 3)),
            Cell(words.number(row["max_reserved_gib"], "GiB", 3)),
            Cell(words.count(row["line"])),
        )
        for row in facts["memory"][:MOST_ROWS]
    )
    return _limited_table(
        f"Memory reports of {facts.place}", (Column("Phase"), *_number_columns(_MEMORY)), rows, facts["memory"]
    )


def node_table(facts: RunFacts) -> Table | None:
    """The nodes of the run's prompt as recorded: where its time and its memory went."""
    rows = tuple(
        (
            Cell(words.or_dash(row["node"])),
            Cell(words.or_dash(row["class"])),
            Cell(words.duration(row["duration_s"])),
            Cell(words.gib(row["peak_allocated_gib"])),
            Cell(words.gib(row["free_gib"])),
            Cell(words.number(row["temperature_c"], "°C", 0)),
            Cell(words.or_dash(row["throttle"])),
            Cell(words.count(row["line"])),
        )
        for row in facts["nodes"][:MOST_ROWS]
    )
    columns = (Column("Node"), Column("Class"), *_number_columns(_NODES[:4]), Column("Throttled by"))
    return _limited_table(f"Nodes of {facts.place}", (*columns, *_number_columns(_NODES[4:])), rows, facts["nodes"])


def event_table(facts: RunFacts) -> Table | None:
    """The values of messages that patterns of the user or of other packages parse."""
    rows = tuple(
        (
            Cell(words.or_dash(row["event"])),
            Cell(words.or_dash(row["field"])),
            Cell(words.or_dash(row["value"])),
            Cell(words.count(row["line"])),
        )
        for row in facts["events"][:MOST_ROWS]
    )
    columns = (Column("Event"), Column("Field"), Column("Value"), *_number_columns(["Log line"]))
    return _limited_table(f"Events of {facts.place}", columns, rows, facts["events"])


def _number_columns(titles: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(title, number=True) for title in titles)


def _limited_table(
    caption: str, columns: tuple[Column, ...], rows: tuple[tuple[Cell, ...], ...], known: Sequence[object]
) -> Table | None:
    return (
        Table(caption, columns, rows, words.describe_rest(len(known) - len(rows), "row"), words.ALL_ROWS_COMMAND)
        if rows
        else None
    )
