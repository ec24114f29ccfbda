"""Parses lines with a template's exact parser (pyparsing), to explain a line and to say where it stops matching.

The parser is built from the right: each element contains everything that follows it, so that optional parts,
alternatives and texts of open length choose what lets the rest of the line match.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pyparsing as pp

from loganalyzer.grammar import model
from loganalyzer.grammar.lower import WORD, first_characters, line_end
from loganalyzer.grammar.types import TYPES

pp.ParserElement.enable_packrat(cache_size_limit=None, force=True)  # matplotlib sets 128 entries, which is too few
# With the cache, each element tries each position of a line once. Without it, the time for consecutive optional parts
# and texts of open length doubles with each of them.

_LINE_END = "the end of the line"

MAX_LINE_LENGTH = 2_000
"""Maximum characters of a line that are explained."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The template matches: the values by column name, and where the matching text starts and ends."""

    values: dict[str, object]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The template does not match.

    Attributes:
        column: position (from 1) at which the attempt that matched most characters stopped.
        expected: what it expected there.
        fitted: number of characters that matched.
    """

    column: int
    expected: str
    fitted: int = 0


def parse_line(pattern: model.Pattern, line: str) -> Parsed | Stopped:
    """Parses `line` with `pattern`: returns the first match, else where the best attempt stopped."""
    line = line[:MAX_LINE_LENGTH].rstrip(" \t")
    parser = _build_parser(pattern.nodes, pattern.ends_line)
    stopped = Stopped(1, _describe(pattern.nodes))
    for start in _start_positions(pattern, line):
        try:
            tokens = parser.parse_string(line[start:])
        except pp.ParseBaseException as error:
            if error.loc > stopped.fitted:
                expected = error.msg.removeprefix("Expected ")
                stopped = Stopped(start + error.loc + 1, expected, error.loc)
        else:
            return Parsed(_extract_values(pattern.nodes, tokens), start, start + int(tokens["end_of_match"]))
    return stopped


def _start_positions(pattern: model.Pattern, line: str) -> list[int]:
    if pattern.starts_line:
        return list(range(len(line) - len(line.lstrip(" \t")), -1, -1))
    starts = first_characters(pattern.nodes)
    guarded = bool(starts & WORD)
    fixed = isinstance(pattern.nodes[0], model.Text)
    return [
        place
        for place in range(len(line) + 1)
        if (not fixed or line[place : place + 1] in starts) and not (guarded and line[place - 1 : place] in WORD)
    ]


def _extract_values(nodes: model.Nodes, tokens: pp.ParseResults) -> dict[str, object]:
    values: dict[str, object] = {}
    for field in model.find_fields(nodes):
        if field.name is None:
            continue
        kind = TYPES[field.type if isinstance(field, model.Field) else "text"]
        text = dict(tokens).get(field.name)
        read_values = dict.fromkeys(kind.suffixes) if text is None else kind.read(text)
        for suffix, value in read_values.items():
            if values.get(field.name + suffix) is None:
                values[field.name + suffix] = value
    return values


@lru_cache(maxsize=1024)
def _build_parser(nodes: model.Nodes, ends_line: bool) -> pp.ParserElement:
    end = _keep_blanks(pp.Empty().set_parse_action(lambda _, loc, __: [loc]))("end_of_match")
    if ends_line:
        end = end + _keep_blanks(pp.Regex(line_end(nodes)).set_name(_LINE_END)).suppress()
    return _parser_of_nodes(nodes, end, _LINE_END).parse_with_tabs()


def _keep_blanks(element: pp.ParserElement) -> pp.ParserElement:
    return element.leave_whitespace(recursive=False)


def _parser_of_nodes(nodes: model.Nodes, rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    """Matches `nodes`, then `rest`; `wanted` names the start of `rest` in messages."""
    for index in range(len(nodes) - 1, -1, -1):
        rest = _parser_of_node(nodes[index], rest, wanted)
        wanted = _describe(nodes[index:])
    return rest


def _parser_of_node(node: model.Node, rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    match node:
        case model.Text(text):
            return _followed_by(_keep_blanks(pp.Literal(text).set_name(repr(text))), rest, node)
        case model.Skip():
            return _followed_by(_up_to(rest, wanted), rest, node)
        case model.Optional(body):
            return _any_of([_parser_of_nodes(body, rest, wanted), rest], f"{_describe(body)} or {wanted}")
        case model.Alternatives(parts):
            names = " or ".join(_describe(part) for part in parts)
            return _any_of([_parser_of_nodes(part, rest, wanted) for part in parts], names)
        case model.Choice(name, options):
            words = [
                _followed_by(_with_name(pp.Literal(option).set_name(repr(option)), name), rest, node)
                for option in options
            ]
            return _any_of(words, _describe((node,)))
        case model.Field():
            return _parser_of_field(node, rest, wanted)


def _parser_of_field(field: model.Field, rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    kind = TYPES[field.type]
    if not kind.is_lazy:
        value = _keep_blanks(pp.Regex(kind.regex).set_name(_describe((field,))))
        return _followed_by(_with_name(value, field.name), rest, field)
    head = _keep_blanks(pp.Regex(kind.head).set_name(_describe((field,))))
    # Not `Combine`: it copies `rest` as a whole, so the parser's size would double with each such field.
    value = pp.TokenConverter(_keep_blanks(head + _up_to(rest, wanted))).add_parse_action("".join)
    return _followed_by(_with_name(_keep_blanks(value), field.name), rest, field)


def _followed_by(element: pp.ParserElement, rest: pp.ParserElement, node: model.Node) -> pp.ParserElement:
    """An element and what follows. Its name replaces pyparsing's, which would list all that may follow."""
    return _keep_blanks((element + rest).set_name(_describe((node,))))


def _any_of(choices: list[pp.ParserElement], wanted: str) -> pp.ParserElement:
    return _keep_blanks(pp.MatchFirst(choices).set_name(wanted))


def _up_to(rest: pp.ParserElement, wanted: str) -> pp.ParserElement:
    return _keep_blanks(pp.SkipTo(rest)).set_name(wanted)


def _with_name(element: pp.ParserElement, name: str | None) -> pp.ParserElement:
    return _keep_blanks(element)(name) if name else _keep_blanks(element)


def _describe(nodes: model.Nodes) -> str:
    """A description of the first of `nodes`, for people."""
    for node in nodes:
        match node:
            case model.Text(text):
                return repr(text)
            case model.Choice(_, options):
                return " or ".join(map(repr, options))
            case model.Field(name, kind):
                return f"{{{name}: {kind}}}" if name else f"{{{kind}}}"
            case _:
                continue
    return _LINE_END
