"""Runs tests against modules with one deliberate mistake each, and reports the mistakes that no test notices.

`python tests/mutate.py` takes every module of `TESTS`; `python tests/mutate.py --sample 20 checks/timing.py` takes
20 mutants of one. The tree is copied to a temporary folder first, so the working copy is never changed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = "loganalyzer"
CHECKS: Final = ("tests/checks/test_thresholds.py",)
RECORDER: Final = tuple(f"tests/recorder/test_{name}.py" for name in ("recording", "graph_settings", "surroundings"))
AUDIO: Final = "thresholds or AUD or speaker or missing or shortfall or padding"
SELECTING: Final = "test_selecting or (sqlite and (selection or kept))"
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "checks/timing.py": CHECKS,
    "checks/audio.py": (*CHECKS, "tests/checks/test_rules.py", "tests/runs/test_stages.py", "-k", AUDIO),
    "checks/schedule.py": (*CHECKS, "tests/checks/test_rules.py", "-k", "thresholds or SCH or overlap or window"),
    "checks/memory.py": CHECKS,
    "checks/growth.py": CHECKS,
    "checks/embedding.py": CHECKS,
    "expectations/schedule.py": ("tests/expectations/test_schedule.py", "tests/planner/test_plan.py"),
    "expectations/embedding.py": ("tests/planner/test_embedding.py", "tests/planner/test_plan.py"),
    "expectations/baselines.py": ("tests/expectations/test_baselines.py",),
    "planner/plan.py": ("tests/planner/test_plan.py",),
    "recorder/extension.py": RECORDER,
    "recorder/install.py": ("tests/recorder/test_install.py",),
    "history/store/selecting.py": ("tests/history/test_selecting.py", "tests/history/test_store.py", "-k", SELECTING),
    "history/matching.py": ("tests/history/test_matching.py",),
    "regression/jump.py": ("tests/regression/test_jump.py", "tests/regression/test_control.py"),
    "runs/steps.py": ("tests/runs/test_steps.py",),
}  # fmt: skip
"""The tests of each module, as arguments of pytest: the fastest first, as the first failure ends a run."""

_PRELOADED: Final = "ignore::pytest.PytestAssertRewriteWarning"
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """A module with one mistake: its whole source, and what was changed where."""

    line: int
    change: str
    source: str


def mutants(text: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(text)
    found = []
    for place, node in enumerate(_nodes(tree)):
        for number, other in enumerate(_mutations(node)):
            changed = copy.deepcopy(tree)
            target = _nodes(changed)[place]
            _Replace(target, list(_mutations(target))[number]).visit(changed)
            change = f"{_short(node)}  ->  {_short(other)}"
            found.append(Mutant(getattr(node, "lineno", 0), change, ast.unparse(changed)))
    return sorted(found, key=lambda one: (one.line, one.change))


def _nodes(tree: ast.AST) -> list[ast.AST]:
    """All nodes that run: annotations do not, as every module postpones them."""
    found = []
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                found += [child, *_nodes(child)]
    return found


def _mutations(node: ast.AST) -> Iterator[ast.expr]:
    """What may stand in a node's place."""
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from map(ast.Constant, _other_numbers(node.value))
    elif isinstance(node, ast.Call):
        yield from _unfiltered(node.func)


def _compared(node: ast.Compare) -> Iterator[ast.expr]:
    for place, operator in enumerate(node.ops):
        if other := _COMPARISONS.get(type(operator)):
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def _unfiltered(function: ast.expr) -> Iterator[ast.expr]:
    if isinstance(function, ast.Attribute) and function.attr == "filter":
        yield function.value


def _other_numbers(value: object) -> tuple[float, ...]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ()
    return value + 1, (value * 2 if value not in (0, 1) else value - 1)


class _Replace(ast.NodeTransformer):
    """Puts another node in the place of one."""

    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new node, or the same one with the new one inside."""
        return self.new if node is self.old else self.generic_visit(node)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} … {text[-28:]}"


def _copied(folder: Path) -> None:
    """The tree in `folder`: code and tests as copies, everything else as links."""
    for path in ROOT.iterdir():
        if path.name in (PACKAGE, "tests"):
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.is_file():
            shutil.copy(path, folder)
        elif not path.name.startswith("."):
            (folder / path.name).symlink_to(path)


def _run_tests(folder: Path, arguments: Sequence[str]) -> None:
    """In a process of its own: exits with pytest's status."""
    import pytest

    silent = os.open(os.devnull, os.O_WRONLY)
    if "MUTATE_DEBUG" not in os.environ:
        os.dup2(silent, 1)
        os.dup2(silent, 2)
    os.chdir(folder)
    sys.path[0] = str(folder)
    os._exit(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", "-W", _PRELOADED, "--tb=short", *arguments]))


def _status(folder: Path, arguments: Sequence[str], timeout_s: float) -> int | None:
    """pytest's exit status; None after a timeout."""
    child = multiprocessing.get_context("fork").Process(target=_run_tests, args=(folder, arguments))
    child.start()
    child.join(timeout_s)
    if child.is_alive():
        child.kill()
        child.join()
        return None
    return child.exitcode


def _preload() -> None:
    """Imports what every run needs, before the fork; nothing of the package, and nothing that starts a thread."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    os.environ["PYTHONPATH"] = ""
    import hypothesis  # noqa: F401
    import jinja2  # noqa: F401
    import numpy as np  # noqa: F401
    import polars as pl  # noqa: F401
    import pyparsing  # noqa: F401
    import pytest  # noqa: F401
    import rich.console  # noqa: F401
    import sqlalchemy  # noqa: F401


def _tested(module: str, folder: Path, chosen: argparse.Namespace) -> tuple[int, int]:
    """Mutants of a module, and how many of them the tests killed."""
    file = folder / PACKAGE / module
    text = file.read_text(encoding="utf-8")
    every = mutants(text)
    if chosen.line:
        every = [one for one in every if one.line in chosen.line]
    shuffled = random.Random(f"{chosen.seed} {module}").sample(every, min(chosen.sample, len(every)))
    started = time.monotonic()
    if _status(folder, TESTS[module], 900) != 0:
        raise SystemExit(f"{module}: its tests fail without a mutation")
    timeout_s = 20 + 4 * (time.monotonic() - started)
    killed = 0
    for mutant in sorted(shuffled, key=lambda one: (one.line, one.change)):
        file.write_text(mutant.source, encoding="utf-8")
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()
        status = _status(folder, TESTS[module], timeout_s)
        killed += status != 0
        if status == 0 or chosen.all:
            word = {0: "survived", None: "timeout"}.get(status, "killed")
            _say(f"  {word}: {module}:{mutant.line}: {mutant.change}")
    file.write_text(text, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()
    taken_s = time.monotonic() - started
    _say(f"{module}: {killed} of {len(shuffled)} killed ({len(every)} possible), {taken_s:.0f} s")
    return len(shuffled), killed


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Tests a sample of mutants of each module, and says how many were killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"modules below {PACKAGE}/ (default: all that have tests named)")
    parser.add_argument("--sample", type=int, default=20, help="mutants per module (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="another seed takes another sample (default: 1)")
    parser.add_argument("--line", type=int, action="append", help="only mutants of this line of the module")
    parser.add_argument("--all", action="store_true", help="list killed mutants too")
    chosen = parser.parse_args()
    for module in chosen.modules:
        if module not in TESTS:
            parser.error(f"{module}: no tests are named for it in TESTS; it knows {', '.join(TESTS)}")
    _preload()
    with tempfile.TemporaryDirectory(prefix="mutate-") as name:
        folder = Path(name)
        _copied(folder)
        results = [_tested(module, folder, chosen) for module in chosen.modules or TESTS]
    count, killed = (sum(column) for column in zip(*results, strict=True))
    _say(f"all: {killed} of {count} killed ({100 * killed / max(count, 1):.0f} %)")


if __name__ == "__main__":
    main()
