"""What the fuzzing starts from: real-shaped logs, the wrappings they arrive in, and ways in which they get damaged."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

import logtext as log
from recipes import Failure, Recipe
from rendering import render

STAMP = "2025-11-11T10:00:00.123456789Z"
FAILURE = (
    "Error during sampling: Allocation on device\n"
    "!!! Exception during processing !!! Allocation on device\n"
    "Traceback (most recent call last):\n"
    "torch.OutOfMemoryError: Allocation on device\n\n"
    "Got an OOM, unloading all loaded models.\n"
)


def _bare(steps: int = 4) -> str:
    """A bar without a description, as the plain sampler has it."""
    return log.window(0, 81, steps).replace("Sampling audio indices 0-81: ", "")


def _early() -> str:
    """August 2025: the plain header, ranges on lines of their own, bars without description, an outer bar."""
    windows = "".join(
        f"current_condframe_index: {9 * bool(start)}\naudio_start_idx: {start}\n"
        f"audio_indices: {start}-{start + 81}|81\n" + _bare()
        for start in (0, 72)
    )
    return (
        log.ARRIVAL + log.MODE + "Total frames: 153, frame_num: 81, motion_frame: 9\nEstimated iterations: 3\n"
        "Sampling 153 frames at 832x480 with 4 steps\n"
        + log.refresh("Total progress", 0, 3, 0, "?it/s") + windows + log.padding(153, 153) + log.memory()
        + log.EXECUTED
    )  # fmt: skip


def _stages() -> str:
    return (
        log.ARRIVAL + log.lora() + log.run(153, log.memory(14.0)) + log.run(250, log.memory_2026()) + log.EXECUTED
        + log.ARRIVAL + log.ARRIVAL + log.run(81, "") + "Processing interrupted\n" + log.EXECUTED
        + "Sampling 81 frames at 832x480 with 4 steps\n" + _bare() + log.memory(8.0) + log.EXECUTED
    )  # fmt: skip


def _frames() -> str:
    text = log.window(0, 81, 6) + log.window(80, 161, 6, done=3)
    return (
        log.ARRIVAL + "WanAnimate: 2 windows\n" + text.replace("Sampling audio indices", "Frames") + FAILURE
        + log.EXECUTED
    )  # fmt: skip


LOGS: dict[str, str] = {
    "padded": log.BANNER + log.prompt(427),
    "one window": log.prompt(81),
    "out of memory": log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + log.EXECUTED,
    "no header": log.window(0, 81) + log.window(72, 153, done=1),
    "several stages": _stages(),
    "early": _early(),
    "animate": _frames(),
    "december": render(Recipe(audio_frames=225, era="2025-12", loads_model=False)).decode(),
    "february": render(Recipe(audio_frames=153, era="2026-02", speakers=2, loads_model=False)).decode(),
    "interrupted": render(Recipe(audio_frames=225, failure=Failure("interrupted", 2, 1), loads_model=False)).decode(),
    "mirrored": render(Recipe(audio_frames=250, silence_file=False, text_prompts=2, loads_model=False)).decode(),
}


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def _prefixed(prefix: str) -> Callable[[str], bytes]:
    return lambda text: "".join(f"{prefix}{line}\n" for line in _lines(text)).encode()


def kubernetes_pieces(text: str, size: int = 90) -> bytes:
    """Lines cut into parts marked P, the last one F."""
    rows = []
    for line in _lines(text):
        pieces = [line[k : k + size] for k in range(0, len(line), size)] or [""]
        rows += [f"{STAMP} stderr P {piece}" for piece in pieces[:-1]] + [f"{STAMP} stderr F {pieces[-1]}"]
    return "\n".join(rows).encode()


def docker_json(text: str, size: int = 10**9) -> bytes:
    """Docker's default driver; `size` cuts lines as its buffer does."""
    rows = [
        {"log": (line + "\n")[k : k + size], "stream": "stderr", "time": STAMP}
        for line in _lines(text)
        for k in range(0, len(line) + 1, size)
    ]
    return "\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows).encode()


def stamped_writes(text: str) -> bytes:
    """ComfyUI's own buffer: a stamp in front of every write, also inside lines."""
    pieces = text.replace("\n", "\n\0").replace("\r", "\0\r").split("\0")
    return "".join(f"2025-11-11T10:00:{n % 60:02}.123456 - {piece}" for n, piece in enumerate(pieces)).encode()


def two_workers(text: str) -> bytes:
    """The same log from two containers, line by line in turn."""
    return "".join(f"worker-1  | {line}\nworker-2  | {line}\n" for line in _lines(text)).encode()


WRAPPINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "refreshes as lines": lambda text: text.replace("\r", "\n").encode(),
    "utf-8 with mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "utf-16 without mark": lambda text: text.encode("utf-16-be"),
    "docker": _prefixed(f"{STAMP} "),
    "kubernetes": _prefixed(f"{STAMP} stderr F "),
    "kubernetes in pieces": kubernetes_pieces,
    "docker json": docker_json,
    "docker json in pieces": lambda text: docker_json(text, 70),
    "manager": _prefixed("[2025-03-24 20:41:58.946] "),
    "level": _prefixed("[INFO] "),
    "colours": lambda text: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in _lines(text)).encode(),
    "stamps inside": stamped_writes,
    "two workers": two_workers,
}


def _span(pick: random.Random, size: int, longest: int) -> tuple[int, int]:
    start = pick.randrange(size + 1)
    return start, min(size, start + pick.randint(1, longest))


def _cut(data: bytes, pick: random.Random) -> bytes:
    start, end = _span(pick, len(data), 200)
    return data[:start] + data[end:]


def _end(data: bytes, pick: random.Random) -> bytes:
    return data[: pick.randrange(len(data) + 1)]


def _start(data: bytes, pick: random.Random) -> bytes:
    return data[pick.randrange(len(data) + 1) :]


def _repeat(data: bytes, pick: random.Random) -> bytes:
    start, end = _span(pick, len(data), 2000)
    return data[:end] + data[start:end] * pick.randint(1, 3) + data[end:]


def _move(data: bytes, pick: random.Random) -> bytes:
    start, end = _span(pick, len(data), 500)
    rest = data[:start] + data[end:]
    place = pick.randrange(len(rest) + 1)
    return rest[:place] + data[start:end] + rest[place:]


def _shuffle(data: bytes, pick: random.Random) -> bytes:
    """Neighbouring lines, or neighbouring refreshes, in any order."""
    at = pick.choice([b"\n", b"\r"])
    rows = data.split(at)
    start, end = _span(pick, len(rows), 12)
    rows[start:end] = pick.sample(rows[start:end], len(rows[start:end]))
    return at.join(rows)


def _flip(data: bytes, pick: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(pick.randint(1, 8) if data else 0):
        changed[pick.randrange(len(changed))] ^= 1 << pick.randrange(8)
    return bytes(changed)


def _digits(data: bytes, pick: random.Random) -> bytes:
    """Other figures, of the same length: what decodes and parses, and is wrong."""
    places = [place for place, byte in enumerate(data) if 48 <= byte < 58]
    changed = bytearray(data)
    for place in pick.sample(places, min(len(places), pick.randint(1, 6))):
        changed[place] = pick.choice(b"0123456789")
    return bytes(changed)


INSERTED = (
    b"\r", b"\n", b"\0", b"\r\n", b"\x1b[A", b"\x1b[31m", b"\xe2\x96", b"\xff", b"9" * 25, b"-", b"0", b"nan", b"1e308",
    b"%|", b"it [", b"got prompt\n", b"Prompt executed in 3.2 seconds\n", b"Sampling audio indices 0-81: ", b"\x1e",
    b"Sampling 9223372036854775807 frames in 1 windows, at 1280x720 with 9999 steps\n", b"\\", b'"', b"{", b"}",
    b"Max allocated memory: max_memory=1e300 GB\n", "٣".encode(), b"2025-11-11T10:00:00.123456 - ", b" | ", b"  | ",
    b"Audio embedding for subject -1 not long enough: 99, need 3, padding...\n", b"Starting server\n", b"\xed\xa0\x80",
)  # fmt: skip


def _insert(data: bytes, pick: random.Random) -> bytes:
    place = pick.randrange(len(data) + 1)
    return data[:place] + pick.choice(INSERTED) + data[place:]


def _splice(data: bytes, pick: random.Random) -> bytes:
    """A piece of another log, wrapped otherwise."""
    other = WRAPPINGS[pick.choice(sorted(WRAPPINGS))](LOGS[pick.choice(sorted(LOGS))])
    start, end = _span(pick, len(other), 1500)
    place = pick.randrange(len(data) + 1)
    return data[:place] + other[start:end] + data[place:]


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "cut": _cut,
    "end": _end,
    "start": _start,
    "repeat": _repeat,
    "move": _move,
    "shuffle": _shuffle,
    "flip": _flip,
    "digits": _digits,
    "insert": _insert,
    "splice": _splice,
}


def damaged(data: bytes, damages: Sequence[str], seed: int) -> bytes:
    """`data` after these damages, one after another; places and amounts follow from the seed."""
    pick = random.Random(seed)
    for name in damages:
        data = DAMAGES[name](data, pick)
    return data
