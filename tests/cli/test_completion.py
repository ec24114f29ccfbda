"""Shell completion: commands, files, rule ids and labels, in click's protocol and in a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main

NEXT_TO_PYTHON = Path(sys.executable).parent / "loganalyze"


def completed(words: str, place: int) -> list[str]:
    environment = {"COMP_WORDS": words, "COMP_CWORD": str(place), "_LOGANALYZE_COMPLETE": "bash_complete"}
    result = CliRunner().invoke(main, [], prog_name="loganalyze", env=environment)
    return result.output.split()


@pytest.mark.parametrize(
    ("words", "place", "wanted"),
    [
        ("loganalyze hist", 1, {"plain,history", "file,hist"}),
        ("loganalyze run", 1, {"file,run"}),
        ("loganalyze history pr", 2, {"plain,prune"}),
        ("loganalyze rules AUD00", 2, {f"plain,AUD00{number}" for number in range(1, 10)}),
        ("loganalyze rules aud001", 2, {"plain,AUD001"}),
        ("loganalyze run.log --select MEM001,MEM002", 3, {"plain,MEM001,MEM002"}),
        ("loganalyze run.log --strict --ig", 3, {"plain,--ignore"}),
        ("loganalyze compare run", 2, {"file,run"}),
        ("loganalyze compare history:", 2, set()),
    ],
)
def test_words_are_completed(
    words: str, place: int, wanted: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(completed(words, place)) == wanted


def test_labels_of_the_history_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.log").write_text(log.BANNER + log.prompt(369), encoding="utf-8")
    for label in ("main", "mine", "other"):
        added = CliRunner().invoke(main, ["history", "add", "run.log", "--label", label, "--at", "2026-01-01"])
        assert added.exit_code == 0, added.output
    Path("loganalyze.toml").write_text('history = "sqlite:///loganalyze.db"', encoding="utf-8")
    assert completed("loganalyze compare history:o", 2) == ["plain,history:other"]


@pytest.mark.skipif(not shutil.which("bash") or not NEXT_TO_PYTHON.exists(), reason="needs bash and the command")
def test_bash_completes_a_command_and_a_rule(tmp_path: Path) -> None:
    script = """
eval "$(_LOGANALYZE_COMPLETE=bash_source loganalyze)"
complete_words() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
  _loganalyze_completion loganalyze 2>/dev/null; echo "${COMPREPLY[@]}"
}
complete_words loganalyze basel
complete_words loganalyze rules TIM00
"""
    environment = {**os.environ, "PATH": f"{NEXT_TO_PYTHON.parent}:{os.environ['PATH']}"}
    result = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    commands, rules = result.stdout.splitlines()
    assert "baseline" in commands.split(), result.stderr
    assert {"TIM001", "TIM002"} <= set(rules.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(shell: str) -> None:
    result = CliRunner().invoke(main, [], prog_name="loganalyze", env={"_LOGANALYZE_COMPLETE": f"{shell}_source"})
    assert result.exit_code == 0
    assert f"{shell}_complete" in result.output
