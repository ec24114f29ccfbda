"""What differs on Windows, as far as another system can show it: paths, pipes, commands and encodings."""

from __future__ import annotations

import errno
import io
import json
import ntpath
import os
import sys
from pathlib import Path, PureWindowsPath

import click
import logtext as log
import pytest

from loganalyzer.cli import on_error, streams
from loganalyzer.cli.group import main
from loganalyzer.cli.streams import Guarded
from loganalyzer.common import atomic_write
from loganalyzer.common.errors import ReportError
from loganalyzer.redact.masking import abbreviate_home
from loganalyzer.sources import inputs

COMMAND = r'C:\tools\notify.exe --title "two words" D:\new\table'


@pytest.mark.parametrize(
    ("is_windows", "expected"),
    [
        (True, COMMAND),
        (False, ["C:toolsnotify.exe", "--title", "two words", "D:newtable"]),
    ],
)
def test_a_backslash_of_a_command_is_part_of_a_path_on_windows(
    is_windows: bool, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_error, "IS_WINDOWS", is_windows)
    assert on_error.parse_command(f" {COMMAND} ") == expected
    assert on_error.parse_command(None) is None
    for text in ("", "  ", '"open'):
        with pytest.raises(click.UsageError, match="--on-error"):
            on_error.parse_command(text)


@pytest.mark.parametrize(
    ("is_windows", "code", "is_quiet"),
    [
        (True, errno.EINVAL, True), (True, errno.EPIPE, True), (True, errno.ENOSPC, False),
        (False, errno.EINVAL, False), (False, errno.EPIPE, True),
    ],
)  # fmt: skip
def test_a_reader_that_stopped_reading_is_no_error(
    is_windows: bool, code: int, is_quiet: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(streams, "IS_WINDOWS", is_windows)
    with (tmp_path / "out").open("w") as raw:

        def fail() -> None:
            raise OSError(code, "no")

        stream = Guarded(raw, "standard output", is_vital=True)
        assert stream.closed is False
        monkeypatch.setattr(stream, "_raw", _Failing(raw.fileno(), fail))
        if is_quiet:
            assert stream.write("text") == 4
            assert stream.write("more") == 4
        else:
            with pytest.raises(ReportError, match="standard output: cannot be written: no"):
                stream.write("text")
    assert Guarded(None, "standard output", is_vital=True).closed is True


class _Failing:
    """A stream that fails when it is flushed."""

    def __init__(self, number: int, fail: object) -> None:
        self._number, self.flush = number, fail

    def write(self, _text: str) -> None:
        """Takes the text."""

    def fileno(self) -> int:
        return self._number


class _Console(io.TextIOWrapper):
    """Standard output of this encoding that is a pipe, as Windows gives it to a program."""

    def __init__(self, encoding: str) -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, encoding=encoding, errors="strict", write_through=True)


def run(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> tuple[int, bytes, bytes]:
    """Exit status, standard output and standard error of a call whose streams have this encoding."""
    out, err = _Console(encoding), _Console(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(str(left.value.code)), out.raw_bytes.getvalue(), err.raw_bytes.getvalue()


@pytest.fixture
def foreign_log(tmp_path: Path) -> Path:
    path = tmp_path / "a_Q6_K.log"
    failure = "!!! Exception during processing !!! Ōsaka 😀 größer\n"
    path.write_text(log.BANNER + log.prompt(427) + log.ARRIVAL + log.run() + failure + log.EXECUTED, encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
def test_a_document_in_a_pipe_is_utf8_whatever_the_console(
    encoding: str, foreign_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = run(monkeypatch, encoding, str(foreign_log), "--no-html", "-q", "--json", "-")
    errors = [row["error"] for row in json.loads(out.decode("utf-8"))["prompts"]]
    assert "Ōsaka 😀 größer" in errors


@pytest.mark.parametrize(("encoding", "dash"), [("cp1252", "427–440"), ("cp437", r"427\u2013440")])
def test_text_on_a_console_of_windows_is_shown_as_far_as_it_has_the_letters(
    encoding: str, dash: str, foreign_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = run(monkeypatch, encoding, str(foreign_log), "--no-html")
    text = out.decode(encoding)
    assert (status, err) == (1, b"")
    assert dash in text
    assert "größer" in text
    assert r"\u014csaka \U0001f600" in text


def test_a_quantization_is_read_from_the_name_of_a_file_not_of_its_folder() -> None:
    for source in (r"C:\Q8_0\take3_Q6_K.txt", "/data/Q8_0/take3_Q6_K.txt", r"\\server\Q8_0\take3_Q6_K.txt"):
        found = log.analyze(log.prompt(369), name=source)
        assert found.runs["quantization"].to_list() == ["Q6_K"]
    found = log.analyze(log.prompt(369), name=r"C:\Q8_0\take3.txt")
    assert found.runs["quantization_source"].to_list() != ["filename"]


def test_two_spellings_of_one_file_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.log", "A.LOG"):
        (tmp_path / name).write_text("x\n")
    names = [str(tmp_path / name) for name in ("a.log", "A.LOG")]
    monkeypatch.setattr(os.path, "normcase", ntpath.normcase)
    assert list(inputs.find_inputs(names)) == names[:1]


def test_a_home_folder_of_windows_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: PureWindowsPath(r"C:\Users\Ada Lovelace"))
    assert abbreviate_home(r"C:\Users\Ada Lovelace\logs\a.log") == r"~\logs\a.log"
    assert abbreviate_home(r"C:\Users\Other\a.log") == r"C:\Users\Other\a.log"


def test_a_report_is_replaced_where_python_cannot_tell_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(_path: Path) -> bool:
        raise NotImplementedError("Path.is_mount() is unsupported on this system")

    monkeypatch.setattr(Path, "is_mount", unsupported)
    (tmp_path / "report.html").write_text("old")
    atomic_write.write(tmp_path / "report.html", "new")
    assert (tmp_path / "report.html").read_text() == "new"
