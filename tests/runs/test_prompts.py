"""Prompts and stages are delimited as ComfyUI really delimits them."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

FAILURE = "!!! Exception during processing !!! Sizes of tensors must match\nTraceback (most recent call last):\n"
INTERRUPTION = "Processing interrupted\n"


def statuses(text: str) -> list[str]:
    return log.analyze(text).prompts.sort("line")["status"].to_list()


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
    found = log.analyze(queued)
    assert found.prompts["status"].to_list() == ["completed", "completed"]
    assert found.runs["audio_frames"].to_list() == [153, 250]


def test_an_arrival_glued_behind_a_bar_is_seen_and_harmless() -> None:
    glued = log.prompt().replace("00:20<00:09,  5.00s/it]", "00:20<00:09,  5.00s/it]got prompt\n", 1)
    found = log.analyze(glued)
    assert found.prompts.height == found.runs.height == 1
    assert found.runs["observed_windows"].item() == 2


def test_a_second_banner_is_a_restart_and_ends_the_prompt_before_it() -> None:
    cut = log.BANNER + log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + log.window(72, 153, done=1) + "\n"
    found = log.analyze(cut + log.BANNER.replace("5090", "4090") + log.prompt())
    assert found.prompts["status"].to_list() == ["truncated", "completed"]
    assert found.runs["status"].to_list() == ["truncated", "completed"]
    assert found.runs["gpu"].to_list() == ["NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 4090"]


def test_prompt_executed_after_a_failure_is_no_success_and_still_tells_the_time() -> None:
    found = log.analyze(log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + log.EXECUTED)
    row = found.prompts.row(0, named=True)
    assert (row["status"], row["duration_s"]) == ("failed", 80.36)
    assert row["error"] == "Sizes of tensors must match"
    assert found.runs["status"].item() == "failed"


def test_a_failure_behind_the_memory_report_leaves_the_stage_completed() -> None:
    found = log.analyze(log.ARRIVAL + log.run() + FAILURE + log.EXECUTED)
    assert found.runs["status"].item() == "completed"
    assert found.prompts["status"].item() == "failed"


def test_a_bar_redrawn_behind_prompt_executed_belongs_to_the_failed_run() -> None:
    redrawn = log.refresh("Sampling audio indices 0-81", 2, 4, 40, "20.00s/it") + "\n"
    first = log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + log.EXECUTED.strip() + redrawn
    found = log.analyze(first + log.prompt())
    assert found.runs["status"].to_list() == ["failed", "completed"]
    assert found.prompts.height == 2
    assert found.steps.filter(pl.col("run_id") == found.runs["run_id"][0]).height == 2


def test_an_average_redrawn_behind_a_failure_is_no_step_even_if_it_counts_further() -> None:
    redrawn = log.refresh("Sampling audio indices 0-81", 3, 4, 40, "13.33s/it") + "\n"
    found = log.analyze(log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=2) + FAILURE + redrawn + log.EXECUTED)
    assert found.steps["duration_s"].round(6).to_list() == [5.0, 5.0]


def test_bars_behind_the_end_of_a_prompt_are_not_completed_by_it() -> None:
    late = log.refresh("Sampling audio indices 72-153", 1, 4, 5, " 5.00s/it") + "\n"
    assert log.analyze(log.EXECUTED + late).runs["status"].to_list() == ["truncated"]


def test_two_stages_of_a_prompt_have_a_memory_report_each() -> None:
    text = log.ARRIVAL + log.lora() + log.run(153, log.memory(14.0)) + log.run(250, log.memory(15.0)) + log.EXECUTED
    found = log.analyze(text)
    assert found.runs["peak_allocated_gib"].to_list() == [14.0, 15.0]
    assert found.runs["prompt_id"].n_unique() == 1
    assert found.runs["lora_rank"].to_list() == [256, 256]


@pytest.mark.parametrize(
    ("printed", "seconds"), [("in 129.70 seconds", 129.7), ("in 00:11:45", 705.0), ("in 01:00:00", 3600.0)]
)
def test_both_forms_of_prompt_executed_give_seconds(printed: str, seconds: float) -> None:
    found = log.analyze(log.ARRIVAL + log.run() + f"Prompt executed {printed}\n")
    assert found.prompts["duration_s"].item() == found.runs["prompt_s"].item() == seconds


def test_ids_follow_from_content_not_from_the_name() -> None:
    one, other = log.analyze(log.prompt(), name="a.log"), log.analyze(log.prompt(), name="elsewhere/b.log")
    assert one.runs["run_id"].to_list() == other.runs["run_id"].to_list()
    assert one.prompts["prompt_id"].to_list() == other.prompts["prompt_id"].to_list()


TRACEBACK = "Traceback (most recent call last):\n"
CORE = TRACEBACK + '  File "/opt/ComfyUI/execution.py", line 498, in execute\n    output = run()\nRuntimeError: boom\n'
NODE = TRACEBACK + '  File "/opt/ComfyUI/custom_nodes/video/save.py", line 12, in save\nOSError: no such folder\n'
WEB = TRACEBACK + '  File "/venv/aiohttp/web_protocol.py", line 480, in start\nConnectionResetError: Cannot write\n'


def ended(last_words: str) -> str:
    return log.BANNER + log.ARRIVAL + log.run() + last_words + log.EXECUTED


@pytest.mark.parametrize(
    "words",
    [
        "!!! Exception while processing !!! boom\n",
        "Got an OOM; unloading all models\n",
        "Error during sampling (2)\n",
        CORE,
    ],
)
def test_a_prompt_failed_where_a_message_almost_says_so_or_an_exception_left_a_node(words: str) -> None:
    row = log.analyze(ended(words)).prompts.row(0, named=True)
    assert row["status"] == "failed"
    assert row["error"]
    assert statuses(log.ARRIVAL + words + log.EXECUTED + log.prompt()) == ["failed", "completed"]


@pytest.mark.parametrize(
    "words", ["Processing was interrupted\n", "processing interrupted\n", "Processing interrupted.\n"]
)
def test_a_prompt_was_interrupted_where_a_message_almost_says_so(words: str) -> None:
    found = log.analyze(ended(words))
    assert found.prompts["status"].to_list() == ["interrupted"]
    assert "LOG001" in found.findings["rule"].to_list()


@pytest.mark.parametrize("trace", [NODE, WEB])
def test_a_traceback_of_other_origin_right_before_the_end_is_told_and_no_failure(trace: str) -> None:
    found = log.analyze(ended(trace))
    assert found.prompts["status"].to_list() == ["completed"]
    assert found.prompts["error"].to_list() == ["a traceback right before the prompt's end"]
    assert "RUN006" in found.findings["rule"].to_list()


@pytest.mark.parametrize("trace", [CORE, NODE])
def test_a_traceback_that_anything_followed_was_caught(trace: str) -> None:
    text = log.BANNER + log.ARRIVAL + trace + log.run() + log.EXECUTED
    row = log.analyze(text).prompts.row(0, named=True)
    assert (row["status"], row["error"]) == ("completed", None)


@pytest.mark.parametrize("words", [CORE, NODE, "!!! Exception while importing !!! boom\n"])
def test_what_goes_wrong_while_a_server_starts_is_no_prompts_fault(words: str) -> None:
    starting = log.BANNER.replace("Python version", words + "Python version")
    assert statuses(starting) == []
    assert statuses(starting + log.ARRIVAL + log.EXECUTED) == ["completed"]
    assert statuses(log.prompt() + starting + log.prompt()) == ["completed", "completed"]


def test_a_failure_that_a_message_names_keeps_its_words() -> None:
    found = log.analyze(ended(FAILURE.splitlines()[0] + "\n" + CORE))
    assert found.prompts["error"].to_list() == ["Sizes of tensors must match"]


@pytest.mark.parametrize("cut", ["in 00:11", "in 00:11:4", "in 00:1", "in 126.6"])
def test_an_end_that_is_cut_off_is_not_believed(cut: str) -> None:
    found = log.analyze(log.ARRIVAL + log.run() + f"Prompt executed {cut}")
    assert found.prompts.select("status", "duration_s").row(0) == ("truncated", None)


@pytest.mark.parametrize(
    "words", ["Got an OOM, retrying with tiled decoding\n", "Error during sampling (2)\n", CORE, NODE]
)
@pytest.mark.parametrize("work", [log.window(360, 441), log.memory()])
def test_what_the_prompts_work_follows_was_no_end(words: str, work: str) -> None:
    found = log.analyze(ended(words + work))
    assert found.prompts["status"].to_list() == ["completed"]
    assert found.prompts["error"].to_list() == [None]


def test_a_failed_windows_bar_that_is_closed_behind_the_exception_is_no_work() -> None:
    begun = log.window(360, 441, done=2)
    redrawn = log.refresh("Sampling audio indices 360-441", 2, 4, 11, " 5.00s/it") + "\n"
    assert statuses(ended(begun + "\n" + CORE + redrawn)) == ["failed"]


def test_a_frame_of_comfyui_without_a_traceback_says_nothing_whatever_other_logs_hold() -> None:
    frame = CORE.removeprefix(TRACEBACK)
    assert statuses(ended(frame)) == ["completed"]
    assert statuses(ended(NODE + log.memory()) + ended(frame)) == ["completed", "completed"]


@pytest.mark.parametrize(
    ("clock", "step_s", "seconds"),
    [
        ("02:42:00", 12_000, 9_720 + 86_400),
        ("02:42:00", 1_200, 9_720),
        ("00:16:40", 130, 1_000),
        ("00:16:40", 132, 1_000),
        ("00:16:40", 133, 1_000 + 86_400),
    ],
    ids=["26.7 h", "2.7 h", "shorter", "within the slack", "beyond the slack"],
)
def test_a_prompts_clock_that_started_anew_is_put_right_by_its_windows(clock: str, step_s: int, seconds: int) -> None:
    text = log.ARRIVAL + log.run(153, step_s=step_s) + f"Prompt executed in {clock}\n"
    found = log.analyze(text)
    assert found.prompts["duration_s"].item() == found.runs["prompt_s"].item() == seconds
