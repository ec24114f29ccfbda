"""Files are written completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from loganalyzer.common.atomic_write import replacement, write
from loganalyzer.common.errors import ReportError


def test_the_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    target.chmod(0o600)
    with replacement(target, "new\r\n") as fresh:
        assert fresh.read_bytes() == b"new\r\n"
        assert target.read_text() == "old"
    assert target.read_bytes() == b"new\r\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_where_the_block_fails_nothing_is_changed_and_nothing_left(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    with pytest.raises(ValueError, match="no"), replacement(target, "new"):
        raise ValueError("no")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    with replacement(tmp_path / "link.json", "new"):
        pass
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_a_place_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    target = tmp_path / "no" / "a.json"
    with pytest.raises(ReportError, match="cannot be written"), replacement(target, "new"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_another_folder_is_followed_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    far, near = tmp_path / "far", tmp_path / "near"
    far.mkdir()
    near.mkdir()
    (far / "real.json").write_text("old")
    (near / "link.json").symlink_to(far / "real.json")
    with replacement(near / "link.json", "new") as fresh:
        assert fresh.parent == far
    assert (far / "real.json").read_text() == "new"
    assert [path.name for path in near.iterdir()] == ["link.json"]


def test_content_that_fails_half_way_leaves_the_earlier_file(tmp_path: Path) -> None:
    def content() -> Iterator[str]:
        yield "half"
        raise OSError(28, "No space left on device")

    target = tmp_path / "a.json"
    target.write_text("old")
    with pytest.raises(ReportError, match="No space left"):
        write(target, content())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_is_written_in_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write(pipe, ["a", "b"])
        assert os.read(reader, 10) == b"ab"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_file_in_a_folder_that_takes_no_new_files_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.json"
    target.write_text("old")
    before = target.stat().st_ino
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != tmp_path)
    write(target, b"new")
    assert (target.read_bytes(), target.stat().st_ino) == (b"new", before)
