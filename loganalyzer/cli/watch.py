"""`loganalyze watch`: follows a growing log and warns while the GPU can still be stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import completion, notice, on_error, targets
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import FAILING, Number, analysis_options, configuration, settings
from loganalyzer.cli.output import STDOUT
from loganalyzer.cli.watch_display import Display, Views, open_events
from loganalyzer.common.formatting import one_line

if TYPE_CHECKING:
    from loganalyzer.watch.outlook import WatchWarning
    from loganalyzer.watch.watching import LogWatcher, Look

_REST = 3.0
"""Seconds of rest per second of work, because the machine has other work to do."""


@click.command(
    cls=CommandWithExamples,
    short_help="Follow a growing log, and warn in time.",
    examples=(
        "loganalyze watch comfyui.log --quantization Q6_K",
        "loganalyze watch comfyui.log --on-error 'notify-send InfiniteTalk'",
        "loganalyze watch comfyui.log --once-idle 60 --json events.jsonl",
        "loganalyze watch http://127.0.0.1:8188",
        "docker logs -f comfyui 2>&1 | loganalyze watch -",
    ),
)
@click.argument("log", shell_complete=completion.files)
@click.option("--json", "json_file", metavar="FILE|-", help="Write events as JSON lines.")
@click.option("--on-error", metavar="COMMAND", help="Run this command at each error.")
@click.option("--once-idle", type=Number(min=0), metavar="SECONDS", help="End after this time without a new line.")
@click.option("--interval", type=Number(min=0.05), default=1.0, show_default=True, help="Set seconds between looks.")
@click.option("--fail-on", type=click.Choice(list(FAILING)), help="Exit 1 from this severity on.  [default: error]")
@notice.notify_options
@analysis_options
@click.pass_context
def watch(ctx: click.Context, /, log: str, **options: Any) -> None:  # noqa: ANN401
    """Follow the growing LOG: show the progress of each run, and what is certain to go wrong.

    LOG is a file, the URL of a running ComfyUI (its log page is read at each look), or - for standard input. Nothing
    is changed. Ctrl-C ends it; the exit status follows from the findings.
    The command of --on-error runs without a shell and has LOGANALYZE_RULE, LOGANALYZE_MESSAGE, LOGANALYZE_SOURCE and
    LOGANALYZE_LINE in its environment.
    """
    from loganalyzer.watch.events import EventLines
    from loganalyzer.watch.watching import LogWatcher

    if Path(log).is_dir():
        raise click.UsageError(_folder_error(Path(log)), ctx)
    found = configuration(options["config_file"])
    command = on_error.parse_command(options["on_error"])
    urls, json_file = notice.urls(found, options), options["json_file"]
    targets.check({"--json": json_file}, (*targets.configured(found, options), log))
    with LogWatcher(log, settings(found, options)) as watching, open_events(json_file) as write:
        views = Views(None if json_file == STDOUT else Display(), write, EventLines())
        views.start(watching.name)
        watcher = notice.Watcher(urls, watching.name, always=options["notify_always"])
        severities = _follow(watching, views, _Reaction(watching.name, command, watcher), options)
        views.end(severities, has_run=watching.has_seen_a_run)
    if not watching.has_seen_a_run:
        click.echo(f"loganalyze: {one_line(watching.name)}: no run found", err=True)
        ctx.exit(2)
    fail_on = options["fail_on"] or found.values.get("fail_on", "error")
    ctx.exit(int(bool(severities & set(FAILING[fail_on]))))


def _follow(watching: LogWatcher, views: Views, reaction: _Reaction, options: dict[str, Any]) -> set[str]:
    """Reads the log repeatedly until it is idle or the user stops it; returns the severities of all findings."""
    severities: set[str] = set()
    idle_since = time.monotonic()
    try:
        while True:
            began = time.monotonic()
            look = watching.look()
            severities |= _show_and_react(views, look, reaction)
            now = time.monotonic()
            idle_since = now if look.grown else idle_since
            is_idle = options["once_idle"] is not None and now - idle_since >= options["once_idle"]
            if is_idle or look.has_ended:
                return severities | _show_and_react(views, watching.end(), reaction)
            time.sleep(max(options["interval"], (now - began) * _REST))
    except KeyboardInterrupt:
        return severities


def _show_and_react(views: Views, look: Look, reaction: _Reaction) -> set[str]:
    """Shows a look, reacts to its warnings, and returns their severities."""
    views.show(look)
    if look.is_new:
        reaction.watcher.reset()
    for warned in look.warned:
        reaction.react(warned)
    return {warned.severity for warned in look.warned}


@dataclass(frozen=True)
class _Reaction:
    """Reacts to findings: runs the command of `--on-error` and sends a notice."""

    name: str
    command: on_error.Command | None
    watcher: notice.Watcher

    def react(self, warned: WatchWarning) -> None:
        """Reacts to one finding."""
        if warned.severity == "error" and self.command:
            on_error.run_command(self.command, warned, self.name)
        self.watcher.notify(warned)


def _folder_error(path: Path) -> str:
    """Returns the error for a folder, with a hint at the log in it that was written last."""
    logs = [file for file in path.iterdir() if file.is_file() and file.suffix in (".log", ".txt", ".out")]
    newest = max(logs, key=lambda file: file.stat().st_mtime, default=None)
    hint = f". Did you mean {one_line(str(newest))}?" if newest else ""
    return f"{one_line(str(path))} is a folder; watch follows a single log file{hint}"
