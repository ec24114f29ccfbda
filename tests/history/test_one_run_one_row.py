"""A run is one row, whatever becomes of its log; runs of other nights are others, even where their logs are equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nightlogs as nights
import polars as pl
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.history.store import Store

Make = Callable[[int], str]
both_kinds = pytest.mark.parametrize("make", [nights.with_bars, nights.without_bars])


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)


def add(url: str, *words: str | Path) -> str:
    result = CliRunner().invoke(main, ["history", "add", *map(str, words), "--history", url])
    assert result.exit_code == 0, result.output
    return result.output


def rows(url: str) -> pl.DataFrame:
    with Store.at(url, read_only=True) as store:
        return store.runs()


def whole(file: Path) -> str:
    """The text of a log with its carriage returns."""
    return file.read_bytes().decode()


def renamed(file: Path) -> Sequence[str | Path]:
    return [file.rename(file.with_name("night-of-february.log"))]


def moved(file: Path) -> Sequence[str | Path]:
    (file.parent / "archive").mkdir()
    return [file.rename(file.parent / "archive" / file.name)]


def spelled_otherwise(file: Path) -> Sequence[str | Path]:
    return [f"./{file.name}"]


def spelled_in_full(file: Path) -> Sequence[str | Path]:
    return [file.resolve()]


def rotated(file: Path) -> Sequence[str | Path]:
    old = file.rename(file.with_name("server.log.1"))
    nights.written(file, nights.log.BANNER, 1)
    return [old]


def packed(file: Path) -> Sequence[str | Path]:
    return [nights.packed(file)]


def with_an_option(file: Path) -> Sequence[str | Path]:
    return [file, "--quantization", "Q6_K", "--fps", "24"]


def grown(file: Path) -> Sequence[str | Path]:
    return [nights.written(file, whole(file) + "Interrupting prompt\n", 1)]


def glued_first(file: Path) -> Sequence[str | Path]:
    return [nights.written(file.with_name("all.log"), whole(file) + "the rest of another log\n" * 3, 5)]


def glued_last(file: Path) -> Sequence[str | Path]:
    return [nights.written(file.with_name("all.log"), "the end of another log\n" * 3 + whole(file), 5)]


@both_kinds
@pytest.mark.parametrize(
    "change",
    [
        renamed,
        moved,
        spelled_otherwise,
        spelled_in_full,
        rotated,
        packed,
        with_an_option,
        grown,
        glued_first,
        glued_last,
    ],
)
def test_whatever_becomes_of_a_log_its_run_stays_one_row(
    url: str, make: Make, change: Callable[[Path], Sequence[str | Path]]
) -> None:
    file = nights.written(Path("server.log"), make(1), 0)
    assert "1 run added" in add(url, file)
    before = rows(url)
    assert "0 runs added" in add(url, *change(file))
    after = rows(url)
    assert after.select("run_id", "at").rows() == before.select("run_id", "at").rows()


@both_kinds
def test_a_run_whose_log_is_still_growing_is_completed_in_its_row(url: str, make: Make) -> None:
    text = make(1)
    lines = text.splitlines(keepends=True)
    file = nights.written(Path("server.log"), "".join(lines[:-4]), 0)
    add(url, file)
    assert rows(url)["status"].to_list() == ["truncated"]
    file = nights.written(file, text, 1)
    assert "0 runs added, 1 run updated" in add(url, file)
    after = rows(url)
    assert after["status"].to_list() == ["completed"]
    with Store.at(url, read_only=True) as store:
        assert "peak_allocated_gib" in store.recorded()["metric"].to_list()
        assert set(store.findings()["run_id"]) <= set(after["run_id"])


@both_kinds
def test_an_older_copy_of_a_log_that_has_grown_takes_nothing_away(url: str, make: Make) -> None:
    text = make(1)
    part = "".join(text.splitlines(keepends=True)[:-4])
    add(url, nights.written(Path("part.log"), part, 0))
    add(url, nights.written(Path("whole.log"), text, 1))
    add(url, nights.dated(Path("part.log"), 0), "--label", "again")
    assert rows(url).select("status", "label").rows() == [("completed", "again")]


@both_kinds
def test_two_logs_and_both_in_one_are_two_runs_in_whatever_order_they_come(url: str, make: Make) -> None:
    one, other = make(1), make(2)
    nights.written(Path("a/one.log"), one, 0)
    nights.written(Path("a/other.log"), other, 1)
    nights.written(Path("a/both.log"), one + other, 2)
    assert "2 runs added" in add(url, "a")
    nights.written(Path("b/both.log"), other + one, 3)
    assert "0 runs added" in add(url, "b")
    assert rows(url).height == 2


def test_a_log_whose_head_was_cut_off_holds_the_same_later_runs(url: str) -> None:
    first, second = nights.with_bars(1), nights.with_bars(2, windows=6)
    add(url, nights.written(Path("server.log"), first + second, 0))
    cut = "".join(second.splitlines(keepends=True)[3:])
    before = rows(url)["run_id"].to_list()
    add(url, nights.written(Path("server.log"), cut + nights.with_bars(3), 1))
    after = rows(url)
    assert before[1] in after["run_id"].to_list()
    assert after.filter(pl.col("status") == "completed").height == 3


@pytest.mark.parametrize("together", [True, False], ids=["at once", "night by night"])
def test_thirty_nights_without_progress_bars_are_thirty_runs(url: str, *, together: bool) -> None:
    files = [nights.written(Path(f"logs/night-{night:02}.log"), nights.without_bars(), night) for night in range(30)]
    if together:
        add(url, "logs")
    else:
        for file in files:
            assert "1 run added" in add(url, file)
    assert rows(url)["at"].dt.day().to_list() == [*range(1, 29), 1, 2]
    assert "0 runs added" in add(url, "logs", "--fps", "24")


def test_thirty_nights_that_overwrite_one_log_are_thirty_runs(url: str) -> None:
    for night in range(30):
        add(url, nights.written(Path("server.log"), nights.without_bars(), night))
    assert rows(url)["run_id"].n_unique() == 30


def test_equal_logs_without_times_are_taken_for_one_run_and_it_is_said(url: str) -> None:
    def piped(*words: str) -> str:
        result = CliRunner().invoke(main, ["history", "add", "-", "--history", url, *words], nights.without_bars())
        assert result.exit_code == 0, result.output
        return result.output

    assert "1 run added" in piped()
    again = piped()
    assert "0 runs added" in again
    assert "the logs show no difference" in again
    assert "1 run added" in piped("--at", "2026-02-02")
    assert "1 run added" in piped("--at", "2026-02-03")
    again = piped("--at", "2026-02-03")
    assert "0 runs added" in again
    assert "the logs show no difference" not in again
    assert rows(url).height == 3


def test_a_file_time_two_seconds_off_is_the_same_and_three_seconds_off_is_another(url: str) -> None:
    import os

    file = nights.written(Path("server.log"), nights.without_bars(), 0)
    add(url, file)
    start = file.stat().st_mtime
    os.utime(file, (start + 2, start + 2))
    assert "0 runs added" in add(url, file, "--fps", "24")
    os.utime(file, (start + 6, start + 6))
    assert "1 run added" in add(url, file, "--fps", "24")


def test_runs_are_distinct_from_eight_changes_of_the_step_time_on() -> None:
    from loganalyzer.history.identity import DISTINCT_CHANGES, SMALLEST_CHANGE, count_changes

    assert count_changes((500, 500 + SMALLEST_CHANGE)) == 1
    assert count_changes((500, 500 + SMALLEST_CHANGE - 1)) == 0
    steps = tuple(500 + SMALLEST_CHANGE * (number % 2) for number in range(DISTINCT_CHANGES + 1))
    assert count_changes(steps) == DISTINCT_CHANGES
    assert count_changes(steps[:-1]) == DISTINCT_CHANGES - 1


@pytest.mark.parametrize(("rates", "added"), [((5.0, 5.0, 5.0, 5.2), "1 run"), ((5.0, 5.0, 5.2, 5.0), "0 runs")])
def test_equal_logs_hold_one_run_from_two_changes_of_the_step_time_on(
    url: str, rates: tuple[float, ...], added: str
) -> None:
    """The smoothing is undone: printed rates are made so that the steps take the times given."""
    shown, weight, total = [], 0.0, 0.0
    for rate in rates:
        weight, total = 0.3 + 0.7 * weight, 0.3 * rate + 0.7 * total
        shown.append(f"{total / weight:5.2f}s/it")
    bars = "".join(
        nights.log.refresh("Sampling audio indices 0-81", step, 4, 5 * step, rate) for step, rate in enumerate(shown, 1)
    )
    text = nights.log.BANNER + nights.log.ARRIVAL + nights.log.MODE + nights.log.header(81, 1) + bars + "\n"
    text += nights.log.memory() + nights.log.EXECUTED
    add(url, nights.written(Path("one.log"), text, 0))
    with Store.at(url, read_only=True) as store:
        (known,) = store.known()
    assert len(known.reading.durations) == 4
    assert f"{added} added" in add(url, nights.written(Path("other.log"), text, 1))


def test_names_of_people_in_a_path_play_no_part(url: str) -> None:
    for person in ("ann", "bob"):
        text = nights.with_bars(1) if person == "ann" else nights.with_bars(1) + f"/home/{person}/x\n"
        add(url, nights.written(Path(f"home/{person}/server.log"), text, 0))
    assert rows(url).height == 1


def test_the_main_job_knows_a_run_again_and_counts_it_once(url: str) -> None:
    for night in range(3):
        nights.written(Path(f"logs/{night}.log"), nights.without_bars(), night)
    add(url, "logs")
    words = ["logs/1.log", "--no-html", "--history", url, "--fail-on", "never"]
    result = CliRunner().invoke(main, words)
    assert "history: 0 runs added" in result.stderr, result.output
    assert rows(url).height == 3


def test_a_run_is_found_by_the_id_that_any_of_its_logs_gave_it(url: str) -> None:
    text = nights.with_bars(1)
    add(url, nights.written(Path("server.log"), text, 0))
    nights.written(Path("server.log"), text + "more\n", 1)
    add(url, "server.log")
    with Store.at(url, read_only=True) as store:
        (run_id,) = store.runs()["run_id"]
        places = {place for known in store.known() for place in known.occasions}
        assert len(places) == 2
        assert {name for place in places for name in store.find_ids(place[:10])} == {run_id}
