"""What is certain to go wrong, said while it can still be stopped."""

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

GOING_ON: Final = ("RUN004", "SCH003", "LOG003", "AUD001", "AUD004")
"""Rules that speak of how a run ended: while it goes on, they would find fault with its going on."""


OF_THE_PROMPT: Final = ("MOD002",)
"""Rules whose fault shows before a run begins, and again once it has begun."""


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning.

    Attributes:
        rule, name, severity, message, fix: as in the table `findings`.
        line: in the analysed text.
        about: line of the run that it is about, or of the prompt, or of the fault itself: the same rule about the same
            thing is one warning, whatever line shows it by then.
    """

    rule: str
    name: str
    severity: Severity
    line: int
    message: str
    fix: str
    about: int


def outlook(found: Analysis, shelf: Baselines, settings: Settings, *, has_ended: bool = False) -> list[Warned]:
    """Warnings and errors about the prompts of a log that still grows, in the order of its lines.

    Once the log `has_ended`, what the last prompt did not finish is a fault like any other.
    """
    prompts = found.prompts.sort("line")
    last = prompts.tail(1)
    start = int(last["line"][0] or 0) if last.height else 0
    going_on = last.height == 1 and last["status"][0] == "truncated" and not has_ended
    warned = [one for one in _found(found) if not (going_on and one.rule in GOING_ON and one.line >= start)]
    if going_on:
        warned += _ahead(found, last, shelf, settings)
    starts = prompts["line"].drop_nulls().to_list()
    first: dict[tuple[str, int], Warned] = {}
    for one in sorted(warned, key=lambda one: one.line):
        about = _prompt_of(one.line, starts) if one.rule in OF_THE_PROMPT else one.about
        first.setdefault((one.rule, about), replace(one, about=about))
    return list(first.values())


def _prompt_of(line: int, starts: list[int]) -> int:
    """Where the prompt begins in which a line stands; the line itself above all prompts."""
    place = bisect_right(starts, line)
    return starts[place - 1] if place else line


def _found(found: Analysis) -> list[Warned]:
    rows = found.findings.filter((pl.col("severity") != "info") & pl.col("line").is_not_null())
    opened = found.runs.select("run_id", pl.col("line").alias("opened"))
    placed = rows.join(opened, on="run_id", how="left", maintain_order="left").select(
        "rule", "name", "severity", "line", "message", "fix", pl.coalesce("opened", "line")
    )
    return [Warned(*row) for row in placed.rows()]


def _ahead(found: Analysis, last: pl.DataFrame, shelf: Baselines, settings: Settings) -> list[Warned]:
    known = {rule.id: rule for rule in select_rules(settings)}
    told = [*_padding(found, last, settings), *_lora(found, last, shelf)]
    return [
        Warned(rule, known[rule].name, known[rule].severity_under(settings), line, message, fix, line)
        for rule, line, message, fix in told
        if rule in known
    ]


Told = tuple[str, int, str, str]
"""Rule, line, message, fix."""


def _padding(found: Analysis, last: pl.DataFrame, settings: Settings) -> list[Told]:
    """Once the header is there, the schedule is known to its end."""
    runs = found.runs.filter(
        pl.col("prompt_id").is_in(last["prompt_id"].implode())
        & (pl.col("status") == "truncated")
        & is_talking()
        & (pl.col("audio_frames") > pl.col("window_frames"))
        & (pl.col("stride") > 0)
    )
    warned: list[Told] = []
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
                f"{audio} frames of audio, windows up to {need}."
            )
            way_out = "supply more audio" if shorter is None else f"request {shorter} frames"
            trim = advice.trim(audio, settings.fps)
            fix = f"Stop it and {way_out}. Or let it finish, then trim the video:\n  `{trim.command}`"
            warned += [("AUD001", line, message, fix)] + ([("AUD004", line, message, fix)] if mirrored else [])
    return warned


def _lora(found: Analysis, last: pl.DataFrame, shelf: Baselines) -> list[Told]:
    """Before the header the size is not known; where every size asks for the same rank, it need not be."""
    ranks = shelf.requirement["lora_rank"].unique().to_list()
    has_run = found.runs.filter(pl.col("prompt_id").is_in(last["prompt_id"].implode())).height
    if len(ranks) != 1 or has_run:
        return []
    wrong = found.loras.filter(
        pl.col("prompt_id").is_in(last["prompt_id"].implode())
        & pl.col("name").str.to_lowercase().str.contains(DISTILL_LORA, literal=True)
        & (pl.col("rank") != ranks[0])
    )
    return [
        ("MOD002", line, f"The LoRA has rank {rank}, not {ranks[0]}.", f"Stop it and load the rank-{ranks[0]} file.")
        for line, rank in wrong.select("line", "rank").rows()
    ]
