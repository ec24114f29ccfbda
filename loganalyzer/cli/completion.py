"""Completes arguments in the shell: log files, rule ids, and labels of the history."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from loganalyzer.common.errors import LogAnalyzerError


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes files and folders, which the shell itself lists."""
    del ctx, param
    return [CompletionItem(incomplete, type="file")]


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes rule ids, also after a comma."""
    del ctx, param
    from loganalyzer.checks.registry import rules as known

    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{rule.id}", help=rule.name)
        for rule in known().values()
        if rule.id.startswith(last.upper())
    ]


def sides(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes files, or `history:LABEL` if the word starts with a prefix of `history:`."""
    if not incomplete or not "history:".startswith(incomplete[:8]):
        return files(ctx, param, incomplete)
    return [CompletionItem(f"history:{label}") for label in _labels(ctx) if f"history:{label}".startswith(incomplete)]


def labels(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Completes labels of the history."""
    del param
    return [CompletionItem(label) for label in _labels(ctx) if label.startswith(incomplete)]


def _labels(ctx: click.Context) -> list[str]:
    """Returns the labels in this call's history; none if it cannot be read, because completion never fails."""
    from loganalyzer.cli import recording
    from loganalyzer.history.store import Store
    from loganalyzer.settings import config

    with suppress(LogAnalyzerError, OSError):
        where = recording.url(config.find_configuration(Path.cwd()), ctx.params) or recording.DEFAULT
        with Store.at(where, create=False, read_only=True) as store:
            return store.labels()
    return []
