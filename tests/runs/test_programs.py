"""Runs of programs that sample by themselves: LightX2V, MeiGen's command line and Wan2GP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import logtext as log
import polars as pl
import programlogs as program
import pytest

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar.load import load_all
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.runs.windows import MOST_EXPECTED
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis


def only_run(found: Analysis) -> dict[str, Any]:
    assert found.runs.height == 1, found.runs
    return found.runs.row(0, named=True)


def rules(found: Analysis) -> set[str]:
    return set(found.findings["rule"])


def test_lightx2v_is_read_in_full() -> None:
    found = log.analyze(program.lightx2v(250, 4))
    run = only_run(found)
    assert (run["producer"], run["mode"], run["status"], run["steps"]) == ("lightx2v", "infinitetalk", "completed", 4)
    assert (run["audio_frames"], run["audio_s"], run["announced_windows"]) == (250, 10.0, 4)
    assert (run["observed_windows"], run["expected_windows"], run["output_frames"]) == (4, 4, 297)
    assert (run["missing_frames"], run["mirrored"]) == (47, True)
    assert (run["peak_allocated_gib"], run["peak_reserved_gib"], run["peak_covers"]) == (22.5, 25.125, "stage")
    assert found.steps.filter(pl.col("window") == 2)["duration_s"].to_list() == [5.1, 5.2, 5.3, 5.4]
    assert set(found.steps["method"]) == {"printed"}
    assert found.windows["total_s"].to_list() == [24.5] * 4
    assert run["sampling_s"] == pytest.approx(4 * 21.0)
    assert run["decode_s"] == pytest.approx(4 * 3.5)
    assert rules(found) == {"AUD001"}
    assert "lightx2v prints no warning." in found.findings["message"][0]


def test_the_ranges_of_lightx2v_follow_from_the_schedule() -> None:
    windows = log.analyze(program.lightx2v(225, 3)).windows
    assert windows.select("audio_start", "audio_end").rows() == [(0, 81), (72, 153), (144, 225)]
    assert set(windows["range_source"]) == {"inferred"}


@pytest.mark.parametrize(("audio", "windows", "missing"), [(225, 3, 0), (226, 4, 71), (81, 1, 0), (80, 1, 1)])
def test_lightx2v_mirrors_whatever_the_last_window_lacks(audio: int, windows: int, missing: int) -> None:
    found = log.analyze(program.lightx2v(audio, windows))
    assert only_run(found)["missing_frames"] == missing
    assert ("AUD001" in rules(found)) == (missing > 0)


def test_a_window_count_that_the_schedule_does_not_give_infers_no_range() -> None:
    found = log.analyze(program.lightx2v(250, 3))
    assert found.windows["audio_start"].null_count() == found.windows.height
    assert only_run(found)["missing_frames"] is None


def test_lightx2v_without_profiling_times_its_steps_by_the_stamps() -> None:
    found = log.analyze(program.lightx2v(153, 2, profiled=False))
    assert found.steps["method"].unique().to_list() == ["timestamps"]
    assert found.steps["duration_s"].to_list() == [6.0] * 6, "the end of a last step shows nowhere"
    assert only_run(found)["peak_allocated_gib"] is None


def test_a_peak_of_which_a_window_is_left_out_covers_no_whole_stage() -> None:
    text = program.lightx2v_begins(153, 2) + program.lightx2v_window(1, 2)
    run = only_run(log.analyze(text + program.loguru("start InfiniteTalk segment 2/2", 300)))
    assert (run["peak_allocated_gib"], run["peak_covers"]) == (22.5, None)


def test_lightx2v_that_stops_in_a_window_is_no_completed_run() -> None:
    text = program.lightx2v_begins(250, 4) + program.lightx2v_window(1, 4)
    found = log.analyze(text + program.loguru("start InfiniteTalk segment 2/4", 300))
    run = only_run(found)
    assert (run["status"], run["observed_windows"], run["expected_windows"]) == ("truncated", 2, 4)
    assert "RUN004" in rules(found)


def test_each_video_of_a_lightx2v_server_is_a_run() -> None:
    found = log.analyze(program.lightx2v(225, 3) + program.lightx2v(153, 2, saved=False) + program.lightx2v(81, 1))
    assert found.runs["audio_frames"].to_list() == [225, 153, 81]
    assert found.runs["observed_windows"].to_list() == [3, 2, 1]


def test_an_excerpt_of_lightx2v_without_its_beginning_is_a_run() -> None:
    run = only_run(log.analyze(program.lightx2v_window(3, 4) + program.lightx2v_window(4, 4)))
    assert (run["producer"], run["observed_windows"], run["audio_frames"]) == ("lightx2v", 2, None)


def test_meigens_command_line_tells_settings_and_windows() -> None:
    found = log.analyze(program.meigen(4))
    run = only_run(found)
    assert (run["producer"], run["mode"], run["status"], run["steps"]) == ("meigen", "infinitetalk", "completed", 6)
    assert (run["window_frames"], run["motion_frames"], run["schedule_observed"]) == (81, 9, True)
    assert (run["observed_windows"], run["output_frames"], run["quantization"]) == (4, 250, "bf16")
    assert (run["quantization_source"], run["audio_frames"], run["missing_frames"]) == ("log", None, None)
    assert (run["decode_s"], run["total_s"]) == (None, pytest.approx(4 * 57.0))
    loras = found.loras.select("name", "rank", "strength").rows()
    assert loras == [("Distill", None, "1.0"), ("Style", None, "0.4")]
    assert rules(found) == set()


def test_meigens_quantization_and_overlap_are_those_of_its_arguments() -> None:
    found = log.analyze(program.meigen(3, quant="'fp8'", motion=25))
    assert only_run(found)["quantization"] == "fp8"
    assert found.windows["audio_start"].to_list() == [0, 56, 112]
    assert rules(found) == {"SCH004"}


def test_two_runs_of_meigens_command_line_in_one_file_are_two() -> None:
    found = log.analyze(program.meigen(2, end=False, saved=None) + program.meigen(3))
    assert found.runs["observed_windows"].to_list() == [2, 3]


def test_wan2gp_tells_windows_steps_and_the_models_file() -> None:
    found = log.analyze(program.wan2gp_loads() + program.bare_bar() * 3 + program.wan2gp_saves())
    run = only_run(found)
    assert (run["producer"], run["mode"], run["status"], run["steps"]) == ("wan2gp", None, "completed", 4)
    assert (run["observed_windows"], run["quantization"], run["audio_frames"]) == (3, "int8", None)
    assert rules(found) == set()


def test_a_second_video_of_wan2gp_uses_the_model_that_is_loaded() -> None:
    talk = program.wan2gp_loads("wan2.1_infinitetalk_single_14B_quanto_mbf16_int8.safetensors")
    first = program.wan2gp_loads() + talk + program.bare_bar() * 3 + program.wan2gp_saves("a")
    found = log.analyze(first + program.bare_bar() * 2 + program.wan2gp_saves("b"))
    assert found.runs["observed_windows"].to_list() == [3, 2]
    assert found.runs["mode"].to_list() == ["infinitetalk"] * 2
    assert found.runs["quantization"].to_list() == ["int8"] * 2


def test_wan2gp_with_another_model_is_no_run() -> None:
    found = log.analyze(program.wan2gp_loads("flux1-dev_quanto_bf16_int8.safetensors") + program.bare_bar())
    assert found.runs.is_empty()


def test_a_loaded_model_without_a_bar_is_no_run_and_no_finding() -> None:
    found = log.analyze(program.wan2gp_loads())
    assert found.runs.is_empty()
    assert rules(found) == set()


@pytest.mark.parametrize("words", ["Finished.\n", "Video saved to out.mp4\n", program.wan2gp_saves()])
def test_words_that_end_other_programs_runs_end_none_of_the_wrappers(words: str) -> None:
    body = log.MODE + log.header(153, 3) + log.window(0, 81) + words + log.window(72, 153) + log.padding(153, 153)
    found = log.analyze(log.BANNER + log.ARRIVAL + body + log.memory() + log.EXECUTED)
    run = only_run(found)
    assert (run["producer"], run["observed_windows"], run["status"]) == ("wrapper", 2, "completed")
    assert rules(found) <= {"AUD002"}


def test_a_program_above_comfyui_in_one_file_ends_its_own_run() -> None:
    body = log.MODE + log.header(153, 3) + log.window(0, 81) + log.window(72, 153) + log.padding(153, 153)
    comfyui = log.BANNER + log.ARRIVAL + body + log.memory() + log.EXECUTED
    found = log.analyze(program.lightx2v(225, 3) + comfyui)
    assert found.runs.select("producer", "status").rows() == [("lightx2v", "completed"), ("wrapper", "completed")]


@pytest.mark.parametrize(
    "text",
    [
        "InfiniteTalk expected_frames: 99999999999999999, fps: 25, duration: 1e300s",
        "InfiniteTalk expected_frames: -5, fps: -1, duration: -1s",
        "start InfiniteTalk segment 9223372036854775807/9223372036854775807",
        "start InfiniteTalk segment -3/-1",
        "==> step_index: 1 / 9223372036854775807",
        "==> step_index: 99999999999999999999999 / 4",
        "[Profile] Single GPU - infer_main cost -5 seconds",
        "[Profile] Single GPU - infer_main cost nan seconds",
    ],
)
def test_absurd_figures_of_a_program_neither_raise_nor_make_steps(text: str) -> None:
    found = log.analyze(program.lightx2v_window(1, 2) + program.loguru(text, 190) + program.lightx2v_window(2, 2))
    assert found.steps.height == 8
    assert found.windows.height <= MOST_EXPECTED + 2


def test_bars_below_a_model_line_in_comfyui_are_no_windows_of_wan2gp() -> None:
    found = log.analyze(log.BANNER + log.ARRIVAL + program.wan2gp_loads() + program.bare_bar() + log.EXECUTED)
    assert found.runs.is_empty()


def test_long_logs_are_parted_between_the_programs_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (program.lightx2v(225, 3) * 6).encode()
    whole = analyze_inputs([from_bytes("talk.log", text)], Settings())
    monkeypatch.setattr("loganalyzer.engine.incremental.FLUSH_RECORDS", 40)
    parted = analyze_inputs([from_bytes("talk.log", text)], Settings())
    assert parted.runs.height == 6
    assert parted.runs.equals(whole.runs)
    assert parted.steps.equals(whole.steps)


PRODUCER = """
project = "studio"

[producer]
title = "A studio's own loop"
windows = "lines"
mode = "infinitetalk"

[[pattern]]
id = "studio-audio"
event = "program-audio"
title = "Length"
why = "The audio's length."
stream = "stdout"
template = 'studio: {audio_frames:int} audio frames'
sample = [
  { line = 'studio: 153 audio frames', values = { audio_frames = 153 } },
  { line = 'studio: 81 audio frames', values = { audio_frames = 81 } },
]
near = [{ line = 'studio: many audio frames' }]
signature = 'studio: {...}audio frames'

[[pattern]]
id = "studio-window"
event = "program-window"
title = "Window"
why = "A window begins."
stream = "stdout"
template = 'studio: window {window:int}'
sample = [
  { line = 'studio: window 1', values = { window = 1 } },
  { line = 'studio: window 12', values = { window = 12 } },
]
near = [{ line = 'studio: window one' }]
"""


def test_one_file_of_the_users_adds_a_producer(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text(PRODUCER, encoding="utf-8")
    text = "studio: 153 audio frames\nstudio: window 1\nstudio: window 2\n"
    found = analyze_inputs([from_bytes("studio.log", text.encode())], Settings(patterns=(tmp_path,)))
    run = found.runs.row(0, named=True)
    assert (run["producer"], run["mode"], run["audio_frames"], run["observed_windows"]) == (
        "studio", "infinitetalk", 153, 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('windows = "lines"', 'windows = "pictures"', "'windows'"),
        ('windows = "lines"\n', "", "'windows' is missing"),
        ('mode = "infinitetalk"', 'mood = "infinitetalk"', "unknown key 'mood'"),
        ('mode = "infinitetalk"', 'models = "("', "not a regular expression"),
        ('mode = "infinitetalk"', "mode = 3", "not a string"),
        ('project = "studio"', 'project = "core"', "another producer's name"),
    ],
)
def test_a_producer_that_nothing_knows_what_to_make_of_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    (tmp_path / "studio.toml").write_text(PRODUCER.replace(before, after), encoding="utf-8")
    with pytest.raises(GrammarError, match=r"studio\.toml") as refused:
        load_all((tmp_path,))
    assert message in refused.value.message


def crash(message: str = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.") -> str:
    return f'Traceback (most recent call last):\n  File "/opt/LightX2V/lightx2v/infer.py", line 12, in run\n{message}\n'


STOPPED = program.lightx2v_begins(250, 4) + program.lightx2v_window(1, 4) + program.loguru("==> step_index: 1 / 4", 300)


def test_a_traceback_at_the_end_of_lightx2v_is_the_cause_of_its_failure() -> None:
    found = log.analyze(STOPPED + crash())
    assert only_run(found)["status"] == "failed"
    (prompt,) = found.prompts.to_dicts()
    assert prompt["exception_type"] == "torch.OutOfMemoryError"
    assert "ran out of memory" in prompt["cause"] or "Tried to allocate" in prompt["error"]
    assert "RUN002" in rules(found)
    assert "RUN004" not in rules(found)


def test_another_exception_of_a_program_is_named_with_its_type() -> None:
    found = log.analyze(program.meigen(2, saved=None, end=False) + crash("ValueError: shapes differ"))
    (prompt,) = found.prompts.to_dicts()
    assert (prompt["status"], prompt["error"], prompt["exception_type"]) == ("failed", "shapes differ", "ValueError")
    assert "RUN001" in rules(found)


def test_a_traceback_that_a_program_goes_on_behind_was_caught() -> None:
    found = log.analyze(
        program.lightx2v_begins(81, 1) + crash() + program.lightx2v_window(1, 1) + program.loguru("x", 900)
    )
    assert only_run(found)["status"] != "failed"


def test_a_traceback_of_comfyuis_that_left_no_node_fails_no_prompt() -> None:
    found = log.analyze(log.ARRIVAL + log.run(153) + crash())
    assert found.prompts["status"].to_list() == ["truncated"]
