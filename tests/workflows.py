"""Small InfiniteTalk workflows of our own, in both formats."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

LORA = "lightx2v_distill_rank256_bf16.safetensors"

API: dict[str, Any] = {
    "1": {"class_type": "WanVideoModelLoader", "_meta": {"title": "Model"}, "inputs": {
        "model": "wan2.1-i2v-14b-720p-Q6_K.gguf", "base_precision": "fp16_fast", "quantization": "disabled",
        "load_device": "offload_device", "attention_mode": "sdpa", "lora": ["2", 0], "multitalk_model": ["3", 0]}},
    "2": {"class_type": "WanVideoLoraSelect", "inputs": {"lora": LORA, "strength": 1.0}},
    "3": {"class_type": "MultiTalkModelLoader", "inputs": {"model": "InfiniteTalk_Single_Q8.gguf"}},
    "4": {"class_type": "WanVideoSampler", "_meta": {"title": "Sampler"}, "inputs": {
        "steps": 4, "start_step": 0, "end_step": -1, "scheduler": "dpm++_sde", "model": ["1", 0],
        "image_embeds": ["5", 0], "multitalk_embeds": ["6", 0]}},
    "5": {"class_type": "WanVideoImageToVideoMultiTalk", "inputs": {
        "width": 1280, "height": 720, "frame_window_size": 81, "motion_frame": 9, "mode": "infinitetalk"}},
    "6": {"class_type": "MultiTalkWav2VecEmbeds", "_meta": {"title": "Audio"}, "inputs": {
        "num_frames": ["7", 0], "fps": 25, "multi_audio_type": "para", "audio_1": ["9", 0]}},
    "7": {"class_type": "INTConstant", "_meta": {"title": "Max frames"}, "inputs": {"value": 369}},
    "8": {"class_type": "VHS_VideoCombine", "inputs": {"frame_rate": 25, "images": ["4", 0], "audio": ["9", 0]}},
    "9": {"class_type": "LoadAudio", "inputs": {"audio": "speech.wav"}},
}  # fmt: skip


def api(**changes: Any) -> dict[str, Any]:
    """The API workflow with inputs changed: `api(_7={"value": 500})`; None for an input takes it away."""
    found = copy.deepcopy(API)
    for name, inputs in changes.items():
        node = found.setdefault(name.removeprefix("_"), {"class_type": inputs.pop("class_type", "?"), "inputs": {}})
        for key, value in inputs.items():
            node["inputs"].pop(key, None)
            if value is not None:
                node["inputs"][key] = value
    return found


def sampler_v2(**changes: Any) -> dict[str, Any]:
    """The API workflow with the newer sampler, which takes steps and audio through two more nodes."""
    found = api(**changes)
    found["4"] = {"class_type": "WanVideoSamplerv2", "inputs": {
        "model": ["1", 0], "image_embeds": ["5", 0], "scheduler": ["41", 3], "extra_args": ["42", 0]}}  # fmt: skip
    found["41"] = {"class_type": "WanVideoSchedulerv2", "inputs": {
        "scheduler": "dpm++_sde", "steps": 6, "shift": 11, "start_step": 2, "end_step": -1}}  # fmt: skip
    found["42"] = {"class_type": "WanVideoSamplerExtraArgs", "inputs": {
        "rope_function": "comfy", "multitalk_embeds": ["6", 0]}}  # fmt: skip
    return found


def skyreels(**changes: Any) -> dict[str, Any]:
    """The API workflow with the windows of SkyReels V3."""
    found = api(**changes)
    found["5"] = {"class_type": "WanVideoImageToVideoSkyreelsv3_audio", "inputs": {
        "width": 832, "height": 480, "frame_window_size": 81, "motion_frame": 5, "drop_frames": 12}}  # fmt: skip
    return found


def native(clips: int = 1, rate: float = 25) -> dict[str, Any]:
    """ComfyUI's own InfiniteTalk in API format: clips that continue one another; clip k is node `k0`."""
    found: dict[str, Any] = {
        "1": {"class_type": "LoadAudio", "inputs": {"audio": "speech.wav"}},
        "2": {"class_type": "AudioEncoderEncode", "inputs": {"audio": ["1", 0]}},
        "3": {"class_type": "CreateVideo", "inputs": {"images": [f"{clips}2", 0], "fps": rate, "audio": ["1", 0]}},
    }
    for clip in range(1, clips + 1):
        found[f"{clip}0"] = {"class_type": "WanInfiniteTalkToVideo", "inputs": {
            "mode": "single_speaker", "width": 640, "height": 480, "length": 81, "motion_frame_count": 9,
            "audio_encoder_output_1": ["2", 0]}}  # fmt: skip
        if clip > 1:
            found[f"{clip}0"]["inputs"]["previous_frames"] = [f"{clip - 1}2", 0]
        found[f"{clip}1"] = {"class_type": "KSampler", "inputs": {"steps": 6, "latent_image": [f"{clip}0", 3]}}
        found[f"{clip}2"] = {"class_type": "VAEDecode", "inputs": {"samples": [f"{clip}1", 0]}}
    return found


def between(document: dict[str, Any], reader: str, name: str, kind: str, via: str = "anything", **more: Any) -> str:
    """Puts a node between an input and what feeds it; returns the node's id."""
    number = str(900 + len(document))
    document[number] = {"class_type": kind, "inputs": {via: document[reader]["inputs"][name], **more}}
    document[reader]["inputs"][name] = [number, 0]
    return number


def saved(folder: Path, workflow: object, name: str = "talk.json") -> Path:
    """The workflow as a file."""
    path = folder / name
    path.write_text(json.dumps(workflow, indent=2), encoding="utf-8")
    return path


class Editor:
    """Builds a workflow as the editor saves it."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[list[Any]] = []

    def node(self, number: int, kind: str, values: Any = None, **more: Any) -> int:
        """A node; `inputs` maps an input's name to (node, slot)."""
        entry: dict[str, Any] = {"id": number, "type": kind, "mode": 0, "inputs": [], "outputs": [], **more}
        wired = entry.pop("wired", {})
        for slot, (name, (origin, origin_slot)) in enumerate(wired.items()):
            link = len(self.links) + 1
            self.links.append([link, origin, origin_slot, number, slot, "*"])
            entry["inputs"].append({"name": name, "type": "*", "link": link})
        if values is not None:
            entry["widgets_values"] = values
        self.nodes.append(entry)
        return number

    def document(self, **more: Any) -> dict[str, Any]:
        return {"nodes": self.nodes, "links": self.links, "version": 0.4, **more}


def editor(frames_from: tuple[int, int] = (7, 0)) -> Editor:
    """The same workflow as `API`, in the editor's format; its `num_frames` hang on `frames_from`."""
    made = Editor()
    made.node(2, "WanVideoLoraSelect", [LORA, 1, False, False])
    made.node(3, "MultiTalkModelLoader", ["InfiniteTalk_Single_Q8.gguf"])
    made.node(
        1, "WanVideoModelLoader",
        ["wan2.1-i2v-14b-720p-Q6_K.gguf", "fp16_fast", "disabled", "offload_device", "sdpa"],
        wired={"lora": (2, 0), "multitalk_model": (3, 0)}, title="Model",
    )  # fmt: skip
    made.node(5, "WanVideoImageToVideoMultiTalk", [1280, 720, 81, 9, False, "disabled", False, "infinitetalk", ""])
    made.node(7, "INTConstant", [369], title="Max frames")
    made.node(9, "LoadAudio", ["speech.wav", None, None])
    made.node(
        6, "MultiTalkWav2VecEmbeds", [True, 400, 25, 1, 1, "para"], wired={"num_frames": frames_from, "audio_1": (9, 0)}
    )
    made.node(
        4, "WanVideoSampler", [4, 1.0, 11.0, 2, "fixed", True, "dpm++_sde", 0, 1, False, "comfy", 0, -1, True],
        wired={"model": (1, 0), "image_embeds": (5, 0), "multitalk_embeds": (6, 0)},
    )  # fmt: skip
    made.node(8, "VHS_VideoCombine", {"frame_rate": 25, "format": "video/h264-mp4"}, wired={"images": (4, 0)})
    return made
