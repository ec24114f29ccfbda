"""`loganalyze patterns list|test|explain`: lists, tests and explains message patterns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from loganalyzer.cli.output import STDOUT, json_option, put

if TYPE_CHECKING:
    from loganalyzer.grammar.model import Pattern

_FOLDERS = click.option(
    "--patterns",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Add message patterns of a folder. Repeatable.",
)


@click.group()
def patterns() -> None:
    """List, test and explain the message patterns."""


@patterns.command("list")
@_FOLDERS
@json_option
def list_(folders: tuple[Path, ...], json_file: str | None) -> None:
    """List all patterns by file: id, dates between which upstream printed the form, template."""
    from loganalyzer.grammar.load import load_all

    found = load_all(folders)
    if json_file:
        from loganalyzer.report.catalogue_documents import patterns_document

        put(json_file, patterns_document(found))
    if json_file == STDOUT:
        return
    last = ""
    for pattern in found:
        if pattern.file != last:
            click.echo(f"{pattern.file}")
            last = pattern.file
        click.echo(f"  {pattern.id:32}{_span(pattern):26}{pattern.notation}")


def _span(pattern: Pattern) -> str:
    return f"{pattern.since or ''}..{pattern.until or ''}" if pattern.since or pattern.until else ""


@patterns.command()
@_FOLDERS
@click.pass_context
def test(ctx: click.Context, folders: tuple[Path, ...]) -> None:
    """Test every sample and near miss of patterns, prefixes and failures in both forms. Exit 1 if one fails."""
    from loganalyzer.common.errors import GrammarError
    from loganalyzer.grammar.failures import load_shipped_failures
    from loganalyzer.grammar.load import load_all, load_prefixes
    from loganalyzer.grammar.samples import verify_meaning

    try:
        found = load_all(folders) + load_prefixes()
        found += tuple(message for failure in load_shipped_failures().failures for message in failure.messages)
    except GrammarError as error:
        click.echo(str(error), err=True)
        ctx.exit(1)
    failed = 0
    for pattern in found:
        try:
            verify_meaning(pattern)
        except GrammarError as error:
            failed += 1
            click.echo(f"{pattern.file}: pattern {pattern.id!r}: {error}", err=True)
    samples = sum(len(pattern.samples) + len(pattern.near) for pattern in found)
    click.echo(f"{len(found)} patterns, {samples} samples, {failed} failed")
    ctx.exit(1 if failed else 0)


@patterns.command()
@click.argument("line")
@_FOLDERS
def explain(line: str, folders: tuple[Path, ...]) -> None:
    """Explain how LINE is parsed: matching patterns with values, or the nearest and where it stops matching."""
    from loganalyzer.common.formatting import printable
    from loganalyzer.grammar.explain import explain_line
    from loganalyzer.grammar.load import load_all

    for text in explain_line(line, load_all(folders)):
        click.echo(printable(text) if text.strip() else text)
