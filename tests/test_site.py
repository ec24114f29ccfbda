"""The site has every page, and its links lead to pages."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loganalyzer.checks.registry import rules

ROOT = Path(__file__).parent.parent
SITE = runpy.run_path(str(ROOT / "docs" / "site.py"))
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    SITE["assemble"](folder)
    return folder


def nav_pages(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from nav_pages(value) if isinstance(value, list) else [value]


def nav_of(configuration: Path) -> list[str]:
    return list(nav_pages(tomllib.loads(configuration.read_text(encoding="utf-8"))["project"]["nav"]))


def test_every_page_of_the_documents_is_in_the_navigation() -> None:
    named = set(nav_of(ROOT / "zensical.toml")) | {"rules.md"}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= named


def test_the_navigation_has_every_page_once_and_no_page_that_is_not_there(build: Path) -> None:
    named = nav_of(build / "zensical.toml")
    source = build / "site-source"
    assert sorted(named) == sorted(path.relative_to(source).as_posix() for path in source.rglob("*.md"))


def test_every_rule_has_a_page_and_every_family_a_title(build: Path) -> None:
    pages = {path.stem for path in (build / "site-source" / "rules").glob("???[0-9]*.md")}
    assert pages == set(rules())
    assert {name[:3] for name in rules()} == set(SITE["FAMILIES"])


def test_every_link_leads_to_a_file_of_the_site(build: Path) -> None:
    for page in (build / "site-source").rglob("*.md"):
        text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == [], page.name


def test_a_link_to_a_file_that_is_no_page_is_refused() -> None:
    with pytest.raises(SITE["BrokenLinkError"], match=r"docs/a\.md: the link to \.\./tests/README\.md"):
        SITE["relink"]("see [tests](../tests/README.md)", "docs/a.md", {})


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("see [it](../benchmarks/README.md#figures)", "see [it](benchmarks.md#figures)"),
        ("![picture](report.png)", "![picture](report.png)"),
        ("[other](https://example.org/a.md) [below](#part)", "[other](https://example.org/a.md) [below](#part)"),
        ("```\n[it](../nowhere.md)\n```", "```\n[it](../nowhere.md)\n```"),
    ],
)
def test_links_between_files_become_links_between_pages(text: str, linked: str) -> None:
    assert SITE["relink"](text, "docs/a.md", {"benchmarks/README.md": "benchmarks.md"}) == linked


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("an error (AUD001).", "an error ([AUD001](rules/AUD001.md))."),
        ("`AUD001` in code", "[`AUD001`](rules/AUD001.md) in code"),
        ("`loganalyze rules AUD001`", "`loganalyze rules AUD001`"),
        ("```\nAUD001\n```", "```\nAUD001\n```"),
        ("## AUD001 in a heading", "## AUD001 in a heading"),
        ("[AUD001](a.md) is a link", "[AUD001](a.md) is a link"),
        ("ABC123 is no rule", "ABC123 is no rule"),
    ],
)
def test_ids_of_rules_link_to_their_pages(text: str, linked: str) -> None:
    assert SITE["_link_rules"](text) == linked


def test_a_page_that_is_announced_and_not_there_leaves_its_words() -> None:
    text = "the [recorder](../docs/recorder.md#install) and [tables](../docs/tables.md)"
    kept = SITE["_without_missing"](text, "sample_logs/README.md", {"docs/recorder.md"})
    assert kept == "the recorder and [tables](../docs/tables.md)"
