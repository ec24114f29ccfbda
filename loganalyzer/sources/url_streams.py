"""Bounds the stream behind a URL, and turns its errors into one message without secrets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler

from loganalyzer.common.errors import SourceError
from loganalyzer.sources import archives
from loganalyzer.sources.urls import Address, mask_secrets

MAX_BYTES: Final = archives.MAX_UNPACKED_BYTES
"""A longer stream is rejected: it may never end."""
OTHERS_CONTINUE: Final = "the other inputs are still analyzed"

_BLOCK: Final = 4 << 20


class LimitedStream(io.RawIOBase):
    """A stream that fails once it exceeds the limit."""

    def __init__(self, file: IO[bytes], name: str, most: int | None = None) -> None:
        self._file, self._name = file, name
        self._most = self._left = MAX_BYTES if most is None else most

    def readable(self) -> bool:
        """True: the stream is read-only."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, and at most one block at a time."""
        data = self._file.read(_BLOCK if size < 0 else min(size, _BLOCK))
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(f"{self._name}: larger than {self._most >> 20} MiB", "download and split it first")
        return bytes(data)


@contextmanager
def translate_failures(address: Address) -> Iterator[None]:
    """Turns every error of a server or store into one message with the URL, without secrets."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 -- each store's library raises errors of its own
        raise SourceError(
            f"{address.shown}: cannot be read: {describe_failure(error, address)}", OTHERS_CONTINUE
        ) from None


def describe_failure(error: BaseException, address: Address) -> str:
    """The reason in a few words."""
    if isinstance(error, HTTPError):
        return _describe_status(error)
    if isinstance(error, URLError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, FileNotFoundError):
        return "not found"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    reason = getattr(error, "strerror", None) or str(error)
    message = " ".join(mask_secrets(str(reason), address).split())
    return message or type(error).__name__


def _describe_status(error: HTTPError) -> str:
    if error.code == 404:
        return "not found"
    if HTTPRedirectHandler.inf_msg in str(error.reason):
        return "too many redirects"
    if 300 <= error.code < 400:
        return "the server redirects to an address that is not HTTP"
    return f"the server answered {error.code} {error.reason}".rstrip()
