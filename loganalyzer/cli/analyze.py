"""`loganalyze LOGS…`: checks logs and writes the report."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from loganalyzer.cli import actions, completion, hints, notice, progress, recording, targets
from loganalyzer.cli.exit_codes import FAULT
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import ENGINES, FAILING, analysis_options, chosen_engine, configuration, settings
from loganalyzer.cli.output import STDOUT
from loganalyzer.cli.outputs import Outputs, write
from loganalyzer.common import clock
from loganalyzer.common.errors import LogAnalyzerError
from loganalyzer.report.formats import registry

if TYPE_CHECKING:
    from loganalyzer.history.store import Added
    from loganalyzer.settings.config import Configuration
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

PAGE: Final = "loganalyze-report.html"
MOST_MESSAGES: Final = 100
"""Most messages on inputs that the terminal shows; a folder may have 100,000 empty files."""


def format_options(command: Any) -> Any:  # noqa: ANN401 -- as click has it
    """Adds an option for each output format."""
    for entry in reversed(registry.TABLES):
        command = click.option(f"--{entry.name}", type=click.Path(path_type=Path), metavar="DIR", help=entry.help)(
            command
        )
    for entry in reversed(registry.DOCUMENTS):
        default: dict[str, Any] = {"default": PAGE, "show_default": True} if entry.name == "html" else {}
        command = click.option(f"--{entry.name}", metavar="FILE|-", help=entry.help, **default)(command)
    return command


@click.command(
    cls=CommandWithExamples,
    short_help="Check logs: summary, HTML report, tables.",
    examples=(
        "loganalyze run.log",
        "loganalyze take3_Q6_K.txt take4_Q6_K.txt",
        "loganalyze logs/ --history sqlite:///runs.db --junit results.xml",
        "docker logs comfyui 2>&1 | loganalyze - --quantization Q6_K",
    ),
)
@click.argument("paths", nargs=-1, required=True, shell_complete=completion.files)
@click.option("--no-html", is_flag=True, help="Write no HTML report.")
@format_options
@click.option("--fail-on", type=click.Choice(list(FAILING)), help="Exit 1 from this severity on.  [default: error]")
@click.option("--engine", type=click.Choice(ENGINES), help="Read logs here or on a Dask cluster.  [default: local]")
@click.option("--scheduler", metavar="ADDRESS", help="Set the cluster's address, e.g. tcp://10.0.0.5:8786.")
@click.option("-q", "--quiet", is_flag=True, help="Print no summary and no progress bar.")
@click.option("-v", "--verbose", is_flag=True, help="Print details, notes, and what was not checked.")
@recording.history_option
@recording.read_only_option
@recording.noted_options
@notice.notify_options
@analysis_options
@click.pass_context
def analyze(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Check every run in these logs, print a summary, and write the HTML report.

    PATHS are files, folders (searched recursively), patterns such as 'logs/*.txt', URLs, or - for standard input.
    Earlier HTML reports and JSON documents are shown again.
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
    if options["no_html"]:
        options["html"] = None
    from loganalyzer.report.formats.interface import Result

    with Outputs(options) as outputs:
        with progress.show(paths, quiet=options["quiet"]) as on_read, outputs.filling() as sink:
            from loganalyzer import pipeline

            if past is None and engine is None:
                analysis = pipeline.analyze_volumes(paths, chosen, found.ignores, sink, on_read)
            else:
                from loganalyzer.checks.ignoring import drop_ignored

                found_all = pipeline.analyze(paths, chosen, on_read, engine, past)  # both need all tables at once
                analysis = drop_ignored(found_all, found.ignores, chosen)
                sink.add(analysis)
        analysis = _with_configuration(analysis, found)
        chosen, moment = _settings_of_report(paths) or chosen, clock.now()
        if analysis.verdict == "no-runs" and not _is_given(ctx, "html"):
            options["html"] = None  # an earlier call's report is worth more than an empty one
        result = Result(analysis, chosen, moment, fail_on)
        write(outputs.documents(result, without=() if options["html"] else ("html",)))
    actions.report(lambda: actions.of_analysis(analysis), lambda: _markdown(analysis, chosen))
    added = None
    if history and past is not None and not read_only:
        added = recording.add(history, past, analysis, options, chosen.gpu)
    _report(analysis, added, options)
    if notifier:
        notifier.notify(analysis, _page_file(options))
    ctx.exit(exit_code(analysis, fail_on, strict=chosen.strict))


def _with_configuration(analysis: Analysis, found: Configuration) -> Analysis:
    """Returns the analysis with a note on the configuration file, if that affects the verdict."""
    note = found.describe_verdict_keys()
    return analysis if note is None else replace(analysis, notes=(*analysis.notes, note))


def _report(analysis: Analysis, added: Added | None, options: dict[str, Any]) -> None:
    """Prints messages and what was added to the history, then the summary: its end stays on the screen."""
    doubts = recording.describe_doubts(added) if added else None
    for problem in (
        *hints.hints(analysis),
        *_limited(analysis.problems),
        *_limited(analysis.notes),
        *([doubts] if doubts else ()),
    ):
        click.echo(f"loganalyze: {problem}", err=True)
    if options["quiet"]:
        return
    if added:
        click.echo(f"history: {recording.describe(added)}", err=True)
    _write_summary(analysis, options)


def _limited(messages: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the first messages, and a line with the number of the others."""
    more = len(messages) - MOST_MESSAGES
    return messages if more <= 0 else (*messages[:MOST_MESSAGES], f"… and {more:,} more such messages; --json has all")


def _is_given(ctx: click.Context, name: str) -> bool:
    """Whether the user passed this option."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def _targets(options: dict[str, Any], history: str | None) -> dict[str, targets.Target]:
    """Returns every target by its option."""
    files = {f"--{entry.name}": options[entry.name] for entry in registry.DOCUMENTS}
    files["--html"] = _page_file(options)
    folders = {f"--{entry.name}": options[entry.name] for entry in registry.TABLES}
    return {**files, "--history": targets.store(history), **targets.tables(folders)}


def _settings_of_report(paths: tuple[str, ...]) -> Settings | None:
    """Returns the settings of the report, if the only input is a report."""
    from loganalyzer.report.formats import reader

    if len(paths) != 1 or not reader.is_document(paths[0]):
        return None
    try:
        return reader.load_document(paths[0]).settings
    except LogAnalyzerError:
        return None


def exit_code(analysis: Analysis, fail_on: str, *, strict: bool = False) -> int:
    """Returns 0 within expectations, 1 for findings from `fail_on` on, 2 for failed inputs or no run, 3 for a bug here.

    With `strict`, an incomplete verdict also returns 1, unless `fail_on` is `never`.
    """
    if analysis.faults:
        return FAULT
    if analysis.problems or analysis.verdict == "no-runs":
        return 2
    is_lacking = strict and fail_on != "never" and not analysis.complete
    return int(is_lacking or analysis.findings["severity"].is_in(list(FAILING[fail_on])).any())


def _page_file(options: dict[str, Any]) -> str | None:
    return None if options["no_html"] else options["html"]


def _write_summary(analysis: Analysis, options: dict[str, Any]) -> None:
    """Prints the summary last: a reader who stops reading (`| head`) still gets the report."""
    from loganalyzer.report.terminal import summary

    page_file = _page_file(options)
    to_stdout = STDOUT in [options[entry.name] for entry in registry.DOCUMENTS]
    summary.write(analysis, sys.stderr if to_stdout else sys.stdout, verbose=options["verbose"])
    if page_file and page_file != STDOUT:
        click.echo(f"report: {page_file}", err=to_stdout)


def _markdown(analysis: Analysis, chosen: Settings) -> str:
    from loganalyzer.report.formats import markdown

    return markdown.render_analysis(analysis, chosen)
