"""Extracts the log from an input that is a document; a plain log passes unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Final

from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.sources.encoding import HEAD_BYTES, decode, detect_encoding
from loganalyzer.sources.exports import blocks, delimited, json_text, mail, plain
from loganalyzer.sources.exports.fields import find_messages
from loganalyzer.sources.exports.lines import ExtractedLog, extract_log
from loganalyzer.sources.exports.moments import find_times, sort_by_time
from loganalyzer.sources.exports.order import is_newest_first, reverse_lines
from loganalyzer.sources.exports.recognition import are_prefixes, recognized_lines
from loganalyzer.sources.inputs import Input

MAX_DOCUMENT_BYTES: Final = 128 << 20
"""Maximum bytes of a document, which is read into memory."""
MAX_LAYERS: Final = 5
"""Maximum nesting of documents, e.g. a mail that contains a page that contains a list of records."""
LINE_FIELDS: Final = ("log", "message", "MESSAGE", "msg", "body", "textPayload", "content.message")
"""Fields of JSON lines that `lines.json_lines` unpacks line by line, so that such logs can have any length."""
_HINT: Final = "export the log as text, or in smaller parts"


@dataclass(frozen=True, eq=False)
class OpenedInput:
    """An input, after extraction if it is a document.

    Attributes:
        chunks: its bytes in order.
        form: the kind of document, as text for a note; None for a plain log.
        size: bytes of the document; None for a plain log.
    """

    chunks: Iterable[bytes]
    form: str | None = None
    size: int | None = None


def open_document(given: Input) -> OpenedInput:
    """Extracts the log from this input.

    Raises:
        SourceError: it is a document that exceeds the limits.
    """
    head, chunks = _peek(given.chunks)
    encoding = detect_encoding(head)
    beginning = encoding.decode(head[encoding.mark :]).data.decode("utf-8", "replace")
    if len(head) >= HEAD_BYTES:
        beginning = beginning[: beginning.rfind("\n") + 1] or beginning
    name = one_line(given.name)
    try:
        if not _is_document(beginning):
            return OpenedInput(chunks)
        buffer, rest = _read_all(chunks)
        if rest is not None:
            return OpenedInput(_pass_unchanged(beginning, name, buffer, rest))
        found = _extract(decode(buffer).data.decode("utf-8", "replace"))
    except (json_text.TooDeepError, json_text.TooManyError) as error:
        raise SourceError(f"{name}: {error.message}", _HINT) from None
    if found is None:
        return OpenedInput([buffer])
    return OpenedInput([found.text.encode("utf-8", "replace")], f"{name}: {found.description}", len(buffer))


def _peek(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all bytes. An error while reading the first bytes is raised in its place."""
    rest = iter(chunks)
    buffer: list[bytes] = []
    size = 0
    try:
        for chunk in rest:
            buffer.append(chunk)
            size += len(chunk)
            if size >= HEAD_BYTES:
                break
    except SourceError as error:
        rest = _raising(error)
    head = buffer[0] if len(buffer) == 1 else b"".join(buffer)
    return head[:HEAD_BYTES], chain(buffer, rest)


def _raising(error: SourceError) -> Iterator[bytes]:
    yield b""
    raise error


def _read_all(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """All bytes of an input; or, above the limit or after an error, the first bytes and an iterator of the rest."""
    buffer: list[bytes] = []
    size = 0
    try:
        for chunk in chunks:
            buffer.append(chunk)
            size += len(chunk)
            if size > MAX_DOCUMENT_BYTES:
                return b"".join(buffer), chunks
    except SourceError as error:
        return b"".join(buffer), _raising(error)
    return b"".join(buffer), None


def _pass_unchanged(beginning: str, name: str, buffer: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """A text that is too large to be converted, or incomplete, unchanged if it is readable as it is.

    Raises:
        SourceError: it is only readable after conversion.
    """
    if len(buffer) > MAX_DOCUMENT_BYTES and not any(reader(beginning) for reader in _WRAPPED):
        turned = f", or reverse its lines: tac {PurePath(name).name} > sorted.log" * is_newest_first(beginning)
        raise SourceError(f"{name}: document larger than {MAX_DOCUMENT_BYTES >> 20} MiB", _HINT + turned)
    return chain([buffer], rest)


def _is_document(beginning: str) -> bool:
    """Whether a text that starts with `beginning` is anything but the lines of a log."""
    if json_text.is_json_lines(beginning):
        return not _is_read_by_line(beginning)
    if (
        json_text.may_be_json(beginning)
        or delimited.detect_delimiter(beginning) is not None
        or delimited.is_pairs(beginning)
    ):
        return True
    raw = beginning.encode("utf-8", "replace")
    readers = _READERS[2:] if any(mark in raw for mark in _MARKS) else (mail.read_mail, mail.decode_base64, *_SHAPED)
    return any(reader(beginning) is not None for reader in readers)


def _is_read_by_line(beginning: str) -> bool:
    """Whether these JSON lines are in order and have their messages in fields that are unpacked line by line."""
    lines = beginning.split("\n")
    values = [json_text.parse_line(line) for line in lines if line.strip()]
    found = find_messages(values)
    if found is None:
        return any(f'"{name}"' in lines[0] for name in LINE_FIELDS)
    moments = find_times(found.rows)
    if moments is not None and sort_by_time(moments)[:1] != [0]:
        return False
    prefixes = {str(row.values[("prefix",)]) for row in found.rows if ("prefix",) in row.values}
    return (not prefixes or are_prefixes(prefixes)) and found.path.removeprefix("[].") in LINE_FIELDS


def _extract(text: str) -> ExtractedLog | None:
    """The log in a text, extracted from nested documents; None for a plain log."""
    forms: list[str] = []
    for _ in range(MAX_LAYERS):
        found = next(
            (read for reader in _READERS if (read := reader(text)) is not None and _has_recognized_lines(read.text)),
            None,
        )
        if found is None:
            break
        text = found.text
        forms.append(found.description)
    return ExtractedLog(text, "; then ".join(forms)) if forms else None


def _has_recognized_lines(text: str) -> bool:
    """Whether the beginning or the end of a text contains recognized lines."""
    return bool(recognized_lines([text[:HEAD_BYTES], text[-HEAD_BYTES:]]))


def _read_json(text: str) -> ExtractedLog | None:
    head = text[:HEAD_BYTES]
    begins = json_text.may_be_json(head)
    if begins:
        try:
            return _read_value(json_text.parse(text))
        except ValueError:
            pass  # a stream of values, or a damaged one
    if json_text.is_json_lines(head):
        return extract_log(map(json_text.parse_line, text.removesuffix("\n").split("\n")), "JSON lines")
    return extract_log(json_text.parse_stream(text), "a stream of JSON values") if begins else None


def _read_value(value: object) -> ExtractedLog | None:
    if isinstance(value, str):
        return ExtractedLog(value, "read as one JSON string; line numbers refer to the unescaped text")
    if isinstance(value, list):
        return extract_log(value, "a JSON list")
    is_notebook = isinstance(value, dict) and "nbformat" in value
    return extract_log([value], "a notebook" if is_notebook else "a JSON document")


def _read_table(text: str) -> ExtractedLog | None:
    head = text[:HEAD_BYTES]
    one = delimited.detect_delimiter(head)
    if one is not None:
        table = delimited.parse_rows(text, one)
        return table and extract_log(table[0], "a table", table[1])
    return extract_log(delimited.parse_pairs(text), "lines of `key=value`") if delimited.is_pairs(head) else None


_Reader = Callable[[str], ExtractedLog | None]
_MARKED: Final[tuple[_Reader, ...]] = (
    mail.decode_quoted_printable,
    plain.replace_unicode_ends,
    plain.unescape_ends,
    plain.restore_controls,
    plain.drop_bare_codes,
    plain.strip_html_breaks,
    plain.extract_fenced,
)
"""Readers of texts that contain one of the marks."""
_WRAPPED: Final[tuple[_Reader, ...]] = (mail.rejoin_wrapped_lines, blocks.move_bars_into_runs)
"""Readers of texts that are also readable as they are."""
_SHAPED: Final[tuple[_Reader, ...]] = (
    plain.split_at_returns,
    plain.read_markdown_table,
    plain.strip_line_markers,
    reverse_lines,
    *_WRAPPED,
)
_READERS: Final[tuple[_Reader, ...]] = (_read_json, _read_table, mail.read_mail, mail.decode_base64, *_MARKED, *_SHAPED)
"""In this order: outer formats first, and rejoining lines when nothing else is left to do."""
_MARKS: Final = (
    *(b"=\n", b"=\r\n", b"\\n", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85", b"\x0b", b"\x0c"),
    *(b"^[[", b"M-", b"$\n", b"[0m", b"[m", b"</", b"<br", b"<BR", b"```", b"~~~"),
)
"""Every text of those kinds contains one of these; most logs contain none, and the search is fast."""
