"""A release is refused until its section of the CHANGELOG is ready; what is said about the project keeps up with it."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import loganalyzer

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
NOTES = runpy.run_path(str(ROOT / ".ci" / "release_notes.py"))
READY = """# Changelog

## Unreleased

## 1.0.0 — 2026-12-01

### Added
- First.

## 0.1.0 — unreleased
- Old.
"""


@pytest.mark.parametrize("heading", ["1.0.0 — 2026-12-01", "1.0.0 – 2026-12-01", "[1.0.0] - 2026-12-01"])
def test_the_notes_are_the_section_of_the_version(heading: str) -> None:
    changelog = READY.replace("1.0.0 — 2026-12-01", heading)
    assert NOTES["notes"]("v1.0.0", "1.0.0", changelog) == "### Added\n- First."


@pytest.mark.parametrize(
    ("tag", "version", "changelog", "message"),
    [
        ("v1.0.1", "1.0.0", READY, r"the tag is v1\.0\.1, but the package has version 1\.0\.0"),
        ("1.0.0", "1.0.0", READY, "the tag is 1"),
        ("v2.0.0", "2.0.0", READY, r"no section '## 2\.0\.0 — YYYY-MM-DD'"),
        ("v0.1.0", "0.1.0", READY, r"the section of 0\.1\.0 has no date"),
        ("v1.0.0", "1.0.0", READY.replace(" — 2026-12-01", ""), "has no date"),
        ("v1.0.0", "1.0.0", READY.replace("2026-12-01", "2026-13-01"), "has no date"),
        ("v1.0.0", "1.0.0", READY.replace("### Added\n- First.\n", ""), "is empty"),
        ("v1.0.0", "1.0.0", READY.replace("## Unreleased\n", "## Unreleased\n- Later.\n"), "stand above the section"),
    ],
)
def test_a_release_that_is_not_ready_is_refused(tag: str, version: str, changelog: str, message: str) -> None:
    with pytest.raises(NOTES["ReleaseError"], match=message):
        NOTES["notes"](tag, version, changelog)


def test_the_script_prints_what_is_missing_and_fails() -> None:
    command = [sys.executable, str(ROOT / ".ci" / "release_notes.py"), "v0.0.0"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: the tag is v0.0.0")


def test_the_version_is_stated_once() -> None:
    assert NOTES["package_version"]() == loganalyzer.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert "version" not in citation
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


WORKFLOWS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS)
def test_a_workflow_states_what_each_job_may_do_and_how_long(path: str) -> None:
    workflow = load(path)
    assert set(workflow["permissions"].values() if workflow["permissions"] else ["read"]) == {"read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "pass it through env: a value must not become shell text"
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_only_the_job_that_publishes_has_an_identity() -> None:
    jobs = load(".github/workflows/release.yml")["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "build": {"contents": "read"},
        "publish": {"id-token": "write"},
        "release": {"contents": "write"},
    }
    assert jobs["publish"]["environment"] == "pypi"
    assert (jobs["publish"]["needs"], jobs["release"]["needs"]) == ("build", "publish")


def test_the_scripts_that_the_workflows_call_are_there() -> None:
    text = "".join((ROOT / path).read_text(encoding="utf-8") for path in WORKFLOWS) + (ROOT / ".ci" / "run").read_text()
    scripts = set(re.findall(r"\.ci/[\w.]+", text))
    assert len(scripts) >= 4
    assert all((ROOT / script).is_file() for script in scripts)


@pytest.mark.parametrize("name", ["bug.yml", "wrong-reading.yml"])
def test_an_issue_form_asks_for_a_ticket_with_a_command_that_exists(name: str) -> None:
    form = load(f".github/ISSUE_TEMPLATE/{name}")
    assert {"name", "description", "body"} <= form.keys()
    fields = {item["id"]: item for item in form["body"]}
    assert "`loganalyze ticket LOG -o FILE.zip`" in fields["ticket"]["attributes"]["description"]
    assert fields["ticket"]["validations"]["required"] is True


def test_the_classifiers_name_every_python_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [text.rpartition(" ")[2] for text in project["classifiers"] if re.search(r"Python :: 3\.\d+$", text)]
    assert named == ["3.11", "3.12", "3.13", "3.14"]
    assert project["requires-python"] == f">={named[0]}"


def test_the_shell_scripts_are_valid_bash() -> None:
    scripts = [ROOT / ".ci" / "run", *sorted((ROOT / ".ci").glob("*.sh"))]
    for script in scripts:
        subprocess.run(["bash", "-n", os.fspath(script)], check=True)
