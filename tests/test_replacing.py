"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from loganalyzer.errors import ReportError
from loganalyzer.replacing import replacement


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
