"""Merges a block of messages with a separate block of progress bars, as when two files were concatenated.

A header states the number of windows of a run, and a bar states the frames it samples: frames restart with each run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from loganalyzer.sources.exports.lines import ExtractedLog
from loganalyzer.sources.exports.recognition import BAR

HEAD: Final = 1 << 16
_HEADER: Final = re.compile(r"Sampling \d+ frames in (\d+) windows?\b")
_RANGE: Final = re.compile(r"Sampling audio indices (\d+)-\d+")
_END: Final = re.compile(
    r"Allocated memory: memory=|Prompt executed in |got prompt|!!! Exception|Got an OOM|Traceback \(most recent"
    r"|Sampling \d+ frames in"
)
"""Messages that a run prints after its last bar, or that start the next run."""


def move_bars_into_runs(text: str) -> ExtractedLog | None:
    """The text with each run's bars moved into the run; None if bars are in place, or cannot be assigned."""
    head = text[:HEAD]
    if not _HEADER.search(head) or not _has_no_bar_before_an_end(head):
        return None
    lines = text.removesuffix("\n").split("\n")
    first = next((index for index, line in enumerate(lines) if BAR in line), len(lines))
    messages, bars = lines[:first], lines[first:]
    runs = _split_runs(bars)
    headers = [index for index, line in enumerate(messages) if _HEADER.search(line)]
    if any(line.strip() and BAR not in line for line in bars) or len(runs) != len(headers):
        return None
    if not all(_fits_header(run, messages[index]) for run, index in zip(runs, headers, strict=True)):
        return None
    joined: list[str] = []
    start = 0
    for run, index in zip(runs, headers, strict=True):
        end = next((at for at in range(index + 1, len(messages)) if _END.search(messages[at])), len(messages))
        joined += [*messages[start:end], *run]
        start = end
    joined += messages[start:]
    return ExtractedLog(
        "\n".join(joined) + "\n",
        "its bars were in a separate block and were moved into their runs; line numbers refer to the joined text",
    )


def _has_no_bar_before_an_end(head: str) -> bool:
    """Whether a prompt ends before the first bar, so that its bars must be elsewhere."""
    return "Prompt executed in " in head.partition(BAR)[0]


def _split_runs(bars: Sequence[str]) -> list[list[str]]:
    """The bars of each run: a run starts where the frames restart."""
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


def _fits_header(run: Sequence[str], header: str) -> bool:
    """Whether a run has at most as many windows as its header states."""
    header_match = _HEADER.search(header)
    windows = {start for line in run for start in _RANGE.findall(line)}
    return header_match is not None and len(windows) <= int(header_match[1])
