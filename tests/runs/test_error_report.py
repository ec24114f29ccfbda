"""ComfyUI's error report is a log like any other, with one failure told above it, which counts once."""

from __future__ import annotations

import logtext as log
import pytest

from loganalyzer.tables.analysis import Analysis

HEAD = """# ComfyUI Error Report
## Error Details
- **Node ID:** 31:4
- **Node Type:** WanVideoSampler
- **Exception Type:** torch.OutOfMemoryError
- **Exception Message:** Allocation on device{blank}
This error means you ran out of memory on your GPU.

## Stack Trace
```
  File "D:\\ComfyUI\\execution.py", line 510, in execute
    output = await get(x)

  File "D:\\ComfyUI\\custom_nodes\\ComfyUI-TalkingNodes\\loop.py", line 301, in loop
    y = vae.encode(x)

```
## System Information
- **ComfyUI Version:** 0.3.56
- **Arguments:** main.py
- **Python Version:** 3.12.10
- **PyTorch Version:** 2.8.0+cu128
## Devices

- **Name:** cuda:0 NVIDIA GeForce RTX 4070 SUPER : cudaMallocAsync
  - **Type:** cuda
  - **VRAM Total:** 12884901888
  - **VRAM Free:** 11583619072

## Logs
```
"""
TAIL = "```\n## Attached Workflow\nPlease make sure that it does not contain any sensitive information.\n```\n{}\n```\n"
BEGUN = log.ARRIVAL + log.MODE + log.header(100, 2, "832x480")
FAILED = BEGUN + "!!! Exception during processing !!! Allocation on device \nGot an OOM, unloading all loaded models.\n"


def report(text: str, blank: str = " ") -> Analysis:
    return log.analyze(HEAD.format(blank=blank) + text + TAIL)


@pytest.mark.parametrize(
    "text", [BEGUN, FAILED, FAILED + log.EXECUTED], ids=["cut", "with the failure", "with its end"]
)
def test_the_failure_counts_once_and_names_the_node(text: str) -> None:
    found = report(text)
    (prompt,) = found.prompts.to_dicts()
    assert (prompt["status"], prompt["error"]) == ("failed", "Allocation on device")
    assert prompt["failed_in"] == "node 31:4 WanVideoSampler, ComfyUI-TalkingNodes/loop.py:301 in loop"
    assert (prompt["exception_type"], prompt["failed_phase"]) == ("torch.OutOfMemoryError", "encode")
    assert found.findings["rule"].to_list().count("RUN002") == 1
    assert "RUN004" not in found.findings["rule"].to_list()


def test_card_and_versions_come_from_the_report() -> None:
    (run,) = report(BEGUN).runs.to_dicts()
    assert run["gpu"] == "NVIDIA GeForce RTX 4070 SUPER"
    assert run["total_vram_gib"] == 12.0
    assert (run["comfyui_version"], run["torch_version"]) == ("0.3.56", "2.8.0+cu128")
    assert run["status"] == "failed"


def test_of_several_prompts_the_one_that_failed_with_this_message_is_meant() -> None:
    found = report(log.prompt(153) + FAILED + log.EXECUTED + log.prompt(153))
    assert found.prompts["status"].to_list() == ["completed", "failed", "completed"]
    assert found.prompts["failed_in"].is_not_null().to_list() == [False, True, False]


def test_where_no_prompt_failed_with_it_the_one_without_an_end_is_meant() -> None:
    found = report(log.prompt(153) + BEGUN)
    assert found.prompts["status"].to_list() == ["completed", "failed"]


def test_a_report_whose_log_shows_no_failure_is_never_a_pass() -> None:
    assert report(log.prompt(153)).verdict == "fail"


def test_a_report_without_any_log_is_a_failure_of_one_prompt() -> None:
    found = report("")
    assert found.prompts["status"].to_list() == ["failed"]
    assert found.verdict == "fail"
