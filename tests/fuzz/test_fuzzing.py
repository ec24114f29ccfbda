"""Damaged logs: whatever the bytes, the tool answers in time, and says nothing that the bytes do not hold."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from fuzz import claims, material, shrink
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loganalyzer.tables import frames
from loganalyzer.tables.analysis import Analysis

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(FOLDER.iterdir())
SHAPES = [text for name, text in material.LOGS.items() if not name.endswith("_Q6_K")]
"""The samples are of few shapes, which are among the others."""
LONGEST_S = 1200
"""A test that takes longer hangs: the process ends and shows where it stood."""


@st.composite
def damaged_logs(draw: st.DrawFn, most: int) -> list[bytes]:
    """Several logs for one call, which costs little more than one; each damaged in its own way."""

    def below(limit: int) -> int:
        return draw(st.integers(0, limit - 1))

    return [material.drawn(below) for _ in range(1 + below(most))]


def examples(count: int) -> settings:
    """The same examples on every machine, as slow as that may be."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=slow)


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    faulthandler.dump_traceback_later(LONGEST_S, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()


def assert_nothing_broken(logs: list[bytes]) -> None:
    for log, broken in zip(logs, claims.broken(logs), strict=True):
        assert not broken, log


@pytest.mark.parametrize("wrapping", material.WRAPPINGS)
def test_the_claims_hold_for_logs_without_damage(wrapping: str) -> None:
    logs = [material.WRAPPINGS[wrapping](text) for text in SHAPES]
    assert_nothing_broken(logs)
    found, sources = claims.analysed(logs)
    assert set(found.runs["source"]) == {source.name for source in sources}


@given(damaged_logs(16))
@examples(14)
def test_nothing_is_said_that_a_damaged_log_does_not_hold(logs: list[bytes]) -> None:
    assert_nothing_broken(logs)


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=12))
@examples(5)
def test_the_claims_hold_for_any_bytes(logs: list[bytes]) -> None:
    assert_nothing_broken(logs)
    for source, log in zip(claims.named(logs), logs, strict=True):
        claims.decodes(source, log)


@pytest.mark.parametrize("log", ["several stages", "animate", "december", "two_speakers_Q6_K"])
def test_a_log_cut_before_its_evidence_is_never_completed(log: str) -> None:
    whole = material.LOGS[log].encode()
    evidence = min(whole.find(mark) for mark in (b"memory=", b"max_reserved=", b"Prompt executed in ") if mark in whole)
    cuts = [whole[:end] for end in range(1, len(whole) + 1, 101)]
    assert_nothing_broken(cuts)
    found, sources = claims.analysed(cuts)
    early = [source.name for source in sources if source.size <= evidence]
    assert "completed" not in set(found.runs.filter(found.runs["source"].is_in(early))["status"])


@given(damaged_logs(4))
@examples(5)
def test_a_log_is_read_alike_alone_and_beside_others(logs: list[bytes]) -> None:
    found, sources = claims.analysed(logs)
    for source in sources:
        claims.same_in_company(found, source)


@given(damaged_logs(3), st.integers(40, 3000))
@examples(6)
def test_a_log_is_read_alike_in_pieces_and_as_a_whole(logs: list[bytes], size: int) -> None:
    for log in logs:
        claims.same_in_pieces(log, size)


@given(damaged_logs(8))
@examples(6)
def test_tables_are_the_same_by_the_ways_of_few_rows_and_of_many(logs: list[bytes]) -> None:
    found, _ = claims.analysed(logs)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frames, "_MANY", 1)
        patched.setattr(frames, "_FEW", 0)
        tall, _ = claims.analysed(logs)
    for name, frame in found.tables():
        assert_frame_equal(getattr(tall, name), frame, check_exact=True)


@given(damaged_logs(3))
@examples(5)
def test_every_report_can_be_written_of_damaged_logs(logs: list[bytes]) -> None:
    claims.rendered(claims.analysed(logs)[0])


def test_the_claims_hold_for_every_kept_input() -> None:
    broken = claims.broken([case.read_bytes() for case in CASES])
    assert {case.name: claims for case, claims in zip(CASES, broken, strict=True) if claims} == {}


def test_every_report_can_be_written_of_the_kept_inputs() -> None:
    claims.rendered(claims.analysed([case.read_bytes() for case in CASES])[0])


WRONG = [
    ("sources", "near", -1),
    ("prompts", "duration_s", 80.37),
    ("prompts", "end_line", 10_000),
    ("runs", "width", 1281),
    ("runs", "audio_frames", 428),
    ("runs", "peak_allocated_gib", 15.001),
    ("runs", "gpu", "NVIDIA GeForce RTX 5091"),
    ("runs", "line", 0),
    ("runs", "observed_windows", 5),
    ("windows", "audio_end", 82),
    ("windows", "window", 1),
    ("windows", "steps_total", 3),
    ("windows", "line", 1),
    ("steps", "step", 5),
    ("steps", "line", 2),
    ("steps", "duration_s", -1.0),
    ("steps", "method", None),
    ("paddings", "have", 426),
    ("paddings", "line", 3),
    ("memory", "max_reserved_gib", 16.1),
    ("memory", "line", 1),
    ("loras", "name", "lightx2v_rank64"),
    ("loras", "rank", 64),
    ("findings", "line", 10_000),
    ("findings", "run_id", "0123456789-R1"),
    ("findings", "fix", ""),
    ("excerpts", "text", "got prompts"),
    ("excerpts", "line", 10_000),
]


@cache
def analysis_of_one(log: str) -> tuple[Analysis, claims.Log]:
    found, (source,) = claims.analysed([material.LOGS[log].encode()])
    return found, source


@pytest.mark.parametrize(("table", "column", "wrong"), WRONG, ids=str)
def test_a_row_that_the_bytes_do_not_hold_breaks_a_claim(table: str, column: str, wrong: object) -> None:
    found, source = analysis_of_one("padded")
    frame = dict(found.tables())[table]
    said = frame.with_columns(pl.lit(wrong, frame.schema[column]).alias(column))
    assert not frame.is_empty()
    assert list(claims.not_held(replace(found, **{table: said}), source))


@pytest.mark.parametrize("log", ["no header", "truncated_Q6_K", "out of memory"])
def test_a_good_end_without_evidence_breaks_a_claim(log: str) -> None:
    found, (source,) = claims.analysed([material.LOGS[log].encode().partition(b"Prompt executed")[0]])
    for table in ("runs", "prompts"):
        said = dict(found.tables())[table].with_columns(pl.lit("completed").alias("status"))
        assert list(claims.not_held(replace(found, **{table: said}), source)), table


def test_shrinking_keeps_what_breaks_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "broken", lambda logs: [["claim"] if b"got" in log else [] for log in logs])
    assert shrink.shrunk(material.LOGS["padded"].encode()) == b"got"
