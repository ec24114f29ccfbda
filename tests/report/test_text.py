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
from rich.cells import cell_len
from rich.console import Console

from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report.terminal import rendering, run_grid, summary
from loganalyzer.report.terminal.layout import EXTRA, Block, Column, Grid, Line, plain, rows, shortened
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

WORDS = st.text("ab –é…", min_size=1, max_size=90).map(str.strip).filter(bool)
WIDE = st.text("ab –é…日本\u0301🎬", min_size=1, max_size=60).map(str.strip).filter(bool)
CELLS = st.text("ab –é…0", max_size=9).map(str.strip)
COLUMNS = (
    Column("run", left=True, cut="middle", least=4),
    Column("cause", left=True, cut="end", least=5),
    Column("frames", rank=1),
    Column("total", rank=EXTRA),
)
NAMES = Grid((Column("run", left=True),), ())


def drawn(blocks: list[Block], width: int) -> str:
    """What the terminal's library makes of them for a file of so many columns."""
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, highlight=False, markup=False, emoji=False)
    rendering.draw(blocks, console)
    return out.getvalue()


@given(WORDS, st.sampled_from([0, 2, 6]), st.sampled_from([0, 2]), st.sampled_from([0, 1, 2]), st.integers(8, 120))
def test_lines_are_the_same_in_a_file_and_on_a_terminal(
    said: str, indent: int, hang: int, most: int, width: int
) -> None:
    blocks: list[Block] = [Line(((said[:3], "bold"), (said[3:], "")), indent, hang, most), Line()]
    assert plain(blocks, width) == drawn(blocks, width)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=4), st.integers(20, 120))
def test_grids_are_the_same_in_a_file_and_on_a_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    grid = Grid(COLUMNS, tuple([(cell, "red") for cell in row] for row in rows))
    assert plain([grid], width) == drawn([grid], width)


@given(WIDE, st.integers(2, 40), st.sampled_from([0, 2, 50]), st.booleans())
def test_no_row_is_wider_than_the_terminal_whatever_stands_in_it(
    said: str, width: int, indent: int, is_whole: bool
) -> None:
    cells = [(said, ""), (said, ""), ("1", ""), ("2", "")]
    blocks = [Line(((said, ""),), indent, 2, 0, is_whole), Grid(COLUMNS, (cells,), indent=0)]
    limit = max(width, 12)
    assert all(sum(cell_len(text) for text, _ in row) <= limit for row in rows(blocks, limit, cell_len))


def _row(text: str, width: int) -> str:
    cells = [(text, ""), ("too slow", ""), ("369", ""), ("9 s", "")]
    return (plain([Grid(COLUMNS, (cells,), indent=0)], width) or "").splitlines()[1]


def test_columns_are_left_out_by_their_rank_and_names_are_shortened_before_the_important_ones_go() -> None:
    assert _row("night_Q6_K.log:18", 42) == "night_Q6_K.log:18  too slow     369    9 s"
    assert _row("night_Q6_K.log:18", 41) == "night_Q6_K.log:18  too slow     369"
    assert _row("night_Q6_K.log:18", 34) == "night_Q6….log:18  too slow     369"
    assert _row("night_Q6_K.log:18", 16) == "nig…18  too slow"


def test_a_name_is_shortened_in_its_middle_and_words_at_their_end() -> None:
    assert shortened("night_Q6_K.log:18", 17, len, "middle") == "night_Q6_K.log:18"
    assert shortened("night_Q6_K.log:18", 9, len, "middle") == "nigh…g:18"
    assert shortened("much too slow", 8, len, "end") == "much to…"
    assert shortened("ab", 0, len) == ""


def test_a_message_of_more_rows_than_are_shown_ends_in_an_ellipsis() -> None:
    line = Line((("aaa bbb ccc ddd", ""),), most=2)
    assert plain([line], 7) == "aaa bbb\nccc ddd\n"
    assert plain([line._replace(words=(("aaa bbb ccc ddd e", ""),))], 7) == "aaa bbb\nccc dd…\n"


def test_a_command_is_rather_indented_less_than_broken() -> None:
    line = Line((("ffmpeg -i a", ""),), indent=4, keeps_one_row=True)
    assert plain([line], 15) == "    ffmpeg -i a\n"
    assert plain([line], 12) == " ffmpeg -i a\n"
    assert plain([line], 10) == "ffmpeg -i\na\n"


@pytest.mark.parametrize("said", ["日本語", "e\u0301", "\u200b", "🎬"])
def test_what_only_a_terminal_can_measure_is_left_to_its_library(said: str) -> None:
    assert plain([Line(((said, ""),))], 120) is None
    assert plain([NAMES._replace(rows=([(said, "")],))], 120) is None


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
    monkeypatch.setattr(run_grid.worst_runs, "MAX_RUNS", 35)
    summary.write(many_runs(40), out)
    said = "  … and 10 more runs: the report has the 35 most severe, --json and --tables have all"
    assert said in map(str.rstrip, out.getvalue().splitlines())
