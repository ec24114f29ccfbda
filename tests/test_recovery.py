"""Whatever was run comes back out of its log: windows, paddings, and every single step within its bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loganalyzer.pipeline import analyze_inputs
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis
from sample_logs import Failure, Recipe, Truth, render, truth

LONGEST_BOUND_S = 0.0284
"""Steps of one item each: 0.005 s of rounding, twice, over a smoothing of 0.3."""
DURATIONS = st.one_of(st.floats(0.15, 40), st.floats(0.15, 1.5), st.floats(0.9, 1.1), st.floats(4, 6))
"""Also near one second, where the unit of the rate changes from one refresh to the next."""


def pace(seconds: Sequence[float]) -> Callable[[int, int], float]:
    """Goes through `seconds` again and again."""
    return lambda window, step: seconds[(7 * window + step) % len(seconds)]


@st.composite
def recipes(draw: st.DrawFn, longest: int = 12, durations: st.SearchStrategy[float] = DURATIONS) -> Recipe:
    frames, window = draw(st.integers(1, 700)), 4 * draw(st.integers(3, 40)) + 1
    fewest_new = max(1, min(window - 1, frames // 25))
    recipe = Recipe(
        audio_frames=frames,
        window=window,
        motion=draw(st.integers(1, window - fewest_new)),
        steps=draw(st.integers(1, longest)),
        era=draw(st.sampled_from(["2025-11", "2025-12", "2026-02"])),
        speakers=draw(st.integers(1, 2)),
        silence_file=draw(st.booleans()),
        text_prompts=draw(st.integers(1, 3)),
        pace=pace(draw(st.lists(durations, min_size=1, max_size=14))),
        decode_s=draw(st.floats(0, 30)),
        banner=draw(st.booleans()),
        loads_model=draw(st.booleans()),
    )
    return replace(recipe, failure=draw(st.one_of(st.none(), st.none(), failures(recipe))))


def failures(recipe: Recipe) -> st.SearchStrategy[Failure]:
    endings = st.sampled_from(["out-of-memory", "exception", "interrupted", "truncated"])
    windows = st.integers(1, truth(recipe).expected_windows)
    return st.builds(Failure, endings, windows, st.integers(0, recipe.steps))


Run = tuple[dict[str, Any], Truth, Recipe]


def runs(made: Sequence[Recipe]) -> tuple[Analysis, list[Run]]:
    """Each recipe's log as a file of its own; each run found, beside its truth."""
    found = analyze_inputs(from_bytes(f"{k:03}.log", render(recipe)) for k, recipe in enumerate(made))
    assert found.near_misses.is_empty()
    rows = found.runs.sort("source").to_dicts()
    return found, list(zip(rows, map(truth, made), made, strict=True))


def rows(frame: pl.DataFrame, run: dict[str, Any], *columns: str) -> list[tuple[Any, ...]]:
    return frame.filter(pl.col("run_id") == run["run_id"]).select(columns).rows()


def unlike(made: list[Recipe]) -> list[Recipe]:
    """The same content under a second name is analysed once: each log of a batch gets a sound of its own."""
    return [replace(recipe, audio_s=(recipe.audio_frames + k / 99) / 25) for k, recipe in enumerate(made)]


batches = st.lists(recipes(), min_size=1, max_size=12).map(unlike)
property_test = settings(max_examples=18, deadline=None, suppress_health_check=list(HealthCheck))


@property_test
@given(batches)
def test_ranges_and_paddings_come_back_as_they_were(made: list[Recipe]) -> None:
    found, each = runs(made)
    for run, facts, recipe in each:
        windows = found.windows.filter(pl.col("audio_start").is_not_null()).sort("window")
        assert tuple(rows(windows, run, "audio_start", "audio_end")) == facts.windows
        padded = [(p.subject, p.have, p.need, p.length, p.missing) for p in facts.paddings]
        assert rows(found.paddings, run, "subject", "have", "need", "padding", "missing") == padded
        assert (run["status"], run["observed_windows"]) == (facts.status, len(facts.windows))
        if len(facts.windows) > 1:
            assert (run["window_frames"], run["motion_frames"]) == (recipe.window, recipe.motion)
            assert run["expected_windows"] == facts.expected_windows


@property_test
@given(batches)
def test_every_step_comes_back_within_its_bound_and_no_decode_among_them(made: list[Recipe]) -> None:
    found, each = runs(made)
    for run, facts, recipe in each:
        done = [(w, s, seconds) for w, window in enumerate(facts.steps, 1) for s, seconds in enumerate(window, 1)]
        steps = rows(found.steps.sort("window", "step"), run, "window", "step", "duration_s", "uncertainty_s", "method")
        assert [step[:2] for step in steps] == [step[:2] for step in done], recipe
        for (*_, seconds), (*place, duration, bound, method) in zip(done, steps, strict=True):
            assert method == "rate", place
            assert bound <= LONGEST_BOUND_S, place
            assert abs(duration - seconds) <= bound, place


@property_test
@given(batches)
def test_a_finished_windows_time_is_its_steps_and_its_decode(made: list[Recipe]) -> None:
    found, each = runs(made)
    for run, facts, _ in each:
        windows = rows(found.windows.sort("window"), run, "total_s", "total_uncertainty_s")
        for (total, bound), steps, decode in zip(windows, facts.steps, facts.decodes, strict=False):
            assert total == pytest.approx(sum(steps) + decode, abs=bound + 1e-6)


def wrong_steps(made: list[Recipe]) -> list[tuple[int, int, float, float]]:
    """Steps off by more than their bound: window, step, made, found; steps without a time are not counted."""
    found, each = runs(made)
    return [
        (window, step, facts.steps[window - 1][step - 1], duration)
        for run, facts, _ in each
        for window, step, duration, bound in rows(found.steps, run, "window", "step", "duration_s", "uncertainty_s")
        if duration is not None and abs(duration - facts.steps[window - 1][step - 1]) > bound
    ]


@property_test
@given(
    st.lists(
        recipes(longest=40, durations=st.one_of(st.floats(0.002, 0.3), st.floats(0.05, 5))), min_size=1, max_size=8
    ).map(unlike)
)
def test_steps_too_fast_for_the_bar_still_lie_within_their_bounds(made: list[Recipe]) -> None:
    assert wrong_steps([replace(recipe, failure=None) for recipe in made]) == []


@pytest.mark.parametrize("seconds", [[0.255, 0.23, 0.042], [4.9, 5.1, 0.04, 5.2, 5.0, 4.8]])
def test_a_fast_step_among_slow_ones_leaves_their_bounds_right(seconds: list[float]) -> None:
    assert wrong_steps([Recipe(steps=6, pace=pace(seconds))]) == []


@property_test
@given(batches)
def test_prompts_of_one_server_are_told_apart(made: list[Recipe]) -> None:
    whole = [replace(recipe, failure=None, banner=False) for recipe in made]
    found = analyze_inputs([from_bytes("server.log", b"".join(map(render, whole)))])
    assert found.prompts["status"].to_list() == ["completed"] * len(whole)
    for run, recipe in zip(found.runs.sort("line").to_dicts(), whole, strict=True):
        facts = truth(recipe)
        assert tuple(rows(found.windows.sort("window"), run, "audio_start", "audio_end")) == facts.windows
        assert len(rows(found.steps, run, "step")) == recipe.steps * len(facts.windows)
