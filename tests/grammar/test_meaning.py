"""Near misses are explained in a time that grows with the template and the line, not with their combinations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loganalyzer.grammar.load import shipped
from loganalyzer.grammar.meaning import Stopped, read
from loganalyzer.grammar.model import Pattern
from loganalyzer.grammar.syntax import parse_template

TEMPLATES = {
    "many optional parts": ("Alpha " + "{[x]}" * 60 + " end", "Alpha " + "x" * 80),
    "parts within parts": ("Alpha " + "{[x" * 30 + "]}" * 30 + " end", "Alpha " + "x" * 80),
    "many open texts": ("Alpha" + "".join(f" {{a{k}:text}} beta" for k in range(9)), "Alpha " + "c beta " * 7),
}


def pattern(template: str) -> Pattern:
    return replace(shipped()[0], nodes=parse_template(template, {}), ends_line=True, starts_line=False)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_near_miss_of_a_template_with_many_choices_is_explained(name: str) -> None:
    template, line = TEMPLATES[name]
    stopped = read(pattern(template), line)
    assert isinstance(stopped, Stopped)
    assert stopped.column > 1
