"""`loganalyze schema [DOCUMENT]`: the JSON Schemas of the JSON documents."""

from __future__ import annotations

import json

import click

from loganalyzer.cli.help import CommandWithExamples


@click.command(
    cls=CommandWithExamples,
    short_help="Print the JSON Schema of a document.",
    examples=("loganalyze schema", "loganalyze schema analysis > analysis.schema.json"),
)
@click.argument("document", required=False)
@click.pass_context
def schema(ctx: click.Context, document: str | None) -> None:
    """Print the JSON Schema of DOCUMENT; without it, list the documents and the commands that write them.

    The schemas are of the dialect 2020-12. Later versions may add members and never rename or drop any.
    """
    from loganalyzer.common.suggestions import closest
    from loganalyzer.report.schemas.registry import SCHEMAS

    if document is None:
        for name, documented in SCHEMAS.items():
            click.echo(f"{name:14}{documented.command}")
        return
    if document not in SCHEMAS:
        meant = closest(document, list(SCHEMAS))
        hint = f"Did you mean {meant[0]!r}?" if meant else f"Documents: {', '.join(SCHEMAS)}."
        raise click.UsageError(f"unknown document {document!r}. {hint}", ctx)
    click.echo(json.dumps(SCHEMAS[document].schema(), indent=2, ensure_ascii=False))
