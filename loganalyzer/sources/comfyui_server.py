"""Reads the log that a running ComfyUI keeps in memory: its last messages, as its page /internal/logs/raw has them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.error import HTTPError

from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.sources.http_client import open_http
from loganalyzer.sources.url_streams import OTHERS_CONTINUE, describe_failure, translate_failures
from loganalyzer.sources.urls import HTTP, Address

LOG_PATH: Final = "/internal/logs/raw"
MAX_BYTES: Final = 8 << 20
"""Maximum bytes of an answer."""
KEPT_MESSAGES: Final = 300
"""The number of messages that ComfyUI keeps. A bar that is redrawn counts once."""
MAX_MESSAGES: Final = 5000
"""Only the last messages of a longer answer are read: a fork of ComfyUI may keep more."""
_NO_LOG_HINT: Final = (
    "older versions of ComfyUI have no such page, and other servers have none: pass the log's file, or its whole URL"
)


class Message(NamedTuple):
    """What ComfyUI wrote to its console in one piece: when, and the text, which may be a part of a line."""

    time: str
    text: str


def is_server(address: Address) -> bool:
    """Whether a URL names a server and no file on it."""
    return address.scheme in HTTP and bool(address.authority) and address.path in ("", "/")


def log_address(address: Address) -> Address:
    """The address of the log of a ComfyUI server, which may be below a path."""
    path = address.path.rstrip("/")
    return address if path.endswith(LOG_PATH) else replace(address, path=path + LOG_PATH)


def fetch_log(address: Address) -> bytes:
    """The answer of the server's log page, not checked.

    Raises:
        SourceError: the server cannot be reached, or has no such page.
    """
    with translate_failures(address):
        try:
            with open_http(log_address(address), MAX_BYTES) as body:
                return b"".join(iter(lambda: body.read(-1), b""))
        except HTTPError as error:
            raise _no_log_error(address, error) from None


def _no_log_error(address: Address, error: HTTPError) -> SourceError:
    if error.code in (404, 405):
        return SourceError(f"{address.shown}: no log of ComfyUI at {LOG_PATH}: not found", _NO_LOG_HINT)
    reason = describe_failure(error, address)
    return SourceError(f"{address.shown}: cannot be read: {reason}", OTHERS_CONTINUE)


def parse_messages(raw: bytes, address: Address) -> list[Message]:
    """The messages in an answer, oldest first.

    Raises:
        SourceError: it is not a log of ComfyUI.
    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise _foreign_answer_error(address, "it is not JSON") from None
    entries = document.get("entries") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise _foreign_answer_error(address, "it has no list `entries`")
    found = [
        Message(str(entry.get("t", "")), entry["m"])
        for entry in entries[-MAX_MESSAGES:]
        if isinstance(entry, dict) and isinstance(entry.get("m"), str)
    ]
    if entries and not found:
        raise _foreign_answer_error(address, "its entries have no text `m`")
    return found


def _foreign_answer_error(address: Address, reason: str) -> SourceError:
    return SourceError(f"{address.shown}: the answer at {LOG_PATH} is not a log of ComfyUI: {reason}", _NO_LOG_HINT)


def note_incomplete(messages: int, address: Address) -> list[SourceError]:
    """A note if older messages may be missing."""
    if messages < KEPT_MESSAGES:
        return []
    note = f"ComfyUI keeps its last {KEPT_MESSAGES} messages, so older ones may be missing; the log's file has all"
    return [SkippedError(f"{address.shown}: {note}")]
