"""The settings of a call of the tool, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from loganalyzer.common.severity import Severity

FailOn = Literal["error", "warning", "never"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings. The defaults are the standard InfiniteTalk schedule: 81-frame windows, 9 motion frames, 25 fps.

    Attributes:
        window_frames: configured window, in frames.
        motion_frames: configured overlap, in frames.
        fps: frames per second of the video and of the audio embedding.
        quantization: declared on the command line or in the configuration, e.g. `Q6_K`; None means unknown.
        attention_mode: expected attention mode of the model loader in a workflow.
        lora_rank: expected rank of the speed LoRA; None means that the baselines' requirement for the size decides.
        gpu: the card's name if the log has no startup banner.
        total_vram_gib: the card's memory, in GiB, if the log has no startup banner.
        price_per_hour: USD per GPU hour; None switches the cost rule off (it is then listed as not checked).
        baselines: a user's baselines file; its entries override the shipped ones with the same key.
        patterns: folders with additional grammars.
        audio_s: length of the audio, in seconds, for ComfyUI's own runs, whose logs do not state it.
        workflow: the workflow file that runs are compared with: it declares quantization, LoRA, frames, steps, size.
        severities: rule id to severity; overrides the rule's own.
        strict: whether findings that doubt how the log was read (LOG001) are errors; `severities` takes precedence.
        ignore: ids of rules that are not reported; `select`, if not empty, has the ids of the only reported rules.
        redact: whether secrets and names of people are masked in everything that is shown.
        step_outlier_factor, slowdown_fraction, headroom_fraction, fragmentation_fraction: tolerances of the rules
            that name them.
    """

    window_frames: int = 81
    motion_frames: int = 9
    fps: float = 25.0
    quantization: str | None = None
    attention_mode: str = "sdpa"
    lora_rank: int | None = None
    gpu: str | None = None
    total_vram_gib: float | None = None
    price_per_hour: float | None = None
    baselines: Path | None = None
    patterns: tuple[Path, ...] = ()
    audio_s: float | None = None
    workflow: Path | None = None
    severities: dict[str, Severity] = field(default_factory=dict)
    strict: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    redact: bool = True
    step_outlier_factor: float = 1.5
    slowdown_fraction: float = 0.10
    headroom_fraction: float = 0.05
    fragmentation_fraction: float = 0.25
