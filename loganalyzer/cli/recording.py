"""Options for the history and for what it notes about new runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from loganalyzer.common import clock
from loganalyzer.common.formatting import plural

if TYPE_CHECKING:
    from loganalyzer.history.past import Past
    from loganalyzer.history.store import Added
    from loganalyzer.settings.config import Configuration
    from loganalyzer.settings.model import Settings
    from loganalyzer.tables.analysis import Analysis

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT: Final = "sqlite:///loganalyze.db"


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without a zone it is UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Returns the time in UTC, without a zone."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-02-14 or 2026-02-14T03:00", param, ctx)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_NOTED = (
    click.option("--label", metavar="NAME", help="Name these runs, e.g. after a branch."),
    click.option(
        "--commit",
        metavar="ID",
        envvar=["GITHUB_SHA", "CI_COMMIT_SHA"],
        help="Note their commit.  [default: from the CI]",
    ),
    click.option("--at", type=Moment(), metavar="TIME", help="Set their time if the log has none."),
)


def history_option(command: Command) -> Command:
    """Adds `--history URL`."""
    text = "Use this history, e.g. sqlite:///runs.db."
    return click.option("--history", metavar="URL", envvar="LOGANALYZE_HISTORY", help=text)(command)


def read_only_option(command: Command) -> Command:
    """Adds `--history-read-only`."""
    text = "Compare without adding the runs."
    return click.option("--history-read-only/--history-write", default=None, help=f"{text}  [default: add]")(command)


def noted_options(command: Command) -> Command:
    """Adds the options for what the history notes about new runs."""
    for option in reversed(_NOTED):
        command = option(command)
    return command


def url(found: Configuration, given: Mapping[str, Any]) -> str | None:
    """Returns the history of the command line, else of the configuration; None if neither names one."""
    named = given["history"] or found.values.get("history")
    return None if named is None else str(named)


def reads_only(found: Configuration, given: Mapping[str, Any]) -> bool:
    """Whether the history is read-only, by `--history-read-only`, else by the configuration."""
    chosen = given.get("history_read_only")
    return bool(found.values.get("history_read_only", False) if chosen is None else chosen)


def check(where: str | None, given: Mapping[str, Any], *, read_only: bool = False) -> None:
    """Refuses options that would have no effect.

    Raises:
        click.UsageError: a label or a time is given without a writable history.
    """
    for name in ("label", "at"):
        if given[name] is not None and (where is None or (read_only and name == "label")):
            why = "a writable history" if read_only else "--history URL, or a history in the configuration"
            raise click.UsageError(f"--{name} needs {why}")


def past(where: str, given: Mapping[str, Any], paths: Sequence[str], *, read_only: bool = False) -> Past:
    """Returns the earlier runs to compare with; creates the history if it does not exist, unless `read_only`."""
    from loganalyzer.history.inputs import Inputs
    from loganalyzer.history.store import Store

    with Store.at(where, create=not read_only, read_only=read_only) as store:
        return store.past(given["at"] or clock.now(), Inputs.of(paths), given["at"])


def add(where: str, past: Past, analysis: Analysis, given: Mapping[str, Any], gpu: str | None) -> Added:
    """Adds the runs of an analysis that was compared with `past`."""
    from loganalyzer.history.store import Store

    with Store.at(where, create=True) as store:
        noted = {"label": given["label"], "commit": given["commit"], "gpu": gpu}
        return store.add(analysis, added_at=clock.now(), at=given["at"], inputs=past.inputs, **noted)


def describe(added: Added) -> str:
    """Describes how many runs were added, updated or already known."""
    parts = [f"{plural(added.new, 'run')} added"]
    parts += [f"{plural(added.updated, 'run')} updated"] if added.updated else []
    parts += [f"{plural(added.known, 'run')} already in the history"] if added.known else []
    return ", ".join(parts)


def describe_doubts(added: Added) -> str | None:
    """Returns a note if runs count as already known although their logs do not prove it."""
    if not added.guessed:
        return None
    return (
        f"{plural(added.guessed, 'run')} not added: equal to runs in the history, and the logs show no difference. "
        "If they are other runs, add each log with --at TIME."
    )


def reading_digest(chosen: Settings, given: Mapping[str, Any]) -> str:
    """Returns a digest of everything that affects how a log is read and what is noted about its runs."""
    from hashlib import sha256

    from loganalyzer.engine.batches import get_versions

    files = [chosen.baselines, chosen.workflow]
    contents = [sha256(file.read_bytes()).hexdigest() for file in files if file is not None and file.is_file()]
    parts = (sorted(get_versions(chosen).items()), repr(chosen), contents, given["label"], given["at"])
    return sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()
