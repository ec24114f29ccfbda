"""Takes the README's pictures of the report on `sample_logs/`: `python docs/screenshots.py`.

Needs Chromium on the machine and `pip install '.[browser]'`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
SHOTS = {
    "report.png": ((1280, 1000), "light", ""),
    "report-run.png": ((1280, 860), "light", "details.run:has-text('mirrored')"),
    "report-dark.png": ((1280, 860), "dark", "#AUD001"),
    "report-phone.png": ((390, 844), "dark", "#all-runs"),
}
"""Size, colors, and the element at the top."""
SAMPLES = "sample_logs"
WRITTEN = "1763793000"
"""A fixed time of writing, so that pictures differ only if the report does."""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not on the PATH")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "loganalyzer", SAMPLES, "--html", str(page), "-q", "--fail-on", "never"]
        subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": WRITTEN})
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        for name in SHOTS:
            take(browser, page, name)
        browser.close()


def take(browser: Browser, report: Path, name: str) -> None:
    (width, height), scheme, top = SHOTS[name]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(report.as_uri())
    if top:
        page.locator(top).first.evaluate("element => { element.open = true; element.scrollIntoView(); }")
    target = ROOT / "docs" / name
    page.screenshot(path=target)
    print(target.relative_to(ROOT))
    context.close()


if __name__ == "__main__":
    main()
