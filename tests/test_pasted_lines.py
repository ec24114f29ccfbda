"""Lines as consoles, web pages and rotation leave them: read where that is possible, refused with the way out else."""

from __future__ import annotations

import html
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner

from loganalyzer.checks.rotation import next_file
from loganalyzer.cli.group import main
from loganalyzer.settings.model import Settings
from loganalyzer.sources.exports.order import MIN_STAMPS, is_newest_first
from loganalyzer.tables import notes

Q6 = Settings(quantization="Q6_K")
WHOLE = log.BANNER + log.prompt(427)


def facts(text: str) -> tuple[object, ...]:
    found = log.analyze(text, Q6)
    steps = [(row["window"], row["step"], round(row["duration_s"], 2)) for row in found.steps.rows(named=True)]
    runs = found.runs.select("status", "audio_frames", "observed_windows", "missing_frames", "peak_allocated_gib")
    return runs.rows(), steps, sorted(found.findings["rule"].to_list())


@pytest.mark.parametrize(
    "mark",
    ["\\r", "#015", "^M", "\\x0d", "\\u000d", "<0x0D>", "␍", "\x1b[1G", "\x1b[G", "\x1b[0G", " ", "   "],
    ids=ascii,
)
def test_a_carriage_return_that_is_spelled_out_or_replaced_is_read_as_one(mark: str) -> None:
    assert facts(WHOLE.replace("\r", mark)) == facts(WHOLE)


def test_a_name_that_holds_such_letters_is_left_alone() -> None:
    named = log.ARRIVAL + "Loading LoRA: new\\rank256#015 with strength: 1.0\n" + log.run(153) + log.EXECUTED
    assert log.analyze(named).loras["name"].to_list() == ["new\\rank256#015"]


@pytest.mark.parametrize(
    "change",
    [
        html.escape,
        lambda line: html.escape(line) + "<br>",
        lambda line: f"<span class='log'>{html.escape(line)}</span>",
        lambda line: html.escape(line).replace(" ", "&nbsp;"),
        lambda line: f'"{line}"',
        lambda line: f"`{line}`",
        lambda line: f"\u200e{line}\u200f",
    ],
    ids=["entities", "breaks", "spans", "fixed blanks", "quoted", "back-ticks", "direction marks"],
)
def test_markup_around_a_line_is_no_part_of_it(change: object) -> None:
    lines = [line for line in WHOLE.split("\n") if line]
    assert facts("\n".join(map(change, lines)) + "\n") == facts(WHOLE)  # type: ignore[call-overload]


def test_a_foreign_tail_on_every_line_is_unreadable_and_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "a_Q6_K.log"
    path.write_text("".join(f"{line}|gpu-7\n" for line in WHOLE.split("\n") if line))
    result = CliRunner().invoke(main, [str(path), "--no-html"])
    assert result.exit_code == 2
    assert "nearly match: each has extra text around it" in result.stderr


@pytest.mark.parametrize(
    ("kinds", "near", "records", "is_unreadable"),
    [(6, 10, 30, True), (5, 10, 30, False), (6, 10, 31, False)],
    ids=["many kinds and lines", "few kinds", "few lines"],
)
def test_an_input_is_unreadable_from_so_many_kinds_and_lines_on(
    kinds: int, near: int, records: int, is_unreadable: bool
) -> None:
    sources = pl.DataFrame({"source": ["a.log"], "near": [near], "records": [records]})
    misses = pl.DataFrame(
        {
            "source": ["a.log"] * near,
            "pattern": [str(number % kinds) for number in range(near)],
            "line": range(1, near + 1),
            "text": [""] * near,
        }
    )
    assert bool(notes.find_unreadable(sources, misses)) is is_unreadable


def stamped(text: str) -> list[str]:
    return [f"2025-11-11T10:{n // 60:02}:{n % 60:02}Z\t{line}" for n, line in enumerate(text.split("\n")) if line]


def test_a_log_whose_newest_line_is_first_is_read_from_its_end() -> None:
    turned = "\n".join(reversed(stamped(WHOLE))) + "\n"
    assert facts(turned) == facts("\n".join(stamped(WHOLE)) + "\n")


def test_the_note_says_how_lines_are_counted_in_a_log_that_was_turned_around(tmp_path: Path) -> None:
    lines = [line.replace("\t", " ") for line in reversed(stamped(WHOLE))]
    path = tmp_path / "a_Q6_K.log"
    path.write_text("\n".join(lines) + "\n")
    result = CliRunner().invoke(main, [str(path), "--no-html"])
    assert f"line n of a finding is line {len(lines) + 1} - n of it" in result.stderr.replace("\n", " ")
    found = log.analyze("\n".join(lines) + "\n", Q6)
    line = found.runs["line"][0]
    assert "Sampling 427 frames" in lines[len(lines) - line]


@pytest.mark.parametrize(
    ("seconds", "is_reversed"),
    [
        (range(20, 0, -1), True),
        (range(1, 21), False),
        (range(MIN_STAMPS, 0, -1), True),
        (range(MIN_STAMPS - 1, 0, -1), False),
        ([9] * 20, False),
        ([20, 19, 18, 17, 16, 15, 14, 13, 12, 13, 10], True),
        ([20, 19, 18, 17, 16, 15, 14, 13, 14, 12, 13], False),
    ],
    ids=["backwards", "forwards", "just enough", "too few", "equal", "one in ten forwards", "two in ten forwards"],
)
def test_stamps_run_backwards_from_enough_of_them_on(seconds: list[int], is_reversed: bool) -> None:
    head = "".join(f"2025-11-11T10:00:{second:02}Z line\n" for second in seconds)
    assert is_newest_first(head) is is_reversed


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("comfy.log.1", "comfy.log"),
        ("comfy.log.2", "comfy.log.1"),
        ("logs/comfy.log.10.gz", "logs/comfy.log.9"),
        ("comfy.log", None),
        ("comfy.1", "comfy"),
    ],
)
def test_a_rotated_file_names_the_one_that_goes_on(name: str, after: str | None) -> None:
    assert next_file(name) == after


def test_a_run_cut_by_rotation_is_incomplete_where_its_rest_is_an_input_too(tmp_path: Path) -> None:
    whole = log.BANNER + log.prompt(369)
    middle = whole.index("Sampling audio indices 144-225")
    (tmp_path / "comfy_Q6_K.log.1").write_text(whole[:middle])
    (tmp_path / "comfy_Q6_K.log").write_text(whole[middle:])
    both = [str(tmp_path / name) for name in ("comfy_Q6_K.log", "comfy_Q6_K.log.1")]
    result = CliRunner().invoke(main, [*both, "--no-html"])
    assert result.exit_code == 0, result.output
    assert "PASS (incomplete)" in result.stdout, result.stdout
    alone = CliRunner().invoke(main, [both[1], "--no-html"])
    assert alone.exit_code == 1
    assert "RUN004" in alone.stdout
