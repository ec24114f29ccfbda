"""LongCat Avatar: segments chained by hand, whose audio indices are held against one another and against the audio."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

from loganalyzer.tables.analysis import Analysis


def warning(have: int, padded: int) -> str:
    return f"Not enough audio features, padded with strategy 'pad_with_start' from {have} to {padded} frames\n"


def segment(start: int, scale: int = 2, *, frames: int = 93, latents: int | None = 4, above: str = "") -> str:
    """One segment: its node's lines, and the plain sampler's."""
    overlap = (
        f"Previous latents shape: torch.Size([1, 16, 24, 60, 104]), using last {latents} latent frames for overlap.\n"
    )
    drawn = "".join(log.refresh("", n, 4, 5 * n, " 5.00s/it").replace("\r: ", "\r") for n in (0, 1, 2, 3, 4, 4))
    return (
        above
        + (overlap if latents is not None and start else "")
        + f"Extracting audio embeddings from index {start} to {start + scale * frames}\n"
        + "LongCat num_cond_latents: 4 num_ref_latents: 1\n"
        + "---------- Sampling start ----------\n"
        + f"{frames} frames at 832x480 (Input sequence length: 37440) with 4 steps\n"
        + drawn
        + "\n---------- Sampling end ------------\n"
        + log.memory_2026()
    )


def analysed(*segments: str) -> Analysis:
    return log.analyze(log.ARRIVAL + "".join(segments) + log.EXECUTED)


def findings(found: Analysis, rule: str) -> list[str]:
    return found.findings.filter(pl.col("rule") == rule)["message"].to_list()


def reasons(found: Analysis, rule: str) -> list[str]:
    return found.not_checked.filter(pl.col("rule") == rule)["reason"].unique().to_list()


def test_each_segment_is_a_run_with_the_range_that_its_node_prints() -> None:
    found = analysed(segment(0), segment(160), segment(320))
    assert found.runs["mode"].to_list() == ["longcat"] * 3
    assert found.windows.select("audio_start", "audio_end", "range_source").rows() == [
        (0, 186, "line"),
        (160, 346, "line"),
        (320, 506, "line"),
    ]
    assert found.windows["matches"].to_list() == [None, True, True]


def test_no_segment_is_judged_by_the_schedule_of_infinitetalk() -> None:
    found = analysed(segment(0), segment(160))
    assert found.runs["window_frames"].null_count() == 2
    assert not {"SCH001", "SCH002", "SCH003", "SCH004"} & set(found.findings["rule"])


def test_segments_behind_the_end_of_the_audio_follow_padding() -> None:
    found = analysed(segment(0), segment(160), segment(320, above=warning(250, 266)))
    second, third = findings(found, "AUD001")
    assert "reads audio indices 160-346, but the audio has 250: 48 of its 93 frames (3.00 s)" in second
    assert "The audio ends at frame 125 of the complete video" in second
    assert "93 of its 93 frames" in third
    assert "Trim the complete video to 125 frames (7.81 s)" in found.findings["fix"][0]


@pytest.mark.parametrize(("have", "missing"), [(345, 0), (344, 1), (346, 0)])
def test_a_frame_is_missing_where_its_first_index_is_behind_the_audio(have: int, missing: int) -> None:
    found = analysed(segment(0), segment(160, above=warning(have, 400)))
    assert len(findings(found, "AUD001")) == (1 if missing else 0)


def test_without_the_warning_nothing_follows_where_a_frame_has_two_indices() -> None:
    found = analysed(segment(0), segment(160))
    assert findings(found, "AUD001") == []
    assert "only if it pads the audio" in reasons(found, "AUD001")[0]
    assert found.runs["complete"].to_list() == [False, False]


def test_without_the_warning_the_audio_is_long_enough_where_a_frame_has_one_index() -> None:
    found = analysed(segment(0, 1), segment(80, 1))
    assert findings(found, "AUD001") == []
    assert reasons(found, "AUD001") == []
    assert found.runs["complete"].to_list() == [True, True]


def test_a_warning_that_cannot_be_read_proves_nothing() -> None:
    unreadable = "Not enough audio features, padded with strategy 'pad_with_start' to 266 frames\n"
    found = analysed(segment(0, 1), segment(80, 1, above=unreadable))
    assert "LOG001" in reasons(found, "AUD001")[0]


@pytest.mark.parametrize(("frames", "judged"), [(93, True), (31, False)])
def test_other_than_one_or_two_indices_for_a_frame_are_not_judged(frames: int, judged: bool) -> None:
    text = segment(0).replace("93 frames at", f"{frames} frames at")
    found = analysed(text.replace("Extracting", warning(100, 200) + "Extracting"))
    assert (findings(found, "AUD001") != []) == judged
    assert any("how many audio indices" in reason for reason in reasons(found, "AUD001")) != judged


def test_a_range_that_repeats_is_an_error() -> None:
    found = analysed(segment(0), segment(160), segment(160))
    (said,) = findings(found, "SCH001")
    assert "reads audio indices 160-346. Expected after the previous segment: 320-506" in said
    assert "frames_processed" in found.findings.filter(pl.col("rule") == "SCH001")["fix"][0]


@pytest.mark.parametrize(("start", "wrong"), [(152, True), (154, False), (160, False), (162, True)])
def test_n_latent_frames_of_overlap_are_up_to_four_n_frames(start: int, wrong: bool) -> None:
    assert (findings(analysed(segment(0), segment(start)), "SCH001") != []) == wrong


def test_where_no_overlap_is_printed_no_start_is_expected() -> None:
    assert findings(analysed(segment(0), segment(200, latents=None)), "SCH001") == []


def test_a_second_chain_of_a_prompt_has_an_audio_of_its_own() -> None:
    first = [segment(0), segment(160, above=warning(250, 266))]
    found = analysed(*first, segment(0), segment(160))
    assert len(findings(found, "AUD001")) == 1
    assert findings(found, "SCH001") == []


def test_a_segment_of_which_no_bar_is_in_the_log_has_its_range() -> None:
    lines = [line for line in segment(160).splitlines() if "%|" not in line]
    found = analysed("\n".join(lines) + "\n")
    assert found.windows.select("audio_start", "audio_end", "line").rows() == [(160, 346, 3)]


def test_the_plain_sampler_without_lines_of_longcat_stays_plain() -> None:
    lines = [line for line in segment(0).splitlines() if "LongCat" not in line and "Extracting" not in line]
    assert analysed("\n".join(lines) + "\n").runs["mode"].to_list() == ["plain"]
