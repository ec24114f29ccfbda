"""Prompts and stages are delimited as ComfyUI really delimits them."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

FAILURE = "!!! Exception during processing !!! Sizes of tensors must match\nTraceback (most recent call last):\n"
INTERRUPTION = "Processing interrupted\n"


def statuses(text: str) -> list[str]:
    return log.analyse(text).prompts.sort("line")["status"].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (log.prompt(), ["completed"]),
        (log.prompt() + log.prompt(250), ["completed", "completed"]),
        (log.ARRIVAL + log.EXECUTED, ["completed"]),
        (log.run(), ["truncated"]),
        (log.ARRIVAL, ["truncated"]),
        (log.ARRIVAL + log.MODE + log.header(250, 4) + log.window(0, 81) + FAILURE + log.EXECUTED, ["failed"]),
        (log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + INTERRUPTION + log.EXECUTED, ["interrupted"]),
        (log.BANNER, []),
        (log.BANNER + log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + log.BANNER, ["truncated"]),
        (log.ARRIVAL + "invalid prompt: {'type': 'x'}\n", []),
        ("nothing of interest\n", []),
    ],
    ids=[
        "one", "two", "cached", "cut-out", "arrival only", "failed", "interrupted", "idle server", "restart", "refused",
        "chatter",
    ],
)  # fmt: skip
def test_a_prompts_status_tells_how_it_ended(text: str, expected: list[str]) -> None:
    assert statuses(text) == expected


def test_got_prompt_is_an_arrival_and_does_not_end_the_prompt_that_runs() -> None:
    queued = log.prompt().replace(log.MODE, log.MODE + log.ARRIVAL, 1) + log.lora() + log.run(250) + log.EXECUTED
    found = log.analyse(queued)
    assert found.prompts["status"].to_list() == ["completed", "completed"]
    assert found.runs["audio_frames"].to_list() == [153, 250]


def test_an_arrival_glued_behind_a_bar_is_seen_and_harmless() -> None:
    glued = log.prompt().replace("00:20<00:09,  5.00s/it]", "00:20<00:09,  5.00s/it]got prompt\n", 1)
    found = log.analyse(glued)
    assert found.prompts.height == found.runs.height == 1
    assert found.runs["observed_windows"].item() == 2


def test_a_second_banner_is_a_restart_and_ends_the_prompt_before_it() -> None:
    cut = log.BANNER + log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + log.window(72, 153, done=1) + "\n"
    found = log.analyse(cut + log.BANNER.replace("5090", "4090") + log.prompt())
    assert found.prompts["status"].to_list() == ["truncated", "completed"]
    assert found.runs["status"].to_list() == ["truncated", "completed"]
    assert found.runs["gpu"].to_list() == ["NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 4090"]


def test_prompt_executed_after_a_failure_is_no_success_and_still_tells_the_time() -> None:
    found = log.analyse(log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + log.EXECUTED)
    row = found.prompts.row(0, named=True)
    assert (row["status"], row["duration_s"]) == ("failed", 80.36)
    assert row["error"] == "Sizes of tensors must match"
    assert found.runs["status"].item() == "failed"


def test_a_failure_behind_the_memory_report_leaves_the_stage_completed() -> None:
    found = log.analyse(log.ARRIVAL + log.run() + FAILURE + log.EXECUTED)
    assert found.runs["status"].item() == "completed"
    assert found.prompts["status"].item() == "failed"


def test_a_bar_redrawn_behind_prompt_executed_belongs_to_the_failed_run() -> None:
    redrawn = log.refresh("Sampling audio indices 0-81", 2, 4, 40, "20.00s/it") + "\n"
    first = log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + log.EXECUTED.strip() + redrawn
    found = log.analyse(first + log.prompt())
    assert found.runs["status"].to_list() == ["failed", "completed"]
    assert found.prompts.height == 2
    assert found.steps.filter(pl.col("run_id") == found.runs["run_id"][0]).height == 2


def test_an_average_redrawn_behind_a_failure_is_no_step_even_if_it_counts_further() -> None:
    redrawn = log.refresh("Sampling audio indices 0-81", 3, 4, 40, "13.33s/it") + "\n"
    found = log.analyse(log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + redrawn + log.EXECUTED)
    assert found.steps["duration_s"].round(6).to_list() == [5.0, 5.0]


def test_bars_behind_the_end_of_a_prompt_are_not_completed_by_it() -> None:
    late = log.refresh("Sampling audio indices 72-153", 1, 4, 5, " 5.00s/it") + "\n"
    assert log.analyse(log.EXECUTED + late).runs["status"].to_list() == ["truncated"]


def test_two_stages_of_a_prompt_have_a_memory_report_each() -> None:
    text = log.ARRIVAL + log.lora() + log.run(153, log.memory(14.0)) + log.run(250, log.memory(15.0)) + log.EXECUTED
    found = log.analyse(text)
    assert found.runs["peak_allocated_gib"].to_list() == [14.0, 15.0]
    assert found.runs["prompt_id"].n_unique() == 1
    assert found.runs["lora_rank"].to_list() == [256, 256]


@pytest.mark.parametrize(
    ("printed", "seconds"), [("in 129.70 seconds", 129.7), ("in 00:11:45", 705.0), ("in 01:00:00", 3600.0)]
)
def test_both_forms_of_prompt_executed_give_seconds(printed: str, seconds: float) -> None:
    found = log.analyse(log.ARRIVAL + log.run() + f"Prompt executed {printed}\n")
    assert found.prompts["duration_s"].item() == found.runs["prompt_s"].item() == seconds


def test_ids_follow_from_content_not_from_the_name() -> None:
    one, other = log.analyse(log.prompt(), name="a.log"), log.analyse(log.prompt(), name="elsewhere/b.log")
    assert one.runs["run_id"].to_list() == other.runs["run_id"].to_list()
    assert one.prompts["prompt_id"].to_list() == other.prompts["prompt_id"].to_list()
