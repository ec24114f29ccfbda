"""Where results go: files, or standard output."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from loganalyzer.errors import ReportError

STDOUT: Final = "-"


def put(target: str, text: str | Iterable[str]) -> None:
    """Write `text`, whole or piece by piece, to a file, or to standard output for `-`.

    Raises:
        ReportError: the file cannot be written.
    """
    pieces = (text,) if isinstance(text, str) else text
    if target == STDOUT:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    try:
        with Path(target).open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
    except OSError as error:
        raise ReportError(
            f"{target}: cannot be written: {error.strerror or error}", "name a file you may write"
        ) from None
