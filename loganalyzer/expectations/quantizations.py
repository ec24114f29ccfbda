"""Reads facts about models, with which a model's load messages are interpreted, from `patterns/quantizations.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any, Final, NamedTuple

from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.resources import data_folder

_FILE: Final = "quantizations.toml"


class Classes(NamedTuple):
    """Regexes for the class that `Requested to load …` names.

    Attributes:
        wan: Wan's diffusion models.
        talking: the model that InfiniteTalk patches.
        speech: models that read the audio for InfiniteTalk, and its own patch.
        companions: text encoders, VAEs and other models that are not diffusion models.
    """

    wan: str
    talking: str
    speech: str
    companions: str


class Storage(NamedTuple):
    """What a model's path says about it.

    Attributes:
        diffusion_folders, adapter_folders: folders of diffusion models, and of InfiniteTalk's adapter.
        precisions: words in file names, the more precise ones first.
    """

    diffusion_folders: tuple[str, ...]
    adapter_folders: tuple[str, ...]
    precisions: tuple[str, ...]


class Mixture(NamedTuple):
    """The quantization of a GGUF file with this many tensors and this mixture of types."""

    tensors: int
    types: str
    quantization: str


class Blocks(NamedTuple):
    """Sizes of the transformer blocks by quantization, and the size that the adapter adds, in MiB."""

    model: str
    tolerance_mib: float
    sizes: tuple[tuple[str, float], ...]
    adapters: tuple[tuple[str, float], ...]


class Tables(NamedTuple):
    """The contents of the file."""

    blocks: Blocks
    mixtures: tuple[Mixture, ...]
    storage: Storage
    classes: Classes


@cache
def load_tables() -> Tables:
    """The shipped tables.

    Raises:
        ExpectationError: a key is missing or unknown.
    """
    document = tomllib.loads((data_folder("patterns") / _FILE).read_text(encoding="utf-8"))
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
