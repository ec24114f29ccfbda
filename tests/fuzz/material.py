"""What the fuzzing starts from: real-shaped logs, the wrappings they arrive in, and the damage they suffer.

Every choice is drawn from a `Draw`, so that hypothesis, a seeded generator and a fuzzer can all steer the same damage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import logtext as log
from recipes import Failure, Recipe
from rendering import render

from sample_logs import FOLDER

Draw = Callable[[int], int]
"""A number from 0 below the given one, which is at least 1."""
Damage = Callable[[bytes, Draw], bytes]
T = TypeVar("T")

RECORDED = {"recorder"}
"""Samples with the recorder's lines: the claims are about what the wrapper and ComfyUI print."""
LONGEST = 20_000
"""Bytes of a damaged log: repeating must not grow without end."""
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
        f"{log.ARRIVAL}{log.MODE}Total frames: 153, frame_num: 81, motion_frame: 9\nEstimated iterations: 3\n"
        f"Sampling 153 frames at 832x480 with 4 steps\n{log.refresh('Total progress', 0, 3, 0, '?it/s')}"
        f"{windows}{log.padding(153, 153)}{log.memory()}{log.EXECUTED}"
    )


def _stages() -> str:
    """Two samplers in one prompt, two prompts in the queue, an interruption, and the plain sampler."""
    return (
        f"{log.ARRIVAL}{log.lora()}{log.run(153, log.memory(14.0))}{log.run(250, log.memory_2026())}{log.EXECUTED}"
        f"{log.ARRIVAL}{log.ARRIVAL}{log.run(81, '')}Processing interrupted\n{log.EXECUTED}"
        f"Sampling 81 frames at 832x480 with 4 steps\n{_bare()}{log.memory(8.0)}{log.EXECUTED}"
    )


def _animate() -> str:
    bars = (log.window(0, 81, 6) + log.window(80, 161, 6, done=3)).replace("Sampling audio indices", "Frames")
    return f"{log.ARRIVAL}WanAnimate: 2 windows\n{bars}{FAILURE}{log.EXECUTED}"


LOGS: dict[str, str] = {
    "padded": log.BANNER + log.prompt(427),
    "one window": log.prompt(81),
    "out of memory": log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + log.EXECUTED,
    "no header": log.window(0, 81) + log.window(72, 153, done=1),
    "several stages": _stages(),
    "early": _early(),
    "animate": _animate(),
    "december": render(Recipe(audio_frames=225, era="2025-12", loads_model=False)).decode(),
    "february": render(Recipe(audio_frames=153, era="2026-02", speakers=2, loads_model=False)).decode(),
    "interrupted": render(Recipe(audio_frames=225, failure=Failure("interrupted", 2, 1), loads_model=False)).decode(),
    "exception": render(Recipe(audio_frames=225, failure=Failure("exception", 2, 3), banner=False)).decode(),
    "mirrored": render(Recipe(audio_frames=250, silence_file=False, text_prompts=2, loads_model=False)).decode(),
} | {path.stem: path.read_bytes().decode() for path in sorted(FOLDER.glob("*.txt")) if path.stem not in RECORDED}


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
    "journal": _prefixed("Nov 11 10:00:00 gpu-7 python3[4711]: "),
    "runpod": _prefixed(f"{STAMP} [info] "),
    "level": _prefixed("[INFO] "),
    "colours": lambda text: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in _lines(text)).encode(),
    "stamps inside": stamped_writes,
    "two workers": two_workers,
}

PREFIXES = (
    b"[INFO] ", b"w1  | ", b"w2  | ", b"2025-11-11T10:00:00.123Z ", b"2025-11-11T10:00:00.1Z stderr P ",
    b"2025-11-11T10:00:00.1Z stderr F ", b"2025-11-11T10:00:00.123456 - ", b"worker-comfyui - ", b"\x1b[33m",
    b"Nov 11 10:00:00 gpu-7 python3[4711]: ", b"[2025-03-24 20:41:58.946] ", b"2025-99-99T99:99:99Z ",
)  # fmt: skip
INSERTED = (
    b"\r", b"\n", b"\0", b"\r\n", b"\x1b[A", b"\x1b[31m", b"\x1b", b"\xe2\x96", b"\xff", b"9" * 25, b"-", b"0", b"nan",
    b"1e308", b"%|", b"it [", b"got prompt\n", b"Prompt executed in 3.2 seconds\n", b"Sampling audio indices 0-81: ",
    b"\x1e", b"\\", b'"', b"{", b"}", b"\x85", b"\x0b", b"\x0c", b"\xe2\x80\xa8", "٣".encode(), b"\xed\xa0\x80", b" | ",
    b"Sampling 9223372036854775807 frames in 1 windows, at 1280x720 with 9999 steps\n", b"  | ", b"?", b"\xef\xbb\xbf",
    b"Max allocated memory: max_memory=1e300 GB\n", b"2025-11-11T10:00:00.123456 - ", b"Starting server\n",
    b"Audio embedding for subject -1 not long enough: 99, need 3, padding...\n", b"Processing interrupted\n",
    b"!!! Exception during processing !!! \xc3\x9f\n", b"Prompt executed in 99:99:99\n", b"Padding length: -3\n",
    b'{"log":"got prompt\\n","stream":"stderr","time":"2025-11-11T10:00:00Z"}\n',
)  # fmt: skip
FIGURES = (
    b"0", b"-1", b"1", b"81", b"-0", b"10001", b"2147483648", b"9223372036854775807", b"-9223372036854775808",
    b"99999999999999999999", b"1e9", b"1e308", b"0.0", b"00", b"007", b"1" * 400,
)  # fmt: skip
ESCAPES = (b"\x1b[0m", b"\x1b[2K", b"\x1b[1;31m", b"\x1b[38;5;208m", b"\x1b[A", b"\x1bM", b"\x1b[")
_FIGURE = re.compile(rb"[0-9]+(?:\.[0-9]+)?")


def one_of(choices: Sequence[T], draw: Draw) -> T:
    """One of the choices, the first where 0 is drawn."""
    return choices[draw(len(choices))]


def _span(size: int, longest: int, draw: Draw) -> tuple[int, int]:
    start = draw(size + 1)
    return start, min(size, start + 1 + draw(longest))


def cut(data: bytes, draw: Draw) -> bytes:
    """A piece is missing."""
    start, end = _span(len(data), one_of((20, 1, 500, 5000), draw), draw)
    return data[:start] + data[end:]


def truncate(data: bytes, draw: Draw) -> bytes:
    """The end is missing."""
    return data[: len(data) - draw(len(data) + 1)]


def behead(data: bytes, draw: Draw) -> bytes:
    """The start is missing."""
    return data[draw(len(data) + 1) :]


def repeat(data: bytes, draw: Draw) -> bytes:
    """A piece stands several times."""
    start, end = _span(len(data), one_of((200, 3, 2000), draw), draw)
    return data[:end] + data[start:end] * (1 + draw(3)) + data[end:]


def move(data: bytes, draw: Draw) -> bytes:
    """A piece stands elsewhere."""
    start, end = _span(len(data), 500, draw)
    rest = data[:start] + data[end:]
    place = draw(len(rest) + 1)
    return rest[:place] + data[start:end] + rest[place:]


def reverse(data: bytes, draw: Draw) -> bytes:
    """Neighbouring lines, or refreshes of a bar, stand the other way round."""
    between = one_of((b"\n", b"\r"), draw)
    rows = data.split(between)
    start, end = _span(len(rows), 12, draw)
    rows[start:end] = rows[start:end][::-1]
    return between.join(rows)


def flip(data: bytes, draw: Draw) -> bytes:
    """Single bits are wrong."""
    changed = bytearray(data)
    for _ in range(1 + draw(8) if data else 0):
        changed[draw(len(changed))] ^= 1 << draw(8)
    return bytes(changed)


def overwrite(data: bytes, draw: Draw) -> bytes:
    """A byte is any other."""
    place = draw(max(1, len(data)))
    return data[:place] + bytes([draw(256)]) + data[place + 1 :]


def digits(data: bytes, draw: Draw) -> bytes:
    """Other figures of the same length: what decodes and parses, and is wrong."""
    places = [place for place, byte in enumerate(data) if 48 <= byte < 58]
    changed = bytearray(data)
    for _ in range(1 + draw(6) if places else 0):
        changed[one_of(places, draw)] = 48 + draw(10)
    return bytes(changed)


def misprint(data: bytes, draw: Draw) -> bytes:
    """A figure that nothing prints."""
    figures = list(_FIGURE.finditer(data))
    if not figures:
        return data
    figure = one_of(figures, draw)
    return data[: figure.start()] + one_of(FIGURES, draw) + data[figure.end() :]


def insert(data: bytes, draw: Draw) -> bytes:
    """Something stands where it does not belong."""
    place = draw(len(data) + 1)
    return data[:place] + one_of(INSERTED, draw) + data[place:]


def prefix(data: bytes, draw: Draw) -> bytes:
    """Some lines, or all, have a wrapper in front."""
    mark, every = one_of(PREFIXES, draw), 1 + draw(3)
    return b"\n".join(mark + line if n % every == 0 else line for n, line in enumerate(data.split(b"\n")))


def line_ends(data: bytes, draw: Draw) -> bytes:
    """Carriage returns and line ends swapped, doubled or dropped."""
    old, new = one_of(((b"\r", b"\n"), (b"\n", b"\r"), (b"\n", b"\r\n"), (b"\r", b"\r\r"), (b"\r", b"")), draw)
    start, end = _span(len(data), max(1, len(data)), draw)
    return data[:start] + data[start:end].replace(old, new) + data[end:]


def escapes(data: bytes, draw: Draw) -> bytes:
    """Terminal codes anywhere."""
    for _ in range(1 + draw(4)):
        place = draw(len(data) + 1)
        data = data[:place] + one_of(ESCAPES, draw) + data[place:]
    return data


def zeros(data: bytes, draw: Draw) -> bytes:
    """A block that was never written, as after a power cut, or single NULs."""
    start, end = _span(len(data), one_of((1, 64, 4096), draw), draw)
    return data[:start] + bytes(end - start) + data[end:]


def _other(draw: Draw) -> bytes:
    text = LOGS[one_of(sorted(LOGS), draw)]
    return WRAPPINGS[one_of(["plain", *sorted(WRAPPINGS)], draw)](text)


def splice(data: bytes, draw: Draw) -> bytes:
    """A piece of another log, wrapped in its own way, stands inside."""
    other = _other(draw)
    start, end = _span(len(other), 1500, draw)
    place = draw(len(data) + 1)
    return data[:place] + other[start:end] + data[place:]


def interleave(data: bytes, draw: Draw) -> bytes:
    """Two processes wrote into one file, in turns."""
    mine, theirs = data.split(b"\n"), _other(draw).split(b"\n")
    every = 1 + draw(4)
    rows = []
    for number, line in enumerate(mine):
        rows.append(line)
        if number % every == 0 and theirs:
            rows.append(theirs.pop(0))
    return b"\n".join(rows)


DAMAGES: tuple[Damage, ...] = (
    cut, truncate, behead, repeat, move, reverse, flip, overwrite, digits, misprint, insert, prefix, line_ends,
    escapes, zeros, splice, interleave,
)  # fmt: skip


def damaged(data: bytes, draw: Draw, most: int = 5) -> bytes:
    """`data` after up to `most` damages, one after another."""
    for _ in range(draw(most + 1)):
        data = one_of(DAMAGES, draw)(data, draw)[:LONGEST]
    return data


def drawn(draw: Draw, most: int = 5) -> bytes:
    """A log in one of its wrappings, damaged."""
    return damaged(_other(draw), draw, most)
