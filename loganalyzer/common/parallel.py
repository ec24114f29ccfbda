"""Work spread over the cores: polars leaves Python's lock while it computes, so threads are enough."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
MOST_AT_WORK: Final = 3
"""Each thread holds a batch in memory, and polars spreads each query itself: logs of any size need less than 1 GiB."""


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`work` done for each item, the results in the items' order; few items are taken ahead of the results.

    A single item is worked on in the calling thread.
    """
    rest = iter(items)
    ahead = list(islice(rest, 2))
    threads = min(CORES, MOST_AT_WORK)
    if len(ahead) < 2 or threads < 2:
        yield from map(work, chain(ahead, rest))
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from _ahead(pool, work, chain(ahead, rest), threads)


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
