"""The Markdown that goes into a ticket."""

from __future__ import annotations

from datetime import UTC, datetime

from loganalyzer.report.page.page import build_page
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

NOON = datetime(2025, 11, 22, 12, tzinfo=UTC)


def ticket(analysis: Analysis) -> str:
    return build_page(analysis, Settings(), NOON).ticket


def test_it_has_the_verdict_a_row_per_run_and_the_grave_findings_with_their_lines(three_runs: Analysis) -> None:
    text = ticket(three_runs)
    assert text.startswith("**Fail: 2 errors and 1 warning in 2 of 3 runs**\n\n| Run | Status |")
    assert "| 2025-11-21-night.log:4 | completed | infinitetalk | 427 frames |" in text
    assert "### Audio too short (AUD001), error" in text
    assert "```text\n9: Sampling audio indices" in text
    assert "\n10: Audio embedding for subject 0 not long enough: 427, need 441, padding...\n" in text
    assert "\n11: Padding length: 17\n```" in text
    assert "MEM007" not in text


def test_foreign_text_can_neither_end_a_fence_nor_start_a_heading_nor_be_markup(hostile: Analysis) -> None:
    text = ticket(hostile)
    fenced = False
    for line in text.splitlines():
        if line.startswith("````"):
            fenced = not fenced
        elif not fenced:
            assert "<img" not in line.replace("\\<img", "")
            assert "```" not in line
            assert not line.startswith("# ")
    assert not fenced
