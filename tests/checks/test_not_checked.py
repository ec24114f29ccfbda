"""A rule that lacks its input says so: it neither passes nor goes quiet when the line that tells it is not there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import logtext as log
import polars as pl
import pytest

from loganalyzer.checks.registry import rules
from loganalyzer.report.formats.junit import render_junit
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from sample_logs import FOLDER, SAMPLES

SETTINGS = Settings(price_per_hour=2.0)
Q6 = Settings(quantization="Q6_K")

FACTS = {
    "nothing": r"(?!)",
    "arrival": r"got prompt",
    "banner": r"Total VRAM .*|Device: cuda.*",
    "embedding": r"\[MultiTalk\].*| *speaker \d+:.*",
    "audio-shorter": r"\[MultiTalk\] Audio duration.*",
    "lora": r"Loading LoRA:.*",
    "audio-features": r"Multitalk audio features.*",
    "mode": r"Multitalk mode:.*",
    "silence-missing": r"No encoded silence.*",
    "header": r"Sampling \d+ frames in .*",
    "bars": r"\r?Sampling audio indices[^\r\n]*",
    "rates": r"(?<=, ) *[\d.]+(s/it|it/s)(?=\])",
    "padding": r"Audio embedding for subject.*|Padding length:.*",
    "allocated": r"(\[\w+\] )?Allocated memory:.*",
    "max-allocated": r"(\[\w+\] )?Max allocated memory:.*",
    "max-reserved": r"(\[\w+\] )?Max reserved memory:.*",
    "memory": r"(\[\w+\] )?(Allocated|Max allocated|Max reserved) memory:.*",
    "executed": r"Prompt executed.*",
}
"""What a log can lack, as its lines are lost, or reworded by a later revision."""

ONLY_WHERE_WRONG = {("silence-missing", "AUD004"), ("audio-shorter", "AUD003")}
"""Messages that are printed only where something is wrong: a log without them is a good one."""


def known(*columns: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(column).is_not_null() for column in columns)


INPUTS = {
    "SCH001": known("audio_frames", "expected_windows", "observed_windows"),
    "SCH002": known("announced_windows", "audio_frames", "expected_windows"),
    "SCH003": known("expected_windows", "observed_windows"),
    "SCH004": known("window_frames", "motion_frames") & pl.col("schedule_observed"),
    "AUD001": known("missing_frames"),
    "AUD002": known("missing_frames"),
    "AUD003": known("audio_frames") & (known("requested_frames") | known("audio_s")),
    "AUD004": known("missing_frames") & ((pl.col("missing_frames") == 0) | known("mirrored")),
    "AUD005": known("audio_frames", "expected_windows") & ((pl.col("expected_windows") > 1) | known("shortest_frames")),
    "AUD006": known("audio_frames", "audio_s"),
    "MEM001": known("peak_allocated_gib", "quantization", "band_high_gib") & (pl.col("peak_covers") == "stage"),
    "MEM002": known("peak_allocated_gib", "quantization", "band_low_gib") & (pl.col("peak_covers") == "stage"),
    "MEM003": known("peak_reserved_gib", "total_vram_gib") & (pl.col("peak_covers") == "stage"),
    "MEM004": known("peak_allocated_gib", "peak_reserved_gib") & (pl.col("peak_covers") == "stage"),
    "MEM005": known("peak_allocated_gib", "peak_covers"),
    "MEM006": known("peak_allocated_gib", "peak_reserved_gib"),
    "MEM007": known("peak_allocated_gib", "peak_covers"),
    "MOD001": known("width", "height", "quantization"),
    "MOD002": known("lora_rank"),
    "MOD003": known("quantization", "peak_allocated_gib") & (pl.col("quantization_source") != "vram"),
    "MOD004": known("sampler_attention"),
    "TIM001": known("gpu", "width", "height", "steps"),
    "TIM002": known("gpu", "width", "height", "steps", "total_s"),
    "TIM003": known("observed_windows"),
    "TIM004": known("observed_windows"),
    "TIM005": known("observed_windows"),
    "CST001": known("prompt_s", "quantization", "observed_windows"),
}
"""What must be known of a run of which a rule says nothing: neither a finding, nor that it was not checked."""

OF_THE_LOG_ITSELF = {
    *("RUN001", "RUN002", "RUN003", "RUN004", "RUN006", "LOG001", "LOG002", "LOG003", "LOG004"),
    *("REG001", "REG002", "REG003", "REG004", "REG005", "RUN005", "CFG001"),
    *("RUN007", "RUN012", "RUN008", "RUN009", "RUN010", "RUN011", "MOD005"),
}
"""Rules that speak of how a prompt ended or of how a log reads; and those on what is held against it."""

Run = tuple[str, str]


@cache
def without(sample: str, fact: str) -> Analysis:
    text = FOLDER.joinpath(sample).read_bytes().decode()
    return log.analyze(re.sub(FACTS[fact], "", text), SETTINGS, sample)


def said(analysis: Analysis, table: str) -> set[tuple[int, str]]:
    """Number of the run, and rule."""
    numbered = analysis.runs.sort("line").with_row_index("number").select("number", "run_id")
    rows: pl.DataFrame = getattr(analysis, table)
    return set(rows.join(numbered, on="run_id").select("number", "rule").rows())


CASES = [
    (sample, fact)
    for sample in SAMPLES
    for fact, form in FACTS.items()
    if fact == "nothing" or re.search(form, FOLDER.joinpath(sample).read_bytes().decode())
]
every_case = pytest.mark.parametrize(("sample", "fact"), CASES, ids=["-".join(case) for case in CASES])


def test_every_rule_on_runs_states_its_inputs() -> None:
    assert set(INPUTS) | OF_THE_LOG_ITSELF == {rule.id for rule in rules().values() if rule.witness == "log"}


@every_case
def test_what_was_found_does_not_pass_silently_when_a_fact_is_lost(sample: str, fact: str) -> None:
    before, after = said(without(sample, "nothing"), "findings"), without(sample, fact)
    spoken_of = said(after, "findings") | said(after, "not_checked")
    gone = {rule for run, rule in before - spoken_of if rule not in OF_THE_LOG_ITSELF}
    assert {rule for rule in gone if (fact, rule) not in ONLY_WHERE_WRONG} == set()


@every_case
def test_a_rule_that_says_nothing_had_its_inputs(sample: str, fact: str) -> None:
    analysis = without(sample, fact)
    spoken_of = said(analysis, "findings") | said(analysis, "not_checked")
    runs = analysis.runs.sort("line").with_row_index("number")
    judged = runs.select("number", **{rule: present.fill_null(value=False) for rule, present in INPUTS.items()})
    unknown = judged.unpivot(index="number", variable_name="rule").filter(~pl.col("value"))
    assert set(unknown.select("number", "rule").rows()) - spoken_of == set()


@every_case
def test_every_reason_is_told_and_junit_passes_no_rule_that_was_not_checked(sample: str, fact: str) -> None:
    analysis = without(sample, fact)
    assert analysis.not_checked["reason"].null_count() == 0
    cases = ET.fromstring(render_junit(analysis, SETTINGS, "error")).iter("testcase")
    passed = {(case.get("classname"), case.get("name", "").split()[0]) for case in cases if not len(case)}
    lines = dict(analysis.runs.select("run_id", "line").rows())
    skipped = analysis.not_checked.select("run_id", "rule").rows()
    assert passed & {(f"{sample}:{lines[run]}", rule) for run, rule in skipped if run} == set()


def not_checked(analysis: Analysis) -> dict[str, str]:
    """Rule to reason, of a log with one run."""
    return dict(analysis.not_checked.select("rule", "reason").rows())


def found(analysis: Analysis) -> set[str]:
    return set(analysis.findings["rule"])


@pytest.mark.parametrize("mode", ["infinite_talk", "longtalk", "infinitetalk-v2"])
def test_a_mode_that_is_not_known_is_judged_by_its_audio_and_named_where_it_counts(mode: str) -> None:
    text = log.BANNER + log.prompt(427).replace("rank256", "rank64").replace("infinitetalk", mode)
    analysis = log.analyze(text, Q6)
    assert {"AUD001", "MOD002"} <= found(analysis)
    reasons = not_checked(analysis)
    assert "SCH001" not in reasons
    assert "SCH003" not in reasons
    for rule in ("MEM001", "MEM002", "SCH004", "TIM001", "TIM002"):
        assert f"the unknown mode {mode}" in reasons[rule]


def test_a_mode_that_is_not_known_counts_its_windows_where_no_range_shows_them() -> None:
    text = log.ARRIVAL + log.MODE.replace("infinitetalk", "longtalk") + log.header(250, 4) + log.memory() + log.EXECUTED
    run = log.analyze(text).runs.row(0, named=True)
    assert (run["window_frames"], run["motion_frames"], run["expected_windows"]) == (81, 9, 4)


@pytest.mark.parametrize(
    "line", ["No encoded silence found, padding with the end.\n", "no encoded silence file found.\n"]
)
def test_what_pads_the_end_is_not_guessed_beside_a_line_that_cannot_be_read(line: str) -> None:
    analysis = log.analyze(log.prompt(427).replace("Sampling 427", f"{line}Sampling 427"), Q6)
    message = analysis.findings.filter(pl.col("rule") == "AUD001")["message"].item()
    assert "follow padding." in message
    assert "AUD004" in not_checked(analysis)
    assert "LOG001" in found(analysis)


def test_what_was_asked_for_is_not_checked_beside_a_line_that_cannot_be_read() -> None:
    told = "[MultiTalk] total raw duration = 17.080s\n"
    reworded = "[InfiniteTalk] Audio duration (427 frames) is shorter than requested (441 frames). Using 427 frames.\n"
    assert "AUD003" not in not_checked(log.analyze(log.prompt(427).replace(log.MODE, told + log.MODE)))
    analysis = log.analyze(log.prompt(427).replace(log.MODE, told + reworded + log.MODE))
    assert "does not parse" in not_checked(analysis)["AUD003"]
    assert "LOG001" in found(analysis)


def test_a_run_of_unknown_size_is_held_against_what_every_size_requires() -> None:
    text = log.prompt(153).replace("rank256", "rank64").replace("Sampling 153 frames in", "Rendering 153 frames in")
    analysis = log.analyze(text, Q6)
    assert "MOD002" in found(analysis)
    reasons = not_checked(analysis)
    assert "width and height" in reasons["MOD001"]
    assert "no baseline for Q6_K in mode infinitetalk at an unknown size" in reasons["MEM001"]
    assert {"MEM002", "AUD005", "SCH002"} <= set(reasons)


def test_a_plain_run_has_no_baseline_and_says_so() -> None:
    text = log.ARRIVAL + "Sampling 81 frames at 1280x720 with 4 steps\n" + log.memory(99.0, 99.1) + log.EXECUTED
    reasons = not_checked(log.analyze(text, Q6))
    for rule in ("MEM001", "MEM002"):
        assert reasons[rule].startswith("no baseline for Q6_K in mode plain at 1280x720")
    assert {"TIM001", "TIM002", "CST001"} <= set(reasons)


def test_the_rules_of_the_talking_loop_say_that_they_do_not_know_another() -> None:
    text = log.ARRIVAL + log.header(160, 2) + log.window(0, 80) + log.window(80, 160) + log.EXECUTED
    reasons = not_checked(log.analyze(text, Q6))
    for rule in ("AUD001", "AUD003", "AUD004", "AUD005", "AUD006", "MOD001", "MOD002", "SCH002", "SCH004"):
        assert reasons[rule].endswith("this run has mode s2v")


def test_what_the_log_does_not_tell_is_not_held_against_the_workflow() -> None:
    asked = Settings(workflow=Path(__file__).with_name("talk.json"))
    text = log.prompt(369).replace("Sampling 369 frames in", "Rendering 369 frames in")
    reasons = log.analyze(text, asked).not_checked.filter(pl.col("rule") == "RUN005")["reason"]
    assert "the log does not state: frames, steps, size" in reasons.to_list()


def test_bars_without_ranges_show_no_sequence() -> None:
    outer = "\rGenerating video clips:   0%|          | 0/1 [00:00<?, ?it/s]"
    bare = "\r  0%|  | 0/2 [00:00<?, ?it/s]\r100%|##| 2/2 [00:10<00:00,  5.00s/it]\n"
    shapes = "Multitalk audio features shapes (per speaker): [(153, 12, 768)]\n"
    text = log.ARRIVAL + shapes + "Sampling 81 frames at 832x480 with 2 steps\n" + outer + bare + bare + log.EXECUTED
    assert not_checked(log.analyze(text))["SCH001"] == "the windows' audio ranges are not in the log"


def test_without_a_declaration_there_is_nothing_that_a_peak_could_contradict() -> None:
    assert "declared" in not_checked(log.analyze(log.prompt(153), Settings()))["MOD003"]


@pytest.mark.parametrize("line", ["Max allocated memory", "Max reserved memory"])
def test_an_incomplete_memory_report_is_no_proof_that_nothing_is_fragmented(line: str) -> None:
    reasons = not_checked(log.analyze(log.prompt(153).replace(line, line.lower()), Q6))
    assert {"MEM004", "MEM006"} <= set(reasons)


def test_runs_that_differ_are_no_series_to_see_growth_in() -> None:
    text = "".join(log.prompt(153, size=f"{width}x720") for width in (640, 832, 960, 1280))
    assert log.analyze(text, Q6).not_checked.filter(pl.col("rule") == "MEM005").height == 4
    assert log.analyze(log.prompt(153) * 4, Q6).not_checked.filter(pl.col("rule") == "MEM005").is_empty()


def test_a_slowdown_near_a_figure_that_is_no_peak_may_be_a_full_card() -> None:
    steps = "".join(log.window(72 * k, 72 * k + 81, step_s=seconds) for k, seconds in enumerate((5, 40, 40)))
    text = log.BANNER + log.ARRIVAL + log.MODE + log.header(225, 4) + steps + log.memory_2026() + log.EXECUTED
    assert "steps jumped" in not_checked(log.analyze(text, Q6))["TIM005"]
