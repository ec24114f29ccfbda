"""All rules over a workflow: its findings, with severities as configured, and what was not checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from loganalyzer.checks.registry import Rule, select_rules
from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.severity import RANK, Severity
from loganalyzer.expectations import baseline_files
from loganalyzer.expectations.embedding import Multi
from loganalyzer.lint import audio_rules, native_rules, setting_rules
from loganalyzer.lint.model import Case, Fault, Need, NotChecked
from loganalyzer.planner.plan import Sound, native_sound, sound
from loganalyzer.settings.model import Settings
from loganalyzer.workflow.reading import load
from loganalyzer.workflow.requested import Declared, Workflow

_CHECKS: Final = (
    audio_rules.frames,
    audio_rules.rates,
    setting_rules.schedule,
    setting_rules.conflicts,
    setting_rules.model,
    setting_rules.attention,
)
_NATIVE_CHECKS: Final = (
    native_rules.clip,
    native_rules.audio,
    native_rules.rates,
    setting_rules.model,
    setting_rules.attention,
)

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """A fault, under its rule."""

    rule: Rule
    severity: Severity
    fault: Fault


@dataclass(frozen=True)
class Checked:
    """A workflow, checked.

    Attributes:
        workflow: the file, its nodes and settings.
        findings: the gravest first.
        not_checked: rules that lacked their input.
    """

    workflow: Workflow
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]

    @property
    def verdict(self) -> Verdict:
        """By the gravest finding."""
        severities = {finding.severity for finding in self.findings}
        return "fail" if "error" in severities else "warn" if "warning" in severities else "pass"


@dataclass(frozen=True)
class Heard:
    """Audio whose length is known: seconds of each speaker, what tells it, and by how much it may be too long."""

    speakers: tuple[float, ...]
    told_by: str
    multi: Multi = "para"
    uncertainty_s: float = 0.0


def check(path: Path, settings: Settings, heard: Heard | None = None) -> Checked:
    """Check every sampler of a workflow file.

    Raises:
        LogAnalyzerError: the file, the baselines or the configured rules are refused.
    """
    workflow = load(path)
    documents = baseline_files.documents(settings.baselines)
    known = {rule.id: rule for rule in select_rules(settings)}
    found: list[Fault | NotChecked] = []
    for asked in workflow.samplers:
        case = _case(asked, settings, heard, documents)
        found += [item for checked in (_NATIVE_CHECKS if asked.clips else _CHECKS) for item in checked(case)]
    unique = [item for place, item in enumerate(found) if item not in found[:place] and item.rule in known]
    findings = [
        Finding(known[fault.rule], known[fault.rule].severity_under(settings), fault)
        for fault in unique
        if isinstance(fault, Fault)
    ]
    return Checked(
        workflow,
        tuple(sorted(findings, key=lambda item: (RANK[item.severity], item.rule.id))),
        tuple(item for item in unique if isinstance(item, NotChecked)),
    )


def _case(
    asked: Declared, settings: Settings, heard: Heard | None, documents: Sequence[tuple[str, dict[str, Any]]]
) -> Case:
    crop = asked.audio_crop_s
    if heard is None and crop is not None:
        heard = Heard((crop,), "as the workflow cuts it")
    elif heard is not None and crop is not None:
        heard = Heard(tuple(min(seconds, crop) for seconds in heard.speakers), f"{heard.told_by}, cut to {crop:g} s")
    fps = audio_rules.rate(asked, settings)
    return Case(
        asked,
        settings,
        setting_rules.windows(asked),
        _sound(asked, fps, heard) if heard else None,
        heard.told_by if heard else "",
        [_need(entry) for entry in baseline_files.entries(documents, "requirement")],
        baseline_files.ranking(documents),
    )


def _sound(asked: Declared, fps: float, heard: Heard) -> Sound:
    if asked.clips:
        return native_sound(heard.speakers, heard.uncertainty_s)
    return sound(heard.speakers, fps, heard.multi, heard.uncertainty_s)


def _need(entry: Any) -> Need:  # noqa: ANN401 -- whatever TOML holds
    try:
        return Need(int(entry["pixels"]), str(entry["quantization"]), int(entry["lora_rank"]))
    except (KeyError, TypeError, ValueError):
        raise ExpectationError(f"[[requirement]] {entry}: pixels, quantization and lora_rank are needed") from None
