"""The logs of `sample_logs/`: what each one shows. `python tests/sample_logs.py [FOLDER]` writes them."""

from __future__ import annotations

import sys
from pathlib import Path

from recipes import Ending, Era, Failure, Padding, Recipe, Recorded, Report, Truth, truth
from rendering import render

__all__ = [
    "FOLDER",
    "SAMPLES",
    "Ending",
    "Era",
    "Failure",
    "Padding",
    "Recipe",
    "Report",
    "Truth",
    "log",
    "render",
    "truth",
    "write",
]

FOLDER = Path(__file__).parent.parent / "sample_logs"


def _slowing_down(window: int, step: int) -> float:
    """8.2 s at first and 0.4 s more in every window; one step of the third takes twice as long."""
    swing = (0.03, -0.04, 0.05, -0.02)[step - 1]
    return round((8.2 + 0.4 * (window - 1) + swing) * (2 if (window, step) == (3, 2) else 1), 4)


SAMPLES: dict[str, tuple[Recipe, ...]] = {
    "clean_Q6_K.txt": (Recipe(seed=1, peak_gib=15.021, reserved_gib=16.104),),
    "padded_Q6_K.txt": (
        Recipe(seed=2, audio_frames=427, requested_frames=441, audio_s=17.084, peak_gib=14.984, reserved_gib=16.072),
    ),
    "wrong_model_Q6_K.txt": (
        Recipe(seed=3, audio_frames=153, lora_rank=64, peak_gib=13.177, reserved_gib=14.209),
        Recipe(seed=10, audio_frames=153, banner=False, peak_gib=14.103, reserved_gib=15.116),
    ),
    "slow_Q6_K.txt": (Recipe(seed=4, pace=_slowing_down, peak_gib=15.036, reserved_gib=16.121),),
    "out_of_memory_Q8_0.txt": (
        Recipe(seed=5, audio_frames=225, peak_gib=18.046, reserved_gib=30.412, allocator="native", step_s=4.85),
        Recipe(
            seed=6,
            banner=False,
            loads_model=False,
            peak_gib=18.052,
            reserved_gib=30.904,
            step_s=4.85,
            overhead_s=5.2,
            failure=Failure("out-of-memory", window=4, steps_done=1),
        ),
    ),
    "truncated_Q6_K.txt": (Recipe(seed=7, failure=Failure("truncated", window=3, steps_done=2)),),
    "two_speakers_Q6_K.txt": (Recipe(seed=8, audio_frames=300, speakers=2, era="2026-02", decode_peak_gib=9.117),),
    "recorder.txt": (
        Recipe(
            seed=11,
            era="2026-02",
            decode_peak_gib=9.138,
            peak_gib=15.018,
            reserved_gib=15.994,
            recorded=Recorded("wan2.1-i2v-14b-720p-Q6_K.gguf", "Q6_K", attention="sageattn"),
        ),
    ),
    "mirrored_Q6_K.txt": (Recipe(seed=9, audio_frames=400, silence_file=False, peak_gib=14.995, reserved_gib=16.088),),
}
"""File name to the prompts in it, which one server ran one after another."""


def log(recipes: tuple[Recipe, ...]) -> bytes:
    """The log of a server that ran these prompts."""
    return b"".join(map(render, recipes))


def write(folder: Path = FOLDER) -> None:
    """Write every sample into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, recipes in SAMPLES.items():
        (folder / name).write_bytes(log(recipes))


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
