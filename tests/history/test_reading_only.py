"""Reading a history changes nothing, and needs neither a writable folder nor room on the disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nightlogs as nights
import nights as series
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.common.errors import HistoryError
from loganalyzer.history.store import Store
from loganalyzer.history.store.schema import VERSION

READERS = (["history", "list"], ["history", "trend"], ["history", "show", "{run}"], ["history", "prune", "--keep", "1"])
_NO_ROOM = (
    "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); sys.argv[0] = 'loganalyze';"
    "runpy.run_module('loganalyzer', run_name='__main__')"
)
"""Runs the command in a process that can write no byte to any file, as on a full disk."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose permissions a test may take away."""
    place = Path(tempfile.mkdtemp(prefix="loganalyze-history-"))
    place.chmod(0o755)
    yield place
    place.chmod(0o755)
    shutil.rmtree(place)


def filled(folder: Path) -> tuple[str, str]:
    """The URL of a history of three runs, and the id of one."""
    url = f"sqlite:///{folder / 'h.db'}"
    series.fill(url, series.noisy(3))
    with Store.at(url, read_only=True) as store:
        return url, store.runs()["run_id"][0]


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.iterdir())}


def words_of(reader: list[str], url: str, run: str) -> list[str]:
    return [word.format(run=run) for word in reader] + ["--history", url]


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_readers_change_nothing(folder: Path, reader: list[str]) -> None:
    url, run = filled(folder)
    before = state(folder)
    result = CliRunner().invoke(main, words_of(reader, url, run))
    assert result.exit_code == 0, result.output
    left = {name: value for name, value in state(folder).items() if not name.endswith(("-wal", "-shm"))}
    assert left == {name: value for name, value in before.items() if not name.endswith(("-wal", "-shm"))}


def without_privileges() -> list[str]:
    """What makes a command of root respect the permissions of files, as that of any other user does.

    It stays root, since another user may not reach the environment that the tests run in.
    """
    if os.getuid() != 0:
        return []
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_readers_work_in_a_folder_that_cannot_be_written(folder: Path, reader: list[str]) -> None:
    url, run = filled(folder)
    (folder / "h.db").chmod(0o444)
    folder.chmod(0o555)
    refused = subprocess.run([*without_privileges(), "touch", folder / "new"], capture_output=True, check=False)
    assert refused.returncode != 0
    command = [*without_privileges(), sys.executable, "-m", "loganalyzer", *words_of(reader, url, run)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd(), check=False, timeout=120)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("reader", READERS, ids=" ".join)
def test_readers_work_on_a_full_disk(folder: Path, reader: list[str]) -> None:
    url, run = filled(folder)
    command = [sys.executable, "-c", _NO_ROOM, *words_of(reader, url, run)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr


def test_adding_on_a_full_disk_is_one_message_and_status_2(folder: Path) -> None:
    url, _ = filled(folder)
    log = nights.written(folder / "tonight.log", nights.with_bars(1), 0)
    command = [sys.executable, "-c", _NO_ROOM, "history", "add", str(log), "--history", url]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("by_file", [False, True], ids=["option", "configuration"])
def test_the_main_job_compares_and_adds_nothing_where_the_history_is_read_only(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_file: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    series.fill(url, series.noisy(3))
    nights.written(Path("tonight.log"), nights.with_bars(1), 0)
    words = ["tonight.log", "--no-html", "--fail-on", "never", "--history", url]
    if by_file:
        Path("loganalyze.toml").write_text("history_read_only = true\n")
    result = CliRunner().invoke(main, words if by_file else [*words, "--history-read-only"])
    assert result.exit_code == 0, result.output
    assert "added" not in result.stderr
    with Store.at(url, read_only=True) as store:
        assert store.runs().height == 3
    result = CliRunner().invoke(main, [*words, "--history-write"])
    assert "1 run added" in result.stderr


def test_a_history_that_does_not_exist_is_not_created_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nights.written(Path("tonight.log"), nights.with_bars(1), 0)
    words = ["tonight.log", "--no-html", "--history", "sqlite:///h.db", "--history-read-only"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "there is no history yet" in result.stderr
    assert not Path("h.db").exists()


def test_a_label_needs_a_history_that_is_written(tmp_path: Path) -> None:
    words = ["x.log", "--history", f"sqlite:///{tmp_path / 'h.db'}", "--history-read-only", "--label", "a"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--label needs a writable history" in result.stderr


def test_a_store_of_an_older_version_is_read_without_an_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((Path(__file__).parent / "version-2.sql").read_text(encoding="utf-8"))
    connection.close()
    before = file.read_bytes()
    with Store.at(f"sqlite:///{file}", read_only=True) as store:
        assert store.runs()["source"].to_list() == ["monday.log", "tuesday.log", "wednesday.log"]
        assert not store.recorded().is_empty()
    assert file.read_bytes() == before


def test_an_older_store_of_a_server_is_not_upgraded_by_reading_and_says_what_does_it(database: object) -> None:
    import sqlalchemy as sa

    url = database()  # type: ignore[operator]
    with Store.at(url, create=True):
        pass
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE schema_version SET version = 2"))
    said = f"version 2, .* reads version {VERSION}"
    with pytest.raises(HistoryError, match=said) as caught, Store.at(url, read_only=True):
        pass
    assert "history add" in caught.value.hint
    engine.dispose()
