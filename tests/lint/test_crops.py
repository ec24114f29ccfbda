"""AUD009: a cut of the audio beside the frames asked for, in frames that really come out of the loop."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflows import api, saved

from loganalyzer.lint.checker import check
from loganalyzer.lint.fixing import apply_fixes, choose_by
from loganalyzer.lint.model import Fault
from loganalyzer.settings.model import Settings


def cut(frames: int, seconds: float) -> dict[str, object]:
    """A workflow that asks for so many frames of audio cut to so many seconds."""
    trim = {"class_type": "TrimAudioDuration", "start_index": 0, "duration": seconds, "audio": ["9", 0]}
    return api(_7={"value": frames}, _6={"audio_1": ["10", 0]}, _10=trim)


def faults(folder: Path, frames: int, seconds: float) -> list[Fault]:
    found = check(saved(folder, cut(frames, seconds)), Settings()).findings
    return [one.fault for one in found if one.rule.id == "AUD009"]


def test_of_longer_audio_the_largest_aligned_count_is_recommended_not_all_its_frames(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, 425, 18.0)
    assert "which is 450 frames at 25 fps. 425 frames are requested, and 441 are rendered" in fault.message
    assert fault.fix == "Request 441 frames."


def test_of_shorter_audio_the_frames_that_come_out_are_named(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, 450, 17.0)
    assert "450 frames are requested, and 441 are rendered: the audio ends earlier" in fault.message
    assert fault.fix == "Request 369 frames, or crop the audio to 18 s, if it is that long."


@pytest.mark.parametrize(("frames", "seconds", "count"), [(369, 17.084, 0), (370, 17.084, 1), (297, 17.084, 1)])
def test_longer_audio_is_no_fault_beside_the_largest_aligned_count_that_it_fills(
    frames: int, seconds: float, count: int, tmp_path: Path
) -> None:
    assert len(faults(tmp_path, frames, seconds)) == count


@pytest.mark.parametrize(("frames", "count"), [(424, 1), (425, 0), (426, 0), (427, 0), (428, 1)])
def test_one_frame_of_difference_is_rounding(frames: int, count: int, tmp_path: Path) -> None:
    assert len(faults(tmp_path, frames, 17.04)) == count


def test_audio_shorter_than_a_window_needs_more_audio(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, 40, 2.0)
    assert fault.fix == "Supply audio for 81 frames."


@pytest.mark.parametrize(("frames", "seconds"), [(450, 17.0), (425, 18.0), (500, 20.0)])
def test_a_fixed_workflow_has_no_finding_left(frames: int, seconds: float, tmp_path: Path) -> None:
    found = check(saved(tmp_path, cut(frames, seconds)), Settings())
    after = tmp_path / "fixed.json"
    after.write_text(apply_fixes(found, choose_by("shorter")).text)
    assert check(after, Settings()).findings == ()
