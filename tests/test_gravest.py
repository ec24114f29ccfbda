"""Of many runs a report holds the gravest, and the counts stay those of all."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loganalyzer import pipeline
from loganalyzer.checks.ignoring import drop_ignored
from loganalyzer.common import clock
from loganalyzer.report import json_document
from loganalyzer.report.formats import github, markdown, reader
from loganalyzer.report.page import html
from loganalyzer.report.page.page import build_page
from loganalyzer.report.terminal import summary
from loganalyzer.settings.ignores import Ignore
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables import concat
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.totals import add_totals, count_totals
from loganalyzer.tables.worst_runs import select_worst_runs

SETTINGS = Settings()
FAILING = log.ARRIVAL + log.run(369) + "!!! Exception during processing !!! Sizes must match\n" + log.EXECUTED
KINDS = {"clean": log.prompt(369), "padded": log.prompt(427), "failed": FAILING}


def found(*kinds: str) -> Analysis:
    """One log, a prompt after the other."""
    return log.analyze("".join(KINDS[kind] for kind in kinds))


@pytest.fixture(scope="module")
def mixed() -> Analysis:
    return found("clean", "padded", "clean", "failed", "clean", "clean", "padded", "clean")


def test_the_gravest_runs_are_kept_in_the_order_of_all(mixed: Analysis) -> None:
    part = select_worst_runs(mixed, 3)
    ranks = mixed.findings.filter(pl.col("severity") == "error")["run_id"].to_list()
    assert part.runs.height == 3
    assert set(ranks) & set(mixed.runs["run_id"]) <= set(part.runs["run_id"])
    assert part.runs["line"].is_sorted()
    assert part.runs.equals(mixed.runs.join(part.runs, on="run_id", how="semi", maintain_order="left"))


@pytest.mark.parametrize("table", ["windows", "steps", "paddings", "not_checked"])
def test_of_everything_else_the_rows_of_those_runs_are_kept(mixed: Analysis, table: str) -> None:
    part = select_worst_runs(mixed, 2)
    own = pl.col("run_id").is_in(part.runs["run_id"].implode())
    assert getattr(part, table).equals(getattr(mixed, table).filter(own))


def test_few_runs_are_all_kept(mixed: Analysis) -> None:
    part = select_worst_runs(mixed, 8)
    assert part.counted is None
    assert all(frame.equals(getattr(mixed, name)) for name, frame in part.tables())


@settings(deadline=None)
@given(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6), most=st.integers(1, 6))
def test_counts_and_verdict_stay_those_of_the_whole(kinds: list[str], most: int) -> None:
    whole = found(*kinds)
    part = select_worst_runs(whole, most)
    assert part.verdict == whole.verdict
    assert part.totals.runs == whole.runs.height
    assert part.totals.completed == whole.runs.filter(pl.col("status") == "completed").height
    for name in ("findings", "not_checked"):
        assert getattr(part.totals, name).equals(getattr(whole.totals, name))


def test_of_every_rule_some_findings_are_kept_even_where_none_of_its_runs_is(mixed: Analysis) -> None:
    assert set(select_worst_runs(mixed, 1).findings["rule"]) == set(mixed.findings["rule"])


def test_totals_of_parts_add_up_to_those_of_the_whole() -> None:
    parts = [found("clean", "padded"), log.analyze(FAILING + KINDS["clean"] + "\n")]
    whole = concat.concat_analyses([("a", parts[0]), ("b", replace_source(parts[1]))])
    added = add_totals([part.totals for part in parts])
    assert (added.runs, added.completed, added.touched) == (
        whole.totals.runs,
        whole.totals.completed,
        whole.totals.touched,
    )
    assert added.findings.sort("rule").equals(whole.totals.findings.sort("rule"))


def replace_source(analysis: Analysis) -> Analysis:
    frames = {
        name: frame.with_columns(pl.lit("other.log").alias("source")) if "source" in frame.columns else frame
        for name, frame in analysis.tables()
    }
    return Analysis(**frames, problems=analysis.problems, notes=analysis.notes, counted=None)


@pytest.fixture
def two_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loganalyzer.tables.worst_runs.MAX_RUNS", 2)


@pytest.mark.usefixtures("two_shown")
def test_a_page_of_many_runs_says_so_and_counts_all(mixed: Analysis) -> None:
    page = build_page(json_document.limit_to_page(mixed), SETTINGS, clock.now())
    facts = {pair.term: pair.text for pair in page.overview.counts}
    assert page.overview.notices[0] == "This page shows the 2 worst of 8 runs. The counts include all runs."
    assert page.runs is not None
    assert len(page.runs.rows) == 2
    assert page.runs.rest.startswith("6 more runs")
    assert page.runs.command == "loganalyze LOGS --no-html --tables DIR"
    assert "of 8 runs" in page.overview.headline
    assert facts["runs"] == "8"
    numbers = {group.rule: group.count for group in page.groups}
    for rule, number in mixed.findings["rule"].value_counts().rows():
        assert numbers[rule].split()[0] == str(number)


@pytest.mark.usefixtures("two_shown")
def test_a_page_read_back_tells_the_same_counts(mixed: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(html.render_analysis(mixed, SETTINGS, generated_at=clock.now()), encoding="utf-8")
    back = reader.read_analysis(path)
    assert back.runs.height == 2
    assert back.verdict == mixed.verdict
    assert back.totals.runs == 8
    assert back.totals.touched == mixed.totals.touched
    assert back.totals.findings.equals(mixed.totals.findings)
    assert back.totals.not_checked.equals(mixed.totals.not_checked)
    assert any("this page shows the 2 worst of 8 runs" in note for note in back.notes)
    again = build_page(back, SETTINGS, clock.now())
    assert again.overview.headline == build_page(mixed, SETTINGS, clock.now()).overview.headline


@pytest.mark.usefixtures("two_shown")
def test_a_page_read_back_counts_with_logs_beside_it(mixed: Analysis, tmp_path: Path) -> None:
    path, other = tmp_path / "page.html", tmp_path / "other.log"
    path.write_text(html.render_analysis(mixed, SETTINGS, generated_at=clock.now()), encoding="utf-8")
    other.write_text(KINDS["clean"], encoding="utf-8")
    both = pipeline.analyze([str(path), str(other)])
    assert both.totals.runs == 9


def test_rules_left_out_are_left_out_of_the_counts(mixed: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    part = select_worst_runs(mixed, 2)
    path.write_text(json_document.to_json(part, generated_at=clock.now(), version="0"), encoding="utf-8")
    rule = mixed.findings["rule"][0]
    assert rule not in pipeline.analyze([str(path)], replace(SETTINGS, ignore=(rule,))).totals.findings["rule"]


def test_findings_ignored_for_a_while_are_taken_off_the_counts(mixed: Analysis) -> None:
    part = select_worst_runs(mixed, 2)
    rule = part.findings["rule"][0]
    entry = Ignore(rule=rule, reason="known", until=date(2999, 1, 1), contains="", path=Path("x.toml"), line=1)
    left = drop_ignored(part, [entry], SETTINGS)
    gone = part.findings.height - left.findings.height
    assert gone > 0
    assert left.totals.rule(rule) == part.totals.rule(rule) - gone


@pytest.mark.parametrize(
    "totals",
    [
        [],
        "many",
        {"runs": "x"},
        {"runs": 2**70},
        {"findings": {}},
        {"findings": [{"rule": 1}]},
        {"not_checked": [{"count": "x"}]},
    ],
)
def test_totals_of_strangers_are_refused_where_they_are_none(totals: object, tmp_path: Path) -> None:
    told = json.loads(json_document.to_json(found("clean"), generated_at=clock.now(), version="0")) | {"totals": totals}
    path = tmp_path / "d.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(reader.SourceError, match="totals"):
        reader.read_analysis(path)


def test_impossible_counts_of_strangers_are_bounded(tmp_path: Path) -> None:
    totals = {"runs": -5, "completed": 2**62, "findings": [{"rule": "X", "severity": "error", "count": 2**62}] * 3}
    told = json.loads(json_document.to_json(found("clean"), generated_at=clock.now(), version="0")) | {"totals": totals}
    path = tmp_path / "d.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    back = reader.read_analysis(path)
    assert back.totals.runs == 0
    assert back.totals.rule("X") > 0
    build_page(back, SETTINGS, clock.now())


def test_all_other_outputs_count_all(mixed: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    part = select_worst_runs(mixed, 1)
    said = markdown.render_analysis(part, SETTINGS)
    assert "of 8 runs" in said
    assert "7 more runs are in the report" in said
    summary.write(part, sys.stdout)
    shown = capsys.readouterr().out
    assert "8 runs in 1 file" in shown
    assert "and 7 more runs" in shown
    many = replace(
        part, counted=add_totals([count_totals(mixed.sources, mixed.runs, mixed.findings, mixed.not_checked)] * 20)
    )
    assert any("See the report." in line for line in github.analysis_annotations(many))


def test_of_thousands_of_other_prompts_those_that_did_not_complete_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loganalyzer.tables.worst_runs.MAX_PROMPTS", 3)
    image = log.ARRIVAL + "Requested to load Flux\n" + log.EXECUTED
    lost = log.ARRIVAL + "Requested to load Flux\n!!! Exception during processing !!! x\n" + log.EXECUTED
    whole = pipeline.analyze_inputs([from_bytes("x.log", (KINDS["clean"] + image * 4 + lost).encode())], SETTINGS)
    part = select_worst_runs(whole, 5)
    assert whole.prompts.height == 6
    assert sorted(part.prompts["status"]) == ["completed", "failed"]
