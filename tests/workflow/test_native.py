"""ComfyUI's own InfiniteTalk is read clip by clip; other models that talk are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import Editor, api, native, saved

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.reading import load_workflow
from loganalyzer.workflow.requested import SamplerSettings


def first(folder: Path, document: object) -> SamplerSettings:
    return load_workflow(saved(folder, document)).first


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
    workflow = load_workflow(saved(tmp_path, native(clips)))
    assert [asked.clips for asked in workflow.samplers] == [clips] * clips
    assert workflow.first.requested_frames.value == frames


def test_clips_that_do_not_continue_one_another_have_no_common_length(tmp_path: Path) -> None:
    document = native(2)
    del document["20"]["inputs"]["previous_frames"]
    asked = first(tmp_path, document)
    assert asked.requested_frames.value is None
    assert asked.requested_frames.reason == "the clips do not continue each other"


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
        load_workflow(saved(tmp_path, document))
    assert f"renders with {name} (node 10), not with InfiniteTalk" in str(raised.value)


@pytest.mark.parametrize(("kind", "name"), OTHERS)
def test_another_model_that_shares_the_audio_embedding_is_named_as_the_reason(
    kind: str, name: str, tmp_path: Path
) -> None:
    document: dict[str, Any] = api(_4={"image_embeds": ["10", 0]}, _10={"class_type": kind})
    reason = first(tmp_path, document).window_frames.reason
    assert reason == f"node 10 ({kind}) renders with {name}, which this tool does not check"


def with_loader(kind: str, inputs: dict[str, Any], **between: dict[str, Any]) -> dict[str, Any]:
    """A clip whose model comes from a loader, through the nodes `between`."""
    document = native()
    document["4"] = {"class_type": kind, "inputs": inputs}
    last = "4"
    for number, (name, more) in enumerate(between.items(), 5):
        document[str(number)] = {"class_type": name, "inputs": {"model": [last, 0], **more}}
        last = str(number)
    document["10"]["inputs"]["model"] = [last, 0]
    document["11"]["inputs"]["model"] = ["10", 0]
    return document


GGUF = {"unet_name": "wan2.1-i2v-14b-480p-Q5_K_M.gguf"}


@pytest.mark.parametrize(
    ("kind", "inputs", "quantization"),
    [
        ("UnetLoaderGGUF", GGUF, "Q5_K_M"),
        ("UnetLoaderGGUFAdvanced", GGUF, "Q5_K_M"),
        (
            "UNETLoader",
            {"unet_name": "wan2.1_i2v_480p_14B_fp8_scaled.safetensors", "weight_dtype": "default"},
            "fp8_scaled",
        ),
        ("UNETLoader", {"unet_name": "wan2.1_i2v_480p_14B_fp16.safetensors", "weight_dtype": "fp8_e4m3fn"}, None),
        ("DiffusionModelLoaderKJ", {"model_name": "wan2.1_bf16.safetensors", "weight_dtype": "default"}, "bf16"),
        ("UNETLoader", {"unet_name": "wan.safetensors", "weight_dtype": "default"}, None),
    ],
)
def test_a_loader_of_comfyuis_own_names_the_quantization(
    kind: str, inputs: dict[str, Any], quantization: str | None, tmp_path: Path
) -> None:
    asked = first(tmp_path, with_loader(kind, inputs))
    assert asked.quantization.value == quantization
    assert asked.model.value == inputs.get("unet_name", inputs.get("model_name"))
    assert asked.quantization.reason == "" if quantization else asked.quantization.reason


def test_an_unknown_loader_is_named_as_the_reason(tmp_path: Path) -> None:
    asked = first(tmp_path, with_loader("SomeLoader", {}))
    assert (
        asked.model.reason
        == "the model of node 10 (WanInfiniteTalkToVideo) comes from node 4 (SomeLoader), whose file is unknown"
    )


def test_the_speed_lora_is_found_among_others_behind_other_nodes(tmp_path: Path) -> None:
    style = {"lora_name": "style_rank32.safetensors", "strength_model": 0.5, "strength_clip": 1.0}
    fast = {"lora_name": "lightx2v_rank64.safetensors", "strength_model": 1.0}
    asked = first(
        tmp_path, with_loader("UnetLoaderGGUF", GGUF, LoraLoader=style, LoraLoaderModelOnly=fast, ModelSamplingSD3={})
    )
    assert (asked.lora.value, asked.lora_rank.value, asked.lora_strength.value) == (fast["lora_name"], 64, 1.0)


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        ({}, "no LoRA is loaded"),
        (
            {"LoraLoaderModelOnly": {"lora_name": "lightx2v_rank64.safetensors", "strength_model": 0}},
            "no LoRA is loaded",
        ),
        ({"Power Lora Loader": {}}, "LoRAs of node 5 (Power Lora Loader) are unknown"),
        ({"LoraLoader": {"lora_name": "lightx2v.safetensors", "strength_model": 1}}, "does not show its rank"),
    ],
)
def test_a_rank_that_is_unknown_has_a_reason(between: dict[str, Any], reason: str, tmp_path: Path) -> None:
    asked = first(tmp_path, with_loader("UnetLoaderGGUF", GGUF, **between))
    assert asked.lora_rank.value is None
    assert reason in asked.lora_rank.reason


def test_the_adapter_of_a_clip_is_named(tmp_path: Path) -> None:
    document = with_loader("UnetLoaderGGUF", GGUF)
    document["8"] = {"class_type": "ModelPatchLoader", "inputs": {"name": "infiniteTalk_single_fp16.safetensors"}}
    document["10"]["inputs"]["model_patch"] = ["8", 0]
    assert first(tmp_path, document).adapter.value == "infiniteTalk_single_fp16.safetensors"
