"""The shell parts of the GitHub action, the pre-commit hook and the image, run or read as their hosts do."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click import Context, Group

from loganalyzer.cli.group import main
from loganalyzer.history.store import Store

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_logs"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
CHECK, INSTALL, COMMENT = "Check the logs", "Install loganalyze", "Write the comment"
GH = """
printf '%s\\n' "$*" >>"$FAKE_GH/calls"
case "$*" in *--paginate*) cat "$FAKE_GH/ids" ;; *) last=${*: -1}; cat "${last#body=@}" >"$FAKE_GH/body" ;; esac
"""
"""Stands in for GitHub's command: records its calls and the text of the comment."""


def write_script(path: Path, text: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{text}")
    path.chmod(0o755)


HOSTILE = """$(touch owned) `touch owned` ; touch owned & "; touch owned; " '; touch owned; ' | touch owned"""


@dataclass
class Result:
    code: int
    printed: str
    outputs: str


@dataclass
class Runner:
    """A runner of GitHub: its folders and files, with the tool installed where the action puts it."""

    home: Path
    cache: Path

    def __post_init__(self) -> None:
        self.scripts.mkdir(parents=True)
        for name in ("python", "loganalyze"):
            write_script(self.scripts / name, f'exec {shlex.quote(str(Path(sys.executable).with_name(name)))} "$@"\n')
        (self.home / "gh").mkdir()
        (self.home / "gh" / "ids").write_text("")
        write_script(self.home / "gh" / "gh", GH)

    @property
    def scripts(self) -> Path:
        return self.home / "temp" / "loganalyzer" / "bin"

    def run(self, name: str, **environment: str) -> Result:
        (step,) = [step for step in STEPS if step.get("name") == name]
        given = {
            "PATH": f"{self.home / 'gh'}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.cache),
            "RUNNER_TEMP": str(self.home / "temp"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.home / "output"),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
            "FAKE_GH": str(self.home / "gh"),
        }
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        made = subprocess.run(
            words, cwd=self.home, env=given | environment, capture_output=True, text=True, check=False
        )
        outputs = self.home / "output"
        return Result(made.returncode, made.stdout + made.stderr, outputs.read_text() if outputs.exists() else "")

    def check(self, logs: str, **environment: str) -> Result:
        usual = {"HISTORY": "", "QUANTIZATION": "", "FAIL_ON": "error", "HTML": "report.html"}
        return self.run(CHECK, LOGS=logs, **(usual | environment))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The caches of patterns and fonts, filled by the first call."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def runner(tmp_path: Path, cache: Path) -> Runner:
    return Runner(tmp_path, cache)


def test_no_value_becomes_shell_text_and_every_input_is_used() -> None:
    assert [step for step in STEPS if "${{" in step.get("run", "")] == []
    assert {step["shell"] for step in STEPS if "run" in step} == {"bash"}
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text(encoding="utf-8")))
    assert used == set(ACTION["inputs"])


def test_a_log_whose_path_has_blanks_is_read_and_reported(runner: Runner) -> None:
    log = runner.home / "last night" / "take 3_Q6_K.txt"
    log.parent.mkdir()
    log.write_bytes((SAMPLES / "clean_Q6_K.txt").read_bytes())
    result = runner.check("\nlast night/take 3_Q6_K.txt\r\n\n")
    assert (result.code, result.outputs) == (0, "status=0\n"), result.printed
    assert "Pass: 1 run within expectations" in (runner.home / "summary.md").read_text()
    assert (runner.home / "report.html").is_file()
    assert (runner.home / "temp" / "loganalyze.md").is_file()


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("never", 0)])
def test_a_faulty_log_fails_the_job_unless_it_may_not(fail_on: str, code: int, runner: Runner) -> None:
    result = runner.check(str(SAMPLES / "padded_Q6_K.txt"), FAIL_ON=fail_on)
    assert (result.code, result.outputs) == (code, f"status={code}\n")
    assert "::error title=AUD001 audio-shortfall" in result.printed


def test_several_logs_are_added_to_the_history_with_the_given_quantization(runner: Runner) -> None:
    logs = [SAMPLES / "clean_Q6_K.txt", SAMPLES / "recorder.txt"]
    history = f"sqlite:///{runner.home / 'runs.db'}"
    result = runner.check("\n".join(map(str, logs)), HISTORY=history, QUANTIZATION="Q6_K", FAIL_ON="never")
    assert result.code == 0, result.printed
    with Store.at(history) as store:
        assert store.runs()["quantization"].to_list() == ["Q6_K", "Q6_K"]


@pytest.mark.parametrize("logs", ["", HOSTILE, "--help"], ids=["none", "hostile", "option"])
def test_an_input_is_the_name_of_a_log_and_nothing_else(logs: str, runner: Runner) -> None:
    result = runner.check(logs)
    assert (result.code, result.outputs) == (2, "status=2\n")
    assert not (runner.home / "owned").exists()


def test_the_action_installs_its_own_checkout_with_the_extras(runner: Runner) -> None:
    python = runner.home / "python"
    write_script(python, 'echo "$*" >>"$HOME/calls"\nif [ "$2" = venv ]; then cp "$0" "$3/bin/python"; fi\n')
    for extras in ("", "postgres"):
        result = runner.run(INSTALL, PYTHON=str(python), EXTRAS=extras, GITHUB_ACTION_PATH="/actions/log analyzer")
        assert result.code == 0, result.printed
    calls = (runner.home / "calls").read_text().splitlines()
    assert calls[0] == f"-m venv {runner.home / 'temp' / 'loganalyzer'}"
    assert [call.rpartition("check ")[2] for call in calls[1::2]] == [
        "/actions/log analyzer",
        "/actions/log analyzer[postgres]",
    ]


def comment(runner: Runner, text: str, ids: str = "") -> list[str]:
    (runner.home / "temp" / "loganalyze.md").write_text(text, encoding="utf-8")
    (runner.home / "gh" / "ids").write_text(ids)
    result = runner.run(COMMENT, GH_TOKEN="t", REPOSITORY="a/b", NUMBER="7", MARKER="<!-- loganalyze: r -->")
    assert result.code == 0, result.printed
    calls = runner.home / "gh" / "calls"
    return calls.read_text().splitlines() if calls.exists() else []


def test_the_first_comment_is_created_and_begins_with_the_marker(runner: Runner) -> None:
    listed, made = comment(runner, "## Findings\n")
    assert listed.startswith("api --paginate repos/a/b/issues/7/comments --jq ")
    assert made.startswith("api --silent --method POST repos/a/b/issues/7/comments -F body=@")
    assert (runner.home / "gh" / "body").read_text() == "<!-- loganalyze: r -->\n## Findings\n"


def test_a_later_comment_replaces_the_first_one_of_the_job(runner: Runner) -> None:
    made = comment(runner, "## Findings\n", ids="11\n12\n")[-1]
    assert made.startswith("api --silent --method PATCH repos/a/b/issues/comments/11 -F body=@")


def test_a_long_comment_is_cut_to_what_the_server_takes(runner: Runner) -> None:
    comment(runner, "é line\n" * 20_000)
    body = (runner.home / "gh" / "body").read_text(encoding="utf-8")
    assert 50_000 < len(body.encode()) <= 65_536


def test_no_comment_is_written_if_the_check_wrote_no_findings(runner: Runner) -> None:
    assert comment(runner, "") == []


def command_of(words: list[str]) -> object:
    found: object = main
    for word in words:
        assert isinstance(found, Group)
        found = found.get_command(Context(found), word)
    return found


def test_the_hook_calls_a_command_that_exists() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, *words = shlex.split(hook["entry"])
    assert program == "loganalyze"
    assert command_of(words) is not None
    page = (ROOT / "docs" / "before-a-run.md").read_text(encoding="utf-8")
    assert f"id: {hook['id']}" in page


@pytest.fixture
def image() -> Callable[[str], list[str]]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return lambda word: [line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")]


def test_the_image_copies_files_that_are_there_and_runs_without_root(image: Callable[[str], list[str]]) -> None:
    copied = [name for line in image("COPY") if not line.startswith("--from") for name in line.split()[:-1]]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    assert image("USER") == ["1000:1000"]
    assert image("ENTRYPOINT") == ['["loganalyze"]']
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in copied} <= set(ignored)
