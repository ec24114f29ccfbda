"""Alignment is judged on the schedule that really runs, and not at all where that is unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import api, between, sampler_v2, saved, skyreels

from loganalyzer.lint.checker import AudioInput, Checked, check
from loganalyzer.settings.model import Settings

ON_SCHEDULE = {"AUD001", "AUD005", "AUD007", "AUD009", "AUD010"}


def checked(folder: Path, document: object, audio: AudioInput | None = None) -> Checked:
    return check(saved(folder, document), Settings(), audio)


def purged(document: dict[str, Any]) -> dict[str, Any]:
    for name in ("image_embeds", "multitalk_embeds"):
        between(document, "4", name, "LayerUtility: PurgeVRAM V2", purge_cache=True, purge_models=False)
    return document


CASES = [
    (api(_7={"value": 300}), "the last 69 of the 369", [297, 369]),
    (purged(api(_7={"value": 300})), "the last 69 of the 369", [297, 369]),
    (sampler_v2(_7={"value": 300}), "the last 69 of the 369", [297, 369]),
    (purged(api(_7={"value": 300}, _5={"motion_frame": 25})), "the last 5 of the 305", [249, 305]),
    (skyreels(_7={"value": 220}), "the last 53 of the 273", [209, 273]),
]


@pytest.mark.parametrize(
    ("document", "message", "ways"), CASES, ids=["plain", "purged", "sampler v2", "overlap 25", "skyreels"]
)
def test_an_unaligned_request_is_judged_on_the_workflows_own_schedule(
    document: Any, message: str, ways: list[int], tmp_path: Path
) -> None:
    (fault,) = [one.fault for one in checked(tmp_path, document).findings if one.rule.id == "AUD007"]
    assert message in fault.message
    assert [way.value for way in fault.ways] == ways


def test_a_request_that_fits_skyreels_has_no_finding(tmp_path: Path) -> None:
    assert checked(tmp_path, skyreels(_7={"value": 209})).findings == ()


def test_another_overlap_than_the_configured_one_is_a_finding_behind_a_purge_too(tmp_path: Path) -> None:
    found = checked(tmp_path, purged(api(_5={"motion_frame": 25}, _7={"value": 305})))
    assert [one.rule.id for one in found.findings] == ["SCH004"]


@pytest.mark.parametrize(
    ("drop", "frames", "rules"),
    [(12, 209, []), (8, 217, ["SCH004"]), (75, 209, ["SCH004"]), (76, 209, ["SCH006"])],
)
def test_dropped_frames_of_skyreels_are_its_own_and_leave_a_way_forward(
    drop: int, frames: int, rules: list[str], tmp_path: Path
) -> None:
    document = skyreels(_7={"value": frames})
    document["5"]["inputs"]["drop_frames"] = drop
    assert [one.rule.id for one in checked(tmp_path, document).findings] == rules


UNKNOWN = [
    api(_7={"value": 300}, _4={"image_embeds": ["10", 0]}, _10={"class_type": "OwnWindows"}),
    api(_7={"value": 300}, _5={"motion_frame": ["10", 0]}, _10={"class_type": "OwnMath"}),
    api(_7={"value": 300}, _5={"motion_frame": 81}),
]


@pytest.mark.parametrize("audio", [None, AudioInput((10.0,), "10 s")], ids=["audio unknown", "audio known"])
@pytest.mark.parametrize("document", UNKNOWN, ids=["unknown node", "computed", "impossible"])
def test_no_alignment_is_asserted_where_the_schedule_is_unknown(
    document: Any, audio: AudioInput | None, tmp_path: Path
) -> None:
    found = checked(tmp_path, document, audio)
    assert not ON_SCHEDULE & {one.rule.id for one in found.findings}
    assert {item.rule for item in found.not_checked} >= ON_SCHEDULE
    assert all(item.reason for item in found.not_checked)


def test_more_frames_than_the_audio_has_are_found_without_a_schedule(tmp_path: Path) -> None:
    found = checked(tmp_path, UNKNOWN[0], AudioInput((10.0,), "10 s"))
    (fault,) = [one.fault for one in found.findings if one.rule.id == "AUD003"]
    assert fault.fix == "Set num_frames to 250 or less."


def test_a_window_that_is_forced_is_judged_as_it_runs(tmp_path: Path) -> None:
    document = api(_5={"frame_window_size": 80}, _7={"value": 77 + 3 * 68})
    assert [one.rule.id for one in checked(tmp_path, document).findings] == ["SCH006"]


def test_audio_that_reaches_no_sampler_is_the_reason_that_is_shown(tmp_path: Path) -> None:
    found = checked(tmp_path, api(_4={"multitalk_embeds": None}))
    reasons = {item.rule: item.reason for item in found.not_checked}
    assert "node 6 (Audio) is not connected to a sampler" in reasons["AUD007"]
    assert "node  ()" not in " ".join(reasons.values())
