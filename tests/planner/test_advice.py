"""The ways out of missing audio: in their order, with the figures of each case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.expectations.embedding import count_frames, count_samples, count_yielded_frames
from loganalyzer.planner.advice import (
    Short,
    audio_length_s,
    extend_audio,
    format_fixes,
    list_fixes,
    trim_video,
    video_end_s,
)

PADDED = Short(427, 441, 81, 72, "wrapper")


def test_trimming_costs_nothing_and_comes_first_then_longer_audio_then_fewer_frames() -> None:
    assert format_fixes(list_fixes(PADDED, 25.0)).split("\n") == [
        "Trim the video to 427 frames:",
        "  `ffmpeg -i VIDEO.mp4 -t 17.08 -c:a copy OUT.mp4`",
        "Or extend the audio to 17.66 s and render with num_frames = 441 (node MultiTalkWav2VecEmbeds):",
        "  `ffmpeg -i AUDIO.wav -af apad=whole_dur=17.66 OUT.wav`",
        "Or render 369 frames (14.76 s) with num_frames = 369; 2.32 s of audio remain unused.",
    ]


def test_other_programs_are_told_frames_and_core_is_told_nodes() -> None:
    assert "with 5 WanInfiniteTalkToVideo nodes" in list_fixes(PADDED._replace(producer="core"), 25.0)[2].text
    assert "with 369 frames" in list_fixes(PADDED._replace(producer="lightx2v"), 25.0)[2].text


@pytest.mark.parametrize("short", [PADDED._replace(need=440), PADDED._replace(stride=None), Short(60, 81, 81, 72)])
def test_no_smaller_count_is_named_where_none_is_the_runs(short: Short) -> None:
    assert len(list_fixes(short, 25.0)) == 2


def test_a_count_that_no_request_yields_is_reached_through_the_audio() -> None:
    text = list_fixes(Short(950, 1017, 81, 72), 23.976)[2].text
    assert "Render 945 frames" in text
    assert "num_frames = " in text


@given(frames=st.integers(1, 20_000), fps=st.sampled_from([16.0, 23.976, 24.0, 25.0, 29.97, 30.0]))
def test_the_trimmed_video_has_exactly_the_frames_that_are_named(frames: int, fps: float) -> None:
    assert (frames - 1) / fps < video_end_s(frames, fps) <= frames / fps + 1e-9
    assert f"-t {video_end_s(frames, fps):.3f}".rstrip("0").rstrip(".") in trim_video(frames, fps).command


@given(frames=st.integers(1, 20_000), fps=st.sampled_from([16.0, 23.976, 24.0, 25.0, 29.97, 30.0]))
def test_the_longer_audio_yields_exactly_the_frames_that_are_named(frames: int, fps: float) -> None:
    samples = count_samples(audio_length_s(frames, fps))
    assert count_frames(samples, fps) == frames
    assert count_yielded_frames(frames + 3, fps, [samples]) == frames
    assert (
        f"whole_dur={audio_length_s(frames, fps):.3f}".rstrip("0").rstrip(".") in extend_audio(frames, fps, "").command
    )
