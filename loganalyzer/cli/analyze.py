"""`loganalyze LOGS…`: the main job."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from loganalyzer.cli import actions, notice, progress, recording, targets
from loganalyzer.cli.exit_codes import FAULT
from loganalyzer.cli.options import ENGINES, FAILING, analysis_options, chosen_engine, configuration, settings
from loganalyzer.cli.output import STDOUT
from loganalyzer.cli.outputs import Document, Outputs, write
from loganalyzer.common import clock
from loganalyzer.common.errors import LogAnalyzerError

if TYPE_CHECKING:
    from datetime import datetime

    from loganalyzer.history.store import Added
    from loganalyzer.settings.config import Configuration
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

MOST_MESSAGES: Final = 100
"""Messages on inputs that the terminal shows; a folder may hold 100,000 empty files."""


@click.command(short_help="Check logs: summary, HTML report, tables.")
@click.argument("paths", nargs=-1, required=True)
@click.option("--html", default="loganalyze-report.html", show_default=True, help="Where the HTML report goes.")
@click.option("--no-html", is_flag=True, help="Write no HTML report.")
@click.option("--json", "json_file", metavar="FILE|-", help="Write the JSON document.")
@click.option("--markdown", "markdown_file", metavar="FILE|-", help="Write the findings as Markdown, for a ticket.")
@click.option("--junit", "junit_file", metavar="FILE|-", help="Write JUnit XML: one case per run and rule.")
@click.option("--tables", type=click.Path(path_type=Path), metavar="DIR", help="Write each table as a Parquet file.")
@click.option("--fail-on", type=click.Choice(list(FAILING)), help="Exit 1 from this severity on.  [default: error]")
@click.option("--engine", type=click.Choice(ENGINES), help="Where logs are read: here, or by a Dask cluster.")
@click.option("--scheduler", metavar="ADDRESS", help="The cluster's scheduler, e.g. tcp://10.0.0.5:8786.")
@click.option("-q", "--quiet", is_flag=True, help="No summary, no progress bar.")
@click.option("-v", "--verbose", is_flag=True, help="Also informative findings, and what was not checked and why.")
@recording.history_option
@recording.read_only_option
@recording.noted_options
@notice.notify_options
@analysis_options
@click.pass_context
def analyze(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Read logs, check every run, print a summary, write the HTML report.

    PATHS are files, folders (searched recursively), patterns such as 'logs/*.txt', URLs, or - for standard input; also
    HTML reports and JSON documents written before, which are shown again.
    """
    found = configuration(options["config_file"])
    chosen = settings(found, options)
    engine = chosen_engine(found, options)
    history = recording.url(found, options)
    read_only = recording.reads_only(found, options)
    recording.check(history, options, read_only=read_only)
    targets.check(_targets(options, history), targets.configured(found, options), paths)
    services = notice.urls(found, options)
    notifier = notice.Notifier.of(services, history, paths, always=options["notify_always"])
    past = recording.past(history, options, paths, read_only=read_only) if history else None
    fail_on = options["fail_on"] = options["fail_on"] or found.values.get("fail_on", "error")
    with Outputs(options) as outputs:
        with progress.shown(paths, quiet=options["quiet"]) as told, outputs.filling() as sink:
            if past is None and engine is None:
                from loganalyzer.bounded import analyse_bounded

                analysis = analyse_bounded(paths, chosen, found.ignores, sink, told)
            else:
                from loganalyzer.checks.ignoring import without_ignored
                from loganalyzer.pipeline import analyse

                analysis = without_ignored(analyse(paths, chosen, told, engine, past), found.ignores, chosen)
                sink.whole(analysis)
        analysis = _with_configuration(analysis, found)
        chosen, moment = _recorded(paths) or chosen, clock.now()
        if analysis.verdict == "no-runs" and not _is_given(ctx, "html"):
            options["no_html"] = True  # an earlier call's report is worth more than an empty one
        write([*outputs.documents(analysis, chosen, moment), *_reports(analysis, chosen, moment, options)])
    actions.report(lambda: actions.of_analysis(analysis), lambda: _markdown(analysis, chosen))
    added = None
    if history and past is not None and not read_only:
        added = recording.add(history, past, analysis, options, chosen.gpu)
    _tell(analysis, added, options)
    if notifier:
        notifier.tell(analysis, _page_file(options))
    ctx.exit(exit_code(analysis, fail_on, strict=chosen.strict))


def _with_configuration(analysis: Analysis, found: Configuration) -> Analysis:
    """An analysis with a note on the configuration file that shaped its verdict."""
    said = found.decides()
    return analysis if said is None else replace(analysis, notes=(*analysis.notes, said))


def _tell(analysis: Analysis, added: Added | None, options: dict[str, Any]) -> None:
    """The summary, what the history took, and what the user should know."""
    if not options["quiet"]:
        _summarise(analysis, options)
        if added:
            click.echo(f"history: {recording.words(added)}", err=True)
    doubts = recording.doubts(added) if added else None
    for problem in (*_first(analysis.problems), *_first(analysis.notes), *([doubts] if doubts else ())):
        click.echo(f"loganalyze: {problem}", err=True)


def _first(messages: tuple[str, ...]) -> tuple[str, ...]:
    """The first messages, and how many more there are."""
    more = len(messages) - MOST_MESSAGES
    return messages if more <= 0 else (*messages[:MOST_MESSAGES], f"… and {more:,} more such messages; --json has all")


def _is_given(ctx: click.Context, name: str) -> bool:
    """Whether the user named this option, instead of leaving it at its default."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def _targets(options: dict[str, Any], history: str | None) -> dict[str, targets.Target]:
    """What is written, by the option that names it."""
    files = {f"--{name}": options[f"{name}_file"] for name in ("json", "markdown", "junit")}
    own = {"--html": _page_file(options), "--history": targets.store(history)}
    return {**files, **own, **targets.tables(options["tables"])}


def _recorded(paths: tuple[str, ...]) -> Settings | None:
    """What the only input was analysed with, where it is a report read back."""
    from loganalyzer.report.formats import reader

    if len(paths) != 1 or not reader.is_document(paths[0]):
        return None
    try:
        return reader.load(paths[0]).settings
    except LogAnalyzerError:
        return None


def exit_code(analysis: Analysis, fail_on: str, *, strict: bool = False) -> int:
    """0 within expectations, 1 a finding at or above `fail_on`, 2 an input unread or no run found, 3 a fault of ours.

    With `strict` an incomplete verdict is 1 as well, unless nothing is to fail.
    """
    if analysis.faults:
        return FAULT
    if analysis.problems or analysis.verdict == "no-runs":
        return 2
    is_lacking = strict and fail_on != "never" and not analysis.complete
    return int(is_lacking or analysis.findings["severity"].is_in(list(FAILING[fail_on])).any())


def _page_file(options: dict[str, Any]) -> str | None:
    return None if options["no_html"] else options["html"]


def _summarise(analysis: Analysis, options: dict[str, Any]) -> None:
    """Comes last: a reader who stops reading (`| head`) costs nobody the report."""
    from loganalyzer.report.terminal import summary

    page_file = _page_file(options)
    to_stdout = STDOUT in (options["json_file"], options["markdown_file"], options["junit_file"], page_file)
    summary.write(analysis, sys.stderr if to_stdout else sys.stdout, verbose=options["verbose"])
    if page_file and page_file != STDOUT:
        click.echo(f"\nreport: {page_file}", err=to_stdout)


def _reports(analysis: Analysis, chosen: Settings, moment: datetime, options: dict[str, Any]) -> Iterator[Document]:
    """Each room of the report is imported by who asks for it: most calls write one of these, or none."""
    if target := options["markdown_file"]:
        yield target, lambda: _markdown(analysis, chosen)
    if target := _page_file(options):
        yield target, lambda: _page(analysis, chosen, moment)


def _page(analysis: Analysis, chosen: Settings, moment: datetime) -> str:
    from loganalyzer.report.page import html

    return html.whole(analysis, chosen, generated_at=moment)


def _markdown(analysis: Analysis, chosen: Settings) -> str:
    from loganalyzer.report.formats import markdown

    return markdown.render(analysis, chosen)
