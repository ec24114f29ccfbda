"""Finds what is certain to go wrong in a run while it can still be stopped."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from loganalyzer.checks.registry import select_rules
from loganalyzer.common.severity import Severity
from loganalyzer.expectations import schedule
from loganalyzer.expectations.baselines import Baselines
from loganalyzer.expectations.names import DISTILL_LORA
from loganalyzer.planner import advice
from loganalyzer.runs.planned import is_talking
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

END_RULES: Final = ("RUN004", "SCH003", "LOG003", "AUD001", "AUD004")
"""Rules about how a run ended. They do not apply while the run continues."""


PROMPT_RULES: Final = ("MOD002",)
"""Rules that report a fault before a run starts, and again after it started."""


@dataclass(frozen=True, slots=True)
class WatchWarning:
    """A warning.

    Attributes:
        rule, name, severity, message, fix: as in the table `findings`.
        line: line number in the analyzed text.
        about: line of the run, of the prompt, or of the fault itself. Warnings with the same rule and the same `about`
            are one warning, even if their lines differ.
    """

    rule: str
    name: str
    severity: Severity
    line: int
    message: str
    fix: str
    about: int


def find_warnings(
    found: Analysis, baselines: Baselines, settings: Settings, *, has_ended: bool = False
) -> list[WatchWarning]:
    """Warnings and errors about the prompts of a growing log, in the order of its lines.

    Once the log `has_ended`, an unfinished last prompt is reported too.
    """
    prompts = found.prompts.sort("line")
    last = prompts.tail(1)
    start = int(last["line"][0] or 0) if last.height else 0
    is_running = last.height == 1 and last["status"][0] == "truncated" and not has_ended
    warned = [
        one for one in _finding_warnings(found) if not (is_running and one.rule in END_RULES and one.line >= start)
    ]
    if is_running:
        warned += _predicted_warnings(found, last, baselines, settings)
    starts = prompts["line"].drop_nulls().to_list()
    first: dict[tuple[str, int], WatchWarning] = {}
    for one in sorted(warned, key=lambda one: one.line):
        about = _prompt_line(one.line, starts) if one.rule in PROMPT_RULES else one.about
        first.setdefault((one.rule, about), replace(one, about=about))
    return list(first.values())


def _prompt_line(line: int, starts: list[int]) -> int:
    """The first line of the prompt that contains a line; the line itself if it is above all prompts."""
    place = bisect_right(starts, line)
    return starts[place - 1] if place else line


def _finding_warnings(found: Analysis) -> list[WatchWarning]:
    rows = found.findings.filter((pl.col("severity") != "info") & pl.col("line").is_not_null())
    opened = found.runs.select("run_id", pl.col("line").alias("opened"))
    placed = rows.join(opened, on="run_id", how="left", maintain_order="left").select(
        "rule", "name", "severity", "line", "message", "fix", pl.coalesce("opened", "line")
    )
    return [WatchWarning(*row) for row in placed.rows()]


def _predicted_warnings(
    found: Analysis, last: pl.DataFrame, baselines: Baselines, settings: Settings
) -> list[WatchWarning]:
    known = {rule.id: rule for rule in select_rules(settings)}
    texts = [*_padding_warnings(found, last, settings), *_lora_warnings(found, last, baselines)]
    return [
        WatchWarning(rule, known[rule].name, known[rule].severity_under(settings), line, message, fix, line)
        for rule, line, message, fix in texts
        if rule in known
    ]


RuleText = tuple[str, int, str, str]
"""Rule, line, message, fix."""


def _padding_warnings(found: Analysis, last: pl.DataFrame, settings: Settings) -> list[RuleText]:
    """Warnings about missing audio, which follow from the schedule as soon as the log has the header."""
    runs = found.runs.filter(
        pl.col("prompt_id").is_in(last["prompt_id"].implode())
        & (pl.col("status") == "truncated")
        & is_talking()
        & (pl.col("audio_frames") > pl.col("window_frames"))
        & (pl.col("stride") > 0)
    )
    warned: list[RuleText] = []
    least = pl.min_horizontal("audio_frames", "shortest_frames")
    for line, frames, audio, window, stride, mirrored in runs.select(
        "line", "audio_frames", least.alias("least"), "window_frames", "stride", "mirrored"
    ).rows():
        need = schedule.aligned_at_least(frames, window, stride)
        shorter = schedule.aligned_at_most(audio, window, stride)
        if need > audio:
            filling = "mirrored speech" if mirrored else "padding"
            message = (
                f"The last {need - audio} frames ({(need - audio) / settings.fps:.2f} s) will be driven by {filling}: "
                f"the audio has {audio} frames, the windows need {need}."
            )
            change = "use longer audio" if shorter is None else f"request {shorter} frames"
            trim = advice.trim_video(audio, settings.fps)
            fix = f"Stop the run and {change}. Or let it finish, then trim the video:\n  `{trim.command}`"
            warned += [("AUD001", line, message, fix)] + ([("AUD004", line, message, fix)] if mirrored else [])
    return warned


def _lora_warnings(found: Analysis, last: pl.DataFrame, baselines: Baselines) -> list[RuleText]:
    """Warnings about a LoRA of the wrong rank before the header.

    The video size is not yet known then, so there are warnings only if all sizes require the same rank.
    """
    ranks = baselines.requirement["lora_rank"].unique().to_list()
    has_run = found.runs.filter(pl.col("prompt_id").is_in(last["prompt_id"].implode())).height
    if len(ranks) != 1 or has_run:
        return []
    wrong = found.loras.filter(
        pl.col("prompt_id").is_in(last["prompt_id"].implode())
        & pl.col("name").str.to_lowercase().str.contains(DISTILL_LORA, literal=True)
        & (pl.col("rank") != ranks[0])
    )
    return [
        (
            "MOD002",
            line,
            f"The LoRA has rank {rank}, not {ranks[0]}.",
            f"Stop the run and load the rank-{ranks[0]} file.",
        )
        for line, rank in wrong.select("line", "rank").rows()
    ]
