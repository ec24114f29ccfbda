"""What each exit code of the command line says; `loganalyze --help` explains them to users."""

from __future__ import annotations

from typing import Final

COULD_NOT: Final = 2
"""The job could not be done: wrong usage, an input that cannot be read, an output that cannot be written, no run."""
FAULT: Final = 3
"""The tool itself failed: never 1, which a CI reads as a regression."""
STOPPED: Final = 130
"""What shells expect of a call that Ctrl-C ended."""
