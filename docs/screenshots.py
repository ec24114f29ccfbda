"""Takes the pictures of the report in README.md and docs/recorder.md: `python docs/screenshots.py`.

Needs Chromium on the machine and `pip install '.[browser]'`.
"""

from __future__ import annotations

import os
import re
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
SAMPLES = "sample_logs"
RECORDED = "sample_logs/recorder.txt"
PLAIN = "render.txt"
"""The log of `RECORDED` without the recorder's lines."""
SHOTS = {
    "report.png": (SAMPLES, (1280, 1000), "light", ""),
    "report-run.png": (SAMPLES, (1280, 860), "light", "details.run:has-text('mirrored')"),
    "report-dark.png": (SAMPLES, (1280, 860), "dark", "#AUD001"),
    "report-phone.png": (SAMPLES, (390, 844), "dark", "#all-runs"),
    "recorder-before.png": (PLAIN, (1280, 640), "light", ""),
    "recorder-after.png": (RECORDED, (1280, 640), "light", ""),
}
"""The log, size, colors, and the element at the top."""
WRITTEN = "1763793000"
"""A fixed time of writing, so that pictures differ only if the report does."""


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not on the PATH")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        plain = Path(folder) / PLAIN
        plain.write_text(without_recorder((ROOT / RECORDED).read_bytes().decode()), encoding="utf-8", newline="")
        reports = {log: report(log, Path(folder)) for log in (SAMPLES, RECORDED, PLAIN)}
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        for name, (log, *_) in SHOTS.items():
            take(browser, reports[log], name)
        browser.close()


def without_recorder(text: str) -> str:
    """The log without the recorder's lines; what stands before one in its line stays."""
    return re.sub(r"\[loganalyzer\] [^\n]*\n", "", text)


def report(log: str, folder: Path) -> Path:
    """The page of a log of the repository, or of one in `folder`."""
    page = folder / f"{Path(log).stem}.html"
    source = folder / log if (folder / log).exists() else ROOT / log
    command = [sys.executable, "-m", "loganalyzer", str(source), "--html", str(page), "-q", "--fail-on", "never"]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"SOURCE_DATE_EPOCH": WRITTEN})
    return page


def take(browser: Browser, report: Path, name: str) -> None:
    _log, (width, height), scheme, top = SHOTS[name]
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
