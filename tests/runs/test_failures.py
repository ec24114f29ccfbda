"""A failure says what it was, where it was raised, and what the memory was, as a careful person reads it."""

from __future__ import annotations

from typing import Any

import logtext as log
import pytest

from loganalyzer.tables.analysis import Analysis

PACK = "/opt/ComfyUI/custom_nodes/ComfyUI-TalkingNodes"
CORE_FRAME = '  File "/opt/ComfyUI/execution.py", line 361, in execute\n'
FIGURES = (
    "Currently allocated     : {used} GiB\n"
    "Requested               : {asked} GiB\n"
    "Device limit            : 16.00 GiB\n"
    "Free (according to CUDA): 0 bytes\n"
)


def traceback(last: str, *frames: str) -> str:
    return f"Traceback (most recent call last):\n{CORE_FRAME}{''.join(frames)}{last}\n\n"


def frame(file: str, line: int, function: str, code: str = "return run(x)") -> str:
    return f'  File "{file}", line {line}, in {function}\n    {code}\n'


def failing(message: str, trace: str = "", before: str = "", after: str = "") -> Analysis:
    text = (
        f"{log.BANNER}{log.ARRIVAL}{before}!!! Exception during processing !!! {message}\n{trace}{after}{log.EXECUTED}"
    )
    return log.analyze(text)


def the_prompt(found: Analysis) -> dict[str, Any]:
    (prompt,) = found.prompts.to_dicts()
    return prompt


def finding(found: Analysis, rule: str) -> dict[str, Any]:
    (row,) = found.findings.filter(rule=rule).to_dicts()
    return row


MISSING = "No module named 'color_matcher'"


def test_a_prompt_that_failed_before_its_sampling_names_type_pack_file_and_line() -> None:
    trace = traceback(
        f"ModuleNotFoundError: {MISSING}",
        frame("/opt/ComfyUI/custom_nodes/other/wrap.py", 3, "wrapped"),
        frame(f"{PACK}/nodes.py", 2950, "process"),
        frame("/usr/lib/python3.12/importlib/__init__.py", 90, "import_module"),
    )
    found = failing(MISSING, trace)
    prompt = the_prompt(found)
    assert prompt["status"] == "failed"
    assert prompt["exception_type"] == "ModuleNotFoundError"
    assert prompt["failed_in"] == "ComfyUI-TalkingNodes/nodes.py:2950 in process"
    assert "color_matcher" in prompt["cause"]
    row = finding(found, "RUN001")
    assert "failed before sampling: ModuleNotFoundError" in row["message"]
    assert "(in ComfyUI-TalkingNodes/nodes.py:2950 in process)" in row["message"]
    assert "pip install color-matcher" in row["fix"]
    assert found.verdict == "fail"


def test_an_unknown_exception_still_names_type_and_place() -> None:
    found = failing("tock", traceback("clock.TickError: tock", frame(f"{PACK}/clock.py", 7, "tick")))
    prompt = the_prompt(found)
    assert (prompt["exception_type"], prompt["cause"]) == ("clock.TickError", None)
    assert finding(found, "RUN001")["fix"] == "Read the exception and the traceback after this line in the log."


def test_windows_paths_are_told_apart_from_the_pack_on() -> None:
    trace = traceback("KeyError: 'a'", frame("C:\\x\\custom_nodes\\ComfyUI-TalkingNodes\\sub\\a.py", 4, "f"))
    assert the_prompt(failing("'a'", trace))["failed_in"] == "ComfyUI-TalkingNodes/sub/a.py:4 in f"


def test_a_later_traceback_of_the_web_server_is_not_the_place() -> None:
    trace = traceback("ValueError: a", frame(f"{PACK}/a.py", 1, "f"))
    later = traceback("ConnectionResetError: gone", frame(f"{PACK}/web.py", 9, "serve"))
    prompt = the_prompt(failing("a", trace, after=later))
    assert (prompt["exception_type"], prompt["failed_in"]) == ("ValueError", "ComfyUI-TalkingNodes/a.py:1 in f")


def test_a_prompt_that_completed_has_no_details_although_a_node_caught_an_exception() -> None:
    caught = traceback("ValueError: a", frame(f"{PACK}/a.py", 1, "f"))
    found = log.analyze(log.ARRIVAL + caught + log.run(153) + log.EXECUTED)
    prompt = the_prompt(found)
    assert prompt["status"] == "completed"
    assert {prompt[name] for name in ("exception_type", "failed_in", "cause")} == {None}


@pytest.mark.parametrize(
    ("asked", "used", "remedy"),
    [
        pytest.param("16.01", "9.00", "block swap does not help", id="just above the card"),
        pytest.param("16.00", "9.00", "Swap more transformer blocks", id="as large as the card"),
        pytest.param("0.25", "15.50", "Swap more transformer blocks", id="a small piece on a full card"),
    ],
)
def test_the_remedy_for_memory_follows_from_the_figures(asked: str, used: str, remedy: str) -> None:
    trace = FIGURES.format(asked=asked, used=used) + traceback("torch.OutOfMemoryError: Allocation on device 0")
    found = failing("Allocation on device 0", trace, before=log.header(393, 6) + log.window(0, 81))
    row = finding(found, "RUN002")
    assert remedy in row["fix"]
    prompt = the_prompt(found)
    assert (prompt["memory_requested_gib"], prompt["memory_used_gib"]) == (float(asked), float(used))
    assert prompt["memory_limit_gib"] == 16.0
    assert "GiB requested, " in row["message"]


def test_figures_in_the_message_of_pytorchs_own_allocator_are_read() -> None:
    room = "GPU 0 has a total capacity of 23.50 GiB of which 1.25 GiB is free."
    message = f"CUDA out of memory. Tried to allocate 2.50 GiB. {room}"
    prompt = the_prompt(failing(message))
    figures = [prompt[f"memory_{name}_gib"] for name in ("requested", "used", "limit")]
    assert figures == [2.5, 22.25, 23.5]


@pytest.mark.parametrize(("call", "coding"), [("encode", "encoding"), ("decode", "decoding")])
def test_memory_that_runs_out_in_the_vae_asks_for_tiles(call: str, coding: str) -> None:
    trace = traceback(
        "torch.OutOfMemoryError: Allocation on device ", frame(f"{PACK}/loop.py", 301, "loop", f"y = vae.{call}(x)")
    )
    found = failing("Allocation on device ", trace, before=log.header(393, 6))
    row = finding(found, "RUN002")
    assert f"in VAE {coding}" in row["message"]
    assert f"tiled VAE for {coding} " in row["fix"]


def test_the_cause_comes_before_what_follows_from_it() -> None:
    found = failing("Allocation on device", before=log.header(393, 6) + log.window(0, 81) + log.window(72, 153, done=1))
    assert found.findings["rule"].to_list()[:2] == ["RUN002", "SCH003"]


def test_pytorchs_own_account_gives_the_peak_of_a_run_that_ran_out_of_memory() -> None:
    account = (
        "Memory summary:\n"
        "| Allocated memory      |  21504 MiB |  30720 MiB |    144 GiB |    123 GiB |\n"
        "Got an OOM, unloading all loaded models.\n"
    )
    found = failing("Allocation on device", account, before=log.header(393, 6) + log.window(0, 81))
    assert found.runs.select("peak_allocated_gib", "peak_covers").row(0) == (30.0, "last-window")
    assert not set(found.findings["rule"]) & {"MEM001", "MEM002"}


@pytest.mark.parametrize("death", ["Fatal Python error: Aborted", "Windows fatal exception: access violation"])
def test_a_process_that_died_is_a_failure_with_its_cause(death: str) -> None:
    last = f'\nThread 0x1 (most recent call first):\n  File "{PACK}/loop.py", line 415 in loop\n{CORE_FRAME}'
    begun = log.BANNER + log.ARRIVAL + log.header(369, 6) + log.window(0, 81) + log.window(72, 153, done=1) + "\n"
    found = log.analyze(f"{begun}{death}\n{last}")
    assert the_prompt(found)["status"] == "failed"
    row = finding(found, "RUN001")
    assert (
        f"in window 2 of 5: the process died: {death.split(': ')[1]} (in ComfyUI-TalkingNodes/loop.py:415"
        in row["message"]
    )
    assert "RUN004" not in found.findings["rule"].to_list()


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (0, "it runs no more prompts"),
        (1, "1 later prompt was accepted and never ran"),
        (2, "2 later prompts were accepted and never ran"),
    ],
)
def test_a_worker_that_died_is_told_with_the_prompts_it_left(later: int, said: str) -> None:
    died = "Exception in thread Thread-7 (prompt_worker):\n" + traceback("torch.AcceleratorError: CUDA error")
    begun = f"{log.ARRIVAL}{log.header(153, 2)}!!! Exception during processing !!! Allocation on device\n"
    found = log.analyze(begun + died + log.ARRIVAL * later)
    row = finding(found, "RUN007")
    assert (row["severity"], row["line"]) == ("error", 4)
    assert said in row["message"]


def test_prompts_behind_a_restart_are_not_those_that_a_dead_worker_left() -> None:
    died = "Exception in thread Thread-7 (prompt_worker):\n" + log.ARRIVAL
    found = log.analyze(log.BANNER + log.ARRIVAL + log.header(153, 2) + died + log.BANNER + log.prompt(153))
    assert "1 later prompt was" in finding(found, "RUN007")["message"]
    assert found.prompts["status"].to_list()[-1] == "completed"


def test_a_vae_that_is_tried_again_in_tiles_is_a_note_and_no_failure() -> None:
    again = "Warning: Ran out of memory when regular VAE decoding, retrying with tiled VAE decoding.\n"
    found = log.analyze(log.ARRIVAL + log.run(153) + again + log.EXECUTED)
    assert the_prompt(found)["status"] == "completed"
    assert finding(found, "RUN012")["severity"] == "info"
