"""Defines the findings of workflow rules, and the data that these rules get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loganalyzer.planner.plan import Sound, Windows
from loganalyzer.settings.model import Settings
from loganalyzer.workflow.requested import SamplerSettings
from loganalyzer.workflow.values import Value


@dataclass(frozen=True, slots=True)
class Way:
    """A way to fix a fault.

    Attributes:
        name: `shorter` or `longer`; empty if it is the only way.
        value: what to set.
        says: what that does.
    """

    name: str
    value: object
    says: str


@dataclass(frozen=True)
class Fault:
    """One finding in a workflow.

    Attributes:
        rule: the id of its rule.
        place: the faulty input.
        message, observed, expected, fix: as in the table `findings`; an empty fix means the fix of the rule.
        ways: values that fix it; empty if no single value does.
    """

    rule: str
    place: Value
    message: str
    observed: str
    expected: str
    fix: str = ""
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True)
class NotChecked:
    """A rule that could not be checked, with the reason."""

    rule: str
    reason: str


@dataclass(frozen=True)
class Need:
    """The requirement for sizes of at least `pixels`: this quantization or better, and this LoRA rank."""

    pixels: int
    quantization: str
    lora_rank: int


@dataclass(frozen=True)
class Case:
    """The data that a rule gets.

    Attributes:
        requested: the sampler's settings.
        settings: the configured schedule and frame rate.
        windows: the schedule that the workflow requests; None if it is unknown or impossible.
        sound: the audio, if its length is known; `sound_from` is the source of that length.
        needs: requirements by size; `ranking` has the quantizations, the lowest first.
    """

    requested: SamplerSettings
    settings: Settings
    windows: Windows | None
    sound: Sound | None
    sound_from: str
    needs: Sequence[Need]
    ranking: Sequence[str]
