"""Writes results to files or standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from loganalyzer.cli.streams import Guarded
from loganalyzer.common import atomic_write

STDOUT: Final = "-"

json_option = click.option("--json", "json_file", metavar="FILE|-", help="Write the JSON document.")
"""The option of commands that write a JSON document."""


def use_utf8() -> None:
    """Makes standard output UTF-8, as documents are."""
    if isinstance(sys.stdout, Guarded):
        sys.stdout.use_utf8()


def put(target: str, text: str | Iterable[str]) -> None:
    """Writes `text`, at once or chunk by chunk, to a file, or to standard output for `-`.

    A file is replaced atomically: a call that stops or fails leaves the old file unchanged.

    Raises:
        ReportError: the file cannot be written.
    """
    if target == STDOUT:
        use_utf8()
        for chunk in (text,) if isinstance(text, str) else text:
            click.echo(chunk, nl=False)
        return
    atomic_write.write(Path(target), text)
