"""How much memory logs of several GB need: `python benchmarks/memory.py FOLDER [--gigabytes 3] [--documents]`.

FOLDER is what `generate.py` wrote. Each large log in it is repeated until it has that size, in a file beside it that is
deleted again; the command reads it, writes every table and the report, and with `--documents` the JSON document and
JUnit cases, too. Memory is the most that the process held. Documents need three times the log's size on disk.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from generate import DENSE, LINES, SPARSE, VIDEOS
from speed import measure, tool


def table(folder: Path, gigabytes: float, *, documents: bool) -> Iterator[str]:
    """The rows of the table, as Markdown."""
    yield "| input | MB | runs found | report | time | MB/s | memory |"
    yield "|---|---|---|---|---|---|---|"
    for name in (SPARSE, VIDEOS, LINES, DENSE):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            log, page, tables = Path(scratch) / name, Path(scratch) / "report.html", Path(scratch) / "tables"
            size = _repeated(folder / name, log, int(gigabytes * 1e9)) / 1e6
            options = ["--tables", str(tables), "--html", str(page), "-q", "--fail-on", "never"]
            if documents:
                options += ["--json", f"{scratch}/document.json", "--junit", f"{scratch}/cases.xml"]
            found = measure([tool(), str(log), *options], 1)
            runs = pl.scan_parquet(tables / "runs.parquet").select(pl.len()).collect().item()
            yield (
                f"| {name} | {size:,.0f} | {runs:,} | {page.stat().st_size / 1e6:.1f} MB | {found.seconds:.0f} s "
                f"| {size / found.seconds:.0f} | {found.memory_mib:.0f} MiB |"
            )


def _repeated(log: Path, longer: Path, size: int) -> int:
    """`log` again and again into `longer`, until it has `size` bytes; how many it has."""
    with longer.open("wb") as out:
        while out.tell() < size:
            with log.open("rb") as part:
                shutil.copyfileobj(part, out)
        return out.tell()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what generate.py wrote")
    parser.add_argument("--gigabytes", type=float, default=3, help="size of each log [3]")
    parser.add_argument("--documents", action="store_true", help="write the JSON document and JUnit cases as well")
    given = parser.parse_args()
    for row in table(given.folder, given.gigabytes, documents=given.documents):
        print(row, flush=True)


if __name__ == "__main__":
    main()
