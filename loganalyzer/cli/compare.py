"""`loganalyze compare BASE HEAD`: shows what changed, and whether it is worse."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import actions, completion, recording, targets
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import ENGINES, analysis_options, chosen_engine, configuration, settings
from loganalyzer.cli.output import STDOUT, json_option, put
from loganalyzer.common import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loganalyzer.comparison.model import Comparison, RunSet
    from loganalyzer.settings.ignores import Ignore
    from loganalyzer.settings.model import Settings


@click.command(
    cls=CommandWithExamples,
    short_help="Show what changed between two sets of runs.",
    examples=(
        "loganalyze compare before.log after.log",
        "loganalyze compare 'monday/*.log' 'tuesday/*.log' --html changes.html",
        "loganalyze compare history:main tonight.log",
    ),
)
@click.argument("base", shell_complete=completion.sides)
@click.argument("head", shell_complete=completion.sides)
@json_option
@click.option("--markdown", "markdown_file", metavar="FILE|-", help="Write the comparison as Markdown.")
@click.option("--html", metavar="FILE|-", help="Write the comparison as an HTML file.")
@click.option("--fail-on", type=click.Choice(["error", "warning", "never"]), help="Exit 0 even if worse with `never`.")
@click.option("--engine", type=click.Choice(ENGINES), help="Read logs here or on a Dask cluster.  [default: local]")
@click.option("--scheduler", metavar="ADDRESS", help="Set the cluster's address, e.g. tcp://10.0.0.5:8786.")
@click.option("-q", "--quiet", is_flag=True, help="Print no summary.")
@click.option("-v", "--verbose", is_flag=True, help="Print every verdict's reason, and notes.")
@recording.history_option
@analysis_options
@click.pass_context
def compare(ctx: click.Context, /, base: str, head: str, **options: Any) -> None:  # noqa: ANN401
    """Compare the runs of BASE and HEAD, metric by metric and finding by finding.

    BASE and HEAD are logs, folders, patterns in quotes, JSON documents or HTML reports of this tool, or runs of the
    history (history:LABEL, history:RUN_ID).

    Exit status: 0 not worse, 1 regressed, 2 not comparable (no run found, or no two runs of one kind).
    """
    from loganalyzer.cli import compare_sides
    from loganalyzer.comparison.comparing import compare_runs

    found = configuration(options["config_file"])
    chosen = settings(found, options)
    engine = chosen_engine(found, options)
    where = recording.url(found, options) or recording.DEFAULT
    written = {"--json": options["json_file"], "--markdown": options["markdown_file"], "--html": options["html"]}
    targets.check(written, (*targets.configured(found, options), targets.store(where)), (base, head))
    (before, lost_before), (after, lost_after) = (
        compare_sides.read(name, chosen, where, engine) for name in (base, head)
    )
    comparison = compare_runs(before, after)
    _write(comparison, options, lambda: _page(comparison, (before, after), chosen))
    actions.report(lambda: actions.of_comparison(comparison), lambda: _markdown(comparison))
    for problem in (*lost_before, *lost_after):
        click.echo(f"loganalyze: {problem}", err=True)
    fail_on = options["fail_on"] or found.values.get("fail_on", "error")
    ctx.exit(2 if lost_before or lost_after else exit_code(comparison, chosen, fail_on, found.ignores))


def exit_code(comparison: Comparison, chosen: Settings, fail_on: str, ignores: Iterable[Ignore] = ()) -> int:
    """Returns 2 if nothing is comparable, 1 if head is worse (by REG002's severity and ignore entries), else 0."""
    from loganalyzer.checks.registry import rules

    if comparison.verdict == "incomparable":
        return 2
    severity = rules()["REG002"].severity_under(chosen)
    counts = {"error": severity == "error", "warning": severity != "info", "never": False}[fail_on]
    worse = [] if "REG002" in chosen.ignore or not counts else _worse(comparison, [*ignores])
    errors = fail_on != "never" and bool((comparison.new["severity"] == "error").any())
    return int(bool(worse) or errors)


def _worse(comparison: Comparison, ignores: list[Ignore]) -> list[str]:
    """Returns titles and reasons of metrics that are worse and not ignored today."""
    from loganalyzer.tables.metrics import METRICS

    today = clock.now().date()
    active = [entry for entry in ignores if entry.rule == "REG002" and not entry.is_over(today)]
    texts = [f"{METRICS[one.metric].title}: {one.reason}" for one in comparison.metrics if one.verdict == "regressed"]
    return [text for text in texts if not any(entry.contains in text for entry in active)]


def _write(comparison: Comparison, options: dict[str, Any], page: Callable[[], str]) -> None:
    from loganalyzer.report.comparison import document, terminal

    to_stdout = STDOUT in (options["json_file"], options["markdown_file"], options["html"])
    if not options["quiet"]:
        out = sys.stderr if to_stdout else sys.stdout
        terminal.print_comparison(comparison, out, verbose=options["verbose"])
    if options["json_file"]:
        put(options["json_file"], document.to_json(comparison))
    if options["markdown_file"]:
        put(options["markdown_file"], _markdown(comparison))
    if options["html"]:
        put(options["html"], page())


def _page(comparison: Comparison, compared: tuple[RunSet, RunSet], chosen: Settings) -> str:
    from loganalyzer.report.comparison import html

    return html.render_comparison(comparison, clock.now(), compared, chosen)


def _markdown(comparison: Comparison) -> str:
    from loganalyzer.report.comparison import markdown

    return markdown.render(comparison)
