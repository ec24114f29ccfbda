"""What holds for every test: no CI job and no setting of the terminal that runs the tests reaches the tool."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=40, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("default")
"""The same examples on every machine, so that a test that passed once passes again. New ones are looked for by
`pytest --hypothesis-profile=explore`. How long an example takes on a busy machine says nothing about the tool."""

IN_JOBS = (
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "LOGANALYZE_HISTORY",
    "GIT_AUTHOR_NAME",
)
OF_THE_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE")


@pytest.fixture(autouse=True)
def _same_environment_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*IN_JOBS, *OF_THE_TERMINAL):
        monkeypatch.delenv(name, raising=False)
