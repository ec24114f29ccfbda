"""Plays nights through the real command, one process a night, and prints when it turned red.

`python benchmarks/play_nights.py --percent 10 [--noise 0.6] [--before 20] [--nights 60]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import logtext

FIRST = datetime(2026, 1, 1, 3)


def night(folder: Path, number: int, step_s: float) -> int:
    """The exit status of one night's call."""
    path = folder / f"night-{number:02}_Q6_K.log"
    path.write_text(f"night {number}\n" + logtext.BANNER + logtext.prompt(81, step_s=step_s), encoding="utf-8")
    words = [sys.executable, "-m", "loganalyzer", str(path), "--no-html", "-q", "--history", "sqlite:///nights.db"]
    at = ["--at", (FIRST + timedelta(days=number)).isoformat()]
    return subprocess.run([*words, *at], cwd=folder, check=False, capture_output=True).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--percent", type=float, default=100, help="change of the step time [100]")
    parser.add_argument("--noise", type=float, default=0.6, help="scatter in percent [0.6]")
    parser.add_argument("--before", type=int, default=20, help="nights before the change [20]")
    parser.add_argument("--nights", type=int, default=60, help="nights in all [60]")
    given = parser.parse_args()
    draw = np.random.Generator(np.random.PCG64(2026))
    with tempfile.TemporaryDirectory() as name:
        for number in range(given.nights):
            level = 5.0 * (1 + given.percent / 100 * (number >= given.before))
            status = night(Path(name), number, level * (1 + given.noise / 100 * draw.standard_normal()))
            print(f"night {number + 1}: exit {status}{' red' if status == 1 else ''}", flush=True)


if __name__ == "__main__":
    main()
