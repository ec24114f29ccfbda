"""`loganalyze rules [RULES]`: the catalogue of rules, or one rule explained."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from loganalyzer.cli import completion
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.output import STDOUT, json_option, put

if TYPE_CHECKING:
    from loganalyzer.checks.registry import Rule


@click.command(
    cls=CommandWithExamples,
    short_help="List rules, or explain one.",
    examples=("loganalyze rules", "loganalyze rules AUD001", "loganalyze rules MEM", "loganalyze rules --json -"),
)
@click.argument("rule_id", metavar="[RULES]", required=False, shell_complete=completion.rules)
@json_option
def rules(rule_id: str | None, json_file: str | None) -> None:
    """List all rules, or those that RULES names (an id, a prefix, a name); explain a single one.

    An explanation says why the rule matters, shows an example, and gives the fix.
    """
    from loganalyzer.checks.registry import rules as known_rules
    from loganalyzer.checks.selectors import select

    found = list(known_rules().values()) if rule_id is None else select(rule_id)
    if json_file:
        from loganalyzer.report.catalogue_documents import rules_document

        put(json_file, rules_document(found))
    if json_file == STDOUT:
        return
    if rule_id is None or len(found) > 1:
        _list(found)
        return
    (rule,) = found
    strict = f"; {rule.strict} with --strict" if rule.strict else ""
    click.echo(f"{rule.id} {rule.name} ({rule.severity}{strict})\n")
    for title, body in (("what", rule.summary), ("why", rule.why), ("fix", rule.fix)):
        click.echo(textwrap.fill(body, 100, initial_indent=f"{title:9}", subsequent_indent=" " * 9))
    if rule.package:
        click.echo(f"package  {rule.package}")
    click.echo("example  " + rule.example.replace("\n", "\n         "))


def _list(rules: Iterable[Rule]) -> None:
    for item in rules:
        package = f" ({item.package})" if item.package else ""
        click.echo(f"{item.id}  {item.severity:8}{item.name}: {item.summary}{package}")
