"""Logs of models that are not analyzed: they are named in place of a run."""

from __future__ import annotations

from io import StringIO

import logtext as log
import nativelogs as native
import programlogs as program
import pytest

from loganalyzer.report.terminal.summary import write


def headline(text: str) -> str:
    file = StringIO()
    write(log.analyze(text), file)
    return " ".join(file.getvalue().split())


def prompt(*models: str, bars: int = 1) -> str:
    shown = "".join(native.wants(model) + program.bare_bar(20, 0.5) * bars for model in models)
    return (
        native.ARRIVAL + native.wants("FluxClipModel_") + shown + native.wants("AutoencodingEngine") + native.EXECUTED
    )


@pytest.mark.parametrize("model", ["Flux", "HunyuanVideo", "LTXV"])
def test_stages_of_another_model_are_named_instead_of_what_a_run_prints(model: str) -> None:
    said = headline(native.BANNER + prompt(model) * 3)
    assert f"NO RUN FOUND 0 runs in 1 file: 3 stages of ComfyUI's own sampler ({model}); only WanVideo runs" in said
    assert "prints" not in said


def test_each_model_is_named_once() -> None:
    assert "4 stages of ComfyUI's own sampler (Flux, LTXV);" in headline(prompt("Flux", "LTXV") * 2)


def test_without_bars_each_request_is_a_stage() -> None:
    assert "2 stages of ComfyUI's own sampler (Flux);" in headline(prompt("Flux", "Flux", bars=0))


def test_a_log_without_any_model_says_that_no_sampling_is_in_it() -> None:
    assert "no WanVideo sampling in the log" in headline(native.BANNER)


def test_other_models_beside_a_run_change_nothing_in_its_headline() -> None:
    found = log.analyze(native.BANNER + prompt("Flux") + native.prompt(72))
    assert found.prompts["other_stages"].to_list() == [1, None]
    assert found.runs["producer"].to_list() == ["core"]


def test_the_name_of_a_model_is_shown_harmlessly() -> None:
    said = headline(prompt("Fl\u202eux" + "x" * 200))
    assert "\u202e" not in said
    assert "x" * 61 not in said


def test_files_of_other_models_that_wan2gp_loads_are_named() -> None:
    flux = (
        program.wan2gp_loads("flux1-dev_quanto_bf16_int8.safetensors") + program.bare_bar() * 2 + program.wan2gp_saves()
    )
    said = headline(flux)
    assert "2 stages of other models (flux1-dev_quanto_bf16_int8.safetensors); only WanVideo runs" in said


def test_a_model_of_wan_that_wan2gp_loads_behind_another_is_a_run() -> None:
    flux = program.wan2gp_loads("flux1-dev.safetensors") + program.bare_bar() + program.wan2gp_saves()
    found = log.analyze(flux + program.wan2gp_loads() + program.bare_bar() + program.wan2gp_saves())
    assert found.runs["producer"].to_list() == ["wan2gp"]
    assert found.prompts["other_models"].to_list() == ["flux1-dev.safetensors", None]
    assert found.prompts["other_stages"].to_list() == [1, None]
