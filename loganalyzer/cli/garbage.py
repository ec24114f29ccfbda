"""How a process that soon ends deals with its garbage."""

from __future__ import annotations

import atexit
import gc
from typing import Final

_OBJECTS: Final = 100_000
"""Python looks for garbage each 700 new objects; libraries make that many hundred times over as they are loaded."""


def collect_seldom() -> None:
    """Look for cyclic garbage after many objects only, and not at all as the process ends.

    What is loaded at the start is no garbage, and at the end all memory goes back anyway: both looks together take a
    tenth of the time of a small log. Tables are none of Python's objects, so that they do not wait for a look.
    """
    gc.set_threshold(_OBJECTS, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
