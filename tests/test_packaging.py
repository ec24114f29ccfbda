"""What a stranger installs is what the checkout holds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAPPED = {
    "loganalyzer/": ("loganalyzer/", {".py", ".typed"}),
    "patterns/": ("loganalyzer/_data/patterns/", {".toml", ".md"}),
    "reports/templates/": ("loganalyzer/_data/templates/", {".j2", ".css", ".js"}),
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_checkouts_files_and_no_others(wheel: Path) -> None:
    expected = {
        target + str(path.relative_to(ROOT / origin)).replace("\\", "/")
        for origin, (target, suffixes) in MAPPED.items()
        for path in (ROOT / origin).rglob("*")
        if path.is_file() and path.suffix in suffixes
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_tool_runs_from_the_wheel_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    sample = tmp_path / "clean_Q6_K.txt"
    sample.write_bytes((ROOT / "sample_logs" / "clean_Q6_K.txt").read_bytes())
    code = "import sys; sys.path.insert(0, 'site'); from loganalyzer.cli.group import main; main()"
    result = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import os; os.chdir({str(tmp_path)!r}); {code}",
            sample.name,
            "--html",
            "r.html",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert "PASS" in result.stdout
    assert (tmp_path / "r.html").stat().st_size > 10_000
