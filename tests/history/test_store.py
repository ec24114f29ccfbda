"""The store keeps what it is given, once, on either database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loganalyzer.common.errors import HistoryError
from loganalyzer.history.past import RECORDED
from loganalyzer.history.store import Added, Selection, Store
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import measure

NOON = datetime(2026, 2, 14, 12)
ASCTIME = "2026-02-13 03:00:{:02} - "


def analysis(step_s: float = 5.0, name: str = "a.log", before: str = "") -> Analysis:
    return log.analyze(before + log.BANNER + log.prompt(427, step_s=step_s), Settings(quantization="Q6_K"), name)


def test_what_goes_in_comes_out(url: str) -> None:
    found = analysis()
    with Store.at(url, create=True) as store:
        assert store.add(found, added_at=NOON, label="main", commit="abc") == Added(1, 0)
    with Store.at(url) as store:
        runs = store.runs()
        assert_frame_equal(runs.select(found.runs.columns), found.runs)
        assert runs.select("at", "added_at", "label", "commit", "verdict").row(0) == (NOON, NOON, "main", "abc", "fail")
        recorded = store.recorded()
        assert recorded.schema == RECORDED
        columns = measure(found).columns
        assert_frame_equal(recorded.select(columns), measure(found), check_row_order=False)
        assert_frame_equal(
            store.findings(), found.findings.filter(pl.col("run_id").is_not_null()), check_row_order=False
        )
        assert store.labels() == ["main"]


def test_the_same_log_under_another_name_is_the_same_run_and_the_newest_reading_counts(url: str) -> None:
    with Store.at(url, create=True) as store:
        store.add(analysis(), added_at=NOON, label="first", commit="abc")
        before = store.runs()
        again = analysis(name="renamed.log")
        added = store.add(again, added_at=datetime(2026, 3, 1), label="second", commit="def")
        assert (added.new, added.known + added.updated) == (0, 1)
        after = store.runs()
        assert after["label"].to_list() == ["second"]
        same = ["run_id", "at", "added_at", "commit", "total_s"]
        assert_frame_equal(after.select(same), before.select(same))
        assert store.add(again, added_at=datetime(2026, 3, 2)) == Added(known=1, guessed=1)


@pytest.mark.parametrize("name", ["server.log", "/home/ann/logs/server.log"])
def test_a_server_log_that_grew_adds_its_new_runs_only(url: str, name: str) -> None:
    first, second = log.prompt(427, step_s=5.0), log.prompt(427, step_s=5.1)
    with Store.at(url, create=True) as store:
        store.add(log.analyze(log.BANNER + first, name=name), added_at=NOON)
        added = store.add(log.analyze(log.BANNER + first + second, name=name), added_at=NOON)
        assert (added.new, added.known + added.updated) == (1, 1)
        assert store.runs().height == 2


def test_equal_runs_of_different_files_are_different_runs(url: str) -> None:
    with Store.at(url, create=True) as store:
        store.add(analysis(name="monday.log"), added_at=NOON)
        assert store.add(analysis(name="tuesday.log", before="tuesday\n"), added_at=NOON) == Added(1, 0)


def test_runs_stand_in_the_order_of_their_own_time_else_of_what_was_said_else_of_when_they_came(url: str) -> None:
    timed = "\n".join(
        ASCTIME.format(number) + line for number, line in enumerate((log.BANNER + log.prompt(81)).splitlines())
    )
    told = log.analyze(timed, name="timed.log")
    assert told.prompts["started_at"].null_count() == 0
    with Store.at(url, create=True) as store:
        store.add(analysis(5.3, "third.log"), added_at=datetime(2026, 2, 20))
        store.add(analysis(5.1, "first.log"), added_at=datetime(2026, 2, 21), at=datetime(2026, 2, 1))
        store.add(told, added_at=datetime(2026, 2, 22), at=datetime(2026, 2, 28))
        assert store.runs()["source"].to_list() == ["first.log", "timed.log", "third.log"]


def test_a_selection_leaves_out_and_removal_takes_the_figures_with_it(url: str) -> None:
    with Store.at(url, create=True) as store:
        for day, label in ((1, "old"), (2, None), (3, None)):
            store.add(analysis(5 + day / 10, f"{day}.log"), added_at=datetime(2026, 2, day), label=label)
        sources = {
            name: store.runs(chosen)["source"].to_list()
            for name, chosen in {
                "label": Selection(label="old"),
                "before": Selection(before=datetime(2026, 2, 3)),
                "keep": Selection(keep=2),
            }.items()
        }
        assert sources == {"label": ["1.log"], "before": ["1.log", "2.log"], "keep": ["1.log"]}
        assert store.remove(store.runs(Selection(keep=1))["run_id"].to_list()) == 2
        assert store.runs()["source"].to_list() == ["3.log"]
        assert store.recorded()["run_id"].n_unique() == 1
        assert store.findings()["run_id"].n_unique() == 1


def test_what_is_kept_is_decided_by_the_time_of_the_runs_and_not_by_when_they_were_added(url: str) -> None:
    """Added newest first: whoever counts by insertion removes the wrong ones."""
    with Store.at(url, create=True) as store:
        for place, day in enumerate((9, 3, 7, 1, 5)):
            added_at = datetime(2026, 3, 1 + place)
            store.add(analysis(5 + day / 10, f"{day}.log"), added_at=added_at, at=datetime(2026, 2, day))
        assert store.runs(Selection(keep=2))["source"].to_list() == ["1.log", "3.log", "5.log"]
        assert store.runs(Selection(before=datetime(2026, 2, 5)))["source"].to_list() == ["1.log", "3.log"]


def test_prune_removes_the_oldest_runs_by_their_own_time(url: str) -> None:
    from click.testing import CliRunner

    from loganalyzer.cli.group import main

    with Store.at(url, create=True) as store:
        for place, day in enumerate((9, 3, 7, 1, 5)):
            added_at = datetime(2026, 3, 1 + place)
            store.add(analysis(5 + day / 10, f"{day}.log"), added_at=added_at, at=datetime(2026, 2, day))
    result = CliRunner().invoke(main, ["history", "prune", "--keep", "2", "--yes", "--history", url])
    assert result.exit_code == 0, result.output
    with Store.at(url, read_only=True) as store:
        assert store.runs()["source"].to_list() == ["7.log", "9.log"]


def test_thousands_of_runs_are_taken_out_at_once(url: str) -> None:
    with Store.at(url, create=True) as store:
        store.add(analysis(), added_at=NOON)
        known = store.runs()["run_id"].to_list()
        assert store.remove([*(f"gone {number}" for number in range(70_000)), *known]) == 1


def test_the_card_of_the_settings_is_part_of_the_key_where_the_log_names_none(url: str) -> None:
    found = log.analyze(log.prompt(81))
    with Store.at(url, create=True) as store:
        store.add(found, added_at=NOON, gpu="RTX 5090")
        assert store.recorded()["gpu"].unique().to_list() == ["RTX 5090"]
        assert store.runs()["gpu"].to_list() == [None]


def test_an_empty_store_has_tables_without_rows(url: str) -> None:
    with Store.at(url, create=True) as store:
        assert store.add(Analysis(), added_at=NOON) == Added(0, 0)
        assert store.runs().columns[: len(schema.RUNS)] == list(schema.RUNS)
        assert store.recorded().schema == RECORDED
        assert store.findings().schema == schema.FINDINGS


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("history.db", "is not a history URL"),
        ("mysql://me:secret@host/db", "mysql://… is not a history URL"),
        ("sqlite://", "the file name is missing"),
        ("sqlite:///no/such/folder/h.db", "the folder no/such/folder does not exist"),
    ],
)
def test_a_url_of_another_kind_is_refused_with_the_way_out(
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HistoryError, match=said) as caught, Store.at(address, create=True):
        pass
    assert caught.value.hint
    assert "secret" not in str(caught.value)


def test_a_password_is_in_no_message() -> None:
    pytest.importorskip("psycopg")
    address = "postgresql://me:secret@127.0.0.1:1/db"
    with pytest.raises(HistoryError) as caught, Store.at(address, create=True):
        pass
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_one_message(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("these are notes, and quite a few of them\n" * 50)
    with pytest.raises(HistoryError, match="not a database"), Store.at(f"sqlite:///{file}"):
        pass


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE runs (id INTEGER)")
    connection.close()
    with (
        pytest.raises(HistoryError, match="not a loganalyzer history: it has the tables 'runs'"),
        Store.at(f"sqlite:///{file}", create=True),
    ):
        pass


def test_a_history_that_is_only_read_is_not_made_up(tmp_path: Path) -> None:
    file = tmp_path / "h.db"
    with pytest.raises(HistoryError, match="there is no history yet"), Store.at(f"sqlite:///{file}"):
        pass
    assert not file.exists()
