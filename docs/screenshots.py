"""Pictures of the report on `sample_logs/`, made with the Chromium on the machine: `python docs/screenshots.py`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHOTS = {"report.png": ("1280,1000", []), "report-dark.png": ("1280,1000", ["--blink-settings=preferredColorScheme=0"])}
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not on the PATH")
    samples = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "sample_logs").glob("*.txt"))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "loganalyzer", *samples, "--html", str(page), "-q", "--fail-on", "never"]
        subprocess.run(command, cwd=ROOT, check=True)
        for name, (size, more) in SHOTS.items():
            target = ROOT / "docs" / name
            subprocess.run(
                [chromium, *OPTIONS, *more, f"--user-data-dir={folder}/profile", f"--window-size={size}",
                 f"--screenshot={target}", page.as_uri()],
                check=True,
                capture_output=True,
            )  # fmt: skip
            print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
