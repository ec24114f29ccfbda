"""What the log of a model's load tells of it, read from `patterns/quantizations.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any, Final, NamedTuple

from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.resources import folder

_FILE: Final = "quantizations.toml"


class Classes(NamedTuple):
    """Expressions for the class that `Requested to load …` names.

    Attributes:
        wan: Wan's diffusion models.
        talking: the one that InfiniteTalk patches.
        speech: what reads the audio that InfiniteTalk follows, and its own patch.
        companions: text encoders, VAEs and the like: no diffusion models.
    """

    wan: str
    talking: str
    speech: str
    companions: str


class Storage(NamedTuple):
    """How a model's path tells what it is.

    Attributes:
        diffusion_folders, adapter_folders: folders of diffusion models, and of InfiniteTalk's adapter.
        precisions: words of file names, the more precise ones first.
    """

    diffusion_folders: tuple[str, ...]
    adapter_folders: tuple[str, ...]
    precisions: tuple[str, ...]


class Mixture(NamedTuple):
    """The quantization of a GGUF file of so many tensors with such a mixture of types."""

    tensors: int
    types: str
    quantization: str


class Blocks(NamedTuple):
    """Sizes of the transformer blocks by quantization, and what the adapter adds, in MiB."""

    model: str
    tolerance_mib: float
    sizes: tuple[tuple[str, float], ...]
    adapters: tuple[tuple[str, float], ...]


class Tables(NamedTuple):
    """All of the file."""

    blocks: Blocks
    mixtures: tuple[Mixture, ...]
    storage: Storage
    classes: Classes


@cache
def shipped() -> Tables:
    """The tables that come with the tool.

    Raises:
        ExpectationError: a key is missing or unknown.
    """
    document = tomllib.loads((folder("patterns") / _FILE).read_text(encoding="utf-8"))
    try:
        mixtures = [
            Mixture(entry["tensors"], types, name) for entry in document["gguf"] for name, types in entry["mixtures"]
        ]
        storage, classes = (
            {key: value for key, value in document[part].items() if key != "provenance"}
            for part in ("storage", "classes")
        )
        lists = {key: tuple(value) for key, value in storage.items()}
        return Tables(_blocks(document["blocks"]), tuple(mixtures), Storage(**lists), Classes(**classes))
    except (KeyError, TypeError, ValueError) as error:
        raise ExpectationError(f"{_FILE}: a key is missing or unknown: {error}") from None


def _blocks(entry: dict[str, Any]) -> Blocks:
    sizes, adapters = (tuple((str(name), float(size)) for name, size in entry[key]) for key in ("sizes", "adapters"))
    return Blocks(entry["model"], float(entry["tolerance_mib"]), sizes, adapters)
