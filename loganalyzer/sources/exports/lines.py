"""Rows of a document to the lines of a log, each with the time and the stream that the document gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from loganalyzer.sources.exports import moments
from loganalyzer.sources.exports.fields import messages
from loganalyzer.sources.exports.recognition import recognized

LEAST_ENDED: Final = 0.2
"""Share of messages that end in a line end, from which on they are what a program wrote, write by write."""
MOST_ENDS: Final = 0.5
"""Line ends inside of a message, on average, from which on messages are parts of a log rather than lines of it."""
_NO_NAME: Final = re.compile(r"[^\w.\-/\[\]@]+")


@dataclass(frozen=True, slots=True)
class ReadOut:
    """A log that was read out of a document.

    Attributes:
        text: its lines.
        what: what the document is, in words for the note.
    """

    text: str
    what: str


def read_out(values: Iterable[object], what: str, first: int = 0) -> ReadOut | None:
    """The log that these values of a document carry; None where no field holds anything that the patterns recognize.

    A record becomes one line with the record's number; `first` empty lines stand before it, as for a table's header.
    """
    found = messages(values)
    if found is None:
        return None
    times = moments.times(found.rows) if len(found.rows) > 1 else None
    streams = moments.streams(found.rows)
    places = moments.order(times) if times else list(range(len(found.rows)))
    texts = [found.texts[place].replace("\r\n", "\n") for place in places]
    names = [streams[place] for place in places]
    prefixes = [_prefix(times[place] if times else None, streams[place]) for place in places]
    is_written = _is_written(texts)
    inner = sum(text.rstrip("\n").count("\n") for text in texts)
    if inner > MOST_ENDS * len(texts):
        body = _as_parts(texts, [_prefix(None, name) for name in names], is_written=is_written)
        counted = "its lines are counted in that text"
    else:
        body = "\n" * first + _as_lines(texts, names, prefixes, is_written=is_written)
        counted = "line numbers count the records" if not first else "line numbers count the rows"
    moved = ", put in order of time" if places != sorted(places) else ""
    number = f"{len(texts):,} record{'s' * (len(texts) != 1)}"
    return ReadOut(body, f"read as {what} of {number}, messages in `{found.path[:80]}`{moved}; {counted}")


def _is_written(texts: Sequence[str]) -> bool:
    """Whether messages are what a program wrote, write by write, rather than lines."""
    if sum(text.endswith("\n") for text in texts) >= LEAST_ENDED * len(texts):
        return True
    has_ends = any("\n" in text for text in texts)
    return has_ends and len(recognized(["".join(texts)])) > len(recognized(texts))


def _prefix(time: int | None, stream: str | None) -> str:
    """Time and stream in front of a line, as container runtimes write them."""
    name = "" if stream is None else f"{_NO_NAME.sub('_', stream)}  | "
    if time is None:
        return name
    moment = datetime.fromtimestamp(time // 1_000_000, UTC).replace(microsecond=time % 1_000_000, tzinfo=None)
    return f"{name}{moment.isoformat(timespec='microseconds')}Z "


def _as_parts(texts: Sequence[str], prefixes: Sequence[str], *, is_written: bool) -> str:
    """Messages that are pieces of a log, one behind the other."""
    if not any(prefixes):
        return "".join(text if is_written or text.endswith("\n") else text + "\n" for text in texts)
    return "".join(
        prefix + line + "\n"
        for prefix, text in zip(prefixes, texts, strict=True)
        for line in text.removesuffix("\n").split("\n")
    )


def _as_lines(texts: Sequence[str], streams: Sequence[str | None], prefixes: Sequence[str], *, is_written: bool) -> str:
    """One line for each message. What a program wrote without a line end goes on in what it wrote next."""
    lines: list[list[str]] = []
    opened: dict[str | None, list[str]] = {}
    for text, stream, prefix in zip(texts, streams, prefixes, strict=True):
        body = text.removesuffix("\n").replace("\n", "\r")
        line: list[str] = []
        lines.append(line)
        if is_written and stream in opened:
            opened[stream].append(body)
        elif body:
            line += [prefix, body]
        if is_written and not text.endswith("\n"):
            opened.setdefault(stream, line)
        else:
            opened.pop(stream, None)
    return "".join("".join(line) + "\n" for line in lines)
