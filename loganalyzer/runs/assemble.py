"""Turns records into the tables of the contract. This module defines the order of the steps."""

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
from loganalyzer.runs.listed_events import list_events
from loganalyzer.runs.native import windows as native_windows
from loganalyzer.runs.programs import facts as program_facts
from loganalyzer.runs.programs import windows as program_windows
from loganalyzer.runs.recorded import peaks as recorded_peaks
from loganalyzer.runs.recorded import steps as recorded_steps
from loganalyzer.runs.recorded.nodes import list_nodes
from loganalyzer.runs.timeline import Timeline, build_timeline
from loganalyzer.runs.vocabulary import BANNER, NEAR_MISSES
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

REBUILT: Final = (
    "prompts",
    "runs",
    "windows",
    "steps",
    "paddings",
    "memory",
    "loras",
    "nodes",
    "events",
    "environment",
)
"""The tables that `rebuild` makes."""


class Rebuilt(NamedTuple):
    """The tables of the contract, rebuilt from records. `runs` does not have its quantization yet.

    `bar_outputs` (source, stream) lists the outputs with progress bars. `memory` has the additional column `source`,
    because a report outside every run still belongs to an input.
    """

    prompts: pl.DataFrame
    runs: pl.DataFrame
    windows: pl.DataFrame
    steps: pl.DataFrame
    paddings: pl.DataFrame
    memory: pl.DataFrame
    loras: pl.DataFrame
    nodes: pl.DataFrame
    events: pl.DataFrame
    environment: pl.DataFrame
    bar_outputs: pl.DataFrame


class _Parts(NamedTuple):
    """The tables that belong to the stages, by stage number."""

    bar_lines: pl.DataFrame
    steps: pl.DataFrame
    windows: pl.DataFrame
    paddings: pl.DataFrame
    memory: pl.DataFrame


def neutral_events(patterns: Sequence[Pattern]) -> frozenset[str]:
    """The events that do not show where a prompt begins: printed at a server start, or at any time.

    A pattern without the key `when` takes the value of its event's other patterns. Without any value, it is unclear.
    """
    return _events_printed(patterns, "startup", "unclear") - set(BANNER)


def idle_events(patterns: Sequence[Pattern]) -> frozenset[str]:
    """The events that do not show that a prompt is running."""
    return _events_printed(patterns, "startup", "unclear", "idle") | {*BANNER, *NEAR_MISSES}


def _events_printed(patterns: Sequence[Pattern], *when: When) -> frozenset[str]:
    """The events whose `when` is one of these values."""
    known = {pattern.event: pattern.when for pattern in patterns if pattern.when is not None}
    unclear = {pattern.event: "unclear" for pattern in patterns} | dict.fromkeys(NEAR_MISSES, "unclear")
    return frozenset(event for event, time in (unclear | known).items() if time in when)


def rebuild(
    events: dict[str, pl.DataFrame],
    sources: pl.DataFrame,
    patterns: Sequence[Pattern],
    settings: Settings,
    going_on: Collection[int] = (),
) -> Rebuilt:
    """All tables of these records.

    `events` is as in `Records`; `sources` has number, source and digest of each input. `going_on` are the inputs with
    more records to come. The function empties `events` to free the memory of millions of bars early.
    """
    neutral = neutral_events(patterns)
    timeline = build_timeline(program_samplers.prepare_records(events, patterns), neutral, going_on)
    events.clear()
    opened = stage_rows.find_stages(timeline)
    stages, parts = _build_stages(timeline, opened, patterns, settings)
    executions = prompt_rows.find_prompts(timeline, opened, idle_events(patterns))
    executions = left_join(executions, other_models.count_other_models(timeline), ["lane", "prompt"])
    executions = failures.with_report(timeline, prompt_rows.with_full_days(executions, parts.windows, stages))
    timeline = timeline._replace(bars={name: unique_values(frame, "lane") for name, frame in timeline.bars.items()})
    stages = outcome.with_outcomes(timeline, _with_last_bars(stages, parts), executions)
    executions = failures.with_details(timeline, outcome.with_stops(executions, stages))
    started = servers.read_environments(timeline, neutral)
    stages = servers.with_environment(_complete_stages(timeline, stages, parts, executions), started)
    executions = unframed.with_excerpts(
        outcome.extend_cut_off_prompts(executions, stages), timeline, stages, parts.windows
    )
    return _finish_tables(timeline, sources, stages, parts, executions, started)


def _build_stages(
    timeline: Timeline, opened: pl.DataFrame, patterns: Sequence[Pattern], settings: Settings
) -> tuple[pl.DataFrame, _Parts]:
    shown = program_windows.with_program_windows(bars.read_bars(timeline, opened), timeline, opened)
    seen = window_lines.with_window_lines(shown.windows, timeline, opened)
    seen = native_windows.with_announced_ranges(seen, timeline, opened)
    drawn = recorded_steps.Sampling(seen, shown.steps, shown.lines)
    seen, steps, lines = recorded_steps.with_recorded_steps(drawn, timeline, opened)
    reports = memory.find_reports(timeline, opened)
    observed = window_rows.observed_schedule(seen.filter(pl.col("segment").is_null()))
    observed = pl.concat([observed, native_windows.observed_schedule(timeline, opened)], how="diagonal")
    stages = description.describe_stages(timeline, opened, facts.collect_facts(timeline, opened), seen, observed)
    stages = left_join(stages, eras.narrow_eras(timeline, patterns), ["lane", "prompt"])
    wanted = planned.configured_schedules(load_schedules(), settings.window_frames, settings.motion_frames)
    stages = planned.with_schedule(stages, wanted).pipe(sort_by, "stage")
    printed = [memory.final_reports(timeline, reports, stages), program_facts.find_peaks(timeline, opened)]
    stages = left_join(stages, pl.concat(printed, how="diagonal_relaxed"), ["stage"])
    stages = recorded_peaks.with_recorded_peaks(stages, timeline)
    seen = program_windows.with_scheduled_ranges(native_windows.with_first_ranges(seen, stages), stages)
    seen = recorded_steps.with_scheduled_ranges(seen, stages)
    found = window_rows.compare_with_schedule(window_rows.number_windows(seen, stages), stages)
    padded = [padding_rows.find_paddings(timeline, opened), longcat.find_paddings(timeline, stages)]
    warned = pl.concat(padded, how="diagonal_relaxed").pipe(sort_by, "stage", "place")
    return stages, _Parts(lines, steps, longcat.with_segment_ranges(found, stages), warned, reports)


def _with_last_bars(stages: pl.DataFrame, parts: _Parts) -> pl.DataFrame:
    return left_join(stages, outcome.find_last_bars(parts.windows, stages), ["stage"])


def _complete_stages(timeline: Timeline, stages: pl.DataFrame, parts: _Parts, executions: pl.DataFrame) -> pl.DataFrame:
    for more in (
        outcome.find_end_lines(stages, [parts.bar_lines, parts.paddings], executions),
        facts.find_banners(timeline, stages),
        description.sum_window_times(parts.windows),
        description.measure_shortfall(stages, parts.windows, parts.paddings),
        output.count_output_frames(stages, parts.windows),
        _with_bar_flag(timeline, stages),
    ):
        stages = left_join(stages, more, ["stage"])
    return stages.with_columns(
        pl.when((pl.col("has_bars") | pl.col("observed").is_not_null()) & (pl.col("kind") != "mode"))
        .then(pl.col("observed").fill_null(0))
        .alias("observed_windows"),
        pl.when(pl.col("kind") != program_samplers.BY_BARS).then("decode_s").alias("decode_s"),
        eras.era_label(pl.col("since"), pl.col("until")).alias("wrapper_era"),
    )


def _with_bar_flag(timeline: Timeline, stages: pl.DataFrame) -> pl.DataFrame:
    """stage, has_bars: whether a stage's output contains any progress bar."""
    return stages.select("stage", pl.col("lane").is_in(_lanes_with_bars(timeline).implode()).alias("has_bars"))


def _lanes_with_bars(timeline: Timeline) -> pl.Series:
    return unique_values(pl.concat([unique_values(bars, "lane") for bars in timeline.bars.values()]), "lane")["lane"]


def _bar_outputs(timeline: Timeline, sources: pl.DataFrame) -> pl.DataFrame:
    return (
        timeline.lanes.filter(pl.col("lane").is_in(_lanes_with_bars(timeline).implode()))
        .rename({"source": "number"})
        .pipe(left_join, sources[:, ["number", "source"]], ["number"])
        .select("source", "stream")
    )


def _input_of(frame: pl.DataFrame, timeline: Timeline, sources: pl.DataFrame) -> pl.Series:
    """The name of the input for each row of `frame`, which has lane."""
    numbers = left_join(frame[:, ["lane"]], timeline.lanes[:, ["lane", "source"]], ["lane"]).rename(
        {"source": "number"}
    )
    return left_join(numbers, sources[:, ["number", "source"]], ["number"])["source"]


def _environment_table(started: pl.DataFrame, timeline: Timeline, sources: pl.DataFrame) -> pl.DataFrame:
    return conform(_with_output(started, timeline, sources), "environment")


def _events_table(listed: pl.DataFrame, timeline: Timeline, sources: pl.DataFrame) -> pl.DataFrame:
    return conform(_with_output(listed, timeline, sources), "events")


def _with_output(frame: pl.DataFrame, timeline: Timeline, sources: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the source and stream of each row's lane."""
    lanes = timeline.lanes[:, ["lane", "stream"]]
    return left_join(frame, lanes, ["lane"]).hstack([_input_of(frame, timeline, sources)])


def _with_window(paddings: pl.DataFrame, windows: pl.DataFrame) -> pl.DataFrame:
    """`paddings` with the window whose range ends at the needed frame."""
    if paddings.is_empty():
        return paddings.with_columns(pl.lit(None, pl.Int64).alias("window"))
    ends = semi_join(windows, paddings, ["stage"]).filter(pl.col("audio_end").is_not_null())
    need = ends.select("stage", pl.col("audio_end").alias("need"), "window")
    return left_join(paddings, unique_by(need, "stage", "need"), ["stage", "need"])


def _finish_tables(
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
    loras = left_join(facts.find_loras(timeline), of_prompt, ["lane", "prompt"])

    def as_table(frame: pl.DataFrame, table: str) -> pl.DataFrame:
        known = set_sorted(frame, "stage")
        return conform(left_join(known, of_run, ["stage"]), table)

    return Rebuilt(
        prompts=conform(prompts, "prompts"),
        runs=conform(runs, "runs"),
        windows=as_table(parts.windows, "windows"),
        steps=as_table(left_join(set_sorted(parts.steps, "bar"), window_of, ["bar"]), "steps"),
        paddings=as_table(_with_window(parts.paddings, parts.windows), "paddings"),
        memory=as_table(parts.memory, "memory").with_columns(_input_of(parts.memory, timeline, sources)),
        loras=conform(loras, "loras"),
        nodes=conform(left_join(list_nodes(timeline), of_prompt, ["lane", "prompt"]), "nodes"),
        events=_events_table(list_events(timeline, runs), timeline, sources),
        environment=_environment_table(started, timeline, sources),
        bar_outputs=_bar_outputs(timeline, sources),
    )
