"""The page as a file: safe, self-contained, the same every time, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from jinja2 import UndefinedError

from loganalyzer.common.resources import data_folder
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report.page import html
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

Rendered = Callable[..., str]


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text outside script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._raw = tag if tag in {"script", "style"} else self._raw

    def handle_endtag(self, tag: str) -> None:
        self._raw = "" if tag == self._raw else self._raw

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data

    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.found if attrs.get("id")]  # type: ignore[misc]


def document(page: str) -> str:
    match = re.search(r'<script type="application/json" id="loganalyzer-document">(.*?)</script>', page, re.DOTALL)
    assert match
    return match[1]


def between(page: str, tag: str) -> str:
    match = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert match
    return match[1]


def test_hostile_text_becomes_text_and_never_an_element(hostile: Analysis, rendered: Rendered) -> None:
    elements = Elements(rendered(hostile))
    tags = Counter(tag for tag, _ in elements.found)
    assert tags["img"] == 0
    assert tags["style"] == 1
    assert tags["script"] == 2
    assert "<img src=x onerror=alert(1)>" in elements.text


def test_hostile_text_reaches_no_attribute_that_acts(hostile: Analysis, rendered: Rendered) -> None:
    names = {name for _, attrs in Elements(rendered(hostile)).found for name in attrs}
    assert not {name for name in names if name.startswith("on")}
    assert "style" not in names


def test_template_marks_in_a_log_are_not_evaluated(hostile: Analysis, rendered: Rendered) -> None:
    page = rendered(hostile)
    assert "{{ 7*7 }}" in page
    assert ">49" not in page


def test_control_and_direction_characters_are_shown_not_obeyed(hostile: Analysis, rendered: Rendered) -> None:
    page = rendered(hostile)
    assert not set("\x1b\u202e\udcff") & set(page)
    assert "\\x1b[31m" in page
    assert "\\udcff" in page


def test_the_embedded_document_is_the_one_given(three_runs: Analysis, rendered: Rendered) -> None:
    embedded = json.loads(document(rendered(three_runs)))
    assert embedded["verdict"] == "fail"
    assert [run["audio_frames"] for run in embedded["runs"]] == [427, 297, 369]


def test_a_hostile_document_cannot_end_its_element_and_means_the_same(hostile: Analysis, rendered: Rendered) -> None:
    text = document(rendered(hostile))
    assert not set("<>&\u2028\u2029") & set(text)
    assert "<img src=x onerror=alert(1)>" in json.loads(text)["findings"][0]["message"]


def test_embedding_keeps_every_character() -> None:
    told = {"text": "</script><!-- & \u2028\u2029 é 漢 \\u003c"}
    assert json.loads(html.escape_json(json.dumps(told, ensure_ascii=False))) == told


def test_the_same_input_gives_the_same_bytes(three_runs: Analysis, rendered: Rendered) -> None:
    assert rendered(three_runs) == rendered(three_runs)


def test_only_the_clock_given_is_told(aligned_run: Analysis, rendered: Rendered) -> None:
    page = rendered(aligned_run, moment=datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert "2001-02-03 04:05:06 UTC" in page
    assert str(datetime.now(UTC).year) not in re.sub(r"202[56]-\d\d", "", Elements(page).text)


def test_nothing_is_asked_of_the_network(three_runs: Analysis, rendered: Rendered) -> None:
    leading = {"href", "src", "srcset", "action", "data", "poster", "xlink:href"}
    elements = Elements(rendered(three_runs))
    targets = [value or "" for _, attrs in elements.found for name, value in attrs.items() if name in leading]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"url\((?!#)|@import", rendered(three_runs))


def test_the_policy_allows_this_style_and_this_script_only(three_runs: Analysis, rendered: Rendered) -> None:
    page = rendered(three_runs)
    policy = next(a["content"] for t, a in Elements(page).found if a.get("http-equiv") == "Content-Security-Policy")
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(between(page, tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in (policy or "")
    assert (policy or "").startswith("default-src 'none'; ")
    assert "unsafe" not in (policy or "")


def test_ids_are_unique_and_every_link_has_a_target(many_runs: Callable[[int], Analysis], rendered: Rendered) -> None:
    page = rendered(many_runs(130))
    elements = Elements(page)
    assert [name for name, count in Counter(elements.ids()).items() if count > 1] == []
    links = {(attrs.get("href") or "#")[1:] for tag, attrs in elements.found if tag in {"a", "use"}}
    links |= set(re.findall(r"url\(#([^)]+)\)", page))
    labels = {name for _, attrs in elements.found for name in (attrs.get("aria-labelledby") or "").split()}
    assert (links | labels) - set(elements.ids()) == set()


def test_a_page_has_landmarks_one_first_heading_and_no_skipped_level(three_runs: Analysis, rendered: Rendered) -> None:
    tags = [tag for tag, _ in Elements(rendered(three_runs)).found]
    assert {"header", "nav", "main", "footer"} <= set(tags)
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_an_empty_page_stays_far_below_150_kb(rendered: Rendered) -> None:
    page = rendered(Analysis())
    assert len(page.encode()) < 40_000
    assert "No runs found" in page


def test_twenty_runs_stay_below_500_kb(many_runs: Callable[[int], Analysis], rendered: Rendered) -> None:
    assert len(rendered(many_runs(20)).encode()) < 470_000


def test_twenty_runs_of_one_server_stay_below_500_kb(rendered: Rendered) -> None:
    for lengths in ((369, 427, 297, 369) * 5, (427,) * 20):
        text = log.BANNER + "".join(log.prompt(frames) for frames in lengths)
        assert len(rendered(analyze_inputs([from_bytes("x.log", text.encode())])).encode()) < 500_000


def test_five_hundred_runs_stay_below_5_mb(many_runs: Callable[[int], Analysis]) -> None:
    moment = datetime(2025, 11, 22, 6, 30, tzinfo=UTC)
    assert len(html.render_analysis(many_runs(500), Settings(), generated_at=moment).encode()) < 5_000_000


def test_a_log_that_tells_nothing_still_makes_a_page(three_runs: Analysis, rendered: Rendered) -> None:
    keys = {"run_id", "prompt_id"}
    untold = {}
    for name, table in three_runs.tables():
        emptied = [pl.lit(None, dtype).alias(column) for column, dtype in table.schema.items() if column not in keys]
        untold[name] = table.with_columns(emptied)
    page = rendered(replace(three_runs, **untold))
    assert ">None" not in page
    assert "nan" not in Elements(page).text


def test_a_name_that_the_page_does_not_have_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        html._environment().from_string("{{ page.nothing }}").render(page=object())


def test_only_our_own_texts_pass_unescaped() -> None:
    templates = Path(str(data_folder("templates"))).rglob("*.j2")
    passed = {match for path in templates for match in re.findall(r"\{\{ (\S+) \| safe", path.read_text("utf-8"))}
    assert passed == {"style", "script", "document", "it.svg"}
