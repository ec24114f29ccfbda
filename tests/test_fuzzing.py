"""Damaged logs: whatever the bytes, the tool answers, in the contract's form, and says nothing the text does not hold."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from fuzz import claims, material
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

CORPUS = sorted((Path(__file__).parent / "fuzz" / "corpus").iterdir())
LONGEST_S = 120
"""A test that takes longer hangs: the process ends and shows where it stood."""

WRAPPED = st.builds(
    lambda log, wrapping: material.WRAPPINGS[wrapping](material.LOGS[log]),
    st.sampled_from(sorted(material.LOGS)),
    st.sampled_from(sorted(material.WRAPPINGS)),
)
DAMAGED = st.builds(
    material.damaged,
    WRAPPED,
    st.lists(st.sampled_from(sorted(material.DAMAGES)), max_size=5),
    st.integers(0, 2**32 - 1),
)


def several(most: int) -> st.SearchStrategy[list[bytes]]:
    """Logs for one call; one call for many logs is what makes many logs affordable."""
    return st.lists(DAMAGED, min_size=1, max_size=most)


def examples(count: int) -> settings:
    """The same examples on every machine, as slow as that may be."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    faulthandler.dump_traceback_later(LONGEST_S, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("wrapping", material.WRAPPINGS)
def test_the_claims_hold_for_undamaged_logs(wrapping: str) -> None:
    found, sources = claims.analysed([material.WRAPPINGS[wrapping](text) for text in material.LOGS.values()])
    claims.check(found, sources)
    assert set(found.runs["source"]) == {source.name for source in sources}


@given(several(8))
@examples(30)
def test_nothing_is_said_that_a_damaged_log_does_not_hold(logs: list[bytes]) -> None:
    claims.check(*claims.analysed(logs))


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=8))
@examples(8)
def test_the_claims_hold_for_any_bytes(logs: list[bytes]) -> None:
    claims.check(*claims.analysed(logs))


@pytest.mark.parametrize("log", ["several stages", "animate", "december"])
def test_a_log_cut_at_any_byte_is_completed_only_with_its_evidence(log: str) -> None:
    whole = material.LOGS[log].encode()
    evidence = min(whole.find(mark) for mark in (b"memory=", b"max_reserved=", b"Prompt executed in ") if mark in whole)
    cuts = [whole[:end] for end in range(1, len(whole) + 1, 7)]
    found, sources = claims.analysed(cuts)
    claims.check(found, sources)
    before = [source.name for source, cut in zip(sources, cuts, strict=True) if len(cut) <= evidence]
    early = found.runs.filter(pl.col("source").is_in(before) & ~pl.col("run_id").is_in(_followed(found.runs)))
    assert "completed" not in early["status"]


def _followed(runs: pl.DataFrame) -> pl.Series:
    """Runs behind which another of the same prompt begins."""
    return runs.filter(pl.int_range(pl.len()).over("prompt_id") < pl.len().over("prompt_id") - 1)["run_id"].implode()


@given(several(4))
@examples(8)
def test_logs_analysed_together_say_what_each_says_alone(logs: list[bytes]) -> None:
    together, sources = claims.analysed(logs)
    by_name = dict(zip((f"{number}.log" for number in range(len(logs))), logs, strict=True))
    for source in sources:
        alone, _ = claims.analysed([by_name[source.name]], [source.name])
        for table, frame in alone.tables():
            assert_frame_equal(_of(together, source.name, table), frame)


def _of(found: claims.Analysis, source: str, table: str) -> pl.DataFrame:
    """One source's rows of a table."""
    frame = dict(found.tables())[table]
    if "source" in frame.columns:
        return frame.filter(pl.col("source") == source)
    key = "prompt_id" if "prompt_id" in frame.columns else "run_id"
    owner = found.prompts if key == "prompt_id" else found.runs
    return frame.filter(pl.col(key).is_in(owner.filter(pl.col("source") == source)[key].implode()))


@given(several(3))
@examples(10)
def test_every_report_can_be_made_of_damaged_logs(logs: list[bytes]) -> None:
    claims.rendered(claims.analysed(logs)[0])


@pytest.mark.parametrize("seed", CORPUS, ids=lambda path: path.name)
def test_the_claims_hold_for_the_fuzzers_corpus_and_all_that_it_ever_found(seed: Path) -> None:
    found, sources = claims.analysed([seed.read_bytes()])
    claims.check(found, sources)
    claims.rendered(found)
