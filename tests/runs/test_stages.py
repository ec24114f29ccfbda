"""What a stage is, in every loop and era, and what may be said of it."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

from loganalyzer.settings.model import Settings


def only_run(text: str) -> dict[str, object]:
    return log.analyze(text).runs.row(0, named=True)


def test_an_aligned_run_announces_one_window_too_many_and_misses_nothing() -> None:
    run = only_run(log.prompt(369))
    assert (run["announced_windows"], run["expected_windows"], run["observed_windows"]) == (6, 5, 5)
    assert (run["aligned"], run["missing_frames"]) == (True, 0)


def test_missing_frames_are_need_minus_have_not_the_padding_length() -> None:
    run = only_run(log.prompt(427))
    assert (run["missing_frames"], run["aligned"], run["mirrored"]) == (14, False, False)


def test_missing_frames_are_computed_where_the_warning_is_not_in_the_log() -> None:
    text = log.prompt(427).replace(log.padding(427, 441), "")
    assert only_run(text)["missing_frames"] == 14


def shapes(*frames: int) -> str:
    return f"Multitalk audio features shapes (per speaker): [{', '.join(f'({count}, 12, 768)' for count in frames)}]\n"


@pytest.mark.parametrize(("frames", "missing"), [((369,), 0), ((369, 300), 69), ((369, 420), 0), ((369, 400, 360), 9)])
def test_a_shorter_speaker_is_told_by_the_lengths_where_no_warning_is_in_the_log(
    frames: tuple[int, ...], missing: int
) -> None:
    text = log.prompt(369).replace(log.padding(369, 369), "").replace(log.MODE, shapes(*frames) + log.MODE)
    run = only_run(text)
    assert (run["missing_frames"], run["shortest_frames"]) == (missing, min(frames))


def test_a_shorter_speaker_is_told_by_the_lengths_where_only_the_first_ones_warning_is_in_the_log() -> None:
    run = only_run(log.prompt(369).replace(log.MODE, shapes(369, 300) + log.MODE))
    assert (run["missing_frames"], run["mirrored"]) == (69, False)


@pytest.mark.parametrize("lengths", ["", shapes(153, 100)], ids=["no lengths", "another run's"])
@pytest.mark.parametrize(("audio", "missing"), [(369, 0), (368, 1), (427, 14)])
def test_the_headers_length_and_the_last_range_tell_what_is_missing(lengths: str, audio: int, missing: int) -> None:
    end = audio + missing
    text = log.prompt(audio).replace(log.padding(audio, end), "").replace(log.MODE, lengths + log.MODE)
    found = log.analyze(text)
    assert found.runs["missing_frames"].item() == missing
    assert "AUD001" not in found.not_checked["rule"].to_list()


def test_the_last_windows_bar_alone_tells_what_is_missing() -> None:
    text = log.ARRIVAL + log.MODE + log.header(427, 6) + log.window(360, 441) + log.memory() + log.EXECUTED
    assert log.analyze(text).runs["missing_frames"].item() == 14


def test_without_the_last_window_nothing_is_known_of_the_audios_end() -> None:
    text = log.prompt(427).replace(log.padding(427, 441), "").replace(log.window(360, 441), "")
    assert log.analyze(text).runs["missing_frames"].item() is None


def test_a_speaker_shorter_than_a_single_window_repeats_its_last_embedding() -> None:
    found = log.analyze(log.prompt(81).replace(log.MODE, shapes(81, 50) + log.MODE))
    message = found.findings.filter(pl.col("rule") == "AUD005")["message"].item()
    assert message.startswith("The shortest speaker's audio fills 50 of the 81 frames of the window")


def test_windows_below_the_plain_samplers_header_are_another_stage_whose_header_is_lost() -> None:
    plain = "Sampling 81 frames at 1280x720 with 4 steps\n" + log.memory()
    windowed = log.run(427).replace("Sampling 427 frames in", "Rendering 427 frames in")
    runs = log.analyze(log.ARRIVAL + plain + windowed + log.EXECUTED).runs
    assert runs.select("mode", "observed_windows", "missing_frames").rows() == [
        ("plain", 0, None),
        ("infinitetalk", 6, 14),
    ]


def test_a_mode_line_that_names_another_loop_is_not_believed() -> None:
    run = only_run(log.prompt(427).replace("infinitetalk", "s2v"))
    assert (run["mode"], run["missing_frames"], run["expected_windows"]) == (None, 14, 6)


@pytest.mark.parametrize(
    ("report", "covers", "era"),
    [
        (log.memory(), "stage", "2025-09-06..2025-12-01"),
        (log.memory_2026(), "last-decode", "2025-12-01.."),
        (
            "[Sampling] Allocated memory: memory=0.1 GB\n" + log.memory_2026(0.138),
            "residue",
            "2025-12-01..2025-12-31",
        ),
        ("Max allocated memory: max_memory=9.0 GB\n", "stage", "2025-09-06..2025-12-01"),
        ("", None, "2025-09-06.."),
    ],
    ids=["to November 2025", "2026", "December 2025", "one line of the old form", "none"],
)
def test_what_the_printed_peak_covers_follows_from_its_form(report: str, covers: str | None, era: str) -> None:
    run = only_run(log.prompt(report=report))
    assert (run["peak_covers"], run["wrapper_era"]) == (covers, era)


def test_the_plain_samplers_peak_is_right_in_every_era() -> None:
    header = "81 frames at 832x480 (Input sequence length: 32760) with 4 steps\n"
    run = only_run(log.ARRIVAL + header + log.memory_2026() + log.EXECUTED)
    assert (run["mode"], run["peak_covers"], run["expected_windows"]) == ("plain", "stage", None)


def test_reports_of_vae_phases_are_rows_but_not_the_stages_peak() -> None:
    decode = log.memory_2026(7.0).replace("Sampling", "WanVAE decode")
    text = log.prompt(report=decode + log.memory_2026(9.0))
    found = log.analyze(text)
    assert found.runs["peak_allocated_gib"].item() == 9.0
    assert found.memory["phase"].to_list() == ["WanVAE decode", "Sampling"]


def test_skyreels_drops_frames_so_its_overlap_shows_more_than_its_motion() -> None:
    text = log.ARRIVAL + "Multitalk mode: skyreelsv3\n" + log.header(145, 3) + log.window(0, 81) + log.window(64, 145)
    run = only_run(text + log.memory_2026() + log.EXECUTED)
    assert (run["window_frames"], run["motion_frames"], run["drop_frames"]) == (81, 5, 12)
    assert (run["expected_windows"], run["aligned"]) == (2, True)


def test_an_overlap_smaller_than_the_dropped_frames_shows_that_none_were_dropped() -> None:
    text = log.ARRIVAL + "Multitalk mode: skyreelsv3\n" + log.header(157, 3) + log.window(0, 81) + log.window(76, 157)
    run = only_run(text + log.memory_2026() + log.EXECUTED)
    assert (run["motion_frames"], run["drop_frames"]) == (5, 0)


def test_windows_side_by_side_under_a_header_without_mode_are_s2v() -> None:
    run = only_run(log.ARRIVAL + log.header(160, 2) + log.window(0, 80) + log.window(80, 160) + log.EXECUTED)
    assert (run["mode"], run["expected_windows"]) == ("s2v", 2)


def test_short_audio_that_ran_two_windows_is_of_the_time_when_it_did() -> None:
    text = log.ARRIVAL + log.MODE + log.header(40, 1) + log.window(0, 81) + log.window(72, 153) + log.EXECUTED
    found = log.analyze(text)
    assert found.runs["expected_windows"].item() == 2
    assert found.findings.filter(pl.col("rule").str.starts_with("SCH")).is_empty()


def test_the_first_revisions_show_windows_without_ranges() -> None:
    outer = "\rGenerating video clips:   0%|          | 0/1 [00:00<?, ?it/s]"
    bare = "".join(
        f"\r{100 * n // 2:3d}%|{'#' * n}| {n}/2 [00:{5 * n:02}<00:05,  5.00s/it]" for n in (0, 1, 2)
    ) + "\r100%|##| 2/2 [00:12<00:00,  6.00s/it]\n"  # fmt: skip
    text = (
        log.ARRIVAL
        + "Multitalk audio features shapes (per speaker): [(153, 12, 768)]\n"
        + "Sampling 81 frames at 832x480 with 2 steps\n"
        + outer
        + bare
        + bare
        + log.memory()
        + log.EXECUTED
    )
    found = log.analyze(text)
    run = found.runs.row(0, named=True)
    assert (run["mode"], run["audio_frames"], run["observed_windows"], run["expected_windows"]) == (None, 153, 2, 2)
    assert found.windows["audio_start"].null_count() == 2
    assert found.windows["total_s"].to_list() == [12.0, 12.0]


def test_a_log_without_bars_has_no_observed_windows_and_says_what_was_not_checked() -> None:
    text = log.ARRIVAL + log.MODE + log.header(153, 3) + log.padding(153, 153) + log.memory() + log.EXECUTED
    found = log.analyze(text)
    assert found.runs["observed_windows"].item() is None
    assert found.findings["rule"].to_list().count("LOG003") == 1
    assert {"SCH001", "SCH003"} <= set(found.not_checked["rule"])


def test_a_window_that_was_never_seen_has_a_row_with_its_expected_range() -> None:
    text = log.ARRIVAL + log.MODE + log.header(250, 4) + log.window(0, 81) + log.window(72, 153, done=2)
    windows = log.analyze(text).windows
    assert windows["expected_start"].to_list() == [0, 72, 144, 216]
    assert windows["audio_start"].to_list() == [0, 72, None, None]
    assert windows["steps_done"].to_list() == [4, 2, None, None]


def test_a_lost_window_keeps_its_place_in_the_schedule() -> None:
    text = log.ARRIVAL + log.MODE + log.header(225, 4) + log.window(72, 153) + log.window(144, 225) + log.EXECUTED
    assert log.analyze(text).windows.filter(pl.col("audio_start").is_not_null())["window"].to_list() == [2, 3]


def test_another_overlap_is_observed_and_its_own_schedule_expected() -> None:
    windows = "".join(log.window(k * 56, k * 56 + 81) for k in range(4))
    run = only_run(log.ARRIVAL + log.MODE + log.header(249, 5) + windows + log.memory() + log.EXECUTED)
    assert (run["motion_frames"], run["expected_windows"], run["aligned"]) == (25, 4, True)


def test_a_configured_schedule_stands_in_where_a_single_window_shows_none() -> None:
    text = log.ARRIVAL + log.MODE + log.header(60, 1) + log.window(0, 81) + log.memory() + log.EXECUTED
    run = log.analyze(text, Settings(motion_frames=25)).runs.row(0, named=True)
    assert (run["motion_frames"], run["schedule_observed"]) == (25, False)


def test_a_window_too_short_for_the_configured_overlap_is_still_a_window() -> None:
    text = log.ARRIVAL + log.MODE + log.header(5, 1) + log.window(0, 9) + log.memory() + log.EXECUTED
    found = log.analyze(text)
    assert found.runs.select("window_frames", "motion_frames", "expected_windows").row(0) == (9, 0, 1)
    assert found.windows.select("window", "matches").rows() == [(1, True)]
    assert found.steps["window"].to_list() == [1, 1, 1, 1]


def test_a_cut_out_without_header_still_says_how_much_audio_is_missing_and_what_to_do() -> None:
    text = log.window(0, 81) + log.window(72, 153) + log.padding(149, 225) + log.window(144, 225) + log.memory()
    finding = log.analyze(text).findings.filter(pl.col("rule") == "AUD001").row(0, named=True)
    assert finding["message"].startswith("76 frames (3.04 s) have no audio")
    assert "render 81 frames (3.24 s)" in finding["fix"]


RENAMED = log.prompt(427).replace("Sampling ", "Rendering ")


def test_a_run_whose_header_and_bars_are_both_renamed_is_there_by_its_mode_and_padding() -> None:
    found = log.analyze(log.BANNER + RENAMED)
    assert found.runs.select("mode", "missing_frames", "observed_windows").rows() == [("infinitetalk", 14, None)]
    assert "AUD001" in found.findings["rule"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        log.ARRIVAL + log.MODE + "Prompt executed in 3.00 seconds\n",
        log.ARRIVAL + log.MODE + log.EXECUTED + log.ARRIVAL + log.padding(427, 441) + log.EXECUTED,
        log.ARRIVAL + log.MODE + "[WanVAE decode] Max allocated memory: max_memory=5.250 GB\n" + log.EXECUTED,
        log.ARRIVAL + log.MODE + log.EXECUTED + log.memory(),
    ],
    ids=["nothing behind it", "another prompt's padding", "a report of the decoder", "a report behind the end"],
)
def test_a_mode_alone_is_no_run(text: str) -> None:
    assert log.analyze(text).runs.is_empty()


def test_of_two_modes_each_has_its_own_run_though_one_lacks_header_and_bars() -> None:
    found = log.analyze(log.ARRIVAL + RENAMED.split(log.ARRIVAL)[1].split("Prompt executed")[0] + log.run(250))
    assert found.runs["missing_frames"].to_list() == [14, 47]


def test_a_bar_whose_clock_runs_backwards_gives_no_negative_steps() -> None:
    desc = "Sampling audio indices 0-81"
    bar = (
        log.refresh(desc, 0, 8, 0, "?it/s")
        + log.refresh(desc, 4, 8, 20, " 5.00s/it")
        + log.refresh(desc, 8, 8, 9, " 1.00s/it")
    )
    steps = log.analyze(log.MODE + log.header(81, 1, steps=8) + bar + "\n" + log.EXECUTED).steps
    assert steps["duration_s"].drop_nulls().min() >= 0
    assert steps["uncertainty_s"].drop_nulls().min() >= 0


def test_a_style_loras_rank_does_not_hide_the_speed_loras() -> None:
    style = "Loading LoRA: styles\\my style_rank16 with strength: [1.0, 0.5]\n"
    found = log.analyze(log.ARRIVAL + log.lora(64) + style + log.run() + log.EXECUTED)
    assert found.runs["lora_rank"].item() == 64
    assert found.loras["rank"].to_list() == [64, 16]


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("run.log", Settings(quantization="q6_k"), ("Q6_K", "option")),
        ("run_Q8_0.log", Settings(quantization="Q6_K"), ("Q6_K", "option")),
        ("logs/Wan2.1-Q8_0.log", Settings(), ("Q8_0", "filename")),
        ("run.log", Settings(), ("Q6_K", "vram")),
    ],
)
def test_the_quantisation_comes_with_its_source(name: str, settings: Settings, expected: tuple[str, str]) -> None:
    run = log.analyze(log.prompt(), settings, name=name).runs.row(0, named=True)
    assert (run["quantization"], run["quantization_source"]) == expected


@pytest.mark.parametrize("report", [log.memory_2026(15.0), log.memory(16.5), ""])
def test_no_quantisation_is_inferred_from_what_is_no_peak_or_fits_no_band(report: str) -> None:
    assert only_run(log.prompt(report=report))["quantization"] is None


@pytest.mark.parametrize(
    "line",
    [
        "Sampling 999999999999999999 frames in 1 windows, at 1280x720 with 4 steps\n",
        "Sampling 99999999999999999999999 frames in 1 windows, at 0x0 with 0 steps\n",
        "Sampling -5 frames in -1 windows, at -1x-1 with -1 steps\n",
        "\rSampling audio indices 0-81: 100%|#| 999999999/999999999 [00:05<00:00,  5.00s/it]\n",
        "\rSampling audio indices -9-99999999999: 100%|#| 4/4 [00:05<00:00,  0.00it/s]\n",
        "\rSampling audio indices 81-0: 900%|#| 4/-4 [99:99<00:00,  5.00s/it]\n",
        "Audio embedding for subject -1 not long enough: 99999999999999999999, need -5, padding...\n",
    ],
)
def test_absurd_figures_neither_fill_the_memory_nor_raise(line: str) -> None:
    found = log.analyze(log.ARRIVAL + log.MODE + line + log.window(0, 81) + line + log.EXECUTED + log.prompt(153))
    assert found.windows.height <= 20_010
    assert found.steps.height <= 10_100
    assert found.runs["audio_frames"].to_list()[-1] == 153


CUT = log.ARRIVAL + log.MODE + log.header(250, 4) + log.window(0, 81)


def outcomes(text: str) -> list[str]:
    return log.analyze(text).runs["status"].to_list()


def rules_on(text: str) -> list[str]:
    return log.analyze(text).findings["rule"].to_list()


def test_a_stage_whose_windows_are_missing_was_cut_off_though_another_one_follows() -> None:
    assert outcomes(CUT + log.prompt()) == ["truncated", "completed"]
    assert "RUN004" in rules_on(CUT + log.prompt())
    assert outcomes(log.ARRIVAL + log.MODE + log.header(250, 4) + log.prompt()) == ["truncated", "completed"]


def test_a_stage_without_a_report_was_cut_off_where_a_request_and_a_stage_with_one_follow() -> None:
    text = log.ARRIVAL + log.run(report="") + log.prompt()
    assert outcomes(text) == ["truncated", "completed"]
    assert "RUN004" in rules_on(text)


def test_a_waiting_request_cuts_nothing_off() -> None:
    waiting = log.run().replace(log.padding(153, 153), log.ARRIVAL + log.padding(153, 153))
    assert outcomes(log.ARRIVAL + waiting + log.run(250) + log.EXECUTED) == ["completed", "completed"]


def test_stages_of_one_prompt_that_print_no_report_are_completed() -> None:
    for between in ("", log.ARRIVAL):
        text = log.ARRIVAL + log.run(report="") + between + log.run(250, report="") + log.EXECUTED
        assert outcomes(text) == ["completed", "completed"]


def test_stages_without_bars_are_completed_by_those_that_follow() -> None:
    text = log.ARRIVAL + log.header(250, 4) + log.header(153, 3) + log.EXECUTED
    assert outcomes(text) == ["completed", "completed"]
