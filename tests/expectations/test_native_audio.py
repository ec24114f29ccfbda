"""Frames that ComfyUI's own node makes of an audio."""

from __future__ import annotations

import pytest

from loganalyzer.expectations.native_audio import count_frames


@pytest.mark.parametrize(
    ("seconds", "count"),
    [(10.0, 249), (9.0, 224), (14.76, 368), (9.04, 225), (9.005, 225), (9.0049, 224), (0.025, 0), (0.045, 1), (0.0, 0)],
)
def test_so_many_seconds_make_so_many_frames(seconds: float, count: int) -> None:
    assert count_frames(seconds) == count


@pytest.mark.parametrize("features", [58, 114, 116, 226])
def test_float_arithmetic_loses_a_frame_of_some_lengths(features: int) -> None:
    assert count_frames((400 + 320 * (features - 1)) / 16_000) == features // 2 - 1


def test_it_is_lost_of_573_even_lengths_up_to_20_000_and_of_no_odd_one() -> None:
    lengths = range(1, 20_001)
    lost = [t for t in lengths if count_frames((400 + 320 * (t - 1)) / 16_000) != t // 2]
    assert len(lost) == 573
    assert all(t % 2 == 0 for t in lost)
