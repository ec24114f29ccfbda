"""Where the shipped data lies: the only module that knows."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_CHECKOUT = {"patterns": Path("patterns"), "templates": Path("reports") / "templates"}


def folder(kind: str) -> Traversable:
    """The folder `patterns` or `templates`: the wheel's copy, else the one of the checkout.

    Raises:
        FileNotFoundError: where neither exists; names both places.
    """
    packaged = files("loganalyzer") / "_data" / kind
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[2] / _CHECKOUT[kind]
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(f"loganalyzer's own {kind} are neither at {packaged} nor at {checkout}")
