"""The house's rules: who may import whom, and how large a room may grow."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "loganalyzer"
MODULES = sorted(PACKAGE.rglob("*.py"))

LEVELS = (
    {"units", "addresses", "rows"},
    {"errors", "incomplete"},
    {"tables", "settings", "resources", "clock", "ignores", "atomic_write", "totals", "spool"},
    {
        "analysis",
        "document_rows",
        "config",
        "decoding",
        "packed",
        "grammar",
        "expectations",
        "regression",
        "repeats",
        "workers",
    },
    {"remote", "documents", "joining", "gravest", "redact", "metrics", "planner", "workflow"},
    {"sources"},
    {"exports"},
    {"pieces"},
    {"carriage_returns", "html_text"},
    {"json_lines", "terminal_codes"},
    {"wrappers"},
    {"lines"},
    {"doubled_lines"},
    {"records"},
    {"runs", "excerpts", "comparison", "baselining"},
    {"open_prompts"},
    {"parts", "history"},
    {"rebuilding", "checks", "packs", "left_out"},
    {"collecting", "lint"},
    {"tabulate", "merging"},
    {"engine", "isolation", "long_texts"},
    {"report"},
    {"pipeline"},
    {"bounded"},
    {"sides", "ticket", "watch", "notify"},
    {"cli"},
    {"__main__"},
)
"""From the ground up: a module may import lower levels, and its own folder; never sideways, never up."""

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
    "fsspec": {"remote"},
    "aiohttp": {"remote"},
    "dask": {"engine"},
    "distributed": {"engine"},
    "sqlalchemy": {"history"},
    "tomlkit": {"baselining"},
    "apprise": {"notify"},
}
LONGEST_MODULE = 320
LONGEST_FUNCTION = 60
LOOPS_ALLOWED = {"report"}


def room(path: Path) -> str:
    """The top-level module or folder that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def level(name: str) -> int:
    """The level of a room."""
    return next(number for number, rooms in enumerate(LEVELS) if name in rooms)


def imports(path: Path) -> set[str]:
    """The full names of all modules that a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def identity(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) != "__init__"], ids=identity)
def test_a_module_imports_only_lower_rooms_and_its_own(path: Path) -> None:
    own = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "loganalyzer" or len(parts) < 2 or parts[1].startswith("__"):
            continue
        if any(parts[1] in rooms for rooms in LEVELS):
            assert parts[1] == own or level(parts[1]) < level(own), f"{own} may not import {name}"


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_a_library_is_imported_only_where_it_belongs(path: Path) -> None:
    for name in imports(path):
        rooms = ONLY_IN.get(name.split(".")[0])
        assert rooms is None or room(path) in rooms, f"{name} belongs to {rooms}"


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_modules_and_functions_fit_their_frame(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


@pytest.mark.parametrize("path", MODULES, ids=identity)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [p for p in MODULES if room(p) not in LOOPS_ALLOWED], ids=identity)
def test_tables_are_worked_on_by_columns_not_by_rows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for call in ("iter_rows", "map_elements", "to_dicts"):
        assert call not in text


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
