"""Whatever a workflow holds, it is checked, or refused with one message."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workflows import API, editor, native, sampler_v2, skyreels

from loganalyzer.common.errors import LogAnalyzerError
from loganalyzer.lint.checker import AudioInput, check
from loganalyzer.lint.document import to_document, to_text
from loganalyzer.lint.fixing import apply_fixes, choose_by
from loganalyzer.settings.model import Settings

JUNK = st.sampled_from(
    [None, True, -1, 0, 10**400, 1e308, float("nan"), "", "\x1b[2J", [], {}, ["5", 0], [5, "a"], {"a": 1}, "0:99", 2.5]
)
DOCUMENTS: list[Any] = [API, editor().document(), sampler_v2(), skyreels(), native(2)]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, item in inner for place in places(item, (*at, key)))]


PLACES = [[place for place in places(document) if place] for document in DOCUMENTS]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A workflow of which some values are other ones."""
    kind = draw(st.integers(0, len(DOCUMENTS) - 1))
    document = copy.deepcopy(DOCUMENTS[kind])
    for place in draw(st.lists(st.sampled_from(PLACES[kind]), min_size=1, max_size=6)):
        holder: Any = document
        try:
            for step in place[:-1]:
                holder = holder[step]
            holder[place[-1]] = copy.deepcopy(draw(JUNK))  # else it could hold itself
        except (LookupError, TypeError):
            continue  # an earlier damage took the place away
    return document


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=damaged(), seconds=st.sampled_from([None, 1.0, 17.084]))
def test_a_damaged_workflow_is_checked_or_refused(document: Any, seconds: float | None, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    refused = ""
    try:
        found = check(path, Settings(), AudioInput((seconds,), "told") if seconds else None)
    except LogAnalyzerError as error:
        refused = str(error)
    if refused:
        assert "talk.json" in refused
        return
    json.dumps(to_document(found))
    assert not any("\x1b" in line for line in to_text(found))
    json.loads(apply_fixes(found, choose_by("shorter")).text)
