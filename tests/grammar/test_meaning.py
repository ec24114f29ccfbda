"""Near misses are explained in a time that grows with the template and the line, not with their combinations."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from loganalyzer.grammar.load import load_shipped
from loganalyzer.grammar.meaning import Stopped, parse_line
from loganalyzer.grammar.model import Pattern
from loganalyzer.grammar.syntax import parse_template

TEMPLATES = {
    "many optional parts": ("Alpha " + "{[x]}" * 60 + " end", "Alpha " + "x" * 80),
    "parts within parts": ("Alpha " + "{[x" * 30 + "]}" * 30 + " end", "Alpha " + "x" * 80),
    "many open texts": ("Alpha" + "".join(f" {{a{k}:text}} beta" for k in range(9)), "Alpha " + "c beta " * 7),
}


def pattern(template: str) -> Pattern:
    return replace(load_shipped()[0], nodes=parse_template(template, {}), ends_line=True, starts_line=False)


def test_the_drawing_library_does_not_bound_what_is_remembered_of_a_line() -> None:
    """It sets a bound of its own where it is imported first, as by a report."""
    modules = "matplotlib.mathtext, loganalyzer.grammar.meaning, pyparsing"
    code = f"import {modules}; print(pyparsing.ParserElement.packrat_cache)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "_UnboundedCache" in printed


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_near_miss_of_a_template_with_many_choices_is_explained(name: str) -> None:
    template, line = TEMPLATES[name]
    stopped = parse_line(pattern(template), line)
    assert isinstance(stopped, Stopped)
    assert stopped.column > 1
