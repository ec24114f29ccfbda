"""Figures and foreign text as people read them."""

from __future__ import annotations

import math

import pytest

from loganalyzer.report import words


@pytest.mark.parametrize(
    ("frames", "fps", "shown"),
    [
        (0, 25.0, "0:00.00"),
        (72, 25.0, "0:02.88"),
        (427, 25.0, "0:17.08"),
        (1499, 25.0, "0:59.96"),
        (1500, 25.0, "1:00.00"),
        (90_000, 25.0, "1:00:00.00"),
        (None, 25.0, "–"),
        (72, 0.0, "–"),
    ],
)
def test_a_place_in_the_video_reads_as_in_a_player(frames: int | None, fps: float, shown: str) -> None:
    assert words.timecode(frames, fps) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(5.126, "5.1 s"), (112.3, "1 min 52 s"), (None, "–"), (math.nan, "–")])
def test_times_are_for_people(seconds: float | None, shown: str) -> None:
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(("value", "shown"), [(14.969, "14.97 GiB"), (0.0, "0.00 GiB"), (None, "–"), (math.inf, "–")])
def test_memory_has_its_unit_and_nothing_is_a_dash_not_a_zero(value: float | None, shown: str) -> None:
    assert words.gib(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\udcffb", "a\\udcffb"),
        ("a\tb\nc", "a b c"),
        ("Ärger 漢字 █▏", "Ärger 漢字 █▏"),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text: str, shown: str) -> None:
    assert words.visible(text) == shown


@pytest.mark.parametrize(
    ("values", "middle"), [([3.0, 1.0, 2.0], 2.0), ([4.0, 1.0, 2.0, 3.0], 2.5), ([math.nan, 1.0], 1.0), ([], None)]
)
def test_the_median_ignores_what_is_no_number(values: list[float], middle: float | None) -> None:
    assert words.median(values) == middle


@pytest.mark.parametrize(("size", "shown"), [(0, "0 B"), (812, "812 B"), (2539, "2.5 KiB"), (85_458_944, "81.5 MiB")])
def test_sizes_of_files_are_binary(size: int, shown: str) -> None:
    assert words.byte_size(size) == shown
