"""What a comparison says of two sides, and what it refuses to say."""

from __future__ import annotations

import logtext as log
import nativelogs as native
import numpy as np
import polars as pl
import pytest

from loganalyzer.comparison.comparing import compare_runs
from loganalyzer.comparison.model import Comparison, MetricChange, RunSet
from loganalyzer.settings.model import Settings

Q6 = Settings(quantization="Q6_K")


def side(*texts: str, settings: Settings = Q6, name: str = "side") -> RunSet:
    return RunSet.of(name, log.analyze(log.BANNER + "".join(texts), settings))


def metric(comparison: Comparison, name: str) -> MetricChange:
    (found,) = [one for one in comparison.metrics if one.metric == name]
    return found


def steps(*durations: float) -> list[str]:
    return [log.prompt(81, step_s=duration) for duration in durations]


def scattered(level: float, count: int, seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    return steps(*(level * (1 + 0.01 * generator.standard_normal()) for _ in range(count)))


def test_a_side_is_the_same_as_itself() -> None:
    one = side(log.prompt(427), log.prompt(250))
    comparison = compare_runs(one, one)
    assert comparison.verdict == "same"
    assert {row.verdict for row in comparison.metrics} == {"same"}
    assert comparison.new.is_empty()
    assert comparison.gone.is_empty()
    assert set(comparison.still["rule"]) == set(one.findings["rule"])
    assert comparison.differences == ()


def test_one_run_against_one_run_is_judged_beyond_10_percent_and_says_why_it_is_cautious() -> None:
    found = metric(compare_runs(side(*steps(5.0)), side(*steps(5.7))), "s_per_step")
    assert (found.verdict, found.base, found.head) == ("regressed", pytest.approx(5.0), pytest.approx(5.7))
    assert found.change_percent == pytest.approx(14.0)
    assert (found.base_n, found.head_n, found.base_runs, found.head_runs) == (3, 3, 1, 1)
    assert "A single run counts only beyond 10 %" in found.reason


def test_one_run_against_one_run_says_nothing_of_5_percent() -> None:
    comparison = compare_runs(side(*steps(5.0)), side(*steps(5.25)))
    assert comparison.verdict == "same"
    found = metric(comparison, "s_per_step")
    assert found.verdict == "unknown"
    assert "With five runs each, 2 % is enough" in found.reason


def test_many_runs_find_5_percent_and_count_runs_not_steps() -> None:
    found = metric(compare_runs(side(*scattered(5.0, 8, 1)), side(*scattered(5.25, 8, 2))), "s_per_step")
    assert found.verdict == "regressed"
    assert (found.base_n, found.head_n) == (8, 8)


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_no_regression(seed: int) -> None:
    comparison = compare_runs(side(*scattered(5.0, 6, seed)), side(*scattered(5.0, 6, seed + 100)))
    assert comparison.verdict == "same"


def test_a_faster_head_is_improved() -> None:
    assert compare_runs(side(*steps(5.0)), side(*steps(4.0))).verdict == "improved"


@pytest.mark.parametrize(
    ("head", "field"),
    [
        (log.prompt(81, size="832x480"), "width"),
        (log.prompt(81, steps=6), "steps"),
        (log.prompt(81).replace("rank256", "rank64"), "lora_rank"),
    ],
)
def test_runs_of_different_settings_are_incomparable_and_the_field_is_named(head: str, field: str) -> None:
    comparison = compare_runs(side(log.prompt(81)), side(head))
    assert comparison.verdict == "incomparable"
    assert comparison.metrics == ()
    assert field in [one.field for one in comparison.differences if one.decides]
    assert field in comparison.reason


def test_another_quantisation_is_incomparable_whatever_it_takes() -> None:
    comparison = compare_runs(side(log.prompt(81)), side(log.prompt(81), settings=Settings(quantization="Q5_0")))
    assert comparison.verdict == "incomparable"
    (difference,) = comparison.differences
    assert (difference.field, difference.base, difference.head) == ("quantization", ("Q6_K",), ("Q5_0",))


def test_a_guessed_quantisation_and_an_unknown_card_come_with_the_way_out() -> None:
    heavier = log.analyze(log.prompt(81, report=log.memory(16.2, 17.0)))
    comparison = compare_runs(side(log.prompt(81), settings=Settings()), RunSet.of("head", heavier))
    assert comparison.verdict == "incomparable"
    assert "--quantization" in comparison.notes[0]
    assert "set gpu" in comparison.notes[1]
    declared = compare_runs(
        side(log.prompt(81)), RunSet.of("head", log.analyze(log.BANNER + log.prompt(81, steps=6), Q6))
    )
    assert declared.notes == ()


def test_versions_explain_and_bar_nothing() -> None:
    newer = RunSet.of("head", log.analyze((log.BANNER + log.prompt(81)).replace("0.3.64", "0.4.0"), Q6))
    comparison = compare_runs(side(log.prompt(81)), newer)
    assert comparison.verdict == "same"
    assert [(one.field, one.decides) for one in comparison.differences] == [("comfyui_version", False)]


def test_step_times_are_compared_across_lengths_and_prompt_times_are_not() -> None:
    comparison = compare_runs(side(log.prompt(369)), side(log.prompt(153, step_s=6.0)))
    assert metric(comparison, "s_per_step").verdict == "regressed"
    prompt = metric(comparison, "prompt_s")
    assert (prompt.verdict, prompt.change_percent) == ("unknown", None)
    assert "base has 5 windows, models loaded, head has 2 windows, models loaded" in prompt.reason


def test_a_peak_of_another_meaning_is_no_saving() -> None:
    comparison = compare_runs(side(log.prompt(81)), side(log.prompt(81, report=log.memory_2026(9.0))))
    peak = metric(comparison, "peak_allocated_gib")
    assert (peak.verdict, peak.base, peak.head, peak.change_percent) == ("unknown", 15.0, 9.0, None)
    assert "not a change in memory use" in peak.reason
    assert comparison.verdict == "same"


@pytest.mark.parametrize(
    ("peak", "word"), [(15.1, "same"), (15.29, "same"), (15.4, "regressed"), (14.6, "improved"), (15.0, "same")]
)
def test_memory_is_nearly_deterministic_so_one_run_tells_beyond_its_floor(peak: float, word: str) -> None:
    comparison = compare_runs(side(log.prompt(81)), side(log.prompt(81, report=log.memory(peak, 16.0))))
    assert metric(comparison, "peak_allocated_gib").verdict == word


@pytest.mark.parametrize(
    ("base", "head", "word"),
    [
        (369, 427, "regressed"), (427, 369, "improved"), (427, 427, "same"), (369, 441, "same"), (427, 250, "unknown"),
    ],
)  # fmt: skip
def test_missing_frames_are_exact(base: int, head: int, word: str) -> None:
    assert metric(compare_runs(side(log.prompt(base)), side(log.prompt(head))), "missing_frames").verdict == word


def test_fewer_windows_for_the_same_audio_are_worse() -> None:
    short = log.prompt(250).replace(log.window(216, 297), "")
    comparison = compare_runs(side(log.prompt(250)), side(short))
    assert metric(comparison, "observed_windows").verdict == "regressed"


def test_a_new_error_is_a_regression_though_no_metric_is_worse() -> None:
    failed = log.prompt(153).replace(log.EXECUTED, "!!! Exception during processing !!! boom\n" + log.EXECUTED)
    comparison = compare_runs(side(log.prompt(153)), side(log.prompt(153), failed))
    assert comparison.verdict == "regressed"
    assert "new: RUN001" in comparison.reason


def test_findings_are_new_gone_or_still_there() -> None:
    base = side(log.prompt(427), log.prompt(427, step_s=5.1))
    head = side(log.prompt(427).replace("rank256", "rank256"), log.prompt(427, report=log.memory(16.2, 17.0)))
    comparison = compare_runs(base, head)
    assert "MEM001" in set(comparison.new["rule"])
    still = comparison.still.filter(pl.col("rule") == "AUD001").row(0, named=True)
    assert still["count"] == 2
    assert compare_runs(head, base).gone["rule"].to_list() == comparison.new["rule"].to_list()


def test_runs_without_a_partner_are_named_not_dropped() -> None:
    comparison = compare_runs(side(log.prompt(81), log.prompt(81, size="832x480")), side(log.prompt(81)))
    assert comparison.verdict == "same"
    assert comparison.notes == ("1 run of base not compared: no run of head has the same settings",)


def test_the_card_of_the_settings_makes_a_cut_out_comparable() -> None:
    cut = RunSet.of("cut", log.analyze(log.prompt(81), Q6), "NVIDIA GeForce RTX 5090")
    assert compare_runs(side(log.prompt(81)), cut).verdict == "same"
    bare = RunSet.of("cut", log.analyze(log.prompt(81), Q6))
    assert compare_runs(side(log.prompt(81)), bare).verdict == "incomparable"


def native_side(settings: Settings = Q6) -> RunSet:
    text = native.BANNER + native.ARRIVAL + native.SPEECH + native.wants() + native.detail(81, 1280, 720)
    text += native.dynamic() + native.reads(72, 153) + native.wants() + native.detail(81, 1280, 720) + native.dynamic()
    return RunSet.of("native", log.analyze(text + native.EXECUTED, settings))


def test_another_producer_is_a_difference_and_its_figures_are_not_compared() -> None:
    lora = log.lora()
    wrapper = RunSet.of("wrapper", log.analyze(native.BANNER + log.prompt(153).replace(lora, ""), Q6))
    comparison = compare_runs(wrapper, native_side())
    assert ("producer", ("wrapper",), ("core",)) in [(one.field, one.base, one.head) for one in comparison.differences]
    assert {one.verdict for one in comparison.metrics} <= {"unknown"}
    assert compare_runs(native_side(), native_side()).verdict == "same"


def test_a_document_that_does_not_tell_the_producer_differs_in_none() -> None:
    known = native_side()
    older = RunSet(
        known.name, known.runs.with_columns(pl.lit(None, pl.String).alias("producer")), known.figures, known.findings
    )
    assert "producer" not in [one.field for one in compare_runs(older, known).differences]
