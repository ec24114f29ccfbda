"""Logs of ComfyUI's own InfiniteTalk nodes, written by hand: one function per kind of line, in upstream's formats."""

from __future__ import annotations

from collections.abc import Sequence

ARRIVAL = "[INFO] got prompt\n"
EXECUTED = "[INFO] Prompt executed in 118.20 seconds\n"
BANNER = (
    "[INFO] Total VRAM 24124 MB, total RAM 64100 MB\n"
    "[INFO] pytorch version: 2.10.0+cu130\n"
    "[INFO] Device: cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync\n"
    "[INFO] ComfyUI version: 0.36.0\n"
    "[INFO] Starting server\n"
)
SPEECH = "[INFO] Requested to load Wav2Vec2Model\n"
STEPS = (9.31, 6.42, 6.58, 6.37)
MOVED = "                                   "


def wants(model: str = "WAN21") -> str:
    return f"[INFO] Requested to load {model}\n"


def stored(path: str) -> str:
    return f"[INFO] Model storage policy: fast_disk=True paths=[{path!r}]\n"


def reads(start: int, end: int) -> str:
    return f"[INFO] InfiniteTalk: Processing audio frames {start} - {end}\n"


def refresh(n: int, total: int, elapsed: float, rate: str, postfix: str = "") -> str:
    clock = f"{int(elapsed) // 60:02}:{int(elapsed) % 60:02}"
    return f"\r{100 * n // total:3d}%|{'#' * n}{' ' * (total - n)}| {n}/{total} [{clock}<00:09, {rate}{postfix}]"


def dynamic(steps: Sequence[float] = STEPS, done: int | None = None) -> str:
    """A bar under DynamicVRAM: rates of single steps, and a start that moves at the second step."""
    total = len(steps)
    done = total if done is None else done
    text = refresh(0, total, 0, "?it/s") + refresh(0, total, 0, "?it/s", ",   Model Initializing ...  ")
    elapsed = 0.0
    for n in range(1, done + 1):
        elapsed = 2 * steps[1] if n == 2 else elapsed + steps[n - 1]
        ready = ",  Model Initialization complete!  " if n == 1 else ""
        text += refresh(n, total, elapsed, f"{steps[n - 1]:5.2f}s/it", ready)
        if n == 1:
            text += refresh(1, total, elapsed + 3, f"{steps[0]:5.2f}s/it") + MOVED
    if done == total:
        text += refresh(total, total, elapsed, f"{elapsed / total:5.2f}s/it") + "\n"
    return text


def smoothed(steps: Sequence[float] = STEPS) -> str:
    """A bar without DynamicVRAM: tqdm's own smoothing."""
    total, elapsed, mean, weight = len(steps), 0.0, 0.0, 0.0
    text = refresh(0, total, 0, "?it/s")
    for n, seconds in enumerate(steps, 1):
        elapsed += seconds
        mean, weight = 0.3 * seconds + 0.7 * mean, 0.3 + 0.7 * weight
        text += refresh(n, total, elapsed, f"{mean / weight:5.2f}s/it")
    return text + refresh(total, total, elapsed, f"{elapsed / total:5.2f}s/it") + "\n"


def closed(total: int, rate: float) -> str:
    """What a capture without carriage returns keeps of a bar."""
    return refresh(total, total, total * rate, f"{rate:5.2f}s/it").lstrip("\r") + "\n"


def detail(frames: int = 81, width: int = 832, height: int = 480, steps: int = 4, model: str = "WAN21") -> str:
    shape = f"(1, 16, {(frames - 1) // 4 + 1}, {height // 8}, {width // 8})"
    return (
        f"[DETAIL] Sampler: model={model} latent_shapes=[{shape}]\n"
        f"[DETAIL] First sampler step: model={model} sampler=sample_euler step=0 total_steps={steps} cfg=1.0 seed=7\n"
    )


def windows(*starts: int, length: int = 81, bar: str | None = None) -> str:
    """The first window, and one more for each start."""
    drawn = dynamic() if bar is None else bar
    later = "".join(reads(start, start + length) + wants() + drawn for start in starts)
    return wants() + drawn + later


def prompt(*starts: int, loads: str = SPEECH, **more: object) -> str:
    return ARRIVAL + loads + windows(*starts, **more) + EXECUTED  # type: ignore[arg-type]


def looped(seconds: float, frames: int, *starts: int) -> str:
    """A prompt of the auto-sampler."""
    count = len(starts) + 1
    text = f"InfiniteTalkAutoSampler: audio={seconds:.2f}s, total_frames={frames}\n"
    text += f"InfiniteTalkAutoSampler: {count} passes (1 base + {count - 1} extend)\n"
    text += wants() + dynamic() + "InfiniteTalk base pass: decoded 81 frames\n"
    for start in starts:
        text += f"InfiniteTalk extend pass: audio frames {start} - {start + 81}\n" + dynamic()
        text += f"InfiniteTalk extend pass: total accumulated {start + 81} frames\n"
    return ARRIVAL + text + EXECUTED
