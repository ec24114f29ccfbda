"""Lines belong to the run that they are about, wherever they stand."""

from __future__ import annotations

import logtext as log
import pytest

LENGTHS = (
    "[MultiTalk] Audio duration (212 frames) is shorter than requested (450 frames). Using 212 frames.\n"
    "[MultiTalk] total raw duration = 8.500s\n"
)
SHAPES = "Multitalk audio features shapes (per speaker): [({frames}, 12, 768)]\n"
PLAIN = "---------- Sampling start ----------\n81 frames at 832x480 (Input sequence length: 32760) with 4 steps\n"


def encoded(frames: int, width: int, height: int) -> str:
    sizes = (
        f"[1, 3, {frames}, {height}, {width}]) to torch.Size([1, 16, {frames // 4 + 1}, {height // 8}, {width // 8}])"
    )
    return f"WanVAE encoded input:torch.Size({sizes}\n"


def two_stages(ahead: int, behind: int = 212) -> list[tuple[int | None, float | None]]:
    first = LENGTHS + SHAPES.format(frames=ahead) + PLAIN + "---------- Sampling end ------------\n"
    second = SHAPES.format(frames=behind) + log.run(behind, size="832x480")
    runs = log.analyze(log.ARRIVAL + first + second + log.EXECUTED).runs
    return runs.select("requested_frames", "audio_s").rows()


def test_audio_lines_ahead_of_a_plain_stage_belong_to_the_talking_stage_of_their_length() -> None:
    assert two_stages(212) == [(None, None), (450, 8.5)]


def test_audio_of_another_length_stays_where_it_is_said() -> None:
    assert two_stages(211) == [(450, 8.5), (None, None)]


def test_without_a_bar_the_first_image_encoded_tells_the_window() -> None:
    found = log.analyze(log.ARRIVAL + log.MODE + log.header(40, 1, "1024x576") + encoded(53, 1024, 576))
    assert found.runs["window_frames"].to_list() == [53]
    (row,) = found.findings.filter(rule="AUD005").to_dicts()
    assert row["message"].startswith("The audio fills 40 of the 53 frames of the window.")


def test_bars_count_more_than_the_first_image() -> None:
    text = (
        log.ARRIVAL + log.MODE + log.header(153, 3) + encoded(77, 1280, 720) + log.window(0, 81) + log.window(72, 153)
    )
    assert log.analyze(text).runs["window_frames"].to_list() == [81]


@pytest.mark.parametrize(
    ("real", "read"),
    [((832, 480), (832, 480)), ((833, 480), (1664, 960)), ((1664, 960), (1664, 960))],
    ids=["half of it", "not quite half", "the same"],
)
def test_a_doubled_size_is_corrected_by_the_first_image(real: tuple[int, int], read: tuple[int, int]) -> None:
    text = log.ARRIVAL + log.MODE + log.header(153, 3, "1664x960") + encoded(81, *real) + log.window(0, 81)
    assert log.analyze(text).runs.select("width", "height").row(0) == read


@pytest.mark.parametrize(
    ("end", "fix"),
    [
        ("!!! Exception during processing !!! Allocation on device\n", "Fix the failure first"),
        ("", "Set frame_window_size to 81"),
    ],
    ids=["out of memory", "no failure"],
)
def test_no_larger_window_is_advised_where_memory_ran_out(end: str, fix: str) -> None:
    found = log.analyze(log.ARRIVAL + log.MODE + log.header(61, 2) + log.window(0, 49) + end + log.EXECUTED)
    (row,) = found.findings.filter(rule="SCH004").to_dicts()
    assert row["fix"].startswith(fix)


def test_a_tiny_vae_makes_the_printed_peak_that_of_the_last_window() -> None:
    tiny = "Loading InfiniteTalk TinyVAE: /models/tiny.safetensors\n"
    figures = ("Max allocated memory: max_memory=14.100 GB", "Max reserved memory: max_reserved=15.000 GB")
    report = "".join(f"[Sampling] {figure}\n" for figure in figures)
    for line, covers in ((tiny, "last-window"), ("", "last-decode")):
        found = log.analyze(log.ARRIVAL + line + log.run(153, report=report) + log.EXECUTED)
        assert found.runs["peak_covers"].to_list() == [covers]
        assert ("MEM007" in found.findings["rule"].to_list()) == (covers == "last-decode")
