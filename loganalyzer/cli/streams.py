"""Standard output and standard error as all commands have them: no text steers a CI, and no failure is a traceback."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Final, cast

from loganalyzer.common.errors import ReportError

_STYLE: Final = r"(?:[^\S\r\n]|\x1b\[[0-9;]*m)*"
_LINE_COMMAND: Final = rf"(?<![^\r\n])({_STYLE}):(?=:)"
"""GitHub's runner takes `::name …::` for a command where nothing but blanks stands in front."""
_INLINE_COMMAND: Final = r"##(?=[A-Za-z-]*\[)"
"""`##[name]` (GitHub), `##vso[…]` (Azure) and `##teamcity[…]` are commands anywhere in a line."""


def harmless(text: str, *, begins_line: bool = True) -> str:
    r"""`text` in which nothing is a command to the runner that shows it: a character of each is shown as an escape.

    The escape is JSON's, so that a document keeps its values: in one, such marks stand in strings only.
    """
    if "##" in text:
        text = re.sub(_INLINE_COMMAND, r"#\\u0023", text)
    if "::" not in text:
        return text
    head, rest = ("", text) if begins_line else _parted(text)
    return head + re.sub(_LINE_COMMAND, r"\1\\u003a", rest)


def _parted(text: str) -> tuple[str, str]:
    """The rest of a line that was begun before, and the lines behind it."""
    end = re.search(r"[\r\n]", text)
    return (text, "") if end is None else (text[: end.start()], text[end.start() :])


class Guarded:
    """A stream on which everything foreign is harmless, and which says in one sentence that it cannot be written.

    A reader who stopped reading (`| head`) is no failure: the rest is for nobody. Nor is one what cannot be said on
    standard error (`is_vital` is false): it changes nothing in the result.
    """

    def __init__(self, raw: IO[str] | None, name: str, *, is_vital: bool) -> None:
        self._raw, self._name, self._is_vital = raw, name, is_vital
        self._is_lost = False
        self._begins_line = True

    @property
    def encoding(self) -> str:
        """That of the stream."""
        return getattr(self._raw, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> GuardedBytes:
        """The same stream for bytes: click writes shell completions as bytes."""
        return GuardedBytes(self)

    def isatty(self) -> bool:
        """Whether it is a terminal; Python has None for a stream that was closed before it started."""
        return self._raw is not None and self._raw.isatty()

    def fileno(self) -> int:
        """That of the stream.

        Raises:
            OSError: it has none.
        """
        if self._raw is None:
            raise OSError(errno.EBADF, f"{self._name} is closed")
        return self._raw.fileno()

    def reconfigure(self, *, errors: str) -> None:
        """How characters are shown that the stream's encoding lacks."""
        if self._raw is not None and hasattr(self._raw, "reconfigure"):
            with suppress(OSError):  # it flushes, and some systems' full devices refuse even nothing
                self._raw.reconfigure(errors=errors)

    def write(self, text: str) -> int:
        """Write `text`, made harmless, and hand it on.

        Raises:
            ReportError: a vital stream cannot be written.
            TypeError: it is no text: click asks so whether the stream is one of bytes.
        """
        if not isinstance(text, str):
            raise TypeError("text is wanted")
        if not text:
            return 0
        self._put(harmless(text, begins_line=self._begins_line))
        last = re.split(r"[\r\n]", text)[-1] if "\n" in text or "\r" in text else None
        blank = re.fullmatch(_STYLE, text if last is None else last) is not None
        self._begins_line = blank and (self._begins_line or last is not None)
        return len(text)

    def command(self, line: str) -> None:
        """Write a line that is meant as a command; what it quotes may be another one anywhere in it."""
        self._put(re.sub(_INLINE_COMMAND, r"#\\u0023", line) + "\n")

    def flush(self) -> None:
        """Nothing waits: whoever writes wants to know whether it came through."""

    def _put(self, text: str) -> None:
        if self._is_lost:
            return
        try:
            if self._raw is None:
                raise OSError(errno.EBADF, "it is closed")
            self._raw.write(text)
            self._raw.flush()
        except OSError as error:
            self._lose()
            if self._is_vital and error.errno != errno.EPIPE:
                message = f"{self._name}: cannot be written: {error.strerror or error}"
                raise ReportError(message, "see where it leads to") from None

    def _lose(self) -> None:
        """What is left in the stream's buffer must not fail once more, as the process ends."""
        self._is_lost = True
        if self._raw is None:
            return
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._raw.fileno())
            os.close(nowhere)


class GuardedBytes:
    """Takes UTF-8 bytes and writes them to a guarded stream as text, so that the same rules hold for both."""

    def __init__(self, stream: Guarded) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Write UTF-8 text; other bytes are replaced.

        Raises:
            ReportError: as `Guarded.write`.
        """
        self._stream.write(data.decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""
        self._stream.flush()


@contextmanager
def guarded() -> Iterator[None]:
    """Inside of the block, both streams are guarded ones."""
    before = (sys.stdout, sys.stderr)
    sys.stdout = cast("IO[str]", Guarded(sys.stdout, "standard output", is_vital=True))
    sys.stderr = cast("IO[str]", Guarded(sys.stderr, "standard error", is_vital=False))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def command(line: str) -> None:
    """A workflow command of our own, to standard error, which GitHub reads as well."""
    if isinstance(sys.stderr, Guarded):
        sys.stderr.command(line)
