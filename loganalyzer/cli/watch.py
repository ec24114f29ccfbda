"""`loganalyze watch`: follows a growing log and warns while the GPU can still be stopped."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import completion, notice
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import FAILING, Number, analysis_options, configuration, settings
from loganalyzer.common.formatting import one_line

if TYPE_CHECKING:
    from loganalyzer.watch.outlook import WatchWarning
    from loganalyzer.watch.watching import LogWatcher, Look

_COMMAND_S = 60
"""Timeout in seconds for the command of `--on-error`."""
_REST = 3.0
"""Seconds of rest per second of work, because the machine has other work to do."""


@click.command(
    cls=CommandWithExamples,
    short_help="Follow a growing log, and warn in time.",
    examples=(
        "loganalyze watch comfyui.log --quantization Q6_K",
        "loganalyze watch comfyui.log --on-error 'notify-send InfiniteTalk'",
        "loganalyze watch comfyui.log --once-idle 60",
    ),
)
@click.argument("path", type=click.Path(path_type=Path), shell_complete=completion.files)
@click.option("--on-error", metavar="COMMAND", help="Run this command at each error.")
@click.option("--once-idle", type=Number(min=0), metavar="SECONDS", help="End after this time without a new line.")
@click.option("--interval", type=Number(min=0.05), default=1.0, show_default=True, help="Set seconds between looks.")
@click.option("--fail-on", type=click.Choice(list(FAILING)), help="Exit 1 from this severity on.  [default: error]")
@notice.notify_options
@analysis_options
@click.pass_context
def watch(ctx: click.Context, /, path: Path, **options: Any) -> None:  # noqa: ANN401
    """Follow the growing log PATH: show the progress of each run, and what is certain to go wrong.

    The log is only read, and the server is not contacted. Ctrl-C ends it; the exit status follows from the findings.
    The command of --on-error runs without a shell and has LOGANALYZE_RULE, LOGANALYZE_MESSAGE, LOGANALYZE_SOURCE and
    LOGANALYZE_LINE in its environment.
    """
    from loganalyzer.watch.watching import LogWatcher

    if path.is_dir():
        raise click.UsageError(_folder_error(path), ctx)
    found = configuration(options["config_file"])
    command = _command(options["on_error"])
    watcher = notice.Watcher(notice.urls(found, options), path, always=options["notify_always"])
    with LogWatcher(path, settings(found, options)) as watching:
        severities = _follow(watching, _Reaction(path, command, watcher), options)
    if not watching.has_seen_a_run:
        click.echo(f"loganalyze: {path}: no run found", err=True)
        ctx.exit(2)
    fail_on = options["fail_on"] or found.values.get("fail_on", "error")
    ctx.exit(int(bool(severities & set(FAILING[fail_on]))))


def _follow(watching: LogWatcher, reaction: _Reaction, options: dict[str, Any]) -> set[str]:
    """Reads the log repeatedly until it is idle or the user stops it; returns the severities of all findings."""
    shown, severities = _Display(), set[str]()
    idle_since = time.monotonic()
    try:
        while True:
            began = time.monotonic()
            look = watching.look()
            severities |= _show_and_react(shown, look, reaction)
            now = time.monotonic()
            idle_since = now if look.grown else idle_since
            if options["once_idle"] is not None and now - idle_since >= options["once_idle"]:
                return severities | _show_and_react(shown, watching.end(), reaction)
            time.sleep(max(options["interval"], (now - began) * _REST))
    except KeyboardInterrupt:
        return severities


def _show_and_react(shown: _Display, look: Look, reaction: _Reaction) -> set[str]:
    """Shows a look, reacts to its warnings, and returns their severities."""
    shown.show(look)
    if look.is_new:
        reaction.watcher.reset()
    for warned in look.warned:
        reaction.react(warned)
    return {warned.severity for warned in look.warned}


@dataclass(frozen=True)
class _Reaction:
    """Reacts to findings: runs the command of `--on-error` and sends a notice."""

    path: Path
    command: list[str]
    watcher: notice.Watcher

    def react(self, warned: WatchWarning) -> None:
        """Reacts to one finding."""
        if warned.severity == "error" and self.command:
            _run(self.command, warned, self.path)
        self.watcher.notify(warned)


def _command(text: str | None) -> list[str]:
    if text is None:
        return []
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.UsageError(f"--on-error: {error}") from None
    if not words:
        raise click.UsageError("--on-error: name a command")
    return words


def _run(command: list[str], warned: WatchWarning, path: Path) -> None:
    """Runs the command with the finding in its environment; log text never reaches a shell."""
    environment = {
        "LOGANALYZE_RULE": warned.rule,
        "LOGANALYZE_MESSAGE": warned.message.replace("\0", ""),
        "LOGANALYZE_SOURCE": str(path),
        "LOGANALYZE_LINE": str(warned.line),
    }
    try:
        done = subprocess.run(command, env={**os.environ, **environment}, timeout=_COMMAND_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        click.echo(f"loganalyze: --on-error: {error}", err=True)
        return
    if done.returncode:
        click.echo(f"loganalyze: --on-error: {command[0]} exited with status {done.returncode}", err=True)


class _Display:
    """Prints warnings, and the runs below: redrawn on a terminal, otherwise printed when they change."""

    def __init__(self) -> None:
        self._drawn = 0
        self._printed: dict[int, tuple[object, ...]] = {}
        self._is_terminal = sys.stdout is not None and sys.stdout.isatty()

    def show(self, look: Look) -> None:
        """Draws one look."""
        if look.is_new:
            self._keep_lines()
            click.echo("the log started anew")
        if not look.grown:
            return
        self._wipe()
        for warned in look.warned:
            click.echo(_format_warning(warned))
        for run in look.runs:
            text = str(run)
            if self._is_terminal:
                click.echo(text[: max(_width() - 1, 20)])
                self._drawn += 1
            elif self._printed.get(run.line) != (run.window, run.status):
                self._printed[run.line] = (run.window, run.status)
                click.echo(text)
        if self._is_terminal and all(run.status != "truncated" for run in look.runs):
            self._keep_lines()

    def _wipe(self) -> None:
        if self._drawn:
            click.echo(f"\x1b[{self._drawn}A\x1b[J", nl=False)
            self._drawn = 0

    def _keep_lines(self) -> None:
        self._drawn = 0


def _folder_error(path: Path) -> str:
    """Returns the error for a folder, with a hint at the log in it that was written last."""
    logs = [file for file in path.iterdir() if file.is_file() and file.suffix in (".log", ".txt", ".out")]
    newest = max(logs, key=lambda file: file.stat().st_mtime, default=None)
    hint = f". Did you mean {one_line(str(newest))}?" if newest else ""
    return f"{one_line(str(path))} is a folder; watch follows a single log file{hint}"


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _format_warning(warned: WatchWarning) -> str:
    fix = "\n    ".join(map(one_line, warned.fix.split("\n")))
    head = f"{time.strftime('%H:%M:%S')} {warned.severity} {warned.rule} {warned.name}, line {warned.line}"
    return f"{head}\n  {one_line(warned.message)}\n  fix: {fix}"
