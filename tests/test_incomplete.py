"""Every run has a verdict, and says whether the checks that decide it could be made."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.report.terminal import summary
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

Q6 = Settings(quantization="Q6_K")
WHOLE = log.BANNER + log.prompt(369)
HEADER_ONLY = log.ARRIVAL + log.MODE + log.header(369, 6) + log.EXECUTED
NO_BARS = log.BANNER + log.ARRIVAL + log.lora() + log.MODE + log.header(369, 6) + log.memory() + log.EXECUTED


def analyzed(source: str, settings: Settings = Q6) -> Analysis:
    return log.analyze(source, settings)


def headline(analysis: Analysis, tmp_path: Path) -> str:
    file = tmp_path / "summary.txt"
    with file.open("w") as out:
        summary.write(analysis, out)
    return " ".join(file.read_text().split("\n\n")[-1].split())


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(source: str, *words: str) -> Result:
    Path("take_Q6_K.log").write_text(source)
    return CliRunner().invoke(main, ["take_Q6_K.log", "--no-html", *words])


@pytest.mark.parametrize(
    ("source", "verdict", "complete"),
    [
        (WHOLE, "pass", True),
        (HEADER_ONLY, "pass", False),
        (NO_BARS, "pass", False),
        (log.window(216, 297) + log.window(288, 369) + log.memory() + log.EXECUTED, "pass", False),
        (log.prompt(427), "fail", True),
        (log.prompt(369).replace("rank256", "rank64"), "fail", True),
        (log.prompt(369, report=log.memory_2026()), "pass", False),
    ],
    ids=["whole", "header only", "no bars", "begins in window 4", "padded", "another LoRA", "no sampling peak"],
)
def test_a_run_is_complete_where_all_deciding_checks_were_made(source: str, verdict: str, complete: bool) -> None:
    run = analyzed(source).runs.row(0, named=True)
    assert (run["verdict"], run["complete"]) == (verdict, complete)


@pytest.mark.parametrize(
    ("settings", "complete"),
    [(Q6, False), (Settings(), True), (Settings(quantization="Q4_K_M"), True)],
    ids=["declared, with a baseline", "unknown", "declared, without a baseline"],
)
def test_memory_decides_only_where_there_is_something_to_compare_with(settings: Settings, complete: bool) -> None:
    assert analyzed(log.prompt(369, report=log.memory_2026()), settings).runs["complete"].item() is complete


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (WHOLE, "PASS 1 run in 1 file: no problems found"),
        (HEADER_ONLY, "PASS (incomplete) 1 run in 1 file: 1 run: nothing shows that sampling finished"),
        (WHOLE + log.prompt(369, report=log.memory_2026()),
         "PASS (incomplete) 2 runs in 1 file: 1 of 2 runs: this wrapper version does not print the sampling peak"),
        (log.prompt(427), "FAIL 1 run in 1 file: 1 error"),
    ],
    ids=["complete", "not proven", "one of two", "failed"],
)  # fmt: skip
def test_the_headline_never_says_only_pass_of_what_was_not_checked(source: str, said: str, tmp_path: Path) -> None:
    assert said in headline(analyzed(source), tmp_path)


def test_an_input_without_a_run_beside_others_makes_the_whole_incomplete(tmp_path: Path) -> None:
    Path("idle.log").write_text(log.BANNER)
    Path("good_Q6_K.log").write_text(WHOLE)
    result = CliRunner().invoke(main, ["good_Q6_K.log", "idle.log", "--json", "-", "--no-html"])
    document = json.loads(result.stdout)
    assert (document["verdict"], document["complete"]) == ("pass", False)
    assert "1 of 2 files: no run found" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("words", "code"), [((), 0), (("--strict",), 1), (("--strict", "--fail-on", "never"), 0)], ids=str
)
def test_strict_turns_an_incomplete_verdict_red(words: tuple[str, ...], code: int) -> None:
    assert call(HEADER_ONLY, *words).exit_code == code


def test_strict_leaves_a_complete_verdict_alone() -> None:
    assert call(WHOLE, "--strict").exit_code == 0


@pytest.mark.parametrize(
    ("words", "tag"), [((), "skipped"), (("--strict",), "failure"), (("--strict", "--fail-on", "never"), "skipped")]
)
def test_junit_has_verdict_completeness_and_the_reasons(words: tuple[str, ...], tag: str) -> None:
    call(HEADER_ONLY, "--junit", "junit.xml", *words)
    suite = ET.parse("junit.xml").getroot().find("testsuite")
    assert suite is not None
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert properties == {"verdict": "pass", "complete": "false"}
    (case,) = [case for case in suite.iter("testcase") if case.get("name") == "complete"]
    (outcome,) = case
    assert outcome.tag == tag
    assert "RUN001: the log has neither the memory report nor the last window" in (outcome.get("message") or "")


def test_junit_passes_the_case_of_a_complete_run() -> None:
    call(WHOLE, "--junit", "junit.xml")
    (case,) = [case for case in ET.parse("junit.xml").iter("testcase") if case.get("name") == "complete"]
    assert len(case) == 0


def test_an_ignored_finding_is_not_part_of_a_runs_verdict() -> None:
    Path("loganalyze.toml").write_text('[[ignore]]\nrule = "AUD001"\nreason = "test"\nuntil = 2999-01-01\n')
    document = json.loads(call(log.prompt(427), "--json", "-").stdout)
    assert (document["verdict"], document["runs"][0]["verdict"]) == ("pass", "pass")


@pytest.mark.parametrize(
    ("rule", "kind"),
    [("CST001", "configuration"), ("REG001", "configuration"), ("RUN001", "log"), ("SCH003", "log")],
)
def test_a_reason_says_whether_the_log_or_the_configuration_lacks_something(rule: str, kind: str) -> None:
    rows = analyzed(HEADER_ONLY).not_checked.filter(pl.col("rule") == rule)
    assert rows["kind"].to_list() == [kind]


def test_a_rule_about_another_loop_is_not_applicable() -> None:
    animate = log.ARRIVAL + "Sampling 81 frames in 1 windows, at 832x480 with 4 steps\n" + log.EXECUTED
    rows = analyzed("WanAnimate: something\n" + animate).not_checked
    assert set(rows.filter(pl.col("reason").str.contains("MultiTalk loop only"))["kind"]) <= {"not-applicable"}


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_last_window_below_its_total_at_the_prompts_end_is_a_run_that_failed(done: int) -> None:
    source = log.ARRIVAL + log.MODE + log.header(153, 3) + log.window(0, 81) + log.window(72, 153, done=done)
    found = analyzed(source + "\n" + log.EXECUTED)
    assert found.runs["status"].item() == found.prompts["status"].item() == "failed"
    assert found.prompts["error"].item() == f"sampling stopped at step {done} of 4 in window 2; no message says why"
    assert "RUN001" in found.findings["rule"].to_list()


def test_a_report_behind_a_bar_that_lost_its_last_refreshes_shows_that_sampling_finished() -> None:
    source = log.ARRIVAL + log.MODE + log.header(153, 3) + log.window(0, 81) + log.window(72, 153, done=2)
    found = analyzed(source + "\n" + log.memory() + log.EXECUTED)
    assert found.runs["status"].item() == "completed"


def test_a_full_last_window_shows_that_sampling_finished_without_a_report() -> None:
    found = analyzed(log.prompt(369, report=""))
    assert found.runs.select("status", "finish_observed").row(0) == ("completed", True)


def test_a_stage_that_stopped_before_another_one_of_its_prompt_failed_too() -> None:
    stopped = log.header(153, 3) + log.window(0, 81) + log.window(72, 153, done=1) + "\n"
    found = analyzed(log.ARRIVAL + log.MODE + stopped + log.MODE + log.run(153).removeprefix(log.MODE) + log.EXECUTED)
    assert found.runs["status"].to_list() == ["failed", "completed"]


def test_later_windows_and_the_report_prove_windows_whose_bars_are_lost() -> None:
    found = analyzed(log.prompt(225).replace(log.window(72, 153), ""))
    assert found.runs["observed_windows"].item() == 2
    assert "SCH003" not in found.findings["rule"].to_list()
    assert (
        "the log lacks bars or lines of windows"
        in found.not_checked.filter(pl.col("rule") == "SCH003")["reason"].item()
    )


def test_a_last_window_that_is_not_there_is_missing_whatever_report_follows() -> None:
    cut = log.prompt(225).replace(log.padding(225, 225), "").replace(log.window(144, 225), "")
    assert "SCH003" in analyzed(cut).findings["rule"].to_list()


def test_the_padding_request_proves_a_last_window_whose_bar_is_lost() -> None:
    assert "SCH003" not in analyzed(log.prompt(225).replace(log.window(144, 225), "")).findings["rule"].to_list()


def test_bars_that_almost_read_are_no_missing_windows() -> None:
    found = analyzed(log.prompt(225).replace("Sampling audio indices 72-153", "Sampling audio indices 72 to 153"))
    assert "SCH003" not in found.findings["rule"].to_list()
    assert "LOG001" in found.findings["rule"].to_list()


@pytest.mark.parametrize(
    ("audio", "announced", "is_found"),
    [(427, 6, True), (368, 6, True), (369, 6, False), (427, 8, False), (81, 1, False)],
    ids=["14 missing", "1 missing", "aligned", "another schedule", "one window"],
)
def test_the_header_alone_shows_a_shortfall_if_its_count_fits_the_configured_schedule(
    audio: int, announced: int, is_found: bool
) -> None:
    text_ = log.ARRIVAL + log.MODE + log.header(audio, announced) + log.memory() + log.EXECUTED
    found = analyzed(text_)
    assert ("AUD001" in found.findings["rule"].to_list()) is is_found
    assert found.runs["missing_frames"].item() is None


def test_a_model_that_is_unloaded_between_prompts_opens_no_prompt() -> None:
    found = analyzed(WHOLE + "0 models unloaded.\nRequested to load WanVAE\n")
    assert found.prompts["status"].to_list() == ["completed"]
    assert found.verdict == "pass"


def test_a_prompt_that_was_refused_alone_is_a_failure_and_not_silence() -> None:
    found = analyzed(log.BANNER + log.ARRIVAL + "invalid prompt: {'type': 'no_prompt'}\n")
    assert found.verdict == "fail"
