"""Arguments become inputs; what leads nowhere is said once and costs the others nothing."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from loganalyzer import sources
from loganalyzer.errors import SourceError

TEXT = b"got prompt\nMultitalk mode: infinitetalk\n"


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
        sources.read(str(tmp_path / "gone.log"))


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_packed_logs_read_like_plain_ones(suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / f"a.log{suffix}"
    path.write_bytes(pack(TEXT))
    plain = sources.from_bytes("a.log", TEXT)
    packed = sources.read(str(path))
    assert (packed.digest, packed.size, packed.data) == (plain.digest, plain.size, plain.data)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"not packed at all"])
def test_a_damaged_archive_is_one_clear_error(suffix: str, damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[suffix]
    path = tmp_path / f"a.log{suffix}"
    path.write_bytes(damage(pack(TEXT * 100)))
    with pytest.raises(SourceError, match="cannot be read"):
        sources.read(str(path))


def test_a_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_UNPACKED", 1 << 20)
    path = tmp_path / "bomb.log.gz"
    path.write_bytes(gzip.compress(b"\0" * (8 << 20)))
    with pytest.raises(SourceError, match=r"bomb\.log\.gz: unpacks to more than"):
        sources.read(str(path))


@pytest.mark.parametrize(
    ("raw", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2), (b"a\r\rb\n", 1)]
)
def test_lines_are_counted_as_an_editor_counts_them(raw: bytes, lines: int) -> None:
    assert sources.from_bytes("x", raw).lines == lines


def test_batches_stay_below_their_limit_and_lose_nothing() -> None:
    given = [sources.from_bytes(str(k), b"x" * size + b"\n") for k, size in enumerate([5, 5, 50, 1, 1, 1])]
    grouped = list(sources.batches(given, limit=14))
    assert [source for group in grouped for source in group] == given
    assert all(sum(len(s.data) for s in group) <= 14 or len(group) == 1 for group in grouped)
