"""Converts rows of a document to lines of a log, prefixed with their time and stream if the document has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from loganalyzer.sources.exports import moments
from loganalyzer.sources.exports.fields import find_messages
from loganalyzer.sources.exports.recognition import recognized_lines

MIN_ENDED_SHARE: Final = 0.2
"""Minimum share of messages that end with a line end for them to be the unbuffered writes of a program."""
MAX_INNER_ENDS: Final = 0.5
"""Maximum average number of line ends inside a message; above it, messages are parts of a log rather than lines."""
_NO_NAME: Final = re.compile(r"[^\w.\-/\[\]@]+")


@dataclass(frozen=True, slots=True)
class ExtractedLog:
    """A log that was extracted from a document.

    Attributes:
        text: its lines.
        description: the kind of document, as text for a note.
    """

    text: str
    description: str


def extract_log(values: Iterable[object], description: str, first: int = 0) -> ExtractedLog | None:
    """The log in these values of a document; None if the patterns recognize none of its fields.

    Each record becomes one line with the record's number; `first` empty lines precede them, as for a table's header.
    """
    found = find_messages(values)
    if found is None:
        return None
    times = moments.find_times(found.rows) if len(found.rows) > 1 else None
    streams = moments.find_streams(found.rows)
    places = moments.sort_by_time(times) if times else list(range(len(found.rows)))
    texts = [found.texts[place].replace("\r\n", "\n") for place in places]
    names = [streams[place] for place in places]
    prefixes = [_format_prefix(times[place] if times else None, streams[place]) for place in places]
    is_written = _is_written(texts)
    inner = sum(text.rstrip("\n").count("\n") for text in texts)
    if inner > MAX_INNER_ENDS * len(texts):
        body = _concat_parts(texts, [_format_prefix(None, name) for name in names], is_written=is_written)
        counted = "line numbers refer to the joined messages"
    else:
        body = "\n" * first + _one_line_per_message(texts, names, prefixes, is_written=is_written)
        counted = "line numbers count the records" if not first else "line numbers count the rows"
    moved = ", sorted by time" if places != sorted(places) else ""
    number = f"{len(texts):,} record{'s' * (len(texts) != 1)}"
    return ExtractedLog(body, f"read as {description} of {number}, messages in `{found.path[:80]}`{moved}; {counted}")


def _is_written(texts: Sequence[str]) -> bool:
    """Whether messages are the writes of a program rather than lines."""
    if sum(text.endswith("\n") for text in texts) >= MIN_ENDED_SHARE * len(texts):
        return True
    has_ends = any("\n" in text for text in texts)
    return has_ends and len(recognized_lines(["".join(texts)])) > len(recognized_lines(texts))


def _format_prefix(time: int | None, stream: str | None) -> str:
    """Time and stream as a line's prefix, in the format of container runtimes."""
    name = "" if stream is None else f"{_NO_NAME.sub('_', stream)}  | "
    if time is None:
        return name
    moment = datetime.fromtimestamp(time // 1_000_000, UTC).replace(microsecond=time % 1_000_000, tzinfo=None)
    return f"{name}{moment.isoformat(timespec='microseconds')}Z "


def _concat_parts(texts: Sequence[str], prefixes: Sequence[str], *, is_written: bool) -> str:
    """Concatenates messages that are parts of a log."""
    if not any(prefixes):
        return "".join(text if is_written or text.endswith("\n") else text + "\n" for text in texts)
    return "".join(
        prefix + line + "\n"
        for prefix, text in zip(prefixes, texts, strict=True)
        for line in text.removesuffix("\n").split("\n")
    )


def _one_line_per_message(
    texts: Sequence[str], streams: Sequence[str | None], prefixes: Sequence[str], *, is_written: bool
) -> str:
    """One line per message. A write without a line end is continued by the next write of the same stream."""
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
