"""Rules for modules: which libraries they import, and how large they grow. `lint-imports` checks the layers."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "loganalyzer"
MODULES = sorted(PACKAGE.rglob("*.py"))

ONLY_IN = {
    "pyparsing": {"grammar"},
    "matplotlib": {"report"},
    "numpy": {"regression"},
    "jinja2": {"report"},
    "rich": {"report", "cli"},  # of the command line it draws the progress bar, which is part of no report
    "click": {"cli"},
    "tinytag": {"planner"},
    "PIL": {"workflow"},
    "av": {"workflow"},
    "fsspec": {"sources"},
    "dask": {"engine"},
    "distributed": {"engine"},
    "sqlalchemy": {"history"},
    "tomlkit": {"baselining"},
    "apprise": {"notify"},
}
LONGEST_MODULE = 320
LONGEST_EXTENSION = 1100  # one file, because ComfyUI loads a single file that imports nothing of ours
LONGEST_FUNCTION = 60
LOOPS_ALLOWED = {"report"}


def room(path: Path) -> str:
    """The package, or loose module, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The full names of all modules that a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def test_a_library_is_imported_only_where_it_belongs() -> None:
    for path in MODULES:
        for name in imports(path):
            rooms = ONLY_IN.get(name.split(".")[0])
            assert rooms is None or room(path) in rooms, f"{path}: {name} belongs to {rooms}"


def test_modules_and_functions_fit_their_frame() -> None:
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        longest = LONGEST_EXTENSION if path.name == "extension.py" else LONGEST_MODULE
        assert len(text.splitlines()) <= longest, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{path}: {node.name}"


def test_every_module_says_what_it_is_for() -> None:
    for path in MODULES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_only_the_pipeline_and_the_interface_stand_outside_of_a_package() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} <= {"__init__", "__main__", "api", "pipeline"}


def test_tables_are_worked_on_by_columns_not_by_rows() -> None:
    for path in MODULES:
        if room(path) in LOOPS_ALLOWED:
            continue
        text = path.read_text(encoding="utf-8")
        for call in ("iter_rows", "map_elements", "to_dicts"):
            assert call not in text, f"{path}: {call}"


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["rules", "--help"], ["plan", "17.084"]], ids=" ".join)
def test_the_command_answers_simple_questions_without_importing_polars(words: list[str]) -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from loganalyzer.cli.group import main\n"
        f"main({words!r}, standalone_mode=False)\n"
        "sys.exit('polars' in sys.modules or 'matplotlib' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
