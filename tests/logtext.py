"""Small logs written by hand: one function per kind of line, in upstream's formats."""

from __future__ import annotations

from itertools import zip_longest

from loganalyzer.pipeline import analyze_inputs
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

ARRIVAL = "got prompt\n"
EXECUTED = "Prompt executed in 80.36 seconds\n"
MODE = "Multitalk mode: infinitetalk\n"
BANNER = (
    "Total VRAM 32607 MB, total RAM 64000 MB\n"
    "pytorch version: 2.8.0+cu128\n"
    "Set vram state to: NORMAL_VRAM\n"
    "Device: cuda:0 NVIDIA GeForce RTX 5090 : cudaMallocAsync\n"
    "Python version: 3.12.3\n"
    "ComfyUI version: 0.3.64\n"
    "Starting server\n\n"
)


def header(audio: int, windows: int, size: str = "1280x720", steps: int = 4) -> str:
    return f"Sampling {audio} frames in {windows} windows, at {size} with {steps} steps\n"


def refresh(desc: str, n: int, total: int, elapsed: int, rate: str) -> str:
    minutes = f"{elapsed // 60 % 60:02}:{elapsed % 60:02}"
    minutes = f"{elapsed // 3600}:{minutes}" if elapsed >= 3600 else minutes
    return f"\r{desc}: {100 * n // total:3d}%|{'#' * n}{' ' * (total - n)}| {n}/{total} [{minutes}<00:09, {rate}]"


def window(start: int, end: int, steps: int = 4, done: int | None = None, step_s: float = 5.0) -> str:
    """A bar of steady steps; a finished one closes after two seconds of decoding."""
    desc = f"Sampling audio indices {start}-{end}"
    done = steps if done is None else done
    text = refresh(desc, 0, steps, 0, "?it/s")
    for n in range(1, done + 1):
        text += refresh(desc, n, steps, int(n * step_s), f"{step_s:5.2f}s/it")
    if done == steps:
        total = steps * step_s + 2
        text += refresh(desc, steps, steps, int(total), f"{total / steps:5.2f}s/it") + "\n"
    return text


def padding(have: int, need: int, subject: int = 0) -> str:
    return (
        f"Audio embedding for subject {subject} not long enough: {have}, need {need}, padding...\n"
        f"Padding length: {need - have + 3}\n"
    )


def memory(peak: float = 15.0, reserved: float = 16.0) -> str:
    return (
        "Allocated memory: memory=0.205 GB\n"
        f"Max allocated memory: max_memory={peak:.3f} GB\n"
        f"Max reserved memory: max_reserved={reserved:.3f} GB\n"
    )


def memory_2026(peak: float = 9.0, reserved: float = 16.0) -> str:
    return (
        f"[Sampling] Max allocated memory: max_memory={peak:.3f} GB\n"
        f"[Sampling] Max reserved memory: max_reserved={reserved:.3f} GB\n"
    )


def lora(rank: int = 256) -> str:
    return f"Loading LoRA: lightx2v_I2V_14B_480p_cfg_step_distill_rank{rank}_bf16 with strength: 1.0\n"


def run(
    audio: int = 153, report: str | None = None, size: str = "1280x720", steps: int = 4, step_s: float = 5.0
) -> str:
    """Mode, header, windows at 81/9, padding, memory report."""
    ends = [81]
    while ends[-1] < audio:
        ends.append(ends[-1] + 72)
    text = MODE + header(audio, audio // 72 + 1 if audio > 81 else 1, size, steps)
    for number, end in enumerate(ends, 1):
        if number == len(ends) > 1:
            text += padding(audio, end)
        text += window(end - 81, end, steps, step_s=step_s)
    return text + (memory() if report is None else report)


def prompt(audio: int = 153, **more: object) -> str:
    return ARRIVAL + lora() + run(audio, **more) + EXECUTED  # type: ignore[arg-type]


def side_by_side(one: str, other: str) -> str:
    """The lines of two containers by turns, each with its own log."""
    pairs = zip_longest(one.splitlines(), other.splitlines(), fillvalue="")
    return "".join(f"worker-1  | {first}\nworker-2  | {second}\n" for first, second in pairs)


def analyze(text: str, settings: Settings | None = None, name: str = "test.log") -> Analysis:
    return analyze_inputs([from_bytes(name, text.encode())], settings)


def analyse_bytes(data: bytes, settings: Settings | None = None, name: str = "test.log") -> Analysis:
    return analyze_inputs([from_bytes(name, data)], settings)
