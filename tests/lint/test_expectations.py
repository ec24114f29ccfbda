"""Attention mode and LoRA rank are held against the configuration, and each finding names the key that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflows import api, between, native, saved

from loganalyzer.lint.checker import Checked, check
from loganalyzer.lint.fixing import apply_fixes, choose_by
from loganalyzer.settings.model import Settings

RANK_64 = "lightx2v_distill_rank64_bf16.safetensors"


def checked(folder: Path, document: object, chosen: Settings | None = None) -> Checked:
    return check(saved(folder, document), chosen or Settings())


def ids(found: Checked) -> list[str]:
    return [one.rule.id for one in found.findings]


@pytest.mark.parametrize(
    ("mode", "expected", "rules"),
    [
        ("sdpa", "sdpa", []),
        ("sageattn", "sdpa", ["MOD004"]),
        ("comfy", "sdpa", ["MOD004"]),
        ("sageattn", "sageattn", []),
        ("sdpa", "sageattn", ["MOD004"]),
        ("sageattn_3", "sageattn", ["MOD004"]),
    ],
)
def test_the_attention_mode_is_held_against_the_expected_one(
    mode: str, expected: str, rules: list[str], tmp_path: Path
) -> None:
    found = checked(tmp_path, api(_1={"attention_mode": mode}), Settings(attention_mode=expected))
    assert ids(found) == rules
    assert found.verdict == ("warn" if rules else "pass")


def test_the_finding_names_the_key_that_accepts_the_mode(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, api(_1={"attention_mode": "sageattn"})).findings
    assert 'If sageattn is meant, set `attention_mode = "sageattn"` in the configuration' in finding.fault.fix
    assert "Set node 1 (Model), attention_mode to sdpa" in finding.fault.fix


def test_a_fix_sets_the_expected_mode(tmp_path: Path) -> None:
    after = tmp_path / "fixed.json"
    after.write_text(apply_fixes(checked(tmp_path, api(_1={"attention_mode": "sageattn"})), choose_by("shorter")).text)
    assert ids(check(after, Settings())) == []


def test_a_node_that_overrides_the_mode_is_found(tmp_path: Path) -> None:
    document = api()
    number = between(
        document, "4", "model", "WanVideoSetAttentionModeOverride", "model", attention_mode="sageattn", start_step=0
    )
    (finding,) = checked(tmp_path, document).findings
    assert (finding.rule.id, finding.fault.place.node_id) == ("MOD004", number)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (api(_1={"attention_mode": None}), "nothing is connected or typed there"),
        (api(_1={"attention_mode": 3}), "node 1 (Model), attention_mode is not an attention mode"),
        (api(_4={"model": None}), "no WanVideoModelLoader feeds node 4 (Sampler)"),
        (native(), "ComfyUI's own nodes have no attention mode; they use the server's"),
    ],
    ids=["absent", "a number", "no loader", "core's own nodes"],
)
def test_a_mode_that_the_workflow_does_not_name_is_not_checked(
    document: dict[str, object], reason: str, tmp_path: Path
) -> None:
    found = checked(tmp_path, document)
    assert "MOD004" not in ids(found)
    assert reason in {item.reason for item in found.not_checked if item.rule == "MOD004"}


@pytest.mark.parametrize(
    ("name", "rank", "rules"),
    [
        (RANK_64, None, ["MOD002"]),
        (RANK_64, 64, []),
        (RANK_64.replace("64", "256"), 64, ["MOD002"]),
        (RANK_64.replace("64", "256"), None, []),
    ],
)
def test_a_configured_rank_goes_before_that_of_the_size(
    name: str, rank: int | None, rules: list[str], tmp_path: Path
) -> None:
    assert ids(checked(tmp_path, api(_2={"lora": name}), Settings(lora_rank=rank))) == rules


def test_a_configured_rank_is_checked_where_the_size_is_unknown(tmp_path: Path) -> None:
    document = api(_2={"lora": RANK_64}, _5={"width": ["10", 0]}, _10={"class_type": "OwnMath"})
    assert "MOD002" not in ids(checked(tmp_path, document))
    assert "MOD002" in ids(checked(tmp_path, document, Settings(lora_rank=256)))


def test_the_finding_about_the_rank_says_what_upstream_ships_and_names_the_key(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, api(_2={"lora": RANK_64})).findings
    assert "Upstream's example workflows use rank 64." in finding.fault.fix
    assert "set `lora_rank = 64` in the configuration" in finding.fault.fix
