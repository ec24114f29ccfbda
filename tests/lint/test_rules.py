"""Each rule fires on the workflow that shows its fault, and is silent on a sound one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import api, saved

from loganalyzer.checks.registry import rules
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.lint.checker import AudioInput, Checked, check
from loganalyzer.settings.model import Settings

ALIGNED = AudioInput((14.78,), "14.78 s")
LONGER = AudioInput((17.084,), "17.084 s")
CONTEXT = {"class_type": "WanVideoContextOptions"}
CROPPED = {"class_type": "AudioCrop", "start_time": "0:00", "end_time": "0:20", "audio": ["9", 0]}

CASES: list[tuple[str, dict[str, Any], AudioInput | None]] = [
    ("AUD001", api(_7={"value": 500}), LONGER),
    ("AUD003", api(_7={"value": 500}), LONGER),
    ("AUD005", api(), AudioInput((2.0,), "2 s")),
    ("AUD006", api(_6={"fps": 23}), None),
    ("AUD007", api(_7={"value": 500}), None),
    ("AUD008", api(_8={"frame_rate": 24}), None),
    ("AUD009", api(_6={"audio_1": ["10", 0]}, _10=dict(CROPPED)), None),
    ("AUD010", api(_7={"value": 945}), None),
    ("SCH004", api(_5={"motion_frame": 25}), None),
    ("SCH005", api(_4={"context_options": ["10", 0]}, _10=dict(CONTEXT)), None),
    ("SCH006", api(_5={"frame_window_size": 80}), None),
    ("SCH006", api(_5={"motion_frame": 81}), None),
    ("SCH007", api(_4={"scheduler": "multitalk", "steps": 6}), None),
    ("SCH008", api(_5={"output_path": "/workspace/frames"}), None),
    ("MOD001", api(_1={"model": "wan2.1-i2v-14b-720p-Q5_0.gguf"}), None),
    ("MOD002", api(_2={"lora": "lightx2v_distill_rank64_bf16.safetensors"}), None),
    ("MOD004", api(_1={"attention_mode": "sageattn"}), None),
]
IDS = [f"{rule}-{number}" for number, (rule, _, _) in enumerate(CASES)]


def checked(folder: Path, document: object, audio: AudioInput | None = None, **settings: Any) -> Checked:
    return check(saved(folder, document), Settings(**settings), audio)


@pytest.mark.parametrize(("rule", "document", "audio"), CASES, ids=IDS)
def test_the_rule_fires_on_its_fault(rule: str, document: Any, audio: AudioInput | None, tmp_path: Path) -> None:
    found = [one for one in checked(tmp_path, document, audio).findings if one.rule.id == rule]
    assert len(found) == 1
    assert found[0].severity == rules()[rule].severity
    fault = found[0].fault
    assert all((fault.message, fault.observed, fault.expected, fault.fix, fault.place.node_id, fault.place.input))


@pytest.mark.parametrize("audio", [None, ALIGNED], ids=["audio unknown", "audio known"])
def test_a_sound_workflow_has_no_findings(audio: AudioInput | None, tmp_path: Path) -> None:
    found = checked(tmp_path, api(), audio)
    assert found.findings == ()
    assert found.verdict == "pass"


def test_a_fault_without_a_fix_of_its_own_has_its_rules(tmp_path: Path) -> None:
    (document,) = (document for rule, document, _ in CASES if rule == "SCH005")
    (fix,) = {one.fault.fix for one in checked(tmp_path, document).findings if one.rule.id == "SCH005"}
    assert fix == rules()["SCH005"].fix


def test_every_rule_that_only_a_workflow_shows_has_a_case() -> None:
    shown = {rule.id for rule in rules().values() if rule.witness == "workflow"}
    assert shown <= {rule for rule, _, _ in CASES}


@pytest.mark.parametrize(
    ("values", "ways"),
    [
        ({"value": 500}, [("shorter", 441), ("longer", 513)]),
        ({"value": 1000}, [("shorter", 873), ("longer", 1017)]),
        ({"value": 60}, [("longer", 81)]),
    ],
)
def test_an_unaligned_request_names_the_aligned_ones_around_it(
    values: dict[str, Any], ways: list[tuple[str, int]], tmp_path: Path
) -> None:
    (found,) = checked(tmp_path, api(_7=values)).findings
    assert [(way.name, way.value) for way in found.fault.ways] == ways


def test_a_request_that_loses_a_frame_is_no_fault_where_the_audio_ends_before(tmp_path: Path) -> None:
    assert checked(tmp_path, api(_7={"value": 945}), ALIGNED).findings[0].rule.id == "AUD003"


def test_one_lost_frame_of_an_aligned_request_is_a_shortfall_where_the_audio_is_long_enough(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, api(_7={"value": 945}), AudioInput((60.0,), "60 s")).findings
    assert found.rule.id == "AUD001"
    assert "1 frame (0.04 s) will have no audio" in found.fault.message


def test_a_cut_in_the_workflow_tells_the_audios_length(tmp_path: Path) -> None:
    crop = {**CROPPED, "end_time": "0:17.084"}
    found = checked(tmp_path, api(_7={"value": 427}, _6={"audio_1": ["10", 0]}, _10=crop))
    assert [one.rule.id for one in found.findings] == ["AUD001"]


def test_what_the_workflow_does_not_tell_is_listed_with_the_reason(tmp_path: Path) -> None:
    info = {"class_type": "VHS_VideoInfo"}
    found = checked(tmp_path, api(_6={"fps": ["10", 0]}, _10=info, _7={"value": "many"}))
    reasons = {item.rule: item.reason for item in found.not_checked}
    assert "VHS_VideoInfo" in reasons["AUD006"]
    assert "is not a number of frames" in reasons["AUD007"]


@pytest.mark.parametrize("fps", [1e308, 1e-300, -5, 0, True, "25", [25], float("nan")])
def test_a_rate_that_no_video_has_is_not_reckoned_with(fps: object, tmp_path: Path) -> None:
    found = checked(tmp_path, api(_6={"fps": fps}), LONGER)
    assert {"AUD006", "AUD008"} <= {item.rule for item in found.not_checked}


@pytest.mark.parametrize("frames", [10**30, 10**400, -5, 0, 2.5, None, "500", True])
def test_a_frame_count_that_is_none_is_not_reckoned_with(frames: object, tmp_path: Path) -> None:
    found = checked(tmp_path, api(_7={"value": frames}), LONGER)
    assert "AUD001" in {item.rule for item in found.not_checked}


def test_every_sampler_is_checked(tmp_path: Path) -> None:
    second = {"class_type": "WanVideoSampler", "steps": 6, "scheduler": "multitalk", "model": ["1", 0],
              "image_embeds": ["5", 0], "multitalk_embeds": ["6", 0]}  # fmt: skip
    found = checked(tmp_path, api(_20=second))
    assert [(one.rule.id, one.fault.place.node_id) for one in found.findings] == [("SCH007", "20")]


def test_severities_and_ignored_rules_are_those_of_the_configuration(tmp_path: Path) -> None:
    document = api(_7={"value": 500}, _8={"frame_rate": 24})
    found = checked(tmp_path, document, severities={"AUD007": "error"}, ignore=("AUD008",))
    assert [(one.rule.id, one.severity) for one in found.findings] == [("AUD007", "error")]


def test_an_unknown_rule_in_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="XYZ001"):
        checked(tmp_path, api(), ignore=("XYZ001",))


def test_another_configured_schedule_is_held_against_the_workflow(tmp_path: Path) -> None:
    found = checked(tmp_path, api(_7={"value": 305}, _5={"motion_frame": 25}), motion_frames=25)
    assert found.findings == ()
