"""Each threshold of a rule, just inside and just outside."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from tables import context, finds, reports, runs, steps, windows

from loganalyzer.checks import audio, embedding, growth, memory, schedule, timing
from loganalyzer.settings.model import Settings

CALM = [5.0] * 4


def reasons(check: Any, **tables: pl.DataFrame) -> list[str]:
    return check(context(**tables)).not_checked["reason"].to_list()


@pytest.mark.parametrize(("seconds", "is_slow"), [(25.29, False), (25.31, True)])
def test_tim001_reports_a_window_beyond_the_baseline_and_its_tolerance(seconds: float, is_slow: bool) -> None:
    assert finds(timing.slow_window, windows=windows(21.0, seconds, None)) == is_slow


def test_tim001_names_the_slow_windows_and_the_slowest() -> None:
    (message,) = timing.slow_window(context(windows=windows(26.0, 21.0, 27.5))).findings["message"]
    assert message == "2 windows are slow: 1, 3. The slowest took 27.5 s."
    (message,) = timing.slow_window(context(windows=windows(21.0, 27.5))).findings["message"]
    assert message == "1 window is slow: 2. The slowest took 27.5 s."


def test_tim001_says_where_no_window_has_a_time() -> None:
    assert reasons(timing.slow_window, windows=windows(None, None)) == ["the windows' total times are not in the log"]
    assert reasons(timing.slow_window, windows=windows(None, 21.0)) == []


@pytest.mark.parametrize(("seconds", "is_slow"), [(126.4, False), (126.6, True)])
def test_tim002_reports_a_mean_window_beyond_the_baseline_and_its_tolerance(seconds: float, is_slow: bool) -> None:
    assert finds(timing.slow_run, runs=runs({"total_s": seconds})) == is_slow


def test_tim002_says_where_a_time_is_missing() -> None:
    assert reasons(timing.slow_run, runs=runs({"total_s": None})) == ["not every window's total time is in the log"]
    assert reasons(timing.slow_run, runs=runs()) == []


@pytest.mark.parametrize(
    ("step", "is_outlier"),
    [(7.5, False), (7.52, True), ((7.6, 0.2), False), ((7.6, 0.05), True)],
    ids=["inside", "outside", "inside by its uncertainty", "outside despite its uncertainty"],
)
def test_tim003_reports_a_step_beyond_one_and_a_half_times_the_median(
    step: float | tuple[float, float], is_outlier: bool
) -> None:
    assert finds(timing.step_outlier, steps=steps(CALM, CALM, [5.0, 5.0, 5.0, step])) == is_outlier


@pytest.mark.parametrize(("last", "is_outlier"), [([9.0], False), ([5.0, 9.0], True)], ids=["5 steps", "6 steps"])
def test_tim003_judges_runs_of_six_measured_steps(last: list[float], is_outlier: bool) -> None:
    table = steps([*CALM, 5.0], last)  # the first step of a run does not count
    assert finds(timing.step_outlier, steps=table) == is_outlier
    assert bool(reasons(timing.step_outlier, steps=table)) != is_outlier


@pytest.mark.parametrize(("extra", "is_outlier"), [([], False), ([5.0], True)], ids=["2 of 7", "2 of 8"])
def test_tim003_calls_at_most_a_quarter_of_the_steps_outliers(extra: list[float], is_outlier: bool) -> None:
    assert finds(timing.step_outlier, steps=steps([*CALM, *extra], [5.0, 5.0, 9.0, 9.0])) == is_outlier


def test_tim003_names_the_slowest_step() -> None:
    found = timing.step_outlier(context(steps=steps(CALM, [5.0, 8.0, 5.0, 5.0], [5.0, 9.0, 5.0, 5.0]))).findings
    assert found.select("line", "message").row(0) == (
        32,
        "Slow steps: 2 of 11 (median 5.00 s). The slowest, step 2 of window 3, took 9.00 s.",
    )


@pytest.mark.parametrize(("last", "slows"), [(5.49, False), (5.51, True)])
def test_tim004_reports_a_slowdown_of_more_than_a_tenth(last: float, slows: bool) -> None:
    assert finds(timing.slowdown_trend, steps=steps(CALM, CALM, [5.2] * 4, [last] * 4, [last] * 4)) == slows


@pytest.mark.parametrize(("count", "slows"), [(3, False), (4, True)])
def test_tim004_judges_runs_of_four_windows(count: int, slows: bool) -> None:
    table = steps(*([5.0 + number] * 4 for number in range(count)))
    assert finds(timing.slowdown_trend, steps=table) == slows
    assert bool(reasons(timing.slowdown_trend, steps=table)) != slows


@pytest.mark.parametrize(
    ("order", "slows"), [((2, 1, 5, 4, 3, 6), True), ((2, 1, 5, 3, 6, 4), False)], ids=["0.71", "0.66"]
)
def test_tim004_calls_a_slowdown_a_trend_if_the_windows_order_and_times_correlate(
    order: tuple[int, ...], slows: bool
) -> None:
    """Both orders end slower than they begin: rank correlations of 0.71 and 0.66, where more than 0.7 is needed."""
    assert finds(timing.slowdown_trend, steps=steps(*([5 + 0.3 * rank] * 4 for rank in order))) == slows


@pytest.mark.parametrize(
    ("medians", "ends"),
    [
        ((5.0, 5.3, 5.6, 5.9), "5.15 s in the first windows, 5.75 s in the last"),
        ((5.0, 5.1, 5.4, 5.8, 6.0), "5.05 s in the first windows, 5.90 s in the last"),
        ((5.0, 5.1, 5.3, 5.5, 5.6, 5.9, 6.0), "5.10 s in the first windows, 5.90 s in the last"),
    ],
    ids=["2 of 4", "2 of 5", "3 of 7"],
)
def test_tim004_compares_the_first_third_of_the_windows_with_the_last(medians: tuple[float, ...], ends: str) -> None:
    found = timing.slowdown_trend(context(steps=steps(*([one] * 4 for one in medians)))).findings
    assert ends in found["message"].item()
    assert found["line"].item() == 10 * len(medians) + 1


def test_tim004_states_the_slowdown_in_percent() -> None:
    found = timing.slowdown_trend(context(steps=steps(*([one] * 4 for one in (5.0, 5.0, 6.0, 6.0))))).findings
    assert found["message"].item().startswith("Steps slow down by 20 % over the run:")
    assert found.select("observed", "expected").row(0) == ("+20 %", "+10 % at most")


@pytest.mark.parametrize(("slow", "spills"), [(14.9, False), (15.1, True)])
def test_tim005_reports_steps_of_more_than_three_times_the_best_window(slow: float, spills: bool) -> None:
    full = runs({"peak_reserved_gib": 31.0})
    assert finds(timing.memory_spill, runs=full, steps=steps(CALM, [slow] * 4)) == spills


@pytest.mark.parametrize(("reserved", "spills"), [(28.7, False), (28.9, True)])
def test_tim005_reports_a_jump_on_a_card_that_is_nine_tenths_full(reserved: float, spills: bool) -> None:
    full = runs({"peak_reserved_gib": reserved})
    assert finds(timing.memory_spill, runs=full, steps=steps(CALM, [40.0] * 4)) == spills


def test_tim005_names_the_first_slow_window_and_the_slowest_steps() -> None:
    full = runs({"peak_reserved_gib": 31.0})
    table = steps([6.0] * 4, CALM, [16.0] * 4, [40.0] * 4)
    (message,) = timing.memory_spill(context(runs=full, steps=table)).findings["message"]
    assert message == "From window 3 on, steps take 40.0 s instead of 5.0 s, with 31.0 of 32.0 GiB reserved."


def test_tim005_compares_with_earlier_windows_only() -> None:
    full = runs({"peak_reserved_gib": 31.0})
    assert not finds(timing.memory_spill, runs=full, steps=steps([40.0] * 4, CALM))


def test_tim005_needs_two_windows() -> None:
    assert reasons(timing.memory_spill, steps=steps(CALM)) == ["the log has fewer than 2 windows with step times"]
    assert reasons(timing.memory_spill, steps=steps(CALM, CALM)) == []


@pytest.mark.parametrize(
    ("reserved", "covers", "found", "reason"),
    [
        (31.0, None, True, None),
        (31.0, "last-decode", True, None),
        (20.0, None, False, "incomplete"),
        (20.0, "last-decode", False, "does not print the sampling peak"),
        (None, "stage", False, "how full the GPU"),
    ],
)
def test_tim005_takes_a_figure_that_is_no_peak_only_where_it_shows_a_full_card(
    reserved: float | None, covers: str | None, found: bool, reason: str | None
) -> None:
    tables = {
        "runs": runs({"peak_reserved_gib": reserved, "peak_covers": covers}),
        "steps": steps(CALM, [40.0] * 4),
    }
    assert finds(timing.memory_spill, **tables) == found
    said = reasons(timing.memory_spill, **tables)
    assert [reason in one for one in said] == [True] if reason else said == []


@pytest.mark.parametrize(
    ("check", "gib", "is_found"),
    [
        (memory.vram_above, 15.45, False),
        (memory.vram_above, 15.46, True),
        (memory.vram_below, 14.55, False),
        (memory.vram_below, 14.54, True),
    ],
)
def test_mem001_and_mem002_report_a_peak_outside_the_band(check: Any, gib: float, is_found: bool) -> None:
    assert finds(check, runs=runs({"peak_allocated_gib": gib})) == is_found


@pytest.mark.parametrize(("reserved", "is_tight"), [(30.39, False), (30.41, True)])
@pytest.mark.parametrize("covers", ["stage", "last-decode", None])
def test_mem003_reports_less_than_a_twentieth_of_the_card_left(
    reserved: float, is_tight: bool, covers: str | None
) -> None:
    table = runs({"peak_reserved_gib": reserved, "peak_covers": covers})
    assert finds(memory.vram_headroom, runs=table) == is_tight
    assert bool(reasons(memory.vram_headroom, runs=table)) == (covers != "stage" and not is_tight)


@pytest.mark.parametrize(("allocated", "reserved"), [(None, 16.0), (15.0, None), (None, None)])
def test_mem003_needs_the_reserved_figure_only(allocated: float | None, reserved: float | None) -> None:
    table = runs({"peak_allocated_gib": allocated, "peak_reserved_gib": reserved})
    assert bool(reasons(memory.vram_headroom, runs=table)) == (reserved is None)


@pytest.mark.parametrize(("reserved", "is_wide"), [(18.74, False), (18.76, True)])
def test_mem004_reports_a_quarter_more_reserved_than_allocated(reserved: float, is_wide: bool) -> None:
    assert finds(memory.fragmentation, runs=runs({"peak_reserved_gib": reserved})) == is_wide


def test_mem004_states_the_surplus_in_percent() -> None:
    found = memory.fragmentation(context(runs=runs({"peak_reserved_gib": 21.0}))).findings
    assert found["observed"].item() == "40 % above allocated"
    assert found["expected"].item() == "25 % at most"


@pytest.mark.parametrize(
    ("gib", "grows"),
    [
        ((6.0, 6.03, 6.06), False),
        ((6.0, 6.03, 6.06, 6.09), True),
        ((6.0, 6.019, 6.038, 6.057), False),
        ((6.0, 6.021, 6.042, 6.063), True),
        ((6.0, 6.04, 6.04, 6.09), False),
        ((6.0, 6.04, 6.05, 6.09), True),
    ],
    ids=["3 reports", "4 reports", "19 MiB", "21 MiB", "one at rest", "all rising"],
)
def test_mem005_reports_four_reports_that_rise_by_a_fiftieth_of_a_gib(gib: tuple[float, ...], grows: bool) -> None:
    assert finds(growth.memory_growth, memory=reports(gib)) == grows
    peaks = runs(*({"peak_allocated_gib": 9 + one} for one in gib))
    assert finds(growth.memory_growth, runs=peaks) == grows


def test_mem005_keeps_phases_and_kinds_of_run_apart() -> None:
    half = reports((6.0, 6.1)), reports((6.2, 6.3), phase="Sampling")
    assert not finds(growth.memory_growth, memory=pl.concat(half))
    sizes = (1280, 832, 1280, 832)
    peaks = runs(*({"peak_allocated_gib": 15 + k / 10, "width": width} for k, width in enumerate(sizes)))
    assert not finds(growth.memory_growth, runs=peaks)


def test_mem005_needs_four_reports_of_one_phase_and_four_peaks_of_one_kind() -> None:
    mixed = pl.concat([reports((6.0, 6.1, 6.2)), reports((6.3,), phase="Sampling")])
    assert not finds(growth.memory_growth, memory=mixed)
    assert growth.select_comparable(context(runs=runs(), memory=mixed).found)[1].is_empty()
    rising = [{"peak_allocated_gib": 15 + k / 10} for k in range(4)]
    assert finds(growth.memory_growth, runs=runs(*rising))
    assert not finds(growth.memory_growth, runs=runs(*rising[:3], rising[3] | {"width": 832}))
    assert not finds(growth.memory_growth, runs=runs(*(one | {"peak_covers": "last-decode"} for one in rising)))


def test_mem005_says_how_many_more_windows_fit() -> None:
    tables = {"runs": runs({"total_vram_gib": 7.0}), "memory": reports((6.0, 6.1, 6.2, 6.3))}
    (message,) = growth.memory_growth(context(**tables)).findings["message"]
    assert message == (
        "WanVAE decode grows by 102 MiB from window to window, 3 times in a row. After 7 more, memory is full."
    )


def test_mem005_says_where_there_are_too_few_reports() -> None:
    assert len(reasons(growth.memory_growth)) == 1
    assert reasons(growth.memory_growth, memory=reports((6.0, 6.0, 6.0, 6.0))) == []
    assert reasons(growth.memory_growth, runs=runs({}, {}, {}, {})) == []
    assert len(reasons(growth.memory_growth, runs=runs({}, {}, {}))) == 3


SAME = {"peak_allocated_gib": 15.0, "peak_reserved_gib": 16.0}


@pytest.mark.parametrize(
    ("second", "is_carried"),
    [
        ({}, True),
        ({"prompt_id": "f-P1"}, False),
        ({"peak_allocated_gib": 15.001}, False),
        ({"peak_reserved_gib": 16.001}, False),
        ({"stream": "worker-2"}, False),
        ({"source": "b.log"}, False),
        ({"peak_allocated_gib": None}, False),
    ],
    ids=["two prompts", "two samplers of one prompt", "other peak", "other reserve", "other stream", "other log", "no"],
)
def test_mem006_reports_the_same_two_figures_in_the_next_prompt_of_one_process(
    second: dict[str, Any], is_carried: bool
) -> None:
    assert finds(growth.carried_peak, runs=runs(SAME, SAME | second)) == is_carried


@pytest.mark.parametrize(("gib", "is_carried"), [(15.0, True), (15.1, False)])
def test_mem006_compares_the_first_run_of_a_volume_with_the_last_of_the_one_before(
    gib: float, is_carried: bool
) -> None:
    before = growth.latest_peaks(None, runs({"peak_allocated_gib": 14.0}, {"peak_allocated_gib": gib}))
    seen = replace(context(runs=runs({"run_id": "f-R900", "prompt_id": "f-P9", "line": 900})), before=before)
    assert growth.carried_peak(seen).findings.height == is_carried


@pytest.mark.parametrize(("requested", "is_shorter"), [(369, False), (370, False), (371, True)])
def test_aud003_forgives_one_frame(requested: int, is_shorter: bool) -> None:
    assert finds(embedding.audio_shorter, runs=runs({"requested_frames": requested})) == is_shorter


@pytest.mark.parametrize(("seconds", "is_wrong"), [(17.079, True), (17.080, False), (17.160, False), (17.161, True)])
def test_aud006_reports_seconds_that_no_truncation_explains(seconds: float, is_wrong: bool) -> None:
    """427 frames at 25 fps last 17.08 s; up to two more frames may be cut off."""
    assert finds(embedding.frame_rate, runs=runs({"audio_frames": 427, "audio_s": seconds})) == is_wrong


@pytest.mark.parametrize(("seconds", "is_checked"), [(0.0, False), (0.001, True), (None, False)])
def test_aud006_needs_a_duration(seconds: float | None, is_checked: bool) -> None:
    assert bool(reasons(embedding.frame_rate, runs=runs({"audio_s": seconds}))) != is_checked


@pytest.mark.parametrize(("frames", "shortest", "is_clamped"), [(81, 81, False), (80, 80, True), (90, 80, True)])
def test_aud005_reports_audio_shorter_than_its_window(frames: int, shortest: int, is_clamped: bool) -> None:
    one = {"audio_frames": frames, "shortest_frames": shortest, "expected_windows": 1}
    assert finds(audio.clamped_audio, runs=runs(one)) == is_clamped


def test_aud005_concerns_runs_of_one_window() -> None:
    assert not finds(audio.clamped_audio, runs=runs({"audio_frames": 80, "expected_windows": 2}))


def test_aud005_says_where_a_speakers_length_is_unknown() -> None:
    one = {"audio_frames": 90, "shortest_frames": None, "expected_windows": 1}
    assert len(reasons(audio.clamped_audio, runs=runs(one))) == 1
    assert reasons(audio.clamped_audio, runs=runs(one | {"expected_windows": 2})) == []
    assert reasons(audio.clamped_audio, runs=runs(one | {"audio_frames": 80})) == []


@pytest.mark.parametrize(("announced", "is_wrong"), [(4, True), (5, False), (6, False), (7, True)])
def test_sch002_accepts_the_estimate_and_the_real_count(announced: int, is_wrong: bool) -> None:
    assert finds(schedule.announced_windows, runs=runs({"announced_windows": announced})) == is_wrong


@pytest.mark.parametrize(("observed", "are_missing"), [(4, True), (5, False), (6, False)])
def test_sch003_reports_fewer_windows_than_the_loop_runs(observed: int, are_missing: bool) -> None:
    table = windows(*[21.0] * observed)
    assert finds(schedule.missing_windows, runs=runs({"observed_windows": observed}), windows=table) == are_missing


@pytest.mark.parametrize(
    ("change", "is_other"),
    [({}, False), ({"window_frames": 77}, True), ({"window_frames": 85}, True), ({"motion_frames": 10}, True)],
)
def test_sch004_reports_another_window_or_overlap(change: dict[str, int], is_other: bool) -> None:
    assert finds(schedule.nonstandard_schedule, runs=runs(change)) == is_other
    as_meant = {name: change.get(name, usual) for name, usual in (("window_frames", 81), ("motion_frames", 9))}
    assert not finds(schedule.nonstandard_schedule, Settings(**as_meant), runs=runs(change))


@pytest.mark.parametrize(
    ("window", "end", "is_wrong"), [(1, 162, False), (1, 161, True), (2, 306, True), (2, 153, False)]
)
def test_sch001_forgives_a_doubled_end_of_the_first_window_only(window: int, end: int, is_wrong: bool) -> None:
    own = pl.col("window") == window
    table = windows(21.0, 21.0).with_columns(
        pl.when(own).then(end).otherwise("audio_end").alias("audio_end"),
        (~own | (pl.col("expected_end") == end)).alias("matches"),
    )
    assert finds(schedule.window_sequence, windows=table) == is_wrong


SILENT = {"requested_frames": None, "audio_s": 14.8}
MISREAD = pl.DataFrame({"source": ["a.log"], "pattern": ["audio-shorter"]})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"audio_s": None}, "the embedding was cached"),
        ({"wrapper_era": "2025-06-01..2025-08-20"}, "does not print the requested frames"),
        ({"wrapper_era": "2025-06-01..2025-08-21"}, None),
        ({"wrapper_era": "2025-06-01..2025-08-20", "requested_frames": 400}, None),
        ({"audio_s": None, "requested_frames": 400}, None),
    ],
)
def test_aud003_says_where_the_log_could_not_tell(change: dict[str, Any], reason: str | None) -> None:
    said = reasons(embedding.audio_shorter, runs=runs(SILENT | change))
    assert [reason in one for one in said] == [True] if reason else said == []


@pytest.mark.parametrize(("requested", "is_checked"), [(None, False), (400, True)])
def test_aud003_is_not_checked_where_its_line_cannot_be_read(requested: int | None, is_checked: bool) -> None:
    seen = replace(context(runs=runs(SILENT | {"requested_frames": requested})), near=MISREAD)
    assert embedding.audio_shorter(seen).not_checked.is_empty() == is_checked


def test_aud003_advises_the_frames_and_seconds_that_fit() -> None:
    found = embedding.audio_shorter(context(runs=runs({"requested_frames": 400}))).findings
    assert found["fix"].item() == "Request 369 frames or fewer, or supply audio of 16.00 s."


def test_aud006_states_both_rates() -> None:
    found = embedding.frame_rate(context(runs=runs({"audio_frames": 427, "audio_s": 18.565}))).findings
    assert found["message"].item() == "427 frames over 18.565 s of audio make 23.00 frames per second, not 25.00."


@pytest.mark.parametrize(
    ("covers", "gib", "is_kept"),
    [
        ("stage", (6.0, 6.0, 6.0, 6.0), True),
        ("stage", (6.0, 6.0, 6.0), True),
        ("last-decode", (6.0, 6.0, 6.0, 6.0), False),
        ("last-decode", (6.0, 6.1, 6.2, 6.3), True),
        (None, (6.0, 6.1, 6.2), False),
    ],
)
def test_a_volume_keeps_what_mem005_can_use_beside_others(
    covers: str | None, gib: tuple[float, ...], is_kept: bool
) -> None:
    """True peaks and runs in which memory grows; of reports those that are more than three of a phase."""
    kept, memory_kept = growth.select_comparable(context(runs=runs({"peak_covers": covers}), memory=reports(gib)).found)
    assert kept.height == is_kept
    assert memory_kept.height == (len(gib) if is_kept and len(gib) > 3 else 0)


def test_the_last_run_of_each_output_whose_peak_is_known_is_kept_for_the_next_volume() -> None:
    first = growth.latest_peaks(None, runs({}, {"peak_allocated_gib": 15.2}, {"peak_allocated_gib": None}))
    assert first["peak_allocated_gib"].to_list() == [15.2]
    then = growth.latest_peaks(
        first, runs({"line": 900, "peak_allocated_gib": 15.3}, {"stream": "worker-2", "line": 901})
    )
    assert sorted(then["peak_allocated_gib"].to_list()) == [15.0, 15.3]


def test_mem005_counts_reports_of_runs_that_name_their_memory() -> None:
    lost = pl.concat([reports((6.0, 6.1, 6.2)), reports((6.3,)).with_columns(allocated_gib=pl.lit(None, pl.Float64))])
    alien = pl.concat([reports((6.0, 6.1, 6.2)), reports((6.3,)).with_columns(run_id=pl.lit(None, pl.String))])
    last = {"runs": runs({"peak_covers": "last-decode"})}
    for table in (lost, alien):
        assert not finds(growth.memory_growth, memory=table)
        assert len(reasons(growth.memory_growth, memory=table, **last)) == 1


def figures(check: Any, **tables: pl.DataFrame) -> tuple[str, str]:
    """What a rule's only finding observed and expected."""
    return check(context(**tables)).findings.select("observed", "expected").row(0)


def test_rules_of_time_state_what_they_observed_and_expected() -> None:
    spilled = {"runs": runs({"peak_reserved_gib": 31.0}), "steps": steps(CALM, [40.04] * 4)}
    assert figures(timing.slow_window, windows=windows(27.54)) == ("27.5 s", "25.3 s at most")
    assert figures(timing.slow_run, runs=runs({"total_s": 150.2})) == ("30.0 s per window", "25.3 s at most")
    assert figures(timing.step_outlier, steps=steps(CALM, [5.0, 5.0, 8.126])) == ("8.13 s", "7.50 s at most")
    assert figures(timing.memory_spill, **spilled) == ("40.0 s per step", "5.0 s per step")


def test_rules_of_memory_state_what_they_observed_and_expected() -> None:
    high, tight = runs({"peak_allocated_gib": 16.0126}), runs({"peak_reserved_gib": 31.0126})
    assert figures(memory.vram_above, runs=high) == ("16.013 GiB", "14.55 to 15.45 GiB")
    assert figures(memory.vram_headroom, runs=tight) == ("31.013 GiB reserved", "30.40 GiB at most")
    grown = reports((6.0, 6.1, 6.2, 6.3))
    assert figures(growth.memory_growth, memory=grown) == ("+102 MiB per window", "no growth")
    assert figures(growth.carried_peak, runs=runs({}, {}))[0] == "15.000 GiB"


def test_mem003_states_what_is_free() -> None:
    (message,) = memory.vram_headroom(context(runs=runs({"peak_reserved_gib": 31.0}))).findings["message"]
    assert message == "31.00 of 32.00 GiB are reserved; 1.00 GiB are free."


@pytest.mark.parametrize(("covers", "meaning"), [("residue", "still allocated after"), ("last-decode", "peak of the")])
def test_mem007_says_what_the_printed_figure_is(covers: str, meaning: str) -> None:
    found = memory.peak_not_sampling(context(runs=runs({"peak_covers": covers}))).findings
    assert meaning in found["message"].item()
    assert found["observed"].item() == covers


@pytest.mark.parametrize("covers", ["stage", "last-window"])
def test_mem007_is_silent_on_true_peaks(covers: str) -> None:
    assert not finds(memory.peak_not_sampling, runs=runs({"peak_covers": covers}))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"quantization": None}, "the quantization is unknown"),
        ({"quantization_source": "vram"}, "inferred from this peak"),
        ({"lora_rank": 64}, "no baseline"),
        ({"status": "failed"}, "did not complete"),
        ({"peak_allocated_gib": None}, "no memory report"),
        ({"peak_covers": None}, "incomplete"),
        ({"peak_covers": "last-decode"}, "does not print the sampling peak"),
    ],
)
def test_mem001_says_why_a_peak_is_not_compared(change: dict[str, Any], part: str) -> None:
    table = runs(change)
    (reason,) = reasons(memory.vram_above, runs=table)
    assert part in reason
    assert not finds(memory.vram_above, runs=table)


def test_tim003_leaves_a_step_of_exactly_one_and_a_half_times_the_median() -> None:
    assert not finds(timing.step_outlier, steps=steps(CALM, [4.0, 5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 7.5]))
    assert finds(timing.step_outlier, steps=steps(CALM, [4.0, 5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 7.51]))


def test_sch001_reports_a_wrong_range_once_and_leaves_nothing_unchecked() -> None:
    table = windows(21.0, 21.0).with_columns(pl.Series("matches", [True, False]), audio_end=pl.lit(150, pl.Int64))
    outcome = schedule.window_sequence(context(windows=table))
    assert outcome.findings["observed"].to_list() == ["72-150"]
    assert outcome.not_checked.is_empty()


@pytest.mark.parametrize("change", [{"audio_frames": None}, {"expected_windows": None}, {"observed_windows": None}])
def test_sch001_and_sch003_say_which_figure_is_missing(change: dict[str, Any]) -> None:
    tables = {"runs": runs(change), "windows": windows(21.0, 21.0)}
    assert len(reasons(schedule.window_sequence, **tables)) == 1
    assert len(reasons(schedule.missing_windows, **tables)) == 1
    assert not finds(schedule.missing_windows, **tables)


def test_a_value_that_equals_its_limit_is_within_it() -> None:
    quarter = Settings(headroom_fraction=0.25, slowdown_fraction=0.25)
    assert not finds(memory.vram_headroom, quarter, runs=runs({"peak_reserved_gib": 24.0}))
    assert not finds(memory.fragmentation, quarter, runs=runs({"peak_reserved_gib": 18.75}))
    assert not finds(
        timing.slowdown_trend, quarter, steps=steps(CALM, CALM, [5.5] * 4, [6.25] * 4, [6.25, 6.25, 6.25, 6.3])
    )


@pytest.mark.parametrize(("finish", "end", "is_reported"), [(True, 369, False), (True, 368, True), (False, 369, True)])
def test_sch003_forgives_a_lost_bar_where_the_last_window_and_the_end_are_seen(
    finish: bool, end: int, is_reported: bool
) -> None:
    table = windows(*[21.0] * 5).with_columns(
        pl.when(pl.col("window") == 5).then(end).otherwise("audio_end").alias("audio_end")
    )
    run = runs({"observed_windows": 4, "finish_observed": finish})
    assert finds(schedule.missing_windows, runs=run, windows=table) == is_reported


@pytest.mark.parametrize(("frames", "place"), [(0, "0:00.00"), (1499, "0:59.96"), (1500, "1:00.00"), (3125, "2:05.00")])
def test_a_place_in_the_video_is_minutes_and_seconds(frames: int, place: str) -> None:
    assert pl.select(audio.format_clock(pl.lit(frames), 25.0)).item() == place
