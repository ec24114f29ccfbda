"""One run in full: its drawings, its tables, its settings and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer import units
from loganalyzer.report import words
from loganalyzer.report.facts import gravity
from loganalyzer.report.figures import memory, schedule, timing
from loganalyzer.report.findings import mark
from loganalyzer.report.model import Cell, Column, Mark, Pair, Run, Table
from loganalyzer.report.overview import quantization, status_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row, RunFacts
    from loganalyzer.report.figures.memory import Band
    from loganalyzer.report.model import Figure
    from loganalyzer.settings import Settings

MOST_WITH_FIGURES: Final = 40
MOST_RUNS: Final = 120
MOST_ROWS: Final = 60
FEW: Final = 3
"""So many runs are all shown opened."""
_ABSENT: Final = {
    "Schedule": "no window's range is known",
    "Step times": "no step's duration is known",
    "GPU memory": "the log holds no memory report for this run",
}
_NOT_DRAWN: Final = f"Drawings are left out: the page draws {MOST_WITH_FIGURES} runs, the gravest first."


def gravest(runs: Sequence[RunFacts], most: int) -> set[str]:
    """The anchors of `most` runs: those with errors first, then in the runs' order."""
    ordered = sorted(runs, key=lambda facts: gravity(facts.worst))
    return {facts.anchor for facts in ordered[:most]}


def detail(facts: RunFacts, settings: Settings, band: Band | None, *, drawn: bool, few: bool) -> Run:
    """The run's part of the page; opened where there are few runs, or where something must be changed."""
    run = facts.run
    told = _settings(facts, settings)
    figures = _figures(facts, settings, band) if drawn else ()
    return Run(
        facts.anchor,
        facts.place,
        Mark(words.told(run["status"]), status_kind(run["status"])),
        mark(facts.worst) if facts.worst in {"error", "warning"} else None,
        _facts_line(facts, settings.fps),
        few or facts.worst in {"error", "warning"},
        tuple(
            Cell(words.told(row["message"]), note=words.told(row["rule"]), kind=mark(row["severity"]).kind)
            for row in facts["findings"][:MOST_ROWS]
        ),
        figures,
        _windows(facts, settings.fps),
        _paddings(facts),
        _memory(facts),
        tuple(pair for pair in told if pair.text != words.NOTHING),
        words.listed([pair.term for pair in told if pair.text == words.NOTHING], most=30),
        _not_checked(facts),
        _absent(figures) if drawn else _NOT_DRAWN,
    )


def _figures(facts: RunFacts, settings: Settings, band: Band | None) -> tuple[Figure, ...]:
    total = facts.run["total_vram_gib"] or settings.total_vram_gib
    drawn = (
        schedule.draw(facts, settings.fps),
        timing.draw(facts, settings.step_outlier_factor),
        memory.draw(facts, band, total),
    )
    return tuple(figure for figure in drawn if figure is not None)


def _absent(figures: Sequence[Figure]) -> str:
    """Why a drawing is not there."""
    drawn = {figure.title for figure in figures}
    return " ".join(f"{title}: {why}." for title, why in _ABSENT.items() if title not in drawn)


def _facts_line(facts: RunFacts, fps: float) -> tuple[str, ...]:
    run = facts.run
    missing = run["missing_frames"]
    said = (
        words.frames(run["audio_frames"], fps) if run["audio_frames"] is not None else "",
        f"{words.count(run['observed_windows'])} of {units.plural(run['expected_windows'], 'window')}"
        if run["expected_windows"] is not None
        else "",
        f"{units.plural(missing, 'frame')} missing" if missing else "",
        words.duration(run["total_s"]) if run["total_s"] is not None else "",
    )
    return tuple(text for text in said if text)


def _windows(facts: RunFacts, fps: float) -> Table | None:
    """Each window with its boundary: where it begins is where the picture may degrade."""
    rows = facts["windows"]
    if not rows:
        return None
    columns = (
        "Window",
        "Frames",
        "Time in the video",
        "Boundary",
        "Steps",
        "Sampling",
        "With decoding",
        "Per step",
        "Log line",
    )
    shown = tuple(_window(row, fps) for row in rows[:MOST_ROWS])
    return Table(
        f"Windows and boundaries of {facts.place}",
        tuple(Column(name, number=True) for name in columns),
        shown,
        _rest(rows),
    )


def _window(row: Row, fps: float) -> tuple[Cell, ...]:
    seen = row["audio_start"] is not None
    start, end = (row["audio_start"], row["audio_end"]) if seen else (row["expected_start"], row["expected_end"])
    differs = f"expected {words.span(row['expected_start'], row['expected_end'])}"
    later = start is not None and row["window"] is not None and row["window"] > 1
    return (
        Cell(words.count(row["window"])),
        Cell(words.span(start, end), note=differs if row["matches"] is False else "" if seen else "not seen", kind="error" if row["matches"] is False else ""),
        Cell(f"{words.timecode(start, fps)} to {words.timecode(end, fps)}" if start is not None else words.NOTHING),
        Cell(words.timecode(start, fps)) if later else Cell("none" if row["window"] == 1 else words.NOTHING),
        Cell(words.NOTHING if row["steps_done"] is None else f"{row['steps_done']} of {words.count(row['steps_total'])}"),
        Cell(words.duration(row["sampling_s"])),
        Cell(words.duration(row["total_s"])),
        Cell(words.step(row["s_per_step"])),
        Cell(words.count(row["line"])),
    )  # fmt: skip


def _paddings(facts: RunFacts) -> Table | None:
    rows = facts["paddings"]
    if not rows:
        return None
    columns = ("Window", "Subject", "Audio has", "Window needs", "Padded", "Context", "Missing", "Log line")
    frames = ("have", "need", "padding", "context", "missing")
    return Table(
        f"Padding warnings of {facts.place}",
        tuple(Column(name, number=True) for name in columns),
        tuple(
            (
                Cell(words.count(row["window"])),
                Cell(words.count(row["subject"])),
                *(
                    Cell(
                        words.NOTHING if row[name] is None else units.plural(row[name], "frame"),
                        kind="error" if name == "missing" and (row[name] or 0) > 0 else "",
                    )
                    for name in frames
                ),
                Cell(words.count(row["line"])),
            )
            for row in rows[:MOST_ROWS]
        ),
        _rest(rows),
    )


def _memory(facts: RunFacts) -> Table | None:
    rows = facts["memory"]
    if not rows:
        return None
    return Table(
        f"Memory reports of {facts.place}",
        (Column("Phase"), *(Column(name, number=True) for name in ("Allocated", "Peak allocated", "Peak reserved", "Log line"))),
        tuple(
            (
                Cell(words.told(row["phase"])),
                *(Cell(words.number(row[name], "GiB", 3)) for name in ("allocated_gib", "max_allocated_gib", "max_reserved_gib")),
                Cell(words.count(row["line"])),
            )
            for row in rows[:MOST_ROWS]
        ),
        _rest(rows),
    )  # fmt: skip


def _rest(rows: Sequence[Row]) -> str:
    left = len(rows) - MOST_ROWS
    return f"{left:,} more rows are left out here; the embedded document holds them all." if left > 0 else ""


def _settings(facts: RunFacts, settings: Settings) -> tuple[Pair, ...]:
    run = facts.run
    told = (
        ("Log", words.visible(run["source"]), True),
        ("Lines", f"{words.count(run['line'])} to {words.count(run['end_line'])}", False),
        ("Mode", words.told(run["mode"]), False),
        ("Size", words.size(run["width"], run["height"]), False),
        ("Steps", words.count(run["steps"]), False),
        ("Speakers", words.count(run["speakers"]), False),
        ("Schedule", _schedule(run), False),
        ("Audio", words.duration(run["audio_s"]), False),
        ("Frames asked for", words.count(run["requested_frames"]), False),
        *(("LoRA", _lora(row), True) for row in facts["loras"][:8]),
        ("Quantisation", quantization(facts), False),
        ("Blocks swapped", words.count(run["swapped_blocks"]), False),
        (
            "Peak covers",
            words.covers(run["peak_covers"]) if run["peak_allocated_gib"] is not None else words.NOTHING,
            False,
        ),
        ("Sampling steps", words.duration(run["sampling_s"]), False),
        ("VAE decoding", words.duration(run["decode_s"]), False),
        ("All windows", words.duration(run["total_s"]), False),
        ("Prompt", words.duration(run["prompt_s"]), False),
        ("GPU", words.told(run["gpu"] or settings.gpu), False),
        ("GPU memory", words.gib(run["total_vram_gib"] or settings.total_vram_gib), False),
        ("ComfyUI", words.told(run["comfyui_version"]), False),
        ("PyTorch", words.told(run["torch_version"]), False),
        ("Wrapper revision", words.told(run["wrapper_era"]), False),
        ("Run", words.told(run["run_id"]), True),
    )
    return tuple(Pair(*pair) for pair in told)


def _schedule(run: Row) -> str:
    if run["window_frames"] is None:
        return words.NOTHING
    how = "observed" if run["schedule_observed"] else "as configured"
    said = [
        units.plural(run["window_frames"], "frame"),
        f"overlap {words.count(run['motion_frames'])}",
        f"stride {words.count(run['stride'])}",
    ]
    return f"{', '.join(said)} ({how})"


def _lora(row: Row) -> str:
    rank = f", rank {row['rank']}" if row["rank"] is not None else ""
    strength = f", strength {words.visible(row['strength'])}" if row["strength"] else ""
    return f"{words.told(row['name'])}{rank}{strength}"


def _not_checked(facts: RunFacts) -> str:
    names = sorted({words.told(row["rule"]) for row in facts["not_checked"]})
    return words.listed(names, most=30)
