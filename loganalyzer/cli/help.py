"""Formats help pages with option groups, examples and the pages to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Output": (
        "html", "no_html", "json", "json_file", "markdown", "markdown_file", "junit", "tables", "csv", "output",
        "in_place", "quiet", "verbose", "table", "rows",
    ),
    "What is checked": (
        "quantization", "audio", "audio_given", "multi", "workflow", "fps", "baselines", "patterns", "folders",
        "select", "ignore", "strict", "fail_on", "frames", "window_frames", "motion_frames", "native", "prefer",
    ),
    "Expected time and cost": ("gpu", "size", "steps", "price_per_hour"),
    "History": (
        "history", "history_read_only", "label", "commit", "at", "metric", "before", "keep",
    ),
    "While it follows the log": ("on_error", "once_idle", "interval"),
    "Notices": ("notify", "notify_always"),
    "Cluster": ("engine", "scheduler"),
}  # fmt: skip
_OTHER: Final = "Other options"

PAGES: Final[dict[str, tuple[str, ...]]] = {
    "analyze": ("docs/verdicts.md", "docs/inputs.md", "docs/configuration.md"),
    "baseline": ("docs/history.md",),
    "compare": ("docs/history.md",),
    "doctor": ("docs/configuration.md",),
    "history": ("docs/history.md", "docs/false-alarms.md"),
    "plan": ("docs/before-a-run.md",),
    "recorder": ("docs/recorder.md",),
    "rules": ("docs/rules.md",),
    "schema": ("docs/json.md", "docs/tables.md"),
    "ticket": ("docs/tickets.md", "docs/redaction.md"),
    "watch": ("docs/during-a-run.md", "docs/json.md", "docs/notices.md"),
    "workflow": ("docs/before-a-run.md",),
}
"""The pages in the repository about a command."""


class CommandWithExamples(click.Command):
    """A command whose help page groups options and shows examples."""

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **more: Any) -> None:  # noqa: ANN401 -- click's
        super().__init__(*arguments, **more)
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes one section per group of options; a page with few options has a single section."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {option.name: record for option in options if (record := option.get_help_record(ctx))}
        sections = {title: [records[name] for name in names if name in records] for title, names in _GROUPS.items()}
        grouped = {name for names in _GROUPS.values() for name in names}
        sections[_OTHER] = [record for name, record in records.items() if name not in grouped]
        filled = {title: rows for title, rows in sections.items() if rows}
        if len(records) <= FEW_OPTIONS:
            filled = {"Options": [record for rows in filled.values() for record in rows]}
        for title, rows in filled.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples, one per line, and the pages in the repository."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            formatter.write_paragraph()
            formatter.write("Examples:\n")
            for example in self.examples:
                formatter.write(f"  {example}\n")
        while ctx.parent and ctx.parent.parent:
            ctx = ctx.parent
        if pages := PAGES.get(ctx.info_name or "", ()):
            formatter.write_paragraph()
            formatter.write(f"More: {', '.join(pages)}\n")


FEW_OPTIONS: Final = 6
"""Most options on a page without groups."""
