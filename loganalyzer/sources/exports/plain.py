"""Repairs texts that lost their line ends, or were printed with control characters spelled out.

Each function examines the beginning of a text to recognize its kind. It returns the repaired text with a note, or None
for a text of another kind.
"""

from __future__ import annotations

import re
from typing import Final

from loganalyzer.sources.exports import json_text
from loganalyzer.sources.exports.lines import ExtractedLog
from loganalyzer.sources.exports.recognition import BAR, recognized_lines

HEAD: Final = 1 << 16
"""First characters of a text that are examined."""
MIN_MARKS: Final = 5
"""Minimum number of marks: fewer may be part of a message."""
MIN_SHARE: Final = 0.9
"""Minimum share of lines that must carry a mark for it not to be part of them."""
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


def replace_unicode_ends(text: str) -> ExtractedLog | None:
    """Lines that end with Unicode's line separators."""
    head = text[:HEAD]
    ends = head.count("\n")
    if sum(map(head.count, _OTHER_ENDS)) >= MIN_MARKS * (ends + 1):
        return ExtractedLog(
            text.translate({ord(end): "\n" for end in _OTHER_ENDS}), "read with Unicode line separators"
        )
    return None


def split_at_returns(text: str) -> ExtractedLog | None:
    """Lines that end with carriage returns only, among them messages: all refreshes of bars would be on one line."""
    if "\n" in text[:HEAD] or text[:HEAD].count("\r") < MIN_MARKS or "\n" in text:
        return None
    if not any(BAR not in line for line in recognized_lines([text[:HEAD]])):
        return None  # one bar that was redrawn
    return ExtractedLog(text.replace("\r", "\n"), "read with carriage returns as line ends")


def unescape_ends(text: str) -> ExtractedLog | None:
    """A log on one line, with escaped line ends as in source code."""
    head = text[:HEAD]
    if head.count("\\n") < MIN_MARKS * (head.count("\n") + 1) or not _SPELLED.search(head):
        return None
    plain = _SPELLED_END.sub(
        lambda found: _SPELLED_AS.get(found[0]) or _decode_unicode_escape(found[0]), text.strip("\n")
    )
    return ExtractedLog(plain, "read as one text with escaped line ends; line numbers refer to the unescaped text")


def _decode_unicode_escape(escape: str) -> str:
    return bytes.fromhex(escape[2:]).decode("utf-16-be", "replace")


def restore_controls(text: str) -> ExtractedLog | None:
    """The output of `cat -v`, `cat -A` and `less`: control characters with a caret, other bytes with `M-`."""
    head = text[:HEAD]
    ends = head.count("\n")
    ended = ends >= MIN_MARKS and head.count("$\n") >= MIN_SHARE * ends
    if not ended and head.count("M-") < MIN_MARKS and head.count("^[[") < MIN_MARKS:
        return None
    plain = _META.sub(_decode_meta, text)
    plain = _CARET.sub(lambda found: _CARETS[found[1]], plain)
    if ended:
        plain = re.sub(r"(?m)\$$", "", plain)
    return ExtractedLog(plain, "read as the output of `cat -v`, with its control characters restored")


def _decode_meta(shown: re.Match[str]) -> str:
    found = re.findall(r"M-(\^.|.)", shown[0])
    codes = [0x80 + (ord(high[1]) ^ 0x40 if len(high) == 2 else ord(high)) for high in found]
    return bytes(codes).decode("utf-8", "replace")


def drop_bare_codes(text: str) -> ExtractedLog | None:
    """Lines with a terminal's color codes whose escape characters are missing: `[32mgot prompt[0m`."""
    head = text[:HEAD]
    if ("[0m" not in head and "[m" not in head) or len(_BARE_CODE.findall(head)) < MIN_MARKS:
        return None
    lines = [line for line in head.split("\n")[:-1] if line.strip()]
    if sum(_CODE_AROUND.search(line) is not None for line in lines) < len(lines) / 2:
        return None
    return ExtractedLog(_BARE_CODE.sub("", text), "read without incomplete color codes")


def strip_html_breaks(text: str) -> ExtractedLog | None:
    """HTML in which tags replace line ends."""
    head = text[:HEAD]
    if "</" not in head and "<br" not in head.lower():
        return None
    ends = head.count("\n") + 1
    if len(_BREAK.findall(head)) < MIN_MARKS * ends and not MIN_MARKS + ends <= 2 * len(_CELL.findall(head)):
        return None
    return ExtractedLog(
        _BREAK.sub("\n", _CELL.sub("\t", text)), "read as a web page; line numbers count its lines as shown"
    )


def extract_fenced(text: str) -> ExtractedLog | None:
    """Markdown with a document between fences."""
    if "```" not in text[:HEAD] and "~~~" not in text[:HEAD]:
        return None
    blocks = [body for _, body in _FENCE.findall(text) if json_text.may_be_json(body[:HEAD])]
    if not blocks:
        return None
    return ExtractedLog("\n".join(blocks), "read as Markdown")


def read_markdown_table(text: str) -> ExtractedLog | None:
    """A Markdown table, its cells separated by tabs."""
    if not text[:HEAD].lstrip().startswith("|"):
        return None
    lines = [line for line in text.split("\n") if line.strip()]
    if sum(_ROW.fullmatch(line) is not None for line in lines) < MIN_SHARE * len(lines):
        return None
    cells = [_BETWEEN.split(line.strip()[1:-1]) for line in lines if not _RULE.fullmatch(line)]
    rows = ("\t".join(cell.strip().replace("\\|", "|") for cell in row) for row in cells)
    return ExtractedLog("\n".join(rows) + "\n", "read as a Markdown table")


def strip_line_markers(text: str) -> ExtractedLog | None:
    """Lines that all start with a quotation mark, a number or a list marker."""
    first = text[: HEAD // 64].lstrip("\n")
    mark, kind = next(((mark, kind) for mark, kind in _MARKS if mark.match(first)), (None, ""))
    if mark is None:
        return None
    lines = [line for line in text[:HEAD].split("\n")[:-1] if line.strip()]
    found = [match for line in lines if (match := mark.match(line))]
    if len(lines) < MIN_MARKS or len(found) < MIN_SHARE * len(lines):
        return None
    numbers = [int(match[1]) for match in found] if mark is _NUMBER else []
    if numbers != sorted(numbers) or not recognized_lines(lines):
        return None
    return ExtractedLog(mark.sub("", text), f"read as {kind}, without its markers")
