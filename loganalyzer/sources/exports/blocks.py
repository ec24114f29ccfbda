"""Messages in one block and progress bars in another, as two files put together have them: joined by what they say.

A header says how many windows a run has, and a bar says which frames it samples: the frames begin anew with each run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from loganalyzer.sources.exports.lines import ReadOut
from loganalyzer.sources.exports.recognition import BAR

HEAD: Final = 1 << 16
_HEADER: Final = re.compile(r"Sampling \d+ frames in (\d+) windows?\b")
_RANGE: Final = re.compile(r"Sampling audio indices (\d+)-\d+")
_END: Final = re.compile(
    r"Allocated memory: memory=|Prompt executed in |got prompt|!!! Exception|Got an OOM|Traceback \(most recent"
    r"|Sampling \d+ frames in"
)
"""What a run prints behind its last bar, or what begins the next one."""


def joined(text: str) -> ReadOut | None:
    """The text with the bars of each run in it; None where bars stand where they belong, or cannot be told apart."""
    head = text[:HEAD]
    if not _HEADER.search(head) or not _has_no_bar_before_an_end(head):
        return None
    lines = text.removesuffix("\n").split("\n")
    first = next((place for place, line in enumerate(lines) if BAR in line), len(lines))
    messages, bars = lines[:first], lines[first:]
    runs = _runs(bars)
    headers = [place for place, line in enumerate(messages) if _HEADER.search(line)]
    if any(line.strip() and BAR not in line for line in bars) or len(runs) != len(headers):
        return None
    if not all(_is_of(run, messages[place]) for run, place in zip(runs, headers, strict=True)):
        return None
    whole: list[str] = []
    behind = 0
    for run, place in zip(runs, headers, strict=True):
        end = next((at for at in range(place + 1, len(messages)) if _END.search(messages[at])), len(messages))
        whole += [*messages[behind:end], *run]
        behind = end
    whole += messages[behind:]
    return ReadOut(
        "\n".join(whole) + "\n",
        "its bars stand in a block of their own, and were put into their runs; line numbers count the lines so joined",
    )


def _has_no_bar_before_an_end(head: str) -> bool:
    """Whether a prompt ends in front of the first bar, so that its bars stand elsewhere."""
    return "Prompt executed in " in head.partition(BAR)[0]


def _runs(bars: Sequence[str]) -> list[list[str]]:
    """The bars of each run: where frames begin anew, another run does."""
    runs: list[list[str]] = []
    last = -1
    for line in bars:
        ranges = [int(start) for start in _RANGE.findall(line)]
        if ranges and (not runs or ranges[0] < last):
            runs.append([])
        last = ranges[-1] if ranges else last
        if runs:
            runs[-1].append(line)
    return runs


def _is_of(run: Sequence[str], header: str) -> bool:
    """Whether a run has no more windows than its header says."""
    told = _HEADER.search(header)
    windows = {start for line in run for start in _RANGE.findall(line)}
    return told is not None and len(windows) <= int(told[1])
