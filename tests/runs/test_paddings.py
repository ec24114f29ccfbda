"""Padding warnings belong to their runs, whatever of a log is lost."""

from __future__ import annotations

import logtext as log
import pytest

ROW = ("subject", "have", "need", "padding", "missing", "context")
PROMPT = log.prompt(427)
REQUEST, LENGTH = log.padding(427, 441).splitlines(keepends=True)


@pytest.mark.parametrize(
    ("begins", "row"),
    [("Audio embedding", (0, 427, 441, 17, 14, 3)), ("Padding length", (None, None, None, 17, 14, 3))],
)
def test_a_warning_above_the_first_bar_of_a_log_that_begins_there_is_that_runs(
    begins: str, row: tuple[int | None, ...]
) -> None:
    found = log.analyze(PROMPT[PROMPT.index(begins) :])
    assert found.paddings.select(ROW).rows() == [row]
    assert found.runs["missing_frames"].to_list() == [14]
    assert "AUD001" in found.findings["rule"].to_list()


@pytest.mark.parametrize("first", ["", REQUEST.replace("not long enough", "too short")])
def test_a_length_alone_tells_what_is_missing(first: str) -> None:
    found = log.analyze(PROMPT.replace(REQUEST, first))
    assert found.paddings.select(ROW).rows() == [(None, None, None, 17, 14, 3)]
    assert found.runs["missing_frames"].to_list() == [14]


def test_of_two_speakers_each_length_belongs_to_its_own_request() -> None:
    second = log.padding(300, 441, 1)
    found = log.analyze(PROMPT.replace(LENGTH, LENGTH + second.splitlines(keepends=True)[1]))
    assert found.paddings.select(ROW).rows() == [(0, 427, 441, 17, 14, 3), (None, None, None, 144, 141, 3)]
    assert found.runs["missing_frames"].to_list() == [141]


def test_a_warning_behind_a_prompts_end_is_not_the_next_runs() -> None:
    found = log.analyze(log.ARRIVAL + log.EXECUTED + REQUEST + LENGTH + PROMPT)
    assert found.paddings.select(ROW).rows() == [(0, 427, 441, 17, 14, 3)]


def test_a_length_of_less_than_the_context_tells_nothing() -> None:
    found = log.analyze(PROMPT.replace(REQUEST + LENGTH, "Padding length: 2\n"))
    assert found.paddings.is_empty()


def test_a_length_behind_the_memory_report_is_not_the_samplings() -> None:
    found = log.analyze(log.prompt(369).replace(log.EXECUTED, "[AudioConcat] Padding length: 40\n" + log.EXECUTED))
    assert found.runs["missing_frames"].to_list() == [0]
