"""The ready CI jobs in docs/ci, their shell part run for real, night after night, against a temporary history."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import nights
import pytest

from loganalyzer.history.store import Store

yaml = pytest.importorskip("yaml")

FOLDER = Path(__file__).parent.parent / "docs" / "ci"
BEFORE = 40
NIGHTS = 7
RUNS_A_NIGHT = 2


def github_step() -> str:
    job: dict[str, Any] = yaml.safe_load((FOLDER / "nightly.yml").read_text(encoding="utf-8"))["jobs"]["logs"]
    (step,) = [step["run"] for step in job["steps"] if "loganalyze " in step.get("run", "")]
    return str(step)


def gitlab_step() -> str:
    job = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text(encoding="utf-8"))["loganalyze"]
    return "\n".join(job["script"])


class Machine:
    """A runner: a folder of logs and a history that hold what came before."""

    def __init__(self, home: Path, step: str, before: list[float]) -> None:
        self.home, self.step = home, step
        self.logs = home / "logs"
        self.logs.mkdir()
        self.history = f"sqlite:///{home / 'history.db'}"
        self.night = len(before)
        nights.fill(self.history, before)
        old = self.logs / "long-ago.log"
        old.write_text(nights.text(99.0, -1))
        os.utime(old, (0, 0))

    def run(self, *steps: float) -> subprocess.CompletedProcess[str]:
        """One night with a log for each of these step times; yesterday's logs stay where they are."""
        for log in self.logs.iterdir():
            yesterday = time.time() - 2 * 86400
            os.utime(log, (yesterday, yesterday))
        for step_s in steps:
            self.night += 1
            (self.logs / f"{self.night}.log").write_text(nights.text(step_s, self.night))
        scripts = Path(sys.executable).parent
        environment = {
            "PATH": f"{scripts}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LOGS": str(self.logs),
            "HISTORY": self.history,
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
        }
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.step]
        return subprocess.run(words, cwd=self.home, env=environment, capture_output=True, text=True, check=False)

    def week(self, steps: list[float]) -> list[subprocess.CompletedProcess[str]]:
        return [self.run(*steps[n : n + RUNS_A_NIGHT]) for n in range(0, len(steps), RUNS_A_NIGHT)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, github_step(), nights.noisy(BEFORE, seed=1))


def test_both_jobs_run_the_same_lines() -> None:
    assert github_step().strip() == gitlab_step().strip()


def test_the_job_goes_red_on_a_week_that_is_5_percent_slower_and_says_which_figure(machine: Machine) -> None:
    results = machine.week(nights.noisy(NIGHTS * RUNS_A_NIGHT, 5.25, seed=2))
    assert results[0].returncode == 0, "one night is no week"
    last = results[-1]
    assert last.returncode == 1, last.stdout + last.stderr
    assert "REG001" in last.stdout
    assert "::error title=REG001 metric-regressed" in last.stderr
    assert "Time per step: Worse by" in (machine.home / "summary.md").read_text()
    failures = list(ET.parse(machine.home / "junit.xml").getroot().iter("failure"))
    assert failures
    assert (machine.home / "report.html").is_file()


def test_the_job_stays_green_on_a_noisy_week(machine: Machine) -> None:
    results = machine.week(nights.noisy(NIGHTS * RUNS_A_NIGHT, deviation=0.02, seed=3))
    assert [result.returncode for result in results] == [0] * NIGHTS, results[-1].stdout
    with Store.at(machine.history) as store:
        assert store.runs().height == BEFORE + NIGHTS * RUNS_A_NIGHT


def test_a_night_without_logs_is_red(machine: Machine) -> None:
    result = machine.run()
    assert result.returncode == 2
    assert "PASS" not in result.stdout
