"""Which runs are held against a baseline, and what a peak tells of the quantization."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tables import BASELINES, runs

from loganalyzer.common.errors import ExpectationError
from loganalyzer.expectations.baselines import load_baselines

ONE = {"peak_allocated_gib": 15.0, "quantization": None}


@pytest.mark.parametrize(
    ("change", "inferred"),
    [
        ({}, "Q6_K"),
        ({"swapped_blocks": 0}, "Q6_K"),
        ({"swapped_blocks": 1}, None),
        ({"producer": None}, "Q6_K"),
        ({"producer": "core"}, None),
        ({"peak_allocated_gib": None}, None),
        ({"peak_allocated_gib": 14.55}, "Q6_K"),
        ({"peak_allocated_gib": 14.54}, None),
        ({"peak_allocated_gib": 15.45}, "Q6_K"),
        ({"peak_allocated_gib": 15.46}, None),
        ({"width": 720, "height": 1280}, "Q6_K"),
        ({"width": 720, "height": 720}, None),
        ({"lora_rank": 64}, None),
    ],
)
def test_a_quantization_is_inferred_from_a_peak_that_no_block_swap_and_no_other_program_moved(
    change: dict[str, Any], inferred: str | None
) -> None:
    assert BASELINES.infer_quantization(runs(ONE | change)).to_list() == [inferred]


def test_each_run_of_several_has_its_own_inferred_quantization() -> None:
    table = runs(ONE | {"swapped_blocks": 20}, ONE, ONE | {"peak_allocated_gib": 14.1})
    assert BASELINES.infer_quantization(table).to_list() == [None, "Q6_K", "Q5_0"]


@pytest.mark.parametrize(
    ("change", "band"),
    [
        ({}, (14.55, 15.45, 15.0)),
        ({"swapped_blocks": 0}, (14.55, 15.45, 15.0)),
        ({"swapped_blocks": 1}, (None, None, None)),
        ({"producer": "core"}, (None, None, None)),
        ({"width": 720, "height": 1280}, (14.55, 15.45, 15.0)),
    ],
)
def test_a_block_swapped_run_has_no_memory_baseline(change: dict[str, Any], band: tuple[float | None, ...]) -> None:
    assert BASELINES.with_vram(runs(change)).select("vram_low", "vram_high", "vram_typical").row(0) == band


@pytest.mark.parametrize(
    ("change", "gpu", "times"),
    [
        ({}, None, (20.0, 22.0, 0.15)),
        ({"gpu": None}, None, (None, None, None)),
        ({"gpu": None}, "RTX 5090", (20.0, 22.0, 0.15)),
        ({"gpu": "NVIDIA GeForce RTX 4090"}, "RTX 5090", (None, None, None)),
        ({"producer": "core"}, None, (None, None, None)),
        ({"steps": 6}, None, (None, None, None)),
    ],
)
def test_the_configured_card_stands_in_only_where_the_log_names_none(
    change: dict[str, Any], gpu: str | None, times: tuple[float | None, ...]
) -> None:
    found = BASELINES.with_timing(runs(change), gpu)
    assert found.select("window_low", "window_high", "window_tolerance").row(0) == times


def test_a_peak_within_several_bands_tells_no_quantization() -> None:
    wide = BASELINES.vram.with_columns(pl.lit([11.0, 19.0]).alias("band_gib"))
    assert replace(BASELINES, vram=wide).infer_quantization(runs(ONE)).to_list() == [None]


COST = '[[cost]]\nquantization = "Q6_K"\nusd = {usd}\nwindows = 5\ntolerance = 0.2\nprovenance = "a test"\n'
BAND = (
    '[[timing]]\ngpu = "A"\nmode = "infinitetalk"\nwidth = 1\nheight = 1\nsteps = 4\nwindow_frames = 81\n'
    'window_s = {band}\ntolerance = 0.1\nprovenance = "a test"\n'
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (COST.format(usd="1.5"), None),
        (COST.format(usd="true"), "'usd' is True"),
        (COST.format(usd="'much'"), "'usd' is 'much'"),
        (BAND.format(band="[1.0, 1.0]"), None),
        (BAND.format(band="[2.0, 1.0]"), "must be .low, high."),
        (BAND.format(band="[1.0]"), "must be .low, high."),
        (BAND.format(band="[1.0, 2.0, 3.0]"), "must be .low, high."),
    ],
)
def test_a_users_baseline_has_values_of_its_types_and_a_band_from_low_to_high(
    text: str, fault: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(COST.format(usd="1.0") + text)
    if fault is None:
        assert load_baselines(file).cost.height
        return
    with pytest.raises(ExpectationError, match=rf"{fault}") as caught:
        load_baselines(file)
    assert f"]] {1 + text.startswith('[[cost')}" in str(caught.value)
