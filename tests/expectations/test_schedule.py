"""The arithmetic of windows, held against a loop that does what upstream's does."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.expectations import schedule

AUDIO = st.integers(1, 3000)
WINDOW = st.integers(2, 40).map(lambda k: 4 * k + 1)


@st.composite
def settings(draw: st.DrawFn) -> tuple[int, int, int]:
    """A, W and a stride between 1 and W."""
    window = draw(WINDOW)
    return draw(AUDIO), window, window - draw(st.integers(0, window - 1))


def loop(audio: int, window: int, step: int) -> list[tuple[int, int]]:
    """The ranges that the loop runs: after a window, stop if it was the last; the next is if its end reaches A."""
    start, end, last, ran = 0, window, audio <= window, []
    while True:
        ran.append((start, end))
        if last:
            return ran
        start, end = start + step, start + step + window
        last = end >= audio


@given(settings())
def test_the_count_is_that_of_the_loop(chosen: tuple[int, int, int]) -> None:
    audio, window, step = chosen
    assert schedule.count_windows(audio, window, step) == len(loop(audio, window, step))


@given(settings())
def test_each_windows_range_is_that_of_the_loop(chosen: tuple[int, int, int]) -> None:
    audio, window, step = chosen
    for number, (start, end) in enumerate(loop(audio, window, step), 1):
        assert (schedule.window_start(number, step), schedule.window_end(number, window, step)) == (start, end)


@given(AUDIO)
def test_the_header_is_one_too_many_exactly_where_the_remainder_is_small(audio: int) -> None:
    extra = schedule.count_announced_windows(audio, 81, 72) - schedule.count_windows(audio, 81, 72)
    assert extra == (audio > 81 and audio % 72 <= 9)


@given(settings())
def test_aligned_lengths_need_no_padding_and_no_others_do_without(chosen: tuple[int, int, int]) -> None:
    audio, window, step = chosen
    missing = loop(audio, window, step)[-1][1] - audio
    assert schedule.is_aligned(audio, window, step) == (missing == 0)


@given(settings())
def test_advice_stays_within_the_audio_and_is_aligned(chosen: tuple[int, int, int]) -> None:
    audio, window, step = chosen
    cut, more = schedule.aligned_at_most(audio, window, step), schedule.aligned_at_least(audio, window, step)
    assert (cut is None) == (audio < window)
    if cut is not None:
        assert audio - step < cut <= audio
        assert schedule.is_aligned(cut, window, step)
    assert more >= audio
    assert schedule.is_aligned(more, window, step)


@given(st.lists(settings(), min_size=1, max_size=20))
def test_columns_and_numbers_agree(rows: list[tuple[int, int, int]]) -> None:
    frame = pl.DataFrame(rows, schema=["a", "w", "s"], orient="row")
    for function in (
        schedule.count_windows,
        schedule.count_announced_windows,
        schedule.is_aligned,
        schedule.count_windows_before_september_2025,
    ):
        column = frame.select(function(pl.col("a"), pl.col("w"), pl.col("s")))
        assert column.to_series().to_list() == [function(*row) for row in rows]


@pytest.mark.parametrize(
    ("audio", "windows", "announced", "missing", "cut"),
    [(175, 3, 3, 50, 153), (425, 6, 6, 16, 369), (427, 6, 6, 14, 369), (369, 5, 6, 0, 369), (81, 1, 1, 0, 81)],
)
def test_the_guides_own_examples(audio: int, windows: int, announced: int, missing: int, cut: int) -> None:
    assert schedule.count_windows(audio, 81, 72) == windows
    assert schedule.count_announced_windows(audio, 81, 72) == announced
    assert schedule.aligned_at_least(audio, 81, 72) - audio == missing
    assert schedule.aligned_at_most(audio, 81, 72) == cut


@pytest.mark.parametrize(("audio", "windows"), [(40, 2), (81, 2), (82, 2), (153, 2), (154, 3)])
def test_until_september_2025_short_audio_ran_two_windows(audio: int, windows: int) -> None:
    assert schedule.count_windows_before_september_2025(audio, 81, 72) == windows


def test_boundaries_come_every_stride() -> None:
    assert schedule.window_boundaries(4, 72) == [72, 144, 216]


def test_a_stride_is_the_window_without_what_is_shared_and_what_is_dropped() -> None:
    assert schedule.stride(81, 9, 0) == 72
    assert schedule.stride(81, 5, 12) == 64


@pytest.mark.parametrize(("audio", "windows"), [(2, 1), (77, 1), (78, 2), (153, 2), (154, 3)])
def test_animate_starts_a_window_every_frame_but_one_until_the_length_is_reached(audio: int, windows: int) -> None:
    """With windows of 77 frames, window k covers frames up to 76·k + 1."""
    assert schedule.count_animate_windows(audio, 77) == windows
