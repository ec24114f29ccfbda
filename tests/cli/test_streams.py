"""Standard streams: nothing a log says is a command to a CI, and what cannot be written is said in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.cli.streams import escape_commands

LONG = "A" * 110
ATTACK = f"{LONG} ::stop-commands::pwned {LONG[:80]} ##[error]legacy ##vso[task.complete]x ::error file=x.py::boo"
FAILED = (
    log.BANNER + log.ARRIVAL + log.run() + f"!!! Exception during processing !!! {ATTACK}\n" + log.EXECUTED
)  # fmt: skip


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "LOGANALYZE_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    Path("clean_Q6_K.log").write_text(log.BANNER + log.prompt(369))
    Path("failed_Q6_K.log").write_text(FAILED)


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """`line` in which `L` is the tool, as a process of its own."""
    command = line.replace("L ", f"'{sys.executable}' -m loganalyzer ", 1)
    return subprocess.run(command, shell=True, text=True, capture_output=True, check=False, executable="/bin/bash")


def commands(output: str) -> list[str]:
    """The lines that a runner would take for commands, as those of GitHub and Azure tell them."""
    return [
        line
        for line in output.splitlines()
        if line.lstrip().startswith("::") or any(f"##{name}[" in line for name in ("", "vso", "teamcity"))
    ]


@pytest.mark.parametrize(
    "words", [[], ["-v"], ["-q", "--markdown", "-"], ["-q", "--junit", "-"], ["-q", "--html", "-"]]
)
def test_no_line_that_quotes_a_log_is_a_command_to_the_runner(words: list[str]) -> None:
    result = call("failed_Q6_K.log", *(words if "--html" in words else ["--no-html", *words]))
    assert ("stop-commands" if words else LONG) in result.stdout
    assert commands(result.output) == []


def test_a_document_on_standard_output_keeps_its_values() -> None:
    result = call("failed_Q6_K.log", "--no-html", "-q", "--json", "-")
    assert commands(result.stdout) == []
    assert ATTACK in json.loads(result.stdout)["prompts"][0]["error"]


def test_a_file_name_in_a_message_is_no_command() -> None:
    result = call("##[error]gone.log", "--no-html", "::set-env name=A::b.log")
    assert result.exit_code == 2
    assert "gone.log" in result.stderr
    assert commands(result.output) == []


def test_annotations_of_our_own_are_commands_still_and_begin_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = call("failed_Q6_K.log", "--no-html")
    (line,) = commands(result.output)
    assert line.startswith("::error title=RUN001 failed,file=failed_Q6_K.log,line=")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r"\u003a:error::x"),
        (" \t\u00a0::error::x", " \t\u00a0\\u003a:error::x"),
        ("a\r::b\n\x1b[2m ::c", "a\r\\u003a:b\n\x1b[2m \\u003a:c"),
        ("a ::error::x", "a ::error::x"),
        ("###[group]x ##vso[y] ##[", r"##\u0023[group]x #\u0023vso[y] #\u0023["),
        ("## Heading [link]\n#[x]", "## Heading [link]\n#[x]"),
    ],
)
def test_only_what_would_be_a_command_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert escape_commands(text) == shown


def test_the_rest_of_a_line_begins_no_command() -> None:
    assert escape_commands("::a\n::b", begins_line=False) == "::a\n\\u003a:b"


@pytest.mark.parametrize("words", ["clean_Q6_K.log --no-html", "rules", "plan 17", "--version", "--help"])
@pytest.mark.parametrize(("where", "why"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")])
def test_a_standard_output_that_cannot_be_written_is_one_message_and_exit_2(words: str, where: str, why: str) -> None:
    result = shell(f"L {words} {where}")
    assert result.returncode == 2
    assert result.stderr.splitlines()[0] == f"loganalyze: standard output: cannot be written: {why}"
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.parametrize("where", [">/dev/full", ">&-", ">&- 2>&-"])
def test_a_document_that_went_nowhere_is_exit_2(where: str) -> None:
    assert shell(f"L clean_Q6_K.log --no-html -q --json - {where}").returncode == 2


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize(("name", "code"), [("clean", 0), ("failed", 1), ("gone", 2)])
def test_a_standard_error_that_cannot_be_written_changes_no_exit_code(where: str, name: str, code: int) -> None:
    result = shell(f"L {name}_Q6_K.log --no-html --json - {where}")
    assert result.returncode == code
    assert json.loads(result.stdout)["schema_version"] == 1


@pytest.mark.parametrize(("name", "code"), [("clean", 0), ("failed", 1)])
def test_a_reader_who_stops_reading_is_no_failure_and_makes_no_noise(name: str, code: int) -> None:
    result = shell(f"set -o pipefail; L {name}_Q6_K.log -v --no-html | true")
    assert (result.returncode, result.stderr) == (code, "")


@pytest.mark.parametrize("room", [0, 2])
def test_tables_on_a_full_disk_are_one_message_exit_2_and_leave_nothing(room: int) -> None:
    result = shell(f"ulimit -f {room}; L clean_Q6_K.log -q --no-html --tables tables")
    assert result.returncode == 2
    assert result.stderr.startswith("loganalyze: tables: cannot write tables: ")
    assert "Traceback" not in result.stderr
    assert not list(Path("tables").iterdir())


def test_ctrl_c_is_exit_130_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("loganalyzer.pipeline.analyze_volumes", stopped)
    result = call("clean_Q6_K.log", "--no-html")
    assert (result.exit_code, result.stdout, result.stderr.strip()) == (130, "", "loganalyze: stopped")
