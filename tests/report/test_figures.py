"""The drawings: what they show, and that they fit into a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from loganalyzer.report.facts import Places, RunFacts, collect_runs
from loganalyzer.report.figures import memory, scale, schedule, timing
from loganalyzer.report.model import Figure
from loganalyzer.tables.analysis import Analysis

BAND = (14.55, 15.45)


def facts(analysis: Analysis, number: int = 0) -> RunFacts:
    return collect_runs(analysis, Places(analysis.sources["source"]))[number]


def words(figure: Figure | None) -> list[str]:
    assert figure
    return [text.text or "" for text in ET.fromstring(figure.svg).iter("text")]


def changed(analysis: Analysis, **columns: object) -> RunFacts:
    """The first run with other values."""
    runs = analysis.runs.with_columns(pl.lit(value).alias(name) for name, value in columns.items())
    return facts(replace(analysis, runs=runs))


@pytest.fixture
def drawings(three_runs: Analysis) -> list[str]:
    run = facts(three_runs)
    made = (schedule.draw(run, 25.0), memory.draw(run, BAND, 31.84), timing.draw(run, 1.5))
    return [figure.svg for figure in made if figure]


def test_each_is_an_image_with_a_title_and_a_description_of_its_own(drawings: list[str]) -> None:
    ids = [name for svg in drawings for name in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in drawings:
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        named = {item.get("id"): item.text for item in root if item.tag in {"title", "desc"}}
        assert all(named[name] for name in (root.get("aria-labelledby") or "").split())


def test_each_scales_and_carries_no_style_that_a_strict_policy_drops(drawings: list[str]) -> None:
    for svg in drawings:
        root = ET.fromstring(svg)
        assert root.get("viewBox")
        assert root.get("width") is None
        assert "style" not in svg
        assert "xmlns" not in svg


def test_each_takes_its_colors_from_the_page(drawings: list[str]) -> None:
    for svg in drawings:
        paints = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
        assert all(re.fullmatch(r"none|var\(--[a-z-]+\)|url\(#[\w-]+\)", paint) for paint in paints)


def test_each_is_drawn_the_same_every_time(three_runs: Analysis, drawings: list[str]) -> None:
    run = facts(three_runs)
    again = (schedule.draw(run, 25.0), memory.draw(run, BAND, 31.84), timing.draw(run, 1.5))
    assert [figure.svg for figure in again if figure] == drawings


def test_the_schedule_numbers_every_window_and_times_every_boundary(three_runs: Analysis) -> None:
    shown = words(schedule.draw(facts(three_runs), 25.0))
    assert {"1", "2", "3", "4", "5", "6"} <= set(shown)
    assert {"0:02.88", "0:05.76", "0:08.64", "0:11.52", "0:14.40"} <= set(shown)


@pytest.mark.parametrize(("mirrored", "filling"), [(False, "silence"), (True, "mirrored speech"), (None, "padding")])
def test_what_lies_beyond_the_audio_is_marked_and_named(
    three_runs: Analysis, mirrored: bool | None, filling: str
) -> None:
    drawn = schedule.draw(changed(three_runs, mirrored=mirrored), 25.0)
    assert drawn
    assert f"audio ends at frame 427 (0:17.08); 14 frames of {filling} follow (0.56 s)" in words(drawn)
    assert 'fill="url(#run-1-schedule-h)"' in drawn.svg


def test_an_aligned_run_has_nothing_beyond_its_audio(aligned_run: Analysis) -> None:
    drawn = schedule.draw(facts(aligned_run), 25.0)
    assert drawn
    assert "audio ends at frame 369 (0:14.76), together with the last window" in words(drawn)
    assert "url(#" not in drawn.svg


def test_windows_that_never_came_are_drawn_as_such_and_pad_nothing(three_runs: Analysis) -> None:
    drawn = schedule.draw(facts(three_runs, 1), 25.0)
    assert drawn
    assert {"3 not in log", "4 not in log"} <= set(words(drawn))
    assert drawn.caption.endswith("2 not in the log.")
    assert "url(#" not in drawn.svg


def test_a_second_speaker_who_ends_early_counts(three_runs: Analysis) -> None:
    short = three_runs.paddings.with_columns(pl.lit(400, pl.Int64).alias("have"))
    drawn = schedule.draw(facts(replace(three_runs, paddings=short)), 25.0)
    assert "one speaker's audio ends at frame 400 (0:16.00); 41 frames of silence follow (1.64 s)" in words(drawn)


def test_a_schedule_without_ranges_or_with_too_many_is_not_drawn(three_runs: Analysis) -> None:
    nothing = replace(three_runs, windows=three_runs.windows.clear())
    assert schedule.draw(facts(nothing), 25.0) is None
    run = facts(three_runs)
    crowd = replace(run, rows={**run.rows, "windows": list(run["windows"]) * 30})
    assert schedule.draw(crowd, 25.0) is None


def test_the_peak_stands_against_its_band_and_the_card(three_runs: Analysis) -> None:
    drawn = memory.draw(facts(three_runs), BAND, 31.84)
    assert drawn
    assert drawn.caption == "Peak of the complete stage, within the baseline of 14.55–15.45 GiB."
    assert {"14.97 GiB", "baseline 14.55–15.45 GiB", "GPU total 31.84 GiB"} <= set(words(drawn))


@pytest.mark.parametrize(("peak", "side"), [(16.2, "above"), (14.1, "below"), (14.55, "within")])
def test_the_caption_says_on_which_side_of_the_band_the_peak_lies(three_runs: Analysis, peak: float, side: str) -> None:
    drawn = memory.draw(changed(three_runs, peak_allocated_gib=peak), BAND, None)
    assert drawn
    assert f", {side} the baseline" in drawn.caption


@pytest.mark.parametrize("covers", ["residue", "last-decode", None])
def test_what_is_no_sampling_peak_is_not_held_against_the_band(three_runs: Analysis, covers: str | None) -> None:
    drawn = memory.draw(changed(three_runs, peak_covers=covers), BAND, 31.84)
    assert drawn
    assert "not a sampling peak" in words(drawn)
    assert not [text for text in words(drawn) if "baseline" in text]
    assert drawn.caption.startswith("Not a sampling peak: ")


def test_without_a_report_there_is_no_memory_drawing(three_runs: Analysis) -> None:
    assert memory.draw(facts(three_runs, 1), BAND, 31.84) is None


def test_step_times_start_at_zero_and_name_median_and_outliers(three_runs: Analysis) -> None:
    drawn = timing.draw(facts(three_runs), 1.5)
    assert drawn
    assert {"0 s", "5 s", "10 s", "median 5.13 s", "step 2 of window 3: 11.24 s"} <= set(words(drawn))
    assert drawn.caption == (
        "24 steps, calculated from progress bar rates; median 5.13 s; 1 outlier: step 2 of window 3 (11.24 s)."
    )


def test_a_wider_tolerance_leaves_no_outlier(three_runs: Analysis) -> None:
    drawn = timing.draw(facts(three_runs), 3.0)
    assert drawn
    assert "outlier" not in drawn.caption


NIGHTS = {"metric": "s_per_step", "normal_low": 5.0, "normal_high": 5.3}


def test_the_step_times_normal_range_of_earlier_nights_is_a_band(three_runs: Analysis) -> None:
    run = facts(three_runs)
    banded = timing.draw(replace(run, rows={**run.rows, "trends": [NIGHTS]}), 1.5)
    assert banded
    assert "ok-soft" in banded.svg
    assert banded.caption.endswith("Shaded: normal by earlier nights, 5.00–5.30 s.")


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "window_s"}, {"normal_low": None}, {"normal_high": None}, {"normal_high": 5.0},
        {"normal_low": -1.0}, {"normal_high": float("inf")}, {"normal_low": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_a_range_that_is_unknown_or_not_one_is_not_drawn(change: dict[str, object], three_runs: Analysis) -> None:
    run = facts(three_runs)
    bare = timing.draw(replace(run, rows={**run.rows, "trends": [NIGHTS | change]}), 1.5)
    assert bare
    assert "ok-soft" not in bare.svg
    assert "Shaded" not in bare.caption


def test_a_normal_range_above_the_steps_is_inside_the_drawing(three_runs: Analysis) -> None:
    run = facts(three_runs)
    high = timing.draw(replace(run, rows={**run.rows, "trends": [NIGHTS | {"normal_high": 40.0}]}), 1.5)
    assert "40 s" in words(high)


def test_every_step_is_a_dot_unless_there_are_too_many(three_runs: Analysis) -> None:
    run = facts(three_runs)
    drawn = timing.draw(run, 1.5)
    assert drawn
    assert drawn.svg.count("h0") == 24
    crowd = timing.draw(replace(run, rows={**run.rows, "steps": list(run["steps"]) * 20}), 1.5)
    assert crowd
    assert crowd.caption.endswith("the lines show the range of each window.")
    assert len(crowd.svg) < 4 * len(drawn.svg)


def test_steps_without_a_duration_are_not_drawn(three_runs: Analysis) -> None:
    unknown = three_runs.steps.with_columns(pl.lit(None, pl.Float64).alias("duration_s"))
    assert timing.draw(facts(replace(three_runs, steps=unknown)), 1.5) is None


def test_a_drawing_is_small(many_runs: Callable[[int], Analysis]) -> None:
    run = facts(many_runs(1))
    made = (schedule.draw(run, 25.0), memory.draw(run, BAND, 31.84), timing.draw(run, 1.5))
    assert all(len(figure.svg) < 4_000 for figure in made if figure)


@pytest.mark.parametrize(
    ("highest", "marks"),
    [(31.84, (0, 10, 20, 30)), (12.6, (0, 5, 10)), (0.4, (0, 0.1, 0.2, 0.3, 0.4)), (0, (0,)), (float("nan"), (0,))],
)
def test_axes_have_round_marks_from_zero(highest: float, marks: tuple[float, ...]) -> None:
    assert scale.ticks(highest, 4) == pytest.approx(marks)
