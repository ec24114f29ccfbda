"""Exit codes of the command line; `loganalyze --help` documents them."""

from __future__ import annotations

from typing import Final

COULD_NOT: Final = 2
"""The job could not be done: wrong usage, an input that cannot be read, an output that cannot be written, no run."""
FAULT: Final = 3
"""The tool itself failed; not 1, which a CI reads as a regression."""
STOPPED: Final = 130
"""The code that shells expect after Ctrl-C."""
