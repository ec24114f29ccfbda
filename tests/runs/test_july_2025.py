"""Logs of July 2025: a bar over all windows, and in it bars without description."""

from __future__ import annotations

import logtext as log
import pytest

FEATURES = "Multitalk audio features shapes (per speaker): [(225, 12, 768)]\n"
HEADER = "Input sequence length: 32760\nSampling 81 frames at 832x480 with 4 steps\n"


def bare(n: int, elapsed: int, rate: str) -> str:
    return log.refresh("", n, 4, elapsed, rate).replace("\r: ", "\r")


def clips(windows: int, done: int = 4) -> str:
    """The outer bar counts beyond its total of one; the last window stops after `done` steps."""
    text = log.refresh("Generating video clips", 0, 1, 0, "?it/s")
    for window in range(1, windows + 1):
        steps = done if window == windows else 4
        text += "\n" + "".join(bare(n, 5 * n, f"{5 if n else '?'}s/it") for n in range(steps + 1))
        if steps < 4:
            break
        text += bare(4, 22, "5.50s/it")
        outer = log.refresh("Generating video clips", 1, 1, 25, "25.00s/it")
        text += "\n" + (outer if window == 1 else f"\rGenerating video clips: {window}it [00:50, 25.20s/it]")
    return text + "\n"


@pytest.mark.parametrize("mode", ["", log.MODE])
@pytest.mark.parametrize("header", ["", HEADER])
def test_nested_bars_are_windows_with_or_without_header_and_mode(header: str, mode: str) -> None:
    found = log.analyze(log.ARRIVAL + mode + FEATURES + header + clips(3) + log.memory() + log.EXECUTED)
    (run,) = found.runs.to_dicts()
    assert (run["producer"], run["status"], run["audio_frames"]) == ("wrapper", "completed", 225)
    assert (run["observed_windows"], run["expected_windows"], run["peak_covers"]) == (3, 3, "stage")
    assert run["mode"] == ("infinitetalk" if mode else None)
    assert found.windows["steps_done"].to_list() == [4, 4, 4]


def test_an_outer_bar_that_counts_anew_is_another_run() -> None:
    found = log.analyze(log.ARRIVAL + clips(3) + clips(2) + log.EXECUTED)
    assert found.runs["observed_windows"].to_list() == [3, 2]


def test_a_run_that_stops_in_its_second_window_is_not_completed() -> None:
    found = log.analyze(log.ARRIVAL + FEATURES + clips(2, done=2))
    (run,) = found.runs.to_dicts()
    assert (run["status"], run["observed_windows"]) == ("truncated", 2)
    assert "RUN004" in set(found.findings["rule"])


def test_bars_of_another_prompt_are_no_windows() -> None:
    other = log.ARRIVAL + bare(0, 0, "?it/s") + bare(4, 8, "2.00s/it") + "\n" + log.EXECUTED
    found = log.analyze(other + log.ARRIVAL + clips(2) + log.EXECUTED)
    assert found.runs["observed_windows"].to_list() == [2]
