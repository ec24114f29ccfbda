"""The Python interface: what it accepts, what a report shows of itself, what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import logtext as log
import pytest
from attacks import ATTACKS

import loganalyzer
from loganalyzer.common.errors import ConfigurationError


@pytest.fixture
def padded(tmp_path: Path) -> Path:
    path = tmp_path / "padded.log"
    path.write_text(log.BANNER + log.prompt(427), encoding="utf-8")
    return path


def test_public_names_are_listed() -> None:
    assert {"analyze", "analyse", "Analysis", "Report", "Settings", "__version__"} <= set(dir(loganalyzer))
    assert loganalyzer.analyse is loganalyzer.analyze
    with pytest.raises(AttributeError, match="no attribute 'analize'"):
        _ = loganalyzer.analize


def test_a_single_path_several_paths_and_texts_are_accepted(padded: Path) -> None:
    for given in (padded, str(padded), [padded], [str(padded)], (name for name in [padded])):
        assert loganalyzer.analyze(given).runs.height == 1


def test_the_report_shows_itself_in_five_lines(padded: Path) -> None:
    lines = repr(loganalyzer.analyze(padded)).splitlines()
    assert len(lines) == 5
    assert "fail" in lines[0]
    assert "1 run in 1 file" in lines[1]
    assert "audio too short (1 run)" in lines[2]
    assert "findings" in lines[3]


def test_a_report_without_a_run_shows_itself_too(tmp_path: Path) -> None:
    found = loganalyzer.analyze(tmp_path / "none.log")
    assert len(repr(found).splitlines()) == 5
    assert "1 problem" in repr(found)
    assert "NO-RUNS" in found._repr_html_()


def test_a_notebook_shows_the_verdict_and_the_run_table(padded: Path) -> None:
    shown = loganalyzer.analyze(padded)._repr_html_()
    assert "FAIL" in shown
    assert shown.count("<tr>") == 2
    assert "<td>padded.log</td>" in shown


@pytest.mark.parametrize("text", [text for text in ATTACKS.values() if isinstance(text, str)])
def test_texts_of_strangers_are_escaped_in_a_notebook(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(log.BANNER + log.prompt(427).replace("infinitetalk", text), encoding="utf-8", errors="replace")
    shown = loganalyzer.analyze(path)._repr_html_()
    assert not re.search(r"<(?!/?(?:p|b|table|thead|tbody|tr|th|td)\b)", shown)
    assert "<script" not in shown


def test_the_report_is_written_as_html_and_as_markdown(padded: Path, tmp_path: Path) -> None:
    found = loganalyzer.analyze(padded)
    page = found.to_html(tmp_path / "page.html")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "AUD001" in found.to_markdown()
    assert found.summary().splitlines()[-2].startswith("FAIL")
    assert len(found.summary(verbose=True)) > len(found.summary())


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"window_frames": "81"}, "window_frames is '81'"),
        ({"window_frames": True}, "window_frames is True"),
        ({"fps": "25"}, "fps is '25'"),
        ({"select": "AUD001"}, "select is 'AUD001'"),
        ({"ignore": ("AUD001", 3)}, "ignore is"),
        ({"quantization": 6}, "quantization is 6"),
        ({"workflow": "talk.json"}, "workflow is 'talk.json'"),
        ({"strict": 1}, "strict is 1"),
        ({"severities": [("AUD001", "info")]}, "severities is"),
        ({"price_per_hour": "0.94"}, "price_per_hour is '0.94'"),
    ],
)
def test_settings_refuse_a_wrong_type(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        loganalyzer.Settings(**values)


def test_settings_take_whole_numbers_for_rates() -> None:
    assert loganalyzer.Settings(fps=24, price_per_hour=1).fps == 24
