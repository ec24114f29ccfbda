"""Two runs side by side on the page of a comparison."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import attacks
import logtext as log
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.comparison.model import RunSet
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report.comparison.runs import MOST_PAIRS, run_pairs
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes


def side(name: str, text: str) -> RunSet:
    return RunSet.of(name, analyze_inputs([from_bytes(f"{name}.log", text.encode())]))


def test_runs_of_one_kind_stand_side_by_side() -> None:
    base, head = side("base", log.prompt(369)), side("head", log.prompt(427))
    (pair,) = run_pairs(base, head, Settings())
    assert pair.title == "base.log:4 and head.log:4"
    assert [figure.title for figure in pair.figures] == [
        "Schedule, base", "Schedule, head", "Step times, base", "Step times, head", "GPU memory, base",
        "GPU memory, head",
    ]  # fmt: skip
    rows = {row[0].text: (row[1].text, row[2].text, row[2].note) for row in pair.table.rows}
    assert rows["Frames without audio"] == ("0", "14", "differs")
    assert rows["Size"] == ("1280×720", "1280×720", "")
    assert "Run" not in rows


def test_of_each_kind_the_latest_runs_are_taken_and_only_some_kinds_drawn() -> None:
    sizes = ("1280x720", "480x832", "832x480", "640x640")
    texts = [log.prompt(369).replace("1280x720", size) for size in sizes]
    base, head = side("base", "".join(texts) + texts[0]), side("head", "".join(texts[::-1]))
    pairs = run_pairs(base, head, Settings())
    assert len(pairs) == MOST_PAIRS
    assert len({pair.title for pair in pairs}) == MOST_PAIRS


def test_runs_of_different_kinds_are_shown_all_the_same() -> None:
    base, head = side("base", log.prompt(369)), side("head", log.prompt(369).replace("1280x720", "480x832"))
    (pair,) = run_pairs(base, head, Settings())
    assert {row[0].text: row[2].note for row in pair.table.rows}["Size"] == "differs"


def test_a_side_from_the_history_has_nothing_to_draw() -> None:
    known = side("base", log.prompt(369))
    assert run_pairs(RunSet("history:x", known.runs, known.figures), known, Settings()) == ()


@pytest.mark.parametrize("attack", ["script", "end of data", "double quote", "terminal", "template", "svg"])
def test_hostile_sides_stay_text(attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = attacks.ATTACKS[attack]
    names = [f"{number}{text.replace('/', '∕')[:60]}.log" for number in (1, 2)]
    for name in names:
        Path(name).write_bytes(attacks.log_of(text) + name.encode())
    CliRunner().invoke(main, ["compare", *(f"./{name}" for name in names), "--html", "x.html", "-q"])
    page = Path("x.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page)
    assert len(re.findall(r"<script\b", page)) <= 2
    assert not re.search(r"<[^<>]*\son\w+=", page)
    ids = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert [name for name, count in ids.items() if count > 1] == []
