"""An analysis in bounded memory says what an analysis of everything at once says, volume by volume."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner

from loganalyzer import pipeline
from loganalyzer.checks.ignoring import drop_ignored
from loganalyzer.cli.group import main
from loganalyzer.common.errors import LogAnalyzerError, ReportError
from loganalyzer.common.version import __version__
from loganalyzer.engine import incremental
from loganalyzer.pipeline import analyze
from loganalyzer.report.formats.interface import Result
from loganalyzer.report.formats.json_file import JsonDocument
from loganalyzer.report.formats.junit import render_junit
from loganalyzer.report.formats.junit_file import JunitDocument
from loganalyzer.report.formats.parquet import Parquet
from loganalyzer.report.formats.table_files import TableFiles
from loganalyzer.report.json_document import to_json
from loganalyzer.settings.ignores import Ignore
from loganalyzer.settings.model import FailOn, Settings
from loganalyzer.sources import chunks
from loganalyzer.tables import worst_runs
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS
from loganalyzer.tables.spool import Spool, load_table

SAMPLES = Path(__file__).parent.parent / "sample_logs"
SETTINGS = Settings()
FAILING = log.ARRIVAL + log.run(369) + "!!! Exception during processing !!! Sizes must match\n" + log.EXECUTED
FAILING_SOON = log.ARRIVAL + "!!! Exception during processing !!! Sizes must match\n" + log.EXECUTED
GROWING = (
    log.ARRIVAL
    + "".join(
        log.header(369, 6) + log.window(72 * k, 72 * k + 81) + log.memory(14 + k / 10, 16 + k / 10) for k in range(5)
    )
    + log.EXECUTED
)


def of_prompts(*peaks: float) -> str:
    """A prompt for each peak."""
    return "".join(log.prompt(153).replace("max_memory=15.000", f"max_memory={peak:.3f}") for peak in peaks)


def two_workers(text: str) -> str:
    """The lines of two containers by turns."""
    lines = text.split("\n")
    return "".join(f"{name}  | {line}\n" for line in lines for name in ("worker-1", "worker-2"))


LOGS = {
    "clean": log.BANNER + log.prompt(369) * 5,
    "padded": log.BANNER + (log.prompt(427) + log.prompt(369)) * 3,
    "failing": log.BANNER + log.prompt(369) + FAILING + log.prompt(153) + FAILING + log.prompt(369),
    "growing from prompt to prompt": log.BANNER + of_prompts(14.0, 14.1, 14.2, 14.3, 14.4, 14.5),
    "the same peak twice": log.BANNER + of_prompts(14.0, 14.0, 14.2, 14.2, 14.2, 14.4),
    "growing inside": log.BANNER + log.prompt(369) + GROWING + log.prompt(369),
    "two workers": two_workers(log.BANNER + log.prompt(369) + FAILING + log.prompt(427)),
    "two workers out of step": log.side_by_side(log.BANNER + log.prompt(369) * 3, log.BANNER + FAILING_SOON * 9),
    "secrets": log.BANNER + log.prompt(369) + FAILING.replace("Sizes", "/home/alice/x.py hf_" + "a" * 34) * 3,
    "near misses": log.BANNER
    + log.prompt(369)
    + "Sampling 250 frames in four windows, at 1280x720\n" * 3
    + log.prompt(369),
    "near misses on padding": log.BANNER
    + log.prompt(369)
    + "no encoded silence found\n[InfiniteTalk] Audio duration (427 frames) is shorter than (441)\n" * 2
    + log.prompt(427) * 2,
    "no bars": log.BANNER + (log.ARRIVAL + log.header(369, 6) + log.EXECUTED) * 4 + log.prompt(153),
    "cut off": (log.BANNER + log.prompt(369) * 4)[:-300],
    "nothing": "nothing of ours\n" * 20,
}


@pytest.fixture(autouse=True)
def _small_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records become tables as soon as a prompt is complete, and a few lines are a piece."""
    monkeypatch.setattr(incremental, "FLUSH_RECORDS", 1)
    monkeypatch.setattr(chunks, "HEAD_BYTES", 64)
    monkeypatch.setattr("loganalyzer.engine.read._MAX_GATHERED", 1)


@pytest.fixture(params=sorted(LOGS), ids=lambda name: str(name).replace(" ", "-"))
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    path = tmp_path / "test.log"
    path.write_text(LOGS[request.param], encoding="utf-8")
    return [str(path)]


class Parts:
    """What a sink was given, put together."""

    def __init__(self) -> None:
        self.held: list[Analysis] = []

    def add(self, part: Analysis) -> None:
        self.held.append(part)

    def table(self, name: str) -> pl.DataFrame:
        return pl.concat([getattr(part, name) for part in self.held])


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(pl.all(), nulls_last=True)


def run(paths: list[str], ignores: tuple[Ignore, ...] = (), room: int = 0) -> tuple[Analysis, Parts]:
    parts = Parts()
    return pipeline.analyze_volumes(paths, SETTINGS, ignores, parts, None, room), parts


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = pipeline.tabulate_volumes
    monkeypatch.setattr(pipeline, "tabulate_volumes", lambda *given, **more: usual(*given, **more, chunk_bytes=700))


def test_every_row_of_every_table_is_in_one_volume(logs: list[str]) -> None:
    whole = analyze(logs, SETTINGS)
    _, parts = run(logs)
    for name in SCHEMAS:
        assert ordered(parts.table(name)).equals(ordered(getattr(whole, name))), name


def test_totals_and_verdict_are_those_of_the_whole(logs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loganalyzer.checks.volumes.MAX_RUNS", 2)
    whole = analyze(logs, SETTINGS)
    part, _ = run(logs)
    assert part.verdict == whole.verdict
    assert part.runs.height == min(2, whole.runs.height) or part.counted is None
    for name in ("inputs", "runs", "completed", "touched"):
        assert getattr(part.totals, name) == getattr(whole.totals, name), name
    for name in ("findings", "not_checked"):
        assert ordered(getattr(part.totals, name)).equals(ordered(getattr(whole.totals, name))), name


def test_what_is_held_is_the_gravest_of_the_whole(logs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loganalyzer.checks.volumes.MAX_RUNS", 2)
    whole = worst_runs.select_worst_runs(analyze(logs, SETTINGS), 2)
    part, _ = run(logs)
    own = [name for name in SCHEMAS if name not in ("excerpts", "findings", "masked", "memory", "prompts", "loras")]
    for name in own if part.counted else ():
        assert ordered(getattr(part, name)).equals(ordered(getattr(whole, name))), name


def test_what_has_room_in_memory_is_one_part_with_every_row(logs: list[str]) -> None:
    whole = analyze(logs, SETTINGS)
    part, parts = run(logs, room=1 << 30)
    assert part.counted is None
    assert len(parts.held) == 1
    for name, frame in whole.tables():
        assert getattr(part, name).equals(frame), name


def test_samples_are_the_same_in_volumes() -> None:
    whole = analyze([str(SAMPLES)], SETTINGS)
    part, parts = run([str(SAMPLES)])
    assert len(parts.held) > 2
    assert part.totals.findings["count"].sum() == whole.findings.height
    for name in SCHEMAS:
        assert ordered(parts.table(name)).equals(ordered(getattr(whole, name))), name


def test_a_line_that_an_input_and_a_run_in_another_volume_are_about_is_given_once(tmp_path: Path) -> None:
    one_line = b"\xff " + log.prompt(427).replace("\n", "\r").encode() + b"\n"
    for name, text in (("a.log", log.prompt(369).encode() * 8), ("b.log", one_line + log.prompt(153).encode() * 8)):
        (tmp_path / name).write_bytes(text)
    whole = analyze([str(tmp_path)], SETTINGS)
    _, parts = run([str(tmp_path)])
    at_line_1 = whole.findings.filter(pl.col("source").str.ends_with("b.log") & (pl.col("line") == 1))
    assert at_line_1["run_id"].is_null().n_unique() == 2
    assert ordered(parts.table("excerpts")).equals(ordered(whole.excerpts))


@pytest.fixture
def failing(tmp_path: Path) -> list[str]:
    path = tmp_path / "test.log"
    path.write_text(LOGS["failing"], encoding="utf-8")
    return [str(path)]


@pytest.mark.parametrize("until", [date(2999, 1, 1), date(2020, 1, 1)], ids=["still-ignored", "over"])
def test_ignored_findings_are_counted_once_for_all_volumes(failing: list[str], until: date) -> None:
    entry = Ignore(rule="RUN001", reason="known", until=until, contains="", path=Path("x.toml"), line=3)
    whole = drop_ignored(analyze(failing, SETTINGS), [entry], SETTINGS)
    part, parts = run(failing, (entry,))
    assert part.notes == whole.notes
    assert ordered(part.totals.findings).equals(ordered(whole.totals.findings))
    assert ordered(parts.table("findings")).equals(ordered(whole.findings))


def test_a_run_whose_other_findings_are_ignored_counts_as_touched(tmp_path: Path) -> None:
    """MEM005 looks at all volumes together, and finds fault with a run of which only ignored findings were told."""
    path = tmp_path / "test.log"
    text = "".join(log.prompt(427).replace("max_memory=15.000", f"max_memory=14.{k}00") for k in range(6))
    path.write_text(log.BANNER + text, encoding="utf-8")
    found = analyze([str(path)], SETTINGS)
    entries = tuple(
        Ignore(rule=rule, reason="known", until=date(2999, 1, 1), contains="", path=Path("x.toml"), line=3)
        for rule in set(found.findings["rule"]) - {"MEM005"}
    )
    whole = drop_ignored(found, entries, SETTINGS)
    part, _ = run([str(path)], entries)
    assert whole.totals.touched == 1
    assert part.totals.touched == 1
    assert part.counted is not None


def test_twins_and_unreadable_inputs_are_told_as_ever(failing: list[str], tmp_path: Path) -> None:
    twin = tmp_path / "twin.log"
    twin.write_bytes(Path(failing[0]).read_bytes())
    paths = [*failing, str(twin), str(tmp_path / "none.log")]
    whole, (part, parts) = analyze(paths, SETTINGS), run(paths)
    assert part.problems == whole.problems
    assert part.notes == whole.notes
    assert parts.table("runs").height == whole.runs.height


def test_the_command_writes_all_rows_and_says_how_many_there_are(failing: list[str], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("loganalyzer.checks.volumes.MAX_RUNS", 2)
        usual = pipeline.analyze_volumes
        patched.setattr(pipeline, "analyze_volumes", lambda *given, **more: usual(*given, **more, room=0))
        tables, page = tmp_path / "tables", tmp_path / "page.html"
        result = CliRunner().invoke(main, [*failing, "--tables", str(tables), "--html", str(page)])
    assert result.exit_code == 1
    assert "5 runs in 1 file" in result.stdout
    assert "and 3 more runs" in result.stdout
    whole = analyze(failing, SETTINGS)
    assert sorted(path.name for path in tables.iterdir()) == sorted(f"{name}.parquet" for name in SCHEMAS)
    for name, frame in whole.tables():
        assert ordered(pl.read_parquet(tables / f"{name}.parquet")).equals(ordered(frame)), name
    assert "This page shows the 2 worst of 5 runs" in page.read_text(encoding="utf-8")


MOMENT = datetime(2026, 1, 2, 3, 4, 5)


def test_the_document_of_volumes_has_what_that_of_the_whole_has(logs: list[str]) -> None:
    with Spool(0) as spool:
        file = JsonDocument(spool)
        part = pipeline.analyze_volumes(logs, SETTINGS, (), file, None, 0)
        told = json.loads("".join(file.finish(Result(part, SETTINGS, MOMENT))))
    whole = analyze(logs, SETTINGS)
    wanted = json.loads(to_json(whole, generated_at=MOMENT, version=__version__, settings=SETTINGS))
    assert list(told) == list(wanted)
    for name, member in wanted.items():
        found = told[name]
        assert (sorted(found, key=str) == sorted(member, key=str)) if name in SCHEMAS else (found == member), name
    assert [row["severity"] for row in told["findings"]] == [row["severity"] for row in wanted["findings"]]


def test_what_has_room_is_the_document_of_the_whole(failing: list[str]) -> None:
    with Spool(0) as spool:
        file = JsonDocument(spool)
        whole = pipeline.analyze_volumes(failing, SETTINGS, (), file)
        text = "".join(file.finish(Result(whole, SETTINGS, MOMENT)))
    assert text == to_json(whole, generated_at=MOMENT, version=__version__, settings=SETTINGS)


def cases(text: str) -> dict[str, list[str]]:
    """Each suite's name, and what it says."""
    root = ET.fromstring(text)
    told = {suite.get("name", ""): sorted(ET.tostring(case, encoding="unicode") for case in suite) for suite in root}
    return {**told, "": [str(root.attrib)]}


def test_documents_of_few_runs_need_no_temporary_file(
    failing: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("loganalyzer.tables.spool.TemporaryFile", none)
    result = CliRunner().invoke(main, [*failing, "--no-html", "-q", "--json", str(tmp_path / "x.json"), "--junit", "-"])
    assert result.exit_code == 1
    assert len(cases(result.stdout)) > 5


@pytest.mark.parametrize("fail_on", ["error", "warning", "never"])
def test_the_cases_of_volumes_are_those_of_the_whole(logs: list[str], fail_on: FailOn) -> None:
    with Spool(0) as spool:
        file = JunitDocument(spool)
        part = pipeline.analyze_volumes(logs, SETTINGS, (), file, None, 0)
        told = "".join(file.finish(Result(part, SETTINGS, MOMENT, fail_on)))
    whole = analyze(logs, SETTINGS)
    assert cases(told) == cases(render_junit(whole, SETTINGS, fail_on))
    assert len(told) == len(render_junit(whole, SETTINGS, fail_on))


def test_a_rule_that_holds_runs_of_all_volumes_together_fails_the_case_of_its_run(tmp_path: Path) -> None:
    path = tmp_path / "test.log"
    path.write_text(LOGS["growing from prompt to prompt"], encoding="utf-8")
    with Spool(0) as spool:
        file = JunitDocument(spool)
        part = pipeline.analyze_volumes([str(path)], SETTINGS, (), file, None, 0)
        root = ET.fromstring("".join(file.finish(Result(part, SETTINGS, MOMENT, "warning"))))
    failed = [case.get("name") for suite in root for case in suite if case.find("failure") is not None]
    assert "MEM005 memory-growth" in failed


def test_the_command_writes_documents_of_all_rows(failing: list[str], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("loganalyzer.checks.volumes.MAX_RUNS", 2)
        usual = pipeline.analyze_volumes
        patched.setattr(pipeline, "analyze_volumes", lambda *given, **more: usual(*given, **more, room=0))
        page = str(tmp_path / "page.html")
        result = CliRunner().invoke(main, [*failing, "--json", "-", "--junit", str(tmp_path / "x.xml"), "--html", page])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert len(told["runs"]) == 5
    assert "totals" not in told
    *of_runs, _ = ET.parse(tmp_path / "x.xml").getroot().findall("testsuite")
    assert len(of_runs) == 5


def test_a_document_that_cannot_be_written_costs_the_other_outputs_nothing(failing: list[str], tmp_path: Path) -> None:
    bad, page = str(tmp_path / "none" / "x.json"), tmp_path / "page.html"
    tables = tmp_path / "tables"
    result = CliRunner().invoke(main, [*failing, "--json", bad, "--tables", str(tables), "--html", str(page)])
    assert result.exit_code == 2
    assert f"{bad}: cannot be written" in result.stderr
    assert pl.read_parquet(tables / "runs.parquet").height == 5
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_standard_output_comes_last_so_that_a_reader_may_stop(failing: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    command = [sys.executable, "-m", "loganalyzer", *failing, "--json", "-", "--html", str(page)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.communicate(timeout=300)
    assert page.exists()


def test_tables_of_a_call_that_fails_leave_those_of_the_call_before(tmp_path: Path) -> None:
    first = analyze([str(SAMPLES / "clean_Q6_K.txt")], SETTINGS)
    with TableFiles(tmp_path, Parquet()) as files:
        files.add(first)

    def fails() -> Iterator[None]:
        with TableFiles(tmp_path, Parquet()) as files:
            files.add(replace(first, runs=first.runs.clear()))
            yield

    broken = fails()
    next(broken)
    with pytest.raises(RuntimeError):
        broken.throw(RuntimeError("stopped"))
    assert pl.read_parquet(tmp_path / "runs.parquet").equals(first.runs)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".parts")]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot write"), TableFiles(tmp_path / "file", Parquet()) as files:
        files.add(Analysis())


@pytest.mark.parametrize("room", [0, 10, 1 << 20])
def test_a_spool_gives_back_what_it_was_given(room: int) -> None:
    frames = {"a": pl.DataFrame({"x": [1, None], "y": ["ä", None]}), "b": pl.DataFrame({"z": [1.5]})}
    with Spool(room) as spool:
        kept = [spool.keep(bytes([number]) * number) for number in range(50)]
        stored = spool.tables(frames)
        assert [one.read() for one in kept] == [bytes([number]) * number for number in range(50)]
        assert all(load_table(stored[name]).equals(frame) for name, frame in frames.items())


def test_a_spool_without_a_place_says_how_to_name_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("loganalyzer.tables.spool.TemporaryFile", none)
    with pytest.raises(LogAnalyzerError, match=r"No space left(.|\n)*TMPDIR"):
        Spool(0).keep(b"x")
