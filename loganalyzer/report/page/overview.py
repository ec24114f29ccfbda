"""Builds the first screen of the page: verdict, counts, notices, and one row per run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting
from loganalyzer.common.severity import SEVERE
from loganalyzer.report import words
from loganalyzer.report.facts import most_severe
from loganalyzer.report.figures import small
from loganalyzer.report.model import Cell, Column, Mark, Overview, Pair, Table
from loganalyzer.report.other_models import other_stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loganalyzer.report.facts import Row, RunFacts
    from loganalyzer.report.model import FirstStep, Group
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
_STATUS_KINDS: Final = {"completed": "ok", "failed": "error", "interrupted": "warning", "truncated": "warning"}
_QUANTIZATION_SOURCES: Final = {
    "option": "declared",
    "workflow": "from the workflow",
    "log": "from the log",
    "recorder": "recorded",
    "filename": "from a file name",
    "vram": "inferred",
}
ENVIRONMENT_TITLES: Final = {
    "gpu": "GPU",
    "attention": "attention",
    "precision": "precision",
    "vram_state": "VRAM state",
    "torch_version": "PyTorch",
    "comfyui_version": "ComfyUI",
    "driver": "driver",
}
"""Columns of `runs` that the first screen shows, with their titles."""
_NO_RUNS: Final = (
    "A log without a run does not pass. An InfiniteTalk log contains a line such as “Sampling 369 frames in 6 windows, "
    "at 1280x720 with 4 steps”, which ComfyUI prints to standard error. Check that these are the right files and that "
    "standard error was recorded."
)
_RUN_COLUMNS: Final = (
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


def build_overview(
    analysis: Analysis, groups: Sequence[Group], first: tuple[FirstStep, ...], *, left_out: Sequence[str]
) -> Overview:
    """The verdict, the counts, the notices, and what to do first. `left_out` are notices about omitted runs."""
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
        _INCOMPLETE if _is_incomplete_pass(analysis) else _MARKS[analysis.verdict],
        _headline(analysis, totals),
        _lead_text(analysis, groups),
        pairs,
        _notices(analysis, left_out),
        first,
    )


def _headline(analysis: Analysis, totals: Totals) -> str:
    runs, inputs = totals.runs, formatting.plural(totals.inputs, "input")
    if analysis.verdict == "no-runs":
        return f"No runs found in {inputs}"
    counts = {name: totals.severity(name) for name in SEVERE}
    problems = [formatting.plural(number, word) for word, number in counts.items() if number]
    if not problems:
        rest = ", but some checks were skipped" if _is_incomplete_pass(analysis) else ""
        return f"{formatting.plural(runs, 'run')} within expectations{rest}"
    touched = totals.touched
    where = f" in {touched:,} of {formatting.plural(runs, 'run')}" if touched else ""
    where = " in 1 run" if touched == runs == 1 else where
    return f"{' and '.join(problems)}{where}"


def _lead_text(analysis: Analysis, groups: Sequence[Group]) -> str:
    totals = analysis.totals
    if analysis.verdict == "no-runs":
        others = other_stages(analysis)
        return f"{others}: only WanVideo runs are checked." if others else _NO_RUNS
    if analysis.verdict != "pass":
        severe = [group for group in groups if group.mark.kind in {"error", "warning"}]
        return _problems_sentence([f"{_lower_first(group.title)} ({group.count.split()[0]})" for group in severe])
    if _is_incomplete_pass(analysis):
        return f"No problems found, but required checks were skipped: {'; '.join(totals.gaps())}."
    rest = "Skipped checks are listed below." if totals.unchecked else "Everything was checked."
    return f"No problems found. {rest}"


def _lower_first(title: str) -> str:
    """`audio too short`, but `GPU memory nearly full`."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _is_incomplete_pass(analysis: Analysis) -> bool:
    return analysis.verdict == "pass" and not analysis.complete


def _problems_sentence(kinds: Sequence[str]) -> str:
    """A sentence that lists the kinds of problems, at most six."""
    text = words.join_first(kinds, most=6)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _notices(analysis: Analysis, left_out: Sequence[str]) -> tuple[str, ...]:
    unread = len(analysis.problems)
    failed = [f"{formatting.plural(unread, 'input')} could not be read. See Problems."] if unread else []
    return (*failed, *left_out, *_environment_notices(analysis))


def _environment_notices(analysis: Analysis) -> tuple[str, ...]:
    """The environment values that all runs share, and the names of those that differ; nothing if unknown for a run."""
    runs = analysis.runs
    if runs.is_empty() or runs["environment_line"].is_null().any():
        return ()
    values = {title: runs[column].unique() for column, title in ENVIRONMENT_TITLES.items()}
    differing = [title for title, found in values.items() if len(found) > 1]
    shared = [f"{title} {words.visible(found[0])}" for title, found in values.items() if len(found) == 1 and found[0]]
    whose = "All runs" if runs.height > 1 else "This run"
    notices = [f"{whose}: {', '.join(shared)}."] if shared else []
    if differing:
        notices.append(f"The runs differ in: {', '.join(differing)}. See the details of each run.")
    return tuple(notices)


def build_run_table(
    runs: Sequence[RunFacts], number: int, links: Mapping[str, str], settings: Settings, *, pictures: bool = True
) -> Table | None:
    """One row per run, the worst runs if there are more than fit; None without runs.

    `number` counts all runs. `links` has a link for each run with its own details section. `pictures` adds small
    figures.
    """
    shown = most_severe(runs, MOST_ROWS)
    scale = small.memory_scale(shown, settings.total_vram_gib)
    rows = tuple(_run_row(facts, links, settings, scale if pictures else None) for facts in shown)
    rest = words.describe_rest(number - len(rows), "run")
    command = words.ALL_ROWS_COMMAND if number <= len(runs) else words.FROM_LOGS_COMMAND
    return Table("All runs, one row each", _RUN_COLUMNS, rows, rest, command) if rows else None


def _run_row(facts: RunFacts, links: Mapping[str, str], settings: Settings, scale: float | None) -> tuple[Cell, ...]:
    """The row of a run. `scale` is the memory at the end of the memory bars; without it there are no pictures."""
    run, fps = facts.run, settings.fps
    total = run["total_vram_gib"] or settings.total_vram_gib
    return (
        Cell(facts.place, href=links.get(run["run_id"], ""), kind=facts.worst, code=True),
        Cell(words.or_dash(run["status"]), note=_verdict_note(run), kind=status_kind(run["status"])),
        Cell(words.mode(run["mode"], run["producer"]), note=words.size(run["width"], run["height"])),
        _audio_cell(facts, fps),
        _windows_cell(facts, small.schedule(facts) if scale else ""),
        _missing_cell(facts, fps),
        Cell(
            words.gib(run["peak_allocated_gib"]),
            note=_peak_note(facts),
            svg=small.memory(facts, total, scale) if scale else "",
        ),
        Cell(words.or_dash(run["quantization"]), note=_QUANTIZATION_SOURCES.get(run["quantization_source"] or "", "")),
        Cell(
            words.step(facts.median_step),
            note="average" if facts.median_step and facts.has_only_averages else "",
            svg=small.steps(facts, settings.step_outlier_factor) if scale else "",
        ),
        Cell(
            words.duration(run["total_s"]),
            note="" if run["prompt_s"] is None else f"prompt {words.duration(run['prompt_s'])}",
        ),
    )


def _verdict_note(run: Row) -> str:
    """`pass`, or `pass, incomplete`; empty if a document has no verdict or an unknown one."""
    suffix = ", incomplete" if run["complete"] is False else ""
    return f"{run['verdict']}{suffix}" if run["verdict"] in _MARKS else ""


def status_kind(status: str | None) -> str:
    """The icon and color for how a run ended."""
    return _STATUS_KINDS.get(status or "", "muted")


def quantization_text(run: Row) -> str:
    """The quantization with its source, for example `Q6_K (declared)`."""
    source = _QUANTIZATION_SOURCES.get(run["quantization_source"] or "")
    name = words.or_dash(run["quantization"])
    return f"{name} ({source})" if run["quantization"] and source else name


def _audio_cell(facts: RunFacts, fps: float) -> Cell:
    frames = facts.run["audio_frames"]
    if frames is None:
        return Cell(words.DASH)
    return Cell(formatting.plural(frames, "frame"), note=words.seconds(frames, fps))


def _windows_cell(facts: RunFacts, picture: str) -> Cell:
    run = facts.run
    seen, expected = words.count(run["observed_windows"]), words.count(run["expected_windows"])
    announced = run["announced_windows"]
    return Cell(f"{seen} of {expected}", note="" if announced is None else f"{announced:,} announced", svg=picture)


def _missing_cell(facts: RunFacts, fps: float) -> Cell:
    missing = facts.run["missing_frames"]
    if not missing:
        return Cell(words.DASH if missing is None else "0 frames")
    if facts.is_cut:
        return Cell(formatting.plural(missing, "frame"), note="cut off by the sampler")
    return Cell(formatting.plural(missing, "frame"), note=words.seconds(missing, fps), kind="error")


def _peak_note(facts: RunFacts) -> str:
    run = facts.run
    if run["peak_allocated_gib"] is None or run["peak_covers"] == "stage":
        return ""
    return {"residue": "leftover, not a peak", "last-decode": "last decode only"}.get(
        run["peak_covers"] or "", "scope unknown"
    )
