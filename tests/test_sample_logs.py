"""The sample logs are what their generator writes, and the tool finds in each what it was made to show."""

from __future__ import annotations

import io
import random
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import tqdm.std as tqdm
from click.testing import CliRunner
from progress_bar import ProgressBar

from loganalyzer.cli.group import main
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis
from sample_logs import FOLDER, SAMPLES, Truth, log, truth, write

EXPECTED: dict[str, tuple[str, set[str]]] = {
    "clean_Q6_K.txt": ("pass", {"AUD002"}),
    "padded_Q6_K.txt": ("fail", {"AUD001", "AUD003"}),
    "wrong_model_Q6_K.txt": ("fail", {"AUD002", "MEM002", "MOD002", "MOD003"}),
    "slow_Q6_K.txt": ("warn", {"AUD002", "TIM001", "TIM002", "TIM003", "TIM004"}),
    "out_of_memory_Q8_0.txt": ("fail", {"AUD002", "MEM003", "MEM004", "RUN002", "SCH003"}),
    "truncated_Q6_K.txt": ("fail", {"RUN004", "SCH003"}),
    "two_speakers_Q6_K.txt": ("fail", {"AUD001", "MEM007"}),
    "recorder.txt": ("warn", {"AUD002", "MOD004"}),
    "mirrored_Q6_K.txt": ("fail", {"AUD001", "AUD004"}),
}
every_sample = pytest.mark.parametrize("name", SAMPLES)


@cache
def analysed(name: str) -> Analysis:
    return analyze_inputs([from_bytes(name, log(SAMPLES[name]))])


def runs(name: str) -> list[tuple[dict[str, object], Truth]]:
    """Each run as the tool found it, beside its truth."""
    found = analysed(name).runs.sort("line").to_dicts()
    return list(zip(found, map(truth, SAMPLES[name]), strict=True))


def table(name: str, which: str, run: dict[str, object]) -> pl.DataFrame:
    frame: pl.DataFrame = getattr(analysed(name), which)
    return frame.filter(pl.col("run_id") == run["run_id"])


def finding(name: str, rule: str) -> dict[str, str]:
    return analysed(name).findings.row(by_predicate=pl.col("rule") == rule, named=True)


def test_the_folder_holds_what_the_generator_writes(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name: path.read_bytes() for path in FOLDER.glob("*.txt")} == {
        path.name: path.read_bytes() for path in tmp_path.iterdir()
    }


def test_the_readme_of_the_samples_names_each_with_the_rules_it_shows() -> None:
    rows = [line for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {row.split("`")[1]: {cell for cell in row.split("`")[3::2] if cell[-3:].isdigit()} for row in rows}
    assert told == {name: rules - {"AUD002"} for name, (_, rules) in EXPECTED.items()}


@pytest.mark.parametrize(("name", "verdict", "rules"), [(name, *rest) for name, rest in EXPECTED.items()])
def test_a_sample_shows_its_findings_and_no_others(name: str, verdict: str, rules: set[str]) -> None:
    assert set(analysed(name).findings["rule"]) == rules
    assert analysed(name).verdict == verdict


@every_sample
def test_every_line_of_a_sample_is_in_a_known_form(name: str) -> None:
    assert analysed(name).near_misses.is_empty()


@every_sample
def test_the_command_fails_exactly_on_the_samples_with_an_error(name: str) -> None:
    result = CliRunner().invoke(main, ["analyze", str(FOLDER / name), "--no-html", "-q"])
    assert result.exit_code == int(EXPECTED[name][0] == "fail"), result.output


@every_sample
def test_a_run_is_read_as_it_was_made(name: str) -> None:
    for (run, facts), recipe in zip(runs(name), SAMPLES[name], strict=True):
        report = facts.report
        assert run["status"] == facts.status
        assert run["audio_frames"] == recipe.audio_frames
        assert run["speakers"] == recipe.speakers
        assert run["announced_windows"] == facts.announced_windows
        assert run["expected_windows"] == facts.expected_windows
        assert run["observed_windows"] == len(facts.windows)
        assert run["audio_s"] == pytest.approx(recipe.samples / 16_000, abs=0.0005)
        shown = (report.peak_gib, report.reserved_gib, report.covers) if report else (None, None, None)
        peaks = (recipe.peak_gib, recipe.reserved_gib, "stage") if recipe.recorded else shown
        assert (run["peak_allocated_gib"], run["peak_reserved_gib"], run["peak_covers"]) == peaks
        assert run["total_vram_gib"] == 32607 / 1024


@every_sample
def test_windows_and_paddings_come_back(name: str) -> None:
    for run, facts in runs(name):
        windows = table(name, "windows", run).filter(pl.col("audio_start").is_not_null())
        assert tuple(windows.select("audio_start", "audio_end").rows()) == facts.windows
        paddings = table(name, "paddings", run).select("subject", "have", "need", "padding", "missing")
        assert paddings.rows() == [(p.subject, p.have, p.need, p.length, p.missing) for p in facts.paddings]


@every_sample
def test_every_step_is_recovered_within_its_stated_uncertainty(name: str) -> None:
    recorded = SAMPLES[name][0].recorded is not None
    for run, facts in runs(name):
        steps = table(name, "steps", run).sort("window", "step")
        made = [(w, s, seconds) for w, window in enumerate(facts.steps, 1) for s, seconds in enumerate(window, 1)]
        assert steps.select("window", "step").rows() == [(w, s) for w, s, _ in made]
        assert set(steps["method"]) == {"recorded" if recorded else "rate"}
        assert steps["uncertainty_s"].max() < (0.001 if recorded else 0.03)
        error = (steps["duration_s"] - pl.Series([seconds for *_, seconds in made])).abs()
        assert (error <= steps["uncertainty_s"] + 1e-9).all()


@every_sample
def test_a_decode_is_what_a_finished_window_took_beside_its_steps(name: str) -> None:
    for run, facts in runs(name):
        windows = table(name, "windows", run).sort("window").head(len(facts.decodes))
        for row, steps, decode in zip(windows.to_dicts(), facts.steps, facts.decodes, strict=False):
            assert row["total_s"] == pytest.approx(sum(steps) + decode, abs=row["total_uncertainty_s"] + 1e-6)
            assert row["sampling_s"] == pytest.approx(sum(steps), abs=0.1)


def test_the_padded_sample_says_how_many_frames_where_and_what_to_do() -> None:
    found = finding("padded_Q6_K.txt", "AUD001")
    assert "14 frames (0.56 s) have no audio" in found["message"]
    assert "frames 427–440" in found["message"]
    assert found["fix"].startswith("Trim the video to 427 frames:\n  `ffmpeg -i VIDEO.mp4 -t 17.08 ")
    assert "render with num_frames = 441" in found["fix"]
    assert "render 369 frames (14.76 s)" in found["fix"]


def test_the_wrong_model_is_told_by_its_memory_and_the_wrong_lora_by_its_name() -> None:
    assert finding("wrong_model_Q6_K.txt", "MOD003")["observed"] == "Q5_0"
    assert finding("wrong_model_Q6_K.txt", "MOD002")["observed"] == "rank 64"


def test_the_recorder_shows_the_model_and_the_peak_that_the_wrapper_hides() -> None:
    (run, _facts), *_ = runs("recorder.txt")
    assert (run["quantization"], run["quantization_source"], run["complete"]) == ("Q6_K", "recorder", True)
    assert finding("recorder.txt", "MOD004")["observed"] == "sageattn"
    skipped = set(analysed("recorder.txt").not_checked["rule"])
    assert not skipped & {"MEM001", "MEM002", "MEM003", "MEM004"}


def test_the_slow_sample_names_the_outlier() -> None:
    assert "step 2 of window 3" in finding("slow_Q6_K.txt", "TIM003")["message"]
    means = [sum(window) for window in truth(SAMPLES["slow_Q6_K.txt"][0]).steps]
    assert all(later > earlier for k, (earlier, later) in enumerate(pairwise(means)) if k != 2)


def test_the_prompt_before_warned_of_the_memory_that_ran_out() -> None:
    first, second = runs("out_of_memory_Q8_0.txt")
    assert finding("out_of_memory_Q8_0.txt", "MEM003")["run_id"] == first[0]["run_id"]
    assert finding("out_of_memory_Q8_0.txt", "RUN002")["run_id"] == second[0]["run_id"]
    assert "window 4 of 5" in finding("out_of_memory_Q8_0.txt", "RUN002")["message"]


def test_a_decode_peak_is_not_taken_for_the_sampling_peak() -> None:
    skipped = analysed("two_speakers_Q6_K.txt").not_checked
    assert {"MEM001", "MEM002", "MOD003"} <= set(skipped["rule"])
    assert "not the sampling peak" in finding("two_speakers_Q6_K.txt", "MEM007")["message"]


def test_bars_are_tqdms_own_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(tqdm, "time", lambda: now[0])
    monkeypatch.setattr(tqdm.tqdm, "monitor_interval", 0)
    chance = random.Random(0)
    for _ in range(300):
        total, longest = chance.choice([1, 2, 4, 12, 60]), chance.choice([0.02, 0.3, 1.5, 5.0, 40.0, 1500.0])
        steps = [chance.uniform(0.0001, longest) for _ in range(chance.randint(0, total))]
        out, now[0] = io.StringIO(), 0.0
        real = tqdm.tqdm(total=total, desc="Sampling audio indices 0-81", file=out, ascii=False)
        made = ProgressBar("Sampling audio indices 0-81", total)
        text = made.open()
        for seconds in steps:
            now[0] += seconds
            real.update(1)
            text += made.step(seconds)
        now[0] += longest
        real.close()
        made.wait(longest)
        assert text + made.close() == out.getvalue()
