"""What the page says, before any template sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from loganalyzer.report.facts import Places
from loganalyzer.report.model import Page, Run, Table
from loganalyzer.report.page import details
from loganalyzer.report.page.page import build_page
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

Build = Callable[..., Page]


@pytest.fixture
def page_of(moment: object) -> Build:
    def built(analysis: Analysis, settings: Settings | None = None, **more: object) -> Page:
        return build_page(analysis, settings or Settings(), moment, **more)  # type: ignore[arg-type]

    return built


def column(table: Table | None, title: str) -> list[str]:
    assert table
    position = [item.title for item in table.columns].index(title)
    return [f"{row[position].text} {row[position].note}".strip() for row in table.rows]


def detail(page: Page, title: str) -> Run:
    return next(run for run in page.details if run.title == title)


def test_the_verdict_is_said_in_words_with_its_reach(three_runs: Analysis, page_of: Build) -> None:
    overview = page_of(three_runs).overview
    assert overview.mark.word == "Fail"
    assert overview.headline == "2 errors and 1 warning in 2 of 3 runs"
    assert {pair.term: pair.text for pair in overview.counts} == {
        "runs": "3", "completed": "2", "errors": "2", "warnings": "1", "notes": "1", "not checked": "3",
    }  # fmt: skip


def test_a_pass_says_that_nothing_is_to_be_changed(aligned_run: Analysis, page_of: Build) -> None:
    overview = page_of(aligned_run).overview
    assert overview.mark.word == "Pass"
    assert overview.headline == "1 run within expectations"
    assert overview.lead == "No problems found. Skipped checks are listed below."
    assert overview.first == ()


def test_no_run_is_never_a_pass(page_of: Build) -> None:
    page = page_of(Analysis())
    assert page.overview.mark.word == "No runs"
    assert page.overview.lead.startswith("A log without a run does not pass.")
    assert page.runs is None
    assert page.details == ()


def test_an_unread_input_is_said_on_the_first_screen(aligned_run: Analysis, page_of: Build) -> None:
    page = page_of(replace(aligned_run, problems=("a.log: no such file",)))
    assert page.overview.notices == ("1 input could not be read. See Problems.",)
    assert page.problems == ("a.log: no such file",)


def test_the_gravest_rules_come_first_with_their_fix(three_runs: Analysis, page_of: Build) -> None:
    first = page_of(three_runs).overview.first
    assert [item.mark.word for item in first] == ["error", "error", "warning"]
    assert first[0].title == "Audio too short"
    assert first[0].way.text.startswith("Cut to 369 frames (14.76 s)")
    assert first[0].place == "2025-11-21-night.log:10"


def test_each_run_has_one_row_with_units(three_runs: Analysis, page_of: Build) -> None:
    runs = page_of(three_runs).runs
    assert column(runs, "Run") == ["2025-11-21-night.log:4", "2025-11-21-night.log:30", "2026-01-14-after-update.log:4"]
    assert column(runs, "Status") == ["completed", "failed", "completed"]
    assert column(runs, "Audio") == ["427 frames 17.08 s", "297 frames 11.88 s", "369 frames 14.76 s"]
    assert column(runs, "Windows") == ["6 of 6 6 announced", "2 of 4 5 announced", "5 of 5 6 announced"]
    assert column(runs, "Missing") == ["14 frames 0.56 s", "–", "0 frames"]
    assert column(runs, "Peak allocated") == ["14.97 GiB", "–", "9.21 GiB last decode only"]
    assert column(runs, "Quantization") == ["Q6_K declared", "–", "Q6_K declared"]
    assert column(runs, "Total")[0] == "2 min 16 s prompt 2 min 57 s"


def test_a_median_of_averages_says_so(aligned_run: Analysis, page_of: Build) -> None:
    averaged = aligned_run.steps.with_columns(pl.lit("average").alias("method"))
    assert column(page_of(replace(aligned_run, steps=averaged)).runs, "Step median") == ["5.13 s average"]


def test_without_steps_the_windows_averages_stand_in(aligned_run: Analysis, page_of: Build) -> None:
    alone = replace(aligned_run, steps=aligned_run.steps.clear())
    assert column(page_of(alone).runs, "Step median") == ["5.14 s average"]


def test_findings_stand_by_rule_with_their_lines_and_neighbours(three_runs: Analysis, page_of: Build) -> None:
    groups = page_of(three_runs).groups
    assert [group.rule for group in groups] == ["AUD001", "RUN002", "TIM003", "MEM007"]
    finding = groups[0].findings[0]
    assert finding.observed == "14 frames missing (have 427, need 441)"
    assert finding.expected == "0 frames missing"
    assert finding.evidence
    assert finding.evidence.source == "/data/logs/2025-11-21-night.log"
    assert [(line.number, line.hit) for line in finding.evidence.lines] == [("9", False), ("10", True), ("11", False)]
    assert finding.evidence.lines[2].text == "Padding length: 17"


def test_a_neighbour_far_away_is_no_neighbour(three_runs: Analysis, page_of: Build) -> None:
    evidence = page_of(three_runs).groups[1].findings[0].evidence
    assert evidence
    assert [line.number for line in evidence.lines] == ["33", "34"]


def test_a_finding_without_a_line_has_no_evidence(three_runs: Analysis, page_of: Build) -> None:
    bare = three_runs.findings.with_columns(pl.lit(None, pl.Int64).alias("line"))
    assert all(f.evidence is None for g in page_of(replace(three_runs, findings=bare)).groups for f in g.findings)


def test_many_findings_of_a_rule_become_rows(many_runs: Callable[[int], Analysis], page_of: Build) -> None:
    group = page_of(many_runs(60)).groups[0]
    assert group.count == "20 findings"
    assert len(group.findings) == 5
    assert group.more
    assert len(group.more.rows) == 15


def test_boundaries_are_listed_at_the_configured_rate(three_runs: Analysis, page_of: Build) -> None:
    windows = detail(page_of(three_runs), "2025-11-21-night.log:4").windows
    assert column(windows, "Frames")[:2] == ["[0, 81)", "[72, 153)"]
    assert column(windows, "Boundary") == ["none", "0:02.88", "0:05.76", "0:08.64", "0:11.52", "0:14.40"]
    assert column(windows, "Time in the video")[5] == "0:14.40–0:17.64"
    slower = detail(page_of(three_runs, Settings(fps=24.0)), "2025-11-21-night.log:4").windows
    assert column(slower, "Boundary")[1] == "0:03.00"


def test_windows_never_seen_are_listed_as_such(three_runs: Analysis, page_of: Build) -> None:
    windows = detail(page_of(three_runs), "2025-11-21-night.log:30").windows
    assert column(windows, "Frames") == ["[0, 81)", "[72, 153)", "[144, 225) not seen", "[216, 297) not seen"]
    assert column(windows, "Steps") == ["4 of 4", "4 of 4", "–", "–"]


def test_what_the_log_does_not_tell_is_gathered_and_never_zero(three_runs: Analysis, page_of: Build) -> None:
    failed = detail(page_of(three_runs), "2025-11-21-night.log:30")
    assert "Quantization" in failed.not_in_log
    assert "Quantization" not in [pair.term for pair in failed.settings]
    assert failed.not_drawn == "GPU memory: the log has no memory report for this run."


def test_few_runs_are_open_and_many_are_folded(
    three_runs: Analysis, many_runs: Callable[[int], Analysis], page_of: Build
) -> None:
    assert all(run.opened for run in page_of(three_runs).details)
    assert all(run.opened for run in page_of(many_runs(details.MOST_OPENED)).details)
    assert not any(run.opened for run in page_of(many_runs(details.MOST_OPENED + 1)).details)


def test_step_times_are_in_a_table_up_to_some_runs(many_runs: Callable[[int], Analysis], page_of: Build) -> None:
    few, many = (page_of(many_runs(details.MOST_WITH_STEPS + more)).details for more in (0, 1))
    assert any(run.steps for run in few)
    assert not any(run.steps for run in many)


def test_beyond_ten_runs_the_worst_are_drawn_and_the_rest_is_said(
    many_runs: Callable[[int], Analysis], page_of: Build
) -> None:
    page = page_of(many_runs(130))
    drawn = [run for run in page.details if run.figures]
    assert len(drawn) == details.MOST_WITH_FIGURES
    assert all(run.worst for run in drawn)
    assert len(page.details) == details.MOST_RUNS
    assert page.runs
    assert len(page.runs.rows) == 130
    assert page.overview.notices[0].startswith("Only the 10 worst of 130 runs have figures. 10 runs")
    assert all(run.not_drawn for run in page.details if not run.figures)


def test_what_was_not_checked_stands_by_reason_with_its_places(three_runs: Analysis, page_of: Build) -> None:
    table = page_of(three_runs).not_checked
    assert column(table, "Rule")[0] == "MEM001, MEM002 vram-above-baseline, vram-below-baseline"
    assert column(table, "Where") == ["2026-01-14-after-update.log:4", "2025-11-21-night.log:30"]


def test_many_places_not_checked_are_counted(many_runs: Callable[[int], Analysis], page_of: Build) -> None:
    assert column(page_of(many_runs(30)).not_checked, "Where") == ["10 runs", "10 runs"]


def test_inputs_are_named_with_digest_size_and_encoding(three_runs: Analysis, page_of: Build) -> None:
    table = page_of(three_runs).inputs
    assert column(table, "Input") == ["/data/logs/2025-11-21-night.log", "/data/logs/2026-01-14-after-update.log"]
    assert column(table, "SHA-256 (start)")[0] == "9e9334de76e4"
    assert column(table, "Size")[0] == "8.5 KiB"


def test_inputs_say_how_much_of_them_was_understood(three_runs: Analysis, page_of: Build) -> None:
    table = page_of(three_runs).inputs
    assert table is not None
    coverage = ("Lines", "Lines recognized", "Near misses", "Unknown lines")
    assert [column(table, name)[0] for name in coverage] == ["48", "42", "0", "6"]
    assert {item.title for item in table.columns if item.number} >= set(coverage)


def test_parameters_name_files_without_their_folders(page_of: Build) -> None:
    settings = Settings(baselines=Path("/home/someone/mine.toml"), ignore=("AUD002",), quantization="Q6_K")
    told = {pair.term: pair.text for pair in page_of(Analysis(), settings).parameters}
    assert told["baselines"] == "mine.toml"
    assert told["ignore"] == "AUD002"
    assert told["quantization"] == "Q6_K"
    assert told["price per hour"] == "–"


def test_inputs_of_one_name_are_told_apart_by_their_folders() -> None:
    places = Places(["a/x/comfyui.log", "b/x/comfyui.log", "c\\other.log", "-"])
    assert places("a/x/comfyui.log", 3) == "a/x/comfyui.log:3"
    assert places("b/x/comfyui.log", 3, "worker-2") == "b/x/comfyui.log:3 [worker-2]"
    assert places("c\\other.log") == "other.log"
    assert places("-", 1) == "stdin:1"
    assert places(None, 1) == "–"


def test_a_cause_has_one_group_and_its_other_rules_stand_under_it(page_of: Build) -> None:
    from pathlib import Path

    from loganalyzer.pipeline import analyze

    sample = Path(__file__).parents[2] / "sample_logs" / "mirrored_Q6_K.txt"
    page = page_of(analyze([str(sample)]))
    (group,) = [one for one in page.groups if one.rule == "AUD001"]
    assert group.title == "Audio too short"
    assert group.rules[0] == "AUD001"
    assert {other.rule for other in group.others} == set(group.rules[1:]) >= {"AUD004"}
    assert not {"AUD004"} & {one.rule for one in page.groups}
    anchors = [f.anchor for one in page.groups for f in (*one.findings, *one.others)]
    assert len(anchors) == len(set(anchors))
    assert "AUD004-1" in anchors
    assert [item.title for item in page.overview.first] == ["Audio too short"]


def test_a_fix_is_split_into_ways_with_their_commands() -> None:
    from loganalyzer.report.ways import Way, split_fix

    assert split_fix("Trim:\n  `ffmpeg -i A B`\nOr render 81 frames.") == (
        Way("Trim", ("ffmpeg -i A B",)),
        Way("Or render 81 frames."),
    )
    assert split_fix(None) == (Way("–"),)
    assert split_fix("  `alone`") == (Way("  `alone`"),)
