"""Runs work on several cores. Polars releases Python's lock while it computes, so threads suffice."""

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
MAX_THREADS: Final = 3
"""Each thread needs memory for a batch, and polars parallelizes each query: logs of any size need less than 1 GiB."""


def map_in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results of `work` for each item, in order. Only a few items are taken ahead of the results.

    A single item is processed in the calling thread.
    """
    rest = iter(items)
    first_items = list(islice(rest, 2))
    threads = min(CORES, MAX_THREADS)
    if len(first_items) < 2 or threads < 2:
        yield from map(work, chain(first_items, rest))
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from _submit_ahead(pool, work, chain(first_items, rest), threads)


def _submit_ahead(
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
