"""Coverage-guided fuzzing of the engine: `python tests/fuzz/harness.py CORPUS [--keep-going] [libFuzzer options]`.

An input is a log as it is, so that whatever is found can be read, replayed and kept without the fuzzer. Half of the
mutations are the damage that logs suffer, half are libFuzzer's own. Beside each input, some offspring with damage of
their own are analysed in the same call, which costs little more. How to go on from a find is in the README beside this.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import atheris

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

with atheris.instrument_imports(include=["loganalyzer"]):
    from fuzz import claims, material

    from loganalyzer.engine import read

KEEP_GOING = "--keep-going"
FAULTS = Path("faults")
"""Where the log of each new fault is put, the smallest one that has it."""
OFFSPRING = 15
RENDERED_EVERY = 16
"""Reports cost more than the analysis, so that one input in so many is rendered too, chosen by its content."""
ALONE_EVERY = 8
"""The same for the analysis of each log on its own."""
WRITTEN_EVERY = 20
DEFAULTS = {"-timeout": "120", "-rss_limit_mb": "4096", "-max_len": str(material.LONGEST)}


class BrokenClaimError(Exception):
    """A log of which something is said that does not hold."""


class Finds:
    """The faults found in this run, each once: its smallest log, and how often it came."""

    def __init__(self, folder: Path, *, keep_going: bool) -> None:
        self.folder = folder
        self.keep_going = keep_going
        self.sizes: dict[str, int] = {}
        self.times: Counter[str] = Counter()
        self.inputs = self.logs = 0

    def add(self, claim: str, log: bytes) -> None:
        """Keep the log if none of its size is known to have this fault, and end the run unless it is to go on."""
        self.times[claim] += 1
        if len(log) < self.sizes.get(claim, sys.maxsize):
            self.sizes[claim] = len(log)
            self.folder.mkdir(exist_ok=True)
            path = self.folder / f"{sha256(claim.encode()).hexdigest()[:10]}.log"
            path.write_bytes(log)
            path.with_suffix(".txt").write_text(f"{claim}\n", encoding="utf-8")
            print(f"FAULT {path}: {claim}", file=sys.stderr, flush=True)  # noqa: T201 -- what the person waits for
        if not self.keep_going:
            raise BrokenClaimError(claim)

    def count(self, logs: int) -> None:
        """Note that an input was tried; now and then the counts are written, since libFuzzer ends without a word."""
        self.inputs += 1
        self.logs += logs
        if self.inputs % WRITTEN_EVERY == 0:
            self.folder.mkdir(exist_ok=True)
            faults = "".join(f"{times:7} {claim}\n" for claim, times in self.times.most_common())
            counts = f"{self.inputs} inputs, {self.logs} logs, {len(self.times)} faults\n"
            (self.folder / "summary.txt").write_text(counts + faults, encoding="utf-8")


def offspring(data: bytes) -> list[bytes]:
    """The input and logs that descend from it; the same ones whenever it comes."""
    pick = random.Random(crc32(data))
    return [data, *(material.damaged(data, pick.randrange, 3) for _ in range(OFFSPRING))]


def tried(data: bytes, finds: Finds) -> None:
    """One input: the claims for it and its offspring, and for some the reports and the analysis one by one."""
    logs = list(dict.fromkeys(offspring(data)))
    for log, broken in zip(logs, claims.broken(logs), strict=True):
        for claim in broken:
            finds.add(claim, log)
    finds.count(len(logs))
    chosen = crc32(data)
    if chosen % RENDERED_EVERY == 0:
        _noted(finds, "report", data, lambda: claims.rendered(claims.analysed([data])[0]))
    if chosen % ALONE_EVERY == 1:
        found, sources = claims.analysed(logs[:3])
        for source in sources:
            log = logs[int(source.name.partition(".")[0])]
            _noted(finds, "company", log, partial(claims.same_in_company, found, source))

    if chosen % ALONE_EVERY == 2:
        _noted(finds, "pieces", data, partial(claims.same_in_pieces, data, 40 + chosen % 2000))


def _noted(finds: Finds, what: str, log: bytes, run: Callable[[], None]) -> None:
    try:
        run()
    except Exception as error:  # noqa: BLE001 -- whatever is raised is what is looked for
        finds.add(f"{what}: {claims.told(error)}", log)


def mutated(data: bytes, longest: int, seed: int) -> bytes:
    """Half of the time libFuzzer's own mutation, else the damage that logs suffer, or another log altogether."""
    pick = random.Random(seed)
    match pick.randrange(8):
        case 0:
            return material.drawn(pick.randrange)[:longest]
        case 1 | 2 | 3:
            return material.damaged(data, pick.randrange, 3)[:longest]
        case _:
            return bytes(atheris.Mutate(data, longest))


def crossed(data: bytes, other: bytes, longest: int, seed: int) -> bytes:
    """The start of one log and the end of another, or both in turns."""
    pick = random.Random(seed)
    if pick.random() < 0.5:
        return (data[: pick.randrange(len(data) + 1)] + other[pick.randrange(len(other) + 1) :])[:longest]
    rows = [line for pair in zip(data.split(b"\n"), other.split(b"\n"), strict=False) for line in pair]
    return b"\n".join(rows)[:longest]


def seed(corpus: Path | None) -> None:
    """An empty corpus begins with every log, one of them in every wrapping, and the kept inputs."""
    if corpus is None or corpus.is_file() or (corpus.is_dir() and any(corpus.iterdir())):
        return
    corpus.mkdir(parents=True, exist_ok=True)
    logs = [text.encode() for text in material.LOGS.values()]
    logs += [wrap(material.LOGS["several stages"]) for wrap in material.WRAPPINGS.values()]
    logs += [case.read_bytes() for case in sorted((Path(__file__).parent / "cases").iterdir())]
    for log in logs:
        (corpus / sha256(log).hexdigest()[:16]).write_bytes(log)


def main() -> None:
    """Fuzz until stopped. The patterns are loaded once, since no input reaches them."""
    patterns = read.load_all(())
    compiled = read.compile_all(patterns)
    read.load_all = lambda *_: patterns
    read.compile_all = lambda *_: compiled
    arguments = [argument for argument in sys.argv if argument != KEEP_GOING]
    given = {argument.partition("=")[0] for argument in arguments}
    arguments += [f"{name}={value}" for name, value in DEFAULTS.items() if name not in given]
    seed(next((Path(argument) for argument in arguments[1:] if not argument.startswith("-")), None))
    finds = Finds(FAULTS, keep_going=KEEP_GOING in sys.argv)
    atheris.Setup(arguments, lambda data: tried(data, finds), custom_mutator=mutated, custom_crossover=crossed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
