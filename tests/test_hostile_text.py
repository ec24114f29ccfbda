"""Foreign text stays text in every output: HTML, its attributes, data and drawings, Markdown, terminal, JSON."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import attacks
import pytest

from loganalyzer.common import clock
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report import json_document
from loganalyzer.report.formats import github, junit, markdown
from loganalyzer.report.terminal import summary
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

ROOT = Path(__file__).parent.parent
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "svg", "symbol", "circle", "path", "use", "desc", "defs",
    "pattern", "text", "a", "header", "div", "span", "nav", "main", "section", "p", "h1", "h2", "h3", "h4", "dl", "dt",
    "dd", "ol", "ul", "li", "b", "table", "thead", "tbody", "tr", "th", "td", "small", "code", "figure", "figcaption",
    "article", "details", "summary", "pre", "button", "form", "label", "input", "fieldset", "legend", "output", "mark",
    "wbr", "footer", "script",
}  # fmt: skip
ACTING = re.compile(r"^on|^style$|^srcdoc$|^src$|^action$|^formaction$|^ping$|^http-equiv$")


class Parsed(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.data.append(data)


@pytest.fixture(scope="module", params=["logs", "documents"])
def hostile(request: pytest.FixtureRequest) -> Analysis:
    if request.param == "logs":
        return attacks.from_logs()
    return attacks.from_documents(str(ROOT / "sample_logs" / "padded_Q6_K.txt"))


@pytest.fixture(scope="module")
def page(hostile: Analysis) -> str:
    return attacks.page_of(hostile)


def test_no_attack_becomes_an_element(page: str) -> None:
    parsed = Parsed(page)
    assert {tag for tag, _ in parsed.elements} <= ELEMENTS
    tags = [tag for tag, _ in parsed.elements]
    assert (tags.count("script"), tags.count("style"), tags.count("meta")) == (2, 1, 6)


def test_no_attack_becomes_an_attribute(page: str) -> None:
    for tag, attrs in Parsed(page).elements:
        acting = {name for name in attrs if ACTING.match(name)}
        assert not acting or (tag == "meta" and attrs["http-equiv"] == "Content-Security-Policy")
        assert (attrs.get("href") or "#").startswith("#")


def test_no_attack_ends_the_data_or_hides_in_it(page: str) -> None:
    data = re.search(r'id="loganalyzer-document">(.*?)</script>', page, re.DOTALL)
    assert data
    assert not set("<>&\u2028\u2029\u202e") & set(data[1])
    assert json.loads(data[1])["schema_version"] == 1


def test_every_drawing_is_still_one_piece_of_xml(page: str) -> None:
    drawings = re.findall(r"<svg [^>]*role=\"img\".*?</svg>", page, re.DOTALL)
    assert drawings
    for drawing in drawings:
        assert {item.tag for item in ET.fromstring(drawing).iter()} <= {
            "svg", "title", "desc", "defs", "pattern", "path", "text",
        }  # fmt: skip


def test_no_character_steers_what_shows_it(page: str) -> None:
    assert not CONTROL.search(page)


def test_the_terminal_is_not_steered(hostile: Analysis) -> None:
    out = io.StringIO()
    summary.write(hostile, out, verbose=True)
    assert not CONTROL.search(out.getvalue())


def test_rich_markup_in_a_log_is_shown_as_it_is() -> None:
    out = io.StringIO()
    summary.write(analyze_inputs([from_bytes("[bold]x[bold].log", attacks.log_of("[link=x]y[/link]"))]), out)
    assert "[bold]x[bold].log" in out.getvalue()


def test_markdown_holds_no_markup_of_strangers(hostile: Analysis) -> None:
    shown = markdown.render_analysis(hostile, Settings())
    assert not CONTROL.search(shown)
    fence = ""
    for line in shown.splitlines():
        opened = re.match(r"(`{3,})(text)?$", line)
        if fence:
            fence = "" if line == fence else fence
            continue
        if opened:
            fence = opened[1]
            continue
        bare = re.sub(r"\\[\\`*_{}\[\]<>|#@~&!$:.]", "", line)
        assert not re.search(r"[<>`\[\]]|://|www\.|@\w", bare), line
        if line.startswith("|"):
            assert bare.count("|") == 11
    assert not fence


def test_the_document_means_what_the_log_said(hostile: Analysis) -> None:
    told = json.loads(json_document.to_json(hostile, generated_at=clock.now(), version="0"))
    assert [row["message"] for row in told["findings"]] == hostile.findings["message"].to_list()


def test_junit_is_one_document_that_says_what_the_log_said(hostile: Analysis) -> None:
    root = ET.fromstring(junit.render_junit(hostile, Settings(), "error"))
    assert {item.tag for item in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out", "system-err", "properties",
        "property",
    }  # fmt: skip
    said = " ".join(text for item in root.iter() for text in (*item.attrib.values(), item.text or ""))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", said)
    assert "<script>window.pwned = 1</script>" in said


def test_annotations_cannot_be_ended_by_a_log(hostile: Analysis) -> None:
    """A workflow command begins at a line's start: no line of a stranger may."""
    for line in github.analysis_annotations(hostile):
        assert "\n" not in line
        assert "\r" not in line
        assert line.startswith(("::error ", "::warning ", "::notice ", "::notice::"))
