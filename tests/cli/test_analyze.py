"""The main job as its users call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner, Result
from workflows import api, saved

from loganalyzer.cli.group import main
from loganalyzer.tables.schema import SCHEMAS


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    path = tmp_path / "clean_Q6_K.log"
    path.write_text(log.BANNER + log.prompt(369))
    return path


@pytest.fixture
def padded(tmp_path: Path) -> Path:
    path = tmp_path / "padded_Q6_K.log"
    path.write_text(log.BANNER + log.prompt(427))
    return path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_an_aligned_run_passes_with_exit_0_though_it_warns_and_announces_six_windows(clean: Path) -> None:
    result = call(clean)
    assert result.exit_code == 0, result.output
    assert "\nPASS  1 run in 1 file" in result.stdout
    assert Path("loganalyze-report.html").is_file()


def test_a_shortfall_is_exit_1_and_says_what_to_do(padded: Path) -> None:
    result = call(padded, "--no-html")
    assert result.exit_code == 1
    assert "14 frames (0.56 s) have no audio" in result.stdout
    assert "ffmpeg -i VIDEO.mp4 -t 17.08 -c:a copy OUT.mp4" in result.stdout
    assert not Path("loganalyze-report.html").exists()


@pytest.mark.parametrize("text", ["", "nothing of interest\n", log.BANNER, "Sampling rate 44100\n"])
def test_a_log_without_any_run_is_exit_2_never_a_pass(text: str) -> None:
    Path("x.log").write_text(text)
    result = call("x.log", "--no-html", "--fail-on", "never")
    assert result.exit_code == 2
    assert "NO RUN FOUND" in result.stdout


@pytest.mark.parametrize("words", [("histroy", "list"), ("empty.txt",), ("*.nothing",)], ids=" ".join)
def test_a_call_that_finds_no_run_leaves_an_earlier_report_alone(words: tuple[str, ...], padded: Path) -> None:
    Path("empty.txt").write_text("nothing of ours\n")
    call(padded)
    before = Path("loganalyze-report.html").read_bytes()
    result = call(*words)
    assert result.exit_code == 2
    assert Path("loganalyze-report.html").read_bytes() == before
    assert "report:" not in result.output


def test_a_call_that_finds_no_run_writes_the_page_it_is_asked_for() -> None:
    Path("empty.txt").write_text("nothing of ours\n")
    assert call("empty.txt").exit_code == 2
    assert not Path("loganalyze-report.html").exists()
    assert call("empty.txt", "--html", "loganalyze-report.html").exit_code == 2
    assert "loganalyze" in Path("loganalyze-report.html").read_text()


def test_a_report_that_cannot_be_finished_leaves_the_earlier_one(padded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(padded)
    before = Path("loganalyze-report.html").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = call(padded)
    assert result.exit_code == 2
    assert "loganalyze-report.html: cannot be written: No space left on device" in result.output
    assert Path("loganalyze-report.html").read_bytes() == before


def test_an_input_that_cannot_be_read_is_exit_2_and_costs_the_others_nothing(clean: Path) -> None:
    Path("broken.log.gz").write_bytes(b"no archive")
    result = call("gone.log", clean, "broken.log.gz", "--no-html")
    assert result.exit_code == 2
    assert "1 run in 1 file" in result.stdout
    assert "gone.log: cannot be read" in result.stderr
    assert "broken.log.gz: cannot be read" in result.stderr


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("never", 0)])
def test_fail_on_decides_what_turns_the_job_red(padded: Path, fail_on: str, code: int) -> None:
    assert call(padded, "--no-html", "--fail-on", fail_on).exit_code == code


@pytest.fixture
def strange(clean: Path) -> Path:
    """A clean run, and a message that upstream has changed."""
    clean.write_text(clean.read_text() + "Padding length: three\n")
    return clean


STRICT_ORDER = [
    ([], "", "warning"),
    (["--strict"], "", "error"),
    ([], "strict = true", "error"),
    (["--strict"], "strict = false", "error"),
    (["--no-strict"], "strict = true", "warning"),
    ([], "strict = true\n[severities]\nLOG001 = 'info'", "info"),
    (["--strict"], "[severities]\nLOG001 = 'info'", "error"),
    (["--no-strict"], "[severities]\nLOG001 = 'error'", "error"),
]


@pytest.mark.parametrize(("words", "configuration", "severity"), STRICT_ORDER)
def test_strict_on_the_command_line_goes_before_severities_and_they_before_strict_in_the_file(
    strange: Path, words: list[str], configuration: str, severity: str
) -> None:
    Path("loganalyze.toml").write_text(configuration)
    result = call(strange, "--no-html", "--json", "-", *words)
    found = {row["rule"]: row["severity"] for row in json.loads(result.stdout)["findings"]}
    assert found["LOG001"] == severity
    assert result.exit_code == int(severity == "error")


def test_strict_leaves_other_severities_and_rules_left_out_alone(strange: Path, padded: Path) -> None:
    Path("loganalyze.toml").write_text("[severities]\nAUD001 = 'info'\n")
    found = json.loads(call(padded, "--no-html", "--json", "-", "--strict").stdout)["findings"]
    assert {row["severity"] for row in found if row["rule"] == "AUD001"} == {"info"}
    assert call(strange, "--no-html", "--strict", "--ignore", "LOG001").exit_code == 0
    assert call(strange, "--no-html", "--strict", "--fail-on", "never").exit_code == 0


def test_json_to_stdout_is_the_document_and_nothing_else(padded: Path) -> None:
    document = json.loads(call(padded, "--json", "-", "--no-html").stdout)
    assert document["schema_version"] == 1
    assert document["tool"]["name"] == "loganalyzer"
    assert document["verdict"] == "fail"
    for table, schema in SCHEMAS.items():
        assert all(list(row) == list(schema) for row in document[table])
    assert document["runs"][0]["missing_frames"] == 14


def test_the_document_of_an_empty_log_has_every_table(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("")
    document = json.loads(call("x.log", "--json", "-", "--no-html").stdout)
    assert document["verdict"] == "no-runs"
    assert all(document[table] == [] for table in SCHEMAS if table != "sources")


def test_coverage_of_each_file_is_in_the_document_the_page_and_the_long_summary(clean: Path) -> None:
    clean.write_text(clean.read_text() + "Padding length: three\nchatter\n\n")
    result = call(clean, "--json", "x.json", "-v")
    (row,) = json.loads(Path("x.json").read_text())["sources"]
    assert (row["near"], row["unknown"]) == (1, row["lines"] - row["records"] - 1)
    assert result.stdout.split("unknown lines are normal")[0].split()[-5:] == [
        clean.name,
        *(str(row[name]) for name in ("lines", "records", "near", "unknown")),
    ]
    assert "unknown lines are normal" not in call(clean, "--no-html").stdout
    assert "Unknown lines are normal" in Path("loganalyze-report.html").read_text()


def test_tables_are_parquet_files_with_the_contracts_columns(padded: Path) -> None:
    call(padded, "--tables", "out/tables", "--no-html")
    for table, schema in SCHEMAS.items():
        assert pl.read_parquet_schema(f"out/tables/{table}.parquet") == schema


def test_the_same_input_gives_the_same_bytes(padded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1760000000")
    for name in ("1", "2"):
        call(padded, "--html", f"{name}.html", "--json", f"{name}.json")
    assert Path("1.html").read_bytes() == Path("2.html").read_bytes()
    assert Path("1.json").read_bytes() == Path("2.json").read_bytes()
    assert json.loads(Path("1.json").read_text())["generated_at"] == "2025-10-09T08:53:20+00:00"


def test_markdown_to_stdout_is_ready_to_paste_and_nothing_else(padded: Path) -> None:
    text = call(padded, "--markdown", "-", "--no-html").stdout
    assert text.startswith("**Fail: 1 error")
    assert "| padded" in text
    assert "render 369 frames" in text


def test_many_runs_leave_the_single_steps_out_of_the_page_and_say_so() -> None:
    for number in range(101):
        Path(f"{number:03}_Q6_K.log").write_text(log.prompt(81 + 72 * (number % 3)) + f"chatter {number}\n")
    call(".", "--json", "all.json")
    page = Path("loganalyze-report.html").read_text()
    assert len(page) < 2_000_000
    assert "omit single steps" in page
    assert len(json.loads(Path("all.json").read_text())["steps"]) > 101


def test_standard_input_is_an_input(padded: Path) -> None:
    result = CliRunner().invoke(main, ["-", "--no-html"], input=padded.read_bytes())
    assert result.exit_code == 1
    assert "14 frames" in result.stdout


def test_a_log_called_like_a_command_is_reached_by_its_path() -> None:
    Path("rules").write_text(log.prompt(369))
    assert "1 run" in call("./rules", "--no-html").stdout


def test_control_characters_of_a_log_do_not_reach_the_terminal() -> None:
    failure = "!!! Exception during processing !!! \x1b]0;owned\x07 \x9b31m red\n"
    Path("evil\x1b[31m.log").write_text(log.ARRIVAL + log.header(250, 4) + failure + log.EXECUTED)
    output = call("evil\x1b[31m.log", "--no-html").output
    assert "\x1b" not in output
    assert "\x07" not in output
    assert "\x9b" not in output


ODD_NAMES = ["new\nline.log", "\x1b[31mred.log", "-dash.log", "[x].log", "n" * 250 + ".log", "bad\udcff.log",
             "<b>&'\".log", "a`|*_.log"]  # fmt: skip


def test_every_output_can_be_written_whatever_the_inputs_are_called() -> None:
    Path("logs").mkdir()
    for number, name in enumerate(ODD_NAMES):
        try:
            Path("logs", name).write_text(log.prompt(427) + f"chatter {number}\nPadding length: three\n")
        except OSError:
            pytest.skip("this file system takes no such name")
    outputs = ["--json", "r.json", "--markdown", "r.md", "--tables", "tables", "--html", "r.html"]
    result = call("logs", "gone\udcfe\n\x1b.log", "-v", *outputs)
    assert f"{len(ODD_NAMES)} runs in {len(ODD_NAMES)} files" in result.stdout
    assert r"gone\xfe\n\x1b.log: cannot be read: No such file" in result.stderr
    assert "\x1b" not in result.output
    told = {Path(row["source"]).name for row in json.loads(Path("r.json").read_text())["sources"]}
    assert told == {name.replace("\udcff", r"\xff") for name in ODD_NAMES}
    assert set(pl.read_parquet("tables/sources.parquet")["source"].str.split("/").list.last()) == told
    for name in ("r.html", "r.md"):
        assert "\x1b" not in Path(name).read_text()
        assert "xff" in Path(name).read_text()


def test_the_same_content_is_said_on_one_line_whatever_the_inputs_are_called(clean: Path) -> None:
    Path("co\n\x1bpy.log").write_bytes(clean.read_bytes())
    assert r"co\n\x1bpy.log: has the same content as" in call(clean, "co\n\x1bpy.log", "--no-html").stderr


def test_a_name_with_a_leading_dash_is_reached_behind_two_dashes() -> None:
    Path("-dash_Q6_K.log").write_text(log.prompt(369))
    assert "1 run in 1 file" in call("--no-html", "--", "-dash_Q6_K.log").stdout
    assert "1 run in 1 file" in call("--", "-dash_Q6_K.log").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-such-option", "x.log"], "No such option"),
        ([], "Usage"),
        (["x.log", "--fail-on", "sometimes"], "sometimes"),
        (["x.log", "--fps", "0"], "fps"),
        (["x.log", "--fps", "nan"], "fps"),
        (["x.log", "--fps", "inf"], "fps"),
        (["x.log", "--fps", "1e-300"], "fps"),
        (["watch", "x.log", "--interval", "nan"], "interval"),
        (["watch", "x.log", "--once-idle", "inf"], "once-idle"),
        (["x.log", "--ignore", "AUD999"], "there is no rule 'AUD999'"),
        (["x.log", "--config", "gone.toml"], "gone.toml: configuration file not found"),
        (["x.log", "--baselines", "gone.toml"], "gone.toml: not a baselines file"),
        (["x.log", "--patterns", "gone"], "gone is not a folder of patterns"),
        (["x.log", "--html", "no/such/folder/r.html"], "no/such/folder/r.html: cannot be written"),
    ],
)
def test_wrong_usage_is_one_clear_message_and_exit_2(words: list[str], message: str) -> None:
    Path("x.log").write_text(log.prompt(369))
    result = call(*words)
    assert result.exit_code == (2 if words else 0) or not words
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fps = 25\nwindow_frame = 81\n", "loganalyze.toml:2: unknown key 'window_frame'"),
        ('\n\nfps = "fast"\n', "loganalyze.toml:3: 'fps' is 'fast'"),
        ("strict = 1\n", "loganalyze.toml:1: 'strict' is 1"),
        ("fps = true\n", "loganalyze.toml:1: 'fps' is True"),
        ("fps = 0\n", "loganalyze.toml:1: 'fps' is 0"),
        ("fps = nan\n", "loganalyze.toml:1: 'fps' is nan"),
        ("fps = 1e-300\n", "loganalyze.toml:1: 'fps' is 1e-300"),
        ("price_per_hour = inf\n", "loganalyze.toml:1: 'price_per_hour' is inf"),
        ("motion_frames = 81\n", "loganalyze.toml: motion_frames = 81 leaves no stride in window_frames = 81"),
        ("[severities]\nAUD001 = 'fatal'\n", "loganalyze.toml:2: the severity of AUD001 is 'fatal'"),
        ("ignore = [1]\n", "loganalyze.toml:1: 'ignore' contains an item of the wrong type"),
        ("fps = \n", "loganalyze.toml: cannot read the configuration"),
        ("window_frames = 9\n", "leaves no stride"),
        ("lora_rank = 0\n", "loganalyze.toml:1: 'lora_rank' is 0"),
        ("lora_rank = 100001\n", "loganalyze.toml:1: 'lora_rank' is 100001"),
        ("lora_rank = '64'\n", "loganalyze.toml:1: 'lora_rank' is '64'"),
        ("attention_mode = 1\n", "loganalyze.toml:1: 'attention_mode' is 1"),
    ],
)
def test_a_wrong_configuration_names_the_key_the_file_and_the_line(text: str, message: str, clean: Path) -> None:
    Path("loganalyze.toml").write_text(text)
    result = call(clean, "--no-html")
    assert result.exit_code == 2
    assert message in result.output


def test_the_configuration_is_found_upward_and_options_overrule_it(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pyproject.toml").write_text("[tool.loganalyze]\nquantization = 'Q8_0'\nfail_on = 'never'\n")
    Path("deep/er").mkdir(parents=True)
    monkeypatch.chdir("deep/er")
    told = json.loads(call(clean, "--json", "-", "--no-html").stdout)["runs"][0]
    assert (told["quantization"], told["quantization_source"]) == ("Q8_0", "option")
    overruled = json.loads(call(clean, "--json", "-", "--no-html", "--quantization", "Q6_K").stdout)["runs"][0]
    assert overruled["quantization"] == "Q6_K"
    assert call(clean, "--no-html").exit_code == 0


def test_a_configuration_that_decides_the_verdict_is_named(padded: Path, tmp_path: Path) -> None:
    (tmp_path / "loganalyze.toml").write_text('fail_on = "never"\nignore = ["AUD001"]\n')
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    os.chdir(deeper)
    result = call(padded)
    said = f"configuration: {Path('..') / 'loganalyze.toml'} sets fail_on, ignore"
    assert f"loganalyze: {said}" in result.stderr
    assert said in Path("loganalyze-report.html").read_text()


def test_a_configuration_that_decides_nothing_is_not_worth_a_line(padded: Path) -> None:
    Path("loganalyze.toml").write_text("fps = 25\n")
    assert "configuration:" not in call(padded, "--no-html").stderr


def test_a_workflow_tells_quantisation_and_lora_where_the_log_does_not() -> None:
    Path("run.log").write_text(log.prompt(369).replace(log.lora(), ""))
    path = saved(Path(), api())
    document = json.loads(call("run.log", "--json", "-", "--no-html", "--workflow", path).stdout)
    (run,) = document["runs"]
    assert (run["quantization"], run["quantization_source"], run["lora_rank"]) == ("Q6_K", "workflow", 256)


@pytest.mark.parametrize(
    ("asked", "observed", "expected"),
    [
        ({"_7": {"value": 297}}, "369", "at most 297"),
        ({"_4": {"start_step": 2}}, "4", "2"),
        ({"_5": {"width": 832, "height": 480}}, "1280x720", "832x480"),
        ({"_2": {"lora": "lightx2v_rank64.safetensors"}}, "256", "64"),
    ],
)
def test_a_log_that_differs_from_its_workflow_is_a_finding(asked: dict[str, Any], observed: str, expected: str) -> None:
    Path("run.log").write_text(log.BANNER + log.prompt(369))
    result = call("run.log", "--json", "-", "--no-html", "--workflow", saved(Path(), api(**asked)))
    rows = [row for row in json.loads(result.stdout)["findings"] if row["rule"] == "RUN005"]
    assert [(row["observed"], row["expected"]) for row in rows] == [(observed, expected)]


def test_a_log_that_does_what_its_workflow_asks_has_no_such_finding() -> None:
    Path("run.log").write_text(log.BANNER + log.prompt(369))
    result = call("run.log", "--json", "-", "--no-html", "--workflow", saved(Path(), api()))
    assert result.exit_code == 0
    assert "RUN005" not in result.stdout


def test_a_workflow_that_cannot_be_read_stops_the_job_with_its_name() -> None:
    Path("run.log").write_text(log.prompt(369))
    result = call("run.log", "--no-html", "--workflow", "gone.json")
    assert result.exit_code == 2
    assert "gone.json" in result.stderr


def test_the_same_content_twice_is_analysed_once_and_said(clean: Path) -> None:
    Path("copy.log").write_bytes(clean.read_bytes())
    result = call(clean, "copy.log", "--no-html")
    assert result.exit_code == 0
    assert "1 run in 1 file" in result.stdout
    assert "same content" in result.stderr


def test_a_reader_who_stops_reading_costs_nobody_the_report(padded: Path) -> None:
    command = f"'{sys.executable}' -m loganalyzer {padded.name} --html r.html --history sqlite:///h.db | true"
    subprocess.run(command, shell=True, check=True, capture_output=True)
    assert Path("r.html").stat().st_size > 10_000
    assert Path("h.db").is_file()


def test_it_runs_as_a_real_process_too(padded: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "loganalyzer", padded.name, "--no-html"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert result.returncode == 1
    assert "\nFAIL  1 run in 1 file: 1 error\n" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_summary_imports_only_what_it_needs(clean: Path) -> None:
    code = (
        "import sys\n"
        "from loganalyzer.cli.group import main\n"
        f"main([{clean.name!r}, '--no-html'], standalone_mode=False)\n"
        "print(sorted({'jinja2', 'matplotlib', 'numpy', 'sqlalchemy', 'loganalyzer.report.model',\n"
        "              'loganalyzer.report.formats.junit', 'loganalyzer.history.past',\n"
        "              'loganalyzer.workflow.reading', 'loganalyzer.cli.watch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def test_the_last_lines_are_the_verdict_the_next_action_and_the_report_and_messages_come_before(padded: Path) -> None:
    result = call(padded, "gone.log")
    assert result.stdout.splitlines()[-3:] == [
        "FAIL  1 run in 1 file: 1 error",
        "next: padded_Q6_K.log:18: Trim the video to 427 frames",
        "report: loganalyze-report.html",
    ]
    assert result.output.index("gone.log: cannot be read") < result.output.index("FAIL")
