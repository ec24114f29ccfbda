"""Renders a summary of the page as Markdown, to paste into a ticket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from loganalyzer.report.model import Evidence, Finding, Group, Overview, Table

MOST_RUNS: Final = 20
MOST_GROUPS: Final = 12
MOST_FINDINGS: Final = 2
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#@~&!$]|:(?=//)|(?<=www)\.)")
"""Characters of markup, mentions and formulas, and those that turn an address into a link."""


def render_markdown(overview: Overview, runs: Table | None, groups: tuple[Group, ...], number: int) -> str:
    """Verdict, runs (`number` counts all) and the most severe findings with their log lines. Escapes foreign text."""
    parts = [f"**{overview.mark.word}: {escape_markdown(overview.headline)}**"]
    if runs:
        parts.append(_run_table(runs, number))
    parts += [_group_section(group) for group in groups[:MOST_GROUPS] if group.mark.kind != "info"]
    return "\n\n".join(parts) + "\n"


def escape_markdown(text: str) -> str:
    """`text` with the special characters of Markdown escaped."""
    return _SPECIAL.sub(r"\\\1", text)


def _run_table(table: Table, number: int) -> str:
    head = [column.title for column in table.columns]
    rule = ["---:" if column.number else "---" for column in table.columns]
    rows = [[escape_markdown(cell.text) for cell in row] for row in table.rows[:MOST_RUNS]]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
    left = number - len(rows)
    return "\n".join(lines) + (f"\n\n{left:,} more runs are in the report." if left > 0 else "")


def _group_section(group: Group) -> str:
    findings = "\n\n".join(_finding_section(finding) for finding in group.findings[:MOST_FINDINGS])
    more = f" ({group.count}, first {MOST_FINDINGS} shown)" if group.more or len(group.findings) > MOST_FINDINGS else ""
    rules = ", ".join(map(escape_markdown, group.rules))
    return f"### {escape_markdown(group.title)} ({rules}), {group.mark.word}{more}\n\n{findings}"


def _finding_section(finding: Finding) -> str:
    lines = [
        f"{escape_markdown(finding.message)} ({escape_markdown(finding.place)})",
        "",
        f"- Observed: {escape_markdown(finding.observed)}",
        f"- Expected: {escape_markdown(finding.expected)}",
        f"- Fix: {escape_markdown(finding.fix)}",
    ]
    return "\n".join([*lines, *_fenced_lines(finding.evidence)])


def _fenced_lines(evidence: Evidence | None) -> list[str]:
    """The log lines in a code fence that is longer than any sequence of backticks in them."""
    if evidence is None:
        return []
    lines = [f"{line.number}: {line.text}" for line in evidence.lines]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return ["", f"{fence}text", *lines, fence]
