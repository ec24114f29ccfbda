"""A watched file can be renamed on Windows: the calls that do so, on any system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from loganalyzer.watch import shared_file
from loganalyzer.watch.follower import Follower

INVALID = (1 << 64) - 1
SHARE_READ, SHARE_WRITE, SHARE_DELETE = 1, 2, 4


class Windows:
    """What is used of ctypes, kernel32 and msvcrt."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.calls: list[tuple[Any, ...]] = []

        def create(*words: Any) -> int:
            self.calls.append(words)
            return self.handle

        self.CreateFileW: Any = create

    def get_last_error(self) -> int:
        return 32

    def WinError(self, code: int) -> OSError:  # noqa: N802 -- as Windows has it
        return PermissionError(13, f"error {code}")

    def open_osfhandle(self, handle: int, flags: int) -> int:
        assert flags == os.O_RDONLY
        return handle + 1


def test_a_file_is_opened_so_that_others_may_rename_it() -> None:
    windows = Windows(40)
    assert shared_file.open_descriptor(Path("a.log"), windows, windows, windows) == 41
    ((name, access, share, _, disposition, *_rest),) = windows.calls
    assert (name, access, disposition) == ("a.log", 0x80000000, 3)
    assert share == SHARE_READ | SHARE_WRITE | SHARE_DELETE


@pytest.mark.parametrize("handle", [INVALID, None])
def test_a_file_that_cannot_be_opened_is_an_error(handle: int) -> None:
    windows = Windows(handle)
    with pytest.raises(PermissionError, match="error 32"):
        shared_file.open_descriptor(Path("a.log"), windows, windows, windows)


def test_rotation_is_seen_as_windows_tells_files_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_file, "open_shared", lambda path: path.open("rb"))
    monkeypatch.setattr(shared_file, "IS_WINDOWS", True)
    log = tmp_path / "comfyui.log"
    log.write_bytes(b"old\n")
    with Follower(log) as follower:
        assert follower.look().data == b"old\n"
        assert not follower.look().is_new
        log.rename(tmp_path / "comfyui.prev.log")
        log.write_bytes(b"new\n")
        growth = follower.look()
        assert (growth.data, growth.is_new) == (b"new\n", True)
