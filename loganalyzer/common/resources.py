"""Locates the data files that are shipped with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_CHECKOUT_FOLDERS = {"patterns": Path("patterns"), "templates": Path("reports") / "templates"}


def data_folder(kind: str) -> Traversable:
    """The folder `patterns` or `templates`, from the installed wheel or else from the checkout.

    Raises:
        FileNotFoundError: neither exists; names both paths.
    """
    packaged = files("loganalyzer") / "_data" / kind
    if packaged.is_dir():
        return packaged
    checkout = Path(__file__).parents[2] / _CHECKOUT_FOLDERS[kind]
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(f"loganalyzer's own {kind} are neither at {packaged} nor at {checkout}")
