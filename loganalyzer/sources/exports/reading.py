"""An input to the lines of the log it carries: a document is read out as a whole, a log goes through as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Final

from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.sources.encoding import HEAD_BYTES, decode, told_by
from loganalyzer.sources.exports import blocks, delimited, json_text, mail, plain
from loganalyzer.sources.exports.fields import messages
from loganalyzer.sources.exports.lines import ReadOut, read_out
from loganalyzer.sources.exports.moments import order, times
from loganalyzer.sources.exports.order import is_newest_first, oldest_first
from loganalyzer.sources.exports.recognition import are_wrapped, recognized
from loganalyzer.sources.inputs import Input

LARGEST: Final = 128 << 20
"""Bytes of a document that is held in memory to be read out."""
MOST_LAYERS: Final = 5
"""Documents inside of documents: a mail with a page with a list of records."""
READ_BY_LINE: Final = ("log", "message", "MESSAGE", "msg", "body", "textPayload", "content.message")
"""Fields of JSON lines that are read line by line, so that a log of any length is: see `json_lines`."""
_WAY_OUT: Final = "export the log as text, or in smaller parts"


@dataclass(frozen=True, eq=False)
class Opened:
    """An input, read out where it is a document.

    Attributes:
        chunks: its bytes in order.
        form: what it was read as, in words for a note; None for a log as it is.
        size: bytes of the document; None for a log as it is.
    """

    chunks: Iterable[bytes]
    form: str | None = None
    size: int | None = None


def opened(given: Input) -> Opened:
    """What this input carries.

    Raises:
        SourceError: it is a document beyond the bounds.
    """
    head, chunks = _peeked(given.chunks)
    encoding = told_by(head)
    beginning = encoding.decode(head[encoding.mark :]).data.decode("utf-8", "replace")
    if len(head) >= HEAD_BYTES:
        beginning = beginning[: beginning.rfind("\n") + 1] or beginning
    name = one_line(given.name)
    try:
        if not _is_document(beginning):
            return Opened(chunks)
        held, rest = _held(chunks)
        if rest is not None:
            return Opened(_unless_needed(beginning, name, held, rest))
        found = _read(decode(held).data.decode("utf-8", "replace"))
    except (json_text.TooDeepError, json_text.TooManyError) as error:
        raise SourceError(f"{name}: {error.message}", _WAY_OUT) from None
    if found is None:
        return Opened([held])
    return Opened([found.text.encode("utf-8", "replace")], f"{name}: {found.what}", len(held))


def _peeked(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all bytes; what stops the reading is raised in its place."""
    rest = iter(chunks)
    held: list[bytes] = []
    size = 0
    try:
        for chunk in rest:
            held.append(chunk)
            size += len(chunk)
            if size >= HEAD_BYTES:
                break
    except SourceError as error:
        rest = _raising(error)
    head = held[0] if len(held) == 1 else b"".join(held)
    return head[:HEAD_BYTES], chain(held, rest)


def _raising(error: SourceError) -> Iterator[bytes]:
    yield b""
    raise error


def _held(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """All of an input; or what of it has room, and the rest, or what stopped the reading."""
    held: list[bytes] = []
    size = 0
    try:
        for chunk in chunks:
            held.append(chunk)
            size += len(chunk)
            if size > LARGEST:
                return b"".join(held), chunks
    except SourceError as error:
        return b"".join(held), _raising(error)
    return b"".join(held), None


def _unless_needed(beginning: str, name: str, held: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """A text that is too large to be read out, or breaks off, as it is where that says anything.

    Raises:
        SourceError: only the whole of it could be read.
    """
    if len(held) > LARGEST and not any(reader(beginning) for reader in _WRAPPED):
        turned = f", or put its lines in order: tac {PurePath(name).name} > sorted.log" * is_newest_first(beginning)
        raise SourceError(f"{name}: is a document of more than {LARGEST >> 20} MiB", _WAY_OUT + turned)
    return chain([held], rest)


def _is_document(beginning: str) -> bool:
    """Whether a text that begins so is anything else than the lines of a log."""
    if json_text.is_by_line(beginning):
        return not _is_read_by_line(beginning)
    if json_text.begins(beginning) or delimited.delimiter(beginning) is not None or delimited.is_pairs(beginning):
        return True
    raw = beginning.encode("utf-8", "replace")
    readers = _READERS[2:] if any(mark in raw for mark in _MARKS) else (mail.message, mail.base64_text, *_SHAPED)
    return any(reader(beginning) is not None for reader in readers)


def _is_read_by_line(beginning: str) -> bool:
    """Whether these JSON lines have their messages where they are looked for line by line, the oldest first."""
    lines = beginning.split("\n")
    values = [json_text.by_line(line) for line in lines if line.strip()]
    found = messages(values)
    if found is None:
        return any(f'"{name}"' in lines[0] for name in READ_BY_LINE)
    moments = times(found.rows)
    if moments is not None and order(moments)[:1] != [0]:
        return False
    prefixes = {str(row.values[("prefix",)]) for row in found.rows if ("prefix",) in row.values}
    return (not prefixes or are_wrapped(prefixes)) and found.path.removeprefix("[].") in READ_BY_LINE


def _read(text: str) -> ReadOut | None:
    """The log in a text, whatever documents stand around it; None for a log as it is."""
    forms: list[str] = []
    for _ in range(MOST_LAYERS):
        found = next((read for reader in _READERS if (read := reader(text)) is not None and _tells(read.text)), None)
        if found is None:
            break
        text = found.text
        forms.append(found.what)
    return ReadOut(text, "; then ".join(forms)) if forms else None


def _tells(text: str) -> bool:
    """Whether a text says anything at its beginning or its end."""
    return bool(recognized([text[:HEAD_BYTES], text[-HEAD_BYTES:]]))


def _json(text: str) -> ReadOut | None:
    head = text[:HEAD_BYTES]
    begins = json_text.begins(head)
    if begins:
        try:
            return _of_value(json_text.loads(text))
        except ValueError:
            pass  # a stream of values, or a damaged one
    if json_text.is_by_line(head):
        return read_out(map(json_text.by_line, text.removesuffix("\n").split("\n")), "JSON lines")
    return read_out(json_text.stream(text), "a stream of JSON values") if begins else None


def _of_value(value: object) -> ReadOut | None:
    if isinstance(value, str):
        return ReadOut(value, "read as one JSON string; its lines are counted in that text")
    if isinstance(value, list):
        return read_out(value, "a JSON list")
    is_notebook = isinstance(value, dict) and "nbformat" in value
    return read_out([value], "a notebook" if is_notebook else "a JSON document")


def _table(text: str) -> ReadOut | None:
    head = text[:HEAD_BYTES]
    one = delimited.delimiter(head)
    if one is not None:
        table = delimited.rows(text, one)
        return table and read_out(table[0], "a table", table[1])
    return read_out(delimited.pairs(text), "lines of `key=value`") if delimited.is_pairs(head) else None


_Reader = Callable[[str], ReadOut | None]
_MARKED: Final[tuple[_Reader, ...]] = (
    mail.quoted_printable,
    plain.line_ends,
    plain.spelled_ends,
    plain.shown_controls,
    plain.bare_codes,
    plain.page_breaks,
    plain.fenced,
)
"""Readers of texts in which one of the marks stands."""
_WRAPPED: Final[tuple[_Reader, ...]] = (mail.unwrapped, blocks.joined)
"""Readers of texts that say something as they are, too."""
_SHAPED: Final[tuple[_Reader, ...]] = (plain.returns, plain.table, plain.marked, oldest_first, *_WRAPPED)
_READERS: Final[tuple[_Reader, ...]] = (_json, _table, mail.message, mail.base64_text, *_MARKED, *_SHAPED)
"""In this order: what stands around others comes first, and lines are put together when nothing else is left to do."""
_MARKS: Final = (
    *(b"=\n", b"=\r\n", b"\\n", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85", b"\x0b", b"\x0c"),
    *(b"^[[", b"M-", b"$\n", b"[0m", b"[m", b"</", b"<br", b"<BR", b"```", b"~~~"),
)
"""Of which one stands in every text of those kinds; most logs hold none, and are looked through in no time."""
