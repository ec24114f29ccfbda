"""How far the reading has come is shown to whom it may help, and to nobody else."""

from __future__ import annotations

import gzip
import io
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import logtext as log
import pytest

from loganalyzer.cli import progress

HANGS_S = 300
"""After so long without an answer a process hangs; no machine is that slow."""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A timer that a test lets ring."""

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self.seconds, self.ring = seconds, ring
        self.daemon = self.is_started = self.is_cancelled = False

    def start(self) -> None:
        self.is_started = True

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made, stdin=io.StringIO()))
    monkeypatch.setattr(progress, "PATIENCE_S", 0.01)
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return made


def drawn(terminal: Terminal, paths: list[str], name: str, size: int) -> str:
    """What stands on the terminal once so much of an input is read."""
    with progress.show(paths, quiet=False) as told:
        assert told is not None
        told(name, size)
        patience = time.monotonic() + HANGS_S
        while "MB/s" not in terminal.getvalue() and "?" not in terminal.getvalue():
            assert time.monotonic() < patience
            time.sleep(0.01)
    return terminal.getvalue()


@contextmanager
def reading_standard_input(stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """A real process that has a log on its standard input, and reads on until that is closed."""
    command = [sys.executable, "-m", "loganalyzer", "-", "--no-html"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment
    ) as process:
        os.close(stderr)
        assert process.stdin
        process.stdin.write(log.prompt(369).encode())
        process.stdin.flush()
        yield process
        assert process.stdout
        assert "1 run in 1 file" in process.stdout.read().decode()


def rest_of(descriptor: int) -> str:
    """What is still written there, until nobody writes any more."""
    said = b""
    try:
        while more := os.read(descriptor, 4096):
            said += more
    except OSError:  # how a terminal says that nobody writes to it any more
        pass
    finally:
        os.close(descriptor)
    return said.decode()


def test_a_long_input_shows_its_progress_on_a_terminal_and_leaves_nothing_behind() -> None:
    ours, theirs = pty.openpty()
    with reading_standard_input(theirs) as process:
        said = ""
        while "MB/s" not in said and "/?" not in said:  # the input is not at its end before the bar is there
            said += os.read(ours, 4096).decode()
        assert process.stdin
        process.stdin.close()
        said += rest_of(ours)
    assert said.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))


def test_nothing_is_shown_into_a_pipe() -> None:
    ours, theirs = os.pipe()
    with reading_standard_input(theirs) as process:
        time.sleep(progress.PATIENCE_S + 0.5)  # a slow machine only makes it longer
        assert process.stdin
        process.stdin.close()
        assert rest_of(ours) == ""


def test_nothing_is_shown_for_work_that_ends_before_the_patience_does(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks: list[Clock] = []
    monkeypatch.setattr(progress, "PATIENCE_S", 1.0)
    monkeypatch.setattr(progress, "Timer", lambda *args: clocks.append(Clock(*args)) or clocks[-1])
    with progress.show(["-"], quiet=False) as told:
        assert told is not None
        told("-", 500_000)
    (clock,) = clocks
    assert (clock.seconds, clock.is_started, clock.is_cancelled) == (1.0, True, True)
    clock.ring()  # a timer that fires in the same moment draws nothing either
    assert terminal.getvalue() == ""


def test_it_is_shown_from_the_moment_the_patience_ends(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks: list[Clock] = []
    monkeypatch.setattr(progress, "Timer", lambda *args: clocks.append(Clock(*args)) or clocks[-1])
    with progress.show(["-"], quiet=False) as told:
        assert told is not None
        assert terminal.getvalue() == ""
        clocks[0].ring()
        told("-", 500_000)
    assert terminal.getvalue() != ""


def test_the_total_is_the_size_of_the_plain_files(terminal: Terminal, tmp_path: Path) -> None:
    for name in ("1.log", "2.log"):
        (tmp_path / name).write_bytes(b"x" * 1_000_000)
    text = drawn(terminal, [str(tmp_path)], str(tmp_path / "1.log"), 500_000)
    assert "0.5/2.0 MB" in text
    assert "1.log" in text


@pytest.mark.parametrize("name", ["-", "a.log.gz"])
def test_what_shows_its_size_only_while_it_is_read_has_no_total(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(b"x"))
    assert progress.size_of([name if name == "-" else str(tmp_path / name)]) is None


def test_inputs_that_cannot_be_read_add_nothing_to_the_total(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"x" * 10)
    (tmp_path / "empty").mkdir()
    assert progress.size_of([str(tmp_path / name) for name in ("gone.log", "empty", "a.log")]) == 10


def test_a_name_neither_steers_the_terminal_nor_is_taken_as_markup(terminal: Terminal) -> None:
    text = drawn(terminal, ["-"], "[red]\x1b]0;owned\x07\n.log", 500_000)
    assert "[red]\\x1b]0;owned\\x07\\n.log" in text
    assert "\x07" not in text


def test_quiet_shows_nothing(terminal: Terminal) -> None:
    with progress.show(["a.log"], quiet=True) as told:
        assert told is None
    assert terminal.getvalue() == ""


def test_a_failure_stops_the_drawing(terminal: Terminal) -> None:
    def interrupted() -> None:
        drawn(terminal, ["-"], "-", 500_000)
        with progress.show(["-"], quiet=False):
            time.sleep(0.2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    seen = terminal.getvalue()
    assert seen
    time.sleep(0.3)
    assert terminal.getvalue() == seen


def test_the_drawing_costs_nothing_where_it_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(log.prompt(369))
    code = (
        "import sys\n"
        "from loganalyzer.cli.group import main\n"
        "main(['a.log', '--no-html'], standalone_mode=False)\n"
        "sys.exit('rich.progress' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
