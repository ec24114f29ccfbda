"""Finds what other installed packages add: patterns and rules, which they announce as entry points."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final, NamedTuple

from loganalyzer.common.formatting import one_line

PATTERNS: Final = "loganalyzer.patterns"
"""The group of entry points that name a package folder with pattern files (`*.toml`)."""
RULES: Final = "loganalyzer.rules"
"""The group of entry points that name a module which registers rules when it is imported."""


class Plugin(NamedTuple):
    """One entry point of a package. `module` is empty if the entry point is malformed."""

    package: str
    version: str
    module: str

    @property
    def label(self) -> str:
        """The package with its version, as messages name it."""
        return f"{self.package} {self.version}".strip()

    def describe_problem(self, adds: str, error: BaseException | str) -> str:
        """The message about an entry point that cannot be used."""
        reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        return one_line(f"{self.label}: its {adds} are not used: {reason}. Update the package, or uninstall it")


@cache
def installed_plugins(group: str) -> tuple[Plugin, ...]:
    """The entry points of this group in all installed packages, sorted by package."""
    try:
        found = entry_points(group=group)
    except Exception:  # noqa: BLE001 -- the metadata of some package is damaged; pip reports it
        return ()
    return tuple(sorted({_describe_entry(entry) for entry in found}))


def _describe_entry(entry: EntryPoint) -> Plugin:
    try:
        module = entry.module
    except Exception:  # noqa: BLE001 -- a malformed value has no module
        module = ""
    return Plugin(entry.dist.name if entry.dist else entry.name, entry.dist.version if entry.dist else "", module)
