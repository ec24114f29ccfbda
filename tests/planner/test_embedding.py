"""How requests become frames: upstream's truncations, and the requests that get around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.expectations.embedding import Request, count_samples, count_yielded_frames, find_request

FPS = st.sampled_from([23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0])


def lost(fps: float, most: int) -> list[int]:
    return [frames for frames in range(1, most + 1) if count_yielded_frames(frames, fps) != frames]


def test_at_25_fps_149_requests_up_to_3000_lose_a_frame() -> None:
    found = lost(25.0, 3000)
    assert len(found) == 149
    assert found[:4] == [29, 57, 58, 113]


def test_of_the_aligned_counts_up_to_3000_three_lose_a_frame_at_25_fps() -> None:
    aligned = {81 + 72 * k for k in range(41)}
    assert sorted(aligned & set(lost(25.0, 3000))) == [945, 1665, 1881]


@pytest.mark.parametrize(("fps", "least"), [(24.0, 1900), (23.976, 2990), (29.97, 2990)])
def test_at_other_rates_most_requests_lose_a_frame(fps: float, least: int) -> None:
    assert len(lost(fps, 3000)) >= least


@given(frames=st.integers(1, 20_000), fps=FPS)
def test_a_request_never_yields_more_than_it_asks_for_nor_two_less(frames: int, fps: float) -> None:
    assert frames - 1 <= count_yielded_frames(frames, fps) <= frames


@given(frames=st.integers(1, 20_000), fps=FPS)
def test_the_recommended_request_yields_the_wanted_count(frames: int, fps: float) -> None:
    request = find_request(frames, fps)
    speakers = () if request.crop_s is None else (count_samples(request.crop_s),)
    assert count_yielded_frames(request.frames, fps, speakers) == frames


def test_a_request_that_yields_its_count_is_recommended_as_it_is() -> None:
    assert find_request(369, 25.0) == Request(369)


def test_where_the_next_request_yields_the_count_that_one_is_recommended() -> None:
    assert find_request(81, 23.976) == Request(82)


def test_where_no_request_yields_the_count_the_audio_is_cut_as_well() -> None:
    assert find_request(945, 25.0) == Request(948, crop_s=37.82)


@pytest.mark.parametrize(
    ("multi", "frames"), [("para", 250), ("add", 350)], ids=["at the same time", "one after the other"]
)
def test_speakers_are_put_together_as_upstream_does(multi: str, frames: int) -> None:
    speakers = (count_samples(10.0), count_samples(4.0))
    assert count_yielded_frames(250, 25.0, speakers, multi) == frames  # type: ignore[arg-type]


@given(
    seconds=st.lists(st.floats(0.5, 60), min_size=2, max_size=4),
    wanted=st.integers(2, 500),
)
def test_one_after_the_other_each_speaker_is_cut_by_itself(seconds: list[float], wanted: int) -> None:
    speakers = tuple(count_samples(one) for one in seconds)
    request = find_request(wanted, 25.0, speakers, "add")
    if request.crop_s is None:
        assert count_yielded_frames(request.frames, 25.0, speakers, "add") == wanted


@pytest.mark.parametrize("fps", [24.0, 25.0])
def test_for_speakers_one_after_the_other_the_smallest_request_that_yields_the_count_is_recommended(
    fps: float,
) -> None:
    speakers = (count_samples(10.0), count_samples(4.0))
    for wanted in range(2, int(14 * fps) + 1):
        exact = [n for n in range(1, wanted + 1) if count_yielded_frames(n, fps, speakers, "add") == wanted]
        request = find_request(wanted, fps, speakers, "add")
        assert request == (Request(exact[0]) if exact else Request(wanted + 3, crop_s=(wanted + 0.5) / fps))


def test_of_two_speakers_one_after_the_other_each_is_asked_for_half() -> None:
    """400 frames of two equal speakers: 200 asked for give 200 of each."""
    speakers = (count_samples(20.0), count_samples(20.0))
    assert find_request(400, 25.0, speakers, "add") == Request(200)
    assert find_request(400, 25.0, speakers, "para") == Request(400)


def test_samples_are_sixteen_thousand_a_second() -> None:
    assert count_samples(1.5) == 24_000
    assert count_yielded_frames(25, 25.0, (count_samples(0.5),)) == 12
