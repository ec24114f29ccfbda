"""How far the reading has come is shown to whom it may help, and to nobody else."""

from __future__ import annotations

import gzip
import io
import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import logtext as log
import pytest

from loganalyzer.cli import progress

LONG, SHORT = 1.6, 0.0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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
    with progress.shown(paths, quiet=False) as told:
        assert told is not None
        told(name, size)
        patience = time.monotonic() + 10
        while "MB/s" not in terminal.getvalue() and "?" not in terminal.getvalue():
            assert time.monotonic() < patience
            time.sleep(0.01)
    return terminal.getvalue()


def standard_error(words: list[str], *, on_terminal: bool, lasting: float) -> str:
    """What a real process says there while it reads an input that takes so long to come."""
    ours, theirs = pty.openpty() if on_terminal else os.pipe()
    command = [sys.executable, "-m", "loganalyzer", *words, "--no-html"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        assert process.stdin
        process.stdin.write(log.prompt(369).encode())
        process.stdin.flush()
        time.sleep(lasting)
        process.stdin.close()
        said = b""
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:  # how a terminal says that nobody writes to it any more
            pass
        finally:
            os.close(ours)
        assert process.stdout
        assert "1 run in 1 file" in process.stdout.read().decode()
    return said.decode()


def test_a_long_input_shows_its_progress_on_a_terminal_and_leaves_nothing_behind() -> None:
    said = standard_error(["-"], on_terminal=True, lasting=3 * LONG)
    assert "MB/s" in said or "/?" in said
    assert said.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))


@pytest.mark.parametrize(
    ("words", "on_terminal", "lasting"),
    [(["-"], False, LONG), (["-"], True, SHORT)],
    ids=["piped", "short"],
)
def test_nothing_is_shown_into_a_pipe_or_for_a_short_input(words: list[str], on_terminal: bool, lasting: float) -> None:
    assert standard_error(words, on_terminal=on_terminal, lasting=lasting) == ""


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
    with progress.shown(["a.log"], quiet=True) as told:
        assert told is None
    assert terminal.getvalue() == ""


def test_a_failure_stops_the_drawing(terminal: Terminal) -> None:
    def interrupted() -> None:
        drawn(terminal, ["-"], "-", 500_000)
        with progress.shown(["-"], quiet=False):
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
