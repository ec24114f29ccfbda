"""`--notify`: sends a notice to chat services and web hooks when the verdict changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

    from loganalyzer.notify.message import Notice
    from loganalyzer.settings.config import Configuration
    from loganalyzer.tables.analysis import Analysis
    from loganalyzer.watch.outlook import WatchWarning

Command = TypeVar("Command", bound=Callable[..., Any])

_RANKS: Final = {"info": 0, "warning": 1, "error": 2}


def notify_options(command: Command) -> Command:
    """Adds `--notify URL` and `--notify-always`."""
    always = "Send a notice every time."
    command = click.option("--notify-always", is_flag=True, help=always)(command)
    text = "Send a notice when the verdict changes. Repeatable."
    return click.option("--notify", multiple=True, metavar="URL", help=text)(command)


def urls(found: Configuration, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the URLs of the command line, else of the configuration.

    Raises:
        click.UsageError: `--notify-always` is given without a URL.
        ConfigurationError: a URL is invalid, or apprise is not installed.
    """
    chosen = tuple(given["notify"]) or tuple(found.values.get("notify", ()))
    if given["notify_always"] and not chosen:
        raise click.UsageError("--notify-always needs --notify URL, or notify in the configuration")
    if chosen:
        from loganalyzer.notify import sending

        sending.check_urls(chosen)
    return chosen


@dataclass(frozen=True)
class Notifier:
    """Sends notices about the verdict of a call if it differs from the last one.

    Attributes:
        urls: the services.
        place: the file that keeps the verdict for the next call.
        before: the last verdict; None if unknown.
        always: whether an unchanged verdict is sent too.
    """

    urls: tuple[str, ...]
    place: Path
    before: str | None
    always: bool

    @classmethod
    def of(cls, chosen: tuple[str, ...], history: str | None, paths: Sequence[str], *, always: bool) -> Notifier | None:
        """Returns a notifier, or None without URLs. The last verdict is in the cache folder or the history."""
        if not chosen:
            return None
        from loganalyzer.notify import remembered

        place = remembered.verdict_file(history, paths)
        before = remembered.last_verdict(place)
        if before is None and history is not None:
            before = _of_history(history)
        return cls(chosen, place, before, always)

    def notify(self, analysis: Analysis, report: str | None) -> None:
        """Sends a notice if the verdict changed. A failure prints one line on stderr and has no other effect."""
        from loganalyzer.notify import message, remembered

        failed: list[str] = []
        if self.always or remembered.needs_notice(analysis.verdict, self.before):
            failed = _send(message.analysis_notice(analysis, report, self.before), self.urls)
        if len(failed) == len(self.urls):
            return  # no service got the notice: the next call tries again
        if problem := remembered.save_verdict(self.place, analysis.verdict):
            click.echo(f"loganalyze: {problem}", err=True)


def _of_history(history: str) -> str | None:
    """Returns the worst verdict of the runs that were added last."""
    import polars as pl

    from loganalyzer.common.errors import LogAnalyzerError
    from loganalyzer.history.store import Store

    try:
        with Store.at(history, create=False, read_only=True) as store:
            runs = store.runs()
    except LogAnalyzerError:
        return None  # the history does not exist yet; other errors stop the call later
    latest = set(runs.filter(pl.col("added_at") == pl.col("added_at").max())["verdict"].drop_nulls())
    return next((word for word in ("fail", "warn", "pass") if word in latest), None)


class Watcher:
    """Sends a notice when a followed log has a more severe finding than before."""

    def __init__(self, chosen: tuple[str, ...], name: str, *, always: bool) -> None:
        """`name` is a path, or a URL whose secrets are masked."""
        self._urls, self._always = chosen, always
        self._name = name if "://" in name else PurePath(name).name
        self._worst = _RANKS["info"]

    def reset(self) -> None:
        """Resets the worst severity, because the log started anew."""
        self._worst = _RANKS["info"]

    def notify(self, warned: WatchWarning) -> None:
        """Sends a notice about a finding that is more severe than all earlier ones."""
        rank = _RANKS[warned.severity]
        if not self._urls or (rank <= self._worst and not self._always):
            return
        self._worst = max(self._worst, rank)
        from loganalyzer.notify import message

        problem = message.NoticeFinding(warned.rule, f"{self._name}:{warned.line}", warned.message, warned.fix)
        level: message.Level = "failure" if warned.severity == "error" else "warning"
        title = f"loganalyze watch: {warned.severity}"
        _send(message.make_notice(title, message.finding_lines(problem), level), self._urls)


def _send(notice: Notice, chosen: Sequence[str]) -> list[str]:
    from loganalyzer.notify import sending

    failed = sending.send_notice(notice, chosen)
    for problem in failed:
        click.echo(f"loganalyze: {problem}", err=True)
    return failed
