"""The style's colors are readable in both schemes, on every ground they stand on."""

from __future__ import annotations

import re

import pytest

from loganalyzer.common.resources import data_folder
from loganalyzer.report.figures.svg import COLORS
from loganalyzer.report.page import overview

STYLE = (data_folder("templates") / "style.css").read_text(encoding="utf-8")
ROOTS = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
BLOCKS = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in ROOTS]
SCHEMES = {"light": BLOCKS[0], "dark": BLOCKS[1]}
WORDS = ("ink", "muted", "accent", "error", "warning", "ok", "info")
GROUNDS = ("bg", "surface", "sunken")


def brightness(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((brightness(one), brightness(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_words_reach_aa_on_every_ground(scheme: str, word: str, ground: str) -> None:
    assert contrast(SCHEMES[scheme][word], SCHEMES[scheme][ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("severity", ["error", "warning", "ok", "info"])
def test_severities_reach_aa_on_their_own_soft_ground(scheme: str, severity: str) -> None:
    colors = SCHEMES[scheme]
    assert contrast(colors[severity], colors[f"{severity}-soft"]) >= 4.5
    assert contrast(colors["ink"], colors[f"{severity}-soft"]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_figures_words_reach_aa_on_the_bars_they_stand_on(scheme: str) -> None:
    colors = SCHEMES[scheme]
    assert contrast(colors["ink"], colors["accent-soft"]) >= 4.5
    assert contrast(colors["surface"], colors["accent"]) >= 4.5
    assert contrast(colors["ink"], colors["line"]) >= 4.5
    assert contrast(colors["accent"], colors["surface"]) >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_color_of_a_drawing_is_defined(scheme: str) -> None:
    assert set(COLORS) <= set(SCHEMES[scheme])


def test_on_a_phone_each_cell_of_a_runs_row_says_what_it_is() -> None:
    told = re.findall(r"\.wide td:nth-child\((\d+)\)::before \{ content: \"([^\"]+)\"", STYLE)
    assert told == [(str(place), column.title) for place, column in enumerate(overview._RUN_COLUMNS, 1) if place > 1]
