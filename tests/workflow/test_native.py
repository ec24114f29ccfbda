"""ComfyUI's own InfiniteTalk is read clip by clip; other models that talk are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import Editor, api, native, saved

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.reading import load
from loganalyzer.workflow.requested import Declared


def first(folder: Path, document: object) -> Declared:
    return load(saved(folder, document)).first


def test_a_clip_of_comfyuis_own_nodes_tells_length_size_steps_and_rates(tmp_path: Path) -> None:
    asked = first(tmp_path, native(rate=24))
    assert (asked.clips, asked.window_frames.value, asked.motion_frames.value) == (1, 81, 9)
    assert (asked.width.value, asked.height.value, asked.steps.value, asked.fps.value) == (640, 480, 6, 25)
    assert [rate.value for rate in asked.video_fps] == [24]


def test_a_clip_is_read_from_the_editors_format(tmp_path: Path) -> None:
    made = Editor()
    made.node(10, "WanInfiniteTalkToVideo", ["single_speaker", 640, 480, 77, 5, 1.0])
    made.node(11, "KSampler", [1, "fixed", 8, 1, "euler", "simple", 1], wired={"latent_image": (10, 3)})
    asked = first(tmp_path, made.document())
    assert (asked.window_frames.value, asked.motion_frames.value, asked.height.value) == (77, 5, 480)


@pytest.mark.parametrize(("clips", "frames"), [(1, 81), (2, 153), (4, 297)])
def test_clips_that_continue_one_another_share_their_overlap(clips: int, frames: int, tmp_path: Path) -> None:
    workflow = load(saved(tmp_path, native(clips)))
    assert [asked.clips for asked in workflow.samplers] == [clips] * clips
    assert workflow.first.requested_frames.value == frames


def test_clips_that_do_not_continue_one_another_have_no_common_length(tmp_path: Path) -> None:
    document = native(2)
    del document["20"]["inputs"]["previous_frames"]
    asked = first(tmp_path, document)
    assert asked.requested_frames.value is None
    assert asked.requested_frames.reason == "the clips do not continue one another"


def test_a_clip_of_unknown_length_makes_the_whole_unknown(tmp_path: Path) -> None:
    document = native(2)
    document["20"]["inputs"]["length"] = ["1", 0]
    assert "node 20 (WanInfiniteTalkToVideo) is unknown" in first(tmp_path, document).requested_frames.reason


def test_a_cut_of_the_audio_is_found_behind_its_encoder(tmp_path: Path) -> None:
    document = native()
    trim = {"class_type": "TrimAudioDuration", "inputs": {"start_index": 0, "duration": 5.0, "audio": ["1", 0]}}
    document["4"] = trim
    document["2"]["inputs"]["audio"] = ["4", 0]
    assert first(tmp_path, document).audio_crop_s == 5.0


OTHERS = [
    ("WanVideoLongCatAvatarExtendEmbeds", "LongCat Avatar"),
    ("HuMoEmbeds", "HuMo"),
    ("WanVideoAddS2VEmbeds", "Wan S2V"),
    ("WanSoundImageToVideo", "ComfyUI's own Wan S2V"),
]


@pytest.mark.parametrize(("kind", "name"), OTHERS)
def test_another_model_that_talks_is_named(kind: str, name: str, tmp_path: Path) -> None:
    document = api(_4={"image_embeds": ["10", 0], "multitalk_embeds": None}, _10={"class_type": kind})
    del document["5"], document["6"]
    with pytest.raises(WorkflowError) as raised:
        load(saved(tmp_path, document))
    assert f"renders with {name} (node 10), not with InfiniteTalk" in str(raised.value)


@pytest.mark.parametrize(("kind", "name"), OTHERS)
def test_another_model_that_shares_the_audio_embedding_is_named_as_the_reason(
    kind: str, name: str, tmp_path: Path
) -> None:
    document: dict[str, Any] = api(_4={"image_embeds": ["10", 0]}, _10={"class_type": kind})
    reason = first(tmp_path, document).window_frames.reason
    assert reason == f"node 10 ({kind}) renders with {name}, which is not checked"
