"""ComfyUI's own InfiniteTalk: rate, length and audio are checked, and the rest is listed as not checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflows import native, saved

from loganalyzer.lint.checker import Checked, Heard, check
from loganalyzer.lint.document import to_text
from loganalyzer.lint.fixing import fixed, preferred
from loganalyzer.settings.model import Settings

WHOLE = "native InfiniteTalk, one clip of 81 frames (3.24 s)"


def checked(folder: Path, document: object, seconds: float | None = None, **settings: object) -> Checked:
    heard = Heard((seconds,), f"{seconds:g} s") if seconds else None
    return check(saved(folder, document), Settings(**settings), heard)  # type: ignore[arg-type]


def ids(found: Checked) -> list[str]:
    return [one.rule.id for one in found.findings]


@pytest.mark.parametrize(("rate", "rules"), [(24, ["AUD008"]), (25, []), (25.0, []), (26, ["AUD008"])])
def test_a_video_at_another_rate_than_cores_25_drifts(rate: float, rules: list[str], tmp_path: Path) -> None:
    assert ids(checked(tmp_path, native(rate=rate))) == rules


def test_the_configured_rate_does_not_change_that_of_core(tmp_path: Path) -> None:
    found = checked(tmp_path, native(rate=30), fps=30.0)
    (finding,) = found.findings
    assert finding.fault.fix == "Set node 3 (CreateVideo), fps to 25."
    assert checked(tmp_path, native(rate=25), fps=30.0).findings == ()


def test_a_fix_sets_the_rate_of_the_video(tmp_path: Path) -> None:
    after = tmp_path / "fixed.json"
    after.write_text(fixed(checked(tmp_path, native(rate=24)), preferred("shorter")).text)
    assert check(after, Settings()).findings == ()


@pytest.mark.parametrize(("clips", "start"), [(1, WHOLE), (3, "native InfiniteTalk, 3 clips of 81 frames (3.24 s)")])
def test_what_is_not_checked_is_said_with_the_clips(clips: int, start: str, tmp_path: Path) -> None:
    found = checked(tmp_path, native(clips))
    lines = list(to_text(found))
    assert lines[0].startswith("PASS (incomplete) ")
    assert f"  {start}: longer audio is cut silently; not checked further" in lines
    reasons = {item.rule: item.reason for item in found.not_checked}
    assert {"AUD001", "AUD003", "AUD005", "AUD007", "AUD009", "MOD001", "MOD002", "SCH004"} <= reasons.keys()
    assert reasons["AUD001"] == f"{start}; not checked further"


@pytest.mark.parametrize(
    ("clips", "frames", "rules"), [(1, 83, []), (1, 84, ["AUD009"]), (2, 155, []), (2, 156, ["AUD009"])]
)
def test_audio_that_is_longer_than_all_clips_is_cut_silently(
    clips: int, frames: int, rules: list[str], tmp_path: Path
) -> None:
    found = checked(tmp_path, native(clips), frames / 25)
    assert ids(found) == rules
    if rules:
        assert f"has {frames} frames; the workflow makes" in found.findings[0].fault.message


@pytest.mark.parametrize(("length", "rules"), [(81, []), (77, []), (80, ["SCH006"]), (82, ["SCH006"])])
def test_a_clip_that_core_refuses_is_found(length: int, rules: list[str], tmp_path: Path) -> None:
    document = native()
    document["10"]["inputs"]["length"] = length
    assert ids(checked(tmp_path, document)) == rules


def test_a_length_that_is_unknown_is_not_checked(tmp_path: Path) -> None:
    document = native()
    document["10"]["inputs"]["length"] = "long"
    found = checked(tmp_path, document)
    reasons = {item.rule: item.reason for item in found.not_checked}
    assert "is not a number of frames" in reasons["SCH006"]
    assert "an unknown number of frames" in reasons["AUD001"]
