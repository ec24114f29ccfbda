"""Model, adapter and LoRA of ComfyUI's own nodes: loaders and LoRA nodes are chained through inputs called `model`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK, QUANTIZATION
from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.workflow.graph import Graph, Node
from loganalyzer.workflow.requested import untold
from loganalyzer.workflow.values import Value, value
from loganalyzer.workflow.vocabulary import vocabulary

_LONGEST_CHAIN: Final = 64
_AS_STORED: Final = (None, "default")
"""Settings of a loader that leave the weights as the file has them."""
NO_ATTENTION: Final = "ComfyUI's own nodes have no attention mode: the server's counts"


def settings(found: Graph, clip: Node, sampler: Node | None) -> dict[str, Any]:
    """model, quantization, adapter, attention_mode, lora, lora_rank and lora_strength of one clip, as `Value`s."""
    chain = list(_chain(found, sampler or clip))
    loaders = vocabulary().entries["native_model"]
    told: dict[str, Any] = {"attention_mode": untold("attention_mode", NO_ATTENTION)} | _adapter(found, clip)
    loader = chain[-1] if chain and chain[-1].kind in loaders else None
    if loader is None:
        last = f"node {chain[-1].id} ({chain[-1].kind})" if chain else "no node"
        reason = f"the model of node {clip.id} ({clip.title}) comes from {last}, whose file is unknown"
        return told | {name: untold(name, reason) for name in ("model", "quantization")} | _lora(found, chain)
    entry = loaders[loader.kind]
    model = value(found, loader, entry["file"])
    cast = value(found, loader, entry["cast"]).value if "cast" in entry else None
    return told | {"model": model, "quantization": _quantization(model, cast)} | _lora(found, chain)


def _chain(found: Graph, node: Node) -> Iterator[Node]:
    """The nodes that the model comes through, the loader last."""
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, "model")
        if not isinstance(fed, tuple):
            return
        node = fed[0]
        yield node


def _adapter(found: Graph, clip: Node) -> dict[str, Value]:
    fed = found.source(clip, "model_patch")
    entry = vocabulary().entries["native_adapter"].get(fed[0].kind) if isinstance(fed, tuple) else None
    if entry is None or not isinstance(fed, tuple):
        return {}
    return {"adapter": value(found, fed[0], entry["file"])}


def _quantization(model: Value, cast: object) -> Value:
    """As a log names it: by the file's name, in the words that the paths in logs are read by."""
    if cast not in _AS_STORED:
        return Value(None, f"the loader casts the file's weights to {cast}", model.node_id, model.title, model.input)
    name = str(model.value or "")
    in_name = re.search(QUANTIZATION, name)
    words = (word for word in load_tables().storage.precisions if word in name.lower())
    told = in_name[1].upper() if in_name else next(words, None)
    reason = "" if told else model.reason or "the model's file name does not tell"
    return Value(told, reason, model.node_id, model.title, model.input, model.at)


def _lora(found: Graph, chain: list[Node]) -> dict[str, Value]:
    """The LoRA whose rank is required; else the one that is loaded first."""
    kinds = vocabulary().entries["native_lora"]
    loaded = [
        (value(found, node, kinds[node.kind]["file"]), value(found, node, kinds[node.kind]["strength"]))
        for node in reversed(chain)
        if node.kind in kinds
    ]
    active = [pair for pair in loaded if pair[0].value and pair[1].value != 0]
    if not active:
        others = [
            f"node {node.id} ({node.kind})" for node in chain if "lora" in node.kind.lower() and node.kind not in kinds
        ]
        reason = f"LoRAs of {', '.join(others)} cannot be read" if others else "no LoRA is loaded"
        return {"lora": untold("lora", reason), "lora_rank": untold("lora", reason)}
    wanted = [pair for pair in active if DISTILL_LORA in str(pair[0].value).lower()]
    name, strength = (wanted or active)[0]
    rank = re.search(LORA_RANK, str(name.value))
    told = Value(int(rank[1]), "", name.node_id, name.title, name.input, name.at) if rank else None
    return {
        "lora": name,
        "lora_rank": told or untold("lora", "the LoRA's file name does not tell its rank"),
        "lora_strength": strength,
    }
