"""Checks a workflow with all rules: findings with configured severities, and what was not checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from loganalyzer.checks.registry import Rule, select_rules
from loganalyzer.common.errors import ExpectationError
from loganalyzer.common.severity import RANK, Severity
from loganalyzer.expectations import baseline_files
from loganalyzer.expectations.embedding import Multi
from loganalyzer.lint import audio_rules, native_rules, setting_rules
from loganalyzer.lint.model import Case, Fault, Need, NotChecked
from loganalyzer.planner.plan import Sound, measure_audio, measure_native_audio
from loganalyzer.settings.model import Settings
from loganalyzer.workflow.reading import load_workflow
from loganalyzer.workflow.requested import SamplerSettings, Workflow

_CHECKS: Final = (
    audio_rules.check_frames,
    audio_rules.check_rates,
    setting_rules.check_schedule,
    setting_rules.check_conflicts,
    setting_rules.check_model,
    setting_rules.check_attention,
)
_NATIVE_CHECKS: Final = (
    native_rules.check_clip,
    native_rules.check_audio,
    native_rules.check_rates,
    setting_rules.check_model,
    setting_rules.check_attention,
)

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """A fault with its rule and severity."""

    rule: Rule
    severity: Severity
    fault: Fault


@dataclass(frozen=True)
class Checked:
    """A checked workflow.

    Attributes:
        workflow: the file, its nodes and settings.
        findings: sorted by severity, the most severe first.
        not_checked: rules that could not be checked.
    """

    workflow: Workflow
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict by the most severe finding."""
        severities = {finding.severity for finding in self.findings}
        return "fail" if "error" in severities else "warn" if "warning" in severities else "pass"


@dataclass(frozen=True)
class AudioInput:
    """Audio of known length: seconds per speaker, the source of the length, and by how much it may be too long."""

    speakers: tuple[float, ...]
    source: str
    multi: Multi = "para"
    uncertainty_s: float = 0.0


def check(path: Path, settings: Settings, audio: AudioInput | None = None) -> Checked:
    """Checks every sampler of a workflow file.

    Raises:
        LogAnalyzerError: the file, the baselines or the configured rules are invalid.
    """
    workflow = load_workflow(path)
    documents = baseline_files.read_documents(settings.baselines)
    known = {rule.id: rule for rule in select_rules(settings)}
    found: list[Fault | NotChecked] = []
    for requested in workflow.samplers:
        case = _build_case(requested, settings, audio, documents)
        found += [item for checked in (_NATIVE_CHECKS if requested.clips else _CHECKS) for item in checked(case)]
    unique = [item for place, item in enumerate(found) if item not in found[:place] and item.rule in known]
    findings = [
        Finding(
            known[fault.rule],
            known[fault.rule].severity_under(settings),
            replace(fault, fix=fault.fix or known[fault.rule].fix),
        )
        for fault in unique
        if isinstance(fault, Fault)
    ]
    return Checked(
        workflow,
        tuple(sorted(findings, key=lambda item: (RANK[item.severity], item.rule.id))),
        tuple(item for item in unique if isinstance(item, NotChecked)),
    )


def _build_case(
    requested: SamplerSettings,
    settings: Settings,
    audio: AudioInput | None,
    documents: Sequence[tuple[str, dict[str, Any]]],
) -> Case:
    crop = requested.audio_crop_s
    if audio is None and crop is not None:
        audio = AudioInput((crop,), "cropped by the workflow")
    elif audio is not None and crop is not None:
        audio = AudioInput(
            tuple(min(seconds, crop) for seconds in audio.speakers), f"{audio.source}, cropped to {crop:g} s"
        )
    fps = audio_rules.audio_rate_of(requested, settings)
    return Case(
        requested,
        settings,
        setting_rules.parse_windows(requested),
        _build_sound(requested, fps, audio) if audio else None,
        audio.source if audio else "",
        [_parse_need(entry) for entry in baseline_files.select_entries(documents, "requirement")],
        baseline_files.find_ranking(documents),
    )


def _build_sound(requested: SamplerSettings, fps: float, audio: AudioInput) -> Sound:
    if requested.clips:
        return measure_native_audio(audio.speakers, audio.uncertainty_s)
    return measure_audio(audio.speakers, fps, audio.multi, audio.uncertainty_s)


def _parse_need(entry: Any) -> Need:  # noqa: ANN401 -- whatever TOML holds
    try:
        return Need(int(entry["pixels"]), str(entry["quantization"]), int(entry["lora_rank"]))
    except (KeyError, TypeError, ValueError):
        raise ExpectationError(f"[[requirement]] {entry}: pixels, quantization and lora_rank are required") from None
