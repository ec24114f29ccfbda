"""Opens a file so that other programs may rename, replace and delete it meanwhile, on Windows too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, Final

IS_WINDOWS: Final = os.name == "nt"
_READ: Final = 0x80000000
_SHARE_ALL: Final = 0x1 | 0x2 | 0x4
"""Others may read, write, and delete. Without the last one, ComfyUI-Manager cannot rename a log that is watched."""
_EXISTING: Final = 3
_NORMAL: Final = 0x80


def open_shared(path: Path) -> IO[bytes]:
    """The file, opened for reading.

    Raises:
        OSError: it cannot be opened.
    """
    if not IS_WINDOWS:
        return path.open("rb")
    import ctypes
    import msvcrt

    windows: Any = ctypes
    return os.fdopen(open_descriptor(path, windows.WinDLL("kernel32", use_last_error=True), windows, msvcrt), "rb")


def open_descriptor(path: Path, kernel32: Any, ctypes: Any, msvcrt: Any) -> int:  # noqa: ANN401 -- Windows' own
    """The descriptor of a file that Windows lets others rename. Python's `open` shares all rights but this one."""
    from ctypes import wintypes

    create = kernel32.CreateFileW
    numbers = [wintypes.DWORD] * 2
    create.argtypes = [wintypes.LPCWSTR, *numbers, wintypes.LPVOID, *numbers, wintypes.HANDLE]
    create.restype = wintypes.HANDLE
    handle = create(str(path), _READ, _SHARE_ALL, None, _EXISTING, _NORMAL, None)
    if handle in (None, wintypes.HANDLE(-1).value):
        raise ctypes.WinError(ctypes.get_last_error())
    return int(msvcrt.open_osfhandle(handle, os.O_RDONLY))


def identify(path: Path, file: IO[bytes]) -> os.stat_result:
    """What `os.path.samestat` compares with the status of the path later.

    Windows may give a path and an open file different device numbers, so there the path is asked both times.
    """
    return path.stat() if IS_WINDOWS else os.fstat(file.fileno())
