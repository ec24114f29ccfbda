"""Writes the keys into `docs/configuration.md`: `python docs/configuration.py`. The rest of the page stays."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

from loganalyzer.settings.config import KEYS, Key
from loganalyzer.settings.model import Settings

PAGE = Path(__file__).with_name("configuration.md")
BLOCK = re.compile(r"(<!-- keys -->\n)(?:\|.*\n)*")
ELSEWHERE = {"fail_on": "error", "engine": "local", "history_read_only": False}
"""Defaults of keys that are no field of `Settings`."""


def page(text: str) -> str:
    """The page with all keys as they are now."""
    return BLOCK.sub(lambda found: found[1] + "".join(f"{line}\n" for line in _lines()), text)


def _lines() -> list[str]:
    usual = {item.name: item.default for item in fields(Settings) if item.default is not MISSING} | ELSEWHERE
    rows = [_row(name, key, usual.get(name)) for name, key in KEYS.items()]
    return ["| key | value | default | meaning |", "|---|---|---|---|", *rows]


def _row(name: str, key: Key, usual: object) -> str:
    return f"| `{name}` | {key.expected} | {_default(usual)} | {key.meaning} |"


def _default(value: object) -> str:
    if value is None or value == ():
        return "–"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
