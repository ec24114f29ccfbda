"""Nodes that hand on what they are given are looked through; those that compute something else are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import api, between, saved

from loganalyzer.workflow.reading import load_workflow
from loganalyzer.workflow.requested import SamplerSettings

PURGES = [
    ("easy cleanGpuUsed", "anything", {}),
    ("LayerUtility: PurgeVRAM V2", "anything", {"purge_cache": True, "purge_models": False}),
    ("VRAM_Debug", "any_input", {"empty_cache": True, "gc_collect": True, "unload_all_models": False}),
    ("A pack of tomorrow", "any", {}),
    ("Any Switch (rgthree)", "any_01", {}),
]


def first(folder: Path, document: object) -> SamplerSettings:
    return load_workflow(saved(folder, document)).first


@pytest.mark.parametrize("name", ["image_embeds", "multitalk_embeds", "model"])
@pytest.mark.parametrize(("kind", "via", "more"), PURGES, ids=[kind for kind, _, _ in PURGES])
def test_a_node_with_one_input_of_any_type_is_looked_through(
    kind: str, via: str, more: dict[str, Any], name: str, tmp_path: Path
) -> None:
    document = api()
    between(document, "4", name, kind, via, **more)
    asked = first(tmp_path, document)
    assert (asked.window_frames.value, asked.requested_frames.value, asked.quantization.value) == (81, 369, "Q6_K")


def test_several_such_nodes_in_a_row_are_looked_through(tmp_path: Path) -> None:
    document = api()
    for name in ("image_embeds", "image_embeds", "multitalk_embeds"):
        between(document, "4", name, "easy cleanGpuUsed")
    asked = first(tmp_path, document)
    assert (asked.window_frames.value, asked.requested_frames.value) == (81, 369)


def test_each_output_of_a_node_with_several_is_that_of_its_input(tmp_path: Path) -> None:
    document = api()
    number = between(document, "4", "model", "VRAM_Debug", "model_pass", any_input=["6", 0])
    document["4"]["inputs"] |= {"model": [number, 2], "multitalk_embeds": [number, 0]}
    asked = first(tmp_path, document)
    assert (asked.quantization.value, asked.requested_frames.value) == ("Q6_K", 369)


COMPUTING = [
    ("easy lengthAnything", {}),
    ("easy indexAnything", {"index": 0}),
    ("OwnChoice", {"also": ["5", 0]}),
    ("OwnFilter", {"strength": 0.5}),
]


@pytest.mark.parametrize(("kind", "more"), COMPUTING, ids=[kind for kind, _ in COMPUTING])
def test_a_node_that_computes_is_not_looked_through(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    document = api()
    between(document, "6", "num_frames", kind, **more)
    frames = first(tmp_path, document).requested_frames
    assert frames.value is None
    assert kind in frames.reason


def test_a_second_output_makes_a_node_one_that_computes(tmp_path: Path) -> None:
    document = api()
    number = between(document, "6", "num_frames", "OwnPurge")
    document["8"]["inputs"]["frame_rate"] = [number, 1]
    assert first(tmp_path, document).requested_frames.value is None
