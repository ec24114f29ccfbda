"""The small pictures of a run's row, the memory from run to run, and the marks in log lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import logtext as log
import polars as pl
import pytest

from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report import words
from loganalyzer.report.facts import Places, RunFacts, collect_runs
from loganalyzer.report.figures import growth, small
from loganalyzer.report.page import findings, run_tables
from loganalyzer.report.page.matching import find_spans
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis


def facts(analysis: Analysis, number: int = 0) -> RunFacts:
    return collect_runs(analysis, Places(analysis.sources["source"]))[number]


def paths(svg: str) -> dict[str, str]:
    return {path.get("class", ""): path.get("d", "") for path in ET.fromstring(svg)}


def label(svg: str) -> str:
    return ET.fromstring(svg).get("aria-label") or ""


def with_band(analysis: Analysis) -> Analysis:
    band = (pl.lit(14.55).alias("band_low_gib"), pl.lit(15.45).alias("band_high_gib"))
    return replace(analysis, runs=analysis.runs.with_columns(band))


def test_the_strip_shows_every_window_and_the_part_without_audio(three_runs: Analysis) -> None:
    drawn = small.schedule(facts(three_runs))
    assert label(drawn) == "6 windows, the last 14 frames without audio"
    assert paths(drawn)["w"].count("M") == 6
    assert paths(drawn)["p"].count("M") == 1


def test_windows_never_seen_are_hollow(three_runs: Analysis) -> None:
    drawn = small.schedule(facts(three_runs, 1))
    assert label(drawn) == "4 windows, 2 not in the log"
    assert (paths(drawn)["w"].count("M"), paths(drawn)["u"].count("M")) == (2, 2)


def test_memory_is_held_against_band_and_card(three_runs: Analysis) -> None:
    drawn = small.memory(facts(with_band(three_runs)), 31.84, 31.84)
    assert label(drawn) == "14.97 GiB allocated, baseline 14.55–15.45 GiB, GPU total 31.84 GiB"
    assert set(paths(drawn)) == {"b", "v", "t"}


def test_a_peak_that_is_none_of_sampling_is_not_held_against_a_band(three_runs: Analysis) -> None:
    drawn = small.memory(facts(with_band(three_runs), 2), 31.84, 31.84)
    assert set(paths(drawn)) == {"x", "t"}
    assert small.memory(facts(three_runs, 1), 31.84, 31.84) == ""


def test_steps_are_a_line_with_outliers_as_dots(three_runs: Analysis) -> None:
    drawn = small.steps(facts(three_runs), 1.5)
    assert label(drawn) == "24 steps, median 5.13 s, slowest 11.24 s"
    assert paths(drawn)["l"].count("L") == 23
    assert paths(drawn)["o"].count("M") == 1
    assert "o" not in paths(small.steps(facts(three_runs), 9.0))


def test_small_pictures_stay_small(many_runs: Callable[[int], Analysis]) -> None:
    run = facts(many_runs(1))
    assert sum(map(len, (small.schedule(run), small.memory(run, 31.84, 31.84), small.steps(run, 1.5)))) < 1500


def test_extreme_figures_draw_something_or_nothing(three_runs: Analysis) -> None:
    windows = three_runs.windows.with_columns(pl.lit(2**62).alias("audio_end"), pl.lit(0).alias("audio_start"))
    runs = three_runs.runs.with_columns(pl.lit(1e300).alias("peak_allocated_gib"))
    steps = three_runs.steps.with_columns(pl.lit(0.0).alias("duration_s"))
    run = facts(replace(three_runs, windows=windows, runs=runs, steps=steps))
    for drawn in (small.schedule(run), small.memory(run, None, small.memory_scale([run], None)), small.steps(run, 1.5)):
        assert not re.search(r"nan|inf", drawn)


def peaks(analysis: Analysis, *values: float) -> Analysis:
    one = analysis.runs.head(1)
    rows = [
        one.with_columns(pl.lit(value).alias("peak_allocated_gib"), pl.lit(f"R{number}").alias("run_id"))
        for number, value in enumerate(values)
    ]
    return replace(analysis, runs=pl.concat(rows))


def test_memory_growth_is_told_from_run_to_run(three_runs: Analysis) -> None:
    found = peaks(three_runs, 15.0, 15.5, 16.25)
    drawn = growth.draw(facts(found))
    assert drawn
    assert drawn.caption == (
        "Peak allocated memory over 3 runs of this log: 15.00 GiB → 16.25 GiB (+1.25 GiB); the dark dot is this run."
    )
    assert growth.draw(facts(found, 1)) is None
    grown = found.findings.with_columns(pl.lit("MEM005").alias("rule"), pl.lit("R1").alias("run_id"))
    assert growth.draw(facts(replace(found, findings=grown), 1))


def test_two_peaks_are_no_growth(three_runs: Analysis) -> None:
    assert growth.draw(facts(peaks(three_runs, 15.0, 16.0))) is None


def test_memory_growth_within_a_run_comes_first(three_runs: Analysis) -> None:
    report = three_runs.memory.head(1).with_columns(pl.lit("VAE encode").alias("phase"))
    reports = [report.with_columns(pl.lit(value).alias("max_allocated_gib")) for value in (5.0, 4.5, 4.0, 3.0)]
    drawn = growth.draw(facts(replace(three_runs, memory=pl.concat(reports))))
    assert drawn
    assert drawn.caption == ("Peak allocated memory over 4 reports of VAE encode: 5.00 GiB → 3.00 GiB (−2.00 GiB).")


def test_boundaries_can_be_pasted_into_an_editors_notes(three_runs: Analysis) -> None:
    table = run_tables.boundary_table(facts(three_runs), 25.0)
    assert table
    assert [column.title for column in table.columns] == ["Timecode at 25 fps", "Time", "Frame", "Event"]
    told = [[cell.text for cell in row] for row in table.rows]
    assert told[0] == ["00:00:02:22", "0:02.88", "72", "window 2 starts"]
    assert told[-1] == ["00:00:17:02", "0:17.08", "427", "audio ends; 14 frames of silence"]
    assert len(told) == 6


def test_a_single_window_without_padding_has_no_boundary(aligned_run: Analysis) -> None:
    alone = replace(aligned_run, windows=aligned_run.windows.head(1))
    assert run_tables.boundary_table(facts(alone), 25.0) is None


@pytest.mark.parametrize(
    ("frames", "fps", "said"),
    [(0, 25, "00:00:00:00"), (90_061, 25, "01:00:02:11"), (50, 24, "00:00:02:02"), (None, 25, "–"), (3, 0.2, "–")],
)
def test_timecodes_count_frames_as_editors_do(frames: int | None, fps: float, said: str) -> None:
    assert words.smpte(frames, fps) == said


def test_what_the_step_drawing_shows_is_a_table_too(three_runs: Analysis) -> None:
    table = run_tables.step_table(facts(three_runs))
    assert table
    assert [column.title for column in table.columns] == ["Window", "Step 1", "Step 2", "Step 3", "Step 4"]
    assert table.rows[2][2].text == "11.24 s"
    many = three_runs.steps.with_columns(pl.lit(1).alias("window"))
    summed = run_tables.step_table(facts(replace(three_runs, steps=many)))
    assert summed
    assert [column.title for column in summed.columns] == ["Window", "Steps", "Fastest", "Median", "Slowest"]


def test_the_message_in_a_line_is_marked_and_what_stands_around_it_is_not() -> None:
    text = "2025-11-22 06:30:00 [INFO] Audio embedding for subject 0 not long enough: 427, need 441, padding..."
    begin, end = find_spans([("padding-request", text)]).popitem()[1]
    assert text[begin:end] == "Audio embedding for subject 0 not long enough: 427, need 441, padding..."


def test_evidence_of_a_real_log_has_its_message_marked() -> None:
    found = analyze_inputs([from_bytes("x.log", log.prompt(427).replace("Audio emb", "gpu0 | Audio emb").encode())])
    groups = findings.group_findings(found, {}, Places(["x.log"]))
    lines = [line for group in groups for one in group.findings if one.evidence for line in one.evidence.lines]
    marked = [line.text[line.begin : line.end] for line in lines if line.hit]
    assert "Audio embedding for subject 0 not long enough: 427, need 441, padding..." in marked
    assert all(not (line.begin or line.end) for line in lines if not line.hit)


def test_of_a_near_miss_the_part_that_could_not_be_read_is_marked() -> None:
    text = "Sampling 250 frames in many windows, at 1280x720 with 4 steps\n"
    found = analyze_inputs([from_bytes("x.log", (log.prompt(369) + text).encode())])
    group = next(group for group in findings.group_findings(found, {}, Places(["x.log"])) if group.rule == "LOG001")
    evidence = group.findings[0].evidence
    assert evidence
    line = next(line for line in evidence.lines if line.hit)
    assert line.text[line.begin : line.end].startswith("many windows")


def test_a_finding_has_an_address_that_says_its_rule(three_runs: Analysis) -> None:
    groups = findings.group_findings(three_runs, {}, Places(three_runs.sources["source"]))
    assert [group.anchor for group in groups] == ["AUD001", "RUN002", "TIM003", "MEM007"]
    assert groups[0].findings[0].anchor == "AUD001-1"


def test_what_was_masked_is_listed_at_the_end(three_runs: Analysis, rendered: Callable[..., str]) -> None:
    masked = pl.DataFrame({"kind": ["user"], "values": [1], "places": [3]})
    page = rendered(replace(three_runs, masked=masked))
    assert "user name in a path" in page
    assert page.index("Masked values") > page.index("Run details")
    assert "No tokens, addresses or personal names" in rendered(three_runs)


def test_what_is_left_out_names_the_command_that_shows_it(many_runs: Callable[[int], Analysis]) -> None:
    found = many_runs(400)
    group = findings.group_findings(found, {}, Places(found.sources["source"]))[0]
    assert group.more
    assert group.more.rest == "29 more findings. To see all:"
    assert group.more.command == "loganalyze THIS-FILE.html --no-html --json - --select AUD001"


def test_a_line_that_holds_a_bar_and_a_message_is_shown_once_with_the_message_marked() -> None:
    bar = log.refresh("Sampling audio indices 72-153", 2, 4, 9, " 5.00s/it")
    text = (
        log.ARRIVAL + log.header(297, 5) + log.window(0, 81) + bar + "Error during sampling: Allocation on device\n"
        "!!! Exception during processing !!! Allocation on device\n" + log.EXECUTED
    )  # fmt: skip
    found = analyze_inputs([from_bytes("x.log", text.encode())])
    group = next(group for group in findings.group_findings(found, {}, Places(["x.log"])) if group.rule == "RUN002")
    evidence = group.findings[0].evidence
    assert evidence
    marked = [line.text[line.begin : line.end] for line in evidence.lines if line.hit]
    assert marked == ["Error during sampling: Allocation on device"]


def test_memory_bars_of_all_runs_share_one_scale(three_runs: Analysis) -> None:
    one, two = facts(with_band(three_runs)), facts(with_band(three_runs), 2)
    end = small.memory_scale([one, two], None)
    assert end == max(one.run["total_vram_gib"] or 0, one.run["peak_allocated_gib"], two.run["peak_allocated_gib"])
    widths = [
        float(re.search(r'class="[vx]"[^>]*d="M0 5h([\d.]+)', small.memory(run, None, end))[1])  # type: ignore[index]
        for run in (one, two)
    ]
    peaks = [run.run["peak_allocated_gib"] for run in (one, two)]
    assert widths[0] / widths[1] == pytest.approx(peaks[0] / peaks[1], rel=0.02)


def test_a_scale_without_any_figure_is_still_a_number(three_runs: Analysis) -> None:
    nothing = facts(
        replace(
            three_runs,
            runs=three_runs.runs.with_columns(
                peak_allocated_gib=pl.lit(None, pl.Float64), total_vram_gib=pl.lit(None, pl.Float64)
            ),
        )
    )
    assert 0 < small.memory_scale([nothing], None) < 1
