"""Options that say which history, and what is noted of the runs that go into it."""

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
    """`--history URL`."""
    text = "Use this history, e.g. sqlite:///runs.db."
    return click.option("--history", metavar="URL", envvar="LOGANALYZE_HISTORY", help=text)(command)


def read_only_option(command: Command) -> Command:
    """`--history-read-only`."""
    text = "Compare without adding the runs."
    return click.option("--history-read-only/--history-write", default=None, help=f"{text}  [default: add]")(command)


def noted_options(command: Command) -> Command:
    """What is noted of runs as they are added."""
    for option in reversed(_NOTED):
        command = option(command)
    return command


def url(found: Configuration, given: Mapping[str, Any]) -> str | None:
    """The history of the command line, else of the configuration; None where neither names one."""
    named = given["history"] or found.values.get("history")
    return None if named is None else str(named)


def reads_only(found: Configuration, given: Mapping[str, Any]) -> bool:
    """Whether the history is read and not written: `--history-read-only`, else the configuration."""
    chosen = given.get("history_read_only")
    return bool(found.values.get("history_read_only", False) if chosen is None else chosen)


def check(where: str | None, given: Mapping[str, Any], *, read_only: bool = False) -> None:
    """Refuse options that would have no effect.

    Raises:
        click.UsageError: a label or a time is given without a history that is written.
    """
    for name in ("label", "at"):
        if given[name] is not None and (where is None or (read_only and name == "label")):
            why = "a history that is written" if read_only else "--history URL, or a history in the configuration"
            raise click.UsageError(f"--{name} needs {why}")


def past(where: str, given: Mapping[str, Any], paths: Sequence[str], *, read_only: bool = False) -> Past:
    """What tonight's runs are compared with; without `read_only`, a history that does not exist is created."""
    from loganalyzer.history.inputs import Inputs
    from loganalyzer.history.store import Store

    with Store.at(where, create=not read_only, read_only=read_only) as store:
        return store.past(given["at"] or clock.now(), Inputs.of(paths), given["at"])


def add(where: str, past: Past, analysis: Analysis, given: Mapping[str, Any], gpu: str | None) -> Added:
    """Add the runs of an analysis that was compared with `past`."""
    from loganalyzer.history.store import Store

    with Store.at(where, create=True) as store:
        noted = {"label": given["label"], "commit": given["commit"], "gpu": gpu}
        return store.add(analysis, added_at=clock.now(), at=given["at"], inputs=past.inputs, **noted)


def words(added: Added) -> str:
    """What became of the runs, as people are told it."""
    parts = [f"{plural(added.new, 'run')} added"]
    parts += [f"{plural(added.updated, 'run')} updated"] if added.updated else []
    parts += [f"{plural(added.known, 'run')} already in the history"] if added.known else []
    return ", ".join(parts)


def doubts(added: Added) -> str | None:
    """A note where runs were taken for earlier ones and nothing in their logs tells them apart."""
    if not added.guessed:
        return None
    return (
        f"{plural(added.guessed, 'run')} not added as new: equal to runs in the history, and nothing in the logs tells "
        "them apart. If they are other runs, add each log with --at TIME."
    )


def reading_digest(chosen: Settings, given: Mapping[str, Any]) -> str:
    """What stands for everything that decides what is read of a log and noted of its runs."""
    from hashlib import sha256

    from loganalyzer.engine.batches import get_versions

    files = [chosen.baselines, chosen.workflow]
    contents = [sha256(file.read_bytes()).hexdigest() for file in files if file is not None and file.is_file()]
    parts = (sorted(get_versions(chosen).items()), repr(chosen), contents, given["label"], given["at"])
    return sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()
