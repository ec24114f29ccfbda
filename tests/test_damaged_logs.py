"""Logs cut, spliced, repeated, shuffled and overwritten: no exception, and no figure that makes no sense.

The damage is drawn from fixed seeds, so that a failure comes back.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime

import logtext as log
import pytest

from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report import json_document
from loganalyzer.report.formats import markdown
from loganalyzer.report.page import html
from loganalyzer.report.terminal import summary
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS
from sample_logs import FOLDER

WHOLE = [path.read_bytes() for path in sorted(FOLDER.glob("*.txt"))] + [
    (log.BANNER + log.prompt(427) + log.prompt(60)).encode()
]
SETTINGS = Settings(quantization="Q6_K", price_per_hour=1.0)
ABSURD = [b"0", b"-1", b"99999999999999999999", b"81", b"1e9"]
PREFIXES = [b"[INFO] ", b"w1  | ", b"2025-11-11T10:00:00.123Z ", b"2025-11-11T10:00:00.1Z stderr P "]


def cut(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.choice([1, 20, 500, 10**6]) :]


def repeat(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    end = start + chance.choice([3, 200, 2000])
    return data[:start] + data[start:end] * 3 + data[end:]


def splice(data: bytes, chance: random.Random) -> bytes:
    other, start = chance.choice(WHOLE), chance.randrange(len(data))
    place = chance.randrange(len(other))
    return data[:start] + other[place : place + chance.choice([50, 3000])] + data[start:]


def flip(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + bytes([chance.randrange(256)]) + data[start + 1 :]


def shuffle(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def misprint(data: bytes, chance: random.Random) -> bytes:
    figures = list(re.finditer(rb"\d+", data))
    if not figures:
        return data
    figure = chance.choice(figures)
    return data[: figure.start()] + chance.choice(ABSURD) + data[figure.end() :]


def prefix(data: bytes, chance: random.Random) -> bytes:
    mark = chance.choice(PREFIXES)
    return b"\n".join(mark + line if chance.random() < 0.7 else line for line in data.split(b"\n"))


DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [cut, repeat, splice, flip, shuffle, misprint, prefix]


def damaged(seed: int) -> bytes:
    chance = random.Random(seed)
    data = chance.choice(WHOLE)
    for _ in range(chance.randint(1, 6)):
        data = chance.choice(DAMAGES)(data, chance) or b"\n"
    return data


def assert_makes_sense(found: Analysis) -> None:
    for name, frame in found.tables():
        assert frame.schema == SCHEMAS[name]
    runs, steps, windows = found.runs, found.steps, found.windows
    assert runs["run_id"].n_unique() == runs.height
    assert (runs["end_line"] >= runs["line"]).all()
    assert (steps["duration_s"].drop_nulls() >= 0).all()
    assert (steps["uncertainty_s"].drop_nulls() >= 0).all()
    assert (windows["total_s"].drop_nulls() >= 0).all()
    assert found.findings.select("message", "fix", "observed", "expected").null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_log_raises_nothing_and_gives_tables_that_make_sense(seed: int) -> None:
    assert_makes_sense(analyze_inputs([from_bytes("x.log", damaged(seed))], SETTINGS))


@pytest.mark.parametrize("seed", range(100, 110))
def test_every_output_can_be_written_of_a_damaged_log(seed: int) -> None:
    found = analyze_inputs([from_bytes("x.log", damaged(seed))], SETTINGS)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    inside = json_document.to_json(found, generated_at=moment, version="0")
    assert json.loads(inside)["verdict"] == found.verdict
    assert html.render_page(found, SETTINGS, generated_at=moment, document=inside).rstrip().endswith("</html>")
    assert markdown.render_analysis(found, SETTINGS)
    summary.write(found, io.StringIO(), verbose=True)


@pytest.mark.parametrize("end", range(0, 4000, 160))
def test_a_log_cut_anywhere_before_its_report_is_never_completed(end: int) -> None:
    data = (log.BANNER + log.prompt(369)).encode()
    runs = analyze_inputs([from_bytes("x.log", data[: min(end, data.index(b"Allocated memory"))])]).runs
    assert set(runs["status"]) <= {"truncated"}


def test_several_logs_in_one_call_say_what_each_says_alone() -> None:
    sources = [from_bytes(f"{seed}.log", damaged(seed)) for seed in range(200, 212)]
    together = analyze_inputs(sources, SETTINGS)
    for source in sources:
        alone = analyze_inputs([source], SETTINGS)
        ours = together.runs.filter(together.runs["source"] == source.name)
        assert ours.equals(alone.runs)
        mine = set(alone.runs["run_id"])
        for name in ("windows", "steps", "paddings", "memory"):
            frame = dict(together.tables())[name]
            own = dict(alone.tables())[name]
            assert frame.filter(frame["run_id"].is_in(mine)).equals(own.filter(own["run_id"].is_not_null()))
