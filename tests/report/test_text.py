"""The summary says the same in a file, where it is laid out here, as on a terminal, whose library lays it out."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import logtext as log
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report.terminal import rendering, summary
from loganalyzer.report.terminal.layout import Block, Grid, Line, plain
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

WORDS = st.text("ab –é…", min_size=1, max_size=90).map(str.strip).filter(bool)
CELLS = st.text("ab –é…0", max_size=9).map(str.strip)
NAMES = ("run", "frames", "total")


def drawn(blocks: list[Block], width: int) -> str:
    """What the terminal's library makes of them for a file of so many columns."""
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, highlight=False, markup=False, emoji=False)
    rendering.draw(blocks, console)
    return out.getvalue()


@given(WORDS, st.sampled_from([0, 2, 6]), st.sampled_from([10, 17, 30, 120]))
def test_lines_are_broken_where_a_terminal_breaks_them(said: str, indent: int, width: int) -> None:
    blocks: list[Block] = [Line(((said[:3], "bold"), (said[3:], "")), indent), Line()]
    assert plain(blocks, width) == drawn(blocks, width)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=4))
def test_grids_are_set_as_a_terminal_sets_them(rows: list[tuple[str, str, str]]) -> None:
    grid = Grid(NAMES, NAMES[:1], tuple([(cell, "red") for cell in row] for row in rows))
    assert plain([grid], 120) == drawn([grid], 120)


@pytest.mark.parametrize("said", ["日本語", "e\u0301", "\u200b", "🎬"])
def test_what_only_a_terminal_can_measure_is_left_to_its_library(said: str) -> None:
    assert plain([Line(((said, ""),))], 120) is None
    assert plain([Grid(("run",), ("run",), ([(said, "")],))], 120) is None


def test_a_grid_that_is_too_wide_is_left_to_the_terminals_library() -> None:
    assert plain([Grid(("run",), ("run",), ([("a" * 119, "")],))], 120) is None


def _analysis(name: str = "a.log") -> Analysis:
    return analyze_inputs([from_bytes(name, (log.BANNER + log.prompt(427) + log.prompt(441)).encode())])


@pytest.mark.parametrize("verbose", [False, True])
def test_a_summary_is_the_same_in_a_file_whoever_lays_it_out(verbose: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    summary.write(_analysis(), first, verbose=verbose)
    monkeypatch.setattr(summary, "plain", lambda blocks, width: None)
    summary.write(_analysis(), second, verbose=verbose)
    assert first.getvalue() == second.getvalue()
    assert "AUD001" in first.getvalue()


def test_a_summary_of_names_that_only_a_terminal_can_measure_is_written_all_the_same() -> None:
    out = io.StringIO()
    summary.write(_analysis("会議.log"), out)
    assert "会議.log" in out.getvalue()


def test_what_counts_as_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = io.StringIO()
    summary.write(_analysis(), out)
    assert "\x1b[" in out.getvalue()


def test_a_summary_in_a_file_does_not_wait_for_the_terminals_library(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text(log.BANNER + log.prompt(427))
    code = (
        "import sys; from loganalyzer.cli.group import main\n"
        "try: main()\n"
        "except SystemExit: sys.exit('rich' in sys.modules)"
    )
    call = [sys.executable, "-c", code, str(file), "--no-html"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "AUD001" in done.stdout


def test_what_a_summary_leaves_out_is_said_in_one_line_and_by_whom_it_is_told(
    many_runs: Callable[[int], Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    summary.write(many_runs(40), out)
    assert "  … and 10 more runs: see the report" in map(str.rstrip, out.getvalue().splitlines())
    monkeypatch.setattr(summary.worst_runs, "MAX_RUNS", 35)
    summary.write(many_runs(40), out)
    said = "  … and 10 more runs: the report has the gravest 35, --json and --tables have all"
    assert said in map(str.rstrip, out.getvalue().splitlines())
