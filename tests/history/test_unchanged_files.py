"""Files that were added before and have not changed are not read again."""

from __future__ import annotations

from pathlib import Path

import nightlogs as nights
import pytest
from click.testing import CliRunner

import loganalyzer.pipeline
from loganalyzer.cli.group import main
from loganalyzer.common.resources import data_folder

Read = list[list[str]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """A folder with two logs; holds what each call reads."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)
    nights.written(Path("logs/distinct.log"), nights.with_bars(1), 0)
    nights.written(Path("logs/plain.log"), nights.without_bars(), 1)
    calls: Read = []
    analyze = loganalyzer.pipeline.analyze

    def counted(paths: list[str], *words: object) -> object:
        calls.append([Path(path).name for path in paths])
        return analyze(paths, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(loganalyzer.pipeline, "analyze", counted)
    return calls


def add(url: str, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["history", "add", *words, "--history", url])
    assert result.exit_code == status, result.output
    return result.output


def test_a_folder_that_has_not_changed_is_not_read_again(url: str, read: Read) -> None:
    assert add(url, "logs") == "2 runs added\n"
    assert add(url, "logs") == "0 runs added, 2 files unchanged\n"
    assert read == [["distinct.log", "plain.log"]]


def test_only_what_is_new_is_read(url: str, read: Read) -> None:
    add(url, "logs")
    nights.written(Path("logs/new.log"), nights.with_bars(2), 2)
    assert add(url, "logs") == "1 run added, 2 files unchanged\n"
    assert read[1:] == [["new.log"]]


@pytest.mark.parametrize(
    "words",
    [
        ["--quantization", "Q6_K"],
        ["--fps", "24"],
        ["--label", "main"],
        ["--at", "2026-01-01"],
        ["--no-redact"],
        ["--ignore", "AUD001"],
    ],
    ids=" ".join,
)
def test_an_option_that_changes_the_reading_has_the_files_read_again(url: str, read: Read, words: list[str]) -> None:
    add(url, "logs")
    add(url, "logs", *words)
    assert len(read) == 2


def test_a_commit_of_another_night_is_no_reason_to_read_again(url: str, read: Read) -> None:
    add(url, "logs", "--commit", "one")
    add(url, "logs", "--commit", "two")
    assert len(read) == 1


def test_a_baselines_file_that_changed_has_the_files_read_again(url: str, read: Read) -> None:
    shipped = next(file for file in (data_folder("patterns") / "baselines").iterdir() if file.name.endswith(".toml"))
    own = Path("own.toml")
    own.write_text(shipped.read_text())
    for _ in range(2):
        add(url, "logs", "--baselines", "own.toml")
    assert len(read) == 1
    own.write_text(shipped.read_text() + "\n# accepted\n")
    add(url, "logs", "--baselines", "own.toml")
    assert len(read) == 2


def test_a_file_with_the_same_text_and_another_time_is_read_only_where_its_time_matters(url: str, read: Read) -> None:
    add(url, "logs")
    for name in ("distinct.log", "plain.log"):
        nights.dated(Path("logs") / name, 5)
    assert add(url, "logs") == "1 run added, 1 file unchanged\n"
    assert read[1:] == [["plain.log"]]


def test_a_file_of_the_same_size_and_another_time_is_not_taken_for_unchanged(url: str, read: Read) -> None:
    add(url, "logs")
    text = Path("logs/distinct.log").read_bytes().decode()
    nights.written(Path("logs/distinct.log"), text.replace("80.36", "90.36"), 3)
    add(url, "logs")
    assert read[1:] == [["distinct.log"]]


def test_a_moved_folder_is_unchanged(url: str, read: Read) -> None:
    add(url, "logs")
    Path("logs").rename("archive")
    assert add(url, "archive") == "0 runs added, 2 files unchanged\n"
    assert len(read) == 1


def test_runs_that_were_removed_are_read_again(url: str, read: Read) -> None:
    add(url, "logs", "--label", "old")
    CliRunner().invoke(main, ["history", "prune", "--label", "old", "--yes", "--history", url])
    assert add(url, "logs", "--label", "old") == "2 runs added\n"
    assert len(read) == 2


def test_a_file_without_a_run_is_read_and_complained_of_each_time(url: str, read: Read) -> None:
    Path("notes.log").write_text("nothing\n")
    for _ in range(2):
        assert "no run found" in add(url, "notes.log", status=2)
    assert len(read) == 2


def test_an_input_that_cannot_be_found_is_said_beside_unchanged_files(url: str, read: Read) -> None:
    add(url, "logs")
    assert "no file matches" in add(url, "logs", "gone*.log", status=2)
    assert len(read) == 1
