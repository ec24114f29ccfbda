"""Every step of `assemble` gives the stage frame the declared columns, whatever the log has."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import logtext as log
import nativelogs
import polars as pl
import programlogs
import pytest

from loganalyzer.runs import described, outcome, planned, servers, stage_schema, stages

STEPS: list[tuple[ModuleType, str, stage_schema.Columns]] = [
    (stages, "find_stages", stage_schema.FOUND),
    (described, "describe_stages", stage_schema.DESCRIBED),
    (planned, "with_schedule", stage_schema.SCHEDULED),
    (outcome, "with_outcomes", stage_schema.ENDED),
    (servers, "with_environment", stage_schema.COMPLETE),
]
LOGS = {
    "wrapper": log.BANNER + log.prompt(427),
    "no server start": log.prompt(153),
    "no run": "nothing of interest\n",
    "cut": log.prompt(427)[:900],
    "only bars": log.window(0, 81) + log.window(72, 153),
    "core": nativelogs.prompt(72, 144),
    "loop": nativelogs.looped(9.0, 225, 0, 72),
    "lightx2v": programlogs.lightx2v(153, 2),
    "meigen": programlogs.meigen(2),
    "wan2gp": programlogs.wan2gp_loads() + programlogs.bare_bar(),
}


@pytest.mark.parametrize("text", LOGS.values(), ids=LOGS)
def test_each_step_adds_the_declared_columns(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, pl.Schema] = {}
    for module, name, _ in STEPS:
        step = getattr(module, name)

        def observed(*given: Any, name: str = name, step: Callable[..., pl.DataFrame] = step) -> pl.DataFrame:
            frame = step(*given)
            seen[name] = frame.schema
            return frame

        monkeypatch.setattr(module, name, observed)
    log.analyze(text)
    for _, name, declared in STEPS:
        assert dict(seen[name]) == declared, name
