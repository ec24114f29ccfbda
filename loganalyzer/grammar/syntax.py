"""Parses the notation of templates into the model, with pyparsing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyparsing as pp

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import model
from loganalyzer.grammar.types import TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

_ESCAPABLE = r"\{}|[]()"


def _make_text(tokens: pp.ParseResults) -> model.Text:
    return model.Text("".join(tokens))


def _make_field(tokens: pp.ParseResults) -> model.Field:
    return model.Field(dict(tokens).get("name"), tokens["type"])


def _make_choice(tokens: pp.ParseResults) -> model.Choice:
    return model.Choice(dict(tokens).get("name"), tuple(tokens["options"]))


class _Fragment(str):
    """The name of a fragment, later replaced by its nodes."""

    __slots__ = ()


def _token_regex(pattern: str, name: str) -> pp.ParserElement:
    element: pp.ParserElement = pp.Regex(pattern).leave_whitespace().set_name(name)
    return element


@cache
def _notation_grammar() -> pp.ParserElement:
    """The grammar of the notation. It yields nodes, with fragments still by name."""
    escape = _token_regex(r"\\[\\{}|\[\]()]", "escape").set_parse_action(lambda t: t[0][1])
    brace = _token_regex(r"\{\{|\}\}", "doubled brace").set_parse_action(lambda t: t[0][0])
    name = _token_regex("[a-z][a-z0-9_]*", "field name")
    kind = _token_regex("[a-z]+", "type")
    outside = _token_regex(r"[^\\{}]+", "text")
    in_option = _token_regex(r"(?:[^\\{}\]]|\](?!\}))+", "text")
    in_alternative = _token_regex(r"(?:[^\\{}|)]|\)(?!\}))+", "text")

    def fixed(plain: pp.ParserElement) -> pp.ParserElement:
        pieces: pp.ParserElement = (plain | escape | brace)[1, ...]
        return pieces.leave_whitespace().set_parse_action(_make_text)

    def token(text: str) -> pp.ParserElement:
        return pp.Literal(text).leave_whitespace().suppress()

    option_word = _token_regex(r"(?:[^\\{}|]|\\[\\{}|\[\]()])+", "word").set_parse_action(_unescape)
    words = pp.DelimitedList(option_word, delim=pp.Literal("|").leave_whitespace())
    field = (token("{") + pp.Opt(name)("name") + token(":") + kind("type") + token("}")).set_parse_action(_make_field)
    choice = (token("{") + pp.Opt(name)("name") + token("=") + words("options") + token("}")).set_parse_action(
        _make_choice
    )
    skip = token("{...}").set_parse_action(lambda: [model.Skip()])
    fragment = (token("{") + name("fragment") + token("}")).set_parse_action(lambda t: [_Fragment(t["fragment"])])
    group = pp.Forward().leave_whitespace()
    optional_body = (fixed(in_option) | group)[1, ...]
    option = pp.Group((fixed(in_alternative) | group)[0, ...], aslist=True)
    optional = (token("{[") + optional_body + token("]}")).set_parse_action(lambda t: [model.Optional(tuple(t))])
    alternatives = (
        token("{(") + pp.DelimitedList(option, delim=pp.Literal("|").leave_whitespace(), min=2) + token(")}")
    ).set_parse_action(lambda t: [model.Alternatives(tuple(tuple(part) for part in t))])
    group <<= field | choice | fragment | optional | alternatives | skip
    notation: pp.ParserElement = (fixed(outside) | group)[1, ...] + pp.StringEnd().leave_whitespace()
    notation.leave_whitespace()
    return notation


def _unescape(tokens: pp.ParseResults) -> str:
    text, out, escaped = str(tokens[0]), [], False
    for character in text:
        if escaped or character != "\\":
            out.append(character)
            escaped = False
        else:
            escaped = True
    return "".join(out)


def parse_template(notation: str, fragments: Mapping[str, model.Nodes]) -> model.Nodes:
    """The nodes of a template.

    Raises:
        GrammarError: the notation is invalid (with the column), or uses an unknown type or fragment.
    """
    try:
        tokens = _notation_grammar().parse_string(notation)
    except pp.ParseException as error:
        raise GrammarError(
            f"the template is invalid at column {error.column}: {error.msg}",
            f"near {notation[max(0, error.loc - 10) : error.loc + 10]!r}; patterns/README.md explains the notation",
        ) from None
    nodes = _expand_fragments(tuple(tokens), fragments)
    for field in model.find_fields(nodes):
        if isinstance(field, model.Field) and field.type not in TYPES:
            raise GrammarError(f"unknown type {field.type!r}", f"known types: {', '.join(sorted(TYPES))}")
    return nodes


def _expand_fragments(nodes: tuple[object, ...], fragments: Mapping[str, model.Nodes]) -> model.Nodes:
    expanded: list[model.Node] = []
    for node in nodes:
        if isinstance(node, _Fragment):
            if node not in fragments:
                raise GrammarError(
                    f"unknown fragment {str(node)!r}",
                    f"known fragments: {', '.join(sorted(fragments))}; a field is written {{{node}:type}}",
                )
            expanded += fragments[node]
        elif isinstance(node, model.Optional):
            expanded.append(model.Optional(_expand_fragments(node.body, fragments)))
        elif isinstance(node, model.Alternatives):
            expanded.append(model.Alternatives(tuple(_expand_fragments(part, fragments) for part in node.options)))
        else:
            expanded.append(node)  # type: ignore[arg-type]
    return _merge_texts(expanded)


def _merge_texts(nodes: list[model.Node]) -> model.Nodes:
    """Merges adjacent fixed texts, so that anchors are as long as possible."""
    joined: list[model.Node] = []
    for node in nodes:
        last = joined[-1] if joined else None
        if isinstance(node, model.Text) and isinstance(last, model.Text):
            joined[-1] = model.Text(last.text + node.text)
        else:
            joined.append(node)
    return tuple(joined)
