"""The engine of many machines: batches mapped over a Dask cluster, which must be one's own.

Dask's processes trust one another: they exchange pickled functions and tables. Nothing else is ever unpickled.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol

from loganalyzer.common.errors import LogAnalyzerError, SourceError, install_hint
from loganalyzer.engine.batches import (
    BATCH_BYTES,
    BATCH_INPUTS,
    DISTRIBUTION,
    Batch,
    Place,
    batches,
    making,
    tables_of,
    unlike,
)
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.local import opened
from loganalyzer.engine.merge import merged
from loganalyzer.engine.read import Progress, tabulate
from loganalyzer.settings.model import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client, Future

_TIMES_THREADS: Final = 2
_LEAST_AHEAD: Final = 8
"""Batches given to the cluster and not yet answered: so many for each of its threads, and at least so many."""
_MOST_GUILTY: Final = 20
"""Inputs that fail alone, after which it is no longer the inputs that are at fault."""
_GLANCE_S: Final = 2.0
"""How often the cluster is asked whether it still has workers, while nothing arrives."""


_LOGGERS: Final = ("distributed", "distributed.client")


class Unit(Protocol):
    """What a worker does; of a module that workers can import."""

    def __call__(self, batch: Batch, settings: Settings, alike: Mapping[str, str]) -> Tables:
        """The tables of a batch."""


@dataclass(frozen=True)
class Dask:
    """Workers read the inputs themselves, under the same paths or addresses; `-` is read here.

    Attributes:
        scheduler: its address, e.g. `tcp://10.0.0.5:8786`.
        batch_bytes, batch_inputs: bounds of a batch; they change nothing in the tables.
        timeout_s: how long to wait for the scheduler, and for a first worker, or for one after all were lost.
        retries: how often a batch is tried again after an unexpected failure.
        unit: the work.
    """

    scheduler: str
    batch_bytes: int = BATCH_BYTES
    batch_inputs: int = BATCH_INPUTS
    timeout_s: float = 20.0
    retries: int = 2
    unit: Unit = tables_of

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """See `Engine`.

        Raises:
            LogAnalyzerError: Dask is not installed, the scheduler or its workers are out of reach, or are of another
                version; a pattern or schedule file is refused.
        """
        if find_spec("distributed") is None:
            raise LogAnalyzerError("--engine dask needs Dask", install_hint("distributed"))
        import distributed  # noqa: F401 -- sets the levels of its loggers, which is not to happen later

        settings = replace(settings, patterns=tuple(folder.absolute() for folder in settings.patterns))
        with _quiet(), _connected(self.scheduler, self.timeout_s) as client:
            alike = making(settings)
            _expect_alike(client, alike, self)
            work = _Work(client, self, settings, alike, progress)
            found = work.done(batches(names, self.batch_bytes, self.batch_inputs))
        return merged(found or [tabulate((), settings)])


def _connected(address: str, timeout_s: float) -> Client:
    from distributed import Client

    try:
        asyncio.run(_answer(address, timeout_s))
        return Client(address, timeout=timeout_s)
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        why = f"no answer in {timeout_s:g} s" if isinstance(error, asyncio.TimeoutError) else _first_line(error)
        raise LogAnalyzerError(
            f"the scheduler at {address} cannot be reached: {why}",
            "start one with `dask scheduler`, workers with `dask worker ADDRESS`, and give --scheduler that address",
        ) from None


async def _answer(address: str, timeout_s: float) -> None:
    """Wait for any answer of a scheduler; a client would wait for minutes on a port that takes calls in silence."""
    from distributed.comm import connect

    comm = await asyncio.wait_for(connect(address, timeout=timeout_s), timeout_s)
    await comm.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's client logs tracebacks of what is said here in one message."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _expect_alike(client: Client, alike: Mapping[str, str], engine: Dask) -> None:
    """Wait for a worker, and refuse workers that would make other tables; those that come later refuse themselves."""
    try:
        client.wait_for_workers(1, timeout=engine.timeout_s)
    except TimeoutError:
        raise _no_workers(engine) from None
    packages = [DISTRIBUTION, "polars"]
    for worker, told in client.get_versions(packages=packages)["workers"].items():
        for name in packages:
            if isinstance(told, dict) and told["packages"].get(name) != alike[name]:
                raise unlike(name, alike[name], told["packages"].get(name), worker)


@dataclass
class _Work:
    """What the cluster was given, and what came of it."""

    client: Client
    engine: Dask
    settings: Settings
    alike: Mapping[str, str]
    progress: Progress | None
    found: dict[int, Tables] = field(default_factory=dict)
    running: dict[Future, tuple[int, Batch]] = field(default_factory=dict)
    failed: dict[int, tuple[Batch, str]] = field(default_factory=dict)

    def done(self, given: Iterable[Batch]) -> list[Tables]:
        """The tables of all batches, in order; whatever the workers do, each batch counts once."""
        ahead = max(_LEAST_AHEAD, _TIMES_THREADS * sum(self.client.nthreads().values()))
        for number, batch in enumerate(given):
            if batch.here:
                names = [item.name if isinstance(item, Place) else item for item in batch.items]
                self.found[number] = tabulate(opened(names), self.settings, progress=self.progress)
                continue
            while len(self.running) >= ahead:
                self._collect()
            self._submit(number, batch)
        while self.running:
            self._collect()
        self._try_again()
        return [self.found[number] for number in sorted(self.found)]

    def _submit(self, number: int, batch: Batch) -> None:
        future = self.client.submit(
            self.engine.unit, batch, self.settings, self.alike, retries=self.engine.retries, pure=False
        )
        self.running[future] = number, batch

    def _collect(self) -> None:
        """Take what is ready, once something is."""
        for future in self._ready():
            number, batch = self.running.pop(future)
            try:
                self.found[number] = future.result()
            except LogAnalyzerError:
                raise
            except CancelledError:
                raise _lost(self.engine) from None
            except Exception as error:  # noqa: BLE001 -- whatever befell the workers, the other batches go on
                self.failed[number] = batch, _reason(error)
            else:
                self._tell(self.found[number])
            future.release()

    def _ready(self) -> list[Future]:
        from distributed import wait

        deadline = time.monotonic() + self.engine.timeout_s
        while True:
            try:
                return list(wait(list(self.running), timeout=_GLANCE_S, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                if self._has_workers():
                    deadline = time.monotonic() + self.engine.timeout_s
                elif time.monotonic() > deadline:
                    raise _no_workers(self.engine) from None
            except (CancelledError, OSError):
                raise _lost(self.engine) from None

    def _has_workers(self) -> bool:
        try:
            return bool(self.client.nthreads())
        except (CancelledError, OSError):
            return False

    def _try_again(self) -> None:
        """Failed batches, one input at a time and nothing beside it: whose workers die then is to blame itself."""
        guilty = 0
        failed, self.failed = self.failed, {}
        for number, (batch, reason) in sorted(failed.items()):
            parts: list[Tables] = []
            for alone in batch.apart:
                why = reason if guilty >= _MOST_GUILTY else self._alone(number, alone)
                if why:
                    guilty += 1
                    parts.append(tabulate((_given_up(item, why) for item in alone.items), self.settings))
                else:
                    parts.append(self.found[number])
            self.found[number] = merged(parts)

    def _alone(self, number: int, alone: Batch) -> str | None:
        """Why it failed again, or None: its tables are found."""
        self.failed.pop(number, None)
        self._submit(number, alone)
        while self.running:
            self._collect()
        return self.failed[number][1] if number in self.failed else None

    def _tell(self, part: Tables) -> None:
        if self.progress:
            sources = part.frames["sources"]
            for name, size in zip(sources["source"], sources["bytes"], strict=True):
                self.progress(name, size)


def _given_up(item: Place | SourceError, why: str) -> SourceError:
    if isinstance(item, SourceError):
        return item
    return SourceError(f"{item.name}: could not be analysed: {why}", "the other inputs are analysed without it")


def _reason(error: Exception) -> str:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "every worker that tried it died; it may need more memory than a worker has"
    return f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _no_workers(engine: Dask) -> LogAnalyzerError:
    return LogAnalyzerError(
        f"the scheduler at {engine.scheduler} has no worker since {engine.timeout_s:g} s",
        f"start some with `dask worker {engine.scheduler}`",
    )


def _lost(engine: Dask) -> LogAnalyzerError:
    return LogAnalyzerError(
        f"the scheduler at {engine.scheduler} was lost in the middle of the work", "see its log, and start again"
    )
