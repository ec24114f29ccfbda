"""Reads ComfyUI's own InfiniteTalk nodes in a workflow: one node and one sampler per clip, chained by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from loganalyzer.workflow import native_model
from loganalyzer.workflow.graph import Graph, Link, Node
from loganalyzer.workflow.requested import SamplerSettings, as_int, unknown_value
from loganalyzer.workflow.values import Value, resolve_value
from loganalyzer.workflow.vocabulary import load_vocabulary

FPS: Final = 25
"""Audio embeddings per second in ComfyUI's own nodes; no input changes it."""
AUDIO: Final = "audio_encoder_output_1"
"""The input of the first speaker's audio."""


def read_clips(found: Graph) -> Iterator[tuple[Node, SamplerSettings]]:
    """Each clip's node and its requested settings."""
    nodes = [node for kind in load_vocabulary().entries["clip"] for node in found.nodes_of(kind)]
    total, samplers = _total_frames(found, nodes), _samplers_by_clip(found)
    for node in nodes:
        yield (
            node,
            SamplerSettings(
                node.id,
                requested_frames=total,
                fps=Value(FPS, "", node.id, node.title, AUDIO),
                width=resolve_value(found, node, "width"),
                height=resolve_value(found, node, "height"),
                window_frames=resolve_value(found, node, "length"),
                motion_frames=resolve_value(found, node, "motion_frame_count"),
                mode=Value("infinitetalk", "", node.id, node.title, "mode"),
                steps=_steps(found, node, samplers),
                clips=len(nodes),
                continues=isinstance(node.inputs.get("previous_frames"), Link),
                **native_model.read_model_settings(found, node, samplers.get(node.id)),
            ),
        )


def _total_frames(found: Graph, nodes: list[Node]) -> Value:
    """The number of frames of all clips together, if the clips continue each other."""
    sizes = [
        (as_int(resolve_value(found, node, "length")), as_int(resolve_value(found, node, "motion_frame_count")))
        for node in nodes
    ]
    firsts = [node for node in nodes if not isinstance(node.inputs.get("previous_frames"), Link)]
    if len(firsts) != 1:
        return unknown_value("length", "the clips do not continue each other")
    total = 0
    for node, (length, motion) in zip(nodes, sizes, strict=True):
        if length is None or motion is None:
            return unknown_value("length", f"the length of node {node.id} ({node.title}) is unknown")
        total += length if node is firsts[0] else length - motion
    last = nodes[-1]
    return Value(total, "", last.id, last.title, "length")


def _samplers_by_clip(found: Graph) -> dict[str, Node]:
    """Clip node id to the sampler that gets the clip's latent."""
    result = {}
    for node in found.nodes.values():
        fed = found.source(node, "latent_image") if node.is_active and node.passes is None else None
        if isinstance(fed, tuple):
            result[fed[0].id] = node
    return result


def _steps(found: Graph, clip: Node, samplers: Mapping[str, Node]) -> Value:
    if clip.id in samplers:
        return resolve_value(found, samplers[clip.id], "steps")
    return unknown_value("steps", f"no sampler gets the latent of node {clip.id} ({clip.title})")
