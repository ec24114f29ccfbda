"""Options that say which history, and what is noted of the runs that go into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from loganalyzer import clock

if TYPE_CHECKING:
    from loganalyzer.analysis import Analysis
    from loganalyzer.config import Configuration
    from loganalyzer.history.past import Past
    from loganalyzer.history.store import Added

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT: Final = "sqlite:///loganalyze.db"


class Moment(click.ParamType[datetime]):
    """A time as ISO 8601 has it; without a zone it is UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """A time in UTC, without its zone."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-02-14 or 2026-02-14T03:00", param, ctx)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_NOTED = (
    click.option("--label", metavar="NAME", help="A name for these runs, e.g. a branch: `compare history:NAME`."),
    click.option(
        "--commit",
        metavar="ID",
        envvar=["GITHUB_SHA", "CI_COMMIT_SHA"],
        help="The commit they belong to.  [default: $GITHUB_SHA or $CI_COMMIT_SHA]",
    ),
    click.option("--at", type=Moment(), metavar="TIME", help="When they took place, where the log tells no time."),
)


def history_option(command: Command) -> Command:
    """`--history URL`."""
    text = "The history of runs: sqlite:///FILE or postgresql+psycopg://…"
    return click.option("--history", metavar="URL", envvar="LOGANALYZE_HISTORY", help=text)(command)


def noted_options(command: Command) -> Command:
    """What is noted of runs as they are added."""
    for option in reversed(_NOTED):
        command = option(command)
    return command


def url(found: Configuration, given: Mapping[str, Any]) -> str | None:
    """The history of the command line, else of the configuration; None where neither names one."""
    named = given["history"] or found.values.get("history")
    return None if named is None else str(named)


def check(where: str | None, given: Mapping[str, Any]) -> None:
    """Refuse what would be noted nowhere.

    Raises:
        click.UsageError: a label or a time is given without a history.
    """
    for name in ("label", "at"):
        if where is None and given[name] is not None:
            raise click.UsageError(f"--{name} needs --history URL, or a history in the configuration")


def past(where: str, given: Mapping[str, Any]) -> Past:
    """The figures of earlier runs; a history that is not there yet is begun."""
    from loganalyzer.history.past import Past
    from loganalyzer.history.store import Store

    with Store.at(where, create=True) as store:
        return Past(store.recorded(), given["at"] or clock.now(), store.runs())


def add(where: str, analysis: Analysis, given: Mapping[str, Any], gpu: str | None) -> Added:
    """Add an analysis's runs to a history."""
    from loganalyzer.history.store import Store

    with Store.at(where, create=True) as store:
        told = {"label": given["label"], "commit": given["commit"], "gpu": gpu}
        return store.add(analysis, added_at=clock.now(), at=given["at"], **told)
