"""Mails and what mail programs make of a pasted log: encoded bodies, and lines broken at 72 or so characters."""

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

from loganalyzer.sources.exports.lines import ReadOut
from loganalyzer.sources.exports.recognition import BAR, fixed_texts, recognized, values_told

HEAD: Final = 1 << 16
WIDEST: Final = 100
"""Characters of the longest line of a text that was broken by a mail program."""
NARROWEST: Final = 50
MOST_PARTS: Final = 8
"""Lines into which one message may have been broken."""
_FEWEST_CODES: Final = 3
_HEADERS: Final = re.compile(r"(?:[A-Z][\w-]{1,40}:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}\r?\n")
_MAIL_HEADER: Final = re.compile(r"(?im)^(?:content-transfer-encoding|content-type|mime-version|message-id|from):")
_SOFT_BREAK: Final = re.compile(r"=\r?\n")
_CODE: Final = re.compile(r"=[0-9A-F]{2}")
_BASE64: Final = re.compile(r"\s*(?:[A-Za-z0-9+/]{60,}\r?\n)+[A-Za-z0-9+/]{0,200}={0,2}\s*")
_LONG_LINE: Final = re.compile(rf"[^\n]{{{WIDEST + 1}}}")


def message(text: str) -> ReadOut | None:
    """The text of a mail with its headers, and of the logs attached to it."""
    if not _HEADERS.match(text[:HEAD]) or not _MAIL_HEADER.search(text[:HEAD]):
        return None
    read = email.message_from_string(text, _class=EmailMessage, policy=email.policy.default)
    bodies = [body for part in read.walk() if (body := _body(part))]
    known = [body for body in bodies if recognized([body])]
    if not known:
        return None
    longest = max(known, key=lambda body: len(recognized([body])))
    return ReadOut(longest, "read as a mail; line numbers count the lines of its text")


def _body(part: EmailMessage) -> str:
    if part.is_multipart() or part.get_content_maintype() not in {"text", "application"}:
        return ""
    raw = part.get_payload(decode=True)
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def quoted_printable(text: str) -> ReadOut | None:
    """A body in which mail programs write foreign characters as `=E2` and end long lines with `=`."""
    head = text[:HEAD]
    if not _SOFT_BREAK.search(head) or len(_CODE.findall(head)) < _FEWEST_CODES:
        return None
    plain = quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    return ReadOut(plain, "read as a mail's quoted-printable text; line numbers count its lines")


def base64_text(text: str) -> ReadOut | None:
    """A body that is base64 as a whole."""
    if not _BASE64.match(text[:HEAD]) or not _BASE64.fullmatch(text):
        return None
    try:
        plain = binascii.a2b_base64(text.encode("ascii")).decode("utf-8")
    except ValueError:
        return None
    return ReadOut(plain, "read as base64; line numbers count the lines of its text") if recognized([plain]) else None


def unwrapped(text: str) -> ReadOut | None:
    """Lines put together again that were broken where the next word had no room.

    A line may go on in the next where that one's first word would not have fitted, and does not begin a message itself;
    it does where both together tell more than the first alone. The lines that are left keep their numbers.
    """
    if _LONG_LINE.search(text[:HEAD]):
        return None
    head = text[:HEAD].split("\n")
    width = _width(head)
    if width is None or not recognized(head):
        return None
    lines = text.split("\n")
    if (width := _width(lines)) is None:
        return None
    broken = [parts for parts in _broken(lines, width) if len(parts) > 1]
    whole = [" ".join([lines[parts[0]].rstrip(), *(lines[part].strip() for part in parts[1:])]) for parts in broken]
    alone = values_told(lines)
    told = [
        place
        for place, count in enumerate(values_told(whole))
        if count > alone[broken[place][0]] and not any(alone[part] for part in broken[place][1:])
    ]
    if not told:
        return None
    for place in told:
        for part in broken[place]:
            lines[part] = ""
        lines[broken[place][0]] = whole[place]
    return ReadOut("\n".join(lines), f"read with lines put together that were broken at {width} characters")


def _width(lines: Sequence[str]) -> int | None:
    """The room that a line had; None where lines are longer than mail programs leave them."""
    width = max((len(line) for line in lines if " " in line.strip()), default=0)
    return width if NARROWEST <= width <= WIDEST and len(lines) > 2 else None


def _broken(lines: Sequence[str], width: int) -> Iterator[list[int]]:
    """The places of the lines of each whole one."""
    parts = [0]
    for place in range(1, len(lines)):
        if len(parts) < MOST_PARTS and _goes_on(lines[place - 1], lines[place], width):
            parts.append(place)
            continue
        yield parts
        parts = [place]
    yield parts


def _goes_on(line: str, after: str, width: int) -> bool:
    word = after.split(maxsplit=1)[:1]
    if not word or not line.strip():
        return False
    return len(line.rstrip()) + 1 + len(word[0]) > width and not _begins_message(after)


@cache
def _beginning() -> re.Pattern[str]:
    texts = "|".join(re.escape(text) for text in fixed_texts() if text != BAR)
    return re.compile(rf"(?:.{{0,3}}(?:{texts}))|[^|]{{0,60}}%\|")


def _begins_message(line: str) -> bool:
    return _beginning().match(line) is not None
