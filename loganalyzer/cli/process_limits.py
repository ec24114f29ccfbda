"""What the process must have before a command starts: otherwise libraries end it without a word."""

from __future__ import annotations

import os
from typing import Final

from loganalyzer.common.errors import LogAnalyzerError

LEAST_ADDRESS_SPACE: Final = 1536 << 20
"""Bytes of address space (`ulimit -v`): below 1.2 GB a log of 2 MB was seen to end in an abort inside of polars."""
_THREADS: Final = "POLARS_MAX_THREADS"


def check() -> None:
    """Refuse limits with which no log can be read.

    Raises:
        LogAnalyzerError: the address space is too small, or the number of threads is none.
    """
    limit = _address_space()
    if limit is not None and limit < LEAST_ADDRESS_SPACE:
        raise LogAnalyzerError(
            f"not enough memory: this process is limited to {limit >> 20:,} MiB of address space",
            f"raise the limit: `ulimit -v {LEAST_ADDRESS_SPACE >> 10}` or more, or `ulimit -v unlimited`",
        )
    threads = os.environ.get(_THREADS)
    if threads is not None and not (threads.isascii() and threads.isdigit() and int(threads) > 0):
        raise LogAnalyzerError(
            f"{_THREADS}={threads!r} is not a number of threads", f"set 1 or more, or unset {_THREADS}"
        )


def _address_space() -> int | None:
    """The limit in bytes; None where there is none, or the system has no such limits."""
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
