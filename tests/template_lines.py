"""Strategies for templates and for lines that fit them, or almost do."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import model
from loganalyzer.grammar.lower import check_template

WORDS = st.text(string.ascii_letters, min_size=1, max_size=6)
FIXED = st.text(" abcXYZ:,()[]{}|.\\%=/-", min_size=1, max_size=8)
FREE = st.text(string.printable.replace("\n", "").replace("\r", "") + "é漢█", min_size=1, max_size=12)
FIGURES = st.one_of(st.integers(0, 10**6).map(str), st.floats(0, 1e6).map(lambda value: f"{value:.2f}"))

VALUES: dict[str, st.SearchStrategy[str]] = {
    "int": st.integers(-(10**9), 10**9).map(str),
    "float": st.one_of(FIGURES, st.sampled_from(["1e-05", "2.5E+3", "inf", "nan", "-7.25"])),
    "number": st.integers(0, 10**9).map(lambda value: f"{value:,}"),
    "word": st.text(string.ascii_letters + "-/.:%", min_size=1, max_size=8),
    "name": WORDS,
    "text": FREE,
    "path": FREE.filter(lambda text: text[0] not in " \t"),
    "blanks": st.text(" ", max_size=3),
    "cells": st.text("█▎#? ", max_size=10),
    "clock": st.one_of(
        st.just("?"), st.builds("{:02}:{:02}".format, st.integers(0, 59), st.integers(0, 59)), st.just("1:02:03")
    ),
    "hours": st.builds("{:02}:{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
    "size": st.builds("{} {}".format, FIGURES, st.sampled_from(["GB", "MB", "MiB", "bytes", "B"])),
    "rate": st.one_of(
        st.just("?it/s"), st.builds("{}{}".format, FIGURES, st.sampled_from(["s/it", "it/s", "s", "it/"]))
    ),
    "timestamp": st.sampled_from(
        ["2025-11-11T10:00:00.123456789Z", "2025-11-10 12:34:56,789", "2024-10-16 14:41", "2025-01-01T00:00:00+02:00"]
    ),
}
NAMES = st.sampled_from(["one", "two", "three", None])


def _field(name: str | None, kind: str) -> model.Field:
    return model.Field(name and f"{name}_{kind}", kind)


LEAVES: st.SearchStrategy[model.Node] = st.one_of(
    FIXED.map(model.Text),
    st.builds(_field, NAMES, st.sampled_from(sorted(VALUES))),
    st.builds(model.Choice, st.sampled_from([None, "choice"]), st.lists(WORDS, min_size=2, max_size=3).map(tuple)),
    st.just(model.Skip()),
)
NODES: st.SearchStrategy[model.Node] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda nodes: model.Optional(tuple(nodes))),
        st.lists(st.lists(inner, min_size=1, max_size=2).map(tuple), min_size=2, max_size=3).map(
            lambda options: model.Alternatives(tuple(options))
        ),
    ),
    max_leaves=5,
)


def acceptable(nodes: model.Nodes, *, ends_line: bool) -> bool:
    """Whether the loader would take the template."""
    try:
        check_template(nodes, ends_line=ends_line)
    except GrammarError:
        return False
    return True


def fitting(nodes: model.Nodes) -> st.SearchStrategy[str]:
    """Lines that the template is meant to fit (a later part may still read them otherwise)."""
    return st.tuples(*map(_text, nodes)).map("".join)


def _text(node: model.Node) -> st.SearchStrategy[str]:
    match node:
        case model.Text(text):
            return st.just(text)
        case model.Field(_, kind):
            return VALUES[kind]
        case model.Choice(_, options):
            return st.sampled_from(options)
        case model.Skip():
            return st.one_of(st.just(""), FREE)
        case model.Optional(body):
            return st.one_of(st.just(""), fitting(body))
        case model.Alternatives(options):
            return st.one_of(*map(fitting, options))


@st.composite
def mutated(draw: st.DrawFn, line: str) -> str:
    """The line with a few characters cut, doubled or replaced, or with text around it."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(len(line), start + 4)))
        line = line[:start] + draw(st.sampled_from(["", line[start:end] * 2, "x", " ", "9", "|", "-"])) + line[end:]
    return draw(st.sampled_from(["", "x", "[INFO] ", "9"])) + line + draw(st.sampled_from(["", "  ", " tail", "7"]))
