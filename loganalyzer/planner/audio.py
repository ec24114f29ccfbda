"""Reads the length of an audio file."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loganalyzer.common.errors import SourceError

FORMATS: Final = ("wav", "mp3", "flac", "m4a", "ogg", "opus", "aiff")
_EXACT: Final = (".wav", ".flac", ".aiff", ".aif")
"""Formats whose header counts samples. The others count packets, and the first and the last packet are padded."""
_PROBE_S: Final = 30
"""Seconds before ffprobe times out."""
PACKETS_S: Final = 0.08
"""Seconds by which the header of a packet format may overstate the length (an MP3 encoder's delay)."""


@dataclass(frozen=True, slots=True)
class Audio:
    """One audio file: its length in seconds, and by how many seconds that may be too long."""

    path: str
    seconds: float
    uncertainty_s: float


def read_length(path: Path) -> Audio:
    """The length in the file's header, or ffprobe's for other formats.

    Raises:
        SourceError: the file does not exist, is not audio, or has no length.
    """
    from tinytag import TinyTag, TinyTagException

    if not path.is_file():
        raise SourceError(f"{path}: no such file", "name an audio file, or a length in seconds")
    try:
        seconds = TinyTag.get(path, tags=False).duration
    except (TinyTagException, OSError, ValueError, LookupError, struct.error, ArithmeticError, TypeError) as error:
        seconds = _run_ffprobe(path)
        if seconds is None:
            raise SourceError(f"{path}: cannot be read as audio: {str(error) or 'unknown format'}", _hint()) from None
    if not seconds or not seconds > 0:
        raise SourceError(f"{path}: has no length: the file is damaged or not audio", _hint())
    return Audio(str(path), float(seconds), 0.0 if path.suffix.lower() in _EXACT else PACKETS_S)


def _run_ffprobe(path: Path) -> float | None:
    """The length in seconds according to ffprobe; None if ffprobe is not on the PATH or cannot tell.

    ffprobe may open only this file, even if the file is a playlist that names others.
    """
    import shutil
    import subprocess

    program = shutil.which("ffprobe")
    if program is None:
        return None
    options = ("-v", "error", "-protocol_whitelist", "file", "-show_entries", "format=duration", "-of", "csv=p=0")
    try:
        completed = subprocess.run(  # noqa: S603 -- no shell, an absolute path behind -i, and only files may be opened
            [program, *options, "-i", str(path.resolve())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_S,
            check=True,
        )
        seconds = float(completed.stdout[:100])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def _hint() -> str:
    return (
        f"readable formats are {', '.join(FORMATS)}, and others if ffprobe is installed; or give the length in "
        "seconds: loganalyze plan 17.084"
    )
