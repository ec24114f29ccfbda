"""ComfyUI's own InfiniteTalk: rate, length and audio are checked, and the rest is listed as not checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from workflows import native, saved

from loganalyzer.lint.checker import AudioInput, Checked, check
from loganalyzer.lint.document import to_text
from loganalyzer.lint.fixing import apply_fixes, choose_by
from loganalyzer.settings.model import Settings

WHOLE = "native InfiniteTalk, one clip of 81 frames (3.24 s)"


def checked(folder: Path, document: object, seconds: float | None = None, **settings: object) -> Checked:
    audio = AudioInput((seconds,), f"{seconds:g} s") if seconds else None
    return check(saved(folder, document), Settings(**settings), audio)  # type: ignore[arg-type]


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
    after.write_text(apply_fixes(checked(tmp_path, native(rate=24)), choose_by("shorter")).text)
    assert check(after, Settings()).findings == ()


@pytest.mark.parametrize(("clips", "start"), [(1, WHOLE), (3, "native InfiniteTalk, 3 clips of 81 frames (3.24 s)")])
def test_the_clips_are_said_and_what_is_not_checked(clips: int, start: str, tmp_path: Path) -> None:
    found = checked(tmp_path, native(clips))
    lines = list(to_text(found))
    assert lines[0].startswith("PASS ")
    assert f"  {start}: longer audio is cut silently" in lines
    reasons = {item.rule: item.reason for item in found.not_checked}
    assert reasons.keys() == {"AUD001", "AUD009", "MOD001", "MOD002", "MOD004"}
    assert "the audio's length is unknown" in reasons["AUD001"]
    assert "comes from no node, whose file is unknown" in reasons["MOD001"] or "no requirement" in reasons["MOD001"]
    assert "no attention mode" in reasons["MOD004"]


@pytest.mark.parametrize(
    ("clips", "frames", "rules"), [(1, 83, []), (1, 84, ["AUD009"]), (2, 155, []), (2, 156, ["AUD009"])]
)
def test_audio_that_is_longer_than_all_clips_is_cut_silently(
    clips: int, frames: int, rules: list[str], tmp_path: Path
) -> None:
    found = checked(tmp_path, native(clips), frames / 25)
    assert ids(found) == rules
    if rules:
        assert f"has {frames - 1} frames. The workflow renders" in found.findings[0].fault.message


@pytest.mark.parametrize(("length", "rules"), [(81, []), (77, ["SCH004"]), (80, ["SCH006"]), (82, ["SCH006"])])
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
    assert "an unknown number of frames" in list(to_text(found))[2]
    assert "is unknown" in reasons["AUD001"]


def loaded(
    name: str = "wan2.1_i2v_720p_14B_Q4_K_M.gguf", rank: int = 256, clips: int = 1, **sizes: int
) -> dict[str, Any]:
    """A workflow of clips with loader, adapter and LoRA."""
    document = native(clips)
    document["4"] = {"class_type": "UnetLoaderGGUF", "inputs": {"unet_name": name}}
    document["5"] = {"class_type": "ModelPatchLoader", "inputs": {"name": "infiniteTalk_single_fp16.safetensors"}}
    lora = f"lightx2v_I2V_14B_distill_rank{rank}_bf16.safetensors"
    document["6"] = {"class_type": "LoraLoaderModelOnly", "inputs": {
        "model": ["4", 0], "lora_name": lora, "strength_model": 1.0}}  # fmt: skip
    for clip in range(1, clips + 1):
        document[f"{clip}0"]["inputs"] |= {"model": ["6", 0], "model_patch": ["5", 0], **sizes}
        document[f"{clip}1"]["inputs"]["model"] = [f"{clip}0", 0]
    return document


LARGE = {"width": 1280, "height": 720}


@pytest.mark.parametrize(
    ("name", "rules"), [("wan_Q4_K_M.gguf", ["MOD001"]), ("wan_Q5_K_M.gguf", ["MOD001"]), ("wan_Q6_K.gguf", [])]
)
def test_the_quantization_is_held_against_the_size(name: str, rules: list[str], tmp_path: Path) -> None:
    found = checked(tmp_path, loaded(name, **LARGE))
    assert ids(found) == rules
    if rules:
        assert "Load a Q6_K model or better in node 4 (UnetLoaderGGUF), unet_name" in found.findings[0].fault.fix


@pytest.mark.parametrize(("rank", "rules"), [(256, []), (64, ["MOD002"])])
def test_the_rank_of_the_lora_is_held_against_the_expected_one(rank: int, rules: list[str], tmp_path: Path) -> None:
    found = checked(tmp_path, loaded("wan_Q6_K.gguf", rank, **LARGE))
    assert ids(found) == rules
    if rules:
        assert "node 6 (LoraLoaderModelOnly), lora_name" in found.findings[0].fault.fix


def test_one_loader_of_several_clips_is_one_finding(tmp_path: Path) -> None:
    assert ids(checked(tmp_path, loaded("wan_Q6_K.gguf", 64, clips=3, **LARGE))) == ["MOD002"]


@pytest.mark.parametrize(
    ("clips", "seconds", "rules"),
    [(1, 3.28, []), (1, 3.26, []), (1, 3.24, ["AUD001"]), (2, 6.14, []), (2, 6.12, ["AUD001"])],
)
def test_audio_that_does_not_fill_all_clips_is_missing_by_cores_own_count(
    clips: int, seconds: float, rules: list[str], tmp_path: Path
) -> None:
    found = checked(tmp_path, native(clips), seconds)
    assert ids(found) == rules
    if rules:
        assert "1 frame (0.04 s) will have no audio" in found.findings[0].fault.message


def test_a_clip_that_continues_another_may_be_shorter(tmp_path: Path) -> None:
    document = native(2)
    document["20"]["inputs"]["length"] = 49
    assert ids(checked(tmp_path, document)) == []
    document["20"]["inputs"]["length"] = 85
    assert ids(checked(tmp_path, document)) == ["SCH004"]
    document["20"]["inputs"] |= {"length": 81, "motion_frame_count": 5}
    assert ids(checked(tmp_path, document)) == ["SCH004"]
