"""Patterns made ready: values are read where somebody asks for them, and nothing else depends on that."""

from __future__ import annotations

from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from loganalyzer.engine import read
from loganalyzer.grammar.compiled import compile_all
from loganalyzer.grammar.load import load_shipped
from loganalyzer.runs.vocabulary import EVENTS
from loganalyzer.settings.model import Settings
from loganalyzer.sources import inputs
from sample_logs import FOLDER


def test_values_are_read_of_events_that_are_asked_for_and_of_those_with_several_forms() -> None:
    ready = {item.pattern.id: item for item in compile_all(load_shipped(), {"header"}).compiled}
    forms: dict[str, list[str]] = {}
    for pattern in load_shipped():
        forms.setdefault(pattern.event, []).append(pattern.id)
    for event, ids in forms.items():
        for name in ids:
            assert ready[name].has_values == (event == "header" or len(ids) > 1)
            assert ready[name].has_values or not ready[name].lowered.groups


def test_unless_said_otherwise_all_values_are_read() -> None:
    assert all(item.has_values for item in compile_all(load_shipped()).compiled)


def test_some_events_are_evidence_only() -> None:
    assert {pattern.event for pattern in load_shipped()} - EVENTS


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_the_tables_are_those_of_reading_everything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read.tabulate(inputs.open_input(str(path)), Settings())
    monkeypatch.setattr(read, "EVENTS", frozenset(pattern.event for pattern in load_shipped()))
    every = read.tabulate(inputs.open_input(str(path)), Settings())
    for name, frame in every.frames.items():
        assert_frame_equal(found.frames[name], frame)
