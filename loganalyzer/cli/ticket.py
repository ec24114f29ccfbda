"""`loganalyze ticket LOGS…`: packs a small archive for a bug ticket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import progress, targets
from loganalyzer.cli.exit_codes import COULD_NOT
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import analysis_options, configuration, settings
from loganalyzer.cli.output import STDOUT, json_option, put
from loganalyzer.common import atomic_write, clock

if TYPE_CHECKING:
    from loganalyzer.ticket.make import MadeTicket


@click.command(
    cls=CommandWithExamples,
    short_help="Pack a bug ticket, with secrets masked.",
    examples=("loganalyze ticket comfyui.log", "loganalyze ticket logs/ -o bug.zip"),
)
@click.argument("paths", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), default="ticket.zip", show_default=True,
              help="Write the archive here.")  # fmt: skip
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Print problems only.")
@analysis_options
@click.pass_context
def ticket(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Pack what a maintainer needs: report, text to paste, slices of the log, versions. Secrets are masked.

    The archive is smaller than 1 MB for any log. Its manifest lists what was left out and masked.
    """
    from loganalyzer.ticket.make import make_ticket

    found = configuration(options["config_file"])
    chosen = settings(found, options)
    json_file = options["json_file"]
    targets.check({"--output": options["output"], "--json": json_file}, targets.configured(found, options), paths)
    with progress.show(paths, quiet=options["quiet"]) as on_read:
        made = make_ticket(paths, chosen, on_read, generated_at=clock.now())
    if made.shown.sources.is_empty():
        for problem in made.shown.problems:
            click.echo(f"loganalyze: {problem}", err=True)
        click.echo("loganalyze: no log could be read, so no ticket was written", err=True)
        ctx.exit(COULD_NOT)
    atomic_write.write(options["output"], made.ticket.data)
    for problem in (*made.shown.problems, *made.shown.notes):
        click.echo(f"loganalyze: {problem}", err=True)
    if json_file:
        from loganalyzer.ticket.document import ticket_document

        put(json_file, ticket_document(made, str(options["output"])))
    if not options["quiet"] and json_file != STDOUT:
        _describe(made, options["output"])
    ctx.exit(2 if made.shown.problems else 0)


def _describe(made: MadeTicket, output: Path) -> None:
    """Lists the content of a ticket."""
    click.echo(f"ticket: {output}, {len(made.ticket.data) / 1024:,.0f} KiB")
    for name, size in made.ticket.files:
        click.echo(f"  {name}  {size / 1024:,.1f} KiB")
    masked = ", ".join(f"{count} {kind}" for kind, count in sorted(made.masked.items()))
    click.echo(f"masked: {masked}" if masked else "no secrets found")
    click.echo("Review the archive before you share it.")
