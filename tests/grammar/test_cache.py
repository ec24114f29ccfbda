"""Patterns are kept between calls, and never differ from what the files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from loganalyzer.grammar import cache, load
from loganalyzer.grammar.cache import MAX_CACHED, Patterns, load_cached

SHIPPED = load.load_folder(Path(__file__).parents[2] / "patterns" / "grammars", load.load_fragments())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which patterns are kept, of this test alone."""
    monkeypatch.setattr(cache, "user_cache_path", lambda _name: tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "a.toml"
    file.write_text("one")
    return file


def unwanted() -> Patterns:
    raise AssertionError("made again, although it was kept")


@pytest.mark.usefixtures("kept")
def test_all_shipped_patterns_come_back_as_they_were(source: Path) -> None:
    assert load_cached("grammars", [source], lambda: SHIPPED) == SHIPPED
    assert load_cached("grammars", [source], unwanted) == SHIPPED


@pytest.mark.usefixtures("kept")
def test_a_changed_file_is_read_anew_and_its_former_self_is_still_known(source: Path) -> None:
    former = source.read_text()
    load_cached("grammars", [source], lambda: SHIPPED)
    source.write_text("two")
    assert load_cached("grammars", [source], lambda: SHIPPED[:1]) == SHIPPED[:1]
    source.write_text(former)
    assert load_cached("grammars", [source], unwanted) == SHIPPED


def test_of_many_versions_the_latest_are_kept(source: Path, kept: Path) -> None:
    for number in range(MAX_CACHED + 3):
        source.write_text(f"version {number}")
        load_cached("grammars", [source], lambda: SHIPPED[:1])
    assert len(list(kept.iterdir())) == MAX_CACHED
    assert load_cached("grammars", [source], unwanted) == SHIPPED[:1]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[{}]", b"[3]", b"\xff", b'[{"nodes": [["evil"]]}]', b"[" * 100_000], ids=repr
)
def test_what_cannot_be_read_back_is_made_anew(content: bytes, source: Path, kept: Path) -> None:
    load_cached("grammars", [source], lambda: SHIPPED[:1])
    (file,) = kept.iterdir()
    file.write_bytes(content)
    assert load_cached("grammars", [source], lambda: SHIPPED[:1]) == SHIPPED[:1]
    assert load_cached("grammars", [source], unwanted) == SHIPPED[:1]


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(source: Path, kept: Path) -> None:
    kept.write_text("a file where the folder should be")
    assert load_cached("grammars", [source], lambda: SHIPPED[:1]) == SHIPPED[:1]
