"""Print the notes of a release: the section of its version in the CHANGELOG. `python .ci/release_notes.py v1.0.0`.

The tag must be the version of the package, and the section must have a date.
"""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHANGELOG = ROOT / "CHANGELOG.md"
VERSION = ROOT / "loganalyzer" / "common" / "version.py"
HEADING = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
RELEASE = re.compile(r"\[?(?P<version>\d+\.\d+\.\d+)\]?(?: (?:—|–|-) (?P<day>\S+))?$")


class ReleaseError(Exception):
    """The release is not ready; the text says what is missing."""


def notes(tag: str, version: str, changelog: str) -> str:
    """Returns the text of the version's section, without its heading.

    Raises:
        ReleaseError: the tag is of another version, or the section is missing, undated, empty or not the newest.
    """
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, but the package has version {version}: tag v{version}, or change it")
    headings = list(HEADING.finditer(changelog))
    for place, heading in enumerate(headings):
        found = RELEASE.match(heading["title"])
        if found is None or found["version"] != version:
            continue
        _check_day(found["day"], version)
        _check_unreleased(headings[:place], changelog, heading.start())
        end = headings[place + 1].start() if place + 1 < len(headings) else len(changelog)
        text = changelog[heading.end() : end].strip()
        if not text:
            raise ReleaseError(f"CHANGELOG.md: the section of {version} is empty")
        return text
    raise ReleaseError(f"CHANGELOG.md has no section '## {version} — YYYY-MM-DD'")


def _check_day(day: str | None, version: str) -> None:
    try:
        date.fromisoformat(day or "")
    except ValueError:
        raise ReleaseError(f"CHANGELOG.md: the section of {version} has no date: '## {version} — YYYY-MM-DD'") from None


def _check_unreleased(earlier: list[re.Match[str]], changelog: str, end: int) -> None:
    """Refuses entries that stay behind under "Unreleased"."""
    if earlier and changelog[earlier[0].end() : end].strip():
        raise ReleaseError("CHANGELOG.md: entries stand above the section: move them into it")


def package_version() -> str:
    """Returns the version of the package in this folder."""
    return re.findall(r'^__version__ = "([^"]+)"$', VERSION.read_text(encoding="utf-8"), flags=re.MULTILINE)[0]


def main(arguments: list[str]) -> int:
    """Prints the notes, or what is missing; returns the exit status."""
    if len(arguments) != 1:
        print("usage: release_notes.py TAG", file=sys.stderr)
        return 2
    try:
        print(notes(arguments[0], package_version(), CHANGELOG.read_text(encoding="utf-8")))
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
