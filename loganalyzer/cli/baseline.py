"""`loganalyze baseline …`: shows, checks and changes baselines."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from loganalyzer.cli import progress, targets
from loganalyzer.cli.analyze import exit_code
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import analysis_options, configuration, settings
from loganalyzer.cli.output import STDOUT, json_option, put
from loganalyzer.common import clock
from loganalyzer.common.errors import SourceError

if TYPE_CHECKING:
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

DEFAULT: Final = "baselines.toml"
RULES: Final = ("CST001", "MEM001", "MEM002", "TIM001", "TIM002")
"""Rules that compare runs with baselines."""


@click.group(short_help="Show, check and accept baselines.")
def baseline() -> None:
    """Show, check and change the memory, time and cost that runs should take.

    Baselines of --baselines or of the configuration replace shipped ones of the same key.
    """


@baseline.command()
@click.option("--baselines", type=click.Path(path_type=Path), help="Use these baselines instead of shipped ones.")
@json_option
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Use this configuration file.")
def show(baselines: Path | None, json_file: str | None, config_file: Path | None) -> None:
    """Show the baselines in force, with their provenance."""
    from loganalyzer.expectations import baselines as expectations
    from loganalyzer.report.terminal import baselines as baselines_terminal

    found = configuration(config_file)
    targets.check({"--json": json_file}, targets.configured(found, {"baselines": baselines}))
    in_force = expectations.load_baselines(baselines or found.values.get("baselines"))
    if json_file:
        put(json_file, baselines_terminal.to_json(in_force))
    if json_file != STDOUT:
        baselines_terminal.write(in_force, sys.stdout)


@baseline.command(cls=CommandWithExamples, examples=("loganalyze baseline check logs/",))
@click.argument("paths", nargs=-1, required=True)
@click.option("--fail-on", type=click.Choice(["error", "warning", "never"]), help="Exit 1 from this severity on.")
@analysis_options
@click.pass_context
def check(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Compare runs with their baselines and check nothing else.

    A run without a baseline is named with the reason.
    """
    from loganalyzer.checks.ignoring import drop_ignored
    from loganalyzer.report.terminal import summary

    found = configuration(options["config_file"])
    chosen = settings(found, {**options, "select": options["select"] or RULES})
    analysis = drop_ignored(_analyze(paths, chosen), found.ignores, chosen)
    summary.write(analysis, sys.stdout, verbose=True)
    ctx.exit(exit_code(analysis, options["fail_on"] or found.values.get("fail_on", "error")))


def _analyze(paths: tuple[str, ...], chosen: Settings) -> Analysis:
    from loganalyzer.pipeline import analyze

    with progress.show(paths, quiet=False) as on_read:
        analysis = analyze(paths, chosen, on_read)
    for problem in (*analysis.problems, *analysis.notes):
        click.echo(f"loganalyze: {problem}", err=True)
    return analysis


@baseline.command(
    cls=CommandWithExamples, examples=("loganalyze baseline accept logs/*_Q6_K.txt --reason 'new driver' --yes",)
)
@click.argument("paths", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Write the file. Without it the change is only shown.")
@click.option("--by", metavar="NAME", envvar="GIT_AUTHOR_NAME", help="Name who accepts.  [default: your user name]")
@click.option("--reason", default="", metavar="TEXT", help="Note the reason in the file.")
@click.option("--json", "json_file", metavar="FILE|-", help="Write the proposal as a JSON document.")
@analysis_options
@click.pass_context
def accept(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Make the runs of these logs the baselines of their kind.

    Shows the change as a diff, with the bands and their provenance. The file is that of --baselines or of the
    configuration, else baselines.toml. With --yes, writes it; comments and other entries stay.
    """
    from loganalyzer.baselining import writing
    from loganalyzer.baselining.proposing import Acceptance, propose
    from loganalyzer.expectations import baselines
    from loganalyzer.report.terminal.baselines import proposals as proposing_document

    found = configuration(options["config_file"])
    file = Path(options["baselines"] or found.values.get("baselines") or DEFAULT)
    chosen = settings(found, {**options, "baselines": file if file.is_file() else None})
    targets.check({"--json": options["json_file"], "--baselines": file}, (found.path, options["workflow"]), paths)
    analysis = _analyze(paths, chosen)
    if analysis.runs.is_empty():
        raise SourceError("no run found in any input, so there is nothing to accept")
    acceptance = Acceptance(options["by"] or _user(), clock.now().date(), options["reason"])
    proposed = propose(analysis, baselines.load_baselines(chosen.baselines), acceptance, chosen.price_per_hour)
    for reason in proposed.refused:
        click.echo(f"loganalyze: {reason}", err=True)
    entries = [entry for entry in proposed.entries if entry.changes]
    before, after = writing.edit_document(file, entries)
    change = writing.diff(file, before, after) if entries else ""
    written = bool(entries and options["yes"])
    if written:
        writing.write_baselines(file, after)
    if options["json_file"]:
        put(options["json_file"], proposing_document(proposed, change, file=file.name, written=written))
    if options["json_file"] != STDOUT:
        _report(file, change, known=bool(proposed.entries), written=written)
    if written and "baselines" not in found.values and not options["baselines"]:
        click.echo(f'to use it, add baselines = "{file}" to loganalyze.toml, or pass --baselines {file}', err=True)
    ctx.exit(0 if proposed.entries else 2)


def _report(file: Path, change: str, *, known: bool, written: bool) -> None:
    """Prints the change, and whether it was written."""
    if not change:
        click.echo("no change: the baselines in force already have these values" if known else "nothing to accept")
        return
    click.echo(change, nl=False)
    click.echo(f"{file} written" if written else f"nothing is written yet. Add --yes to write {file}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in many containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
