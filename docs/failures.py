"""The catalogue of failures as a page: `python docs/failures.py` writes `docs/failures.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from loganalyzer.grammar.failures import load_shipped_failures

PAGE = Path(__file__).with_name("failures.md")
MARKUP = re.compile(r"[*<>\[\]]|(?<!\w)_|_(?!\w)")
"""What Markdown would take for markup; an underscore within a word is none."""
ISSUE = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")


def page() -> str:
    """All failures, in the order in which they are tried."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    catalogue = load_shipped_failures()
    yield "# Causes of failures"
    yield ""
    yield "Made from `patterns/failures.toml` by `python docs/failures.py`. An error gets the cause and the fix"
    yield "of the first failure below with a message that fits. Messages are in the notation of `patterns/README.md`."
    yield "`{known_package}` is one of the packages [at the end](#packages)."
    yield f"The catalogue has {len(catalogue.failures)} failures."
    for failure in catalogue.failures:
        yield ""
        yield f"## {failure.id}"
        yield ""
        yield "```"
        yield from (message.notation for message in failure.messages)
        yield "```"
        yield ""
        yield f"Cause: {_prose(failure.cause)}"
        yield ""
        yield f"Fix: {_prose(failure.fix)}"
        yield ""
        yield f"Provenance: {_linked(failure.provenance)}"
    yield ""
    yield "## Packages"
    yield ""
    yield "| import name | pip name |"
    yield "|---|---|"
    yield from (f"| `{name}` | `{pip_name}` |" for name, pip_name in catalogue.pip_names.items())


def _prose(text: str) -> str:
    """Markdown that reads as the text, code spans kept."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else MARKUP.sub(r"\\\g<0>", part) for part in parts)


def _linked(provenance: str) -> str:
    return ISSUE.sub(r"[\1#\2](https://github.com/\1/issues/\2)", provenance)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
