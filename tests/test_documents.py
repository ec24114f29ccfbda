"""What the tool wrote is read back whole; what others wrote is refused in one sentence, or read without harm."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loganalyzer import pipeline
from loganalyzer.cli.group import main
from loganalyzer.common import clock
from loganalyzer.common.errors import SourceError
from loganalyzer.report import json_document
from loganalyzer.report.formats import junit, markdown, reader
from loganalyzer.report.page import html
from loganalyzer.report.terminal import summary
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables import concat
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS
from loganalyzer.ticket import slices

ROOT = Path(__file__).parent.parent
TOLD = Settings(
    fps=24.0, quantization="Q8_0", severities={"SCH004": "error"}, ignore=("MEM006",), baselines=Path("b.toml")
)


@pytest.fixture(scope="module")
def samples() -> Analysis:
    return pipeline.analyze([str(ROOT / "sample_logs")])


@pytest.fixture
def told(samples: Analysis) -> dict[str, Any]:
    """The document of `sample_logs/` as Python sees it, to be mangled."""
    return json.loads(json_document.to_json(samples, generated_at=clock.now(), version="0", settings=TOLD))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str, object], Path]:
    def save(name: str, content: object) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return save


def page(analysis: Analysis, chosen: Settings = TOLD) -> str:
    inside = json_document.to_json(
        json_document.limit_to_embedded(analysis), generated_at=clock.now(), version="0", settings=chosen
    )
    return html.render_page(analysis, chosen, generated_at=clock.now(), document=inside)


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_json_document_gives_every_table_back(samples: Analysis, saved: Callable[..., Path]) -> None:
    path = saved("d.json", json_document.to_json(samples, generated_at=clock.now(), version="0"))
    assert reader.is_document(path)
    back = reader.read_analysis(path)
    for name, frame in samples.tables():
        assert getattr(back, name).equals(frame), name
    assert back.verdict == samples.verdict


def test_a_report_gives_the_same_report_again(
    samples: Analysis, saved: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763793000")
    first = page(samples)
    found = reader.load_document(saved("report.html", first))
    assert found.settings == TOLD
    assert page(found.analysis, found.settings) == first


def test_a_report_saved_by_a_browser_is_read_too(samples: Analysis, saved: Callable[..., Path]) -> None:
    text = page(samples).replace("<!doctype html>", "<!DOCTYPE html>\n<!-- saved from url=(0014)about:internet -->")
    path = saved("Saved.HTM", b"\xef\xbb\xbf" + text.encode())
    assert reader.is_document(path)
    assert reader.read_analysis(path).runs.equals(samples.runs)


def test_the_order_of_keys_does_not_matter(told: dict[str, Any], samples: Analysis, saved: Callable[..., Path]) -> None:
    path = saved("sorted.json", json.dumps(told, sort_keys=True, indent=4))
    assert reader.is_document(path)
    assert reader.read_analysis(path).findings.equals(samples.findings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.log", '{"schema_version": 1}'),
        ("x.json", '{"log": "got prompt\\n", "stream": "stderr"}\n' * 3),
        ("x.json", "[1, 2]"),
        ("x.html", "<!doctype html><title>Sign in</title>"),
        ("x.html", "got prompt\n"),
        ("x.json", b"\xff\xfe\x00"),
    ],
)
def test_other_files_are_logs(name: str, content: object, saved: Callable[..., Path]) -> None:
    assert not reader.is_document(saved(name, content))


@pytest.mark.parametrize("path", ["gone.html", "a\0b.json", "-", "https://example.org/report.html"])
def test_what_is_no_file_is_no_document(path: str) -> None:
    assert not reader.is_document(path)


def test_unknown_members_and_columns_are_ignored_and_missing_ones_null(told: dict[str, Any]) -> None:
    told["mood"] = {"deep": [[[1]]]}
    for run in told["runs"]:
        run["colour"] = "red"
        del run["gpu"]
    del told["loras"]
    back = reader.parse_document(json.dumps(told).encode(), "x").analysis
    assert back.runs["gpu"].null_count() == back.runs.height > 0
    assert "colour" not in back.runs.columns
    assert back.loras.is_empty()


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "text for a number": (lambda d: d["runs"][1].update(width="1280"), "runs[1].width must be a whole number"),
    "truth for a number": (lambda d: d["runs"][0].update(width=True), "runs[0].width must be a whole number"),
    "a fraction": (lambda d: d["runs"][0].update(width=1.5), "runs[0].width"),
    "beyond 64 bits": (lambda d: d["runs"][0].update(width=2**63), "runs[0].width"),
    "number for a text": (lambda d: d["findings"][0].update(message=7), "findings[0].message must be a text"),
    "list for a text": (lambda d: d["findings"][0].update(message=["x"]), "findings[0].message"),
    "number for truth": (lambda d: d["windows"][0].update(matches=1), "windows[0].matches must be true or false"),
    "a text for a list": (lambda d: d["environment"][0].update(custom_nodes="x"), "custom_nodes must be a list of"),
    "a number in a list": (lambda d: d["environment"][0].update(packages=[1]), "packages must be a list of texts"),
    "text for a time": (lambda d: d["prompts"][0].update(started_at="soon"), "prompts[0].started_at must be a time"),
    "a row that is none": (lambda d: d["steps"].insert(2, []), "steps[2] must be an object"),
    "a table that is none": (lambda d: d.update(runs={"0": {}}), "runs must be a list"),
    "problems": (lambda d: d.update(problems=[1]), "problems must be a list of texts"),
    "settings": (lambda d: d.update(settings=[]), "settings must be an object"),
    "a setting": (lambda d: d["settings"].update(fps="25"), "settings.fps must be a number"),
    "a list of settings": (lambda d: d["settings"].update(ignore="MEM006"), "settings.ignore"),
    "a newer version": (lambda d: d.update(schema_version=2), "schema_version is 2"),
    "an odd version": (lambda d: d.update(schema_version=[1]), "schema_version is [1]"),
    "no version": (lambda d: d.pop("schema_version"), "schema_version is missing"),
    "too deep": (lambda d: d.update(x=json.loads("[" * 50 + "]" * 50)), "nested more than 8 levels"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_type_is_one_error_that_names_file_and_member(case: str, told: dict[str, Any]) -> None:
    mangle, said = WRONG[case]
    mangle(told)
    with pytest.raises(SourceError) as error:
        reader.parse_document(json.dumps(told).encode(), "theirs.json")
    assert error.value.message.startswith("theirs.json: ")
    assert said in error.value.message
    assert error.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"schema_version": 1, "x": NaN}', "NaN is not a JSON number"),
        (b'{"schema_version": 1, "runs": [{"audio_s": 1e999}]}', "runs[0].audio_s must be a number"),
        (b'{"schema_version": ' + b"1" * 5000 + b"}", "not valid JSON"),
        (b'{"schema_version": "\xff"}', "not valid JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"schema_version":1,"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b"<!doctype html><meta name=generator content=loganalyzer>", "does not contain a loganalyzer document"),
        (b'<!doctype html><script id="loganalyzer-document">{', "does not contain a loganalyzer document"),
    ],
)
def test_what_is_no_document_is_one_error(text: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=r"^x: ") as error:
        reader.parse_document(text, "x")
    assert said in error.value.message


def test_a_file_beyond_the_limit_is_not_read(saved: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", 1000)
    path = saved("big.json", b'{"schema_version": 1, "x": "' + b"y" * 1000 + b'"}')
    with pytest.raises(SourceError, match="is larger than"):
        reader.load_document(path)


@pytest.mark.parametrize("text", [b"[]," * 1_600_000, b"1," * 8_100_000], ids=["lists", "numbers"])
def test_a_document_that_would_fill_the_memory_is_not_parsed(text: bytes) -> None:
    with pytest.raises(SourceError, match="has too many values"):
        reader.parse_document(b'{"schema_version": 1, "x": [' + text + b"0]}", "x")


def test_a_ticket_is_read_by_the_report_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.log").write_text(log.BANNER + log.prompt(427))
    assert call("ticket", "x.log", "-q").exit_code == 0
    assert reader.is_document("ticket.zip")
    assert reader.read_analysis("ticket.zip").runs["audio_frames"].to_list() == [427]
    assert call("ticket.zip", "--no-html").exit_code == 1


def test_other_archives_are_archives_of_logs(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("x.log", log.prompt(369))
    assert not reader.is_document(path)
    assert pipeline.analyze([str(path)]).runs.height == 1


@pytest.mark.parametrize("cut", [10, 200, 3000])
def test_a_damaged_ticket_is_one_error_or_an_archive_of_logs(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("report.html", "<!doctype html>" + "x" * 5000)
    raw = bytearray(path.read_bytes())
    raw[cut : cut + 40] = b"\xff" * 40
    path.write_bytes(raw)
    found = pipeline.analyze([str(path)])
    assert len(found.problems) == 1
    assert found.verdict == "no-runs"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SPOTS = [
    ("runs", name) for name in ("width", "audio_frames", "status", "total_s", "run_id", "source", "peak_covers", "line")
] + [
    ("windows", name) for name in ("audio_start", "audio_end", "window", "total_s", "expected_start")
] + [
    ("steps", name) for name in ("duration_s", "window", "step", "uncertainty_s")
] + [
    ("findings", name) for name in ("rule", "severity", "source", "line", "run_id")
] + [("memory", "max_allocated_gib"), ("paddings", "missing"), ("excerpts", "line"), ("sources", "source")]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told["runs"].append(dict(told["runs"][0])), "is in several rows of runs"),
        (lambda told: told["prompts"].append(dict(told["prompts"][0])), "is in several rows of prompts"),
        (lambda told: told["findings"].clear(), "verdict is 'fail', but according to its tables it is 'pass'"),
        (lambda told: told.update(verdict="pass"), "verdict is 'pass', but according to its tables it is 'fail'"),
        (lambda told: told.update(complete=True), "complete is True, but according to its tables it is False"),
        (lambda told: told["findings"][0].update(severity="harmless"), "the unknown severity 'harmless'"),
    ],
    ids=["run twice", "prompt twice", "findings removed", "verdict changed", "completeness changed", "new severity"],
)
def test_a_document_that_contradicts_itself_is_refused(
    told: dict[str, Any], change: Callable[[dict[str, Any]], object], message: str
) -> None:
    reader.parse_document(json.dumps(told).encode(), "x")
    change(told)
    with pytest.raises(SourceError, match=re.escape(message)):
        reader.parse_document(json.dumps(told).encode(), "x")


@settings(max_examples=24, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(SPOTS), st.integers(0, 30), VALUES), min_size=1, max_size=4))
def test_a_mangled_document_is_refused_or_makes_a_page(
    told: dict[str, Any], changes: list[tuple[tuple[str, str], int, object]]
) -> None:
    mangled = copy.deepcopy(told)
    for (table, column), place, value in changes:
        rows = mangled[table]
        rows[place % len(rows)][column] = value
    raw = json.dumps(mangled).encode()
    try:
        found = reader.parse_document(raw, "x")
    except SourceError:
        return
    assert "</html>" in page(found.analysis, found.settings or Settings())


FITTING = {
    pl.Int64: st.sampled_from([None, 0, -1, 1, 3, 81, 2**62, -(2**62)]),
    pl.Float64: st.sampled_from([None, 0.0, -1.0, 1e300, -1e300, 1e-300, 5.0]),
    pl.String: st.sampled_from([None, "", "x" * 700, "stage", "error", "a/b", "\x1b[2J", "\ud800"]),
    pl.Boolean: st.sampled_from([None, True, False]),
    pl.List: st.sampled_from([None, [], ["x" * 700], ["a/b", "\x1b[2J"], ["\ud800"]]),
    pl.Datetime: st.sampled_from([None, "2025-01-01T00:00:00", "9999-12-31T23:59:59", "0001-01-01T00:00:00"]),
}
CELLS = [(table, name, dtype.base_type()) for table, schema in SCHEMAS.items() for name, dtype in schema.items()]


@settings(max_examples=24, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.data(), st.lists(st.tuples(st.sampled_from(CELLS), st.booleans(), st.integers(0, 30)), min_size=1, max_size=8)
)
def test_values_of_the_right_type_that_no_log_gives_reach_every_output(
    told: dict[str, Any], data: st.DataObject, changes: list[tuple[tuple[str, str, Any], bool, int]]
) -> None:
    mangled = copy.deepcopy(told)
    for (table, name, dtype), everywhere, place in changes:
        rows = mangled[table]
        value = data.draw(FITTING[dtype])
        for row in rows if everywhere else rows[place : place + 1]:
            row[name] = value
    for said in ("verdict", "complete"):
        del mangled[said]
    try:
        found = reader.parse_document(json.dumps(mangled).encode(), "x").analysis
    except SourceError:  # an unknown severity, or the same id twice
        return
    assert "</html>" in page(found)
    assert markdown.render_analysis(found, TOLD)
    assert junit.render_junit(found, Settings(), "error")
    for verbose in (False, True):
        out = io.StringIO()
        summary.write(found, out, verbose=verbose)
        assert "\x1b" not in out.getvalue()
    assert slices.find_sections(found)


def test_the_command_shows_a_report_again_and_keeps_its_settings(tmp_path: Path) -> None:
    source = tmp_path / "padded.log"
    source.write_text(log.BANNER + log.prompt(427))
    first, second, third = (tmp_path / name for name in ("1.html", "2.html", "3.json"))
    assert call(source, "--html", first, "--fps", "24", "-q").exit_code == 1
    result = call(first, "--html", second, "--json", third, "-q")
    assert result.exit_code == 1
    assert "read back as written" in result.stderr
    again = json.loads(third.read_text())
    assert again["settings"]["fps"] == 24
    assert [run["audio_frames"] for run in again["runs"]] == [427]
    assert reader.read_analysis(second).findings.equals(reader.read_analysis(first).findings)


def test_a_document_that_is_refused_costs_the_others_nothing(tmp_path: Path) -> None:
    source = tmp_path / "clean_Q6_K.log"
    source.write_text(log.BANNER + log.prompt(369))
    broken = tmp_path / "broken.json"
    broken.write_text('{"schema_version": 1, "runs": 7}')
    result = call(source, broken, "--no-html")
    assert result.exit_code == 2
    assert "1 run in 1 file" in result.stdout
    assert "broken.json: runs must be a list of rows" in result.stderr


def one(name: str, frames: int) -> Analysis:
    return pipeline.analyze_inputs([from_bytes(name, log.prompt(frames).encode())])


def test_a_log_and_the_report_of_it_count_once(saved: Callable[..., Path]) -> None:
    source = saved("x.log", log.prompt(427))
    alone = pipeline.analyze([str(source)])
    report = saved("r.html", page(alone))
    both = pipeline.analyze([str(source), str(report)])
    assert both.runs.equals(alone.runs)
    assert both.findings.height == alone.findings.height
    assert any("counted once" in note for note in both.notes)


def test_inputs_called_alike_are_told_apart_by_where_they_came_from() -> None:
    both = concat.concat_analyses([("", one("x.log", 427)), ("old.html", one("x.log", 369))])
    assert both.sources["source"].to_list() == ["x.log", "x.log (old.html)"]
    assert both.runs["source"].to_list() == ["x.log", "x.log (old.html)"]
    assert both.runs["run_id"].n_unique() == 2
    assert set(both.findings["source"]) == {"x.log", "x.log (old.html)"}
