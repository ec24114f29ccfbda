"""The main group: `loganalyze LOGS…` means `loganalyze analyze LOGS…`; errors become exit status 2."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from loganalyzer.cli import garbage, process_limits, streams
from loganalyzer.cli.exit_codes import COULD_NOT, FAULT, STOPPED
from loganalyzer.common.errors import LogAnalyzerError
from loganalyzer.common.suggestions import closest
from loganalyzer.common.version import __version__

_DEBUG: Final = "LOGANALYZE_DEBUG"
_NO_MEMORY: Final = "not enough memory\n  Analyze fewer inputs at once, or give the process more memory."
COMMANDS: Final = (
    "analyze",
    "baseline",
    "compare",
    "doctor",
    "history",
    "patterns",
    "plan",
    "recorder",
    "rules",
    "schema",
    "ticket",
    "watch",
    "workflow",
)
"""Command names, which are also module names; a module is imported when its command is called or listed."""


class DefaultGroup(click.Group):
    """A group whose default command is `analyze`: a first word that is not a command is its input or option."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the command with this name, imported on demand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"loganalyzer.cli.{cmd_name}"), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Prepends `analyze` unless the first word is a command or an option of the group."""
        own = {name for option in self.get_params(ctx) for name in (*option.opts, *option.secondary_opts)}
        if args and args[0] not in COMMANDS and args[0] not in own:
            _refuse_misspelled_command(args[0], ctx)
            args = ["analyze", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completes files and commands. Files come first: bash drops completions before them."""
        return [CompletionItem(incomplete, type="file"), *super().shell_complete(ctx, incomplete)]

    def main(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 -- as click has it
        """Runs on guarded streams, also for `--help` and wrong usage."""
        with streams.guarded():
            try:
                return super().main(*args, **more)
            except LogAnalyzerError as error:
                click.echo(f"loganalyze: {error}", err=True)
                sys.exit(COULD_NOT)
            except MemoryError:
                click.echo(f"loganalyze: {_NO_MEMORY}", err=True)
                sys.exit(COULD_NOT)
            except BaseException as error:
                if os.environ.get(_DEBUG) or not _is_fault(error):
                    raise
                click.echo(f"loganalyze: {_fault(error)}", err=True)
                sys.exit(FAULT)

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command. An error that the user can fix is one message and exit status 2."""
        try:
            process_limits.check()
            return super().invoke(ctx)
        except LogAnalyzerError as error:
            click.echo(f"loganalyze: {error}", err=True)
            ctx.exit(COULD_NOT)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\nloganalyze: stopped", err=True)
            ctx.exit(STOPPED)


def _refuse_misspelled_command(word: str, ctx: click.Context) -> None:
    """Refuses a first word that is not an input and resembles a command.

    Raises:
        click.UsageError: suggests the command.
    """
    if not re.fullmatch(r"[A-Za-z]+", word) or Path(word).exists():
        return
    if word.lower() == "help":
        raise click.UsageError("there is no command 'help'. Did you mean `loganalyze --help`?", ctx)
    meant = closest(word, COMMANDS)
    if meant:
        raise click.UsageError(f"there is no file or command {word!r}. Did you mean {meant[0]!r}?", ctx)


def _is_fault(error: BaseException) -> bool:
    """Whether an error is a bug in this tool."""
    if isinstance(error, SystemExit | KeyboardInterrupt | click.exceptions.Exit | click.ClickException | click.Abort):
        return False
    from loganalyzer.engine.isolation import is_fault

    return is_fault(error)


def _fault(error: BaseException) -> str:
    from loganalyzer.engine.isolation import describe

    return f"internal error in loganalyzer: {describe(error)}\n  please report it; {_DEBUG}=1 shows the traceback"


@click.group(cls=DefaultGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="loganalyze")
def main() -> None:
    """Check ComfyUI logs of WanVideo InfiniteTalk runs: what went wrong, and what to change.

    `loganalyze logs/*.txt` means `loganalyze analyze logs/*.txt`. Write ./NAME for a log that has a command's name.

    Exit status: 0 within expectations, 1 a finding at or above --fail-on, 2 wrong usage, a failed input or output,
    or no run found, 3 an internal error in loganalyzer.
    """
    garbage.collect_seldom()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, streams.Guarded):
            stream.reconfigure(errors="backslashreplace")
