"""Guards standard output and standard error: no text is a CI command, and no write error is a traceback."""

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
"""GitHub's runner takes `::name …::` for a command if only blanks come before it."""
_INLINE_COMMAND: Final = r"##(?=[A-Za-z-]*\[)"
"""`##[name]` (GitHub), `##vso[…]` (Azure) and `##teamcity[…]` are commands anywhere in a line."""


def escape_commands(text: str, *, begins_line: bool = True) -> str:
    r"""Returns `text` with one character of each CI command escaped, so that no runner executes it.

    The escape is JSON's, so a JSON document keeps its values: there, such marks occur in strings only.
    """
    if "##" in text:
        text = re.sub(_INLINE_COMMAND, r"#\\u0023", text)
    if "::" not in text:
        return text
    head, rest = ("", text) if begins_line else _split_first_line(text)
    return head + re.sub(_LINE_COMMAND, r"\1\\u003a", rest)


def _split_first_line(text: str) -> tuple[str, str]:
    """Returns the rest of a line that started earlier, and the following lines."""
    end = re.search(r"[\r\n]", text)
    return (text, "") if end is None else (text[: end.start()], text[end.start() :])


IS_WINDOWS: Final = os.name == "nt"


def is_closed_pipe(error: OSError) -> bool:
    """Whether the reader of a pipe has stopped reading. Windows calls this an invalid argument."""
    return error.errno == errno.EPIPE or (IS_WINDOWS and error.errno == errno.EINVAL)


class Guarded:
    """A stream that escapes CI commands in foreign text and reports write errors in one sentence.

    If the reader stops reading (`| head`), the rest is dropped without an error. A failed write to standard error
    (`is_vital` is false) is ignored.
    """

    def __init__(self, raw: IO[str] | None, name: str, *, is_vital: bool) -> None:
        self._raw, self._name, self._is_vital = raw, name, is_vital
        self._is_lost = False
        self._begins_line = True

    @property
    def encoding(self) -> str:
        """The encoding of the stream, or UTF-8."""
        return getattr(self._raw, "encoding", None) or "utf-8"

    @property
    def buffer(self) -> GuardedBytes:
        """The same stream for bytes; click writes shell completions as bytes."""
        return GuardedBytes(self)

    @property
    def closed(self) -> bool:
        """Whether nothing can be written; colorama, which draws on Windows, asks for it."""
        return self._raw is None or self._raw.closed

    def isatty(self) -> bool:
        """Whether it is a terminal; the stream is None if it was closed before Python started."""
        return self._raw is not None and self._raw.isatty()

    def fileno(self) -> int:
        """Returns the file descriptor of the stream.

        Raises:
            OSError: it has none.
        """
        if self._raw is None:
            raise OSError(errno.EBADF, f"{self._name} is closed")
        return self._raw.fileno()

    def reconfigure(self, *, errors: str) -> None:
        """Sets how to write characters that the stream's encoding lacks."""
        if self._raw is not None and hasattr(self._raw, "reconfigure"):
            with suppress(OSError):  # it flushes, and on some systems a full device refuses even that
                self._raw.reconfigure(errors=errors)

    def use_utf8(self) -> None:
        """Switches a pipe or file to UTF-8 for a document: JSON and XML declare it, whatever the system's encoding."""
        if self._raw is not None and not self._raw.isatty() and hasattr(self._raw, "reconfigure"):
            with suppress(OSError):
                self._raw.reconfigure(encoding="utf-8", errors="backslashreplace")

    def write(self, text: str) -> int:
        """Writes `text` with CI commands escaped.

        Raises:
            ReportError: a vital stream cannot be written.
            TypeError: it is not text; click uses this to detect a stream of bytes.
        """
        if not isinstance(text, str):
            raise TypeError("text is required")
        if not text:
            return 0
        self._put(escape_commands(text, begins_line=self._begins_line))
        last = re.split(r"[\r\n]", text)[-1] if "\n" in text or "\r" in text else None
        blank = re.fullmatch(_STYLE, text if last is None else last) is not None
        self._begins_line = blank and (self._begins_line or last is not None)
        return len(text)

    def command(self, line: str) -> None:
        """Writes a line that is meant as a command, with other commands inside it escaped."""
        self._put(re.sub(_INLINE_COMMAND, r"#\\u0023", line) + "\n")

    def flush(self) -> None:
        """Does nothing: every write is flushed at once, so that its failure shows."""

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
            if self._is_vital and not is_closed_pipe(error):
                message = f"{self._name}: cannot be written: {error.strerror or error}"
                raise ReportError(message, "check where it is redirected") from None

    def _lose(self) -> None:
        """Redirects the stream to nowhere, so that its buffer does not fail again when the process ends."""
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
        """Writes UTF-8 text; replaces other bytes.

        Raises:
            ReportError: as `Guarded.write`.
        """
        self._stream.write(data.decode("utf-8", "replace"))
        return len(data)

    def flush(self) -> None:
        """Flushes the stream."""
        self._stream.flush()


@contextmanager
def guarded() -> Iterator[None]:
    """Guards both streams inside the block."""
    before = (sys.stdout, sys.stderr)
    sys.stdout = cast("IO[str]", Guarded(sys.stdout, "standard output", is_vital=True))
    sys.stderr = cast("IO[str]", Guarded(sys.stderr, "standard error", is_vital=False))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def command(line: str) -> None:
    """Writes one of our own workflow commands to standard error, which GitHub also reads."""
    if isinstance(sys.stderr, Guarded):
        sys.stderr.command(line)
