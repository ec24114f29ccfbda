"""Nothing that is read is written over, and no output replaces another: both are refused before any work."""

from __future__ import annotations

import os
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result
from workflows import api, saved

from loganalyzer.cli.group import main

LOG = "talk_Q6_K.log"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "LOGANALYZE_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    Path(LOG).write_text(log.BANNER + log.prompt(369))
    Path("logs").mkdir()
    Path("logs/other_Q6_K.log").write_text(log.BANNER + log.prompt(250))


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def refused(*words: object) -> str:
    """What the call is refused with; it has changed no file."""
    before = files()
    result = call(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert files() == before
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["--html", "--json", "--markdown", "--junit"])
def test_an_output_does_not_take_the_place_of_an_input(option: str) -> None:
    assert f"{option} {LOG} would overwrite the input" in refused(LOG, option, LOG)


@pytest.mark.parametrize("name", ["./talk_Q6_K.log", "link.log", "hard.log", "logs/../talk_Q6_K.log"])
def test_an_input_is_known_by_any_of_its_names(name: str) -> None:
    Path("link.log").symlink_to(LOG)
    os.link(LOG, "hard.log")
    assert "would overwrite" in refused(LOG, "--no-html", "--json", name)


@pytest.mark.parametrize("argument", ["logs", "logs/*.log", "."])
def test_an_input_found_in_a_folder_or_by_a_pattern_is_one_as_well(argument: str) -> None:
    assert "would overwrite" in refused(argument, "--no-html", "--markdown", "logs/other_Q6_K.log")


def test_a_report_shown_again_is_not_replaced_by_itself() -> None:
    call(LOG)
    assert "would overwrite" in refused("loganalyze-report.html")
    assert call("loganalyze-report.html", "--no-html").exit_code == 0


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["--html", "x", "--json", "x"], "--json and --html would both be written to x"),
        (["--html", "x", "--json", "./x"], "would both be written to"),
        (["--json", "-", "--markdown", "-"], "--json and --markdown would both be written to standard output"),
        (["--html", "-", "--junit", "-"], "standard output"),
        (["--tables", "t", "--json", "t/runs.parquet"], "--json and --tables, runs would both"),
        (["--history", "sqlite:///h.db", "--json", "h.db"], "--json and --history would both"),
    ],
)
def test_two_outputs_do_not_share_a_place(outputs: list[str], said: str) -> None:
    assert said in refused(LOG, *(["--no-html"] if "--html" not in outputs else []), *outputs)


def test_devices_take_any_number_of_outputs_and_a_file_is_written_again() -> None:
    assert call(LOG, "--html", os.devnull, "--json", os.devnull).exit_code == 0
    for _ in range(2):
        assert call(LOG, "logs", "--html", "x.html", "--json", "x.json", "--tables", "t").exit_code == 1


@pytest.mark.parametrize("option", ["--workflow", "--baselines", "--config"])
def test_files_that_options_name_are_inputs_too(option: str) -> None:
    Path("given").write_text("")
    assert "would overwrite" in refused(LOG, "--no-html", option, "given", "--json", "given")


@pytest.mark.parametrize(
    "words",
    [
        ["compare", LOG, "logs", "--json", LOG],
        ["compare", LOG, "logs", "--markdown", "logs/other_Q6_K.log"],
        ["compare", LOG, "logs", "--json", "-", "--html", "-"],
        ["compare", LOG, "logs", "--json", "x", "--html", "x"],
        ["ticket", LOG, "-o", LOG],
        ["ticket", "logs", "-o", "logs/other_Q6_K.log"],
        ["baseline", "accept", LOG, "--json", LOG],
        ["baseline", "accept", LOG, "--baselines", "b.toml", "--json", "b.toml"],
        ["baseline", "accept", LOG, "--baselines", LOG, "--yes"],
        ["history", "add", LOG, "--json", LOG],
        ["history", "add", LOG, "--history", "sqlite:///h.db", "--json", "h.db"],
        ["plan", "17", "--workflow", "talk.json", "--json", "talk.json"],
        ["plan", "speech.wav", "--json", "speech.wav"],
        ["workflow", "check", "talk.json", "--json", "talk.json"],
        ["workflow", "fix", "talk.json", "--audio", "speech.wav", "-o", "speech.wav", "--in-place"],
    ],
    ids=" ".join,
)
def test_every_command_that_writes_refuses_so(words: list[str]) -> None:
    saved(Path(), api())
    Path("speech.wav").write_bytes(b"RIFF")
    said = refused(*words)
    assert "would overwrite" in said or "would both be written" in said


def test_a_history_is_not_replaced_by_its_own_list() -> None:
    call("history", "add", LOG, "--history", "sqlite:///h.db")
    assert "would overwrite" in refused("history", "list", "--history", "sqlite:///h.db", "--json", "h.db")
