"""Baselines out of runs: what is proposed, what is refused, and how the file is changed."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

import hypothesis
import logtext as log
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.baselining import writing
from loganalyzer.baselining.proposing import MIN_BAND_FRACTION, MIN_BAND_GIB, Acceptance, Proposals, propose
from loganalyzer.cli.group import main
from loganalyzer.common.errors import ExpectationError, ReportError
from loganalyzer.expectations import baselines
from loganalyzer.settings.model import Settings

Q6 = Settings(quantization="Q6_K")
WHO = Acceptance("Ada", date(2026, 2, 14), "after the driver update")
COMMENTED = """# ours, measured on the big machine
[[vram]]  # the usual one
quantization = "Q6_K"
mode = "infinitetalk"
width = 720
height = 1280
lora_rank = 256
window_frames = 81
motion_frames = 9
covers = "stage"
peak_allocated_gib = 14.2  # to be measured again
band_gib = [14.0, 14.4]
provenance = "guessed"

[[requirement]]
pixels = 100
quantization = "Q5_0"
lora_rank = 256
provenance = "house rule"
"""


def proposed(text: str, settings: Settings = Q6, price: float | None = None) -> Proposals:
    return propose(log.analyze(text, settings, "a.log"), baselines.load_baselines(), WHO, price)


def peaks(*values: float) -> str:
    return log.BANNER + "".join(log.prompt(81, report=log.memory(value, value + 1)) for value in values)


def test_a_band_reaches_both_floors_and_says_who_when_from_what_and_why() -> None:
    vram, timing = proposed(peaks(16.0, 16.02, 16.04)).entries
    assert vram.key["covers"] == "stage"
    assert vram.figures["peak_allocated_gib"] == 16.02
    assert vram.figures["band_gib"] == [15.69, 16.35]
    for part in ("2026-02-14", "by Ada", "3 runs", "a.log:12", "±0.32 GiB", "after the driver update"):
        assert part in vram.figures["provenance"]
    assert vram.before["peak_allocated_gib"] == 15.0
    assert (timing.kind, timing.key["gpu"], timing.figures["window_s"]) == ("timing", "RTX 5090", [22.0, 22.0])


@hypothesis.settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(15_000, 15_200), min_size=1, max_size=6))
def test_a_band_holds_every_run_it_comes_from(milli: list[int]) -> None:
    (vram, *_) = proposed(peaks(*(value / 1000 for value in milli))).entries
    low, high = vram.figures["band_gib"]
    typical = vram.figures["peak_allocated_gib"]
    assert low <= min(milli) / 1000 <= max(milli) / 1000 <= high
    assert low <= typical - max(MIN_BAND_GIB, MIN_BAND_FRACTION * typical) + 0.02
    assert high >= typical + max(MIN_BAND_GIB, MIN_BAND_FRACTION * typical) - 0.02


@pytest.mark.parametrize(
    ("text", "settings", "reason"),
    [
        (log.BANNER + log.prompt(81, report=log.memory_2026()), Q6, "does not print the sampling peak"),
        (log.BANNER + log.prompt(81), Settings(), "inferred from the peak itself"),
        (log.BANNER + log.prompt(81, report=""), Q6, "no memory report"),
        (log.BANNER + log.prompt(81).replace(log.lora(), ""), Q6, "not in the log: lora_rank"),
        (peaks(15.0, 16.2), Q6, "disagree: peaks 15–16.2 GiB"),
    ],
    ids=["another meaning", "inferred", "no report", "key not known", "not alike"],
)
def test_runs_that_can_set_no_memory_baseline_are_named_with_the_reason(
    text: str, settings: Settings, reason: str
) -> None:
    found = proposed(text, settings)
    assert "vram" not in [entry.kind for entry in found.entries]
    assert reason in " ".join(found.refused)


def test_windows_that_are_not_alike_set_no_time() -> None:
    found = proposed(log.BANNER + log.prompt(81, step_s=5.0) + log.prompt(81, step_s=9.0))
    assert "timing" not in [entry.kind for entry in found.entries]
    assert "window times 22–38 s" in " ".join(found.refused)


def test_a_cost_needs_a_price() -> None:
    assert "cost" not in [entry.kind for entry in proposed(peaks(15.0)).entries]
    (cost,) = [entry for entry in proposed(log.BANNER + log.prompt(81), price=0.9).entries if entry.kind == "cost"]
    assert cost.figures["usd"] == pytest.approx(80.36 / 3600 * 0.9, abs=1e-4)
    assert cost.figures["windows"] == 1


def test_an_entry_of_the_key_is_changed_in_place_and_all_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(COMMENTED)
    (vram, *_) = proposed(peaks(16.0)).entries
    before, after = writing.edit_document(file, [vram])
    assert before == COMMENTED
    assert "# ours, measured on the big machine\n[[vram]]  # the usual one\n" in after
    assert "peak_allocated_gib = 16.0  # to be measured again" in after
    assert after.count("[[vram]]") == 1
    assert after.endswith(COMMENTED[COMMENTED.index("[[requirement]]") :])
    assert "-band_gib = [14.0, 14.4]" in writing.diff(file, before, after)
    assert file.read_text() == COMMENTED


def test_a_file_that_would_be_none_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(COMMENTED)
    with pytest.raises(ExpectationError):
        writing.write_baselines(file, COMMENTED.replace("lora_rank", "rank"))
    assert file.read_text() == COMMENTED
    assert [path.name for path in tmp_path.iterdir()] == ["ours.toml"]


def test_a_file_keeps_its_mode_and_is_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(COMMENTED)
    file.chmod(0o640)
    writing.write_baselines(file, COMMENTED + "# more\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(ReportError, match="No space left"):
        writing.write_baselines(file, COMMENTED)
    assert file.read_text() == COMMENTED + "# more\n"
    assert [path.name for path in tmp_path.iterdir()] == ["ours.toml"]


@pytest.mark.parametrize("text", ["[[vram]\n", "vram = 3\n"])
def test_a_broken_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(text)
    with pytest.raises(ExpectationError, match=r"ours\.toml"):
        writing.edit_document(file, proposed(peaks(16.0)).entries)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_Q6_K.log").write_text(peaks(16.2))
    return tmp_path


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_accept_shows_and_writes_only_with_yes(folder: Path) -> None:
    shown = call("baseline", "accept", "a_Q6_K.log", "--by", "Ada", "--reason", "new driver")
    assert shown.exit_code == 0, shown.output
    assert "+peak_allocated_gib = 16.2" in shown.stdout
    assert "by Ada" in shown.stdout
    assert not (folder / "baselines.toml").exists()
    assert call("baseline", "accept", "a_Q6_K.log", "--yes").exit_code == 0
    assert (folder / "baselines.toml").is_file()


def test_what_is_proposed_is_a_document_too(folder: Path) -> None:
    import json

    document = json.loads(call("baseline", "accept", "a_Q6_K.log", "--json", "-").stdout)
    assert document["written"] is False
    assert document["entries"][0]["figures"]["peak_allocated_gib"] == 16.2
    assert "+peak_allocated_gib = 16.2" in document["diff"]
    assert not (folder / "baselines.toml").exists()


def test_an_accepted_baseline_is_what_runs_are_held_against(folder: Path) -> None:
    assert call("a_Q6_K.log", "--no-html").exit_code == 1
    call("baseline", "accept", "a_Q6_K.log", "--yes")
    (folder / "loganalyze.toml").write_text('baselines = "baselines.toml"\n')
    assert call("a_Q6_K.log", "--no-html").exit_code == 0
    assert "no change" in call("baseline", "accept", "a_Q6_K.log", "--yes").stdout


def test_check_holds_runs_against_baselines_alone(folder: Path) -> None:
    (folder / "b_Q6_K.log").write_text(log.BANNER + log.prompt(427))
    assert call("baseline", "check", "b_Q6_K.log").exit_code == 0
    result = call("baseline", "check", "a_Q6_K.log")
    assert result.exit_code == 1
    assert "MEM001" in result.stdout


def test_show_lists_what_is_in_force_with_its_provenance(folder: Path) -> None:
    import json

    call("baseline", "accept", "a_Q6_K.log", "--yes", "--by", "Ada")
    document = json.loads(call("baseline", "show", "--baselines", "baselines.toml", "--json", "-").stdout)
    ours = [row for row in document["vram"] if row["quantization"] == "Q6_K"]
    assert [row["peak_allocated_gib"] for row in ours] == [16.2]
    text = call("baseline", "show", "--baselines", "baselines.toml").stdout
    assert "by Ada" in text
    assert "House figure" in text


def test_nothing_to_accept_is_exit_2(folder: Path) -> None:
    (folder / "x.log").write_text("nothing\n")
    assert call("baseline", "accept", "x.log").exit_code == 2
    (folder / "late_Q6_K.log").write_text(log.prompt(81, report=log.memory_2026()))
    result = call("baseline", "accept", "late_Q6_K.log")
    assert result.exit_code == 2
    assert "does not print the sampling peak" in result.stderr
