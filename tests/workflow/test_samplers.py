"""Samplers of every known class, and what feeds them: directly, through nodes of settings, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import Editor, api, editor, sampler_v2, saved, skyreels

from loganalyzer.common.errors import WorkflowError
from loganalyzer.workflow.reading import MOST_SAMPLERS, load_workflow
from loganalyzer.workflow.requested import SamplerSettings

LOOSE = "node 6 (Audio) is not connected to a sampler"


@pytest.mark.parametrize(("count", "is_read"), [(MOST_SAMPLERS, True), (MOST_SAMPLERS + 1, False)])
def test_more_samplers_than_a_person_makes_are_refused(count: int, is_read: bool, tmp_path: Path) -> None:
    document = api()
    document |= {f"s{number}": document["4"] for number in range(count - 1)}
    path = saved(tmp_path, document)
    if is_read:
        assert len(load_workflow(path).samplers) == count
    else:
        with pytest.raises(WorkflowError, match="more than 200 samplers"):
            load_workflow(path)


def first(folder: Path, document: object) -> SamplerSettings:
    return load_workflow(saved(folder, document)).first


def test_the_newer_sampler_tells_the_same_settings_through_its_two_nodes(tmp_path: Path) -> None:
    asked = first(tmp_path, sampler_v2())
    assert (asked.requested_frames.value, asked.window_frames.value, asked.width.value) == (369, 81, 1280)
    assert (asked.steps.value, asked.steps_run, asked.scheduler.value) == (6, 4, "dpm++_sde")
    assert asked.steps.node_id == "41"
    assert asked.quantization.value == "Q6_K"


def test_context_options_of_the_newer_sampler_are_found_behind_its_extra_arguments(tmp_path: Path) -> None:
    document = sampler_v2(_10={"class_type": "WanVideoContextOptions"})
    assert first(tmp_path, document).context_options is None
    document["42"]["inputs"]["context_options"] = ["10", 0]
    assert first(tmp_path, document).context_options == "10"


def test_the_newer_sampler_is_read_from_the_editors_format(tmp_path: Path) -> None:
    made = editor()
    made.nodes = [node for node in made.nodes if node["id"] != 4]
    made.node(41, "WanVideoSchedulerv2", ["unipc", 6, 11.0, 2, -1, False])
    made.node(42, "WanVideoSamplerExtraArgs", [0, "comfy"], wired={"multitalk_embeds": (6, 0)})
    made.node(
        4, "WanVideoSamplerv2", [1.0, 2, "fixed", True, False],
        wired={"model": (1, 0), "image_embeds": (5, 0), "scheduler": (41, 3), "extra_args": (42, 0)},
    )  # fmt: skip
    asked = first(tmp_path, made.document())
    assert (asked.requested_frames.value, asked.steps.value, asked.steps_run, asked.scheduler.value) == (
        369, 6, 4, "unipc",
    )  # fmt: skip


def test_what_the_newer_sampler_is_not_connected_to_is_named(tmp_path: Path) -> None:
    document = sampler_v2()
    del document["4"]["inputs"]["scheduler"]
    asked = first(tmp_path, document)
    assert asked.steps.value is None
    assert asked.steps.reason == "nothing is connected to scheduler of node 4 (WanVideoSamplerv2)"


def test_first_and_last_step_that_are_left_out_are_those_of_the_node(tmp_path: Path) -> None:
    asked = first(tmp_path, api(_4={"start_step": None, "end_step": None, "steps": 5}))
    assert (asked.start_step.value, asked.end_step.value, asked.steps_run) == (0, -1, 5)


def test_the_windows_of_skyreels_come_with_their_dropped_frames(tmp_path: Path) -> None:
    asked = first(tmp_path, skyreels())
    schedule = (asked.window_frames.value, asked.motion_frames.value, asked.drop_frames.value)
    assert (schedule, asked.mode.value, asked.width.value) == ((81, 5, 12), "skyreelsv3", 832)


def test_the_windows_of_skyreels_are_read_from_the_editors_format(tmp_path: Path) -> None:
    made = editor()
    made.nodes = [node for node in made.nodes if node["id"] != 5]
    values = [720, 640, 77, 5, 12, False, True, "disabled", ""]
    made.node(5, "WanVideoImageToVideoSkyreelsv3_audio", values)
    asked = first(tmp_path, made.document())
    assert (asked.window_frames.value, asked.drop_frames.value, asked.height.value) == (77, 12, 640)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (
            api(_4={"multitalk_embeds": None}),
            f"nothing is connected to multitalk_embeds of node 4 (Sampler); {LOOSE}",
        ),
        (
            api(_4={"multitalk_embeds": ["10", 0]}, _10={"class_type": "Own"}),
            f"multitalk_embeds of node 4 (Sampler) comes from node 10 (Own), whose frame count is unknown; {LOOSE}",
        ),
    ],
    ids=["unconnected", "unknown node"],
)
def test_audio_that_reaches_no_sampler_is_said_so(document: Any, reason: str, tmp_path: Path) -> None:
    asked = first(tmp_path, document)
    assert (asked.requested_frames.value, asked.requested_frames.reason) == (None, reason)
    assert asked.fps.reason == reason


def test_windows_of_an_unknown_node_are_unknown_with_its_name(tmp_path: Path) -> None:
    asked = first(tmp_path, api(_4={"image_embeds": ["10", 0]}, _10={"class_type": "OwnWindows"}))
    assert asked.window_frames.value is None
    assert "comes from node 10 (OwnWindows), whose schedule is unknown" in asked.window_frames.reason


def test_a_workflow_whose_embeds_are_all_loose_is_refused_with_their_names(tmp_path: Path) -> None:
    document = api(_4={"multitalk_embeds": None, "image_embeds": None})
    with pytest.raises(WorkflowError) as raised:
        load_workflow(saved(tmp_path, document))
    assert "not connected to a sampler: node 5 (WanVideoImageToVideoMultiTalk), node 6 (Audio)" in str(raised.value)


def purge(made: Editor, **more: Any) -> Editor:
    """The editor's workflow with a node between windows and sampler."""
    made.node(30, wired={"anything": (5, 0)}, outputs=[{"name": "output", "type": "*"}], **more)
    sampler = next(node for node in made.nodes if node["id"] == 4)
    slot = next(given for given in sampler["inputs"] if given["name"] == "image_embeds")
    made.links[slot["link"] - 1][1] = 30
    return made


@pytest.mark.parametrize(
    ("values", "window"), [([], 81), ([True, False], 81), ([3], None)], ids=["none", "switches", "a number"]
)
def test_a_node_of_the_editor_is_looked_through_where_it_has_nothing_but_switches(
    values: list[Any], window: int | None, tmp_path: Path
) -> None:
    asked = first(tmp_path, purge(editor(), kind="OwnPurge", values=values).document())
    assert asked.window_frames.value == window
