"""What the summary says: one row per run, one block per cause, and at its end what to do."""

from __future__ import annotations

import io
from pathlib import Path

import logtext as log
import nativelogs as native
import pytest
from rich.cells import cell_len

from loganalyzer.pipeline import analyze, analyze_inputs
from loganalyzer.report.terminal import summary
from loganalyzer.report.terminal.layout import file_width, rows
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

SAMPLES = Path(__file__).parents[2] / "sample_logs"
Q6 = Settings(quantization="Q6_K")


@pytest.fixture(scope="module")
def samples() -> Analysis:
    return analyze(sorted(map(str, SAMPLES.glob("*.txt"))), Settings())


def shown(analysis: Analysis, width: int = 120, *, verbose: bool = False) -> list[str]:
    blocks = summary.summary(analysis, verbose=verbose)
    return ["".join(said for said, _ in row).rstrip() for row in rows(blocks, width, cell_len)]


def of(*logs: str, settings: Settings = Q6) -> Analysis:
    return analyze_inputs([from_bytes(f"{number}.log", one.encode()) for number, one in enumerate(logs)], settings)


@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_of_the_summary_is_wider_than_the_terminal(samples: Analysis, width: int, verbose: bool) -> None:
    assert max(map(cell_len, shown(samples, width, verbose=verbose))) <= width


def test_no_line_of_the_summary_in_a_file_is_wider_than_120_columns(
    samples: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = io.StringIO()
    summary.write(samples, out)
    assert max(map(len, out.getvalue().splitlines())) <= 120


@pytest.mark.parametrize(
    ("columns", "width"),
    [
        ("80", 80),
        ("40", 40),
        ("39", 120),
        ("9999", 9999),
        ("10000", 120),
        ("", 120),
        ("-80", 120),
        ("wide", 120),
        ("²", 120),
    ],
)
def test_a_file_is_as_wide_as_columns_says(columns: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert file_width() == width


def test_a_summary_in_a_file_keeps_to_80_columns(samples: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = io.StringIO()
    summary.write(samples, out)
    assert max(map(len, out.getvalue().splitlines())) <= 80


def test_the_samples_take_at_most_70_lines_of_80_columns_with_the_path_of_the_report(samples: Analysis) -> None:
    assert len(shown(samples, 80)) + 1 <= 70


@pytest.mark.parametrize("width", [60, 80, 120])
def test_each_run_has_one_row_with_its_verdict_and_its_main_cause(samples: Analysis, width: int) -> None:
    table = shown(samples, width)[1 : samples.runs.height + 1]
    verdicts = [next(word for word in row.split()[1:] if word in ("pass", "warn", "fail")) for row in table]
    assert verdicts == samples.runs["verdict"].to_list()
    assert "out of GPU memory" in table[3]
    assert "slow run: 39.8 s per" in table[6]


def test_a_commands_line_is_not_broken_at_60_columns(samples: Analysis) -> None:
    assert any(row.strip() == "ffmpeg -i VIDEO.mp4 -t 17.08 -c:a copy OUT.mp4" for row in shown(samples, 60))


def test_one_cause_is_one_block_with_all_rules_that_see_it(samples: Analysis) -> None:
    blocks = [row for row in shown(samples) if row.startswith(("error  ", "warning  "))]
    assert blocks == [
        "error  audio too short  3 runs  AUD001 AUD003 AUD004",
        "error  out of GPU memory  1 run  RUN002 SCH003",
        "error  wrong LoRA  1 run  MOD002",
        "error  log stops mid-run  1 run  RUN004 SCH003",
        "error  wrong model  1 run  MOD003 MEM002",
        "warning  GPU memory nearly full  1 run  MEM003 MEM004",
        "warning  other attention mode  1 run  MOD004",
        "warning  slow run  1 run  TIM002 TIM001 TIM003 TIM004",
    ]


def test_the_last_lines_are_the_verdict_and_what_to_do_first(samples: Analysis) -> None:
    assert shown(samples, 80)[-2:] == [
        "FAIL  11 runs in 9 files: 9 errors, 10 warnings",
        "next: mirrored_Q6_K.txt:45: Trim the video to 400 frames",
    ]


def test_the_short_summary_has_the_cheapest_way_and_says_how_many_others_there_are() -> None:
    said = shown(of(log.prompt(427)))
    assert "    fix  Trim the video to 427 frames:" in said
    assert "    2 other ways to fix it: -v, or the report" in said
    assert not any("AUDIO.wav" in row for row in said)
    assert any("AUDIO.wav" in row for row in shown(of(log.prompt(427)), verbose=True))


def test_a_cause_names_three_runs_and_counts_the_others() -> None:
    three, four = (shown(of(*[log.prompt(427 + extra) for extra in range(count)])) for count in (3, 4))
    assert not any("more in the report" in row for row in three)
    assert "  … and 1 more in the report" in four
    assert any(row.startswith("error  audio too short  4 runs") for row in four)


def test_what_was_not_checked_is_one_line_without_v_and_has_its_reasons_with_it() -> None:
    cut = log.BANNER + log.ARRIVAL + log.MODE + log.header(369, 6) + log.window(0, 81)
    said = shown(of(cut))
    assert sum(row.startswith("not checked") for row in said) == 1
    assert "the end of the audio cannot be checked" in next(row for row in said if row.startswith("not checked"))
    assert any(row.startswith("  AUD001  ") for row in shown(of(cut), verbose=True))


def test_a_run_that_lacks_a_deciding_check_does_not_look_like_one_that_passed() -> None:
    (row,) = [row for row in shown(of(log.prompt(369, report=log.memory_2026()))) if row.startswith("  0.log")]
    assert "not fully checked" in row
    (row,) = [row for row in shown(of(log.prompt(369))) if row.startswith("  0.log")]
    assert "not fully checked" not in row


def test_a_pass_has_nothing_to_fix_and_a_log_without_runs_is_looked_at() -> None:
    assert shown(of(log.prompt(369)))[-1] == "next: nothing to fix"
    assert shown(of(log.BANNER))[-1].startswith("next: check that these are the right files")


def test_logs_of_one_name_are_told_apart_by_the_shortest_path() -> None:
    logs = [
        from_bytes(f"/data/{day}/night.log", log.prompt(frames).encode())
        for day, frames in (("mon", 427), ("tue", 428))
    ]
    said = shown(analyze_inputs(logs, Q6))
    assert [row.split()[0] for row in said[1:3]] == ["mon/night.log", "tue/night.log"]
    assert any(row.startswith("  tue/night.log:") for row in said[3:])


def test_a_line_number_tells_runs_of_one_log_apart_and_is_left_out_where_there_is_one_run() -> None:
    said = shown(of(log.prompt(369) * 2, log.prompt(297)))
    assert [row.split()[0].count(":") for row in said[1:4]] == [1, 1, 0]


def test_of_many_runs_those_with_problems_are_shown() -> None:
    logs = [log.prompt(369 + 72 * (number % 5)) + f"{number}\n" for number in range(40)]
    said = shown(of(*logs, log.prompt(427)))
    assert any(row.startswith("  40.log ") and " fail " in row for row in said)
    assert "  … and 11 more runs: see the report" in said


def test_the_mode_gives_way_first_unless_it_tells_that_another_program_sampled() -> None:
    wrapper = shown(of(log.prompt(427)), 60)
    core = shown(of(native.BANNER + native.prompt(72)), 60)
    assert not any("infinitetalk" in row for row in wrapper)
    assert "infinitetalk (core)" in core[1]


def test_a_run_whose_prompt_failed_after_sampling_does_not_look_like_one_that_passed() -> None:
    failed = log.BANNER + log.ARRIVAL + log.run() + "!!! Exception during processing !!! disk full\n" + log.EXECUTED
    (row,) = [row for row in shown(of(failed)) if row.startswith("  0.log ")]
    assert "the prompt failed after sampling" in row


def test_a_row_does_not_pass_beside_a_cause_that_shows_only_against_other_runs() -> None:
    growing = "".join(log.prompt(369, report=log.memory(15.0 + number / 10)) for number in range(5))
    found = of(growing)
    assert found.runs["verdict"].to_list().count("pass") > 0
    for row in (row for row in shown(found) if "memory grows" in row and row.startswith("  0.log:")):
        assert " pass " not in row
    assert any("memory grows" in row and row.startswith("  0.log:") for row in shown(found))
