"""ComfyUI's own InfiniteTalk in a workflow: one node and one sampler for each clip, chained by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from loganalyzer.workflow import native_model
from loganalyzer.workflow.graph import Graph, Link, Node
from loganalyzer.workflow.requested import Declared, untold, whole
from loganalyzer.workflow.values import Value, value
from loganalyzer.workflow.vocabulary import vocabulary

FPS: Final = 25
"""Audio embeddings per second that core makes and uses; no input changes it."""
AUDIO: Final = "audio_encoder_output_1"
"""The input for the first speaker's audio."""


def clips(found: Graph) -> Iterator[tuple[Node, Declared]]:
    """Each clip's node, and what it is asked for."""
    nodes = [node for kind in vocabulary().entries["clip"] for node in found.of(kind)]
    total, samplers = _total(found, nodes), _samplers(found)
    for node in nodes:
        yield (
            node,
            Declared(
                node.id,
                requested_frames=total,
                fps=Value(FPS, "", node.id, node.title, AUDIO),
                width=value(found, node, "width"),
                height=value(found, node, "height"),
                window_frames=value(found, node, "length"),
                motion_frames=value(found, node, "motion_frame_count"),
                mode=Value("infinitetalk", "", node.id, node.title, "mode"),
                steps=_steps(found, node, samplers),
                clips=len(nodes),
                continues=isinstance(node.inputs.get("previous_frames"), Link),
                **native_model.settings(found, node, samplers.get(node.id)),
            ),
        )


def _total(found: Graph, nodes: list[Node]) -> Value:
    """Frames of all clips together, where they continue one another."""
    sizes = [(whole(value(found, node, "length")), whole(value(found, node, "motion_frame_count"))) for node in nodes]
    firsts = [node for node in nodes if not isinstance(node.inputs.get("previous_frames"), Link)]
    if len(firsts) != 1:
        return untold("length", "the clips do not continue one another")
    total = 0
    for node, (length, motion) in zip(nodes, sizes, strict=True):
        if length is None or motion is None:
            return untold("length", f"the length of node {node.id} ({node.title}) is unknown")
        total += length if node is firsts[0] else length - motion
    last = nodes[-1]
    return Value(total, "", last.id, last.title, "length")


def _samplers(found: Graph) -> dict[str, Node]:
    """Node id to the sampler that gets its latent."""
    result = {}
    for node in found.nodes.values():
        fed = found.source(node, "latent_image") if node.is_active and node.passes is None else None
        if isinstance(fed, tuple):
            result[fed[0].id] = node
    return result


def _steps(found: Graph, clip: Node, samplers: Mapping[str, Node]) -> Value:
    if clip.id in samplers:
        return value(found, samplers[clip.id], "steps")
    return untold("steps", f"no sampler gets the latent of node {clip.id} ({clip.title})")
