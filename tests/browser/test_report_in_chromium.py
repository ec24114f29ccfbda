"""The report as people meet it: in a real browser, light and dark, on a phone, on paper, without JavaScript.

Not collected by a plain `pytest`, since it needs Chromium on the machine: `pytest tests/browser`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import logtext as log
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from loganalyzer import clock
from loganalyzer.pipeline import analyse, analyse_sources
from loganalyzer.report import document, html
from loganalyzer.settings import Settings
from loganalyzer.sources import from_bytes

ROOT = Path(__file__).parent.parent.parent
OPTIONS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    "\"><svg onload='window.pwned = 1'>",
    "javascript:window.pwned=1",
    "{{ 7 * 7 }}{% raw %}",
    "</script><script>window.pwned = 1</script>",
    "<!--<script>",
]


def page_of(analysis: object, settings: Settings) -> str:
    moment = clock.now()
    text = document.to_json(analysis, generated_at=moment, version="0")  # type: ignore[arg-type]
    return html.render(analysis, settings, generated_at=moment, document=text)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "these tests need Chromium on the machine"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[*OPTIONS, "--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "samples.html"
    settings = Settings()
    path.write_text(page_of(analyse([str(ROOT / "sample_logs")], settings), settings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = [
        from_bytes(
            f"{text}.log",
            (
                log.ARRIVAL
                + f"Loading LoRA: {text} rank256 with strength: {text}\n"
                + log.run(427)
                + f"!!! Exception during processing !!! {text}\n"
                + f"Sampling 250 frames in {text} windows, at\n"
                + log.EXECUTED
            ).encode(),
        )
        for text in HOSTILE
    ]
    path = tmp_path_factory.mktemp("report") / "hostile.html"
    path.write_text(page_of(analyse_sources(sources), Settings()), encoding="utf-8")
    return path


class Watched:
    """A page, with everything it said and asked for."""

    def __init__(self, browser: Browser, path: Path, **context: object) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())


CONTEXTS: dict[str, dict[str, object]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}},
    "without scripts": {"java_script_enabled": False},
}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("name", ["samples", "hostile"])
def test_the_page_asks_for_nothing_and_complains_of_nothing(
    browser: Browser, name: str, context: dict[str, object], request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)
    seen = Watched(browser, path, **context)
    assert seen.requests == [path.as_uri()]
    assert seen.messages == []


def test_hostile_text_is_shown_and_never_run(browser: Browser, hostile: Path) -> None:
    page = Watched(browser, hostile).page
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, iframe, object, embed, link").count() == 0
    shown = page.locator("body").inner_text()
    for text in HOSTILE:
        assert text in shown
    assert "49{%" not in shown


@pytest.mark.parametrize("width", [320, 360, 412, 768])
@pytest.mark.parametrize("name", ["samples", "hostile"])
def test_nothing_scrolls_sideways_on_a_small_screen(
    browser: Browser, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    page = Watched(browser, request.getfixturevalue(name), viewport={"width": width, "height": 740}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_differ_and_both_keep_their_contrast(browser: Browser, samples: Path) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = Watched(browser, samples, color_scheme=scheme).page
        ground, text = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        grounds.append(ground)
        assert contrast(ground, text) >= 7
    assert grounds[0] != grounds[1]


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_first_screen_says_the_verdict_and_what_to_do(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, viewport={"width": 1280, "height": 900}).page
    assert page.title()
    heading = page.locator("h1").first
    assert heading.bounding_box()["y"] < 300  # type: ignore[index]
    assert "What to do first" in page.locator("main").inner_text()


def test_headings_never_skip_a_level_and_every_picture_has_words(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.locator("svg[role=img]").count() > 0
    unnamed = page.evaluate(
        "[...document.querySelectorAll('svg[role=img]')].filter(s => !s.getAttribute('aria-label') && "
        "!s.getAttribute('aria-labelledby') && !s.querySelector('title')).length"
    )
    assert unnamed == 0


def test_it_prints_on_paper(browser: Browser, samples: Path) -> None:
    pdf = Watched(browser, samples).page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 20_000


def test_the_data_inside_is_the_document(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    verdict = page.evaluate("JSON.parse(document.getElementById('loganalyzer-document').textContent).verdict")
    assert verdict == "fail"
