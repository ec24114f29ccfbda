"""Texts that lost their line ends, or were printed with their control characters spelled out: put right as a whole.

Each function looks at the beginning of a text, which says whether all of it is of that kind, and returns the text put
right and the words for a note; None for a text of another kind.
"""

from __future__ import annotations

import re
from typing import Final

from loganalyzer.sources.exports import json_text
from loganalyzer.sources.exports.lines import ReadOut
from loganalyzer.sources.exports.recognition import BAR, recognized

HEAD: Final = 1 << 16
"""Characters by which the kind of a text is told."""
FEWEST: Final = 5
"""Marks that must be there: fewer may be part of a message."""
SHARE: Final = 0.9
"""Share of the lines that must carry a mark around them, for it to be no part of them."""
_OTHER_ENDS: Final = ("\u2028", "\u2029", "\x85", "\x0b", "\x0c")
_SPELLED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\r?\\?n")
_SPELLED_END: Final = re.compile(r"\\(?:r\\n|n|r|t|\"|u[0-9a-fA-F]{4}|\\)")
_SPELLED_AS: Final = {r"\r\n": "\n", r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', r"\\": "\\"}
_META: Final = re.compile(r"(?:M-(?:\^[@-_?]|[ -~]))+")
_CARET: Final = re.compile(r"\^([\[MIHGL])")
_CARETS: Final = {"[": "\x1b", "M": "\r", "I": "\t", "H": "\b", "G": "\x07", "L": "\x0c"}
_BARE_CODE: Final = re.compile(r"(?<!\x1b)\[(?:\d{1,3}(?:;\d{1,3})*)?m")
_CODE_AROUND: Final = re.compile(r"^(?:\[(?:\d{1,3}(?:;\d{1,3})*)?m)+|\[0?m$")
_BREAK: Final = re.compile(
    r"(?i)(?:<br\s*/?>|</(?:p|div|li|tr|pre|h[1-6])>|<(?:table|tbody|body|pre|ul|ol)(?:\s[^<>]*)?>)\n?"
)
_CELL: Final = re.compile(r"(?i)</t[dh]>\s*<t[dh](?:\s[^<>]*)?>")
_FENCE: Final = re.compile(r"(?ms)^(```|~~~)[\w-]*\n(.*?)^\1[ \t]*$")
_ROW: Final = re.compile(r"\|.*\|[ \t]*")
_RULE: Final = re.compile(r"\|[-: |]+\|[ \t]*")
_BETWEEN: Final = re.compile(r"(?<!\\)\|")
_QUOTE: Final = re.compile(r"^(?:> ?)+", re.MULTILINE)
_NUMBER: Final = re.compile(r"^[ \t]*(\d{1,9})(?:[.:)|]?\t|[:.)|](?!\d) ?)", re.MULTILINE)
_BULLET: Final = re.compile(r"^[ \t]*[-*+] ", re.MULTILINE)
_MARKS: Final = ((_QUOTE, "a quotation"), (_NUMBER, "numbered lines"), (_BULLET, "a list"))


def line_ends(text: str) -> ReadOut | None:
    """Lines that Unicode's own line ends end."""
    head = text[:HEAD]
    ends = head.count("\n")
    if sum(map(head.count, _OTHER_ENDS)) >= FEWEST * (ends + 1):
        return ReadOut(text.translate({ord(end): "\n" for end in _OTHER_ENDS}), "read with Unicode's line ends")
    return None


def returns(text: str) -> ReadOut | None:
    """Lines that carriage returns alone end, and messages among them: the refreshes of bars stand on one line."""
    if "\n" in text[:HEAD] or text[:HEAD].count("\r") < FEWEST or "\n" in text:
        return None
    if not any(BAR not in line for line in recognized([text[:HEAD]])):
        return None  # one bar, however often it was drawn anew
    return ReadOut(text.replace("\r", "\n"), "read with carriage returns as line ends")


def spelled_ends(text: str) -> ReadOut | None:
    """A log on one line, its line ends spelled out as in a program's source text."""
    head = text[:HEAD]
    if head.count("\\n") < FEWEST * (head.count("\n") + 1) or not _SPELLED.search(head):
        return None
    plain = _SPELLED_END.sub(lambda found: _SPELLED_AS.get(found[0]) or _character(found[0]), text.strip("\n"))
    return ReadOut(plain, "read as one text with its line ends spelled out; its lines are counted in that text")


def _character(escape: str) -> str:
    return bytes.fromhex(escape[2:]).decode("utf-16-be", "replace")


def shown_controls(text: str) -> ReadOut | None:
    """What `cat -v`, `cat -A` and `less` show: control characters with a caret, other bytes with `M-`."""
    head = text[:HEAD]
    ends = head.count("\n")
    ended = ends >= FEWEST and head.count("$\n") >= SHARE * ends
    if not ended and head.count("M-") < FEWEST and head.count("^[[") < FEWEST:
        return None
    plain = _META.sub(_bytes, text)
    plain = _CARET.sub(lambda found: _CARETS[found[1]], plain)
    if ended:
        plain = re.sub(r"(?m)\$$", "", plain)
    return ReadOut(plain, "read as the output of `cat -v`, its control characters put back")


def _bytes(shown: re.Match[str]) -> str:
    found = re.findall(r"M-(\^.|.)", shown[0])
    codes = [0x80 + (ord(high[1]) ^ 0x40 if len(high) == 2 else ord(high)) for high in found]
    return bytes(codes).decode("utf-8", "replace")


def bare_codes(text: str) -> ReadOut | None:
    """Lines with a terminal's colors whose escape characters are lost: `[32mgot prompt[0m`."""
    head = text[:HEAD]
    if ("[0m" not in head and "[m" not in head) or len(_BARE_CODE.findall(head)) < FEWEST:
        return None
    lines = [line for line in head.split("\n")[:-1] if line.strip()]
    if sum(_CODE_AROUND.search(line) is not None for line in lines) < len(lines) / 2:
        return None
    return ReadOut(_BARE_CODE.sub("", text), "read without the rests of color codes")


def page_breaks(text: str) -> ReadOut | None:
    """HTML in which tags end the lines instead of line ends."""
    head = text[:HEAD]
    if "</" not in head and "<br" not in head.lower():
        return None
    ends = head.count("\n") + 1
    if len(_BREAK.findall(head)) < FEWEST * ends and not FEWEST + ends <= 2 * len(_CELL.findall(head)):
        return None
    return ReadOut(_BREAK.sub("\n", _CELL.sub("\t", text)), "read as a page, its lines counted as a browser shows them")


def fenced(text: str) -> ReadOut | None:
    """Markdown with a document between fences."""
    if "```" not in text[:HEAD] and "~~~" not in text[:HEAD]:
        return None
    blocks = [body for _, body in _FENCE.findall(text) if json_text.begins(body[:HEAD])]
    if not blocks:
        return None
    return ReadOut("\n".join(blocks), "read as Markdown")


def table(text: str) -> ReadOut | None:
    """A table of Markdown, its cells with tabs between them."""
    if not text[:HEAD].lstrip().startswith("|"):
        return None
    lines = [line for line in text.split("\n") if line.strip()]
    if sum(_ROW.fullmatch(line) is not None for line in lines) < SHARE * len(lines):
        return None
    cells = [_BETWEEN.split(line.strip()[1:-1]) for line in lines if not _RULE.fullmatch(line)]
    rows = ("\t".join(cell.strip().replace("\\|", "|") for cell in row) for row in cells)
    return ReadOut("\n".join(rows) + "\n", "read as a table of Markdown")


def marked(text: str) -> ReadOut | None:
    """Lines that all begin with the mark of a quotation, a number or the mark of a list."""
    first = text[: HEAD // 64].lstrip("\n")
    mark, what = next(((mark, what) for mark, what in _MARKS if mark.match(first)), (None, ""))
    if mark is None:
        return None
    lines = [line for line in text[:HEAD].split("\n")[:-1] if line.strip()]
    found = [begun for line in lines if (begun := mark.match(line))]
    if len(lines) < FEWEST or len(found) < SHARE * len(lines):
        return None
    numbers = [int(begun[1]) for begun in found] if mark is _NUMBER else []
    if numbers != sorted(numbers) or not recognized(lines):
        return None
    return ReadOut(mark.sub("", text), f"read as {what}, without the marks")
