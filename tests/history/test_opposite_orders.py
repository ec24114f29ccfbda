"""Two writers that add the same logs in opposite order on a server both succeed, and add each run once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import logtext as log
import pytest
import sqlalchemy as sa

from loganalyzer.history.store import Store
from loganalyzer.history.store.connection import retry
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

LOGS = 12


def both_orders() -> list[Analysis]:
    texts = [f"{number}\n" + log.BANNER + log.prompt(81, step_s=5 + number / 10) for number in range(LOGS)]
    inputs = [from_bytes(f"{number}.log", text.encode()) for number, text in enumerate(texts)]
    return [analyze_inputs(inputs), analyze_inputs(inputs[::-1])]


@pytest.mark.parametrize("attempt", range(3))
def test_two_writers_in_opposite_order_do_not_deadlock(url: str, attempt: int) -> None:
    with Store.at(url, create=True):
        pass
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def write(found: Analysis) -> None:
        try:
            start.wait()
            for _ in range(3):
                with Store.at(url) as store:
                    store.add(found, added_at=datetime(2026, 2, 1 + attempt))
        except BaseException as error:  # noqa: BLE001 -- a thread's failure is the test's
            failures.append(error)

    writers = [threading.Thread(target=write, args=(found,)) for found in both_orders()]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    with Store.at(url, read_only=True) as store:
        assert store.runs().height == LOGS
        assert store.recorded()["run_id"].n_unique() == LOGS


def test_a_writer_waits_for_the_lock_that_another_one_holds(database: Callable[[], str]) -> None:
    """Without the lock, two transactions could each hold a row that the other one needs."""
    url = database()
    with Store.at(url, create=True):
        pass
    engine = sa.create_engine(url)
    done = threading.Event()

    def write() -> None:
        with Store.at(url) as store:
            store.add(both_orders()[0], added_at=datetime(2026, 2, 1))
        done.set()

    writer = threading.Thread(target=write)
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7281359)"))
        writer.start()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not connection.execute(waiting).scalar_one():
            assert not done.wait(0.02)
        assert connection.execute(sa.text("SELECT count(*) FROM runs")).scalar_one() == 0
    writer.join()
    assert done.is_set()
    engine.dispose()


class _FailedError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(("failures", "succeeds"), [(5, True), (6, False)])
def test_a_transaction_that_a_deadlock_ended_is_tried_again_a_few_times(*, failures: int, succeeds: bool) -> None:
    left = [None] * failures

    def attempt() -> str:
        if left:
            left.pop()
            raise sa.exc.OperationalError("", {}, _FailedError("40P01"))
        return "done"

    if succeeds:
        assert retry(attempt) == "done"
    else:
        with pytest.raises(sa.exc.OperationalError):
            retry(attempt)


def test_another_failure_is_not_tried_again() -> None:
    calls: list[int] = []

    def attempt() -> str:
        calls.append(1)
        raise sa.exc.OperationalError("", {}, _FailedError("53100"))

    with pytest.raises(sa.exc.OperationalError):
        retry(attempt)
    assert len(calls) == 1
