"""Reads the model, adapter and LoRA of ComfyUI's own nodes, which are chained through inputs named `model`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from loganalyzer.expectations.names import DISTILL_LORA, LORA_RANK, QUANTIZATION
from loganalyzer.expectations.quantizations import load_tables
from loganalyzer.workflow.graph import Graph, Node
from loganalyzer.workflow.requested import unknown_value
from loganalyzer.workflow.values import Value, resolve_value
from loganalyzer.workflow.vocabulary import load_vocabulary

_LONGEST_CHAIN: Final = 64
_AS_STORED: Final = (None, "default")
"""Loader settings that leave the weights as they are in the file."""
NO_ATTENTION: Final = "ComfyUI's own nodes have no attention mode; they use the server's"


def read_model_settings(found: Graph, clip: Node, sampler: Node | None) -> dict[str, Any]:
    """model, quantization, adapter, attention_mode, lora, lora_rank and lora_strength of one clip, as `Value`s."""
    chain = list(_model_chain(found, sampler or clip))
    loaders = load_vocabulary().entries["native_model"]
    found_settings: dict[str, Any] = {
        "attention_mode": unknown_value("attention_mode", NO_ATTENTION)
    } | _adapter_setting(found, clip)
    loader = chain[-1] if chain and chain[-1].kind in loaders else None
    if loader is None:
        last = f"node {chain[-1].id} ({chain[-1].kind})" if chain else "no node"
        reason = f"the model of node {clip.id} ({clip.title}) comes from {last}, whose file is unknown"
        return (
            found_settings
            | {name: unknown_value(name, reason) for name in ("model", "quantization")}
            | _lora_settings(found, chain)
        )
    entry = loaders[loader.kind]
    model = resolve_value(found, loader, entry["file"])
    cast = resolve_value(found, loader, entry["cast"]).value if "cast" in entry else None
    return (
        found_settings
        | {"model": model, "quantization": _quantization_setting(model, cast)}
        | _lora_settings(found, chain)
    )


def _model_chain(found: Graph, node: Node) -> Iterator[Node]:
    """The nodes between the model's loader and `node`; the loader comes last."""
    for _ in range(_LONGEST_CHAIN):
        fed = found.source(node, "model")
        if not isinstance(fed, tuple):
            return
        node = fed[0]
        yield node


def _adapter_setting(found: Graph, clip: Node) -> dict[str, Value]:
    fed = found.source(clip, "model_patch")
    entry = load_vocabulary().entries["native_adapter"].get(fed[0].kind) if isinstance(fed, tuple) else None
    if entry is None or not isinstance(fed, tuple):
        return {}
    return {"adapter": resolve_value(found, fed[0], entry["file"])}


def _quantization_setting(model: Value, cast: object) -> Value:
    """The quantization in the model's file name, spelled as in the logs."""
    if cast not in _AS_STORED:
        return Value(None, f"the loader casts the file's weights to {cast}", model.node_id, model.title, model.input)
    name = str(model.value or "")
    in_name = re.search(QUANTIZATION, name)
    words = (word for word in load_tables().storage.precisions if word in name.lower())
    quantization = in_name[1].upper() if in_name else next(words, None)
    reason = "" if quantization else model.reason or "the model's file name does not show it"
    return Value(quantization, reason, model.node_id, model.title, model.input, model.at)


def _lora_settings(found: Graph, chain: list[Node]) -> dict[str, Value]:
    """The distillation LoRA, whose rank the rules check; without one, the LoRA that is loaded first."""
    kinds = load_vocabulary().entries["native_lora"]
    loaded = [
        (resolve_value(found, node, kinds[node.kind]["file"]), resolve_value(found, node, kinds[node.kind]["strength"]))
        for node in reversed(chain)
        if node.kind in kinds
    ]
    active = [pair for pair in loaded if pair[0].value and pair[1].value != 0]
    if not active:
        others = [
            f"node {node.id} ({node.kind})" for node in chain if "lora" in node.kind.lower() and node.kind not in kinds
        ]
        reason = f"the LoRAs of {', '.join(others)} are unknown" if others else "no LoRA is loaded"
        return {"lora": unknown_value("lora", reason), "lora_rank": unknown_value("lora", reason)}
    wanted = [pair for pair in active if DISTILL_LORA in str(pair[0].value).lower()]
    name, strength = (wanted or active)[0]
    rank = re.search(LORA_RANK, str(name.value))
    known_rank = Value(int(rank[1]), "", name.node_id, name.title, name.input, name.at) if rank else None
    return {
        "lora": name,
        "lora_rank": known_rank or unknown_value("lora", "the LoRA's file name does not show its rank"),
        "lora_strength": strength,
    }
