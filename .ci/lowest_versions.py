"""Print the lowest declared version of every requirement of the tool, as a pip constraints file.

The tests' own requirements are left out: a user never installs those.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEVELOPMENT = {"test", "fuzz", "browser", "dev", "docs", "benchmarks"}


def requirements() -> list[str]:
    """Requirements of the tool and of the extras that users install."""
    extras = PROJECT["optional-dependencies"]
    return PROJECT["dependencies"] + [item for name in extras.keys() - DEVELOPMENT for item in extras[name]]


def constraint(requirement: str) -> str | None:
    """`name==lowest` for `name[extra]>=lowest; marker`; None for a reference to the project's own extras."""
    bound = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?>=([0-9.]+)\s*(;.*)?$", requirement)
    return f"{bound[1]}=={bound[2]}{bound[3] or ''}" if bound else None


if __name__ == "__main__":
    print("\n".join(sorted(line for line in map(constraint, requirements()) if line)))
