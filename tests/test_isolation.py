"""A fault of the tool costs the input on which it happens, with a message and an exit code of its own."""

from __future__ import annotations

from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.engine import read
from loganalyzer.pipeline import analyze
from loganalyzer.sources.chunks import Chunk

WEIRD = b"a line on which the tool fails"


class Unexpected(BaseException):
    """As polars has it, a fault in its own code is no ordinary exception."""


Unexpected.__name__ = "PanicException"


@pytest.fixture(params=[TypeError("unsupported operand"), Unexpected("index out of bounds")], ids=["error", "panic"])
def _faulty(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that fails where a log holds a certain line."""
    split_segments = read.split_segments

    def failing(pieces: list[Chunk], anchors: object) -> object:
        if any(WEIRD in piece.data for piece in pieces):
            raise request.param
        return split_segments(pieces, anchors)

    monkeypatch.setattr(read, "split_segments", failing)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    Path("good.log").write_text(log.prompt(369))
    Path("weird.log").write_bytes(log.prompt(427).encode() + WEIRD + b"\n")
    return ["weird.log", "good.log"]


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.usefixtures("_faulty")
def test_the_other_inputs_keep_their_results_and_the_exit_code_is_3(logs: list[str]) -> None:
    result = call(*logs, "--no-html")
    assert result.exit_code == 3
    assert "1 run in 1 file" in result.stdout
    assert "weird.log: internal error in loganalyzer (" in result.stderr
    assert "please report it" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("_faulty")
def test_the_api_names_the_input_and_gives_the_others(logs: list[str]) -> None:
    found = analyze(logs)
    assert found.runs["audio_frames"].to_list() == [369]
    assert found.faults == 1
    assert found.problems[0].startswith("weird.log: internal error in loganalyzer")


@pytest.mark.usefixtures("_faulty")
def test_where_no_other_input_is_left_the_message_is_the_same(logs: list[str]) -> None:
    result = call(logs[0], "--no-html")
    assert result.exit_code == 3
    assert "weird.log: internal error in loganalyzer" in result.stderr


@pytest.mark.usefixtures("_faulty")
def test_standard_input_cannot_be_read_again_so_the_call_ends_with_3(logs: list[str]) -> None:
    result = CliRunner().invoke(main, ["-", "--no-html"], input=Path(logs[0]).read_bytes())
    assert result.exit_code == 3
    assert "loganalyze: internal error in loganalyzer" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("_faulty")
def test_the_history_gets_the_runs_of_the_others(logs: list[str]) -> None:
    result = call("history", "add", *logs)
    assert result.exit_code == 3
    assert "1 run added" in result.stdout


def test_too_little_memory_is_one_message_and_exit_2(logs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(read, "split_segments", exhausted)
    result = call(*logs, "--no-html")
    assert result.exit_code == 2
    assert "not enough memory" in result.stderr


def test_more_refusals_than_arrivals_in_one_prompt_are_no_fault() -> None:
    found = log.analyze("Prompt executed in 1.00 seconds\ninvalid prompt: {'type': 'no_prompt'}\n")
    assert found.prompts["status"].to_list() == ["completed"]
    assert found.findings["rule"].to_list() == ["RUN008"]
