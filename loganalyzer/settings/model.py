"""The settings of a call of the tool, and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from loganalyzer.common.errors import ConfigurationError

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

    def __post_init__(self) -> None:
        """Refuses values of a wrong type: `Settings(select="AUD001")` would select single letters.

        Raises:
            ConfigurationError: names the setting, its value and the type that it takes.
        """
        for names, (types, wanted) in _TYPES.items():
            for name in names:
                value = getattr(self, name)
                is_bool = isinstance(value, bool) and bool not in types
                if is_bool or not isinstance(value, types):
                    raise ConfigurationError(f"{name} is {value!r}", f"it takes {wanted}")
        for name in ("select", "ignore"):
            if not all(isinstance(item, str) for item in getattr(self, name)):
                raise ConfigurationError(f"{name} is {getattr(self, name)!r}", "it takes a tuple of rules")


_NONE: Final = type(None)
_TYPES: Final = {
    ("window_frames", "motion_frames"): ((int,), "a whole number of frames"),
    ("fps", "step_outlier_factor", "slowdown_fraction", "headroom_fraction", "fragmentation_fraction"): (
        (int, float),
        "a number",
    ),
    ("lora_rank",): ((int, _NONE), "a whole number, or None"),
    ("total_vram_gib", "price_per_hour", "audio_s"): ((int, float, _NONE), "a number, or None"),
    ("quantization", "gpu"): ((str, _NONE), "a text, or None"),
    ("attention_mode",): ((str,), "a text"),
    ("baselines", "workflow"): ((Path, _NONE), "a pathlib.Path, or None"),
    ("patterns", "select", "ignore"): ((tuple,), "a tuple"),
    ("severities",): ((dict,), "a dictionary of rule to severity"),
    ("strict", "redact"): ((bool,), "True or False"),
}
"""Names of settings, their types, and the types in words."""
