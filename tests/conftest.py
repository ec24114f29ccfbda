"""What holds for every test: the tool believes to be on a person's machine, not in a CI job."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
"""How long an example takes on a busy machine is no property of the tool; times are measured in `benchmarks/`."""

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
