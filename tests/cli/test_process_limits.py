"""Limits of the process with which no log can be read are one message and exit code 2."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import logtext as log
import pytest

from loganalyzer.cli import process_limits
from loganalyzer.common.errors import LogAnalyzerError


def limited_to(size: int) -> Callable[[int], tuple[int, int]]:
    return lambda _: (size, size)


def test_the_least_address_space_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", limited_to(process_limits.LEAST_ADDRESS_SPACE))
    process_limits.check()


def test_one_byte_less_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", limited_to(process_limits.LEAST_ADDRESS_SPACE - 1))
    with pytest.raises(LogAnalyzerError, match="not enough memory"):
        process_limits.check()


@pytest.mark.parametrize("threads", ["1", "64"])
def test_a_number_of_threads_is_taken(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", threads)
    process_limits.check()


@pytest.mark.parametrize("threads", ["0", "-1", "", "two", "٣"])
def test_no_number_of_threads_is_refused(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", threads)
    with pytest.raises(LogAnalyzerError, match="not a number of threads"):
        process_limits.check()


def test_a_process_without_memory_ends_with_one_message(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text(log.prompt(153))
    limit = process_limits.LEAST_ADDRESS_SPACE // 2
    result = subprocess.run(
        [sys.executable, "-m", "loganalyzer", "run.log"],
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("loganalyze: not enough memory: this process is limited to 768 MiB")
    assert result.stdout == ""
