"""Follows the log that a running ComfyUI keeps in memory, by reading it again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loganalyzer.common.errors import SourceError
from loganalyzer.sources.comfyui_server import Message, fetch_log, parse_messages
from loganalyzer.sources.urls import Address
from loganalyzer.watch.growth import Growth


@dataclass(frozen=True, slots=True)
class NewMessages:
    """The messages of an answer that the one before did not have.

    Attributes:
        messages: the new messages; all if the two have none in common.
        follow: whether they follow those of the answer before.
    """

    messages: Sequence[Message]
    follow: bool


def compare_answers(before: Sequence[Message], now: Sequence[Message]) -> NewMessages:
    """The new messages of an answer.

    ComfyUI drops old messages at the front. At the end it only adds, and replaces the last message if that is a bar.
    """
    if not before:
        return NewMessages(now, follow=True)
    for kept in (len(before), len(before) - 1):
        for start in range(kept):
            common = kept - start
            if now[:1] == before[start : start + 1] and now[:common] == before[start:kept]:
                return NewMessages(now[common:], follow=True)
    return NewMessages(now, follow=False)


class ServerLog:
    """The log of a ComfyUI server. Only its log page is read; nothing is sent, and no connection stays open."""

    def __init__(self, address: Address) -> None:
        """Raises `SourceError` if the server does not answer with a log."""
        self._address = address
        self._before: list[Message] = []
        self._next: list[Message] | None = self._read_log()
        self._is_away = False

    def look(self) -> Growth:
        """The new messages. While the server does not answer, there are none."""
        try:
            now = self._read_log() if self._next is None else self._next
        except SourceError as error:
            first, self._is_away = not self._is_away, True
            return Growth(notice=f"{error.message}; waiting for the server" if first else "")
        was_away, self._is_away, self._next = self._is_away, False, None
        found = compare_answers(self._before, now)
        is_restart = was_away or len(now) < len(self._before)
        self._before = now
        data = "".join(message.text for message in found.messages).encode("utf-8", "replace")
        if found.follow:
            return Growth(data, notice=f"{self._address.shown}: the server answers again" if was_away else "")
        if is_restart:
            return Growth(data, is_new=True)
        lost = "more messages came than ComfyUI keeps, so some were lost; a shorter --interval loses fewer"
        return Growth(data, is_new=True, notice=f"{self._address.shown}: {lost}")

    def close(self) -> None:
        """Does nothing: every look has a connection of its own."""

    def _read_log(self) -> list[Message]:
        return parse_messages(fetch_log(self._address), self._address)
