"""The page in a real browser: its own policy lets style, drawings and script through, and it fits a narrow window."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loganalyzer.analysis import Analysis

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=3000",
)  # fmt: skip
PROBE = """<script>
const loose = [...document.querySelectorAll("body *")].filter(
  it => !it.closest(".scroll, nav, .icons, .unseen") && it.getBoundingClientRect().right > innerWidth + 1);
parent.postMessage(`${innerWidth} ${document.documentElement.scrollWidth} ${loose.length}`, "*");
</script></body>"""

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


def opened(page: Path, folder: Path) -> tuple[str, str]:
    """The document after its script ran, and what the browser had to say."""
    command = [
        str(CHROMIUM),
        *QUIET,
        f"--user-data-dir={folder}",
        "--enable-logging=stderr",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, done.stderr


def test_the_policy_refuses_nothing_and_the_button_appears(
    three_runs: Analysis, rendered: Callable[..., str], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text(rendered(three_runs), encoding="utf-8")
    shown, said = opened(page, tmp_path / "profile")
    assert "Content Security Policy" not in said
    assert re.search(r'<button type="button" id="copy">', shown)


def test_hostile_text_runs_nothing(hostile: Analysis, rendered: Callable[..., str], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(rendered(hostile), encoding="utf-8")
    shown, said = opened(page, tmp_path / "profile")
    assert "Content Security Policy" not in said
    assert "<img" not in shown


@pytest.mark.parametrize("width", [320, 400, 900])
def test_the_page_never_scrolls_sideways(
    hostile: Analysis, rendered: Callable[..., str], tmp_path: Path, width: int
) -> None:
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", rendered(hostile))
    (tmp_path / "inner.html").write_text(free.replace("</body>", PROBE), encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        f"<title>none</title><script>onmessage = told => document.title = told.data</script>"
        f'<iframe width="{width}" height="800" src="inner.html"></iframe>',
        encoding="utf-8",
    )
    shown, _ = opened(outer, tmp_path / "profile")
    match = re.search(r"<title>(\d+) (\d+) (\d+)</title>", shown)
    assert match
    assert int(match[2]) <= int(match[1]) == width
    assert match[3] == "0"
