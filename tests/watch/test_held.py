"""Discarding lines of a growing log changes no line number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.watch.buffer import LogBuffer

LINES = [f"line {number}\n".encode() for number in range(1, 41)]


@given(st.lists(st.integers(1, 40), max_size=4))
def test_lines_keep_their_numbers_when_those_above_are_let_go(settled: list[int]) -> None:
    held = LogBuffer()
    held.add(b"".join(LINES))
    for number in settled:
        if number <= held.lines:
            held.discard_before(number)
    for place, line in enumerate(held.text.splitlines(), 1):
        assert line == f"line {held.file_line(place)}".encode()


@given(st.integers(8, 30), st.integers(1, 12))
def test_the_last_servers_banner_stays_with_its_line_numbers(first: int, second: int) -> None:
    lines = [*LINES]
    lines[4] = b"Total VRAM 32768 MB, total RAM 1 MB\n"
    lines[5] = b"Device: cuda:0 line 6\n"
    held = LogBuffer()
    held.add(b"".join(lines))
    for number in (first, second):
        held.discard_before(number)
    text = held.text.splitlines(keepends=True)
    assert text[0] == lines[4] or first <= 5
    for place, line in enumerate(text, 1):
        assert lines[held.file_line(place) - 1] == line


def test_the_last_line_may_be_unfinished() -> None:
    held = LogBuffer()
    held.add(b"one\ntwo")
    assert held.ends_inside_a_line
    assert held.lines == 2
    held.add(b"\n")
    assert not held.ends_inside_a_line
    assert held.lines == 2
