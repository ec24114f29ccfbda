"""A damaged or foreign database is one message and exit status 2, whoever reads it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import nightlogs as nights
import nights as series
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.history.store import Store
from loganalyzer.history.store.checking import LONGEST_FACTS, LONGEST_TEXT

CHANGES = {
    "text where a number belongs": "UPDATE measurements SET value = 'fast'",
    "text in a figure's count": "UPDATE measurements SET figures = 'many'",
    "text where a truth value belongs": "UPDATE measurements SET estimated = 'perhaps'",
    "a blob for a metric": "UPDATE measurements SET metric = x'00ff' WHERE metric = 's_per_step'",
    "an infinite value": "UPDATE measurements SET value = 9e999",
    "text for a width": "UPDATE runs SET width = 'wide'",
    "a fraction for a width": "UPDATE runs SET width = 12.5",
    "text for a time": "UPDATE runs SET at = 'yesterday'",
    "a number for a time": "UPDATE runs SET at = 17",
    "bad JSON": "UPDATE runs SET facts = '{'",
    "JSON of another kind": "UPDATE runs SET facts = '[1]'",
    "a text for a number in JSON": "UPDATE runs SET facts = json_set(facts, '$.width', 'wide')",
    "an object for a text in JSON": "UPDATE runs SET facts = json_set(facts, '$.mode', json('{}'))",
    "not a number in JSON": """UPDATE runs SET facts = '{"total_s": NaN}'""",
    "an id with an escape sequence": "UPDATE runs SET run_id = char(27) || '[2J' || number",
    "bytes that are not text": "UPDATE runs SET facts = CAST(x'ff7b7d' AS TEXT)",
    "a version that is text": "UPDATE schema_version SET version = 'two'",
    "a version of zero": "UPDATE schema_version SET version = 0",
    "no version": "DELETE FROM schema_version",
    "two versions": "INSERT INTO schema_version VALUES (3)",
    "a table less": "DROP TABLE measurements",
    "no runs": "DROP TABLE runs",
}


def damage(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement)
    connection.close()


def refused(words: list[str]) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, (words, result.output, result.exception)
    assert result.stderr.startswith("loganalyze: ")
    assert "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) == 2
    return str(result.stderr)


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of three runs, and a log of tonight."""
    monkeypatch.chdir(tmp_path)
    series.fill("sqlite:///h.db", series.noisy(3))
    nights.written(Path("tonight.log"), nights.with_bars(1), 0)
    return Path("h.db")


@pytest.mark.parametrize("what", CHANGES)
def test_the_main_job_refuses_a_damaged_history(history: Path, what: str) -> None:
    damage(history, CHANGES[what])
    refused(["tonight.log", "--no-html", "--history", "sqlite:///h.db"])


@pytest.mark.parametrize("reader", [["list"], ["trend"], ["show", "a"], ["add", "tonight.log"]], ids=" ".join)
@pytest.mark.parametrize("what", CHANGES)
def test_no_command_of_the_history_ends_in_a_traceback(history: Path, reader: list[str], what: str) -> None:
    damage(history, CHANGES[what])
    result = CliRunner().invoke(main, ["history", *reader, "--history", "sqlite:///h.db"])
    assert result.exit_code in (0, 2), (result.output, result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_facts_may_be_as_long_as_the_limit_and_no_longer(history: Path) -> None:
    for length, status in ((LONGEST_FACTS, 0), (LONGEST_FACTS + 1, 2)):
        damage(history, f"UPDATE runs SET facts = '{{}}' || printf('%.*c', {length - 2}, ' ')")
        result = CliRunner().invoke(main, ["history", "list", "--history", "sqlite:///h.db"])
        assert result.exit_code == status, result.output


def test_texts_may_be_as_long_as_the_limit_and_no_longer(history: Path) -> None:
    for length, status in ((LONGEST_TEXT, 0), (LONGEST_TEXT + 1, 2)):
        damage(history, f"UPDATE runs SET label = printf('%.*c', {length}, 'x')")
        result = CliRunner().invoke(main, ["history", "list", "--history", "sqlite:///h.db"])
        assert result.exit_code == status, result.output


def test_facts_that_are_nested_without_end_are_one_message(history: Path) -> None:
    damage(history, "UPDATE runs SET facts = '" + '{"a":' * 100_000 + "'")
    refused(["history", "list", "--history", "sqlite:///h.db"])


def test_facts_of_another_version_are_read_as_far_as_they_are_known(history: Path) -> None:
    damage(history, """UPDATE runs SET facts = '{"width": 1280, "a_new_column": [1, {"x": 2}]}'""")
    with Store.at("sqlite:///h.db", read_only=True) as store:
        runs = store.runs()
    assert runs["width"].to_list() == [1280] * 3
    assert runs["height"].to_list() == [None] * 3
    assert runs["run_id"].null_count() == 0


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _text(file: Path) -> None:
    file.write_text("notes\n" * 100)


def _nothing(file: Path) -> None:
    file.write_bytes(b"")


def _another_program(file: Path) -> None:
    file.unlink()
    damage(file, "CREATE TABLE bookmarks (id INTEGER)")


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _pages_overwritten(file: Path) -> None:
    data = bytearray(file.read_bytes())
    for place in range(4096, len(data), 4096):
        data[place : place + 2048] = b"\xff" * 2048
    file.write_bytes(data)


@pytest.mark.parametrize(
    "spoil", [_a_folder, _text, _nothing, _another_program, _half, _pages_overwritten], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("reader", ["list", "trend"])
def test_a_file_that_is_no_history_is_one_message(history: Path, spoil: Callable[[Path], None], reader: str) -> None:
    for beside in (Path("h.db-wal"), Path("h.db-shm")):
        beside.unlink(missing_ok=True)
    spoil(history)
    refused(["history", reader, "--history", "sqlite:///h.db"])


def test_a_database_of_another_program_is_named_and_left_as_it_is(history: Path) -> None:
    _another_program(history)
    before = history.read_bytes()
    said = refused(["history", "add", "tonight.log", "--history", "sqlite:///h.db"])
    assert "not a loganalyzer history: it has the tables 'bookmarks'" in said
    assert history.read_bytes() == before
