"""What a rule finds in a workflow, and what it may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loganalyzer.planner.plan import Sound, Windows
from loganalyzer.settings.model import Settings
from loganalyzer.workflow.requested import SamplerSettings
from loganalyzer.workflow.values import Value


@dataclass(frozen=True, slots=True)
class Way:
    """A way out: its name (`shorter`, `longer`, or empty where there is one only), what to set, and what that does."""

    name: str
    value: object
    says: str


@dataclass(frozen=True)
class Fault:
    """One finding in a workflow.

    Attributes:
        rule: its id.
        place: the input at fault.
        message, observed, expected, fix: as in the table `findings`.
        ways: values that would mend it; empty where no value alone does.
    """

    rule: str
    place: Value
    message: str
    observed: str
    expected: str
    fix: str
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True)
class NotChecked:
    """A rule that lacked its input, and why."""

    rule: str
    reason: str


@dataclass(frozen=True)
class Need:
    """What a size asks for: from so many pixels on, this quantization or better and this LoRA rank."""

    pixels: int
    quantization: str
    lora_rank: int


@dataclass(frozen=True)
class Case:
    """What a rule may look at.

    Attributes:
        asked: the sampler's settings.
        settings: the configured schedule and rate.
        windows: the schedule that the workflow asks for; None where it is unknown or impossible.
        sound: the audio, where its length is known; and `sound_from`, what tells it.
        needs: requirements by size; `ranking` of quantizations, the lightest first.
    """

    asked: SamplerSettings
    settings: Settings
    windows: Windows | None
    sound: Sound | None
    sound_from: str
    needs: Sequence[Need]
    ranking: Sequence[str]
