"""Runs of ComfyUI's own nodes: windows by the lines between bars, steps by bars, models by what their load prints."""

from __future__ import annotations

from typing import Any

import logtext as log
import nativelogs as native
import polars as pl
import pytest

from loganalyzer.engine.read import tabulate
from loganalyzer.runs.cached_models import CachedModels
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

GGUF = "[INFO] gguf qtypes: F16 (821), Q4_K (360), Q6_K (120), F32 (2)\n"
ENCODER = "[INFO] gguf qtypes: F32 (73), Q5_K (145), Q6_K (24)\n"


def only_run(found: Analysis) -> dict[str, Any]:
    assert found.runs.height == 1, found.runs
    return found.runs.row(0, named=True)


def ranges(found: Analysis) -> list[tuple[int, int, str]]:
    return found.windows.sort("window").select("audio_start", "audio_end", "range_source").rows()


def rules(found: Analysis) -> set[str]:
    return set(found.findings["rule"])


def reasons(found: Analysis, rule: str) -> list[tuple[str, str]]:
    return found.not_checked.filter(pl.col("rule") == rule).select("kind", "reason").rows()


def test_a_prompt_is_one_run_with_a_window_for_each_line_and_one_more() -> None:
    found = log.analyze(native.BANNER + native.prompt(72, 144))
    run = only_run(found)
    assert (run["producer"], run["mode"], run["status"], run["steps"]) == ("core", "infinitetalk", "completed", 4)
    assert (run["window_frames"], run["motion_frames"], run["output_frames"]) == (81, 9, 225)
    assert (run["observed_windows"], run["expected_windows"], run["audio_frames"]) == (3, None, None)
    assert (run["prompt_s"], run["gpu"]) == (118.2, "NVIDIA GeForce RTX 4090")
    assert ranges(found) == [(0, 81, "inferred"), (72, 153, "line"), (144, 225, "line")]
    assert rules(found) == set()


def test_another_length_and_overlap_show_in_the_lines() -> None:
    found = log.analyze(native.prompt(40, 80, length=65))
    run = only_run(found)
    assert (run["window_frames"], run["motion_frames"], run["output_frames"]) == (65, 25, 145)
    assert ranges(found)[0] == (0, 65, "inferred")
    assert rules(found) == {"SCH004"}
    assert "Set length to 81 and motion_frame_count to 9" in found.findings["fix"][0]


def test_a_first_window_of_another_length_ends_where_the_second_begins_to_repeat_it() -> None:
    found = log.analyze(native.prompt(112, 184))
    assert ranges(found)[0] == (0, 121, "inferred")
    assert only_run(found)["output_frames"] == 265
    assert rules(found) == set()


def test_every_rate_under_dynamic_vram_is_the_steps_own_time() -> None:
    found = log.analyze(native.prompt(72))
    steps = found.steps.filter(pl.col("window") == 2)
    assert steps["duration_s"].to_list() == list(native.STEPS)
    assert steps["uncertainty_s"].max() <= 0.0051
    assert found.windows["total_s"].to_list() == [pytest.approx(sum(native.STEPS))] * 2
    assert only_run(found)["sampling_s"] == pytest.approx(2 * sum(native.STEPS))
    assert only_run(found)["decode_s"] is None


def test_a_first_step_that_loads_for_minutes_moves_the_clock_back_and_is_read_all_the_same() -> None:
    steps = (95.2, 6.4, 6.5, 6.6)
    found = log.analyze(native.prompt(72, bar=native.dynamic(steps)))
    assert found.windows.height == 2
    assert found.steps["duration_s"].to_list() == [*steps, *steps]
    assert "TIM003" not in rules(found)


def test_rates_without_dynamic_vram_are_smoothed() -> None:
    found = log.analyze(native.prompt(72, bar=native.smoothed()))
    error = (found.steps["duration_s"] - pl.Series([*native.STEPS] * 2)).abs()
    assert (error <= found.steps["uncertainty_s"]).all()
    assert found.steps["uncertainty_s"].max() < 0.06


def test_a_lost_refresh_leaves_its_steps_untimed_and_not_the_others() -> None:
    bar = native.dynamic().replace(native.refresh(2, 4, 2 * 6.42, " 6.42s/it"), "")
    steps = log.analyze(native.prompt(72, bar=bar)).steps.filter(pl.col("window") == 2).sort("step")
    assert steps["step"].to_list() == [1, 2, 3, 4]
    assert steps["duration_s"].to_list() == [9.31, None, None, 6.37]


def test_a_capture_that_keeps_closing_refreshes_tells_each_windows_time() -> None:
    text = native.ARRIVAL + native.wants() + native.closed(4, 6.51)
    text += native.reads(72, 153) + native.wants() + native.closed(4, 6.8)
    text += native.reads(144, 225) + native.closed(4, 6.6) + native.EXECUTED
    found = log.analyze(text)
    assert found.windows.sort("window")["sampling_s"].to_list() == [pytest.approx(s) for s in (26.04, 27.2, 26.4)]
    assert found.windows["steps_done"].to_list() == [4, 4, 4]
    assert only_run(found)["total_s"] == pytest.approx(79.64)


def test_a_log_of_level_detail_tells_size_steps_and_ranges_without_any_bar() -> None:
    text = native.detail() + native.reads(72, 153) + native.detail() + native.reads(144, 225) + native.detail()
    found = log.analyze(native.ARRIVAL + native.wants() + text + native.EXECUTED)
    run = only_run(found)
    assert (run["width"], run["height"], run["steps"], run["observed_windows"]) == (832, 480, 4, 3)
    assert ranges(found) == [(0, 81, "inferred"), (72, 153, "line"), (144, 225, "line")]
    assert found.windows["steps_done"].to_list() == [None] * 3
    assert ("log", "the log has neither the memory report nor the last window's last step") in reasons(found, "RUN001")


def test_details_beside_bars_tell_a_single_window_once() -> None:
    text = native.ARRIVAL + native.SPEECH + native.wants() + native.detail(65) + native.dynamic() + native.EXECUTED
    found = log.analyze(text)
    assert (only_run(found)["width"], only_run(found)["observed_windows"]) == (832, 1)
    assert len(found.steps) == 4


def test_one_window_is_infinitetalk_where_the_speech_encoder_was_loaded() -> None:
    found = log.analyze(native.prompt())
    run = only_run(found)
    assert (run["mode"], run["output_frames"], run["schedule_observed"]) == ("infinitetalk", 81, False)
    assert ranges(found) == [(0, 81, "inferred")]
    assert [kind for kind, _ in reasons(found, "SCH001")] == ["not-applicable"]


def test_one_window_is_infinitetalk_where_its_adapter_was_loaded() -> None:
    adapter = native.stored("/srv/ComfyUI/models/model_patches/wan2.1_infiniteTalk_single_fp16.safetensors")
    run = only_run(log.analyze(native.prompt(loads=adapter)))
    assert (run["mode"], run["adapter_quantization"]) == ("infinitetalk", "fp16")


@pytest.mark.parametrize("model", ["WAN21", "WAN21_HuMo", "WAN22_S2V", "WAN22_Animate", "WAN21_Vace"])
def test_other_stages_of_wan_models_are_plain_ones(model: str) -> None:
    speech = "" if model == "WAN21" else native.SPEECH
    text = native.ARRIVAL + speech + native.wants(model) + native.dynamic() + native.EXECUTED
    found = log.analyze(text)
    run = only_run(found)
    assert (run["producer"], run["mode"], run["steps"], run["window_frames"]) == ("core", "plain", 4, None)
    assert found.windows["audio_start"].to_list() == [None]


def test_the_size_of_a_plain_stage_is_in_a_detailed_log() -> None:
    text = native.wants("WAN21_HuMo") + native.detail(97, 1280, 720, model="WAN21_HuMo") + native.dynamic()
    run = only_run(log.analyze(native.ARRIVAL + text + native.EXECUTED))
    assert (run["output_frames"], run["width"], run["height"]) == (97, 1280, 720)


def test_context_windows_are_no_audio_windows() -> None:
    said = "[INFO] \nUsing context windows: Context length 21 with overlap 3 for 41 frames.\n"
    said += "".join(f"[INFO] Context window {k}/3: frames {18 * k - 18}-{18 * k + 2} of 41\n" for k in (1, 2, 3))
    text = native.wants() + native.dynamic(done=0) + said + native.dynamic().split("?it/s", 2)[2] + native.EXECUTED
    found = log.analyze(native.ARRIVAL + text)
    run = only_run(found)
    assert (run["mode"], run["output_frames"], run["observed_windows"]) == ("plain", 161, 1)
    assert found.windows["audio_start"].to_list() == [None]


def test_bars_of_other_models_are_no_stages() -> None:
    image = native.wants("Flux2") + native.dynamic((1.2,) * 8)
    found = log.analyze(native.ARRIVAL + image + native.SPEECH + native.windows(72) + image + native.EXECUTED)
    assert found.windows.height == 2
    assert found.steps.height == 8
    assert log.analyze(native.ARRIVAL + image + native.EXECUTED).runs.is_empty()


def test_a_wrappers_run_between_bars_of_other_models_keeps_its_producer() -> None:
    image = native.wants("Flux2") + native.dynamic((1.2,) * 8)
    run = only_run(log.analyze(log.ARRIVAL + image + log.run(153) + image + log.EXECUTED))
    assert (run["producer"], run["output_frames"], run["observed_windows"]) == ("wrapper", 153, 2)


def test_a_bar_behind_the_samplers_is_another_nodes() -> None:
    upscaler = native.smoothed((0.5,) * 12)
    found = log.analyze(native.ARRIVAL + native.SPEECH + native.windows(72) + upscaler + native.EXECUTED)
    assert found.windows["steps_total"].to_list() == [4, 4]
    single = log.analyze(native.ARRIVAL + native.wants() + native.smoothed() + upscaler + native.EXECUTED)
    assert (single.runs.height, single.steps.height) == (1, 4)


def test_two_chains_in_a_prompt_are_two_runs() -> None:
    text = native.ARRIVAL + native.SPEECH + native.windows(72, 144) + native.windows(72) + native.EXECUTED
    found = log.analyze(text)
    assert found.runs["observed_windows"].to_list() == [3, 2]
    assert found.runs["output_frames"].to_list() == [225, 153]
    assert rules(found) == set()


def test_a_window_that_was_cached_is_not_invented() -> None:
    text = native.ARRIVAL + native.reads(144, 225) + native.wants() + native.dynamic() + native.EXECUTED
    found = log.analyze(text)
    seen = found.windows.filter(pl.col("audio_start").is_not_null())
    assert seen.select("window", "audio_start", "audio_end").rows() == [(3, 144, 225)]
    assert rules(found) == set()


def test_a_prompt_that_fails_in_its_second_window_is_a_failed_run() -> None:
    text = native.SPEECH + native.wants() + native.dynamic() + native.reads(72, 153) + native.dynamic(done=1)
    found = log.analyze(
        native.ARRIVAL + text + "\n!!! Exception during processing !!! Allocation on device \n" + native.EXECUTED
    )
    run = only_run(found)
    assert (run["status"], run["observed_windows"], run["output_frames"]) == ("failed", 2, None)
    assert "RUN001" in rules(found) or "RUN002" in rules(found)


def test_a_range_that_is_read_again_is_one_error_with_the_way_out() -> None:
    found = log.analyze(native.prompt(72, 72, 72))
    assert rules(found) == {"SCH001"}
    finding = found.findings.row(0, named=True)
    assert finding["severity"] == "error"
    assert finding["message"].startswith("Windows 3–4 read audio 72-153 again")
    assert "Expected 144-225 for window 3" in finding["message"]
    assert "previous_frames" in finding["fix"]
    assert only_run(found)["output_frames"] == 297


def test_a_range_read_again_once_names_one_window() -> None:
    found = log.analyze(native.prompt(72, 72))
    assert found.findings["message"].to_list()[0].startswith("Window 3 reads audio 72-153 again")


def test_a_range_off_the_schedule_that_repeats_none_is_an_error_as_well() -> None:
    found = log.analyze(native.prompt(72, 144, 225))
    assert rules(found) == {"SCH001"}
    assert "Window 4 reads audio 225-306" in found.findings["message"][0]
    assert "motion_frame_count" in found.findings["fix"][0]


def test_without_the_audios_length_nothing_is_said_of_its_end() -> None:
    found = log.analyze(native.prompt(72))
    assert only_run(found)["missing_frames"] is None
    assert [(kind, "--audio" in reason) for kind, reason in reasons(found, "AUD001")] == [("log", True)]
    assert [kind for kind, _ in reasons(found, "SCH003")] == ["not-applicable"]
    assert not only_run(found)["complete"]


@pytest.mark.parametrize(("seconds", "frames", "missing"), [(9.04, 225, 0), (9.0, 224, 1), (8.0, 199, 26)])
def test_with_the_audios_length_what_the_last_window_lacks_is_missing(
    seconds: float, frames: int, missing: int
) -> None:
    found = log.analyze(native.prompt(72, 144), Settings(audio_s=seconds))
    run = only_run(found)
    assert (run["audio_frames"], run["missing_frames"], run["aligned"]) == (frames, missing, missing == 0)
    assert rules(found) == ({"AUD001"} if missing else set())
    assert run["complete"]


def test_a_failed_native_run_tells_of_the_end_only_where_it_came_there() -> None:
    failed = "\n!!! Exception during processing !!! Allocation on device \n" + native.EXECUTED
    text = native.ARRIVAL + native.SPEECH + native.windows(72) + native.reads(144, 225) + failed
    assert only_run(log.analyze(text, Settings(audio_s=30.0)))["missing_frames"] is None
    assert only_run(log.analyze(text, Settings(audio_s=9.0)))["missing_frames"] == 1


def test_a_short_native_audio_says_what_drives_its_end() -> None:
    found = log.analyze(native.prompt(), Settings(audio_s=2.0))
    message = found.findings.filter(pl.col("rule") == "AUD001")["message"].to_list()
    assert len(message) == 1
    assert message[0].startswith("32 frames (1.28 s) have no audio")
    assert "the first embedding" in message[0]
    assert rules(found) == {"AUD001"}


@pytest.mark.parametrize(("seconds", "fires"), [(11.86, False), (11.9, True)])
def test_audio_that_fills_a_further_window_is_told_and_less_is_not(seconds: float, fires: bool) -> None:
    found = log.analyze(native.prompt(72, 144), Settings(audio_s=seconds))
    assert ("SCH003" in rules(found)) == fires
    if fires:
        assert "297 frames" in found.findings["fix"][0]


def test_the_wrappers_runs_do_not_take_the_audio_given_for_native_ones() -> None:
    run = only_run(log.analyze(log.prompt(153), Settings(audio_s=2.0)))
    assert (run["audio_frames"], run["missing_frames"]) == (153, 0)


def test_the_auto_sampler_tells_its_audio_and_cuts_what_is_beyond_it() -> None:
    found = log.analyze(native.looped(10.0, 250, 72, 144, 216))
    run = only_run(found)
    assert (run["producer"], run["audio_frames"], run["announced_windows"]) == ("autosampler", 250, 4)
    assert (run["observed_windows"], run["expected_windows"], run["missing_frames"]) == (4, 4, 47)
    assert (run["output_frames"], run["audio_s"]) == (297, 10.0)
    assert ranges(found)[0] == (0, 81, "inferred")
    assert rules(found) == set()
    assert run["complete"]


def test_an_auto_sampler_of_one_pass_is_a_run() -> None:
    run = only_run(log.analyze(native.looped(2.0, 50)))
    assert (run["observed_windows"], run["expected_windows"], run["audio_frames"]) == (1, 1, 50)


def test_two_auto_samplers_in_a_prompt_are_two_runs() -> None:
    text = native.looped(10.0, 250, 72, 144, 216).replace(native.EXECUTED, "")
    found = log.analyze(text + native.looped(6.12, 153, 72).replace(native.ARRIVAL, ""))
    assert found.runs["observed_windows"].to_list() == [4, 2]


def test_an_auto_sampler_that_stops_early_lacks_windows() -> None:
    found = log.analyze(native.looped(10.0, 250, 72, 144))
    assert "SCH003" in rules(found)


@pytest.mark.parametrize(
    ("load", "quantization"),
    [
        (GGUF, "Q4_K_M"),
        ("[INFO] gguf qtypes: F16 (694), Q4_K (356), Q5_K (44), F32 (1)\n", "Q4_K_S"),
        ("[INFO] gguf qtypes: F32 (823), Q8_0 (480)\n", "Q8_0"),
        (ENCODER + GGUF, "Q4_K_M"),
        (ENCODER, None),
        ("[INFO] gguf qtypes: F32 (836), Q4_K (345), Q6_K (144), F16 (6)\n", None),
        (native.stored("/srv/models/diffusion_models/wan2.1_i2v_480p_14B_fp8_e4m3fn.safetensors"), "fp8_e4m3fn"),
        (native.stored("/srv/models/diffusion_models/wan2.1_i2v_720p_14B_fp8_scaled.safetensors"), "fp8_scaled"),
        (native.stored("D:\\ai\\models\\diffusion_models\\wan2.1_i2v_480p_14B_fp16.safetensors"), "fp16"),
        (native.stored("/srv/models/unet/sub/Wan2_1-I2V-14B_bf16.safetensors"), "bf16"),
        (native.stored("/srv/models/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors"), None),
        (native.stored("/srv/models/diffusion_models/renamed.safetensors"), None),
        (
            native.stored("/srv/models/diffusion_models/flux1-dev_fp8.safetensors")
            + native.stored("/srv/models/diffusion_models/wan2.1_i2v_480p_14B_fp16.safetensors"),
            "fp16",
        ),
        (
            native.stored("/srv/models/diffusion_models/wan2.1_i2v_480p_14B_fp16.safetensors")
            + native.stored("/srv/models/diffusion_models/wan2.2_i2v_high_fp8_scaled.safetensors"),
            None,
        ),
        ("[INFO] Model storage policy: fast_disk=True paths=[]\n" + GGUF, "Q4_K_M"),
    ],
)
def test_the_load_names_the_quantization_or_nothing_does(load: str, quantization: str | None) -> None:
    run = only_run(log.analyze(native.prompt(72, loads=load + native.SPEECH)))
    assert run["quantization"] == quantization
    assert run["quantization_source"] == ("log" if quantization else None)


def test_the_logs_quantization_goes_before_a_declared_one_which_it_contradicts() -> None:
    found = log.analyze(native.prompt(72, loads=GGUF), Settings(quantization="Q6_K"))
    run = only_run(found)
    assert (run["quantization"], run["quantization_source"]) == ("Q4_K_M", "log")
    assert found.findings.filter(rule="MOD003")["severity"].to_list() == ["error"]


def test_a_load_of_an_earlier_prompt_tells_nothing_of_this_one() -> None:
    found = log.analyze(native.prompt(72, loads=GGUF) + native.prompt(72))
    assert found.runs["quantization"].to_list() == ["Q4_K_M", None]


def test_native_runs_are_held_against_no_figure_that_the_wrapper_was_measured_with() -> None:
    text = native.detail(81, 1280, 720) + native.dynamic((30.0, 30.0, 30.0, 30.0))
    found = log.analyze(native.BANNER + native.ARRIVAL + native.SPEECH + native.wants() + text + native.EXECUTED)
    assert rules(found) == set()
    assert {"TIM001", "TIM002"} <= set(found.not_checked["rule"])


def test_native_runs_have_no_cost_to_be_held_against() -> None:
    dear = native.prompt(72, loads=GGUF.replace("Q4_K (360), Q6_K (120)", "Q6_K (480)") + native.SPEECH)
    found = log.analyze(dear.replace("118.20", "900.00"), Settings(price_per_hour=2.0))
    assert only_run(found)["quantization"] == "Q6_K"
    assert rules(found) == set()
    assert [kind for kind, _ in reasons(found, "CST001")] == ["not-applicable"]


def test_slow_first_steps_of_native_windows_are_warm_up_and_other_slow_steps_are_outliers() -> None:
    calm = native.dynamic((19.0, 6.4, 6.5, 6.4))
    assert "TIM003" not in rules(log.analyze(native.prompt(72, 144, bar=calm)))
    odd = native.windows(72, 144, bar=calm) + native.reads(216, 297) + native.dynamic((9.0, 6.4, 14.0, 6.4))
    assert "TIM003" in rules(log.analyze(native.ARRIVAL + native.SPEECH + odd + native.EXECUTED))


def test_lines_of_native_runs_are_all_in_a_known_form() -> None:
    text = native.prompt(72, 144, loads=GGUF + native.SPEECH) + native.looped(10.0, 250, 72)
    assert log.analyze(text).near_misses.is_empty()


def test_damaged_ranges_are_left_out() -> None:
    for line in (native.reads(153, 72), native.reads(5, 5), native.reads(10**30, 10**31)):
        found = log.analyze(native.prompt(72) + native.ARRIVAL + line + native.EXECUTED)
        assert found.windows.filter(pl.col("audio_start") >= pl.col("audio_end")).is_empty()


@pytest.mark.parametrize("size", [300, 2_000])
def test_a_log_read_in_pieces_gives_the_same_runs(size: int) -> None:
    text = native.BANNER + (native.prompt(72, 144, loads=GGUF + native.SPEECH) + native.looped(10.0, 250, 72)) * 3
    whole, parted = (
        tabulate([from_bytes("a.log", text.encode())], Settings(), chunk_bytes=pieces).frames
        for pieces in (1 << 20, size)
    )
    for name in ("prompts", "runs", "windows", "steps"):
        assert whole[name].equals(parted[name]), name


DTYPE = "[INFO] model weight dtype torch.float16, manual cast: None\n"
Q8 = "[INFO] gguf qtypes: F16 (821), Q8_0 (480), F32 (2)\n"


def quantizations(*prompts: str, banner: str = native.BANNER) -> list[str | None]:
    return log.analyze(banner + "".join(prompts)).runs["quantization"].to_list()


def loading(*lines: str) -> str:
    return native.prompt(72, loads="".join(lines) + native.SPEECH)


CACHED = native.prompt(72)


def test_a_prompt_that_loads_no_model_uses_the_one_that_its_server_loaded_before() -> None:
    found = log.analyze(native.BANNER + loading(GGUF, DTYPE) + CACHED + CACHED)
    assert found.runs["quantization"].to_list() == ["Q4_K_M"] * 3
    assert found.runs["quantization_source"].to_list() == ["log"] * 3


def test_a_model_that_stayed_loaded_is_not_known_where_two_were_loaded() -> None:
    first, second = loading(GGUF, DTYPE), loading(Q8, DTYPE)
    assert quantizations(first, CACHED, second, CACHED) == ["Q4_K_M", "Q4_K_M", "Q8_0", None]
    assert quantizations(first, first, CACHED) == ["Q4_K_M"] * 3


def test_a_loaded_model_that_no_line_names_leaves_later_ones_unknown() -> None:
    assert quantizations(loading(GGUF, DTYPE), loading(DTYPE), CACHED) == ["Q4_K_M", None, None]
    assert quantizations(loading(DTYPE), CACHED) == [None, None]


def test_a_server_that_starts_anew_has_nothing_loaded() -> None:
    assert quantizations(loading(GGUF, DTYPE), native.BANNER, CACHED) == ["Q4_K_M", None]


def test_nothing_stayed_loaded_where_the_start_of_the_server_is_not_in_the_log() -> None:
    assert quantizations(loading(GGUF, DTYPE), CACHED, banner="") == ["Q4_K_M", None]


def test_parts_of_a_long_log_know_what_the_parts_before_loaded() -> None:
    runs = log.analyze(native.BANNER + loading(GGUF, DTYPE) + CACHED + loading(Q8, DTYPE) + CACHED).runs
    unread = runs.with_columns(pl.Series("quantization", ["Q4_K_M", None, "Q8_0", None]))
    models = CachedModels()
    parts = [models.with_cached_quantization(unread[number : number + 1])["quantization"][0] for number in range(4)]
    assert parts == ["Q4_K_M", "Q4_K_M", "Q8_0", None]
