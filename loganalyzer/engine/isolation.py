"""Isolates inputs on which the tool itself fails, so that the other inputs keep their results."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath
from typing import Final, NamedTuple, TypeVar

from loganalyzer.common.errors import LogAnalyzerError, SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.sources.inputs import STDIN

Result = TypeVar("Result")
InputName = str | SourceError
_PANIC: Final = "PanicException"
"""The type of a panic in polars' Rust code; it derives from BaseException."""


class Isolated(NamedTuple):
    """The inputs that the tool can process, and one message for each that it cannot."""

    names: Sequence[InputName]
    faults: tuple[str, ...]


def is_fault(error: BaseException) -> bool:
    """Whether an error is a bug of the tool: not a message to the user, a signal, a memory or a file error."""
    if isinstance(error, LogAnalyzerError | MemoryError | OSError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == _PANIC


def describe(error: BaseException) -> str:
    """The error's type and place, e.g. `TypeError in runs/prompts.py, line 94`."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if "loganalyzer" in Path(frame.filename).parts]
    index = Path(own[-1].filename) if own else None
    where = f" in {index.parent.name}/{index.name}, line {own[-1].lineno}" if index else ""
    return f"{type(error).__name__}{where}"


def isolate(
    names: Iterable[InputName], work: Callable[[Sequence[InputName]], object], fault: BaseException
) -> Isolated:
    """Finds the inputs on which `work` fails alone, after it failed with `fault` on all of them.

    Messages contain the file's name without its folders, which may contain people's names.

    Raises:
        BaseException: `fault` itself, if no single input causes it, or if standard input, which cannot be read twice,
            is among them.
    """
    all_names = list(names)
    if STDIN in all_names:
        raise fault
    faults = {index: error for index, name in enumerate(all_names) if (error := _find_fault(name, work)) is not None}
    if not faults:
        raise fault
    messages = tuple(_fault_message(all_names[index], error) for index, error in faults.items())
    return Isolated([name for index, name in enumerate(all_names) if index not in faults], messages)


def _fault_message(name: InputName, error: BaseException) -> str:
    file = one_line(PurePath(str(name)).name)
    summary = f"{file}: internal error in loganalyzer ({describe(error)}); input skipped"
    return f"{summary}\n  please report it and attach the log; the other inputs are still analyzed"


def _find_fault(name: InputName, work: Callable[[Sequence[InputName]], object]) -> BaseException | None:
    if isinstance(name, SourceError):
        return None
    try:
        work([name])
    except BaseException as error:
        if not is_fault(error):
            raise
        return error
    return None
