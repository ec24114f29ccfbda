"""The first screen: the verdict in words, the counts, and one row per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting
from loganalyzer.common.severity import SEVERE
from loganalyzer.report import words
from loganalyzer.report.facts import gravest
from loganalyzer.report.figures import small
from loganalyzer.report.model import Cell, Column, Mark, Overview, Pair, Table
from loganalyzer.report.other_models import other_stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loganalyzer.report.facts import Row, RunFacts
    from loganalyzer.report.model import First, Group
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis
    from loganalyzer.tables.totals import Totals

MOST_ROWS: Final = 1000
_MARKS: Final = {
    "pass": Mark("Pass", "ok"),
    "warn": Mark("Warn", "warning"),
    "fail": Mark("Fail", "error"),
    "no-runs": Mark("No runs", "error"),
}
_INCOMPLETE: Final = Mark("Pass (incomplete)", "warning")
_STATUS: Final = {"completed": "ok", "failed": "error", "interrupted": "warning", "truncated": "warning"}
_SOURCES: Final = {
    "option": "declared",
    "workflow": "in the workflow",
    "log": "in the log",
    "filename": "in a file name",
    "vram": "inferred",
}
SHOWN: Final = {
    "gpu": "GPU",
    "attention": "attention",
    "precision": "precision",
    "vram_state": "VRAM state",
    "torch_version": "PyTorch",
    "comfyui_version": "ComfyUI",
    "driver": "driver",
}
"""Columns of `runs` that the first screen names, with their names there."""
_NO_RUNS: Final = (
    "Silence is never a pass. A log of this kind holds a line such as “Sampling 369 frames in 6 windows, at 1280x720 "
    "with 4 steps”, which ComfyUI prints to standard error: check that these are the right files, and that standard "
    "error was recorded."
)
_COLUMNS: Final = (
    Column("Run"),
    Column("Status"),
    Column("Mode and size"),
    Column("Audio", number=True),
    Column("Windows", number=True),
    Column("Missing", number=True),
    Column("Peak allocated", number=True),
    Column("Quantization"),
    Column("Step median", number=True),
    Column("Total", number=True),
)


def overview(
    analysis: Analysis, groups: Sequence[Group], first: tuple[First, ...], *, left_out: Sequence[str]
) -> Overview:
    """The verdict, the counts, what the reader must not miss, and what to do first."""
    totals = analysis.totals
    pairs = (
        Pair("runs", words.count(totals.runs)),
        Pair("completed", words.count(totals.completed)),
        Pair("errors", words.count(totals.severity("error"))),
        Pair("warnings", words.count(totals.severity("warning"))),
        Pair("notes", words.count(totals.severity("info"))),
        Pair("not checked", words.count(totals.unchecked)),
    )
    return Overview(
        _INCOMPLETE if _is_doubtful(analysis) else _MARKS[analysis.verdict],
        _headline(analysis, totals),
        _lead(analysis, groups),
        pairs,
        _notices(analysis, left_out),
        first,
    )


def _headline(analysis: Analysis, totals: Totals) -> str:
    runs, inputs = totals.runs, formatting.plural(totals.inputs, "input")
    if analysis.verdict == "no-runs":
        return f"No run was found in {inputs}"
    counts = {name: totals.severity(name) for name in SEVERE}
    said = [formatting.plural(number, word) for word, number in counts.items() if number]
    if not said:
        rest = ", as far as the log shows" if _is_doubtful(analysis) else ""
        return f"{formatting.plural(runs, 'run')} within expectations{rest}"
    touched = totals.touched
    where = f" in {touched:,} of {formatting.plural(runs, 'run')}" if touched else ""
    where = " in 1 run" if touched == runs == 1 else where
    return f"{' and '.join(said)}{where}"


def _lead(analysis: Analysis, groups: Sequence[Group]) -> str:
    totals = analysis.totals
    if analysis.verdict == "no-runs":
        others = other_stages(analysis)
        return f"{others}: only WanVideo runs are checked." if others else _NO_RUNS
    if analysis.verdict != "pass":
        grave = [group for group in groups if group.mark.kind in {"error", "warning"}]
        return _sentence([f"{group.name.replace('-', ' ')} ({group.count.split()[0]})" for group in grave])
    if _is_doubtful(analysis):
        return f"No problems found, but not everything that decides could be checked: {'; '.join(totals.gaps())}."
    rest = "What could not be checked is listed below." if totals.unchecked else "Everything was checked."
    return f"No problems found. {rest}"


def _is_doubtful(analysis: Analysis) -> bool:
    return analysis.verdict == "pass" and not analysis.complete


def _sentence(kinds: Sequence[str]) -> str:
    """What is wrong, by kind with how often, in one sentence."""
    said = words.listed(kinds, most=6)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _notices(analysis: Analysis, left_out: Sequence[str]) -> tuple[str, ...]:
    unread = len(analysis.problems)
    said = [f"{formatting.plural(unread, 'input')} could not be read: see Problems."] if unread else []
    return (*said, *left_out, *_environment(analysis))


def _environment(analysis: Analysis) -> tuple[str, ...]:
    """The environment that all runs share, as far as it is known; or that the runs differ in it."""
    runs = analysis.runs
    if runs.is_empty() or runs["environment_line"].is_null().any():
        return ()
    values = {title: runs[column].unique() for column, title in SHOWN.items()}
    differing = [title for title, found in values.items() if len(found) > 1]
    shared = [f"{title} {words.visible(found[0])}" for title, found in values.items() if len(found) == 1 and found[0]]
    said = [f"All runs: {', '.join(shared)}."] if shared and runs.height > 1 else []
    if differing:
        said.append(f"The runs differ in: {', '.join(differing)}. See the details of each run.")
    return tuple(said)


def run_table(
    runs: Sequence[RunFacts], number: int, links: Mapping[str, str], settings: Settings, *, pictures: bool = True
) -> Table | None:
    """One row per run of so many, with small pictures; those with a part of their own on the page lead there."""
    rows = tuple(_row(facts, links, settings, pictures=pictures) for facts in gravest(runs, MOST_ROWS))
    rest = words.left_out(number - len(rows), "run")
    command = words.ALL if number <= len(runs) else words.FROM_LOGS
    return Table("All runs, one row each", _COLUMNS, rows, rest, command) if rows else None


def _row(facts: RunFacts, links: Mapping[str, str], settings: Settings, *, pictures: bool) -> tuple[Cell, ...]:
    run, fps = facts.run, settings.fps
    total = run["total_vram_gib"] or settings.total_vram_gib
    return (
        Cell(facts.place, href=links.get(run["run_id"], ""), kind=facts.worst, code=True),
        Cell(words.told(run["status"]), note=_verdict(run), kind=status_kind(run["status"])),
        Cell(words.mode(run["mode"], run["producer"]), note=words.size(run["width"], run["height"])),
        _audio(facts, fps),
        _windows(facts, small.schedule(facts) if pictures else ""),
        _missing(facts, fps),
        Cell(
            words.gib(run["peak_allocated_gib"]),
            note=_peak_note(facts),
            svg=small.memory(facts, total) if pictures else "",
        ),
        Cell(words.told(run["quantization"]), note=_SOURCES.get(run["quantization_source"] or "", "")),
        Cell(
            words.step(facts.median_step),
            note="average" if facts.median_step and facts.only_averages else "",
            svg=small.steps(facts, settings.step_outlier_factor) if pictures else "",
        ),
        Cell(
            words.duration(run["total_s"]),
            note="" if run["prompt_s"] is None else f"prompt {words.duration(run['prompt_s'])}",
        ),
    )


def _verdict(run: Row) -> str:
    """`pass`, or `pass, incomplete`; nothing in a document that does not say, or says another word."""
    lacking = ", incomplete" if run["complete"] is False else ""
    return f"{run['verdict']}{lacking}" if run["verdict"] in _MARKS else ""


def status_kind(status: str | None) -> str:
    """The colour and icon of how a run ended."""
    return _STATUS.get(status or "", "muted")


def quantization(run: Row) -> str:
    """`Q6_K (declared)`."""
    source = _SOURCES.get(run["quantization_source"] or "")
    name = words.told(run["quantization"])
    return f"{name} ({source})" if run["quantization"] and source else name


def _audio(facts: RunFacts, fps: float) -> Cell:
    frames = facts.run["audio_frames"]
    if frames is None:
        return Cell(words.NOTHING)
    return Cell(formatting.plural(frames, "frame"), note=words.seconds(frames, fps))


def _windows(facts: RunFacts, picture: str) -> Cell:
    run = facts.run
    seen, expected = words.count(run["observed_windows"]), words.count(run["expected_windows"])
    announced = run["announced_windows"]
    return Cell(f"{seen} of {expected}", note="" if announced is None else f"{announced:,} announced", svg=picture)


def _missing(facts: RunFacts, fps: float) -> Cell:
    missing = facts.run["missing_frames"]
    if not missing:
        return Cell(words.NOTHING if missing is None else "0 frames")
    if facts.is_cut:
        return Cell(formatting.plural(missing, "frame"), note="cut off by the sampler")
    return Cell(formatting.plural(missing, "frame"), note=words.seconds(missing, fps), kind="error")


def _peak_note(facts: RunFacts) -> str:
    run = facts.run
    if run["peak_allocated_gib"] is None or run["peak_covers"] == "stage":
        return ""
    return {"residue": "residue, no peak", "last-decode": "last decode only"}.get(
        run["peak_covers"] or "", "of what is unknown"
    )
