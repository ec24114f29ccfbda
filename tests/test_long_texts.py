"""No text, table or folder makes a report too large for a ticket."""

from __future__ import annotations

import json
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli import analyze
from loganalyzer.cli.group import main
from loganalyzer.redact.text_limits import LONGEST
from loganalyzer.report import json_document

PAGE = Path("loganalyze-report.html")
LARGEST_PAGE = 5_000_000


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def analyzed(text: str) -> dict[str, list[dict[str, str]]]:
    Path("run.log").write_text(text)
    result = CliRunner().invoke(main, ["run.log", "--json", "run.json", "--fail-on", "never"])
    assert result.exit_code == 0, result.output
    found: dict[str, list[dict[str, str]]] = json.loads(Path("run.json").read_text())
    return found


def failed_with(message: str) -> str:
    return log.prompt(153).replace(log.EXECUTED, f"!!! Exception during processing !!! {message}\n{log.EXECUTED}")


def test_a_text_of_the_greatest_length_is_shown_whole() -> None:
    assert analyzed(failed_with("x" * LONGEST))["prompts"][0]["error"] == "x" * LONGEST


def test_a_longer_text_is_cut_with_a_remark() -> None:
    error = analyzed(failed_with("x" * (LONGEST + 1)))["prompts"][0]["error"]
    assert error == f"{'x' * LONGEST} … [1 more characters]"


@pytest.mark.parametrize(
    "log_text",
    [
        pytest.param(failed_with("y" * 3_000_000), id="a long message"),
        pytest.param(log.prompt(153) + f"Sampling 153 frames in 2 windowz {'y' * 3_000_000}\n", id="a long near miss"),
        pytest.param(
            log.prompt(153).replace(
                "Sampling 153",
                "".join(f"Loading LoRA: a{k} with strength: 1.0\n" for k in range(60_000)) + "Sampling 153",
            ),
            id="many LoRAs",
        ),
    ],
)
def test_the_page_is_small_whatever_the_log_holds(log_text: str) -> None:
    analyzed(log_text)
    assert PAGE.stat().st_size < LARGEST_PAGE


def test_a_table_that_is_left_out_of_the_pages_data_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = analyzed(log.prompt(369))
    assert "leave out" not in PAGE.read_text()
    size = sum(len(json.dumps(row)) for name in ("steps", "windows") for row in whole[name])
    monkeypatch.setattr(json_document, "MOST_BYTES", size)
    analyzed(log.prompt(369))
    assert "omit the tables steps" in PAGE.read_text()
    assert CliRunner().invoke(main, [str(PAGE), "--no-html", "--fail-on", "never"]).exit_code == 0


def of_empty_files(count: int) -> Result:
    for number in range(count):
        Path(f"{number}.log").touch()
    return CliRunner().invoke(main, [f"{number}.log" for number in range(count)])


def test_as_many_messages_as_the_terminal_has_room_for_are_all_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyze, "MOST_MESSAGES", 3)
    assert "more such messages" not in of_empty_files(3).stderr


def test_of_one_message_more_the_first_are_shown_and_the_rest_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyze, "MOST_MESSAGES", 3)
    assert "… and 1 more such messages; --json has all" in of_empty_files(4).stderr
