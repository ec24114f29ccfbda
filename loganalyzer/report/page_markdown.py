"""The page in brief, as Markdown to paste into a ticket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from loganalyzer.report.model import Evidence, Finding, Group, Overview, Table

MOST_RUNS: Final = 20
MOST_GROUPS: Final = 12
MOST_FINDINGS: Final = 2
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#@~&!$]|:(?=//)|(?<=www)\.)")
"""What could be markup, a mention or formula; and what would turn an address into a link."""


def markdown(overview: Overview, runs: Table | None, groups: tuple[Group, ...], number: int) -> str:
    """Verdict, runs (of so many), and the gravest findings with their lines; foreign text cannot break out of it."""
    parts = [f"**{overview.mark.word}: {escaped(overview.headline)}**"]
    if runs:
        parts.append(_table(runs, number))
    parts += [_group(group) for group in groups[:MOST_GROUPS] if group.mark.kind != "info"]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """`text` without meaning for Markdown."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(table: Table, number: int) -> str:
    head = [column.title for column in table.columns]
    rule = ["---:" if column.number else "---" for column in table.columns]
    rows = [[escaped(cell.text) for cell in row] for row in table.rows[:MOST_RUNS]]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
    left = number - len(rows)
    return "\n".join(lines) + (f"\n\n{left:,} more runs are in the report." if left > 0 else "")


def _group(group: Group) -> str:
    findings = "\n\n".join(_finding(finding) for finding in group.findings[:MOST_FINDINGS])
    more = (
        f" ({group.count}, the first {MOST_FINDINGS} here)" if group.more or len(group.findings) > MOST_FINDINGS else ""
    )
    return f"### {escaped(group.rule)} {escaped(group.name)}, {group.mark.word}{more}\n\n{findings}"


def _finding(finding: Finding) -> str:
    lines = [
        f"{escaped(finding.message)} ({escaped(finding.place)})",
        "",
        f"- Observed: {escaped(finding.observed)}",
        f"- Expected: {escaped(finding.expected)}",
        f"- Fix: {escaped(finding.fix)}",
    ]
    return "\n".join([*lines, *_fenced(finding.evidence)])


def _fenced(evidence: Evidence | None) -> list[str]:
    """The lines in a fence longer than any run of backticks in them."""
    if evidence is None:
        return []
    lines = [f"{line.number}: {line.text}" for line in evidence.lines]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return ["", f"{fence}text", *lines, fence]
