"""The report as people meet it: in a real browser, light and dark, on a phone, on paper, without JavaScript.

Not collected by a plain `pytest`, since it needs Chromium on the machine: `pytest tests/browser`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import attacks
import axe_playwright_python
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, sync_playwright

from loganalyzer.cli.group import main
from loganalyzer.pipeline import analyze
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

ROOT = Path(__file__).parent.parent.parent
OPTIONS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


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
    path.write_text(attacks.page_of(analyze([str(ROOT / "sample_logs")], settings), settings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "hostile.html"
    path.write_text(attacks.page_of(attacks.from_logs()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report made from a document of a stranger."""
    path = tmp_path_factory.mktemp("report") / "forged.html"
    found = attacks.from_documents(str(ROOT / "sample_logs" / "padded_Q6_K.txt"))
    path.write_text(attacks.page_of(found), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "empty.html"
    path.write_text(attacks.page_of(Analysis()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of `compare`, over a hostile name."""
    folder = tmp_path_factory.mktemp("comparison")
    base, head = folder / "base.log", folder / f"{attacks.ATTACKS['image']}.log"
    base.write_bytes(attacks.log_of("usual"))
    head.write_bytes(attacks.log_of(attacks.ATTACKS["vector"]))
    CliRunner().invoke(main, ["compare", str(base), str(head), "--html", str(folder / "x.html"), "-q"])
    return folder / "x.html"


@pytest.fixture(scope="module")
def trends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of `history trend`, over a hostile name of a card."""
    folder = tmp_path_factory.mktemp("trends")
    logs = folder / "logs"
    logs.mkdir()
    for night in range(8):
        data = attacks.log_of(attacks.ATTACKS["image"]).replace(b"5.0", f"{5 + night / 10}".encode())
        (logs / f"{night}.log").write_bytes(data)
        os.utime(logs / f"{night}.log", (night * 86400 + 1.7e9,) * 2)
    where = f"sqlite:///{folder / 'runs.db'}"
    CliRunner().invoke(main, ["history", "add", str(logs), "--history", where, "-q"])
    CliRunner().invoke(main, ["history", "trend", "--html", str(folder / "x.html"), "--history", where])
    return folder / "x.html"


class Watched:
    """A page, with everything it said and asked for."""

    def __init__(self, browser: Browser, path: Path, **context: object) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => { window.violations = (window.violations || 0) + 1 })"
        )
        self.page.on("dialog", lambda dialog: (self.messages.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())


PAGES = ["samples", "hostile", "forged", "empty", "comparison", "trends"]
CONTEXTS: dict[str, dict[str, object]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}},
    "without scripts": {"java_script_enabled": False},
}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("name", PAGES)
def test_the_page_asks_for_nothing_and_complains_of_nothing(
    browser: Browser, name: str, context: dict[str, object], request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)
    seen = Watched(browser, path, **context)
    assert seen.requests == [path.as_uri()]
    assert seen.messages == []


@pytest.mark.parametrize("name", ["hostile", "forged"])
def test_hostile_text_is_never_run(browser: Browser, name: str, request: pytest.FixtureRequest) -> None:
    """Also not once everything was opened, touched, filtered, sorted and copied."""
    path = request.getfixturevalue(name)
    seen = Watched(browser, path)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate("document.querySelectorAll('button').forEach(b => b.click())")
    page.locator("input[type=search]").fill("<img src=x onerror='window.pwned = 1'>")
    for anchor in page.evaluate("[...document.querySelectorAll('a')].slice(0, 40).map(a => a.getAttribute('href'))"):
        page.evaluate("hash => { location.hash = hash }", anchor)
    page.mouse.move(400, 400)
    page.keyboard.press("Tab")
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("window.violations") is None
    assert page.locator("img, iframe, object, embed, link, base, video, audio").count() == 0
    names = page.evaluate("[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())")
    assert not [name for name in names if name.startswith("on") or name == "style"]
    assert {url.partition("#")[0] for url in seen.requests} == {path.as_uri()}
    assert seen.messages == []


def test_hostile_text_is_shown_as_it_is(browser: Browser, hostile: Path) -> None:
    page = Watched(browser, hostile).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    shown = page.locator("body").inner_text()
    for name in ("script", "image", "vector", "template", "end of data", "comment", "entity", "table"):
        assert attacks.ATTACKS[name] in shown
    assert "49{%" not in shown


@pytest.mark.parametrize("width", [320, 360, 412, 768])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_on_a_small_screen(
    browser: Browser, name: str, width: int, request: pytest.FixtureRequest
) -> None:
    page = Watched(browser, request.getfixturevalue(name), viewport={"width": width, "height": 740}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CONTRASTS = """() => {
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const low = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest("svg, script, .unseen")) continue;
    const [one, other] = [parts(getComputedStyle(element).color), ground(element)].map(light).sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) low[`${element.tagName}.${element.className}`] = ratio;
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_has_the_contrast_that_aa_asks_for(browser: Browser, samples: Path, scheme: str) -> None:
    page = Watched(browser, samples, color_scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate(CONTRASTS) == {}


def test_dark_and_light_differ(browser: Browser, samples: Path) -> None:
    grounds = {
        Watched(browser, samples, color_scheme=scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert len(grounds) == 2


AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["samples", "empty", "forged", "comparison", "trends"])
def test_no_rule_of_accessibility_is_violated(
    browser: Browser, name: str, width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    """`axe-core` is put in from outside, so that the page's own policy is set aside for it."""
    context = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "bypass_csp": True}
    page = Watched(browser, request.getfixturevalue(name), **context).page
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert {rule["id"]: [node["html"] for node in rule["nodes"]][:3] for rule in found["violations"]} == {}


FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return { tag: at.tagName, outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.bottom > 0 && box.top < innerHeight, name: at.className, text: at.textContent.slice(0, 30) };
}"""


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, viewport={"width": 1280, "height": 900}, reduced_motion="reduce").page
    page.keyboard.press("Tab")
    first = page.evaluate(FOCUSED)
    assert first["text"] == "Skip to the verdict"
    reached = set()
    reachable = "[...document.querySelectorAll('a, button, input, summary, [tabindex]')]"
    count = page.evaluate(f"{reachable}.filter(e => e.checkVisibility()).length")
    for _ in range(count + 5):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at["tag"] == "BODY":
            break
        assert at["outline"], at
        assert at["seen"], at
        reached.add(at["tag"])
    assert reached >= {"A", "BUTTON", "INPUT", "SUMMARY", "DIV"}


def test_a_run_opens_and_folds_by_keyboard(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    run = page.locator("details.run:not([open])").first
    anchor = run.get_attribute("id")
    run.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(f"#{anchor}[open]").count() == 1


def test_a_table_is_sorted_by_its_heads(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    head = page.locator("table").first.locator("th").nth(8)
    column = "[...document.querySelector('table').tBodies[0].rows].map(r => parseFloat(r.cells[8].innerText))"
    head.locator("button").click()
    rising = page.evaluate(column)
    assert rising == sorted(rising)
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").press("Enter")
    assert page.evaluate(column) == rising[::-1]
    assert head.get_attribute("aria-sort") == "descending"


def test_durations_are_sorted_as_times_and_what_is_unknown_comes_last(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    page.locator("table").first.locator("th button").nth(9).click()
    column = "[...document.querySelector('table').tBodies[0].rows].map(r => r.cells[9].firstChild.textContent.trim())"
    shown = page.evaluate(column)
    assert shown[0] == "42.1 s"
    assert shown[-1] == "–"
    assert shown.index("1 min 4 s") < shown.index("2 min 7 s") < shown.index("3 min 19 s")


def test_findings_are_filtered_by_text_and_severity(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    every = page.locator(".finding").count()
    page.locator("input[type=search]").fill("AUD001")
    assert page.locator(".group:visible").count() == 1
    assert page.locator(".finding:visible").count() == 3
    page.locator("input[type=search]").fill("")
    page.locator("input[name=error]").uncheck()
    assert 0 < page.locator(".finding:visible").count() < every
    assert page.locator(".finding.error:visible").count() == 0
    page.locator("input[type=search]").fill("no such words")
    assert page.locator("[data-filter] output").inner_text() == "0 shown"


def test_all_runs_open_and_fold(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    page.get_by_role("button", name="Expand all").click()
    assert page.locator("details.run:not([open])").count() == 0
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("details.run[open]").count() == 0


def test_a_link_to_a_finding_and_to_a_folded_run_leads_there(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, viewport={"width": 1280, "height": 900}).page
    folded = page.locator("details.run:not([open])").first.get_attribute("id")
    page.goto(f"{samples.as_uri()}#{folded}")
    page.wait_for_function("id => document.getElementById(id).open", arg=folded)
    page.goto(f"{samples.as_uri()}#AUD001-2")
    page.wait_for_function(
        "() => { const { top } = document.getElementById('AUD001-2').getBoundingClientRect();"
        " return top >= 0 && top < 450; }"
    )


COPY = {"permissions": ["clipboard-read", "clipboard-write"]}


def test_the_report_a_finding_and_a_table_are_copied(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, **COPY).page
    page.locator("#copy").click()
    page.wait_for_function("() => document.getElementById('copied').textContent === 'Copied.'")
    whole = page.evaluate("navigator.clipboard.readText()")
    assert whole.startswith("**Fail: ")
    finding = page.locator("#AUD001-1")
    finding.get_by_role("button", name="Copy as Markdown").click()
    finding.get_by_text("Copied.").wait_for()
    one = page.evaluate("navigator.clipboard.readText()")
    assert one.startswith("### Audio too short (AUD001, AUD003, AUD004)\n\n41 frames (1.64 s) have no audio")
    assert "- Fix:\n  1. Trim the video to 400 frames: `ffmpeg " in one
    assert "```text\n45: Audio embedding for subject 0 not long enough: 400, need 441, padding...\n```" in one
    assert one.split("\n\n")[1].partition(" (mirrored")[0] in whole
    page.locator("details.run:has(.act) > summary").first.click()
    page.locator("details.run[open] .act button").first.click()
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text.startsWith('Timecode'))")
    table = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert table[0] == "Timecode at 25 fps\tTime\tFrame\tEvent"
    assert table[1] == "00:00:02:22\t0:02.88\t72\twindow 2 starts"


def test_what_is_copied_of_a_hostile_finding_is_escaped(browser: Browser, hostile: Path) -> None:
    page = Watched(browser, hostile, **COPY).page
    finding = page.locator(".finding").first
    finding.get_by_role("button", name="Copy as Markdown").click()
    finding.get_by_text("Copied.").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    outside = text.partition("```")[0].replace("\\<", "").replace("\\>", "")
    assert "<" not in outside


def test_without_scripts_everything_can_be_read(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, java_script_enabled=False).page
    assert page.locator("button:visible, input:visible").count() == 0
    assert page.locator(".finding").first.is_visible()
    page.locator("details.run:not([open]) > summary").first.click()
    assert page.locator("details.run svg").first.is_visible()


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


def test_on_paper_nothing_waits_for_a_click_and_ten_runs_take_a_few_pages(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".bar:visible, .act:visible, .tools:visible, .copy:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media=None)
    pages = page.pdf(format="A4").count(b"/Type /Page\n")
    assert 3 <= pages <= 14


def test_the_data_inside_is_the_document(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples).page
    verdict = page.evaluate("JSON.parse(document.getElementById('loganalyzer-document').textContent).verdict")
    assert verdict == "fail"


def test_no_table_is_wider_than_the_paper(browser: Browser, samples: Path) -> None:
    page = Watched(browser, samples, viewport={"width": 718, "height": 1000}).page  # A4 less its margins
    page.emulate_media(media="print")
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert wide == 0
