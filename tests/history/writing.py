"""A process that adds runs to a store: `python writing.py URL NAME COUNT`; says each one once it is kept."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import logtext as log

from loganalyzer.history.store import Store

RUNS_OF_A_LOG = 2


def main(url: str, name: str, count: int) -> None:
    for number in range(count):
        text = f"{name} {number}\n" + log.BANNER + log.prompt(81) + log.prompt(81, step_s=5 + number / 100)
        found = log.analyze(text, name=f"{name}-{number}.log")
        with Store.at(url, create=True) as store:
            store.add(found, added_at=datetime(2026, 2, 14))
        sys.stdout.write(f"{found.sources['digest'].item()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
