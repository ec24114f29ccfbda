"""Tables made apart and merged are those of one call, wherever the inputs were parted."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import logtext as log
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loganalyzer.common.errors import SourceError
from loganalyzer.engine import incremental
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.merge import merge_tables
from loganalyzer.engine.read import tabulate
from loganalyzer.pipeline import judge_tables
from loganalyzer.settings.model import Settings
from loganalyzer.sources import chunks
from loganalyzer.sources.inputs import Input, from_bytes
from sample_logs import FOLDER

PADDED = log.BANNER + log.prompt(427)
OUTSIDE = "".join(line for line in log.prompt(153).splitlines(keepends=True) if "memory" in line.lower()) * 2
"""Reports of memory that belong to no run."""
TWO = "".join(
    f"worker-{k % 2}  | {line}\n" for k, line in enumerate((log.prompt(153) + OUTSIDE + log.prompt(60)).split("\n"))
)
TEXTS = {
    "padded.log": PADDED,
    "outside.log": OUTSIDE + log.prompt(60) + OUTSIDE,
    "slow.log": (FOLDER / "slow_Q6_K.txt").read_text(encoding="utf-8"),
    "outside again.log": OUTSIDE + log.prompt(60) + OUTSIDE,
    "empty.log": "",
    "near.log": "Padding length: three\n" * 3 + log.prompt(153),
    "padded again.log": PADDED,
    "two workers.log": TWO,
    "empty again.log": "",
    "padded once more.log": PADDED,
    "two workers again.log": TWO,
    "last.log": log.prompt(369),
}
BREAKS_OFF = ("slow.log", "padded again.log")


def broken(name: str, text: str) -> Iterator[bytes]:
    yield text.encode()
    raise SourceError(f"{name}: the connection was lost")


def inputs() -> list[Input | SourceError]:
    made: list[Input | SourceError] = [
        Input(name, broken(name, text)) if name in BREAKS_OFF else from_bytes(name, text.encode())
        for name, text in TEXTS.items()
    ]
    made.insert(3, SourceError("missing.log: cannot be read"))
    made.insert(9, SourceError("also missing.log: cannot be read"))
    return made


COUNT = len(inputs())


@cache
def tables(start: int, stop: int) -> Tables:
    return tabulate(inputs()[start:stop], Settings())


def assert_same(one: Tables, other: Tables) -> None:
    assert one.problems == other.problems
    assert one.notes == other.notes
    assert list(one.frames) == list(other.frames)
    for name, frame in other.frames.items():
        assert_frame_equal(one.frames[name], frame)
    assert_frame_equal(judge_tables(one, Settings()).excerpts, judge_tables(other, Settings()).excerpts)


def parted(cuts: set[int]) -> list[Tables]:
    places = [0, *sorted(cuts), COUNT]
    return [tables(start, stop) for start, stop in pairwise(places)]


@examples(max_examples=15)
@given(cuts=st.sets(st.integers(1, COUNT - 1)))
def test_any_grouping_of_the_inputs_gives_the_tables_of_one_group(cuts: set[int]) -> None:
    assert_same(merge_tables(parted(cuts)), tables(0, COUNT))


def test_merging_what_was_merged_changes_nothing() -> None:
    alone = parted(set(range(1, COUNT)))
    halves = [merge_tables(alone[:7]), merge_tables(alone[7:])]
    assert_same(merge_tables(halves), tables(0, COUNT))


def test_the_mix_has_what_could_go_wrong() -> None:
    """Without these the other tests would prove little."""
    whole = tables(0, COUNT)
    found = judge_tables(whole, Settings())
    assert whole.frames["memory"]["run_id"].null_count() > 4
    assert found.near_misses.height == 3
    assert "window-bar" in found.excerpts["event"]
    assert len(whole.problems) == 4
    assert "empty again.log: has the same content as empty.log; analyzed once" in whole.notes
    assert len(whole.notes) == 6


def test_problems_come_in_the_order_of_the_inputs() -> None:
    assert [text.split(":")[0] for text in tables(0, COUNT).problems] == [
        "slow.log",
        "missing.log",
        "padded again.log",
        "also missing.log",
    ]


def test_a_long_input_worked_on_in_parts_orders_the_others_as_if_it_were_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = parted(set(range(1, COUNT)))
    monkeypatch.setattr(chunks, "HEAD_BYTES", 4)
    monkeypatch.setattr(incremental, "FLUSH_RECORDS", 1)
    assert_same(merge_tables(alone), tabulate(inputs(), Settings(), chunk_bytes=700))


def test_tables_survive_pickling() -> None:
    assert_same(pickle.loads(pickle.dumps(tables(0, COUNT))), tables(0, COUNT))
