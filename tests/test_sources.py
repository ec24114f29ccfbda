"""Arguments become inputs; what leads nowhere is said once and costs the others nothing."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.sources import archives as packed_inputs
from loganalyzer.sources import inputs

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress}
TEXT = b"got prompt\nMultitalk mode: infinitetalk\n"


def content(name: str) -> bytes:
    (only,) = inputs.open_input(name)
    return b"".join(only.chunks)


def names(arguments: list[str]) -> list[str]:
    return [str(found) for found in inputs.find_inputs(arguments)]


def test_a_folder_gives_its_logs_at_any_depth_in_order(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("b/c/z.log", "a.txt", "b/y.log.gz", "b/picture.png"):
        (tmp_path / name).write_bytes(TEXT)
    assert names([str(tmp_path)]) == [str(tmp_path / name) for name in ("a.txt", "b/c/z.log", "b/y.log.gz")]


@pytest.mark.parametrize(
    "name",
    [
        "c.log.1",
        "c.log.2.gz",
        "c.log-20251111",
        "c.log.2025-11-11T10-00",
        "c.prev.log",
        "c.txt.old",
        "c.err",
        "c.stderr",
    ],
)
def test_older_logs_under_the_names_that_rotation_gives_are_found(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(TEXT)
    assert names([str(tmp_path)]) == [str(tmp_path / name)]


def test_files_in_a_folder_that_could_be_logs_and_are_not_called_so_are_named(tmp_path: Path) -> None:
    for name in ("a.log", "nohup", "b.json", "c.md", "d.csv", "e.png", ".hidden", "f.log.py"):
        (tmp_path / name).write_bytes(TEXT)
    first, note = inputs.find_inputs([str(tmp_path)])
    assert first == str(tmp_path / "a.log")
    assert isinstance(note, SkippedError)
    assert note.message == f"{tmp_path}: skipped files without a log's extension: b.json, c.md, d.csv and 1 more"


def test_a_link_to_a_folder_elsewhere_is_named_and_not_followed(tmp_path: Path) -> None:
    for place in ("logs", "real"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.log").write_bytes(TEXT)
    (tmp_path / "logs" / "today").symlink_to(tmp_path / "real")
    first, note = inputs.find_inputs([str(tmp_path / "logs")])
    assert first == str(tmp_path / "logs" / "a.log")
    assert isinstance(note, SkippedError)
    assert note.message == f"{tmp_path}/logs/today: links to folders are not followed; pass this one to read it"


def test_a_folder_that_fits_a_pattern_is_searched_as_if_the_shell_had_named_it(tmp_path: Path) -> None:
    (tmp_path / "sub.log").mkdir()
    for name in ("a.log", "sub.log/b.log"):
        (tmp_path / name).write_bytes(TEXT)
    assert names([str(tmp_path / "*")]) == [str(tmp_path / "a.log"), str(tmp_path / "sub.log" / "b.log")]


def test_a_pattern_that_the_shell_left_alone_is_expanded(tmp_path: Path) -> None:
    for name in ("1.log", "2.log", "3.txt"):
        (tmp_path / name).write_bytes(TEXT)
    assert names([str(tmp_path / "*.log")]) == [str(tmp_path / "1.log"), str(tmp_path / "2.log")]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(TEXT)
    assert names([str(log), str(tmp_path), str(tmp_path / "*.log")]) == [str(log)]


@pytest.mark.parametrize("missing", ["*.nothing", "empty"])
def test_what_holds_no_log_is_an_error_beside_the_others(missing: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.log").write_bytes(TEXT)
    found = list(inputs.find_inputs([str(tmp_path / missing), str(tmp_path / "a.log")]))
    assert isinstance(found[0], SourceError)
    assert missing in found[0].message
    assert found[1:] == [str(tmp_path / "a.log")]


def test_a_missing_file_names_itself_and_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.log: cannot be read: No such file"):
        content(str(tmp_path / "gone.log"))


@pytest.mark.parametrize(("suffix", "pack"), PACKERS.items())
def test_packed_logs_read_like_plain_ones(suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / f"a.log{suffix}"
    path.write_bytes(pack(TEXT))
    assert content(str(path)) == TEXT


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"not packed at all"])
def test_a_damaged_archive_is_one_clear_error(suffix: str, damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / f"a.log{suffix}"
    path.write_bytes(damage(PACKERS[suffix](TEXT * 100)))
    with pytest.raises(SourceError, match="cannot be read"):
        content(str(path))


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_inputs, "MAX_UNPACKED_BYTES", 1 << 20)
    path = tmp_path / "bomb.log.gz"
    path.write_bytes(gzip.compress(b"\0" * (8 << 20)))
    with pytest.raises(SourceError, match=r"bomb\.log\.gz: unpacks to more than"):
        content(str(path))


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return path


def test_an_archive_gives_its_logs_under_names_of_their_own(tmp_path: Path) -> None:
    path = archive(tmp_path / "logs.zip", {"b/2.log": TEXT, "1.txt": b"x\n", "picture.png": b"\x89PNG"})
    assert [source.name for source in inputs.open_input(str(path))] == [f"{path}/1.txt", f"{path}/b/2.log"]


def test_members_that_are_packed_again_are_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path / "logs.zip", {f"a.log{suffix}": pack(TEXT) for suffix, pack in PACKERS.items()})
    assert [b"".join(source.chunks) for source in inputs.open_input(str(path))] == [TEXT] * len(PACKERS)


def test_an_archive_inside_an_archive_is_one_clear_error_beside_the_other_members(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", {"b.log": TEXT})
    path = archive(tmp_path / "outer.zip", {"a.log": TEXT, "inner.zip": inner.read_bytes(), "z.log": TEXT})
    assert said([str(path)]) == [f"{path}/inner.zip: archives inside archives are not read"]
    outer = [source for source in inputs.open_input(str(path)) if not source.name.endswith("inner.zip")]
    assert [source.name for source in outer] == [f"{path}/a.log", f"{path}/z.log"]


def test_members_of_one_name_are_all_read(tmp_path: Path) -> None:
    path = tmp_path / "nights.zip"
    for text in (TEXT, b"another night\n"):
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as target:
            warnings.simplefilter("ignore")
            target.writestr("comfyui.log", text)
    read = {source.name: b"".join(source.chunks) for source in inputs.open_input(str(path))}
    assert read == {f"{path}/comfyui.log": TEXT, f"{path}/comfyui.log (2)": b"another night\n"}


def test_members_that_could_be_logs_and_are_not_called_so_are_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "logs.zip", {"a.log": TEXT, "b": TEXT, "c.png": b"x"})
    _, note = inputs.open_input(str(path))
    assert isinstance(note, SkippedError)
    assert note.message == f"{path}: skipped files without a log's extension: b"


@pytest.mark.parametrize("members", [{}, {"picture.png": b"x"}])
def test_an_archive_without_a_log_says_so(members: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no logs in this archive"):
        content(str(archive(tmp_path / "a.zip", members)))


def test_a_file_that_only_claims_to_be_an_archive_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK nonsense")
    with pytest.raises(SourceError, match="cannot be read"):
        content(str(tmp_path / "a.zip"))


def test_a_zip_bomb_is_refused_over_all_its_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_inputs, "MAX_UNPACKED_BYTES", 1 << 20)
    path = archive(tmp_path / "bomb.zip", {f"{k}.log": b"\0" * (600 << 10) for k in range(3)})
    with pytest.raises(SourceError, match="unpacks to more than"):
        [b"".join(member.chunks) for member in inputs.open_input(str(path))]


def said(arguments: list[str]) -> list[str]:
    """What is said of arguments that cannot be read, and nothing of the others."""
    messages = []
    for found in inputs.find_inputs(arguments):
        try:
            if isinstance(found, SourceError):
                raise found
            for source in inputs.open_input(found):
                b"".join(source.chunks)
        except SourceError as error:
            messages.append(str(error).splitlines()[0])
    return messages


def test_a_directory_called_like_a_log_is_searched_and_a_link_to_a_folder_above_is_not(tmp_path: Path) -> None:
    (tmp_path / "x.log").mkdir()
    (tmp_path / "x.log" / "a.log").write_bytes(TEXT)
    (tmp_path / "x.log" / "loop").symlink_to(tmp_path)
    assert names([str(tmp_path)]) == [str(tmp_path / "x.log" / "a.log")]
    assert names([str(tmp_path / "x.log")]) == [str(tmp_path / "x.log" / "a.log")]
    assert names([str(tmp_path / "*.log"), str(tmp_path)]) == [str(tmp_path / "x.log" / "a.log")]


def test_an_empty_directory_called_like_a_log_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "x.log").mkdir()
    assert said([str(tmp_path / "x.log")]) == [f"{tmp_path}/x.log: no logs in this folder"]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder of things called like logs that are none, and of one log."""
    (tmp_path / "a.log").write_bytes(TEXT)
    (tmp_path / "dead.log").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.log").symlink_to(tmp_path / "loop.log")
    (tmp_path / "zero.log").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.log")
    return tmp_path


ODD = ["dead.log: cannot be read: No such file", "loop.log: cannot be read: Too many levels",
       "pipe.log: not a regular file", "zero.log: not a regular file"]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("argument", [[""], ["*.log"], ["dead.log", "loop.log", "a.log", "pipe.log", "zero.log"]])
def test_links_to_nothing_pipes_and_devices_are_each_said_once_and_hang_nothing(odd: Path, argument: list[str]) -> None:
    messages = said([str(odd / name) for name in argument])
    assert [message.startswith(f"{odd}/{start}") for message, start in zip(messages, ODD, strict=True)] == [True] * 4


def test_a_pipe_that_a_shell_hands_over_is_read() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, TEXT)
    os.close(theirs)
    assert content(f"/dev/fd/{ours}") == TEXT
    os.close(ours)


def test_a_folder_that_may_not_be_entered_is_said_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, since tests may run with every right."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.log").write_bytes(TEXT)
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert said([str(tmp_path)]) == [f"{tmp_path}/closed: cannot be read: Permission denied"]
    assert said([str(tmp_path / "closed")]) == [f"{tmp_path}/closed: cannot be read: Permission denied"]
    assert str(tmp_path / "a.log") in names([str(tmp_path)])


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_bytes(TEXT)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert said([str(tmp_path / "a.log")]) == [f"{tmp_path}/a.log: cannot be read: Permission denied"]
    monkeypatch.setattr(Path, "stat", refuse)
    assert said([str(tmp_path / "a.log")]) == [f"{tmp_path}/a.log: cannot be read: Permission denied"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("n" * 300 + ".log", "cannot be read: File name too long"),
        ("n" * 300 + "*.log", "no file matches"),
        ("a\0b.log", "a file name cannot contain a NUL character"),
        ("gone\n.log", "cannot be read: No such file"),
        ("gone[\x1b.log", "no file matches"),
    ],
)
def test_a_name_that_no_file_has_is_one_line(name: str, reason: str) -> None:
    (message,) = said([name])
    assert reason in message
    assert message.isprintable()


NAMES = ["new\nline.log", "\x1b[31mred.log", "-dash.log", "[x].log", "*.log", "?.log", "n" * 250 + ".log", "tab\t.log",
         "\u202eevil.log", "<b>&'\".log", "a`|*_.log", " .log", "http:.log"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_existing_name_with_any_character_is_read_under_that_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(TEXT)
    assert names([name]) == [name]
    assert content(name) == TEXT
    assert next(iter(inputs.open_input(name))).name == name


def test_bytes_that_are_no_text_in_a_name_are_shown_as_escapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"bad\xff.log")
    try:
        Path(name).write_bytes(TEXT)
    except OSError:
        pytest.skip("this file system takes no such name")
    assert names(["."]) == [name]
    assert next(iter(inputs.open_input(name))).name == r"bad\xff.log"


def test_an_archive_whose_index_cannot_be_decoded_is_one_clear_error(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"ü.log": TEXT})
    path.write_bytes(path.read_bytes().replace("ü".encode(), b"\xff\xff"))
    (message,) = said([str(path)])
    assert message.startswith(f"{path}: cannot be read: ")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_ctrl_c_is_heard_while_standard_input_is_silent() -> None:
    reading = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import polars as pl; from loganalyzer.sources import inputs\n"
        "pl.select(pl.lit(1)); print('ready', flush=True)\n"
        "try: [b''.join(given.chunks) for given in inputs.open_input('-')]\n"
        "except KeyboardInterrupt: print('stopped', flush=True)\n"
    )
    silent, writer = os.pipe()
    with subprocess.Popen([sys.executable, "-c", reading], stdin=silent, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.5)  # until it reads
        child.send_signal(signal.SIGINT)
        try:
            assert child.wait(timeout=300) == 0
            assert child.stdout.readline() == "stopped\n"
        finally:
            os.close(writer)
            child.kill()
    os.close(silent)


def test_standard_input_that_is_closed_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert said(["-"]) == ["-: cannot be read: standard input is closed"]
