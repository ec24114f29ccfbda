"""Runs the command of `watch --on-error` for a finding, without a shell."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from loganalyzer.watch.outlook import WatchWarning

TIMEOUT_S: Final = 60
IS_WINDOWS: Final = os.name == "nt"

Command = list[str] | str
"""The words of a command; on Windows its text, which Windows itself splits into words."""


def parse_command(text: str | None) -> Command | None:
    r"""The command to run, if any. Windows' own rules apply there: a backslash is part of a path (`C:\notify.exe`).

    Raises:
        click.UsageError: the text is not a command.
    """
    if text is None:
        return None
    try:
        words = shlex.split(text, posix=not IS_WINDOWS)
    except ValueError as error:
        raise click.UsageError(f"--on-error: {error}") from None
    if not words:
        raise click.UsageError("--on-error: name a command")
    return text.strip() if IS_WINDOWS else words


def run_command(command: Command, warned: WatchWarning, name: str) -> None:
    """Runs the command with the finding in its environment; log text never reaches a shell. A failure is a message."""
    environment = {
        "LOGANALYZE_RULE": warned.rule,
        "LOGANALYZE_MESSAGE": warned.message.replace("\0", ""),
        "LOGANALYZE_SOURCE": name,
        "LOGANALYZE_LINE": str(warned.line),
    }
    try:
        done = subprocess.run(command, env={**os.environ, **environment}, timeout=TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        click.echo(f"loganalyze: --on-error: {error}", err=True)
        return
    if done.returncode:
        shown = command if isinstance(command, str) else command[0]
        click.echo(f"loganalyze: --on-error: {shown} exited with status {done.returncode}", err=True)
