"""Defines the settings that a workflow requests, each with the place where it is typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Final

from loganalyzer.common.formatting import one_line
from loganalyzer.workflow.graph import Graph
from loganalyzer.workflow.values import Value

LARGEST: Final = 10_000_000
"""Maximum number of frames, pixels or steps; a larger number is a typing error, or hostile."""
LOWEST_FPS: Final = 0.1
HIGHEST_FPS: Final = 1000
MULTITALK_SCHEDULER: Final = "multitalk"
"""This scheduler ignores the step setting and always runs 4 steps (facts sheet, section 1.1)."""


def unknown_value(name: str, reason: str = "") -> Value:
    """A setting that is not in the workflow, with the reason."""
    return Value(None, reason, "", "", name)


@dataclass(frozen=True)
class Crop:
    """A cut of the audio: the node, and the seconds of audio that remain."""

    node_id: str
    title: str
    seconds: float
    duration: Value | None


@dataclass(frozen=True, slots=True)
class RequestedSettings:
    """The requested settings as plain values, to compare with a log; None where unknown.

    Attributes:
        frames: maximum frames of audio.
        steps: steps that each window really runs.
        width, height: of the video, in pixels.
        quantization: of the model.
        lora_rank: of the distillation LoRA.
        audio_s: seconds to which the audio is cut.
    """

    frames: int | None = None
    steps: int | None = None
    width: int | None = None
    height: int | None = None
    quantization: str | None = None
    lora_rank: int | None = None
    audio_s: float | None = None


@dataclass(frozen=True)
class SamplerSettings:
    """The requested settings of one sampler, one `Value` each.

    Attributes:
        sampler: id of the sampler node.
        requested_frames, fps, width, height, window_frames, motion_frames, drop_frames, mode, steps, model,
            quantization, lora, lora_rank, attention_mode: as in the document of `workflow check`.
        start_step, end_step, scheduler: of the sampler.
        adapter: file of the InfiniteTalk or MultiTalk adapter.
        lora_strength: of the LoRA that `lora` names.
        video_fps: frame rates of the nodes that write the video.
        attention_overrides: attention modes that nodes between loader and sampler set for a part of the run.
        crops: cuts of the audio.
        output_path: folder for the windows; None or empty if they are not saved.
        context_options: id of the connected node with context options, or None.
        clips: number of clips of ComfyUI's own InfiniteTalk in the workflow, this one included; 0 for the wrapper.
        continues: whether this is such a clip and continues another one.
    """

    sampler: str
    requested_frames: Value = field(default_factory=lambda: unknown_value("num_frames"))
    fps: Value = field(default_factory=lambda: unknown_value("fps"))
    width: Value = field(default_factory=lambda: unknown_value("width"))
    height: Value = field(default_factory=lambda: unknown_value("height"))
    window_frames: Value = field(default_factory=lambda: unknown_value("frame_window_size"))
    motion_frames: Value = field(default_factory=lambda: unknown_value("motion_frame"))
    drop_frames: Value = field(default_factory=lambda: Value(0, "", "", "", "drop_frames"))
    mode: Value = field(default_factory=lambda: unknown_value("mode"))
    steps: Value = field(default_factory=lambda: unknown_value("steps"))
    start_step: Value = field(default_factory=lambda: unknown_value("start_step"))
    end_step: Value = field(default_factory=lambda: unknown_value("end_step"))
    scheduler: Value = field(default_factory=lambda: unknown_value("scheduler"))
    model: Value = field(default_factory=lambda: unknown_value("model"))
    quantization: Value = field(default_factory=lambda: unknown_value("quantization"))
    adapter: Value = field(default_factory=lambda: unknown_value("model"))
    lora: Value = field(default_factory=lambda: unknown_value("lora"))
    lora_rank: Value = field(default_factory=lambda: unknown_value("lora"))
    lora_strength: Value = field(default_factory=lambda: unknown_value("strength"))
    output_path: Value = field(default_factory=lambda: unknown_value("output_path"))
    attention_mode: Value = field(default_factory=lambda: unknown_value("attention_mode"))
    video_fps: tuple[Value, ...] = ()
    attention_overrides: tuple[Value, ...] = ()
    crops: tuple[Crop, ...] = ()
    context_options: str | None = None
    clips: int = 0
    continues: bool = False

    @property
    def audio_crop_s(self) -> float | None:
        """The length in seconds of the shortest audio cut, or None."""
        return min((crop.seconds for crop in self.crops), default=None)

    @property
    def steps_run(self) -> int | None:
        """The steps that each window really runs, as in the log's header: from `start_step` to `end_step`."""
        steps, start, end = self.steps.value, self.start_step.value, self.end_step.value
        if not isinstance(steps, int) or not isinstance(start, int) or not isinstance(end, int):
            return steps if isinstance(steps, int) and not self.start_step.reason else None
        last = min(end, steps) if end > 0 else steps
        return max(last - max(start, 0), 0)

    @property
    def requested(self) -> RequestedSettings:
        """The settings as plain values, to compare with a log."""
        steps = 4 if self.scheduler.value == MULTITALK_SCHEDULER else self.steps_run
        return RequestedSettings(
            as_int(self.requested_frames),
            steps,
            as_int(self.width),
            as_int(self.height),
            self.quantization.value if isinstance(self.quantization.value, str) else None,
            as_int(self.lora_rank),
            self.audio_crop_s,
        )

    def items(self) -> Iterator[tuple[str, Value]]:
        """The name and value of each setting that is a `Value`."""
        for item in fields(self):
            found = getattr(self, item.name)
            if isinstance(found, Value):
                yield item.name, found


@dataclass(frozen=True)
class Workflow:
    """A workflow file and the requested settings of each sampler."""

    graph: Graph
    samplers: tuple[SamplerSettings, ...]

    @property
    def first(self) -> SamplerSettings:
        """The first sampler, for callers that use only one."""
        return self.samplers[0]


def as_int(given: Value) -> int | None:
    """The setting as an integer; None if it is not one, or larger than any meaningful value."""
    number = given.value
    return number if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= LARGEST else None


def as_fps(given: Value) -> float | None:
    """The setting as a frame rate; None if it is not a number, or no video has that rate."""
    number = given.value
    if not isinstance(number, int | float) or isinstance(number, bool) or not LOWEST_FPS <= number <= HIGHEST_FPS:
        return None
    return float(number)


def locate(place: Value) -> str:
    """The place of a setting in words: node, title and input."""
    return f"node {one_line(place.node_id)} ({one_line(place.title)}), {one_line(place.input)}"
