"""The settings of a workflow, whatever format it is saved in, and however its nodes are connected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, PngImagePlugin
from workflows import API, Editor, api, editor, saved

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.reading import load_workflow
from loganalyzer.workflow.requested import SamplerSettings, Workflow

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "workflows"
WANTED = {
    "requested_frames": 369, "fps": 25, "width": 1280, "height": 720, "window_frames": 81, "motion_frames": 9,
    "mode": "infinitetalk", "steps": 4, "model": "wan2.1-i2v-14b-720p-Q6_K.gguf", "quantization": "Q6_K",
    "lora": "lightx2v_distill_rank256_bf16.safetensors", "lora_rank": 256, "attention_mode": "sdpa",
}  # fmt: skip


def settings(asked: SamplerSettings) -> dict[str, Any]:
    return {name: value.value for name, value in asked.items()}


def loaded(folder: Path, document: object) -> Workflow:
    return load_workflow(saved(folder, document))


@pytest.mark.parametrize("document", [API, editor().document(), {"prompt": API}], ids=["api", "editor", "request body"])
def test_both_formats_tell_the_same_settings(document: object, tmp_path: Path) -> None:
    asked = loaded(tmp_path, document).first
    assert {name: settings(asked)[name] for name in WANTED} == WANTED
    assert [rate.value for rate in asked.video_fps] == [25]


@pytest.mark.parametrize("document", [API, editor().document()], ids=["api", "editor"])
def test_a_value_is_said_to_stand_where_a_person_types_it(document: object, tmp_path: Path) -> None:
    place = loaded(tmp_path, document).first.requested_frames
    assert (place.node_id, place.title, place.input) == ("7", "Max frames", "value")


def pair() -> Editor:
    made = editor(frames_from=(21, 0))
    made.node(20, "SetNode", ["frames"], wired={"INT": (7, 0)})
    made.node(21, "GetNode", ["frames"])
    return made


def reroute() -> Editor:
    made = editor(frames_from=(22, 0))
    made.node(22, "Reroute", wired={"": (7, 0)})
    return made


def primitive() -> Editor:
    made = editor(frames_from=(23, 0))
    made.nodes = [node for node in made.nodes if node["id"] != 7]
    made.node(23, "PrimitiveNode", [369, "fixed"], title="Max frames")
    return made


def bypassed() -> Editor:
    made = editor(frames_from=(24, 0))
    made.node(24, "SomeIntFilter", [1], wired={"number": (7, 0)}, mode=4, outputs=[{"name": "number", "type": "*"}])
    return made


@pytest.mark.parametrize("make", [pair, reroute, primitive, bypassed])
def test_values_are_followed_through_what_only_the_editor_knows(make: Any, tmp_path: Path) -> None:
    place = loaded(tmp_path, make().document()).first.requested_frames
    assert place.value == 369
    assert place.title == "Max frames"


def subgraphed() -> dict[str, Any]:
    """The frame count goes into a subgraph and comes out again: through an input, a node inside, an output."""
    made = editor(frames_from=(30, 0))
    made.node(30, "d1f0-uuid", wired={"frames": (7, 0)}, title="Frames")
    inside = {
        "id": "d1f0-uuid",
        "nodes": [
            {
                "id": 1,
                "type": "Reroute",
                "inputs": [{"name": "", "type": "INT", "link": 1}],
                "outputs": [{"type": "INT"}],
            }
        ],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0},
            {"id": 2, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 0},
        ],
    }
    return made.document(definitions={"subgraphs": [inside]})


def constant_in_subgraph() -> dict[str, Any]:
    made = editor(frames_from=(30, 0))
    made.node(30, "d1f0-uuid", title="Frames")
    inside = {
        "id": "d1f0-uuid",
        "nodes": [{"id": 7, "type": "INTConstant", "inputs": [], "widgets_values": [369], "title": "Max frames"}],
        "links": [{"id": 1, "origin_id": 7, "origin_slot": 0, "target_id": -20, "target_slot": 0}],
    }
    return made.document(definitions={"subgraphs": [inside]})


@pytest.mark.parametrize(("make", "node"), [(subgraphed, "7"), (constant_in_subgraph, "30:7")])
def test_values_are_followed_into_subgraphs(make: Any, node: str, tmp_path: Path) -> None:
    place = loaded(tmp_path, make()).first.requested_frames
    assert (place.value, place.node_id, place.title) == (369, node, "Max frames")


def test_a_subgraph_that_holds_itself_is_refused(tmp_path: Path) -> None:
    made = editor()
    made.node(30, "a")
    inside = {"id": "a", "nodes": [{"id": 1, "type": "a"}], "links": []}
    with pytest.raises(WorkflowError, match="contain each other"):
        loaded(tmp_path, made.document(definitions={"subgraphs": [inside]}))


def test_newer_editors_name_the_values_themselves(tmp_path: Path) -> None:
    made = editor()
    names = ["steps", "a_new_setting", "seed", "scheduler", "start_step", "end_step"]
    for node in made.nodes:
        if node["id"] == 4:
            node["widgets_values"] = [6, "?", 2, "fixed", "unipc", 2, -1]
            node["inputs"] += [{"name": name, "widget": {"name": name}, "link": None} for name in names]
    asked = loaded(tmp_path, made.document()).first
    assert (asked.steps.value, asked.scheduler.value, asked.steps_run) == (6, "unipc", 4)


def test_a_muted_node_gives_nothing(tmp_path: Path) -> None:
    made = editor()
    for node in made.nodes:
        if node["id"] == 7:
            node["mode"] = 2
    asked = loaded(tmp_path, made.document()).first
    assert asked.requested_frames.value is None
    assert asked.requested_frames.reason


def test_a_muted_sampler_is_no_sampler(tmp_path: Path) -> None:
    made = editor()
    for node in made.nodes:
        if node["id"] == 4:
            node["mode"] = 2
    with pytest.raises(WorkflowError, match="no active WanVideoSampler"):
        loaded(tmp_path, made.document())


SIZED = {"class_type": "GetImageSizeAndCount", "image": ["11", 0]}


@pytest.mark.parametrize(
    ("mode", "divisible", "size"),
    [("crop", 16, (640, 352)), ("stretch", 2, (650, 360)), ("resize", 16, (None, None))],
)
def test_an_images_size_is_told_where_a_node_sets_it(
    mode: str, divisible: int, size: tuple[int | None, int | None], tmp_path: Path
) -> None:
    resize = {"class_type": "ImageResizeKJv2", "width": 650, "height": 360, "keep_proportion": mode,
              "divisible_by": divisible, "image": ["12", 0]}  # fmt: skip
    asked = loaded(
        tmp_path,
        api(_5={"width": ["10", 1], "height": ["10", 2]}, _10=dict(SIZED), _11=resize, _12={"class_type": "LoadImage"}),
    ).first
    assert (asked.width.value, asked.height.value) == size
    assert bool(asked.width.reason) == (size[0] is None)


def test_the_size_of_a_loaded_picture_is_unknown_with_the_reason(tmp_path: Path) -> None:
    loads = {"class_type": "LoadImage", "image": "woman.png"}
    asked = loaded(tmp_path, api(_5={"width": ["10", 1]}, _10=dict(SIZED), _11=loads)).first
    assert asked.width.value is None
    assert "LoadImage" in asked.width.reason


@pytest.mark.parametrize(("start", "end", "steps"), [(0, -1, 4), (2, -1, 2), (0, 3, 3), (1, 9, 3), (4, -1, 0)])
def test_the_steps_that_run_go_from_start_to_end(start: int, end: int, steps: int, tmp_path: Path) -> None:
    asked = loaded(tmp_path, api(_4={"start_step": start, "end_step": end})).first
    assert asked.steps_run == steps


@pytest.mark.parametrize(
    ("model", "setting", "told"),
    [
        ("sub\\wan-Q5_0.gguf", "disabled", "Q5_0"),
        ("wan-q4_k_m.gguf", "disabled", "Q4_K_M"),
        ("wan_fp8_e4m3fn.safetensors", "fp8_e4m3fn_fast", "fp8_e4m3fn_fast"),
        ("wan_bf16.safetensors", "disabled", "bf16"),
        ("wan.safetensors", "disabled", None),
    ],
)
def test_the_quantisation_is_read_off_the_file_then_off_the_setting(
    model: str, setting: str, told: str | None, tmp_path: Path
) -> None:
    asked = loaded(tmp_path, api(_1={"model": model, "quantization": setting})).first
    assert asked.quantization.value == told


def test_the_speed_lora_counts_whatever_other_loras_are_loaded(tmp_path: Path) -> None:
    style = {
        "class_type": "WanVideoLoraSelect",
        "lora": "style_rank32.safetensors",
        "strength": 0.8,
        "prev_lora": ["2", 0],
    }
    asked = loaded(tmp_path, api(_13=style, _1={"lora": ["13", 0]})).first
    assert asked.lora_rank.value == 256


def test_a_strength_that_no_float_can_hold_is_a_strength(tmp_path: Path) -> None:
    assert loaded(tmp_path, api(_2={"strength": 10**400})).first.lora_rank.value == 256


def test_a_lora_of_strength_zero_is_not_loaded(tmp_path: Path) -> None:
    assert loaded(tmp_path, api(_2={"strength": 0})).first.lora_rank.value is None


@pytest.mark.parametrize(
    ("crop", "seconds"),
    [
        ({"class_type": "AudioCrop", "start_time": "0:02", "end_time": "0:16.76"}, 14.76),
        ({"class_type": "TrimAudioDuration", "start_index": 1.5, "duration": 10}, 10.0),
        ({"class_type": "AudioCrop", "start_time": "0:05", "end_time": "words"}, None),
        ({"class_type": "TrimAudioDuration", "start_index": 0, "duration": 10_000_000}, 10_000_000.0),
        ({"class_type": "TrimAudioDuration", "start_index": 0, "duration": 10_000_001}, None),
        ({"class_type": "TrimAudioDuration", "start_index": 10**400, "duration": 10**400}, None),
    ],
)
def test_a_cut_of_the_audio_is_found_behind_other_nodes(crop: Any, seconds: float | None, tmp_path: Path) -> None:
    vocals = {"class_type": "MelBandRoFormerSampler", "audio": ["15", 0]}
    asked = loaded(tmp_path, api(_6={"audio_1": ["14", 0]}, _14=vocals, _15={**crop, "audio": ["9", 0]})).first
    assert asked.audio_crop_s == (pytest.approx(seconds) if seconds else None)


def test_the_automatic_mode_goes_by_the_adapters_name(tmp_path: Path) -> None:
    assert loaded(tmp_path, api(_5={"mode": "auto"})).first.mode.value == "infinitetalk"


def png(path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", json.dumps(API))
    texts.add_text("workflow", json.dumps(editor().document()))
    Image.new("RGB", (4, 4)).save(path, pnginfo=texts)


def webp(path: Path) -> None:
    image = Image.new("RGB", (4, 4))
    tags = image.getexif()
    tags[0x0110] = "prompt:" + json.dumps(API)
    image.save(path, exif=tags)


def video(path: Path, tags: dict[str, str], **options: str) -> None:
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(tags)
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 16, 16
        for frame in [av.VideoFrame(16, 16, "yuv420p"), None]:
            container.mux(stream.encode(frame))


def core_video(path: Path) -> None:
    video(path, {"prompt": json.dumps(API)}, movflags="use_metadata_tags")


def helper_video(path: Path) -> None:
    video(path, {"comment": json.dumps({"prompt": json.dumps(API), "workflow": editor().document()})})


@pytest.mark.parametrize(
    ("name", "write", "form"),
    [("a.png", png, "ui"), ("a.webp", webp, "api"), ("a.mp4", core_video, "api"), ("b.mp4", helper_video, "ui")],
)
def test_a_workflow_is_found_in_what_comfyui_wrote(name: str, write: Any, form: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    found = load_workflow(tmp_path / name)
    assert found.graph.format == form
    assert found.first.requested_frames.value == 369


def test_a_picture_without_workflow_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(WorkflowError, match="holds no workflow"):
        load_workflow(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.mp4"])
def test_a_damaged_picture_or_video_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(WorkflowError, match="cannot be read as a"):
        load_workflow(tmp_path / name)


def circular() -> dict[str, Any]:
    made = editor(frames_from=(22, 0))
    made.node(22, "Reroute", wired={"": (23, 0)})
    made.node(23, "Reroute", wired={"": (22, 0)})
    return made.document()


BROKEN = [
    ("{", "talk.json:1:2: is not JSON"),
    ('{"1": \n {"class_type": }}', "talk.json:2"),
    ("[]", "not a ComfyUI workflow"),
    ('{"a": 1}', "not a ComfyUI workflow"),
    ("[" * 5000 + "]" * 5000, "nested"),
    ('{"a":' * 150 + "1" + "}" * 150, "nested"),
    (json.dumps({"1": {"class_type": "KSampler", "inputs": {}}}), "no active WanVideoSampler"),
    (json.dumps(api(_6={"num_frames": ["99", 0]})), "node 99, which does not exist"),
    (json.dumps(api(_5={"width": ["10", 1]}, _10={**SIZED, "image": ["10", 0]})), "form a loop"),
    (json.dumps(circular()), "form a loop"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=range(len(BROKEN)))
def test_what_makes_no_sense_gets_one_clear_message(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WorkflowError) as raised:
        load_workflow(path)
    assert message in str(raised.value)
    assert "talk.json" in str(raised.value)


PEOPLE_READ = {
    "i2v_infinitetalk_ui.json": {
        "requested_frames": 500, "fps": 25, "width": 640, "height": 640, "steps": 6, "quantization": "Q8_0",
        "mode": "infinitetalk",
    },
    "v2v_infinitetalk_ui.json": {
        "requested_frames": 1000, "fps": 25, "width": 640, "height": 640, "steps": 4, "start_step": 2,
        "quantization": "Q8_0", "mode": "infinitetalk",
    },
    "i2v_single_api.json": {
        "requested_frames": 1000, "fps": 25, "width": 640, "height": 640, "steps": 6, "quantization": "fp8_e4m3fn",
        "mode": "infinitetalk",
    },
    "v2v_multi_api.json": {
        "requested_frames": 1000, "fps": None, "width": 640, "height": 640, "steps": 4, "start_step": 2,
        "quantization": "fp8_e4m3fn", "mode": "infinitetalk",
    },
}  # fmt: skip


@pytest.mark.skipif(not CORPUS.is_dir(), reason="real workflows are not part of the repository")
@pytest.mark.parametrize("name", PEOPLE_READ)
def test_real_workflows_tell_what_a_person_reads_off_them(name: str) -> None:
    told = settings(load_workflow(CORPUS / name).first)
    wanted = PEOPLE_READ[name] | {
        "window_frames": 81, "motion_frames": 9, "lora_rank": 64, "attention_mode": "sageattn"
    }  # fmt: skip
    assert {key: told[key] for key in wanted} == wanted
