"""`loganalyze baseline …`: what runs should take, and how that is changed."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from loganalyzer.cli import progress, targets
from loganalyzer.cli.analyze import exit_code
from loganalyzer.cli.options import analysis_options, configuration, settings
from loganalyzer.cli.output import STDOUT, put
from loganalyzer.common import clock
from loganalyzer.common.errors import SourceError

if TYPE_CHECKING:
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

DEFAULT: Final = "baselines.toml"
RULES: Final = ("CST001", "MEM001", "MEM002", "TIM001", "TIM002")
"""The rules that hold runs against baselines."""


@click.group(short_help="Show, check and accept baselines.")
def baseline() -> None:
    """See, check and change what runs are expected to take.

    The shipped baselines are replaced, key by key, by those of --baselines or of the configuration.
    """


@baseline.command()
@click.option("--baselines", type=click.Path(path_type=Path), help="Baselines that replace shipped ones.")
@click.option("--json", "json_file", metavar="FILE|-", help="Write the JSON document.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Configuration file.")
def show(baselines: Path | None, json_file: str | None, config_file: Path | None) -> None:
    """Show the baselines in force, with where each comes from."""
    from loganalyzer.expectations import baselines as expectations
    from loganalyzer.report.terminal import baselines as baselines_terminal

    found = configuration(config_file)
    targets.check({"--json": json_file}, targets.configured(found, {"baselines": baselines}))
    shelf = expectations.load_baselines(baselines or found.values.get("baselines"))
    if json_file:
        put(json_file, baselines_terminal.to_json(shelf))
    if json_file != STDOUT:
        baselines_terminal.write(shelf, sys.stdout)


@baseline.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--fail-on", type=click.Choice(["error", "warning", "never"]), help="Exit 1 from this severity on.")
@analysis_options
@click.pass_context
def check(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Hold runs against the baselines, and nothing else; runs without a baseline are named with the reason."""
    from loganalyzer.checks.ignoring import without_ignored
    from loganalyzer.report.terminal import summary

    found = configuration(options["config_file"])
    chosen = settings(found, {**options, "select": options["select"] or RULES})
    analysis = without_ignored(_analysed(paths, chosen), found.ignores, chosen)
    summary.write(analysis, sys.stdout, verbose=True)
    ctx.exit(exit_code(analysis, options["fail_on"] or found.values.get("fail_on", "error")))


def _analysed(paths: tuple[str, ...], chosen: Settings) -> Analysis:
    from loganalyzer.pipeline import analyze

    with progress.shown(paths, quiet=False) as told:
        analysis = analyze(paths, chosen, told)
    for problem in (*analysis.problems, *analysis.notes):
        click.echo(f"loganalyze: {problem}", err=True)
    return analysis


@baseline.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Write the file; without it the change is only shown.")
@click.option("--by", metavar="NAME", envvar="GIT_AUTHOR_NAME", help="Who accepts.  [default: the user's name]")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the next reader of the file.")
@click.option("--json", "json_file", metavar="FILE|-", help="Write what is proposed as a JSON document.")
@analysis_options
@click.pass_context
def accept(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Make the runs of these logs the baselines of their kind.

    Shows the change to the file (--baselines, the configuration's, or baselines.toml) with who, when, from which runs,
    and the bands; --yes writes it. Comments and other entries stay.
    """
    from loganalyzer.baselining import writing
    from loganalyzer.baselining.proposing import Acceptance, proposals
    from loganalyzer.expectations import baselines
    from loganalyzer.report.terminal.baselines import proposals as proposing_document

    found = configuration(options["config_file"])
    file = Path(options["baselines"] or found.values.get("baselines") or DEFAULT)
    chosen = settings(found, {**options, "baselines": file if file.is_file() else None})
    targets.check({"--json": options["json_file"], "--baselines": file}, (found.path, options["workflow"]), paths)
    analysis = _analysed(paths, chosen)
    if analysis.runs.is_empty():
        raise SourceError("no run found in any input: nothing to accept")
    acceptance = Acceptance(options["by"] or _user(), clock.now().date(), options["reason"])
    proposed = proposals(analysis, baselines.load_baselines(chosen.baselines), acceptance, chosen.price_per_hour)
    for reason in proposed.refused:
        click.echo(f"loganalyze: {reason}", err=True)
    entries = [entry for entry in proposed.entries if entry.changes]
    before, after = writing.edited(file, entries)
    change = writing.diff(file, before, after) if entries else ""
    written = bool(entries and options["yes"])
    if written:
        writing.write(file, after)
    if options["json_file"]:
        put(options["json_file"], proposing_document(proposed, change, file=file.name, written=written))
    if options["json_file"] != STDOUT:
        _tell(file, change, known=bool(proposed.entries), written=written)
    if written and "baselines" not in found.values and not options["baselines"]:
        click.echo(f'to use it, put baselines = "{file}" into loganalyze.toml, or give --baselines {file}', err=True)
    ctx.exit(0 if proposed.entries else 2)


def _tell(file: Path, change: str, *, known: bool, written: bool) -> None:
    """The change, and what became of it."""
    if not change:
        click.echo("the baselines in force say the same: nothing to change" if known else "nothing to accept")
        return
    click.echo(change, nl=False)
    click.echo(f"{file} written" if written else f"nothing is changed yet: --yes writes {file}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in many containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
