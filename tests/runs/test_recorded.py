"""What the recorder's lines add to a run: steps, windows, peaks, settings, and how a prompt ended."""

from __future__ import annotations

from typing import Any

import logtext as log
import polars as pl
import pytest
import recorderlogs as rec

from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

Q6 = Settings(quantization="Q6_K")


def only_run(found: Analysis) -> dict[str, Any]:
    assert found.runs.height == 1, found.runs
    return found.runs.row(0, named=True)


def without_recorder(text: str) -> str:
    """The same log without the recorder's lines; what stands before one in its line stays."""
    kept = [line.split("[loganalyzer] ")[0] if "[loganalyzer] " in line else line + "\n" for line in text.splitlines()]
    return "".join(kept)


def rules(found: Analysis) -> set[str]:
    return set(found.findings["rule"])


@pytest.mark.parametrize("audio", [81, 153, 225, 260, 369])
def test_a_log_has_the_same_windows_and_paddings_with_and_without_the_recorder(audio: int) -> None:
    text = rec.prompt(audio)
    recorded, plain = log.analyze(text), log.analyze(without_recorder(text))
    exact = ("window", "audio_start", "audio_end", "expected_start", "expected_end", "steps_done", "steps_total")
    columns = [*exact, "matches", "range_source", "total_s"]
    assert recorded.windows.select(columns).equals(plain.windows.select(columns))
    numbers = ["window", "subject", "have", "need", "padding", "missing", "context"]
    assert recorded.paddings.select(numbers).equals(plain.paddings.select(numbers))
    assert recorded.windows["sampling_s"].to_list() == pytest.approx(plain.windows["sampling_s"].to_list(), abs=0.1)


def test_recorded_times_replace_those_of_the_bars() -> None:
    text = rec.prompt(153).replace('"seconds":5.0,', '"seconds":4.987,')
    steps = log.analyze(text).steps
    assert set(steps["method"]) == {"recorded"}
    assert set(steps["duration_s"]) == {4.987}
    assert set(steps["uncertainty_s"]) == {0.0005}


def test_a_step_whose_line_is_lost_keeps_the_time_of_its_bar() -> None:
    lines = rec.prompt(153).splitlines(keepends=True)
    lost = next(number for number, line in enumerate(lines) if '"window":2' in line and '"step":3' in line)
    lines[lost] = lines[lost].split("[loganalyzer]")[0]
    steps = log.analyze("".join(lines)).steps.filter(pl.col("window") == 2)
    assert steps.filter(pl.col("step") == 3)["method"].to_list() == ["rate"]
    assert steps.filter(pl.col("step") != 3)["method"].to_list() == ["recorded"] * 3


def test_a_container_log_without_bars_has_its_windows() -> None:
    found = log.analyze(rec.prompt(225, bars=False))
    assert found.windows.select("window", "audio_start", "audio_end", "steps_done").rows() == [
        (1, 0, 81, 4), (2, 72, 153, 4), (3, 144, 225, 4),
    ]  # fmt: skip
    assert set(found.windows["range_source"]) == {"recorded"}
    assert found.windows["matches"].all()
    run = only_run(found)
    assert (run["observed_windows"], run["missing_frames"], run["sampling_s"]) == (3, 0, 60.0)
    assert run["complete"]


def test_ranges_that_the_recorder_does_not_know_follow_from_the_graphs_window_and_overlap() -> None:
    found = log.analyze(rec.prompt(225, bars=False, ranged=False))
    assert found.windows.select("audio_start", "audio_end").rows() == [(0, 81), (72, 153), (144, 225)]
    assert set(found.windows["range_source"]) == {"inferred"}
    unknown = log.analyze(rec.prompt(225, bars=False, ranged=False, window=None, overlap=None))
    assert unknown.windows["audio_start"].null_count() == 3
    assert unknown.windows["steps_done"].to_list() == [4, 4, 4]


def test_windows_without_numbers_are_told_apart_by_their_steps() -> None:
    text = rec.prompt(225, bars=False, ranged=False)
    for number in (1, 2, 3):
        text = text.replace(f'"window":{number},"start"', '"window":null,"start"')
    assert log.analyze(text).windows.select("window", "steps_done").rows() == [(1, 4), (2, 4), (3, 4)]


def test_a_window_on_the_wrong_range_is_found_in_the_recorders_lines() -> None:
    text = rec.prompt(225, bars=False).replace('"start":72,"end":153', '"start":80,"end":161')
    assert "SCH001" in rules(log.analyze(text, Q6))


@pytest.mark.parametrize(("peak", "rule"), [(15.0, None), (15.46, "MEM001"), (14.54, "MEM002")])
def test_the_recorded_peak_is_judged_although_the_wrapper_prints_none(peak: float, rule: str | None) -> None:
    found = log.analyze(rec.prompt(153, peak=peak))
    run = only_run(found)
    assert (run["peak_allocated_gib"], run["peak_reserved_gib"], run["peak_covers"]) == (peak, peak + 1.0, "stage")
    assert rules(found) & {"MEM001", "MEM002", "MEM007"} == ({rule} if rule else set())
    assert run["complete"]


def test_without_a_reset_in_the_node_its_whole_peak_counts() -> None:
    text = rec.prompt(153).replace(
        '"sampling":15.0,"sampling_reserved":16.0', '"sampling":null,"sampling_reserved":null'
    )
    run = only_run(log.analyze(text))
    assert (run["peak_allocated_gib"], run["peak_reserved_gib"]) == (15.4, 16.6)


def test_the_peak_of_a_decode_node_is_not_the_stages() -> None:
    decode = rec.line("node", node="31", class_="WanVideoDecode", seconds=4.0, allocated=20.0, reserved=21.0)
    text = rec.prompt(153).replace(rec.line("end", status="completed", seconds=80.3, sample=[15.0, 16.0]), decode)
    found = log.analyze(text)
    assert only_run(found)["peak_allocated_gib"] == 15.0
    assert found.nodes.select("node", "class", "peak_allocated_gib").rows() == [
        ("27", "WanVideoSampler", 15.4), ("31", "WanVideoDecode", 20.0),
    ]  # fmt: skip


def test_the_model_file_gives_the_quantization() -> None:
    run = only_run(log.analyze(rec.prompt(153)))
    assert (run["quantization"], run["quantization_source"]) == ("Q6_K", "recorder")
    assert (run["model"], run["adapter_quantization"]) == ("wan2.1-i2v-14b-720p-Q6_K.gguf", "Q8_0")
    assert (run["requested_frames"], run["audio_s"], run["sampler_attention"]) == (153, 6.12, "sdpa")


def test_a_recorded_quantization_that_contradicts_the_declared_one_is_an_error() -> None:
    text = rec.prompt(153, peak=14.1, model="wan-Q5_0.gguf", quantization="q5_0")
    found = log.analyze(text, Q6).findings.filter(pl.col("rule") == "MOD003")
    (line,) = [number for number, shown in enumerate(text.splitlines(), 1) if '"event":"sampler"' in shown]
    expected = ("error", "Q6_K is declared, but the recorder shows Q5_0.", line)
    assert found.select("severity", "message", "line").row(0) == expected


def test_a_quantization_that_the_log_proves_wins_over_the_files_name() -> None:
    swapped = "Block swap memory summary:\nTotal memory used by transformer blocks: 10766.68MB\n"
    text = rec.prompt(153).replace(log.MODE, swapped + log.MODE)
    run = only_run(log.analyze(text))
    assert (run["quantization"], run["quantization_source"]) == ("Q5_0", "log")


@pytest.mark.parametrize(("mode", "fires"), [("sdpa", False), ("sageattn", True)])
def test_the_samplers_attention_mode_is_compared_with_the_expected_one(mode: str, fires: bool) -> None:
    assert ("MOD004" in rules(log.analyze(rec.prompt(153, attention=mode)))) == fires


def test_the_graphs_loras_count_once_and_also_if_their_loader_is_cached() -> None:
    cached = log.analyze(rec.prompt(153))
    loaded = log.analyze(rec.prompt(153).replace(log.MODE, log.lora() + log.MODE))
    for found in (cached, loaded):
        assert found.loras.select("name", "rank", "strength").rows() == [
            ("lightx2v_I2V_14B_480p_cfg_step_distill_rank256_bf16", 256, "1.0")
        ]
        assert only_run(found)["lora_rank"] == 256


START = rec.line(
    "start", recorder="1.0.0", gpu="NVIDIA GeForce RTX 5090", vram=31.843, driver="570.86", torch="2.8.0+cu128",
    python="3.12.3", comfyui="0.3.64", arguments="--listen --lowvram",
)  # fmt: skip
PACKS = rec.line("packs", packs="ComfyUI-WanVideoWrapper@d9b1f4c, my_node")
IMPORTS = (
    "Import times for custom nodes:\n   0.0 seconds: /x/custom_nodes/my_node\n"
    "   0.1 seconds: /x/custom_nodes/ComfyUI-WanVideoWrapper\n"
)


@pytest.mark.parametrize(
    "banner",
    [
        f"{START}\n{PACKS}\n",
        log.BANNER.replace("Starting server", f"{START}\n{PACKS}\nStarting server"),
        log.BANNER.replace("Starting server", f"{START}\n{PACKS}\n{IMPORTS}Starting server"),
    ],
    ids=["alone", "in-a-banner", "above-import-times"],
)
def test_the_recorders_start_is_part_of_one_server_start(banner: str) -> None:
    found = log.analyze(banner + rec.prompt(153))
    assert (found.environment.height, found.prompts.height) == (1, 1)
    run = only_run(found)
    assert (run["gpu"], run["driver"], run["arguments"]) == ("NVIDIA GeForce RTX 5090", "570.86", "--listen --lowvram")
    assert (run["torch_version"], run["comfyui_version"]) == ("2.8.0+cu128", "0.3.64")
    assert run["custom_nodes"] == "ComfyUI-WanVideoWrapper d9b1f4c, my_node"
    assert run["total_vram_gib"] == 32607 / 1024


def test_a_restart_with_the_recorder_is_a_new_server() -> None:
    banner = log.BANNER.replace("Starting server", f"{START}\nStarting server")
    found = log.analyze((banner + rec.prompt(153)) * 2)
    assert (found.environment.height, found.runs.height) == (2, 2)


HEAD = log.ARRIVAL + rec.settings() + log.MODE + log.header(153, 3) + rec.window(1)
OUT_OF_MEMORY = rec.line(
    "end", status="failed", exception="OutOfMemoryError", node="27", class_="WanVideoSampler", seconds=42.0
)
TRACEBACK = (
    "!!! Exception during processing !!! boom\nTraceback (most recent call last):\n"
    '  File "/x/execution.py", line 5, in execute\n    x\nRuntimeError: boom\n'
)


@pytest.mark.parametrize(
    ("end", "status", "where", "seconds"),
    [
        (OUT_OF_MEMORY + "\n", "failed", "node 27 WanVideoSampler", 42.0),
        (OUT_OF_MEMORY + "\n" + log.EXECUTED, "failed", "node 27 WanVideoSampler", 80.36),
        (TRACEBACK + OUT_OF_MEMORY + "\n" + log.EXECUTED, "failed", "node 27 WanVideoSampler", 80.36),
        (rec.line("end", status="interrupted", seconds=3.0) + "\n", "interrupted", None, 3.0),
        (rec.line("end", status="completed", seconds=3.0) + "\n", "completed", None, 3.0),
        ("", "truncated", None, None),
    ],
)
def test_the_recorder_says_how_a_prompt_ended(end: str, status: str, where: str | None, seconds: float | None) -> None:
    prompt = log.analyze(HEAD + end).prompts.row(0, named=True)
    assert (prompt["status"], prompt["failed_in"], prompt["duration_s"]) == (status, where, seconds)


def test_the_message_of_the_exception_stays_beside_what_the_recorder_says() -> None:
    prompt = log.analyze(HEAD + TRACEBACK + OUT_OF_MEMORY + "\n" + log.EXECUTED).prompts.row(0, named=True)
    assert (prompt["error"], prompt["exception_type"]) == ("boom", "RuntimeError")


def test_a_traceback_followed_only_by_the_recorders_lines_left_its_node() -> None:
    traced = TRACEBACK.split("\n", 1)[1]
    node = rec.line("node", class_="WanVideoSampler", seconds=1.0)
    plain = log.analyze(without_recorder(HEAD) + traced + log.EXECUTED).prompts["status"].item()
    assert plain == log.analyze(HEAD + traced + node + "\n" + log.EXECUTED).prompts["status"].item() == "failed"


def test_steps_of_two_prompts_never_mix() -> None:
    found = log.analyze(rec.prompt(153) + rec.prompt(225, bars=False))
    assert found.runs["observed_windows"].to_list() == [2, 3]
    assert found.nodes["prompt_id"].to_list() == found.prompts["prompt_id"].to_list()


def test_recorded_steps_are_judged_like_measured_ones() -> None:
    step = '"window":3,"start":144,"end":225,"step":2,"steps":4,"seconds":'
    slow = log.analyze(rec.prompt(369).replace(f"{step}5.0", f"{step}11.0"), Q6)
    assert "TIM003" in rules(slow)
    assert not {"TIM003", "TIM004", "TIM005"} & set(slow.not_checked["rule"])


@pytest.mark.parametrize("broken", ['"step":0,', '"step":-1,', '"step":99999999,', '"seconds":-5.0,'])
def test_impossible_steps_are_left_out(broken: str) -> None:
    key, value = broken.rstrip(",").split(":")
    lines = rec.prompt(153).splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if '"window":1' in line and '"step":2' in line)
    old = {'"step"': '"step":2,', '"seconds"': '"seconds":5.0,'}[key]
    lines[place] = lines[place].replace(old, broken)
    steps = log.analyze("".join(lines)).steps.filter((pl.col("window") == 1) & (pl.col("step") == 2))
    assert steps["method"].to_list() == ["rate"], value


def test_a_cut_off_recorder_line_is_a_near_miss_and_the_run_stays() -> None:
    text = rec.prompt(153)
    place = text.index('"step":1,"steps":4')
    found = log.analyze(text[:place] + "\n" + text[place + 90 :])
    assert found.runs.height == 1
    assert found.near_misses["pattern"].to_list() == ["recorder-step"]
