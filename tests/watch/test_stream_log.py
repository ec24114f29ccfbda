"""Standard input is followed without waiting for it."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable

import pytest

from loganalyzer.common.errors import SourceError
from loganalyzer.watch import stream_log
from loganalyzer.watch.growth import Growth
from loganalyzer.watch.opening import open_growing_log
from loganalyzer.watch.stream_log import StreamLog


def collected(stream: StreamLog, is_enough: Callable[[bytes, Growth], bool]) -> tuple[bytes, Growth]:
    """Everything up to a moment that is sure to come."""
    data = b""
    while True:
        growth = stream.look()
        data += growth.data
        if is_enough(data, growth):
            return data, growth


def standard_input(monkeypatch: pytest.MonkeyPatch, stream: io.BufferedIOBase) -> StreamLog:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    name, opened = open_growing_log("-")
    assert name == "-"
    assert isinstance(opened, StreamLog)
    return opened


def test_a_silent_pipe_is_not_waited_for_and_its_end_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as pipe:
        following = standard_input(monkeypatch, pipe)
        assert following.look() == Growth()
        os.write(theirs, b"first\n")
        assert collected(following, lambda data, _: data == b"first\n")[1].has_ended is False
        os.write(theirs, b"last")
        os.close(theirs)
        data, growth = collected(following, lambda _, growth: growth.has_ended)
    assert (data, growth.is_new) == (b"last", False)


def test_a_stream_without_a_descriptor_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    following = standard_input(monkeypatch, io.BytesIO("größer\n".encode("utf-16")))
    data, _ = collected(following, lambda _, growth: growth.has_ended)
    assert data.decode() == "\ufeffgrößer\n"


def test_standard_input_that_is_closed_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="-: cannot be read: standard input is closed"):
        open_growing_log("-")


def test_a_stream_that_fails_gives_what_came_before_then_a_message() -> None:
    pieces = iter([b"before\n"])

    def read() -> bytes:
        for piece in pieces:
            return piece
        raise OSError(5, "Input/output error")

    following = StreamLog(read, "-")
    assert collected(following, lambda data, _: bool(data))[0] == b"before\n"
    with pytest.raises(SourceError, match="-: cannot be read: Input/output error"):
        collected(following, lambda *_: False)


def test_a_writer_that_is_faster_waits_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_log, "MOST_READ_BYTES", 10)
    pieces = [b"%04d" % number for number in range(50)]
    given = iter(pieces)
    read: list[bytes] = []
    is_full = threading.Event()

    def piece() -> bytes:
        read.append(next(given, b""))
        if len(read) >= 3:
            is_full.set()
        return read[-1]

    following = StreamLog(piece, "-")
    assert is_full.wait(60)
    assert len(read) == 3
    data, _ = collected(following, lambda _, growth: growth.has_ended)
    assert data == b"".join(pieces)


def test_a_closed_watch_ends_the_reading() -> None:
    before = set(threading.enumerate())
    following = StreamLog(lambda: b"x" * stream_log.MOST_READ_BYTES, "-")
    started = set(threading.enumerate()) - before
    following.close()
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()
