"""Records to the tables of the contract: the order in which the parts of this room work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import polars as pl

from loganalyzer.expectations.schedules import load_schedules
from loganalyzer.grammar.model import Pattern, When
from loganalyzer.runs import (
    bars,
    eras,
    facts,
    failures,
    identity,
    longcat,
    memory,
    other_models,
    outcome,
    output,
    planned,
    program_samplers,
    servers,
    unframed,
    window_lines,
)
from loganalyzer.runs import described as description
from loganalyzer.runs import paddings as padding_rows
from loganalyzer.runs import prompts as prompt_rows
from loganalyzer.runs import stages as stage_rows
from loganalyzer.runs import windows as window_rows
from loganalyzer.runs.native import windows as native_windows
from loganalyzer.runs.programs import facts as program_facts
from loganalyzer.runs.programs import windows as program_windows
from loganalyzer.runs.timeline import Timeline, build
from loganalyzer.runs.vocabulary import BANNER, LIKE
from loganalyzer.settings.model import Settings
from loganalyzer.tables.frames import (
    left_join,
    semi_join,
    set_sorted,
    sort_by,
    unique_by,
    unique_values,
)
from loganalyzer.tables.schema import conform

REBUILT: Final = ("prompts", "runs", "windows", "steps", "paddings", "memory", "loras", "environment")
"""The tables made here."""


class Rebuilt(NamedTuple):
    """The tables that records yield, as in the contract; `runs` still lacks its quantization.

    `bar_outputs` (source, stream) are the outputs in which any progress bar stands. `memory` has one column more,
    `source`: a report outside of every run belongs to its input all the same.
    """

    prompts: pl.DataFrame
    runs: pl.DataFrame
    windows: pl.DataFrame
    steps: pl.DataFrame
    paddings: pl.DataFrame
    memory: pl.DataFrame
    loras: pl.DataFrame
    environment: pl.DataFrame
    bar_outputs: pl.DataFrame


class _Parts(NamedTuple):
    """What belongs to the stages, by stage number."""

    bar_lines: pl.DataFrame
    steps: pl.DataFrame
    windows: pl.DataFrame
    paddings: pl.DataFrame
    memory: pl.DataFrame


def neutral_events(patterns: Sequence[Pattern]) -> frozenset[str]:
    """The events that say nothing about where a prompt begins: those printed at a start, or at no time in particular.

    A pattern without the key `when` follows the others of its event; an event of which none has it is unclear.
    """
    return _printed(patterns, "startup", "unclear") - set(BANNER)


def idle_events(patterns: Sequence[Pattern]) -> frozenset[str]:
    """The events that do not show that a prompt runs."""
    return _printed(patterns, "startup", "unclear", "idle") | {*BANNER, *LIKE}


def _printed(patterns: Sequence[Pattern], *when: When) -> frozenset[str]:
    """The events that are printed at such times."""
    known = {pattern.event: pattern.when for pattern in patterns if pattern.when is not None}
    unclear = {pattern.event: "unclear" for pattern in patterns} | dict.fromkeys(LIKE, "unclear")
    return frozenset(event for event, time in (unclear | known).items() if time in when)


def rebuild(
    events: dict[str, pl.DataFrame],
    sources: pl.DataFrame,
    patterns: Sequence[Pattern],
    settings: Settings,
    going_on: Collection[int] = (),
) -> Rebuilt:
    """All tables of these records: `events` as in `Records`, `sources` has number, source and digest of each input.

    Inputs `going_on` have more records than these, which are those that `settled` calls ready. `events` is emptied:
    bars in their millions must not be held any longer than they are needed.
    """
    neutral = neutral_events(patterns)
    timeline = build(program_samplers.prepared(events, patterns), neutral, going_on)
    events.clear()
    opened = stage_rows.open_stages(timeline)
    stages, parts = _stages(timeline, opened, patterns, settings)
    executions = prompt_rows.prompts(timeline, opened, idle_events(patterns))
    executions = left_join(executions, other_models.other_models(timeline), ["lane", "prompt"])
    executions = failures.with_report(timeline, prompt_rows.unwrapped(executions, parts.windows, stages))
    timeline = timeline._replace(bars={name: unique_values(frame, "lane") for name, frame in timeline.bars.items()})
    stages = outcome.outcomes(timeline, _with_last_bars(stages, parts), executions)
    executions = failures.with_details(timeline, outcome.with_stops(executions, stages))
    started = servers.environments(timeline, neutral)
    stages = servers.with_environment(_finished(timeline, stages, parts, executions), started)
    executions = unframed.with_excerpts(outcome.reach(executions, stages), timeline, stages, parts.windows)
    return _named(timeline, sources, stages, parts, executions, started)


def _stages(
    timeline: Timeline, opened: pl.DataFrame, patterns: Sequence[Pattern], settings: Settings
) -> tuple[pl.DataFrame, _Parts]:
    shown = program_windows.with_program_windows(bars.read(timeline, opened), timeline, opened)
    seen = window_lines.with_lines(shown.windows, timeline, opened)
    seen = native_windows.announced(seen, timeline, opened)
    reports = memory.reports(timeline, opened)
    observed = window_rows.observed_schedule(seen.filter(pl.col("segment").is_null()))
    observed = pl.concat([observed, native_windows.schedule(timeline, opened)], how="diagonal")
    stages = description.described(timeline, opened, facts.ahead(timeline, opened), seen, observed)
    stages = left_join(stages, eras.eras(timeline, patterns), ["lane", "prompt"])
    wanted = planned.configured(load_schedules(), settings.window_frames, settings.motion_frames)
    stages = planned.planned(stages, wanted).pipe(sort_by, "stage")
    printed = [memory.final(timeline, reports, stages), program_facts.peaks(timeline, opened)]
    stages = left_join(stages, pl.concat(printed, how="diagonal_relaxed"), ["stage"])
    seen = program_windows.with_ranges(native_windows.with_first(seen, stages), stages)
    found = window_rows.against_schedule(window_rows.numbered(seen, stages), stages)
    padded = [padding_rows.paddings(timeline, opened), longcat.paddings(timeline, stages)]
    warned = pl.concat(padded, how="diagonal_relaxed").pipe(sort_by, "stage", "place")
    return stages, _Parts(shown.lines, shown.steps, longcat.with_ranges(found, stages), warned, reports)


def _with_last_bars(stages: pl.DataFrame, parts: _Parts) -> pl.DataFrame:
    return left_join(stages, outcome.last_bars(parts.windows, stages), ["stage"])


def _finished(timeline: Timeline, stages: pl.DataFrame, parts: _Parts, executions: pl.DataFrame) -> pl.DataFrame:
    for more in (
        outcome.end_lines(stages, [parts.bar_lines, parts.paddings], executions),
        facts.banners(timeline, stages),
        description.sums(parts.windows),
        description.shortfall(stages, parts.windows, parts.paddings),
        output.frames(stages, parts.windows),
        _bars_in(timeline, stages),
    ):
        stages = left_join(stages, more, ["stage"])
    return stages.with_columns(
        pl.when((pl.col("has_bars") | pl.col("observed").is_not_null()) & (pl.col("kind") != "mode"))
        .then(pl.col("observed").fill_null(0))
        .alias("observed_windows"),
        pl.when(pl.col("kind") != program_samplers.BY_BARS).then("decode_s").alias("decode_s"),
        eras.label(pl.col("since"), pl.col("until")).alias("wrapper_era"),
    )


def _bars_in(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, has_bars: whether the output that a stage stands in shows any progress bar at all."""
    return stages.select("stage", pl.col("lane").is_in(_lanes_with_bars(timeline).implode()).alias("has_bars"))


def _lanes_with_bars(timeline: Timeline) -> pl.Series:
    return unique_values(pl.concat([unique_values(bars, "lane") for bars in timeline.bars.values()]), "lane")["lane"]


def _outputs(timeline: Timeline, sources: pl.DataFrame) -> pl.DataFrame:
    return (
        timeline.lanes.filter(pl.col("lane").is_in(_lanes_with_bars(timeline).implode()))
        .rename({"source": "number"})
        .pipe(left_join, sources[:, ["number", "source"]], ["number"])
        .select("source", "stream")
    )


def _input_of(frame: pl.DataFrame, timeline: Timeline, sources: pl.DataFrame) -> pl.Series:
    """The input's name for each row of `frame`, which has lane."""
    numbers = left_join(frame[:, ["lane"]], timeline.lanes[:, ["lane", "source"]], ["lane"]).rename(
        {"source": "number"}
    )
    return left_join(numbers, sources[:, ["number", "source"]], ["number"])["source"]


def _environment(started: pl.DataFrame, timeline: Timeline, sources: pl.DataFrame) -> pl.DataFrame:
    lanes = timeline.lanes[:, ["lane", "stream"]]
    return conform(left_join(started, lanes, ["lane"]).hstack([_input_of(started, timeline, sources)]), "environment")


def _in_windows(paddings: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """`paddings` with the window whose range ends where the audio needed to."""
    if paddings.is_empty():
        return paddings.with_columns(pl.lit(None, pl.Int64).alias("window"))
    ends = semi_join(windows, paddings, ["stage"]).filter(pl.col("audio_end").is_not_null())
    need = ends.select("stage", pl.col("audio_end").alias("need"), "window")
    return left_join(paddings, unique_by(need, "stage", "need"), ["stage", "need"])


def _named(
    timeline: Timeline,
    sources: pl.DataFrame,
    stages: pl.DataFrame,
    parts: _Parts,
    executions: pl.DataFrame,
    started: pl.DataFrame,
) -> Rebuilt:
    prompts = identity.with_ids(executions, timeline.lanes, sources, letter="P").rename({"id": "prompt_id"})
    of_prompt = prompts.select("lane", "prompt", "prompt_id")
    runs = (
        identity.with_ids(stages, timeline.lanes, sources, letter="R")
        .rename({"id": "run_id"})
        .pipe(left_join, of_prompt, ["lane", "prompt"])
    )
    of_run = set_sorted(runs.select("stage", "run_id"), "stage")
    window_of = parts.windows.filter(pl.col("bar").is_not_null()).select("bar", "window").pipe(sort_by, "bar")
    loras = left_join(facts.loras(timeline), of_prompt, ["lane", "prompt"])

    def named(frame: pl.DataFrame, table: str) -> pl.DataFrame:
        known = set_sorted(frame, "stage")
        return conform(left_join(known, of_run, ["stage"]), table)

    return Rebuilt(
        prompts=conform(prompts, "prompts"),
        runs=conform(runs, "runs"),
        windows=named(parts.windows, "windows"),
        steps=named(left_join(set_sorted(parts.steps, "bar"), window_of, ["bar"]), "steps"),
        paddings=named(_in_windows(parts.paddings, parts.windows), "paddings"),
        memory=named(parts.memory, "memory").with_columns(_input_of(parts.memory, timeline, sources)),
        loras=conform(loras, "loras"),
        environment=_environment(started, timeline, sources),
        bar_outputs=_outputs(timeline, sources),
    )
