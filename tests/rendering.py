"""What the wrapper and ComfyUI print of a run, line for line in their own formats."""

from __future__ import annotations

from collections.abc import Iterator

from progress_bar import ProgressBar
from recipes import FPS, RESERVED_OVER_PEAK, SAMPLE_RATE, Recipe, Report, Truth, truth
from recorder_lines import SAMPLER, line

OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.32 GiB. GPU 0 has a total capacity of {total:.2f} GiB of which {free:.2f} "
    "GiB is free. Of the allocated memory {allocated:.2f} GiB is allocated by PyTorch, and {idle:.2f} GiB is reserved "
    "by PyTorch but unallocated."
)
_OTHER_PROCESSES_GIB = 0.42
MISFIT = "The size of tensor a (3600) must match the size of tensor b (3584) at non-singleton dimension 1"


def render(recipe: Recipe) -> bytes:
    """The log of this recipe, as a file holds it that takes both stdout and stderr."""
    return "".join(_pieces(recipe)).encode()


def _pieces(recipe: Recipe) -> Iterator[str]:
    facts = truth(recipe)
    if recipe.banner:
        yield from _banner(recipe)
    yield "got prompt\n"
    yield from _recorded_settings(recipe)
    yield from _embedding(recipe)
    if recipe.loads_model:
        yield from _loading(recipe)
    yield from _before_the_loop(recipe)
    yield (
        f"Sampling {recipe.audio_frames} frames in {facts.announced_windows} windows, "
        f"at {recipe.width}x{recipe.height} with {recipe.steps} steps\n"
    )
    for index in range(len(facts.windows)):
        yield from _window(recipe, facts, index)
    if facts.report is not None:
        yield from _memory(recipe, "Sampling", facts.report)
        yield from _recorded_end(recipe, facts)
        yield _executed(facts)


def _window(recipe: Recipe, facts: Truth, index: int) -> Iterator[str]:
    """One window; the padding warnings come on the step to the last."""
    start, end = facts.windows[index]
    if index == len(facts.windows) - 1:
        for padding in facts.paddings:
            yield (
                f"Audio embedding for subject {padding.subject} not long enough: "
                f"{padding.have}, need {padding.need}, padding...\nPadding length: {padding.length}\n"
            )
    yield from _encoding(recipe, first=index == 0)
    if recipe.text_prompts > 1:
        yield f"Using prompt index: {min(index, recipe.text_prompts - 1)}\n"
    bar = ProgressBar(f"Sampling audio indices {start}-{end}", recipe.steps)
    yield bar.open()
    for number, seconds in enumerate(facts.steps[index], 1):
        yield from _recorded_step(recipe, facts, index, number)
        yield bar.step(seconds)
    if index == len(facts.decodes):
        yield from _broken_off(recipe, facts, bar)
    else:
        bar.wait(facts.decodes[index])
        yield from _decoding(recipe)
        yield bar.close()


def _broken_off(recipe: Recipe, facts: Truth, bar: ProgressBar) -> Iterator[str]:
    """What stands behind the last refresh of an unfinished window; the bar is drawn again once Python frees it."""
    bar.wait(1.5)
    match recipe.failure and recipe.failure.ending:
        case "interrupted":
            yield "Processing interrupted\n" + bar.close() + _executed(facts)
        case "exception":
            yield _exception("RuntimeError", MISFIT) + _executed(facts) + bar.close()
        case "out-of-memory":
            total = recipe.total_vram_mb / 1024
            message = OUT_OF_MEMORY.format(
                total=total,
                free=total - recipe.reserved_gib - _OTHER_PROCESSES_GIB,
                allocated=recipe.peak_gib,
                idle=recipe.reserved_gib - recipe.peak_gib,
            )
            yield _exception("torch.OutOfMemoryError", message)
            yield "Got an OOM, unloading all loaded models.\n" + _executed(facts) + bar.close()


def _executed(facts: Truth) -> str:
    seconds = facts.prompt_s or 0.0
    if seconds <= 600:
        return f"Prompt executed in {seconds:.2f} seconds\n"
    minutes, second = divmod(int(seconds), 60)
    return f"Prompt executed in {minutes // 60 % 24:02}:{minutes % 60:02}:{second:02}\n"


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
    )
    yield from _recorded_start(recipe)
    yield (
        "\nImport times for custom nodes:\n"
        "   0.1 seconds: /opt/ComfyUI/custom_nodes/ComfyUI-VideoHelperSuite\n"
        "   1.3 seconds: /opt/ComfyUI/custom_nodes/ComfyUI-WanVideoWrapper\n"
        "\nStarting server\n\n"
        "To see the GUI go to: http://127.0.0.1:8188\n"
    )


def _recorded_start(recipe: Recipe) -> Iterator[str]:
    if recipe.recorded:
        yield line(
            "start", recorder="1.0.0", gpu=recipe.gpu, vram=round(recipe.total_vram_mb / 1024, 3), driver="580.95.05",
            torch="2.8.0+cu128", python="3.12.11", comfyui="0.3.64", arguments="--listen --use-sage-attention",
        ) + "\n"  # fmt: skip
        yield line("packs", packs="ComfyUI-VideoHelperSuite@a7ce59e, ComfyUI-WanVideoWrapper@df8f3e4") + "\n"


def _recorded_settings(recipe: Recipe) -> Iterator[str]:
    known = recipe.recorded
    if known:
        frames = recipe.requested_frames or recipe.audio_frames
        yield line("prompt", nodes=14) + "\n"
        yield line(
            "sampler", class_="WanVideoSampler", model=known.model, quantization=known.quantization,
            adapter="Wan2_1-InfiniteTalk_Single_Q8.gguf", adapter_quantization="Q8_0", attention=known.attention,
            frames=frames, window=recipe.window, overlap=recipe.motion, width=recipe.width, height=recipe.height,
            steps=recipe.steps, audio=round(recipe.samples / SAMPLE_RATE, 3), fps=float(FPS),
        ) + "\n"  # fmt: skip
        lora = f"lightx2v_I2V_14B_480p_cfg_step_distill_rank{recipe.lora_rank}_bf16.safetensors"
        yield line("lora", node="12", name=lora, strength=1.0) + "\n"


def _recorded_step(recipe: Recipe, facts: Truth, index: int, number: int) -> Iterator[str]:
    """The recorder prints a step before the bar is drawn again, behind the bar's last refresh."""
    if recipe.recorded:
        start, end = facts.windows[index]
        seconds = round(facts.steps[index][number - 1], 3)
        yield line(
            "step", window=index + 1, start=start, end=end, step=number, steps=recipe.steps, seconds=seconds,
            allocated=round(recipe.peak_gib - 0.6, 3),
        ) + "\n"  # fmt: skip


def _recorded_end(recipe: Recipe, facts: Truth) -> Iterator[str]:
    """The sampler's node with its true peaks, the node that writes the video, and the prompt."""
    if recipe.recorded:
        peak, reserved = recipe.peak_gib, recipe.reserved_gib
        whole, whole_reserved = round(peak + 0.35, 3), round(reserved + 0.4, 3)
        gpu = {"free": 14.2, "others": 0.41, "temperature": 66, "clock": 2790, "throttle": "none"}
        of_prompt = {"prompt_allocated": whole, "prompt_reserved": whole_reserved}
        sampled = sum(map(sum, facts.steps)) + sum(facts.decodes)
        yield line(
            "node", node=SAMPLER, class_="WanVideoSampler", seconds=round(sampled + 9.3, 3), allocated=whole,
            reserved=whole_reserved, sampling=peak, sampling_reserved=reserved, **of_prompt, **gpu,
        ) + "\n"  # fmt: skip
        yield line(
            "node", node="31", class_="VHS_VideoCombine", seconds=3.482, allocated=0.4, reserved=2.1, **of_prompt, **gpu
        ) + "\n"  # fmt: skip
        yield line(
            "end", status="completed", seconds=round((facts.prompt_s or 0.0) - 0.004, 3),
            sample=[whole, whole_reserved], other=[0.4, 2.1],
        ) + "\n"  # fmt: skip


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
    if recipe.era == "2026-02":
        yield "Transformer weights loaded:\nDevice: cuda:0   | Memory: 5,120,431.27 MB\n"


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
            yield f"WanVAE encoded input:{_pixels(recipe, frames)} to {_latents(recipe, frames)}\n"
            yield from _memory(recipe, "WanVAE encode", Report(0.252, 5.25, 6.5, "encode"))


def _decoding(recipe: Recipe) -> Iterator[str]:
    """December 2025: the decode reports too, behind the open bar's last refresh."""
    if recipe.era == "2025-12":
        peak, window = recipe.decode_peak_gib, recipe.window
        yield f"WanVAE decoded input:{_latents(recipe, window)} to {_pixels(recipe, window)}\n"
        yield from _memory(recipe, "WanVAE decode", Report(2.266, peak, peak * RESERVED_OVER_PEAK, "decode"))


def _pixels(recipe: Recipe, frames: int) -> str:
    return f"torch.Size([1, 3, {frames}, {recipe.height}, {recipe.width}])"


def _latents(recipe: Recipe, frames: int) -> str:
    return f"torch.Size([1, 16, {(frames - 1) // 4 + 1}, {recipe.height // 8}, {recipe.width // 8}])"


def _memory(recipe: Recipe, phase: str, report: Report) -> Iterator[str]:
    named = "" if recipe.era == "2025-11" else f"[{phase}] "
    if recipe.era != "2026-02":
        yield f"{named}Allocated memory: memory={report.allocated_gib:.3f} GB\n"
    yield f"{named}Max allocated memory: max_memory={report.peak_gib:.3f} GB\n"
    yield f"{named}Max reserved memory: max_reserved={report.reserved_gib:.3f} GB\n"


def _exception(kind: str, message: str) -> str:
    """The wrapper's own line, which lands behind the open bar, then ComfyUI's with the traceback."""
    return (
        f"Error during sampling: {message}\n"
        f"!!! Exception during processing !!! {message}\n"
        "Traceback (most recent call last):\n"
        '  File "/opt/ComfyUI/execution.py", line 498, in execute\n'
        "    output_data, output_ui, has_subgraph, has_pending_tasks = await get_output_data(prompt_id, unique_id)\n"
        '  File "/opt/ComfyUI/custom_nodes/ComfyUI-WanVideoWrapper/multitalk/multitalk_loop.py", line 431, in '
        "multitalk_loop\n"
        "    noise_pred, _, self.cache_state = predict_with_cfg(\n"
        f"{kind}: {message}\n\n"
    )
