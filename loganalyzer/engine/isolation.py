"""A fault of the tool itself costs one input its result, never the others theirs."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Final, NamedTuple, TypeVar

from loganalyzer.common.errors import LogAnalyzerError, SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.sources.inputs import STDIN

Result = TypeVar("Result")
Name = str | SourceError
_PANIC: Final = "PanicException"
"""What a fault in polars' Rust code is; it derives from BaseException."""


class Isolated(NamedTuple):
    """The inputs on which the tool works, and one message for each other one."""

    names: Sequence[Name]
    faults: tuple[str, ...]


def is_fault(error: BaseException) -> bool:
    """Whether an error is the tool's own fault: no message to the user, no signal, no lack of memory or of a file."""
    if isinstance(error, LogAnalyzerError | MemoryError | OSError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == _PANIC


def describe(error: BaseException) -> str:
    """What failed and where, e.g. `TypeError in runs/prompts.py, line 94`."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if "loganalyzer" in Path(frame.filename).parts]
    place = Path(own[-1].filename) if own else None
    where = f" in {place.parent.name}/{place.name}, line {own[-1].lineno}" if place else ""
    return f"{type(error).__name__}{where}"


def isolate(names: Iterable[Name], work: Callable[[Sequence[Name]], object], fault: BaseException) -> Isolated:
    """Find the inputs on which `work` fails alone, after it failed with `fault` on all of them.

    Messages hold the file's name without its folders, which may name people.

    Raises:
        BaseException: `fault` itself, where no single input is to blame, or standard input cannot be read again.
    """
    every = list(names)
    if STDIN in every:
        raise fault
    faults = {place: error for place, name in enumerate(every) if (error := _fault_of(name, work)) is not None}
    if not faults:
        raise fault
    messages = tuple(_message(every[place], error) for place, error in faults.items())
    return Isolated([name for place, name in enumerate(every) if place not in faults], messages)


def _message(name: Name, error: BaseException) -> str:
    file = one_line(PurePath(str(name)).name)
    said = f"{file}: a fault of loganalyzer ({describe(error)}); this input is left out"
    return f"{said}\n  please report it with the log; the other inputs are analyzed"


def _fault_of(name: Name, work: Callable[[Sequence[Name]], object]) -> BaseException | None:
    if isinstance(name, SourceError):
        return None
    try:
        work([name])
    except BaseException as error:
        if not is_fault(error):
            raise
        return error
    return None
