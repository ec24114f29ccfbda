"""Many writers at once lose nothing, and a writer that is killed leaves a sound store."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from loganalyzer.history.store import Store
from loganalyzer.runs.identity import DIGEST

WRITER = Path(__file__).parent / "writing.py"
EACH = 3
RUNS_OF_A_LOG = 2
FIGURES_OF_A_RUN = 8


def start(url: str, name: str, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, str(WRITER), url, name, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def runs_of_each_log(url: str) -> dict[str, int]:
    with Store.at(url, create=True) as store:
        runs = store.runs()
        recorded = store.recorded().group_by("run_id").len()
    assert recorded.height == runs.height
    assert (recorded["len"] >= FIGURES_OF_A_RUN - 1).all()
    return dict(runs.group_by(pl.col("run_id").str.head(DIGEST)).len().rows())


def test_six_writers_at_once_lose_nothing(url: str) -> None:
    writers = [start(url, f"writer {number}", EACH) for number in range(6)]
    kept = []
    for writer in writers:
        said, complaints = writer.communicate(timeout=120)
        assert writer.returncode == 0, complaints
        kept += said.split()
    assert len(set(kept)) == 6 * EACH
    assert runs_of_each_log(url) == {digest[:DIGEST]: RUNS_OF_A_LOG for digest in kept}


def test_six_writers_of_the_same_logs_add_each_once(url: str) -> None:
    writers = [start(url, "the same", EACH) for _ in range(6)]
    for writer in writers:
        _, complaints = writer.communicate(timeout=120)
        assert writer.returncode == 0, complaints
    assert set(runs_of_each_log(url).values()) == {RUNS_OF_A_LOG}
    assert len(runs_of_each_log(url)) == EACH


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_writer_leaves_a_sound_store_with_all_it_said_was_kept(url: str, seed: int) -> None:
    """Killed from the first moment on: while the store is made, while a log is read, amid a transaction."""
    chance = random.Random(seed)
    said: list[str] = []
    for number in range(4):
        writer = start(url, f"victim {seed} {number}", 200)
        if number % 2:
            assert writer.stdout is not None
            said.append(writer.stdout.readline())
        time.sleep(chance.uniform(0.0, 0.9))
        writer.send_signal(signal.SIGKILL)
        said += (writer.communicate(timeout=30)[0]).split("\n")
    known = {line.strip()[:DIGEST] for line in said if line.strip()}
    after = runs_of_each_log(url)
    assert known <= after.keys()
    assert set(after.values()) <= {RUNS_OF_A_LOG}, "a log is there whole or not at all"
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
