"""Time the whole command on generated logs beside ripgrep: `python benchmarks/speed.py FOLDER [--repeats 3]`.

FOLDER is what `generate.py` wrote. Measured is the command as a user starts it, from the interpreter's start to the
last table written. ripgrep counts, in the same files, the lines that hold one of the fixed words by which the command
finds its lines (`-c`), and all places where one stands (`--count-matches`); the bare query of
`prototype.py` reads the bars of windows. Each figure is the fastest of the repeats, with the files in the page cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from generate import LARGE, SMALL, VIDEOS

from loganalyzer.grammar import load
from loganalyzer.grammar.compiled import compile_all

PROTOTYPE = str(Path(__file__).with_name("prototype.py"))


@dataclass(frozen=True)
class Measured:
    """One command on one input: seconds of wall time and of all cores, and the most memory it held, in MiB."""

    seconds: float
    core_seconds: float
    memory_mib: float


def measure(command: Sequence[str], repeats: int) -> Measured:
    """The fastest of several runs."""
    return min((_once(command) for _ in range(repeats)), key=lambda found: found.seconds)


def _once(command: Sequence[str]) -> Measured:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {errors.decode(errors='replace')}")
    return Measured(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def table(folder: Path, repeats: int) -> Iterator[str]:
    """The rows of the table, as Markdown; each time of another command comes with ours as a multiple of it."""
    yield (
        "| input | MB | runs found | loganalyze | MB/s | memory | `rg -c` | ours / it "
        "| `rg --count-matches` | ours / it | bare polars | ours / it | the same, seconds of all cores |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as scratch:
        words, tables = Path(scratch) / "words", Path(scratch) / "tables"
        words.write_text("\n".join(compile_all(load.load_shipped()).anchors) + "\n", encoding="utf-8")
        for name in (*LARGE, SMALL):
            path = folder / name
            size = _size(path) / 1e6
            ours = measure(
                [tool(), str(path), "--tables", str(tables), "--no-html", "-q", "--fail-on", "never"], repeats
            )
            runs = pl.scan_parquet(tables / "runs.parquet").select(pl.len()).collect().item()
            found = ["rg", "--fixed-strings", "--file", str(words), str(path)]
            beside = [measure([*found, option], repeats) for option in ("-c", "--count-matches")]
            if name not in (VIDEOS, SMALL):
                beside.append(measure([sys.executable, PROTOTYPE, str(path), str(Path(scratch) / "bars")], repeats))
            cells = [f"{other.seconds:.2f} s | {ours.seconds / other.seconds:.1f}" for other in beside]
            cells += [_compare_cores(ours, beside[2])] if len(beside) > 2 else ["–"] * 3
            yield (
                f"| {name} | {size:.0f} | {runs} | {ours.seconds:.2f} s | {size / ours.seconds:.0f} "
                f"| {ours.memory_mib:.0f} MiB | {' | '.join(cells)} |"
            )


def _compare_cores(ours: Measured, other: Measured) -> str:
    """On a busy machine, this ratio varies less than that of the times."""
    ratio = ours.core_seconds / other.core_seconds
    return f"{ours.core_seconds:.1f} / {other.core_seconds:.1f} = {ratio:.1f}"


def start(folder: Path, repeats: int) -> Iterator[str]:
    """How long the smallest jobs take, beside the import that they cannot do without."""
    yield "| command | time | memory |"
    yield "|---|---|---|"
    log = next(iter(sorted((folder / SMALL).iterdir())))
    for name, command in (
        ("python -c 'import polars'", [sys.executable, "-c", "import polars"]),
        ("loganalyze --version", [tool(), "--version"]),
        ("loganalyze --help", [tool(), "--help"]),
        ("loganalyze LOG --no-html (one of small/)", [tool(), str(log), "--no-html", "--fail-on", "never"]),
        ("loganalyze LOG (with the report)", [tool(), str(log), "--html", os.devnull, "--fail-on", "never"]),
    ):
        found = measure(command, max(repeats, 5))
        yield f"| {name} | {found.seconds:.2f} s | {found.memory_mib:.0f} MiB |"


def _size(path: Path) -> int:
    """Bytes of a file or of the files in a folder; reading them puts them into the page cache."""
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return sum(len(file.read_bytes()) for file in files)


def tool() -> str:
    """The command beside this interpreter, else that of the path."""
    beside = Path(sys.executable).with_name("loganalyze")
    return str(beside) if beside.exists() else "loganalyze"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what generate.py wrote")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each command, of which the fastest counts [3]")
    given = parser.parse_args()
    if shutil.which("rg") is None:
        raise SystemExit("ripgrep (rg) is not installed")
    for row in (*start(given.folder, given.repeats), ""):
        print(row, flush=True)
    for row in table(given.folder, given.repeats):
        print(row, flush=True)


if __name__ == "__main__":
    main()
