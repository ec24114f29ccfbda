"""What a template means: its pyparsing parser, used to explain a line and to say where it stops to fit.

The parser is built from the right: each element knows all that follows it, so that optional parts,
alternatives and texts of open length settle on what lets the rest of the line fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pyparsing as pp

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import WORD, first, line_end
from loganalyzer.grammar.types import TYPES

pp.ParserElement.enable_packrat(cache_size_limit=None, force=True)  # matplotlib allows 128 entries, which are too few
# Each element tries a place of a line once. Without it, the time for optional parts and texts of open length in a row
# doubles with each of them.

_LINE_END = "the end of the line"

LONGEST_EXPLAINED = 2_000
"""Characters of a line that are explained; the rest of a longer line is left out."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The template fits: the values by column name, and where the text that fits begins and ends."""

    values: dict[str, object]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The template does not fit.

    Attributes:
        column: where (from 1) the attempt that fitted most characters stopped.
        expected: what it wanted there.
        fitted: how many characters had fitted.
    """

    column: int
    expected: str
    fitted: int = 0


def read(pattern: model.Pattern, line: str) -> Parsed | Stopped:
    """How `pattern` reads `line`: the first place where it fits, else where its best attempt stopped."""
    line = line[:LONGEST_EXPLAINED].rstrip(" \t")
    parser = _parser(pattern.nodes, pattern.ends_line)
    stopped = Stopped(1, _wanted(pattern.nodes))
    for start in _starts(pattern, line):
        try:
            tokens = parser.parse_string(line[start:])
        except pp.ParseBaseException as error:
            if error.loc > stopped.fitted:
                expected = error.msg.removeprefix("Expected ")
                stopped = Stopped(start + error.loc + 1, expected, error.loc)
        else:
            return Parsed(_values(pattern.nodes, tokens), start, start + int(tokens["end_of_match"]))
    return stopped


def _starts(pattern: model.Pattern, line: str) -> list[int]:
    if pattern.starts_line:
        return list(range(len(line) - len(line.lstrip(" \t")), -1, -1))
    begins = first(pattern.nodes)
    guarded = bool(begins & WORD)
    fixed = isinstance(pattern.nodes[0], model.Text)
    return [
        place
        for place in range(len(line) + 1)
        if (not fixed or line[place : place + 1] in begins) and not (guarded and line[place - 1 : place] in WORD)
    ]


def _values(nodes: model.Nodes, tokens: pp.ParseResults) -> dict[str, object]:
    values: dict[str, object] = {}
    for hole in model.holes(nodes):
        if hole.name is None:
            continue
        kind = TYPES[hole.type if isinstance(hole, model.Hole) else "text"]
        text = dict(tokens).get(hole.name)
        read_values = dict.fromkeys(kind.suffixes) if text is None else kind.read(text)
        for suffix, value in read_values.items():
            if values.get(hole.name + suffix) is None:
                values[hole.name + suffix] = value
    return values


@lru_cache(maxsize=1024)
def _parser(nodes: model.Nodes, ends_line: bool) -> pp.ParserElement:
    end = _element(pp.Empty().set_parse_action(lambda _, loc, __: [loc]))("end_of_match")
    if ends_line:
        end = end + _element(pp.Regex(line_end(nodes)).set_name(_LINE_END)).suppress()
    return _sequence(nodes, end, _LINE_END).parse_with_tabs()


def _element(element: pp.ParserElement) -> pp.ParserElement:
    return element.leave_whitespace(recursive=False)


def _sequence(nodes: model.Nodes, rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    """`nodes`, then `rest`; `wanted` names what `rest` begins with, for messages."""
    for index in range(len(nodes) - 1, -1, -1):
        rest = _before(nodes[index], rest, wanted)
        wanted = _wanted(nodes[index:])
    return rest


def _before(node: model.Node, rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    match node:
        case model.Text(text):
            return _then(_element(pp.Literal(text).set_name(repr(text))), rest, node)
        case model.Skip():
            return _then(_up_to(rest, wanted), rest, node)
        case model.Optional(body):
            return _any_of([_sequence(body, rest, wanted), rest], f"{_wanted(body)} or {wanted}")
        case model.Alternatives(parts):
            names = " or ".join(_wanted(part) for part in parts)
            return _any_of([_sequence(part, rest, wanted) for part in parts], names)
        case model.Choice(name, options):
            words = [_then(_named(pp.Literal(option).set_name(repr(option)), name), rest, node) for option in options]
            return _any_of(words, _wanted((node,)))
        case model.Hole():
            return _hole(node, rest, wanted)


def _hole(hole: model.Hole, rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    kind = TYPES[hole.type]
    if not kind.lazy:
        value = _element(pp.Regex(kind.regex).set_name(_wanted((hole,))))
        return _then(_named(value, hole.name), rest, hole)
    head = _element(pp.Regex(kind.head).set_name(_wanted((hole,))))
    value = pp.Combine(head + _up_to(rest, wanted), adjacent=True)
    return _then(_named(_element(value), hole.name), rest, hole)


def _then(element: pp.ParserElement, rest: pp.ParserElement, node: model.Node) -> pp.ParserElement:
    """An element and what follows. It is named: pyparsing would name it by all that may follow, in each combination."""
    return _element((element + rest).set_name(_wanted((node,))))


def _any_of(choices: list[pp.ParserElement], wanted: str) -> pp.ParserElement:
    return _element(pp.MatchFirst(choices).set_name(wanted))


def _up_to(rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    return _element(pp.SkipTo(rest)).set_name(wanted)


def _named(element: pp.ParserElement, name: str | None) -> pp.ParserElement:
    return _element(element)(name) if name else _element(element)


def _wanted(nodes: model.Nodes) -> str:
    """What the first of `nodes` looks like, for people."""
    for node in nodes:
        match node:
            case model.Text(text):
                return repr(text)
            case model.Choice(_, options):
                return " or ".join(map(repr, options))
            case model.Hole(name, kind):
                return f"{{{name}: {kind}}}" if name else f"{{{kind}}}"
            case _:
                continue
    return _LINE_END
