"""Messages of users' patterns become rows of the table `events`: which values, of which run, in logs of any length."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import logtext as log
import polars as pl
import pytest

from loganalyzer.engine import incremental, read
from loganalyzer.pipeline import analyze, analyze_inputs
from loganalyzer.records.listed_values import LONGEST_VALUE
from loganalyzer.report import json_document
from loganalyzer.report.formats import reader
from loganalyzer.report.page.html import render_analysis
from loganalyzer.settings.model import Settings
from loganalyzer.sources import chunks
from loganalyzer.sources.inputs import Input, from_bytes
from loganalyzer.tables.spool import Spool

PATTERNS = Path(__file__).with_name("studio_patterns")
SETTINGS = Settings(patterns=(PATTERNS,))
MOMENT = datetime(2026, 1, 2, 3, 4, 5)
SCORE = "[Studio] clip 12 by ada: lips 0.930 after 01:30\n"
BARE = "[Studio] clip -3 by bob: lips nan\n"
DONE = "[Studio] all done\n"
SECRET = "hf_" + "a1B2" * 9


def events(text: str, settings: Settings = SETTINGS) -> pl.DataFrame:
    return analyze_inputs([from_bytes("studio.log", text.encode())], settings).events


def values(text: str) -> list[tuple[str | None, ...]]:
    return events(text).select("pattern", "field", "value", "number").rows()


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (SCORE, [("line", "12", 12.0), ("text", "ada", None), ("row", "0.930", 0.93), ("took", "01:30", 90.0)]),
        (BARE, [("line", "-3", -3.0), ("text", "bob", None), ("row", "nan", None), ("took", None, None)]),
        (SCORE.replace("12", "9" * 30), [("line", "9" * 30, None)]),
        (DONE, [(None, None, None)]),
        ("[Studio] fast: 3 GB\n", [("mode", "fast", None), ("size", "3 GB", 3.0)]),
        ("[Studio] 50%|##   | 3/6\n", [("n", "3", 3.0)]),
    ],
    ids=["all-fields", "no-optional-field", "a-number-that-does-not-fit", "no-field", "choice-and-size", "bar"],
)
def test_each_field_of_a_message_is_a_row(line: str, wanted: list[tuple[object, ...]]) -> None:
    assert events(line).select("field", "value", "number").rows()[: len(wanted)] == wanted


def test_the_form_with_the_most_values_counts() -> None:
    """Both forms of the event match; the one without a name comes first in the file."""
    assert values("[Studio] saved as a.mp4 for ada\n") == [
        ("studio-saved-for", "name", "a.mp4", None),
        ("studio-saved-for", "who", "ada", None),
    ]
    assert values("[Studio] saved as a.mp4\n") == [("studio-saved", "name", "a.mp4", None)]


def test_a_pattern_of_an_event_that_the_tool_parses_fills_the_tools_own_tables() -> None:
    found = analyze_inputs([from_bytes("s.log", (log.ARRIVAL + "[Studio] took 80.5 s\n").encode())], SETTINGS)
    assert found.events.is_empty()
    assert found.prompts["duration_s"].to_list() == [80.5]


def test_shipped_patterns_list_nothing() -> None:
    sample = (Path(__file__).parents[2] / "sample_logs" / "clean_Q6_K.txt").read_text(encoding="utf-8")
    with_field_named_values = "Received 6 cfg values, but only 4 steps. Truncating to 4 steps.\n"
    assert events(sample + with_field_named_values * 2).is_empty()


def test_a_message_belongs_to_the_run_whose_lines_contain_it() -> None:
    run = log.header(153, 2) + DONE + log.window(0, 81) + log.window(72, 153)
    found = analyze_inputs(
        [from_bytes("s.log", (log.ARRIVAL + DONE + run.rstrip("\n") + "\r" + DONE * 2 + log.EXECUTED).encode())],
        SETTINGS,
    )
    (name,) = found.runs["run_id"]
    first, last = found.runs.select("line", "end_line").row(0)
    assert found.events.select("line", "run_id").rows() == [
        (first - 1, None), (first + 1, name), (last, name), (last + 1, None),
    ]  # fmt: skip


@pytest.mark.parametrize(("length", "kept"), [(LONGEST_VALUE, LONGEST_VALUE), (LONGEST_VALUE + 1, LONGEST_VALUE - 300)])
def test_a_long_value_is_cut(length: int, kept: int) -> None:
    (value,) = events(f"[Studio] remark: {'x' * length}\n")["value"]
    assert value == "x" * kept


def test_a_secret_in_a_value_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "s.log"
    path.write_text(f"[Studio] remark: sent with {SECRET} to ada@studio.example\n")
    assert SECRET in analyze([str(path)], Settings(patterns=(PATTERNS,), redact=False)).events["value"][0]
    found = analyze([str(path)], SETTINGS)
    assert found.events["value"][0].startswith("sent with ‹huggingface:")
    assert "ada" not in found.events["value"][0]
    assert found.masked["kind"].to_list() == ["email", "huggingface"]


def test_a_json_document_gives_the_rows_back(tmp_path: Path) -> None:
    found = analyze_inputs([from_bytes("s.log", (log.prompt(153) + SCORE + BARE + DONE).encode())], SETTINGS)
    path = tmp_path / "d.json"
    path.write_text(json_document.to_json(found, generated_at=MOMENT, version="0"), encoding="utf-8")
    assert found.events.height == 9
    assert reader.read_analysis(path).events.equals(found.events)


def test_the_report_lists_a_runs_values_and_says_what_it_omits(monkeypatch: pytest.MonkeyPatch) -> None:
    text = log.ARRIVAL + log.header(153, 2) + log.window(0, 81) + SCORE + log.window(72, 153) + SCORE + log.EXECUTED
    found = analyze_inputs([from_bytes("s.log", text.encode())], SETTINGS)
    page = render_analysis(found, SETTINGS, generated_at=MOMENT)
    assert "Events of your patterns" in page
    assert "<td>0.930<" in page
    assert "rows of the table events" not in page
    monkeypatch.setattr(json_document, "MOST_EVENTS", 7)
    assert "has the first 7 of 8 rows of the table events" in render_analysis(found, SETTINGS, generated_at=MOMENT)


def by_turns(text: str) -> str:
    return "".join(f"a  | {line}\nb  | {line}\n" for line in text.split("\n"))


PROMPT = log.prompt(153).replace(log.EXECUTED, SCORE + log.EXECUTED) + BARE
LONG = {
    "prompts": log.BANNER + PROMPT * 5 + DONE,
    "no prompts": (SCORE + DONE) * 9,
    "two containers": by_turns(log.BANNER + PROMPT * 4),
    "a container without runs": "".join(f"a  | {DONE}b  | {line}\n" for line in (PROMPT * 6).split("\n")),
    "bars": "".join(
        DONE.rstrip("\n") + log.window(0, 81) + DONE + log.window(72, 153).rstrip("\n") + "\r" + DONE for _ in range(3)
    ),
}


@pytest.fixture
def _small_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLUSH_RECORDS", "SPLIT_RECORDS"):
        monkeypatch.setattr(incremental, name, 1)
    monkeypatch.setattr(chunks, "HEAD_BYTES", 64)
    monkeypatch.setattr(read, "_MAX_GATHERED", 1)


@pytest.mark.parametrize("name", LONG)
@pytest.mark.usefixtures("_small_volumes")
def test_a_log_that_is_read_in_parts_has_the_same_rows(name: str) -> None:
    def log_once() -> list[Input]:
        return [from_bytes("s.log", LONG[name].encode())]

    wanted = read.tabulate(log_once(), SETTINGS).frames["events"]
    assert wanted.height >= LONG[name].count("[Studio]")
    assert read.tabulate(log_once(), SETTINGS, chunk_bytes=700).frames["events"].equals(wanted)
    with Spool(0) as spool:
        volumes = read.tabulate_volumes(log_once(), SETTINGS, spool, chunk_bytes=700)
        found = pl.concat(part.frames["events"] for part in volumes.parts)
    assert ordered(found).equals(ordered(wanted))


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(pl.all(), nulls_last=True)
