"""How long an audio file is."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loganalyzer.common.errors import SourceError

FORMATS: Final = ("wav", "mp3", "flac", "m4a", "ogg", "opus", "aiff")
_EXACT: Final = (".wav", ".flac", ".aiff", ".aif")
"""Formats whose header counts samples; the others count packets, whose first and last are filled up."""
_PROBE_S: Final = 30
"""Seconds that ffprobe may take."""
PACKETS_S: Final = 0.08
"""Seconds by which the header of a packed format may be longer than the sound in it (an MP3 encoder's delay)."""


@dataclass(frozen=True, slots=True)
class Audio:
    """One audio file: its length in seconds, and by how much that may be too long."""

    path: str
    seconds: float
    uncertainty_s: float


def length(path: Path) -> Audio:
    """The length that the file's header tells; of formats that are not read here, what ffprobe says.

    Raises:
        SourceError: there is no such file, or it is none that has a length.
    """
    from tinytag import TinyTag, TinyTagException

    if not path.is_file():
        raise SourceError(f"{path}: there is no such file", "name an audio file, or a length in seconds")
    try:
        seconds = TinyTag.get(path, tags=False).duration
    except (TinyTagException, OSError, ValueError, LookupError, struct.error, ArithmeticError, TypeError) as error:
        seconds = _probed(path)
        if seconds is None:
            raise SourceError(
                f"{path}: cannot be read as audio: {str(error) or 'unknown format'}", _way_out()
            ) from None
    if not seconds or not seconds > 0:
        raise SourceError(f"{path}: its length cannot be told: it is damaged, or no audio file", _way_out())
    return Audio(str(path), float(seconds), 0.0 if path.suffix.lower() in _EXACT else PACKETS_S)


def _probed(path: Path) -> float | None:
    """The length that ffprobe tells of a file in another format, where it is on the PATH; else None.

    It may open this file and nothing else, whatever a playlist in it names.
    """
    import shutil
    import subprocess

    program = shutil.which("ffprobe")
    if program is None:
        return None
    asked = ("-v", "error", "-protocol_whitelist", "file", "-show_entries", "format=duration", "-of", "csv=p=0")
    try:
        told = subprocess.run(  # noqa: S603 -- no shell, an absolute path behind -i, and only files may be opened
            [program, *asked, "-i", str(path.resolve())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_S,
            check=True,
        )
        seconds = float(told.stdout[:100])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def _way_out() -> str:
    return (
        f"{', '.join(FORMATS)} files are read, others where ffprobe is installed; or give the length in seconds: "
        "loganalyze plan 17.084"
    )
