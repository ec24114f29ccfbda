"""What the recorder reads from the graph agrees with the workflow reader, and hostile graphs do no harm."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import workflows

from loganalyzer.recorder import extension
from loganalyzer.workflow.reading import load_workflow
from loganalyzer.workflow.requested import as_int

NATIVE: dict[str, Any] = {
    "1": {"class_type": "UnetLoaderGGUF", "inputs": {"unet_name": "wan2.1-i2v-14b-480p-Q5_K_M.gguf"}},
    "2": {"class_type": "LoraLoaderModelOnly", "inputs": {
        "model": ["1", 0], "lora_name": "fast/lightx2v_rank64.safetensors", "strength_model": 0.75}},
    "3": {"class_type": "ModelSamplingSD3", "inputs": {"model": ["2", 0], "shift": 8.0}},
    "4": {"class_type": "ModelPatchLoader", "inputs": {"name": "wan2.1_infiniteTalk_single_fp16.safetensors"}},
    "5": {"class_type": "WanInfiniteTalkToVideo", "inputs": {
        "mode": "single_speaker", "model": ["3", 0], "model_patch": ["4", 0], "width": 832, "height": 480, "length": 81,
        "motion_frame_count": 9}},
    "6": {"class_type": "KSampler", "inputs": {"model": ["5", 0], "latent_image": ["5", 3], "steps": 6, "seed": 1}},
}  # fmt: skip


def line(graph: dict[str, Any], sampler: str) -> dict[str, Any]:
    """The fields of a sampler's line."""
    prompt = extension.Graph(graph)
    node = prompt.node(sampler)
    assert node is not None
    return extension.Settings(prompt, node).line("p")


def loras(graph: dict[str, Any], sampler: str) -> list[tuple[str, str, float | None]]:
    prompt = extension.Graph(graph)
    node = prompt.node(sampler)
    assert node is not None
    return list(extension.Settings(prompt, node).loras())


@pytest.mark.parametrize(
    "graph",
    [
        workflows.api(),
        workflows.sampler_v2(),
        workflows.skyreels(),
        workflows.api(_1={"model": "Wan2_1-I2V-14B_fp8_e4m3fn.safetensors", "quantization": "fp8_e4m3fn"}),
        workflows.api(_1={"model": "Wan2_1-I2V-14B_bf16.safetensors", "attention_mode": "sageattn"}),
        workflows.api(_4={"start_step": 2, "end_step": 100}),
        workflows.api(_4={"scheduler": "multitalk", "steps": 30}),
    ],
    ids=["v1", "v2", "skyreels", "fp8", "bf16", "part of the steps", "multitalk scheduler"],
)
def test_the_line_agrees_with_the_workflow_reader(graph: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(graph), encoding="utf-8")
    read = load_workflow(path).first
    found = line(graph, "4")
    assert [found[name] for name in ("model", "adapter", "attention", "quantization")] == [
        one.value for one in (read.model, read.adapter, read.attention_mode, read.quantization)
    ]
    assert [found[name] for name in ("frames", "window", "overlap", "width", "height", "steps", "fps")] == [
        as_int(read.requested_frames), as_int(read.window_frames), as_int(read.motion_frames), as_int(read.width),
        as_int(read.height), read.requested.steps, read.fps.value,
    ]  # fmt: skip


def test_comfyuis_own_nodes_give_model_adapter_clip_and_lora() -> None:
    assert list(line(NATIVE, "6").values())[1:] == [
        "6", "KSampler", "wan2.1-i2v-14b-480p-Q5_K_M.gguf", "Q5_K_M", "wan2.1_infiniteTalk_single_fp16.safetensors",
        "fp16", None, 81, 81, 9, 832, 480, 6, None, 25.0,
    ]  # fmt: skip
    assert loras(NATIVE, "6") == [("2", "lightx2v_rank64.safetensors", 0.75)]


def test_a_sampler_with_a_guider_finds_the_model_and_the_steps() -> None:
    graph = NATIVE | {
        "7": {"class_type": "CFGGuider", "inputs": {"model": ["3", 0], "cfg": 1.0}},
        "8": {"class_type": "BasicScheduler", "inputs": {"model": ["3", 0], "steps": 9}},
        "6": {"class_type": "SamplerCustomAdvanced", "inputs": {
            "guider": ["7", 0], "sigmas": ["8", 0], "latent_image": ["5", 3]}},
    }  # fmt: skip
    found = line(graph, "6")
    assert (found["model"], found["steps"], found["width"]) == ("wan2.1-i2v-14b-480p-Q5_K_M.gguf", 9, 832)


def test_a_sampler_of_settings_reads_them_from_their_node() -> None:
    graph = workflows.api()
    graph["40"] = {"class_type": "WanVideoSamplerSettings", "inputs": graph["4"]["inputs"]}
    graph["4"] = {"class_type": "WanVideoSamplerFromSettings", "inputs": {"sampler_inputs": ["40", 0]}}
    found = line(graph, "4")
    assert (found["quantization"], found["window"], found["frames"], found["steps"]) == ("Q6_K", 81, 369, 4)


def test_loras_come_in_the_order_in_which_they_are_applied_without_idle_ones() -> None:
    graph = workflows.api(_2={"prev_lora": ["20", 0]})
    multi = {"lora_0": "none", "strength_0": 1.0, "lora_1": "a.safetensors", "strength_1": 0.5}
    graph["20"] = {"class_type": "WanVideoLoraSelectMulti", "inputs": multi}
    graph["21"] = {"class_type": "WanVideoSetLoRAs", "inputs": {"model": ["1", 0], "lora": ["22", 0]}}
    graph["22"] = {"class_type": "WanVideoLoraSelectByName", "inputs": {"lora_name": "b.safetensors", "strength": 0.0}}
    graph["23"] = {"class_type": "Power Lora Loader", "inputs": {
        "model": ["21", 0], "lora_1": {"on": True, "lora": "c.safetensors", "strength": 2},
        "lora_2": {"on": False, "lora": "d.safetensors", "strength": 1}}}  # fmt: skip
    graph["4"]["inputs"]["model"] = ["23", 0]
    assert loras(graph, "4") == [
        ("20", "a.safetensors", 0.5), ("2", workflows.LORA, 1.0), ("23", "c.safetensors", 2.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({"width": 833, "height": 480, "divisible_by": 16, "keep_proportion": "crop"}, (832, 480)),
        ({"width": 832, "height": 480, "divisible_by": 16, "keep_proportion": "resize"}, (None, None)),
    ],
)
def test_a_size_comes_from_a_resizing_node_unless_it_keeps_proportions(
    inputs: dict[str, Any], size: tuple[int | None, int | None]
) -> None:
    graph = workflows.api(_5={"width": ["30", 1], "height": ["30", 2]})
    graph["30"] = {"class_type": "ImageResizeKJv2", "inputs": inputs}
    found = line(graph, "4")
    assert (found["width"], found["height"]) == size


def test_a_number_comes_from_the_output_that_repeats_it() -> None:
    graph = workflows.api(_6={"num_frames": ["60", 2]})
    graph["60"] = {"class_type": "MultiTalkWav2VecEmbeds", "inputs": {"num_frames": 441, "value": 1}}
    assert line(graph, "4")["frames"] == 441
    graph["6"]["inputs"]["num_frames"] = ["60", 1]
    assert line(graph, "4")["frames"] is None


@pytest.mark.parametrize(
    ("name", "setting", "expected"),
    [
        ("wan_Q8_0.gguf", None, "Q8_0"),
        ("Wan2_1-InfiniteTalk-Single_Q8.gguf", None, "Q8_0"),
        ("Wan2_1-InfiniteTalk-Single_Q6.gguf", None, "Q6_K"),
        ("Wan2_1-InfiniteTalk-Single_Q8.safetensors", None, None),
        ("wan-q4_k_m.gguf", "disabled", "Q4_K_M"),
        ("wan_Q6_K.gguf", "fp8_e4m3fn", "Q6_K"),
        ("wan_fp8_e4m3fn_scaled_KJ.safetensors", "disabled", "fp8_e4m3fn_scaled"),
        ("wan_fp16.safetensors", "fp8_e5m2", "fp8_e5m2"),
        ("wan_bf16.safetensors", "default", "bf16"),
        ("wan.safetensors", None, None),
        (None, "fp8_e5m2", None),
    ],
)
def test_a_quantization_is_in_the_name_or_in_the_loaders_setting(
    name: str | None, setting: str | None, expected: str | None
) -> None:
    assert extension.quantization_of(name, setting) == expected


def test_the_length_of_a_wav_file_is_read_and_a_missing_file_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wave.open(str(tmp_path / "speech.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(100)
        sound.writeframes(b"\0\0" * 1764)
    folder = SimpleNamespace(get_annotated_filepath=lambda name: str(tmp_path / name))
    monkeypatch.setitem(extension.sys.modules, "folder_paths", folder)
    assert line(workflows.api(), "4")["audio"] == 17.64
    assert line(workflows.api(_9={"audio": "other.wav"}), "4")["audio"] is None
    assert line(workflows.api(_6={"audio_2": ["9", 0]}), "4")["audio"] is None


HOSTILE: dict[str, dict[str, Any]] = {
    "a loop of models": {
        "1": {"class_type": "A", "inputs": {"model": ["2", 0]}},
        "2": {"class_type": "B", "inputs": {"model": ["1", 0]}},
        "4": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "latent_image": ["4", 0], "steps": ["4", 0]}},
    },
    "a loop of constants": {
        "1": {"class_type": "INTConstant", "inputs": {"value": ["1", 0]}},
        "4": {"class_type": "KSampler", "inputs": {"steps": ["1", 0]}},
    },
    "links to nothing": {
        "4": {"class_type": "KSampler", "inputs": {"model": ["99", 0], "steps": [None, {}], "latent": []}},
    },
    "values of wrong types": {
        "1": {"class_type": "UNETLoader", "inputs": {"unet_name": {"x": 1}, "weight_dtype": 5}},
        "4": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "steps": "many", "latent": 3, "guider": True}},
        "5": {"class_type": 7, "inputs": []},
        "6": "text",
    },
    "numbers without sense": {
        "4": {"class_type": "KSampler", "inputs": {"model": ["4", 0], "steps": 1e300, "latent_image": ["5", 0]}},
        "5": {"class_type": "Empty", "inputs": {"width": float("nan"), "height": float("inf"), "length": True}},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_gives_nulls(name: str) -> None:
    graph = HOSTILE[name]
    found = line(graph, "4")
    assert [value for value in list(found.values())[3:] if value is not None] == []
    assert loras(graph, "4") == []
    assert [node.id for node in extension.Graph(graph).nodes() if extension.is_sampler(node.kind, node.inputs)] == ["4"]


def test_a_huge_graph_is_read_up_to_a_limit() -> None:
    graph = {str(place): {"class_type": "KSampler", "inputs": {}} for place in range(extension.MOST_NODES + 10)}
    assert sum(1 for _ in extension.Graph(graph).nodes()) == extension.MOST_NODES


@pytest.mark.parametrize(
    ("kind", "inputs", "phase"),
    [
        ("WanVideoSampler", {}, "sample"),
        ("ClownsharKSampler_Beta", {"model": 1, "steps": 1}, "sample"),
        ("KSamplerSelect", {"sampler_name": "euler"}, "other"),
        ("WanVideoModelLoader", {}, "load"),
        ("LoadWanVideoT5TextEncoder", {}, "load"),
        ("DownloadAndLoadWav2VecModel", {}, "load"),
        ("LoadImage", {}, "other"),
        ("VAEDecodeTiled", {}, "decode"),
        ("WanVideoTextEncodeCached", {}, "encode"),
        ("MultiTalkWav2VecEmbeds", {}, "encode"),
        ("WanVideoImageToVideoMultiTalk", {}, "encode"),
        ("VHS_VideoCombine", {}, "other"),
    ],
)
def test_a_class_belongs_to_a_phase(kind: str, inputs: dict[str, Any], phase: str) -> None:
    assert extension.phase_of(kind, inputs) == phase
