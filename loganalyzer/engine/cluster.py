"""Maps batches over a Dask cluster. Use only a cluster that you trust.

Dask's processes exchange pickled functions and tables. The tool unpickles nothing else.
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
    InputPath,
    get_versions,
    make_batches,
    tabulate_batch,
    version_mismatch,
)
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.local import open_inputs
from loganalyzer.engine.merge import merge_tables
from loganalyzer.engine.read import Progress, tabulate
from loganalyzer.settings.model import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client, Future

_IN_FLIGHT_PER_THREAD: Final = 2
_MIN_IN_FLIGHT: Final = 8
"""Batches that the cluster works on at a time: this many per thread, and at least this many in total."""
_MAX_FAILING_INPUTS: Final = 20
"""After this many failures of single inputs, the inputs are no longer the likely cause."""
_POLL_S: Final = 2.0
"""Seconds between checks for remaining workers while no result arrives."""


_LOGGERS: Final = ("distributed", "distributed.client")


class BatchFunction(Protocol):
    """The function that a worker runs. It must be importable on the worker."""

    def __call__(self, batch: Batch, settings: Settings, expected_versions: Mapping[str, str]) -> Tables:
        """Reads a batch into tables."""


@dataclass(frozen=True)
class DaskEngine:
    """Workers read the inputs themselves, under the same paths or URLs. Standard input (`-`) is read in this process.

    Attributes:
        scheduler: its address, e.g. `tcp://10.0.0.5:8786`.
        batch_bytes, batch_inputs: limits of a batch; they do not change the tables.
        timeout_s: seconds to wait for the scheduler, for the first worker, and for a new worker after all were lost.
        retries: how often a batch is retried after an unexpected failure.
        unit: the function that workers run.
    """

    scheduler: str
    batch_bytes: int = BATCH_BYTES
    batch_inputs: int = BATCH_INPUTS
    timeout_s: float = 20.0
    retries: int = 2
    unit: BatchFunction = tabulate_batch

    def tables(
        self, names: Iterable[str | SourceError], settings: Settings, progress: Progress | None = None
    ) -> Tables:
        """See `Engine`.

        Raises:
            LogAnalyzerError: Dask is not installed; the scheduler or its workers cannot be reached, or have another
                version; a pattern or schedule file is invalid.
        """
        if find_spec("distributed") is None:
            raise LogAnalyzerError("--engine dask needs Dask", install_hint("distributed"))
        import distributed  # noqa: F401 -- its import sets loggers' levels, so it must precede `_silence_loggers`

        settings = replace(settings, patterns=tuple(folder.absolute() for folder in settings.patterns))
        with _silence_loggers(), _connect(self.scheduler, self.timeout_s) as client:
            expected_versions = get_versions(settings)
            _check_versions(client, expected_versions, self)
            work = _Job(client, self, settings, expected_versions, progress)
            results = work.run(make_batches(names, self.batch_bytes, self.batch_inputs))
        return merge_tables(results or [tabulate((), settings)])


def _connect(address: str, timeout_s: float) -> Client:
    from distributed import Client

    try:
        asyncio.run(_wait_for_answer(address, timeout_s))
        return Client(address, timeout=timeout_s)
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        why = f"no answer in {timeout_s:g} s" if isinstance(error, asyncio.TimeoutError) else _first_line(error)
        raise LogAnalyzerError(
            f"cannot reach the scheduler at {address}: {why}",
            "start one with `dask scheduler`, workers with `dask worker ADDRESS`, and pass ADDRESS to --scheduler",
        ) from None


async def _wait_for_answer(address: str, timeout_s: float) -> None:
    """Waits for any answer from the scheduler. Dask's client waits minutes for a port that accepts and stays silent."""
    from distributed.comm import connect

    comm = await asyncio.wait_for(connect(address, timeout=timeout_s), timeout_s)
    await comm.close()


@contextmanager
def _silence_loggers() -> Iterator[None]:
    """Silences Dask's client, which logs tracebacks of errors that this module reports in one message."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_versions(client: Client, expected_versions: Mapping[str, str], engine: DaskEngine) -> None:
    """Waits for a worker and rejects workers with other versions. Workers that join later check themselves."""
    try:
        client.wait_for_workers(1, timeout=engine.timeout_s)
    except TimeoutError:
        raise _no_workers_error(engine) from None
    packages = [DISTRIBUTION, "polars"]
    for worker, versions in client.get_versions(packages=packages)["workers"].items():
        for name in packages:
            if isinstance(versions, dict) and versions["packages"].get(name) != expected_versions[name]:
                raise version_mismatch(name, expected_versions[name], versions["packages"].get(name), worker)


@dataclass
class _Job:
    """The batches that the cluster works on, and their results."""

    client: Client
    engine: DaskEngine
    settings: Settings
    expected_versions: Mapping[str, str]
    progress: Progress | None
    results: dict[int, Tables] = field(default_factory=dict)
    running: dict[Future, tuple[int, Batch]] = field(default_factory=dict)
    failed: dict[int, tuple[Batch, str]] = field(default_factory=dict)

    def run(self, batches: Iterable[Batch]) -> list[Tables]:
        """The tables of all batches, in order. Retries and lost workers never count a batch twice."""
        ahead = max(_MIN_IN_FLIGHT, _IN_FLIGHT_PER_THREAD * sum(self.client.nthreads().values()))
        for number, batch in enumerate(batches):
            if batch.is_local:
                names = [item.name if isinstance(item, InputPath) else item for item in batch.items]
                self.results[number] = tabulate(open_inputs(names), self.settings, progress=self.progress)
                continue
            while len(self.running) >= ahead:
                self._collect_results()
            self._submit(number, batch)
        while self.running:
            self._collect_results()
        self._retry_failed()
        return [self.results[number] for number in sorted(self.results)]

    def _submit(self, number: int, batch: Batch) -> None:
        future = self.client.submit(
            self.engine.unit, batch, self.settings, self.expected_versions, retries=self.engine.retries, pure=False
        )
        self.running[future] = number, batch

    def _collect_results(self) -> None:
        """Waits for at least one result, then stores every result that is ready."""
        for future in self._ready():
            number, batch = self.running.pop(future)
            try:
                self.results[number] = future.result()
            except LogAnalyzerError:
                raise
            except CancelledError:
                raise _connection_lost_error(self.engine) from None
            except Exception as error:  # noqa: BLE001 -- whatever happened to a worker, the other batches continue
                self.failed[number] = batch, _describe_failure(error)
            else:
                self._report_progress(self.results[number])
            future.release()

    def _ready(self) -> list[Future]:
        from distributed import wait

        deadline = time.monotonic() + self.engine.timeout_s
        while True:
            try:
                return list(wait(list(self.running), timeout=_POLL_S, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                if self._has_workers():
                    deadline = time.monotonic() + self.engine.timeout_s
                elif time.monotonic() > deadline:
                    raise _no_workers_error(self.engine) from None
            except (CancelledError, OSError):
                raise _connection_lost_error(self.engine) from None

    def _has_workers(self) -> bool:
        try:
            return bool(self.client.nthreads())
        except (CancelledError, OSError):
            return False

    def _retry_failed(self) -> None:
        """Retries failed batches input by input, alone on the cluster, so that a dying worker identifies its input."""
        failing = 0
        failed, self.failed = self.failed, {}
        for number, (batch, reason) in sorted(failed.items()):
            parts: list[Tables] = []
            for alone in batch.single_input_batches:
                why = reason if failing >= _MAX_FAILING_INPUTS else self._retry_alone(number, alone)
                if why:
                    failing += 1
                    parts.append(tabulate((_failed_input(item, why) for item in alone.items), self.settings))
                else:
                    parts.append(self.results[number])
            self.results[number] = merge_tables(parts)

    def _retry_alone(self, number: int, alone: Batch) -> str | None:
        """The reason for another failure, or None: then `results` has its tables."""
        self.failed.pop(number, None)
        self._submit(number, alone)
        while self.running:
            self._collect_results()
        return self.failed[number][1] if number in self.failed else None

    def _report_progress(self, part: Tables) -> None:
        if self.progress:
            sources = part.frames["sources"]
            for name, size in zip(sources["source"], sources["bytes"], strict=True):
                self.progress(name, size)


def _failed_input(item: InputPath | SourceError, why: str) -> SourceError:
    if isinstance(item, SourceError):
        return item
    return SourceError(f"{item.name}: could not be analyzed: {why}", "the other inputs are still analyzed")


def _describe_failure(error: Exception) -> str:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "every worker that tried it died; it may need more memory than the workers have"
    return f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _no_workers_error(engine: DaskEngine) -> LogAnalyzerError:
    return LogAnalyzerError(
        f"the scheduler at {engine.scheduler} has had no workers for {engine.timeout_s:g} s",
        f"start workers with `dask worker {engine.scheduler}`",
    )


def _connection_lost_error(engine: DaskEngine) -> LogAnalyzerError:
    return LogAnalyzerError(
        f"lost the connection to the scheduler at {engine.scheduler}", "check the scheduler's log, then start again"
    )
