"""`loganalyze history …`: what was measured before, and how it went."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import progress, recording, targets
from loganalyzer.cli.exit_codes import COULD_NOT, FAULT
from loganalyzer.cli.options import ENGINES, analysis_options, chosen_engine, configuration, settings
from loganalyzer.cli.output import STDOUT, put
from loganalyzer.errors import HistoryError
from loganalyzer.units import plural

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from loganalyzer.history.store import Store

_CONFIG = click.option(
    "--config", "config_file", type=click.Path(), help="Configuration file, instead of the one found."
)
_JSON = click.option("--json", "json_file", metavar="FILE|-", help="Write the JSON document.")


@click.group(short_help="Keep runs, and see how they changed.")
def history() -> None:
    """Keep the figures of runs, list them, and see how they changed.

    A history is a SQLite file (sqlite:///loganalyze.db by default) or a PostgreSQL database, from --history, the
    configuration, or $LOGANALYZE_HISTORY.
    """


def _store(options: dict[str, Any], json_file: str | None) -> AbstractContextManager[Store]:
    """The history to be read; the JSON document must not take its place."""
    from pathlib import Path

    from loganalyzer.history.store import Store

    named: Path | None = Path(options["config_file"]) if options["config_file"] else None
    where = recording.url(configuration(named), options) or recording.DEFAULT
    targets.check({"--json": json_file}, (named, targets.store(where)))
    return Store.at(where, create=False)


@history.command()
@click.argument("paths", nargs=-1, required=True)
@recording.history_option
@recording.noted_options
@click.option("--engine", type=click.Choice(ENGINES), help="Where logs are read: here, or by a Dask cluster.")
@click.option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@_JSON
@analysis_options
@click.pass_context
def add(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Add the runs of logs. A log that was added before changes nothing, whatever its name is now.

    Exit code 2 where an input cannot be read or no run is found; the others are added all the same.
    """
    from loganalyzer.pipeline import analyse
    from loganalyzer.report import history_document

    found = configuration(options["config_file"])
    chosen = settings(found, options)
    where = recording.url(found, options) or recording.DEFAULT
    written = {"--json": options["json_file"], "--history": targets.store(where)}
    targets.check(written, targets.configured(found, options), paths)
    with progress.shown(paths, quiet=options["quiet"]) as told:
        analysis = analyse(paths, chosen, told, chosen_engine(found, options))
    for problem in (*analysis.problems, *analysis.notes):
        click.echo(f"loganalyze: {problem}", err=True)
    if analysis.runs.is_empty():
        click.echo("loganalyze: no run found: nothing was added", err=True)
        ctx.exit(2)
    added = recording.add(where, analysis, options, chosen.gpu)
    if options["json_file"]:
        put(options["json_file"], history_document.added(added.new, added.known))
    if not options["quiet"] and options["json_file"] != STDOUT:
        known = f", {plural(added.known, 'run')} known already" if added.known else ""
        click.echo(f"{plural(added.new, 'run')} added{known}")
    ctx.exit(FAULT if analysis.faults else COULD_NOT if analysis.problems else 0)


@history.command("list")
@recording.history_option
@click.option("--label", metavar="NAME", help="Only runs of this label.")
@_JSON
@_CONFIG
def list_runs(json_file: str | None, **options: Any) -> None:  # noqa: ANN401
    """List runs, oldest first."""
    from loganalyzer.history.store import Selection
    from loganalyzer.report import history_document, history_text

    with _store(options, json_file) as store:
        runs = store.runs(Selection(label=options["label"]))
    if json_file:
        put(json_file, history_document.runs(runs))
    if json_file != STDOUT:
        history_text.write_runs(runs, sys.stdout)


@history.command()
@click.argument("run_id")
@recording.history_option
@_JSON
@_CONFIG
def show(run_id: str, json_file: str | None, **options: Any) -> None:  # noqa: ANN401
    """Show one run: its facts, figures and findings. The beginning of its id is enough where it is the only such."""
    from loganalyzer.history.store import Selection
    from loganalyzer.report import history_document, history_text

    with _store(options, json_file) as store:
        known = [name for name in store.runs()["run_id"].to_list() if name.startswith(run_id)]
        exact = [name for name in known if name == run_id] or known
        if len(exact) != 1:
            told = f"there is no run {run_id!r}" if not exact else f"{plural(len(exact), 'run')} begin with {run_id!r}"
            raise HistoryError(f"{told} in the history", "`loganalyze history list` names them")
        chosen = Selection(run_id=exact[0])
        parts = (store.runs(chosen), store.recorded(chosen), store.findings(chosen))
    if json_file:
        put(json_file, history_document.one_run(*parts))
    if json_file != STDOUT:
        history_text.write_run(*parts, sys.stdout)


@history.command()
@recording.history_option
@click.option("--metric", multiple=True, metavar="NAME", help="Only this metric, e.g. s_per_step; may be repeated.")
@click.option("--label", metavar="NAME", help="Only runs of this label.")
@_JSON
@_CONFIG
def trend(metric: tuple[str, ...], json_file: str | None, **options: Any) -> None:  # noqa: ANN401
    """Show each metric of each kind of run over time, its changes, and whether it is worse now."""
    from loganalyzer.history.series import judged
    from loganalyzer.history.store import Selection
    from loganalyzer.metrics import METRICS
    from loganalyzer.report import history_document, history_text

    for name in metric:
        if name not in METRICS:
            raise click.UsageError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    with _store(options, json_file) as store:
        series = judged(store.recorded(Selection(label=options["label"])), metric or None, exact=True)
    if json_file:
        put(json_file, history_document.trend(series))
    if json_file != STDOUT:
        history_text.write_trend(series, sys.stdout)


@history.command()
@recording.history_option
@click.option("--before", type=recording.Moment(), metavar="TIME", help="Runs that took place before this time.")
@click.option("--label", metavar="NAME", help="Runs of this label.")
@click.option("--keep", type=click.IntRange(min=1), metavar="N", help="All but the N latest runs of each key.")
@click.option("--yes", is_flag=True, help="Take them out; without it they are only listed.")
@_JSON
@_CONFIG
def prune(
    before: datetime | None,
    label: str | None,
    keep: int | None,
    json_file: str | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Take old runs out. Without --yes it only says which."""
    from loganalyzer.history.store import Selection
    from loganalyzer.report import history_document, history_text

    if before is None and label is None and keep is None:
        raise click.UsageError("say which runs: --before, --label or --keep")
    with _store(options, json_file) as store:
        runs = store.runs(Selection(label=label, before=before, keep=keep or 0))
        if options["yes"]:
            store.remove(runs["run_id"].to_list())
    if json_file:
        put(json_file, history_document.pruned(runs, done=options["yes"]))
    if json_file == STDOUT:
        return
    if options["yes"]:
        click.echo(f"{plural(runs.height, 'run')} taken out")
        return
    history_text.write_runs(runs, sys.stdout)
    click.echo(f"{plural(runs.height, 'run')} would be taken out; --yes does it")
