"""Reads mails and logs that mail programs changed: encoded bodies, and lines wrapped at about 72 characters."""

from __future__ import annotations

import binascii
import email
import email.policy
import quopri
import re
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from functools import cache
from typing import Final

from loganalyzer.sources.exports.lines import ExtractedLog
from loganalyzer.sources.exports.recognition import BAR, count_values, fixed_texts, recognized_lines

HEAD: Final = 1 << 16
MAX_WIDTH: Final = 100
"""Maximum line length of a text that a mail program wrapped."""
MIN_WIDTH: Final = 50
MAX_PARTS: Final = 8
"""Maximum number of lines that are rejoined into one message."""
_MIN_CODES: Final = 3
_HEADERS: Final = re.compile(r"(?:[A-Z][\w-]{1,40}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}\r?\n")
_MAIL_HEADER: Final = re.compile(r"(?im)^(?:content-transfer-encoding|content-type|mime-version|message-id|from):")
_SOFT_BREAK: Final = re.compile(r"=\r?\n")
_CODE: Final = re.compile(r"=[0-9A-F]{2}")
_BASE64: Final = re.compile(r"\s*(?:[A-Za-z0-9+/]{60,}\r?\n)+[A-Za-z0-9+/]{0,200}={0,2}\s*")
_LONG_LINE: Final = re.compile(rf"[^\n]{{{MAX_WIDTH + 1}}}")


def read_mail(text: str) -> ExtractedLog | None:
    """The text of a mail with headers, or a log attached to it: whichever has the most recognized lines."""
    if not _HEADERS.match(text[:HEAD]) or not _MAIL_HEADER.search(text[:HEAD]):
        return None
    read = email.message_from_string(text, _class=EmailMessage, policy=email.policy.default)
    bodies = [body for part in read.walk() if (body := _decode_body(part))]
    known = [body for body in bodies if recognized_lines([body])]
    if not known:
        return None
    longest = max(known, key=lambda body: len(recognized_lines([body])))
    return ExtractedLog(longest, "read as a mail; line numbers refer to its text")


def _decode_body(part: EmailMessage) -> str:
    if part.is_multipart() or part.get_content_maintype() not in {"text", "application"}:
        return ""
    raw = part.get_payload(decode=True)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def decode_quoted_printable(text: str) -> ExtractedLog | None:
    """A quoted-printable body: non-ASCII characters are written as `=E2`, and long lines end with `=`."""
    head = text[:HEAD]
    if not _SOFT_BREAK.search(head) or len(_CODE.findall(head)) < _MIN_CODES:
        return None
    plain = quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    return ExtractedLog(plain, "read as a mail's quoted-printable text; line numbers refer to the decoded text")


def decode_base64(text: str) -> ExtractedLog | None:
    """A body that consists of base64."""
    if not _BASE64.match(text[:HEAD]) or not _BASE64.fullmatch(text):
        return None
    try:
        plain = binascii.a2b_base64(text.encode("ascii")).decode("utf-8")
    except ValueError:
        return None
    return (
        ExtractedLog(plain, "read as base64; line numbers refer to the decoded text")
        if recognized_lines([plain])
        else None
    )


def rejoin_wrapped_lines(text: str) -> ExtractedLog | None:
    """Rejoins lines that were wrapped because the next word did not fit.

    A line may continue in the next one if that line's first word would not have fit and does not start a message. They
    are rejoined if both together yield more values than the first alone. The other lines keep their numbers.
    """
    if _LONG_LINE.search(text[:HEAD]):
        return None
    head = text[:HEAD].split("\n")
    width = _find_wrap_width(head)
    if width is None or not recognized_lines(head):
        return None
    lines = text.split("\n")
    if (width := _find_wrap_width(lines)) is None:
        return None
    broken = [parts for parts in _group_wrapped(lines, width) if len(parts) > 1]
    joined = [" ".join([lines[parts[0]].rstrip(), *(lines[part].strip() for part in parts[1:])]) for parts in broken]
    counts = count_values(lines)
    improved = [
        index
        for index, count in enumerate(count_values(joined))
        if count > counts[broken[index][0]] and not any(counts[part] for part in broken[index][1:])
    ]
    if not improved:
        return None
    for index in improved:
        for part in broken[index]:
            lines[part] = ""
        lines[broken[index][0]] = joined[index]
    return ExtractedLog("\n".join(lines), f"read with lines rejoined that were wrapped at {width} characters")


def _find_wrap_width(lines: Sequence[str]) -> int | None:
    """The width at which lines were wrapped; None if lines are longer than mail programs allow."""
    width = max((len(line) for line in lines if " " in line.strip()), default=0)
    return width if MIN_WIDTH <= width <= MAX_WIDTH and len(lines) > 2 else None


def _group_wrapped(lines: Sequence[str], width: int) -> Iterator[list[int]]:
    """The indexes of the lines that may form one line."""
    parts = [0]
    for index in range(1, len(lines)):
        if len(parts) < MAX_PARTS and _continues(lines[index - 1], lines[index], width):
            parts.append(index)
            continue
        yield parts
        parts = [index]
    yield parts


def _continues(line: str, after: str, width: int) -> bool:
    word = after.split(maxsplit=1)[:1]
    if not word or not line.strip():
        return False
    return len(line.rstrip()) + 1 + len(word[0]) > width and not _starts_message(after)


@cache
def _message_start_regex() -> re.Pattern[str]:
    texts = "|".join(re.escape(text) for text in fixed_texts() if text != BAR)
    return re.compile(rf"(?:.{{0,3}}(?:{texts}))|[^|]{{0,60}}%\|")


def _starts_message(line: str) -> bool:
    return _message_start_regex().match(line) is not None
