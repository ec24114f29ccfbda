"""Writes the columns of all tables into `docs/tables.md`: `python docs/tables.py`. The rest of the page stays."""

from __future__ import annotations

import re
from pathlib import Path

from loganalyzer.tables.column import Column
from loganalyzer.tables.columns import COLUMNS

PAGE = Path(__file__).with_name("tables.md")
BLOCK = re.compile(r"(<!-- columns of (\w+) -->\n)(?:\|.*\n)*")


def page(text: str) -> str:
    """The page with the columns of every table as they are now."""
    return BLOCK.sub(lambda found: found[1] + "".join(f"{line}\n" for line in _lines(COLUMNS[found[2]])), text)


def _lines(columns: tuple[Column, ...]) -> list[str]:
    rows = [f"| `{column.name}` | {_dtype(column)} | {column.meaning} |" for column in columns]
    return ["| column | type | meaning |", "|---|---|---|", *rows]


def _dtype(column: Column) -> str:
    return {"Datetime(time_unit='us', time_zone=None)": "Datetime"}.get(str(column.dtype), str(column.dtype))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
