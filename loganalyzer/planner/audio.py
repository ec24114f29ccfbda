"""How long an audio file is."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loganalyzer.errors import SourceError

FORMATS: Final = ("wav", "mp3", "flac", "m4a", "ogg", "opus", "aiff")
_EXACT: Final = (".wav", ".flac", ".aiff", ".aif")
"""Formats whose header counts samples; the others count packets, whose first and last are filled up."""
PACKETS_S: Final = 0.08
"""Seconds by which the header of a packed format may be longer than the sound in it (an MP3 encoder's delay)."""


@dataclass(frozen=True, slots=True)
class Audio:
    """One audio file: its length in seconds, and by how much that may be too long."""

    path: str
    seconds: float
    uncertainty_s: float


def length(path: Path) -> Audio:
    """The length that the file's header tells.

    Raises:
        SourceError: there is no such file, or it is none that has a length.
    """
    from tinytag import TinyTag, TinyTagException

    if not path.is_file():
        raise SourceError(f"{path}: there is no such file", "name an audio file, or a length in seconds")
    try:
        seconds = TinyTag.get(path, tags=False).duration
    except (TinyTagException, OSError, ValueError, LookupError, struct.error, ArithmeticError, TypeError) as error:
        raise SourceError(f"{path}: cannot be read as audio: {str(error) or 'unknown format'}", _way_out()) from None
    if not seconds or not seconds > 0:
        raise SourceError(f"{path}: its length cannot be told: it is damaged, or no audio file", _way_out())
    return Audio(str(path), float(seconds), 0.0 if path.suffix.lower() in _EXACT else PACKETS_S)


def _way_out() -> str:
    return f"{', '.join(FORMATS)} files are read; or give the length in seconds: loganalyze plan 17.084"
