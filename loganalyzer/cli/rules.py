"""`loganalyze rules [ID]`: the catalogue of findings, or one rule explained."""

from __future__ import annotations

import textwrap

import click

from loganalyzer.common.errors import ConfigurationError


@click.command(short_help="The findings, each explained.")
@click.argument("rule_id", metavar="[ID]", required=False)
def rules(rule_id: str | None) -> None:
    """List all rules, or explain one: why it matters, an example, the fix."""
    from loganalyzer.checks.registry import rules as known_rules

    known = known_rules()
    if rule_id is None:
        for item in known.values():
            click.echo(f"{item.id}  {item.severity:8}{item.name}: {item.summary}")
        return
    rule = known.get(rule_id.upper())
    if rule is None:
        raise ConfigurationError(f"there is no rule {rule_id!r}", "`loganalyze rules` lists them")
    strict = f"; {rule.strict} with --strict" if rule.strict else ""
    click.echo(f"{rule.id} {rule.name} ({rule.severity}{strict})\n")
    for title, body in (("what", rule.summary), ("why", rule.why), ("fix", rule.fix)):
        click.echo(textwrap.fill(body, 100, initial_indent=f"{title:9}", subsequent_indent=" " * 9))
    click.echo("example  " + rule.example.replace("\n", "\n         "))
