"""Appended bytes arrive once and in order, whatever happens to the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.common.errors import SourceError
from loganalyzer.watch.follower import Follower


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "comfyui.log"
    path.write_bytes(b"first\n")
    return path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_what_stands_there_comes_first_then_what_is_appended(log: Path) -> None:
    with Follower(log) as follower:
        assert follower.look().data == b"first\n"
        assert follower.look().data == b""
        append(log, b"sec")
        append(log, b"ond\n")
        assert follower.look().data == b"second\n"


def test_a_rotated_log_is_read_to_its_end_before_the_new_one(log: Path) -> None:
    with Follower(log) as follower:
        follower.look()
        append(log, b"last words\n")
        log.rename(log.with_suffix(".1"))
        log.write_bytes(b"new\n")
        old, new = follower.look(), follower.look()
        assert (old.data, old.is_new) == (b"last words\n", False)
        assert (new.data, new.is_new) == (b"new\n", True)


def test_a_log_that_is_gone_for_a_while_is_waited_for(log: Path) -> None:
    with Follower(log) as follower:
        follower.look()
        log.rename(log.with_suffix(".1"))
        assert follower.look().data == b""
        log.write_bytes(b"new\n")
        assert follower.look().is_new


@pytest.mark.parametrize("again", [b"", b"new\n", b"a new beginning that is longer than the old\n"])
def test_a_truncated_log_is_begun_anew_also_where_it_has_grown_again(log: Path, again: bytes) -> None:
    with Follower(log) as follower:
        follower.look()
        log.write_bytes(again)
        found = follower.look()
        assert (found.data, found.is_new) == (again, True)


def test_of_a_large_log_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "large.log"
    log.write_bytes(b"x" * 1000 + b"\nlast line\n")
    with Follower(log, most_before=20) as follower:
        found = follower.look()
        assert found.data.endswith(b"\nlast line\n")
        assert len(found.data) == 20
        assert found.skipped == 991


@given(text=st.text(st.characters(codec="utf-16"), max_size=40), cuts=st.lists(st.integers(1, 7), max_size=30))
def test_utf16_arrives_as_utf8_however_it_is_cut(text: str, cuts: list[int], tmp_path_factory: object) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"  # type: ignore[attr-defined]
    raw = ("\ufeff" + text).encode("utf-16-le")
    path.write_bytes(raw[:2])
    with Follower(path) as follower:
        got, place = follower.look().data, 2
        for size in [*cuts, len(raw)]:
            append(path, raw[place : place + size])
            place += size
            got += follower.look().data
        assert got.decode().removeprefix("\ufeff") == text


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="file not found"):
        Follower(tmp_path / "gone.log")


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read_is_refused(log: Path) -> None:
    log.chmod(0)
    with pytest.raises(SourceError, match="cannot be read"):
        Follower(log)
