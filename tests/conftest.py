"""What holds for every test: the tool believes to be on a person's machine, not in a CI job."""

from __future__ import annotations

import pytest

IN_JOBS = (
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "LOGANALYZE_HISTORY",
    "GIT_AUTHOR_NAME",
)


@pytest.fixture(autouse=True)
def _outside_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in IN_JOBS:
        monkeypatch.delenv(name, raising=False)
