"""Shell completion, in a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loganalyzer.cli.group import COMMANDS

TOOL = Path(sys.executable).parent
ASK_BASH = """
eval "$(_LOGANALYZE_COMPLETE=bash_source loganalyze)"
COMP_WORDS=({words}) COMP_CWORD={cword}
_loganalyze_completion loganalyze
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("bash is not on this machine")
    environment = {**os.environ, "PATH": f"{TOOL}{os.pathsep}{os.environ['PATH']}"}
    command = [shell, "--noprofile", "--norc", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def completions(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    quoted = " ".join(f"'{word}'" for word in ("loganalyze", *words))
    result = bash(ASK_BASH.format(words=quoted, cword=len(words)), folder)
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("his",), ["history"]),
        (("wor",), ["workflow"]),
        (("history", "tr"), ["trend"]),
        (("analyze", "--mark"), ["--markdown"]),
        (("analyze", "--fail-on", "w"), ["warning"]),
    ],
    ids=" ".join,
)
def test_bash_completes_commands_options_and_values(tmp_path: Path, words: tuple[str, ...], offered: list[str]) -> None:
    assert completions(tmp_path, *words) == offered


def test_bash_offers_every_command_for_an_empty_word(tmp_path: Path) -> None:
    assert completions(tmp_path, "") == sorted(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_each_shell_is_printed(shell: str, tmp_path: Path) -> None:
    result = bash(f"_LOGANALYZE_COMPLETE={shell}_source loganalyze", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "_LOGANALYZE_COMPLETE" in result.stdout
