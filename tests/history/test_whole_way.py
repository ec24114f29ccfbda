"""The main job on either database: tonight is held against the store and added."""

from __future__ import annotations

from pathlib import Path

import nights
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.history.store import Store


def test_the_main_job_finds_a_slower_night_and_adds_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    steps = [*nights.noisy(30), *nights.noisy(12, 5.4, seed=1)]
    nights.fill(url, steps[:-1])
    Path("tonight_Q6_K.log").write_text(nights.text(steps[-1], len(steps)))
    result = CliRunner().invoke(main, ["tonight_Q6_K.log", "--no-html", "--history", url])
    assert result.exit_code == 1, result.output
    assert "REG001" in result.stdout
    with Store.at(url) as store:
        assert store.runs().height == len(steps)
    result = CliRunner().invoke(main, ["history", "trend", "--history", url, "--metric", "s_per_step"])
    assert "regressed" in result.stdout
