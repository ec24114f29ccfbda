"""Stores that older versions of the tool made are brought up to date, one step after the other."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import logtext as log
import pytest

from loganalyzer.common.errors import HistoryError
from loganalyzer.history.store import Added, Store
from loganalyzer.history.store.schema import METADATA, VERSION
from loganalyzer.history.store.upgrades import STEPS
from loganalyzer.settings.model import Settings

OLD = Path(__file__).parent / "version-1.sql"


@pytest.fixture
def old(tmp_path: Path) -> str:
    """A store as schema version 1 left it: two runs."""
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
    connection.close()
    return f"sqlite:///{file}"


def test_a_stored_database_of_version_1_is_upgraded_and_keeps_all_it_holds(old: str) -> None:
    with Store.at(old) as store:
        runs = store.runs()
        assert runs["source"].to_list() == ["monday.log", "tuesday.log"]
        assert runs["label"].to_list() == ["main", "main"]
        assert runs["commit"].to_list() == ["1a2b3c", "4d5e6f"]
        assert runs["missing_frames"].to_list() == [14, 0]
        assert runs["verdict"].to_list() == [None, None]
        assert dict(store.recorded().filter(metric="s_per_step").select("run_id", "value").rows()) == {
            runs["run_id"][0]: pytest.approx(5.0),
            runs["run_id"][1]: pytest.approx(5.2),
        }
        assert store.findings().is_empty()


def test_an_upgraded_store_takes_new_runs_and_knows_its_old_ones(old: str) -> None:
    monday = log.analyze(log.BANNER + log.prompt(427), Settings(quantization="Q6_K"), "monday.log")
    new = log.analyze(log.BANNER + log.prompt(427, step_s=5.5), Settings(quantization="Q6_K"), "today.log")
    with Store.at(old) as store:
        added = store.add(monday, added_at=datetime(2026, 3, 1))
        assert (added.new, added.updated) == (0, 1)
        assert store.add(new, added_at=datetime(2026, 3, 1)) == Added(1, 0)
        assert set(store.findings()["run_id"]) == {*monday.runs["run_id"], *new.runs["run_id"]}


@pytest.fixture
def second(tmp_path: Path) -> str:
    """A store as schema version 2 left it: three runs, the last with time stamps of its own."""
    file = tmp_path / "second.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((OLD.parent / "version-2.sql").read_text(encoding="utf-8"))
    connection.close()
    return f"sqlite:///{file}"


def test_a_stored_database_of_version_2_is_upgraded_and_keeps_all_it_holds(second: str) -> None:
    with Store.at(second) as store:
        runs = store.runs()
        assert runs["source"].to_list() == ["monday.log", "tuesday.log", "wednesday.log"]
        assert runs["commit"].to_list() == ["1a2b3c", "4d5e6f", "7a8b9c"]
        assert runs["at"].dt.day().to_list() == [2, 3, 4]
        assert set(store.findings()["run_id"]) <= set(runs["run_id"])
        assert store.recorded()["run_id"].n_unique() == 3


def test_runs_of_version_2_are_known_again_by_id_by_time_stamp_and_by_name_and_line(second: str) -> None:
    settings = Settings(quantization="Q6_K")
    text = log.BANNER + log.prompt(427)
    stamped = [
        f"2026-02-04 03:00:{number:02} - {line}"
        for number, line in enumerate((log.BANNER + log.prompt(81)).splitlines())
    ]
    found = [
        log.analyze(text, settings, "renamed.log"),
        log.analyze(log.BANNER + log.prompt(369, step_s=5.2) + "a log that has grown\n", settings, "tuesday.log"),
        log.analyze("\n".join(["a line before", *stamped]), settings, "elsewhere.log"),
    ]
    with Store.at(second) as store:
        for one in found:
            added = store.add(one, added_at=datetime(2026, 3, 1))
            assert (added.new, added.updated) == (0, 1), one.sources
        assert store.runs()["source"].to_list() == ["renamed.log", "tuesday.log", "elsewhere.log"]
        assert store.runs()["at"].dt.day().to_list() == [2, 3, 4]


def test_an_upgrade_is_done_once(old: str) -> None:
    for _ in range(2):
        with Store.at(old) as store:
            assert store.runs().height == 2


def test_there_is_a_step_to_every_version() -> None:
    assert len(STEPS) == VERSION


def test_a_new_store_has_the_tables_that_the_queries_speak_of(url: str) -> None:
    import sqlalchemy as sa

    with Store.at(url, create=True):
        pass
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    for table in METADATA.sorted_tables:
        assert {column["name"] for column in inspector.get_columns(table.name)} == set(table.columns.keys())
    engine.dispose()


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with Store.at(f"sqlite:///{file}", create=True):
        pass
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    with pytest.raises(HistoryError, match="schema version 99") as caught, Store.at(f"sqlite:///{file}"):
        pass
    assert caught.value.hint == "Update loganalyzer."
