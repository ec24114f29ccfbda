"""`loganalyze workflow check` and `fix` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from workflows import api, editor, saved

from loganalyzer.cli.group import main

FAULTY = api(_7={"value": 500}, _2={"lora": "lightx2v_distill_rank64_bf16.safetensors"}, _8={"frame_rate": 24.0})


def call(*words: object, **more: Any) -> Result:
    return CliRunner().invoke(main, ["workflow", *map(str, words)], **more)


def test_a_sound_workflow_passes(tmp_path: Path) -> None:
    result = call("check", saved(tmp_path, api()))
    assert result.exit_code == 0
    assert result.stdout.startswith("PASS")


def test_a_faulty_one_fails_and_names_node_input_and_value(tmp_path: Path) -> None:
    result = call("check", saved(tmp_path, FAULTY))
    assert result.exit_code == 1
    for words in ("AUD007", "node 7 (Max frames), input value", "Set num_frames to 441", "AUD008", "MOD002"):
        assert words in result.stdout


def test_several_workflows_are_checked_in_one_call_and_one_faulty_one_fails_it(tmp_path: Path) -> None:
    sound, faulty = tmp_path / "a", tmp_path / "b"
    sound.mkdir()
    faulty.mkdir()
    paths = [saved(faulty, FAULTY), saved(sound, api())]
    result = call("check", *paths)
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("== ")] == [f"== {path}" for path in paths]
    assert call("check", *paths[1:], *paths[1:]).exit_code == 0
    refused = call("check", *paths, "--json", "-")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--json takes one workflow" in refused.stderr


def test_the_document_is_that_of_the_contract(tmp_path: Path) -> None:
    path = saved(tmp_path, FAULTY)
    document = json.loads(call("check", path, "--json", "-").stdout)
    assert document["schema_version"] == 1
    assert document["format"] == "api"
    assert document["verdict"] == "fail"
    assert document["settings"].keys() >= {
        "requested_frames", "fps", "width", "height", "window_frames", "motion_frames", "mode", "steps", "model",
        "quantization", "lora", "lora_rank", "attention_mode", "audio_crop_s",
    }  # fmt: skip
    rate = next(row for row in document["findings"] if row["rule"] == "AUD008")
    assert rate["node_id"] == "8"
    assert rate["input"] == "frame_rate"
    assert path.read_text().splitlines()[rate["line"] - 1].strip() == '"frame_rate": 24.0'


@pytest.mark.parametrize(("level", "code"), [("warning", 1), ("error", 0), ("never", 0)])
def test_the_exit_code_follows_fail_on(level: str, code: int, tmp_path: Path) -> None:
    assert call("check", saved(tmp_path, api(_7={"value": 500})), "--fail-on", level).exit_code == code


@pytest.mark.parametrize("document", [FAULTY, None], ids=["api", "editor"])
def test_a_fix_changes_the_values_at_fault_and_nothing_else(document: Any, tmp_path: Path) -> None:
    if document is None:
        made = editor()
        made.nodes[0]["widgets_values"][0] = "lightx2v_distill_rank64_bf16.safetensors"
        made.nodes[4]["widgets_values"] = [500]
        document = made.document()
    path, target = saved(tmp_path, document), tmp_path / "fixed.json"
    result = call("fix", path, "-o", target, "--prefer", "shorter")
    assert result.exit_code == 0, result.output
    before, after = path.read_text().splitlines(), target.read_text().splitlines()
    changed = [(old.strip(), new.strip()) for old, new in zip(before, after, strict=True) if old != new]
    assert "rank64" in changed[0][0]
    assert "rank256" in changed[0][1]
    assert any(old.endswith("500") and new.endswith("441") for old, new in changed)
    assert call("check", target).exit_code == 0
    assert "+" in result.stdout


def test_attention_mode_and_lora_rank_of_the_configuration_are_those_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, api(_1={"attention_mode": "sageattn"}, _2={"lora": "lightx2v_distill_rank64.safetensors"}))
    assert {"MOD002", "MOD004"} <= set(call("check", path).stdout.split())
    Path("loganalyze.toml").write_text('attention_mode = "sageattn"\nlora_rank = 64\n')
    assert call("check", path).stdout.startswith("PASS")


def test_a_float_stays_a_float(tmp_path: Path) -> None:
    call("fix", saved(tmp_path, FAULTY), "-o", tmp_path / "fixed.json", "--prefer", "longer")
    assert '"frame_rate": 25.0' in (tmp_path / "fixed.json").read_text()
    assert '"value": 513' in (tmp_path / "fixed.json").read_text()


def test_with_the_audio_the_way_out_is_clear(tmp_path: Path) -> None:
    path = saved(tmp_path, api(_7={"value": 500}))
    assert call("fix", path, "-o", tmp_path / "fixed.json", "--audio", "17.084").exit_code == 0
    assert '"value": 369' in (tmp_path / "fixed.json").read_text()


def test_without_a_decision_and_nobody_to_ask_nothing_is_written(tmp_path: Path) -> None:
    result = call("fix", saved(tmp_path, FAULTY), "-o", tmp_path / "fixed.json")
    assert result.exit_code == 2
    assert "--prefer" in result.stderr
    assert not (tmp_path / "fixed.json").exists()


def test_a_person_at_a_terminal_is_interactive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loganalyzer.cli.workflow._is_interactive", lambda: True)
    result = call("fix", saved(tmp_path, FAULTY), "-o", tmp_path / "fixed.json", input="2\n")
    assert result.exit_code == 0, result.output
    assert '"value": 513' in (tmp_path / "fixed.json").read_text()


@pytest.mark.parametrize("words", [["--in-place"], ["-o", "fixed.json"]], ids=["in place", "to a copy"])
def test_an_edit_that_somebody_makes_while_the_question_stands_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, FAULTY)
    edited = path.read_text() + "\n"

    def answer(*_: object, **__: object) -> int:
        path.write_text(edited)
        return 1

    monkeypatch.setattr("loganalyzer.cli.workflow._is_interactive", lambda: True)
    monkeypatch.setattr("loganalyzer.cli.workflow.click.prompt", answer)
    result = call("fix", path, *words)
    assert result.exit_code == 2
    assert "another program changed it meanwhile; nothing was written" in result.stderr
    assert path.read_text() == edited
    assert not Path("fixed.json").exists()


def test_a_copy_that_appears_while_the_question_stands_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = Path("fixed.json")
    monkeypatch.setattr("loganalyzer.cli.workflow._is_interactive", lambda: True)
    monkeypatch.setattr("loganalyzer.cli.workflow.click.prompt", lambda *_, **__: other.write_text("mine") and 1)
    result = call("fix", saved(tmp_path, FAULTY), "-o", other)
    assert result.exit_code == 2
    assert other.read_text() == "mine"


def test_half_a_character_in_a_workflow_is_written_as_its_escape(tmp_path: Path) -> None:
    path = saved(tmp_path, api(_2={"lora": "half \ud800_rank64_bf16.safetensors"}))
    result = call("check", path, "--json", tmp_path / "found.json", "--audio", "17.084")
    assert result.exit_code == 1, result.output
    assert json.loads((tmp_path / "found.json").read_text())["verdict"] == "fail"
    assert "\\ud800" in (tmp_path / "found.json").read_text()


def test_a_file_that_exists_is_not_overwritten_unless_told(tmp_path: Path) -> None:
    path = saved(tmp_path, FAULTY)
    other = saved(tmp_path, {"mine": 1}, "other.json")
    for words in (["-o", other], ["-o", path], []):
        assert call("fix", path, *words, "--prefer", "shorter").exit_code == 2
    assert json.loads(other.read_text()) == {"mine": 1}
    assert call("fix", path, "--in-place", "--prefer", "shorter").exit_code == 0
    assert call("check", path).exit_code == 0


def test_a_fix_that_cannot_be_written_leaves_no_traces(tmp_path: Path) -> None:
    result = call("fix", saved(tmp_path, FAULTY), "-o", tmp_path / "no" / "fixed.json", "--prefer", "shorter")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["talk.json"]


def test_a_sound_workflow_needs_no_copy(tmp_path: Path) -> None:
    result = call("fix", saved(tmp_path, api()), "-o", tmp_path / "fixed.json")
    assert result.exit_code == 0
    assert "nothing to change" in result.stdout
    assert not (tmp_path / "fixed.json").exists()


def test_a_fault_that_no_value_mends_is_left_to_the_user(tmp_path: Path) -> None:
    path = saved(tmp_path, api(_4={"context_options": ["10", 0]}, _10={"class_type": "WanVideoContextOptions"}))
    result = call("fix", path, "-o", tmp_path / "fixed.json")
    assert "SCH005 needs your decision" in result.stdout


def test_broken_files_are_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "talk.json").write_text('{"a":\n }', encoding="utf-8")
    result = call("check", tmp_path / "talk.json")
    assert result.exit_code == 2
    assert "talk.json:2:2" in result.stderr


def test_hostile_titles_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    document = api(_7={"value": 500})
    document["7"]["_meta"]["title"] = "\x1b]0;pwned\x07\nPASS"
    result = call("check", saved(tmp_path, document))
    assert "\x1b" not in result.stdout
    assert "\nPASS" not in result.stdout
