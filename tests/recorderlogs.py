"""Small logs with the lines of loganalyzer's recorder, at the form of today's wrapper."""

from __future__ import annotations

import logtext as log
from recorder_lines import line

__all__ = ["line", "prompt", "settings", "window"]


def settings(**values: object) -> str:
    """The lines at a prompt's start: the prompt, its sampler, its LoRA."""
    known = {
        "class": "WanVideoSampler",
        "model": "wan2.1-i2v-14b-720p-Q6_K.gguf",
        "quantization": "Q6_K",
        "adapter": "Wan2_1-InfiniteTalk-Single_Q8_0.gguf",
        "adapter_quantization": "Q8_0",
        "attention": "sdpa",
        "frames": 153,
        "window": 81,
        "overlap": 9,
        "width": 1280,
        "height": 720,
        "steps": 4,
        "audio": 6.12,
        "fps": 25.0,
    } | values
    lora = line("lora", node="12", name="lightx2v_I2V_14B_480p_cfg_step_distill_rank256_bf16.safetensors", strength=1.0)
    return "\n".join([line("prompt", nodes=23), line("sampler", **known), lora]) + "\n"


def window(number: int, steps: int = 4, seconds: float = 5.0, *, ranged: bool = True, bars: bool = True) -> str:
    """A window of steady steps: the wrapper's bar at 81/9, with the recorder's line after each step.

    The recorder's line comes before the bar's refresh of the same step, behind the refresh before it.
    """
    start, end = 72 * (number - 1), 72 * (number - 1) + 81
    desc = f"Sampling audio indices {start}-{end}"
    text = log.refresh(desc, 0, steps, 0, "?it/s") if bars else ""
    for n in range(1, steps + 1):
        span = {"start": start, "end": end} if ranged else {}
        text += line("step", window=number, step=n, steps=steps, seconds=seconds, allocated=14.2, **span) + "\n"
        if bars:
            text += log.refresh(desc, n, steps, int(n * seconds), f"{seconds:5.2f}s/it")
    if bars:
        text += log.refresh(desc, steps, steps, int(steps * seconds + 2), f"{seconds + 2 / steps:5.2f}s/it") + "\n"
    return text


def prompt(audio: int = 153, *, peak: float = 15.0, bars: bool = True, ranged: bool = True, **values: object) -> str:
    """A prompt of today's wrapper with recorder lines: the wrapper prints only the last decode's peak."""
    ends = [81]
    while ends[-1] < audio:
        ends.append(ends[-1] + 72)
    text = log.ARRIVAL + settings(frames=audio, **values) + log.MODE + log.header(audio, audio // 72 + 1)
    for number, end in enumerate(ends, 1):
        if number == len(ends) > 1:
            text += log.padding(audio, end)
        text += window(number, bars=bars, ranged=ranged)
    node = line(
        "node", class_="WanVideoSampler", seconds=50.0, allocated=peak + 0.4, reserved=peak + 1.6,
        sampling=peak, sampling_reserved=peak + 1.0, prompt_allocated=peak + 0.4, prompt_reserved=peak + 1.6,
        free=14.0, others=0.5, temperature=71, clock=2610, throttle="none",
    )  # fmt: skip
    ended = line("end", status="completed", seconds=80.3, sample=[peak, peak + 1.0])
    return text + log.memory_2026() + node + "\n" + ended + "\n" + log.EXECUTED
