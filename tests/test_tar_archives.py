"""Tar archives give their logs as zip archives do; damage and hostile headers cost a message."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.sources import archives, inputs, tar_archives

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"got prompt\nMultitalk mode: infinitetalk\n"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes, ".tar.gz": gzip.compress, ".tgz": gzip.compress, ".tar.bz2": bz2.compress, ".tbz": bz2.compress,
    ".tbz2": bz2.compress, ".tar.xz": lzma.compress, ".txz": lzma.compress, ".tar.zst": zstd.compress,
    ".tzst": zstd.compress, ".TAR.GZ": gzip.compress,
}  # fmt: skip
LINKS = {
    "sym.log": tarfile.SYMTYPE, "hard.log": tarfile.LNKTYPE,
    "device.log": tarfile.CHRTYPE, "pipe.log": tarfile.FIFOTYPE,
}  # fmt: skip


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    info.linkname = "a.log" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    return info


def tar(members: dict[str, bytes], special: dict[str, bytes] | None = None, form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as made:
        for name, data in members.items():
            made.addfile(member(name, size=len(data)), io.BytesIO(data))
        for name, kind in (special or {}).items():
            made.addfile(member(name, kind))
    return target.getvalue()


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def outcome(name: str) -> tuple[dict[str, bytes], list[str]]:
    """The contents by member, and what is said."""
    contents: dict[str, bytes] = {}
    said: list[str] = []
    try:
        for item in inputs.open_input(name):
            if isinstance(item, SourceError):
                said.append(item.message)
                continue
            read: list[bytes] = []
            try:
                read.extend(item.chunks)
            except SourceError as error:
                said.append(error.message)
            contents[item.name.removeprefix(f"{name}/")] = b"".join(read)
    except SourceError as error:
        said.append(error.message)
    return contents, said


@pytest.mark.parametrize(("suffix", "pack"), PACKERS.items())
def test_each_log_of_an_archive_is_an_input_of_its_own(
    suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data = tar({"b/2.log": TEXT, "1.txt": b"x\n", "picture.png": b"\x89PNG", "z.log.gz": gzip.compress(TEXT, mtime=0)})
    contents, said = outcome(written(tmp_path / f"logs{suffix}", pack(data)))
    assert contents == {"1.txt": b"x\n", "b/2.log": TEXT, "z.log.gz": TEXT}
    assert list(contents) == sorted(contents)
    assert said == []


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_are_read_in_every_format_of_tar(form: int, tmp_path: Path) -> None:
    name = "nächte/" + "n" * 90 + ".log"
    contents, said = outcome(written(tmp_path / "a.tar", tar({name: TEXT}, form=form)))
    assert (contents, said) == ({name: TEXT}, [])


def test_an_archive_in_a_folder_counts_as_logs(tmp_path: Path) -> None:
    names = [written(tmp_path / f"{k}{suffix}", b"") for k, suffix in enumerate((".tar", ".tgz", ".zip"))]
    assert list(inputs.find_inputs([str(tmp_path)])) == names


def test_a_path_out_of_the_archive_is_only_a_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    contents, _ = outcome(written(tmp_path / "in" / "a.tar", tar({"../evil.log": TEXT, "/tmp/abs.log": TEXT})))
    assert contents == {"../evil.log": TEXT, "/tmp/abs.log": TEXT}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar", "in"]


def test_members_of_one_name_are_all_read(tmp_path: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as made:
        for data in (TEXT, b"another night\n"):
            made.addfile(member("c.log", size=len(data)), io.BytesIO(data))
    contents, said = outcome(written(tmp_path / "a.tar", target.getvalue()))
    assert (contents, said) == ({"c.log": TEXT, "c.log (2)": b"another night\n"}, [])


def test_links_and_devices_are_skipped_and_named(tmp_path: Path) -> None:
    name = written(tmp_path / "a.tar", tar({"a.log": TEXT}, {**LINKS, "lib.so": tarfile.SYMTYPE}))
    contents, said = outcome(name)
    assert contents == {"a.log": TEXT}
    assert said == [f"{name}: skipped links and devices: device.log, hard.log, pipe.log and 1 more"]


def test_attributes_of_macos_are_no_logs(tmp_path: Path) -> None:
    contents, said = outcome(written(tmp_path / "a.tar", tar({"a.log": TEXT, "./._a.log": b"\0\5\x16\7"})))
    assert (contents, said) == ({"a.log": TEXT}, [])


def test_an_archive_inside_an_archive_costs_the_other_members_nothing(tmp_path: Path) -> None:
    name = written(tmp_path / "a.tar", tar({"a.log": TEXT, "in.tgz": gzip.compress(tar({"b.log": TEXT}), mtime=0)}))
    contents, said = outcome(name)
    assert contents == {"a.log": TEXT, "in.tgz": b""}
    assert said == [f"{name}/in.tgz: archives inside archives are not read"]


@pytest.mark.parametrize("members", [{}, {"picture.png": b"x"}])
def test_an_archive_without_a_log_says_so(members: dict[str, bytes], tmp_path: Path) -> None:
    name = written(tmp_path / "a.tar", tar(members))
    assert outcome(name) == ({}, [f"{name}: no logs in this archive"])


BIG = TEXT * 100
WHOLE = tar({"1.log": TEXT, "2.log": BIG, "3.log": TEXT})
CUT_GZIP = gzip.compress(WHOLE, mtime=0)[:-12]


def headless(data: bytes) -> bytes:
    """The archive with the third header damaged."""
    place = data.rindex(b"3.log")
    return data[:place] + b"\xff" * 100 + data[place + 100 :]


@pytest.mark.parametrize(
    ("data", "suffix", "read", "reason"),
    [
        (WHOLE[:1000], ".tar", {"1.log": TEXT}, "cannot be read: unexpected end of data"),
        (WHOLE[:3000], ".tar", {"1.log": TEXT, "2.log": BIG[: 3000 - 1536]}, "cannot be read: unexpected end of data"),
        (headless(WHOLE), ".tar", {"1.log": TEXT, "2.log": BIG}, "cannot be read: the header at byte 5,632 is damaged"),
        (CUT_GZIP, ".tgz", {"1.log": TEXT, "2.log": BIG, "3.log": TEXT}, "end-of-stream marker"),
        (b"no tar at all" * 100, ".tar", {}, "cannot be read: "),
        (b"no gzip at all", ".tar.gz", {}, "cannot be read: Not a gzipped file"),
        (b"", ".tar", {}, "cannot be read: empty file"),
        (gzip.compress(b"no tar", mtime=0)[:-9], ".tgz", {}, "cannot be read: "),
    ],
)  # fmt: skip
def test_a_damaged_archive_gives_the_logs_before_the_damage_and_a_message(
    data: bytes, suffix: str, read: dict[str, bytes], reason: str, tmp_path: Path
) -> None:
    name = written(tmp_path / f"a{suffix}", data)
    contents, said = outcome(name)
    assert {key: value for key, value in contents.items() if value} == read
    assert said
    assert all(message.startswith(name) for message in said)
    assert reason in said[-1]


def test_an_archive_without_its_end_mark_may_lack_logs_and_says_so(tmp_path: Path) -> None:
    name = written(tmp_path / "a.tar", WHOLE[: WHOLE.rindex(TEXT) // 512 * 512 + 512])
    contents, (note,) = outcome(name)
    assert list(contents) == ["1.log", "2.log", "3.log"]
    assert note == f"{name}: the archive ends without an end mark, so its last logs may be missing"
    assert isinstance(list(inputs.open_input(name))[-1], SkippedError)


def sized(data: bytes, size: bytes) -> bytes:
    """The archive with another size in its first header, and the checksum that fits."""
    head = bytearray(data[:512])
    head[124:136] = size
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + data[512:]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (sized(WHOLE, b"\x80" + b"\x7f" * 11), ""),
        (sized(WHOLE, b"\xff" * 10 + b"\xfb\xff"), ""),
        (sized(WHOLE, b"77777777777\0"), "unexpected end of data"),
        (sized(tar({"n" * 200 + ".log": TEXT}, form=tarfile.GNU_FORMAT), b"77777777777\0"), "a header is too large"),
        (sized(tar({"ü" * 90 + ".log": TEXT}), b"77777777777\0"), "a header is too large"),
        (b"".join(tar({"ü" * 90 + ".log": b""})[:1024] for _ in range(5000)), "recursion"),
    ],
)
def test_a_hostile_header_is_a_message(data: bytes, reason: str, tmp_path: Path) -> None:
    name = written(tmp_path / "a.tar", data)
    _, said = outcome(name)
    assert said
    assert all(message.startswith(name) for message in said)
    assert reason in said[-1]


@pytest.mark.parametrize(("size", "said"), [(1 << 19, []), ((1 << 19) + 1, ["unpacks to more than 1 MiB"])])
def test_the_logs_of_an_archive_share_one_limit(
    size: int, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1 << 20)
    name = written(tmp_path / "a.tar", tar({"1.log": b"x" * size, "2.log": b"y" * (1 << 19)}))
    assert [message.partition(": ")[2] for message in outcome(name)[1]] == said


def test_a_compressed_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1 << 20)
    name = written(tmp_path / "bomb.tgz", gzip.compress(tar({"1.log": b"\0" * (8 << 20)})))
    assert outcome(name) == ({}, [f"{name}: unpacks to more than 1 MiB"])


@pytest.mark.parametrize(
    ("module", "limit", "what"), [(archives, "MAX_MEMBERS", "logs"), (tar_archives, "MAX_HEADERS", "files")]
)
def test_the_number_of_members_is_bounded(
    module: object, limit: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = written(tmp_path / "a.tar", WHOLE)
    monkeypatch.setattr(module, limit, 3)
    assert outcome(name)[1] == []
    monkeypatch.setattr(module, limit, 2)
    assert outcome(name)[1] == [f"{name}: contains more than 2 {what}"]


def test_two_logs_in_an_archive_are_two_files_in_the_summary(tmp_path: Path) -> None:
    name = written(tmp_path / "nights.tar.gz", gzip.compress(tar({
        "a_Q6_K.log": log.prompt(369).encode(), "b_Q6_K.log": log.prompt(369).encode() + b"another\n",
    })))  # fmt: skip
    result = CliRunner().invoke(main, [name, "--no-html"])
    assert "2 runs in 2 files" in result.output
