"""Writes the page of all rules: `python docs/rules.py` generates `docs/rules.md`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from loganalyzer.checks.registry import Rule, rules

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
    yield "| id | name | severity | shown by | what it finds |"
    yield "|---|---|---|---|---|"
    shipped = [rule for rule in rules().values() if rule.package is None]
    for rule in shipped:
        cells = (f"[{rule.id}](#{_anchor(rule)})", rule.name, _severity(rule), rule.witness, _cell(rule.summary))
        yield f"| {' | '.join(cells)} |"
    for rule in shipped:
        yield ""
        yield f"## {rule.id} {rule.name}"
        yield ""
        yield f"**{rule.summary}** {rule.why}"
        yield ""
        yield "```"
        yield rule.example
        yield "```"
        yield ""
        yield f"Fix: {rule.fix}"


def _severity(rule: Rule) -> str:
    return rule.severity + (f" ({rule.strict} with `--strict`)" if rule.strict else "")


def _anchor(rule: Rule) -> str:
    return f"{rule.id}-{rule.name}".lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
