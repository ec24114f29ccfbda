"""`loganalyze history …`: keeps metrics of runs and shows how they change."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import progress, recording, targets
from loganalyzer.cli.exit_codes import COULD_NOT, FAULT
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import ENGINES, analysis_options, chosen_engine, configuration, settings
from loganalyzer.cli.output import STDOUT, json_option, put
from loganalyzer.common import clock
from loganalyzer.common.errors import HistoryError, SkippedError, SourceError
from loganalyzer.common.formatting import plural

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from loganalyzer.history.store import Store

_CONFIG = click.option("--config", "config_file", type=click.Path(), help="Use this configuration file.")
_HTML = click.option("--html", "html_file", metavar="FILE|-", help="Write the trends as an HTML file.")


@click.group(short_help="Keep runs, and show how they change.")
def history() -> None:
    """Keep the figures of runs, list them, and show how they change.

    A history is a SQLite file (sqlite:///loganalyze.db by default) or a PostgreSQL database. --history, the
    configuration, or $LOGANALYZE_HISTORY names it.
    """


def _store(
    options: dict[str, Any], json_file: str | None, html_file: str | None = None, *, read_only: bool = True
) -> AbstractContextManager[Store]:
    """Opens the history, read-only by default. Documents must not overwrite it."""
    from pathlib import Path

    from loganalyzer.history.store import Store

    named: Path | None = Path(options["config_file"]) if options["config_file"] else None
    where = recording.url(configuration(named), options) or recording.DEFAULT
    targets.check({"--json": json_file, "--html": html_file}, (named, targets.store(where)))
    return Store.at(where, create=False, read_only=read_only)


@history.command(cls=CommandWithExamples, examples=("loganalyze history add logs/ --label main",))
@click.argument("paths", nargs=-1, required=True)
@recording.history_option
@recording.noted_options
@click.option("--engine", type=click.Choice(ENGINES), help="Read logs here or on a Dask cluster.  [default: local]")
@click.option("--scheduler", metavar="ADDRESS", help="Set the cluster's address, e.g. tcp://10.0.0.5:8786.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@json_option
@analysis_options
@click.pass_context
def add(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Add the runs of logs.

    A run is added once, whatever the name of its log. If the history has it, the newest reading replaces it. Files
    that were added with the same options and have not changed since are not read again.

    Exit status: 0 if all inputs were added now or earlier; 2 if an input cannot be read, no run is found, or the
    history cannot be written. The runs of other inputs are still added.
    """
    from loganalyzer.history.inputs import Inputs
    from loganalyzer.history.store import Added, Store
    from loganalyzer.pipeline import analyze
    from loganalyzer.report.history import document
    from loganalyzer.tables.analysis import Analysis

    found = configuration(options["config_file"])
    chosen = settings(found, options)
    where = recording.url(found, options) or recording.DEFAULT
    written = {"--json": options["json_file"], "--history": targets.store(where)}
    targets.check(written, targets.configured(found, options), paths)
    digest = recording.reading_digest(chosen, options)
    names, unread, unchanged = _changed(where, paths, digest)
    analysis, added = Analysis(), Added()
    if names or not unchanged:
        inputs = Inputs.of(names)
        with progress.show(tuple(names), quiet=options["quiet"]) as on_read:
            analysis = analyze(names, chosen, on_read, chosen_engine(found, options))
        noted = {"label": options["label"], "commit": options["commit"], "gpu": chosen.gpu, "settings": digest}
        if not analysis.runs.is_empty():
            with Store.at(where, create=True) as store:
                added = store.add(analysis, added_at=clock.now(), at=options["at"], inputs=inputs, **noted)
    problems = [str(one) for one in unread if not isinstance(one, SkippedError)] + [*analysis.problems]
    notes = [str(one) for one in unread if isinstance(one, SkippedError)] + [*analysis.notes]
    if doubts := recording.describe_doubts(added):
        notes.append(doubts)
    for problem in (*problems, *notes):
        click.echo(f"loganalyze: {problem}", err=True)
    if analysis.runs.is_empty() and not unchanged:
        click.echo("loganalyze: no run found, so nothing was added", err=True)
        ctx.exit(2)
    if options["json_file"]:
        put(options["json_file"], document.added_document(added, unchanged))
    if not options["quiet"] and options["json_file"] != STDOUT:
        click.echo(recording.describe(added) + (f", {plural(unchanged, 'file')} unchanged" if unchanged else ""))
    ctx.exit(FAULT if analysis.faults else COULD_NOT if problems else 0)


def _changed(where: str, paths: tuple[str, ...], digest: str) -> tuple[list[str], list[SourceError], int]:
    """Returns the inputs to read, the errors, and the number of files that were added before and are unchanged."""
    from pathlib import Path

    from loganalyzer.history.store import Store
    from loganalyzer.sources import inputs as source_inputs

    found = list(source_inputs.find_inputs(paths))
    names = [name for name in found if not isinstance(name, SourceError)]
    errors = [one for one in found if isinstance(one, SourceError)]
    file = targets.store(where)
    if file is not None and not Path(file).exists():
        return names, errors, 0
    with Store.at(where, create=True) as store:
        changed = [name for name in names if not store.unchanged(name, digest)]
    return changed, errors, len(names) - len(changed)


@history.command("list")
@recording.history_option
@click.option("--label", metavar="NAME", help="Show only runs with this label.")
@json_option
@_CONFIG
def list_runs(json_file: str | None, **options: Any) -> None:  # noqa: ANN401
    """List runs, oldest first.

    The history is only read. Exit status: 0, or 2 if it cannot be read.
    """
    from loganalyzer.history.store import Selection
    from loganalyzer.report.history import document, terminal

    with _store(options, json_file) as store:
        runs = store.runs(Selection(label=options["label"]))
    if json_file:
        put(json_file, document.runs_document(runs))
    if json_file != STDOUT:
        terminal.print_runs(runs, sys.stdout)


@history.command()
@click.argument("run_id")
@recording.history_option
@json_option
@_CONFIG
def show(run_id: str, json_file: str | None, **options: Any) -> None:  # noqa: ANN401
    """Show the facts, figures and findings of a run. The start of its id is enough if it is unique.

    The history is only read. Exit status: 0, or 2 if there is no such run or the history cannot be read.
    """
    from loganalyzer.history.store import Selection
    from loganalyzer.report.history import document, terminal

    with _store(options, json_file) as store:
        names = store.find_ids(run_id)
        if len(names) != 1:
            reason = f"{plural(len(names), 'run')} start with {run_id!r}" if names else f"there is no run {run_id!r}"
            raise HistoryError(f"{reason} in the history", "Run `loganalyze history list` to see all runs.")
        chosen = Selection(run_id=names[0])
        parts = (store.runs(chosen), store.recorded(chosen), store.findings(chosen))
    if json_file:
        put(json_file, document.run_document(*parts))
    if json_file != STDOUT:
        terminal.print_run(*parts, sys.stdout)


@history.command(
    cls=CommandWithExamples,
    examples=("loganalyze history trend --metric s_per_step", "loganalyze history trend --html trends.html"),
)
@recording.history_option
@click.option("--metric", multiple=True, metavar="NAME", help="Show only this metric, e.g. s_per_step. Repeatable.")
@click.option("--label", metavar="NAME", help="Show only runs with this label.")
@_HTML
@json_option
@_CONFIG
def trend(metric: tuple[str, ...], json_file: str | None, html_file: str | None, **options: Any) -> None:  # noqa: ANN401
    """Show each metric of each kind of run over time, its changes, and whether it is worse now.

    The history is only read. Exit status: 0 whatever the trend is, or 2 if the history cannot be read.
    """
    from loganalyzer.history.series import judge_series
    from loganalyzer.history.store import Selection
    from loganalyzer.report.history import document, terminal
    from loganalyzer.tables.metrics import METRICS

    for name in metric:
        if name not in METRICS:
            raise click.UsageError(f"there is no metric {name!r}; known metrics: {', '.join(METRICS)}")
    with _store(options, json_file, html_file) as store:
        series = judge_series(store.recorded(Selection(label=options["label"])), metric or None, exact=True)
    if json_file:
        put(json_file, document.trend_document(series))
    if html_file:
        from loganalyzer.report.history.page import render_trends

        put(html_file, render_trends(series, clock.now()))
    if STDOUT not in (json_file, html_file):
        terminal.print_trend(series, sys.stdout)


@history.command(
    cls=CommandWithExamples,
    examples=("loganalyze history prune --before 2026-01-01", "loganalyze history prune --keep 60 --yes"),
)
@recording.history_option
@click.option("--before", type=recording.Moment(), metavar="TIME", help="Select runs that took place before this time.")
@click.option("--label", metavar="NAME", help="Select runs with this label.")
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="Select all but the N latest runs of each kind.")
@click.option("--yes", is_flag=True, help="Remove the runs. Without it they are only listed.")
@json_option
@_CONFIG
def prune(
    before: datetime | None,
    label: str | None,
    keep: int | None,
    json_file: str | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Remove old runs, by the time when they took place. Without --yes, only list them.

    Exit status: 0, or 2 if the history cannot be read, or cannot be written with --yes.
    """
    from loganalyzer.history.store import Selection
    from loganalyzer.report.history import document, terminal

    if before is None and label is None and keep is None:
        raise click.UsageError("select runs with --before, --label or --keep")
    with _store(options, json_file, read_only=not options["yes"]) as store:
        runs = store.runs(Selection(label=label, before=before, keep=keep or 0))
        if options["yes"]:
            store.remove(runs["run_id"].to_list())
    if json_file:
        put(json_file, document.pruned_document(runs, done=options["yes"]))
    if json_file == STDOUT:
        return
    if options["yes"]:
        click.echo(f"{plural(runs.height, 'run')} removed")
        return
    terminal.print_runs(runs, sys.stdout)
    click.echo(f"{plural(runs.height, 'run')} would be removed. Add --yes to remove them")
