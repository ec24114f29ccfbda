"""The settings of an InfiniteTalk workflow, each with the place where it is typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Final

from loganalyzer.common.formatting import one_line
from loganalyzer.workflow.graph import Graph
from loganalyzer.workflow.values import Value

LARGEST: Final = 10_000_000
"""Of frames, pixels and steps; a larger number is a slip, or hostile."""
LOWEST_FPS: Final = 0.1
HIGHEST_FPS: Final = 1000
LOOPS_OWN_SCHEDULER: Final = "multitalk"
"""With it the step setting is ignored: always 4 (facts sheet, section 1.1)."""


def untold(name: str, reason: str = "") -> Value:
    """A setting that the workflow does not tell."""
    return Value(None, reason, "", "", name)


@dataclass(frozen=True)
class Crop:
    """A cut of the audio: the node, and the length in seconds that it leaves."""

    node_id: str
    title: str
    seconds: float
    duration: Value | None


@dataclass(frozen=True, slots=True)
class RequestedSettings:
    """What a workflow asks for, as plain figures to hold a log against; None where it does not tell.

    Attributes:
        frames: frames of audio at most.
        steps: steps that a window really takes.
        width, height: of the video.
        quantization: of the model.
        lora_rank: of the speed LoRA.
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
class Declared:
    """What one sampler of a workflow is asked for; a `Value` each.

    Attributes:
        sampler: id of the sampler node.
        requested_frames, fps, width, height, window_frames, motion_frames, drop_frames, mode, steps, model,
            quantization, lora, lora_rank, attention_mode: as in the document of `workflow check`.
        start_step, end_step, scheduler: of the sampler.
        adapter: file of the InfiniteTalk or MultiTalk adapter.
        lora_strength: of the LoRA that `lora` names.
        video_fps: what the nodes that write the video take for the rate.
        attention_overrides: attention modes that nodes between loader and sampler set for a part of the run.
        crops: cuts of the audio.
        output_path: folder into which windows are saved; None or empty where they are not.
        context_options: id of the node with context options, where the sampler has one.
        clips: clips of ComfyUI's own InfiniteTalk that the workflow makes, this one included; 0 for the wrapper's.
        continues: whether it is such a clip that continues another one.
    """

    sampler: str
    requested_frames: Value = field(default_factory=lambda: untold("num_frames"))
    fps: Value = field(default_factory=lambda: untold("fps"))
    width: Value = field(default_factory=lambda: untold("width"))
    height: Value = field(default_factory=lambda: untold("height"))
    window_frames: Value = field(default_factory=lambda: untold("frame_window_size"))
    motion_frames: Value = field(default_factory=lambda: untold("motion_frame"))
    drop_frames: Value = field(default_factory=lambda: Value(0, "", "", "", "drop_frames"))
    mode: Value = field(default_factory=lambda: untold("mode"))
    steps: Value = field(default_factory=lambda: untold("steps"))
    start_step: Value = field(default_factory=lambda: untold("start_step"))
    end_step: Value = field(default_factory=lambda: untold("end_step"))
    scheduler: Value = field(default_factory=lambda: untold("scheduler"))
    model: Value = field(default_factory=lambda: untold("model"))
    quantization: Value = field(default_factory=lambda: untold("quantization"))
    adapter: Value = field(default_factory=lambda: untold("model"))
    lora: Value = field(default_factory=lambda: untold("lora"))
    lora_rank: Value = field(default_factory=lambda: untold("lora"))
    lora_strength: Value = field(default_factory=lambda: untold("strength"))
    output_path: Value = field(default_factory=lambda: untold("output_path"))
    attention_mode: Value = field(default_factory=lambda: untold("attention_mode"))
    video_fps: tuple[Value, ...] = ()
    attention_overrides: tuple[Value, ...] = ()
    crops: tuple[Crop, ...] = ()
    context_options: str | None = None
    clips: int = 0
    continues: bool = False

    @property
    def audio_crop_s(self) -> float | None:
        """The shortest cut of the audio."""
        return min((crop.seconds for crop in self.crops), default=None)

    @property
    def steps_run(self) -> int | None:
        """Steps that a window really takes, as the log's header counts them: from `start_step` to `end_step`."""
        steps, start, end = self.steps.value, self.start_step.value, self.end_step.value
        if not isinstance(steps, int) or not isinstance(start, int) or not isinstance(end, int):
            return steps if isinstance(steps, int) and not self.start_step.reason else None
        last = min(end, steps) if end > 0 else steps
        return max(last - max(start, 0), 0)

    @property
    def asked(self) -> RequestedSettings:
        """The figures that a log can be held against."""
        steps = 4 if self.scheduler.value == LOOPS_OWN_SCHEDULER else self.steps_run
        return RequestedSettings(
            whole(self.requested_frames),
            steps,
            whole(self.width),
            whole(self.height),
            self.quantization.value if isinstance(self.quantization.value, str) else None,
            whole(self.lora_rank),
            self.audio_crop_s,
        )

    def named(self) -> Iterator[tuple[str, Value]]:
        """Every single setting by name."""
        for item in fields(self):
            found = getattr(self, item.name)
            if isinstance(found, Value):
                yield item.name, found


@dataclass(frozen=True)
class Workflow:
    """A workflow file, and what each of its samplers is asked for."""

    graph: Graph
    samplers: tuple[Declared, ...]

    @property
    def first(self) -> Declared:
        """The sampler that counts where only one can."""
        return self.samplers[0]


def whole(given: Value) -> int | None:
    """A setting that is a whole number; None where it is none, or one beyond all that can be meant."""
    number = given.value
    return number if isinstance(number, int) and not isinstance(number, bool) and abs(number) <= LARGEST else None


def rate(given: Value) -> float | None:
    """A setting that is a frame rate; None where it is none, or one that no video has."""
    number = given.value
    if not isinstance(number, int | float) or isinstance(number, bool) or not LOWEST_FPS <= number <= HIGHEST_FPS:
        return None
    return float(number)


def described(place: Value) -> str:
    """A place as a message names it."""
    return f"node {one_line(place.node_id)} ({one_line(place.title)}), {one_line(place.input)}"
