"""A plan agrees with the loop: held against a walk through the windows, and against logs of the real loop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loganalyzer.expectations.embedding import count_yielded_frames
from loganalyzer.planner.plan import (
    Sound,
    Windows,
    list_aligned,
    list_native_aligned,
    make_native_plan,
    make_plan,
    measure_audio,
    measure_native_audio,
)

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
HOUSE = Windows(81, 9)


def walked(audio: int, windows: Windows) -> list[tuple[int, int]]:
    """The ranges of the loop, as upstream walks through them: until a window's end reaches the audio's."""
    ranges = [(0, windows.window)]
    while audio > windows.window and ranges[-1][1] < audio:
        start = ranges[-1][0] + windows.stride
        ranges.append((start, start + windows.window))
    return ranges


SCHEDULES = st.builds(Windows, st.integers(2, 40).map(lambda k: 4 * k + 1), st.integers(0, 8))


def test_seventeen_seconds_of_audio_have_three_ways_out() -> None:
    made = make_plan(measure_audio([17.084], 25.0), 25.0, HOUSE)
    assert made.sound.frames == 427
    assert made.recommended
    assert (made.recommended.frames, made.recommended.windows, made.recommended.announced_windows) == (369, 5, 6)
    assert (made.next_aligned.frames, made.next_aligned.windows, made.next_aligned.missing_frames) == (441, 6, 14)
    assert made.cut_back
    assert (made.cut_back.frames, made.cut_back.rendered_frames, made.cut_back.padding) == (427, 441, 17)


def test_audio_that_ends_where_a_window_ends_needs_no_cutting_back() -> None:
    made = make_plan(Sound(14.76, 369), 25.0, HOUSE)
    assert made.recommended
    assert made.recommended.frames == 369
    assert made.cut_back is None
    assert made.next_aligned.frames == 441


def test_audio_shorter_than_a_window_has_nothing_to_recommend() -> None:
    made = make_plan(measure_audio([2.0], 25.0), 25.0, HOUSE)
    assert made.recommended is None
    assert made.cut_back is None
    assert (made.next_aligned.frames, made.next_aligned.missing_frames) == (81, 31)


def test_a_single_window_prints_no_padding_warning() -> None:
    made = make_plan(Sound(3.24, 81), 25.0, HOUSE)
    assert made.recommended
    assert made.recommended.padding == 0


@given(frames=st.integers(1, 700), windows=SCHEDULES)
def test_the_recommended_count_is_the_largest_aligned_one_that_the_audio_fills(frames: int, windows: Windows) -> None:
    assume(windows.motion < windows.window)
    made = make_plan(Sound(frames / 25, frames), 25.0, windows)
    fitting = [count for count in range(windows.window, frames + 1) if walked(count, windows)[-1][1] == count]
    assert (made.recommended.frames if made.recommended else None) == max(fitting, default=None)


@given(frames=st.integers(1, 5000), windows=SCHEDULES, fps=st.sampled_from([24.0, 25.0, 29.97]))
def test_every_way_out_names_the_windows_that_the_loop_walks(frames: int, windows: Windows, fps: float) -> None:
    made = make_plan(Sound(frames / fps, frames), fps, windows)
    for choice in (made.recommended, made.next_aligned, made.cut_back):
        if choice:
            ranges = walked(choice.frames, windows)
            assert choice.windows == len(ranges)
            assert (
                choice.rendered_frames
                == ranges[-1][1]
                == choice.frames + (choice.missing_frames if choice is made.cut_back else 0)
            )


@given(seconds=st.floats(0.1, 400), fps=st.sampled_from([24.0, 25.0, 29.97, 30.0]))
def test_what_is_to_be_typed_yields_what_is_promised(seconds: float, fps: float) -> None:
    heard = measure_audio([seconds], fps)
    made = make_plan(heard, fps, HOUSE)
    for choice in (made.recommended, made.cut_back):
        if choice and choice.request and choice.request.crop_s is None:
            assert count_yielded_frames(choice.request.frames, fps, heard.speakers) == choice.frames


def test_a_table_lists_aligned_counts_one_window_more_each() -> None:
    rows = list_aligned(14, 25.0, HOUSE)
    assert [row.frames for row in rows[:3]] == [81, 153, 225]
    assert [row.windows for row in rows] == list(range(1, 15))
    assert rows[12].request
    assert rows[12].request.crop_s == pytest.approx(37.82)


def test_a_length_that_may_be_too_long_is_doubted_only_where_it_matters() -> None:
    close = make_plan(measure_audio([14.79], 25.0, uncertainty_s=0.08), 25.0, HOUSE)
    far = make_plan(measure_audio([16.0], 25.0, uncertainty_s=0.08), 25.0, HOUSE)
    assert len(close.notes) == 1
    assert far.notes == ()


def test_a_request_that_loses_a_frame_is_said_with_the_one_that_does_not() -> None:
    made = make_plan(Sound(945 / 25, 945), 25.0, HOUSE)
    assert any("yields 944" in note for note in made.notes)
    assert any("request 948" in note for note in made.notes)


LOGS = json.loads((CORPUS / "loop" / "truth.json").read_text(encoding="utf-8")) if CORPUS.is_dir() else {}


@pytest.mark.skipif(not LOGS, reason="the logs of the real loop are not part of the repository")
@pytest.mark.parametrize("name", sorted(LOGS))
def test_the_plan_says_what_the_real_loop_did(name: str) -> None:
    truth = LOGS[name]
    windows, audio = Windows(truth["window_frames"], truth["motion_frames"]), truth["audio_frames"]
    ranges = [tuple(one) for one in truth["windows"]]
    assert walked(audio, windows)[: len(ranges)] == ranges
    assert windows.announced(audio) == truth["announced_windows"]
    if truth["status"] == "completed":
        assert windows.count(audio) == len(ranges)
        made = make_plan(Sound(audio / 25, audio), 25.0, windows)
        way = made.cut_back or made.recommended
        if way and truth["paddings"]:
            assert way.padding == truth["paddings"][0]["padding"]


def test_one_after_the_other_speakers_last_as_long_as_all_of_them_and_side_by_side_as_the_longest() -> None:
    one_by_one, together = measure_audio([10.0, 4.0], 25.0, "add"), measure_audio([10.0, 4.0], 25.0)
    assert (one_by_one.seconds, one_by_one.frames, one_by_one.speakers) == (14.0, 350, (160_000, 64_000))
    assert (together.seconds, together.frames, together.multi) == (10.0, 250, "para")
    assert (measure_native_audio([10.0, 4.0], 0.5).seconds, measure_native_audio([10.0, 4.0], 0.5).uncertainty_s) == (
        14.0,
        0.5,
    )


def test_frames_that_are_dropped_shorten_the_stride_as_the_overlap_does() -> None:
    assert Windows(81, 5, 12).stride == 64
    assert [row.frames for row in list_aligned(3, 25.0, Windows(81, 5, 12))] == [81, 145, 209]


@pytest.mark.parametrize(("frames", "is_longer_cheaper"), [(404, False), (405, False), (406, True)])
def test_the_next_count_is_cheaper_if_it_lacks_less_audio_than_the_recommended_one_leaves(
    frames: int, is_longer_cheaper: bool
) -> None:
    """Between 369 and 441 frames, 405 leaves 36 unused and lacks 36."""
    assert make_plan(Sound(frames / 25, frames), 25.0, HOUSE).is_longer_cheaper == is_longer_cheaper


def test_audio_that_fills_no_window_makes_no_longer_count_cheaper() -> None:
    assert not make_plan(Sound(3.2, 80), 25.0, HOUSE).is_longer_cheaper


@pytest.mark.parametrize(
    ("frames", "padding"), [(81, 0), (82, 74), (153, 3), (154, 74)], ids=["one window", "two", "aligned", "three"]
)
def test_padding_is_what_is_missing_and_three_frames_of_context(frames: int, padding: int) -> None:
    made = make_plan(Sound(frames / 25, frames), 25.0, HOUSE)
    way = made.cut_back or made.recommended
    assert way
    assert way.padding == padding


@pytest.mark.parametrize(
    ("frames", "recommended", "following", "missing", "covering"),
    [(80, None, 81, 1, 81), (81, 81, 153, 72, None), (82, 81, 153, 71, 153), (153, 153, 225, 72, None)],
)
def test_comfyuis_own_nodes_have_one_window_for_each_node(
    frames: int, recommended: int | None, following: int, missing: int, covering: int | None
) -> None:
    made = make_native_plan(Sound(frames / 25, frames), HOUSE)
    assert (made.recommended.frames if made.recommended else None) == recommended
    assert (made.next_aligned.frames, made.next_aligned.missing_frames) == (following, missing)
    assert (made.cut_back.rendered_frames if made.cut_back else None) == covering
    if made.cut_back:
        assert (made.cut_back.frames, made.cut_back.missing_frames) == (frames, (covering or 0) - frames)
        assert made.cut_back.windows == made.next_aligned.windows
    assert (made.native, made.next_aligned.padding) == (True, 0)
    assert made.recommended is None or made.recommended.missing_frames == 0


def test_aligned_counts_of_comfyuis_own_nodes_begin_with_one_window() -> None:
    rows = list_native_aligned(3, HOUSE)
    assert [(row.frames, row.windows, row.announced_windows) for row in rows] == [(81, 1, 1), (153, 2, 2), (225, 3, 3)]
    assert {row.missing_frames for row in rows} == {0}


@pytest.mark.parametrize(("uncertainty_s", "is_doubted"), [(0.0, False), (0.02, False), (0.03, True)])
def test_a_bound_that_reaches_below_the_recommended_count_is_told(uncertainty_s: float, is_doubted: bool) -> None:
    """14.785 s are 369 frames, and 14.76 s are their end."""
    assert bool(make_plan(measure_audio([14.785], 25.0, uncertainty_s=uncertainty_s), 25.0, HOUSE).notes) == is_doubted


@pytest.mark.parametrize(("frames", "is_told"), [(29, True), (30, False)])
def test_a_frame_count_that_no_request_yields_is_told_where_no_audio_is_given(frames: int, is_told: bool) -> None:
    """At 25 fps, 29 frames asked for give 28."""
    assert bool(make_plan(Sound(frames / 25, frames), 25.0, HOUSE).notes) == is_told
    assert not make_plan(Sound(frames / 25, frames, (frames * 640,)), 25.0, HOUSE).notes


def test_cutting_the_audio_is_told_with_the_request_that_goes_with_it() -> None:
    (note,) = make_plan(measure_audio([38.0], 25.0), 25.0, HOUSE).notes
    assert note == (
        "A request for 945 frames at 25 fps yields 944: upstream's float rounding drops one. "
        "Cut the audio to 37.82 s and request 948: this yields 945."
    )


@pytest.mark.parametrize(("frames", "following"), [(151, 153), (152, 153), (153, 225)])
def test_the_next_count_is_the_first_that_is_larger_than_the_audio(frames: int, following: int) -> None:
    assert make_plan(Sound(frames / 25, frames), 25.0, HOUSE).next_aligned.frames == following


def test_one_speakers_frames_are_of_the_seconds_and_several_speakers_of_the_samples() -> None:
    """1.03999 s are 25 frames, and the 16,640 samples they are rounded to are 26."""
    assert measure_audio([1.03999], 25.0).frames == 25
    assert measure_audio([1.03999, 0.5], 25.0).frames == 26


def test_a_length_is_exact_unless_said_otherwise() -> None:
    assert (Sound(1.0, 25).uncertainty_s, measure_audio([1.0], 25.0).uncertainty_s) == (0.0, 0.0)
    assert measure_native_audio([1.0]).uncertainty_s == 0.0
