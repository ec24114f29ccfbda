"""Runs made to order: a `Recipe` says what happens, `truth` what a reader of its log must find."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Era = Literal["2025-11", "2025-12", "2026-02"]
Ending = Literal["out-of-memory", "exception", "interrupted", "truncated"]

SAMPLE_RATE = 16_000
FPS = 25
CONTEXT_FRAMES = 3
RESIDUE_GIB = 0.138
RESERVED_OVER_PEAK = 1.06


@dataclass(frozen=True)
class Failure:
    """Where a run ends early: in `window` (from 1), after `steps_done` of its steps."""

    ending: Ending
    window: int
    steps_done: int


@dataclass(frozen=True)
class Recorded:
    """What the recorder adds to the log of a run: the graph's model file and the attention mode of its loader."""

    model: str
    quantization: str
    attention: str = "sdpa"


@dataclass(frozen=True)
class Recipe:
    """One prompt of one server.

    Attributes:
        audio_frames: A, the length of every speaker's embedding.
        requested_frames: what the workflow asked for; None for exactly A.
        audio_s: seconds of audio; None for as much as A frames take.
        window, motion: W and M.
        era: when the wrapper that printed this was current; decides the memory lines and what their peak covers.
        silence_file: whether the wrapper found its encoded silence.
        text_prompts: prompts in the text; with several, each window names its own.
        lora_rank: rank in the speed LoRA's name.
        peak_gib, reserved_gib: the true peaks of the whole stage.
        decode_peak_gib: peak of a VAE decode, which the later eras print in their place.
        step_s, jitter, seed: steps take `step_s`, each off by up to that share.
        pace: seconds of a step, from its window and number (both from 1), in place of those three.
        decode_s, encode_s, overhead_s: seconds of one VAE decode, of the encoding before a window, of the rest.
        failure: how the run ends, where it does not complete.
        banner: whether the server's startup precedes it; allocator: the one it names.
        recorded: what loganalyzer's recorder prints; None for a server without it.
        loads_model: whether the loaders run, or ComfyUI has their output from an earlier prompt.
    """

    audio_frames: int = 369
    requested_frames: int | None = None
    audio_s: float | None = None
    window: int = 81
    motion: int = 9
    steps: int = 4
    width: int = 1280
    height: int = 720
    era: Era = "2025-11"
    mode: str = "infinitetalk"
    speakers: int = 1
    silence_file: bool = True
    text_prompts: int = 1
    lora_rank: int = 256
    peak_gib: float = 15.0
    reserved_gib: float = 16.0
    decode_peak_gib: float = 9.2
    step_s: float = 4.8
    jitter: float = 0.03
    seed: int = 0
    pace: Callable[[int, int], float] | None = None
    decode_s: float = 2.0
    encode_s: float = 1.1
    overhead_s: float = 14.0
    failure: Failure | None = None
    banner: bool = True
    gpu: str = "NVIDIA GeForce RTX 5090"
    total_vram_mb: int = 32607
    allocator: str = "cudaMallocAsync"
    recorded: Recorded | None = None
    loads_model: bool = True

    @property
    def stride(self) -> int:
        """New frames per window."""
        return self.window - self.motion

    @property
    def samples(self) -> int:
        """Samples of audio: the fewest that make A frames in upstream's float arithmetic, if not told otherwise."""
        samples = self.audio_frames * SAMPLE_RATE // FPS if self.audio_s is None else round(self.audio_s * SAMPLE_RATE)
        while int(samples / SAMPLE_RATE * FPS) < self.audio_frames:
            samples += 1
        return samples


@dataclass(frozen=True)
class Padding:
    """One padding warning."""

    subject: int
    have: int
    need: int
    length: int

    @property
    def missing(self) -> int:
        """Frames of the video without audio of their own."""
        return self.need - self.have


@dataclass(frozen=True)
class Report:
    """A memory report: what it prints, and what its peaks cover."""

    allocated_gib: float
    peak_gib: float
    reserved_gib: float
    covers: str


@dataclass(frozen=True)
class Truth:
    """What a recipe's log must be read as.

    Attributes:
        windows: ranges begun; expected_windows: how many the audio takes; announced_windows: what the header says.
        steps: seconds of every step done, by window.
        decodes: seconds of every window's VAE decode, for the windows that were finished.
        report: the final memory report, which only a completed run prints.
        prompt_s: seconds of the prompt; None where the log stops before.
    """

    windows: tuple[tuple[int, int], ...]
    expected_windows: int
    announced_windows: int
    steps: tuple[tuple[float, ...], ...]
    decodes: tuple[float, ...]
    paddings: tuple[Padding, ...]
    status: str
    report: Report | None
    prompt_s: float | None


def truth(recipe: Recipe) -> Truth:
    """The facts behind the log of this recipe."""
    ranges, failure = _ranges(recipe), recipe.failure
    done = [recipe.steps] * len(ranges)
    if failure:
        done = [*done[: failure.window - 1], failure.steps_done]
    steps = tuple(tuple(_seconds(recipe, window, step + 1) for step in range(n)) for window, n in enumerate(done, 1))
    decodes = (recipe.decode_s,) * (len(done) - bool(failure))
    spent = recipe.overhead_s + recipe.encode_s * len(done) + sum(map(sum, steps)) + sum(decodes)
    return Truth(
        windows=ranges[: len(done)],
        expected_windows=len(ranges),
        announced_windows=1 if len(ranges) == 1 else recipe.audio_frames // recipe.stride + 1,
        steps=steps,
        decodes=decodes,
        paddings=_paddings(recipe, ranges) if len(done) == len(ranges) else (),
        status=_status(failure),
        report=None if failure else _report(recipe),
        prompt_s=None if failure and failure.ending == "truncated" else spent,
    )


def _ranges(recipe: Recipe) -> tuple[tuple[int, int], ...]:
    """The schedule: the loop stops at the first window whose end reaches the audio's."""
    count = 1 + max(0, math.ceil((recipe.audio_frames - recipe.window) / recipe.stride))
    return tuple((k * recipe.stride, k * recipe.stride + recipe.window) for k in range(count))


def _paddings(recipe: Recipe, ranges: tuple[tuple[int, int], ...]) -> tuple[Padding, ...]:
    """A single window warns of nothing; of several, the step to the last warns of every speaker."""
    have, need = recipe.audio_frames, ranges[-1][1]
    speakers = recipe.speakers if len(ranges) > 1 else 0
    return tuple(Padding(subject, have, need, need - have + CONTEXT_FRAMES) for subject in range(speakers))


def _seconds(recipe: Recipe, window: int, step: int) -> float:
    if recipe.pace is not None:
        return recipe.pace(window, step)
    swing = random.Random(f"{recipe.seed}/{window}/{step}").uniform(-1, 1)
    return round(recipe.step_s * (1 + recipe.jitter * swing), 4)


def _status(failure: Failure | None) -> str:
    if failure is None:
        return "completed"
    return failure.ending if failure.ending in ("interrupted", "truncated") else "failed"


def _report(recipe: Recipe) -> Report:
    """Until November 2025 the stage's peaks; then what the VAE's resets of the counter have left of them."""
    decode = round(recipe.decode_peak_gib * RESERVED_OVER_PEAK, 3)
    match recipe.era:
        case "2025-11":
            return Report(RESIDUE_GIB, recipe.peak_gib, recipe.reserved_gib, "stage")
        case "2025-12":
            return Report(RESIDUE_GIB, RESIDUE_GIB, decode, "residue")
        case "2026-02":
            return Report(RESIDUE_GIB, recipe.decode_peak_gib, decode, "last-decode")
