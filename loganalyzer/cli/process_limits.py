"""Checks resource limits before a command starts: otherwise libraries abort without a message."""

from __future__ import annotations

import os
from typing import Final

from loganalyzer.common.errors import LogAnalyzerError

LEAST_ADDRESS_SPACE: Final = 1536 << 20
"""Minimum address space in bytes (`ulimit -v`): below 1.2 GB, polars aborts on a log of 2 MB."""
_THREADS: Final = "POLARS_MAX_THREADS"


def check() -> None:
    """Refuses limits under which no log can be read.

    Raises:
        LogAnalyzerError: the address space is too small, or the thread count is not a number.
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
    """Returns the limit in bytes; None if there is none, or the system has no such limits."""
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
