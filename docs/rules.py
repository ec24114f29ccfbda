"""Writes the page of all rules: `python docs/rules.py` generates `docs/rules.md`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from loganalyzer.checks.registry import rules
from loganalyzer.checks.rule import Rule

PAGE = Path(__file__).with_name("rules.md")


def page() -> str:
    """Returns the page with all rules, sorted by id."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Findings"
    yield ""
    yield "Generated from the rules by `python docs/rules.py`; `loganalyze rules ID` shows the same in the terminal."
    yield "The [configuration](configuration.md) can change severities and ignore rules until a date."
    yield "Examples are lines of a log; lines that start with `# ` are notes."
    yield ""
    yield from table_lines(lambda rule: f"#{_anchor(rule)}")
    for rule in shipped_rules():
        yield ""
        yield f"## {rule.id} {rule.name}"
        yield ""
        yield from rule_lines(rule)


def shipped_rules() -> list[Rule]:
    """Returns loganalyzer's own rules, sorted by id; rules of other packages on this machine are left out."""
    return [rule for rule in rules().values() if rule.package is None]


def table_lines(link: Callable[[Rule], str]) -> Iterator[str]:
    """Yields the table of all rules; `link` gives the target of a rule's id."""
    yield "| id | name | severity | shown by | what it finds |"
    yield "|---|---|---|---|---|"
    for rule in shipped_rules():
        cells = (f"[{rule.id}]({link(rule)})", rule.name, severity_text(rule), rule.witness, _cell(rule.summary))
        yield f"| {' | '.join(cells)} |"


def rule_lines(rule: Rule) -> Iterator[str]:
    """Yields what a rule finds, why that matters, an example, and the fix."""
    yield f"**{rule.summary}** {rule.why}"
    yield ""
    yield "```"
    yield rule.example
    yield "```"
    yield ""
    yield f"Fix: {rule.fix}"


def severity_text(rule: Rule) -> str:
    """Returns the severity, and the one under `--strict` if it differs."""
    return rule.severity + (f" ({rule.strict} with `--strict`)" if rule.strict else "")


def _anchor(rule: Rule) -> str:
    return f"{rule.id}-{rule.name}".lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
