"""Where results go: files, or standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from loganalyzer.errors import ReportError

STDOUT: Final = "-"


def put(target: str, text: str) -> None:
    """Write `text` to a file, or to standard output for `-`.

    Raises:
        ReportError: the file cannot be written.
    """
    if target == STDOUT:
        click.echo(text, nl=False)
        return
    try:
        Path(target).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ReportError(
            f"{target}: cannot be written: {error.strerror or error}", "name a file you may write"
        ) from None
