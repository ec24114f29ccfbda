"""Arguments become inputs; what leads nowhere is said once and costs the others nothing."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from loganalyzer import packed as packed_inputs
from loganalyzer import sources
from loganalyzer.errors import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress}
TEXT = b"got prompt\nMultitalk mode: infinitetalk\n"


def content(name: str) -> bytes:
    (only,) = sources.read(name)
    return b"".join(only.chunks)


def names(arguments: list[str]) -> list[str]:
    return [str(found) for found in sources.find(arguments)]


def test_a_folder_gives_its_logs_at_any_depth_in_order(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("b/c/z.log", "a.txt", "b/y.log.gz", "b/picture.png"):
        (tmp_path / name).write_bytes(TEXT)
    assert names([str(tmp_path)]) == [str(tmp_path / name) for name in ("a.txt", "b/c/z.log", "b/y.log.gz")]


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
    found = list(sources.find([str(tmp_path / missing), str(tmp_path / "a.log")]))
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
    monkeypatch.setattr(packed_inputs, "LARGEST_UNPACKED", 1 << 20)
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
    assert [source.name for source in sources.read(str(path))] == [f"{path}/1.txt", f"{path}/b/2.log"]


@pytest.mark.parametrize("members", [{}, {"picture.png": b"x"}])
def test_an_archive_without_a_log_says_so(members: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no log in this archive"):
        content(str(archive(tmp_path / "a.zip", members)))


def test_a_file_that_only_claims_to_be_an_archive_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK nonsense")
    with pytest.raises(SourceError, match="cannot be read"):
        content(str(tmp_path / "a.zip"))


def test_a_zip_bomb_is_refused_over_all_its_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_inputs, "LARGEST_UNPACKED", 1 << 20)
    path = archive(tmp_path / "bomb.zip", {f"{k}.log": b"\0" * (600 << 10) for k in range(3)})
    with pytest.raises(SourceError, match="unpacks to more than"):
        [b"".join(member.chunks) for member in sources.read(str(path))]


def test_a_directory_called_like_a_log_and_a_loop_of_links_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "x.log").mkdir()
    (tmp_path / "x.log" / "a.log").write_bytes(TEXT)
    (tmp_path / "x.log" / "loop").symlink_to(tmp_path)
    (tmp_path / "x.log" / "dead.log").symlink_to(tmp_path / "nowhere")
    assert names([str(tmp_path)]) == [str(tmp_path / "x.log" / "a.log")]
