"""Logs made to order: a `Recipe` says what happened, `render` writes what upstream prints of it, `truth` keeps the facts.

Every line follows the wrapper's and ComfyUI's own formats, so that a log of any length, era and ending can be had
without a graphics card.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from progress_bar import ProgressBar

Era = Literal["2025-11", "2025-12", "2026-02"]
Ending = Literal["out-of-memory", "exception", "interrupted", "truncated"]

SAMPLE_RATE = 16_000
FPS = 25
CONTEXT_FRAMES = 3
OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.32 GiB. GPU 0 has a total capacity of 31.84 GiB of which {free:.2f} GiB is "
    "free. Of the allocated memory {allocated:.2f} GiB is allocated by PyTorch, and {idle:.2f} GiB is reserved by "
    "PyTorch but unallocated."
)
MISFIT = "The size of tensor a (3600) must match the size of tensor b (3584) at non-singleton dimension 1"


@dataclass(frozen=True)
class Failure:
    """Where a run ends early: in `window` (from 1), after `steps_done` of its steps."""

    ending: Ending
    window: int
    steps_done: int


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
class Truth:
    """What a recipe's log must be read as.

    Attributes:
        windows: ranges begun; expected_windows: how many the audio takes; announced_windows: what the header says.
        steps: seconds of every step done, by window.
        decodes: seconds of every window's VAE decode, for the windows that were finished.
        peak_gib, reserved_gib, peak_covers: what the report prints and what that is; None where it is not printed.
        prompt_s: seconds of the prompt; None where the log stops before.
    """

    windows: tuple[tuple[int, int], ...]
    expected_windows: int
    announced_windows: int
    steps: tuple[tuple[float, ...], ...]
    decodes: tuple[float, ...]
    paddings: tuple[Padding, ...]
    status: str
    peak_gib: float | None
    reserved_gib: float | None
    peak_covers: str | None
    prompt_s: float | None


def truth(recipe: Recipe) -> Truth:
    """The facts behind the log of this recipe."""
    return _Run(recipe).truth


def render(recipe: Recipe) -> bytes:
    """The log of this recipe, as a file holds it that stderr and stdout went to."""
    return "".join(_Run(recipe).write()).encode()


class _Run:
    """A recipe carried out: its truth, and its log piece by piece."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @cached_property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """All windows of the schedule: the loop stops at the first whose end reaches the audio's."""
        recipe = self.recipe
        count = 1 + max(0, math.ceil((recipe.audio_frames - recipe.window) / recipe.stride))
        return tuple((k * recipe.stride, k * recipe.stride + recipe.window) for k in range(count))

    @cached_property
    def truth(self) -> Truth:
        recipe, failure = self.recipe, self.recipe.failure
        begun = failure.window if failure else len(self.ranges)
        done = [recipe.steps] * begun
        if failure:
            done[-1] = failure.steps_done
        completed = failure is None
        covers = {"2025-11": "stage", "2025-12": "residue", "2026-02": "last-decode"}[recipe.era]
        seconds = tuple(tuple(self._step(k, step) for step in range(1, n + 1)) for k, n in enumerate(done, 1))
        decodes = (recipe.decode_s,) * (begun if completed else begun - 1)
        spent = recipe.overhead_s + recipe.encode_s * begun + sum(map(sum, seconds)) + sum(decodes)
        return Truth(
            windows=self.ranges[:begun],
            expected_windows=len(self.ranges),
            announced_windows=1 if len(self.ranges) == 1 else recipe.audio_frames // recipe.stride + 1,
            steps=seconds,
            decodes=decodes,
            paddings=self._paddings() if begun == len(self.ranges) > 1 else (),
            status={None: "completed", "out-of-memory": "failed", "exception": "failed"}.get(
                failure and failure.ending, failure.ending if failure else ""
            ),
            peak_gib=self._report()[1] if completed else None,
            reserved_gib=self._report()[2] if completed else None,
            peak_covers=covers if completed else None,
            prompt_s=None if failure and failure.ending == "truncated" else spent,
        )

    def _step(self, window: int, step: int) -> float:
        recipe = self.recipe
        if recipe.pace is not None:
            return recipe.pace(window, step)
        swing = random.Random(f"{recipe.seed}/{window}/{step}").uniform(-1, 1)
        return round(recipe.step_s * (1 + recipe.jitter * swing), 4)

    def _paddings(self) -> tuple[Padding, ...]:
        have, need = self.recipe.audio_frames, self.ranges[-1][1]
        return tuple(
            Padding(subject, have, need, need - have + CONTEXT_FRAMES) for subject in range(self.recipe.speakers)
        )

    def _report(self) -> tuple[float, float, float]:
        """Allocated, its peak and the reserved peak, as the era's final report gives them."""
        recipe, residue = self.recipe, 0.138
        reserved = round(recipe.decode_peak_gib * 1.06, 3)
        return {
            "2025-11": (residue, recipe.peak_gib, recipe.reserved_gib),
            "2025-12": (residue, residue, reserved),
            "2026-02": (residue, recipe.decode_peak_gib, reserved),
        }[recipe.era]

    def write(self) -> Iterator[str]:
        recipe = self.recipe
        if recipe.banner:
            yield from _banner(recipe)
        yield "got prompt\n"
        yield from _embedding(recipe)
        if recipe.loads_model:
            yield from _loading(recipe)
        yield from self._sampling()

    def _sampling(self) -> Iterator[str]:
        recipe, facts = self.recipe, self.truth
        yield from _before_the_loop(recipe)
        yield (
            f"Sampling {recipe.audio_frames} frames in {facts.announced_windows} windows, "
            f"at {recipe.width}x{recipe.height} with {recipe.steps} steps\n"
        )
        for k, (start, end) in enumerate(facts.windows):
            if facts.paddings and k == len(facts.windows) - 1:
                for padding in facts.paddings:
                    yield (
                        f"Audio embedding for subject {padding.subject} not long enough: "
                        f"{padding.have}, need {padding.need}, padding...\nPadding length: {padding.length}\n"
                    )
            yield from _encoding(recipe, first=k == 0)
            if recipe.text_prompts > 1:
                yield f"Using prompt index: {min(k, recipe.text_prompts - 1)}\n"
            bar = ProgressBar(f"Sampling audio indices {start}-{end}", recipe.steps)
            yield bar.open()
            yield from map(bar.step, facts.steps[k])
            if k == len(facts.decodes):
                yield from self._broken_off(bar)
                return
            bar.wait(facts.decodes[k])
            yield from _decoding(recipe)
            yield bar.close()
        yield from _memory(recipe.era, "Sampling", *self._report())
        yield self._executed()

    def _executed(self) -> str:
        seconds = self.truth.prompt_s or 0.0
        if seconds <= 600:
            return f"Prompt executed in {seconds:.2f} seconds\n"
        minutes, second = divmod(int(seconds), 60)
        return f"Prompt executed in {minutes // 60 % 24:02}:{minutes % 60:02}:{second:02}\n"

    def _broken_off(self, bar: ProgressBar) -> Iterator[str]:
        """What follows the last refresh of a window that was not finished; the open bar is redrawn when it is freed."""
        ending = self.recipe.failure.ending if self.recipe.failure else "truncated"
        bar.wait(1.5)
        if ending == "interrupted":
            yield "Processing interrupted\n" + bar.close() + self._executed()
        elif ending == "exception":
            yield _exception("RuntimeError", MISFIT) + self._executed() + bar.close()
        elif ending == "out-of-memory":
            reserved, allocated = self.recipe.reserved_gib, self.recipe.peak_gib
            message = OUT_OF_MEMORY.format(
                free=self.recipe.total_vram_mb / 1024 - reserved - 0.42,
                allocated=allocated,
                idle=reserved - allocated,
            )
            yield _exception("torch.OutOfMemoryError", message)
            yield "Got an OOM, unloading all loaded models.\n" + self._executed() + bar.close()


def _banner(recipe: Recipe) -> Iterator[str]:
    yield (
        f"Total VRAM {recipe.total_vram_mb} MB, total RAM 128712 MB\n"
        "pytorch version: 2.8.0+cu128\n"
        "Enabled fp16 accumulation.\n"
        "Set vram state to: NORMAL_VRAM\n"
        f"Device: cuda:0 {recipe.gpu} : {recipe.allocator}\n"
        "Using sage attention\n"
        "Python version: 3.12.11 (main, Jun  4 2025, 08:56:18) [GCC 13.3.0]\n"
        "ComfyUI version: 0.3.64\n"
        "ComfyUI frontend version: 1.27.10\n"
        "[Prompt Server] web root: /opt/venv/lib/python3.12/site-packages/comfyui_frontend_package/static\n"
        "\nImport times for custom nodes:\n"
        "   0.1 seconds: /opt/ComfyUI/custom_nodes/ComfyUI-VideoHelperSuite\n"
        "   1.3 seconds: /opt/ComfyUI/custom_nodes/ComfyUI-WanVideoWrapper\n"
        "\nStarting server\n\n"
        "To see the GUI go to: http://127.0.0.1:8188\n"
    )


def _embedding(recipe: Recipe) -> Iterator[str]:
    """The audio node: every speaker is as long as the first, and they speak one over another."""
    samples, speakers = recipe.samples, recipe.speakers
    yield "[MultiTalk] --- Raw speaker lengths (samples) ---\n"
    for speaker in range(1, speakers + 1):
        yield f"  speaker {speaker}: {samples} samples (shape: torch.Size([1, 1, {samples}]))\n"
    if (recipe.requested_frames or 0) > recipe.audio_frames:
        yield (
            f"[MultiTalk] Audio duration ({recipe.audio_frames} frames) is shorter than requested "
            f"({recipe.requested_frames} frames). Using {recipe.audio_frames} frames.\n"
        )
    seconds = samples / SAMPLE_RATE
    yield (
        f"[MultiTalk] total raw duration = {seconds * speakers:.3f}s\n"
        f"[MultiTalk] multi_audio_type=para | final waveform shape=torch.Size([1, 1, {samples}]) | "
        f"length={samples} samples | seconds={seconds:.3f}s (expected max of raw)\n"
    )


def _loading(recipe: Recipe) -> Iterator[str]:
    yield (
        "CUDA Compute Capability: 12.0\n"
        "Detected model in_channels: 36\n"
        "Model cross attention type: i2v, num_heads: 40, num_layers: 40\n"
        "Model variant detected: i2v_720\n"
        "InfiniteTalk detected, patching model...\n"
        f"Loading LoRA: lightx2v_I2V_14B_480p_cfg_step_distill_rank{recipe.lora_rank}_bf16 with strength: 1.0\n"
        "Using GGUF to load and assign model weights to device...\n"
    )
    parameters = ProgressBar("Loading transformer parameters to cuda:0", 1303)
    yield parameters.open()
    yield from (parameters.step(0.00021) for _ in range(1303))
    yield parameters.close()


def _before_the_loop(recipe: Recipe) -> Iterator[str]:
    """Scheduler, audio shapes, mode."""
    noise = [1 - k / recipe.steps for k in range(recipe.steps)]
    shift = 11.0
    sigmas = [shift * share / (1 + (shift - 1) * share) for share in noise]
    timesteps = ", ".join(f"{min(999, int(sigma * 1000))}" for sigma in sigmas)
    yield (
        "------- Scheduler info -------\n"
        f"Total timesteps: tensor([{timesteps}], device='cuda:0')\n"
        f"Using timesteps: tensor([{timesteps}], device='cuda:0')\n"
        f"Using sigmas: tensor([{', '.join(f'{sigma:.4f}' for sigma in [*sigmas, 0.0])}])\n"
    )
    shapes = ", ".join([f"({recipe.audio_frames}, 12, 768)"] * recipe.speakers)
    yield f"Multitalk audio features shapes (per speaker): [{shapes}]\nMultitalk mode: {recipe.mode}\n"
    if not recipe.silence_file:
        yield "No encoded silence file found, padding with end of audio embedding instead.\n"


def _encoding(recipe: Recipe, *, first: bool) -> Iterator[str]:
    """December 2025: the VAE reports on each call; before a window, the start image and the motion frames."""
    if recipe.era == "2025-12":
        for frames in (recipe.window, 1 if first else recipe.motion):
            pixels = f"[1, 3, {frames}, {recipe.height}, {recipe.width}]"
            latents = f"[1, 16, {(frames - 1) // 4 + 1}, {recipe.height // 8}, {recipe.width // 8}]"
            yield f"WanVAE encoded input:torch.Size({pixels}) to torch.Size({latents})\n"
            yield from _memory(recipe.era, "WanVAE encode", 0.252, 5.25, 6.5)


def _decoding(recipe: Recipe) -> Iterator[str]:
    """December 2025: the decode reports too, behind the open bar's last refresh."""
    if recipe.era == "2025-12":
        latents = f"[1, 16, {(recipe.window - 1) // 4 + 1}, {recipe.height // 8}, {recipe.width // 8}]"
        pixels = f"[1, 3, {recipe.window}, {recipe.height}, {recipe.width}]"
        yield f"WanVAE decoded input:torch.Size({latents}) to torch.Size({pixels})\n"
        peak = recipe.decode_peak_gib
        yield from _memory(recipe.era, "WanVAE decode", 2.266, peak, round(peak * 1.06, 3))


def _memory(era: Era, phase: str, allocated: float, peak: float, reserved: float) -> Iterator[str]:
    named = "" if era == "2025-11" else f"[{phase}] "
    if era != "2026-02":
        yield f"{named}Allocated memory: memory={allocated:.3f} GB\n"
    yield f"{named}Max allocated memory: max_memory={peak:.3f} GB\n"
    yield f"{named}Max reserved memory: max_reserved={reserved:.3f} GB\n"


def _exception(kind: str, message: str) -> str:
    """The wrapper's own line, which lands behind the open bar, then ComfyUI's with the traceback."""
    return (
        f"Error during sampling: {message}\n"
        f"!!! Exception during processing !!! {message}\n"
        "Traceback (most recent call last):\n"
        '  File "/opt/ComfyUI/execution.py", line 498, in execute\n'
        "    output_data, output_ui, has_subgraph, has_pending_tasks = await get_output_data(prompt_id, unique_id, obj)\n"
        '  File "/opt/ComfyUI/custom_nodes/ComfyUI-WanVideoWrapper/multitalk/multitalk_loop.py", line 431, in '
        "multitalk_loop\n"
        "    noise_pred, _, self.cache_state = predict_with_cfg(\n"
        f"{kind}: {message}\n\n"
    )
