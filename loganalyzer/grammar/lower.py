"""Converts templates to regular expressions that run over columns.

The expressions use only syntax that Python's `re` and Rust's `regex` interpret alike: no look-around, no
back-references, explicit character classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import model
from loganalyzer.grammar.types import ANY, TYPES, FieldType
from loganalyzer.tables.frames import filter_mask, sort_by

WORD = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
BEFORE_WORD = r"(?:^|[^0-9A-Za-z_])"
"""A template that starts with a word matches only at the start of a word: `got prompt` is not in `forgot prompt`."""

_BLANK_END: Final = r"[ \t]*$"
_REMARK: Final = r"(?:[ \t]+(?:→|➜|⇒|←|⇐|<--?|<==?|--?>|==?>|&[lr]arr;|&lt;--?|--?&gt;)(?:[ \t].*)?)?"
"""An arrow and a person's remark after it, as in excerpts that explain a log."""

_FEW: Final = 500
"""Up to this many texts, values are parsed one by one after the regex has split each text."""

_ESCAPES = str.maketrans({character: f"\\{character}" for character in r"\.+*?()|[]{}^$#&-~"})


class Lowered(NamedTuple):
    """A regex and the field of each of its groups."""

    regex: str
    groups: tuple[model.Field | model.Choice, ...]

    def read(self, text: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
        """Whether the template matches each text, and the values of the texts that match, one column each."""
        (found,) = read_all([(self, text.alias("text").to_frame().with_row_index("row"))])
        fits = found["fits"]
        return fits, filter_mask(found, fits).drop("row", "text", "fits")

    @property
    def _at_start(self) -> str:
        """The regex for texts that start with a match."""
        return self.regex if self.regex.startswith("^") else f"^(?:{self.regex.removeprefix(BEFORE_WORD)})"

    def _build_query(self, rows: pl.DataFrame, regex: str) -> pl.LazyFrame:
        """The query. A field that occurs in several alternatives is filled by the one that matches."""
        if not self.groups:
            return rows.lazy().with_columns(pl.col("text").str.contains(regex).alias("fits"))
        groups = pl.col("text").str.extract_groups(_with_match_group(regex)).alias("groups")
        values = [
            expr.alias(name + suffix)
            for name, kind, numbers in self.value_groups
            for suffix, expr in kind.columns(_first_filled([_group_expr(number) for number in numbers])).items()
        ]
        fits = _group_expr(str(len(self.groups) + 1)).is_not_null().alias("fits")
        return rows.lazy().with_columns(groups).select(*rows.columns, fits, *values)

    def _parse_one_by_one(self, rows: pl.DataFrame, regex: str) -> pl.DataFrame:
        """The same, text by text: a query per field takes longer than parsing a few texts."""
        groups = rows.select_seq(pl.col("text").str.extract_groups(_with_match_group(regex))).to_series().to_list()
        last = str(len(self.groups) + 1)
        columns = [pl.Series("fits", [found[last] is not None for found in groups], dtype=pl.Boolean)]
        for name, kind, numbers in self.value_groups:
            texts = (next((found[n] for n in numbers if found[n] is not None), None) for found in groups)
            read = [dict.fromkeys(kind.suffixes) if text is None else kind.read(text) for text in texts]
            columns += [
                pl.Series(name + suffix, [values[suffix] for values in read], dtype=kind.dtype)
                for suffix in kind.suffixes
            ]
        return rows.hstack(columns)

    @property
    def value_groups(self) -> list[tuple[str, FieldType, list[str]]]:
        """The values: name, type, and the groups that may contain each."""
        by_name: dict[str, tuple[str, list[str]]] = {}
        for number, field in enumerate(self.groups, start=1):
            if field.name is not None:
                kind = field.type if isinstance(field, model.Field) else "text"
                by_name.setdefault(field.name, (kind, []))[1].append(str(number))
        return [(name, TYPES[kind], numbers) for name, (kind, numbers) in by_name.items()]


def read_all(requests: Sequence[tuple[Lowered, pl.DataFrame]]) -> list[pl.DataFrame]:
    """Each frame (`row`, ascending, and `text`), with `fits` and one column per value; one query for all.

    Most messages start their segment, where an anchored regex is twice as fast; it is tried first.
    """
    found = _read_each([(lowered, rows, lowered._at_start) for lowered, rows in requests])
    searched = [
        (index, lowered, frame.filter(~pl.col("fits"))[["row", "text"]])
        for index, ((lowered, _), frame) in enumerate(zip(requests, found, strict=True))
        if not lowered.regex.startswith("^") and not frame["fits"].all()
    ]
    inside = _read_each([(lowered, rest, lowered.regex) for _, lowered, rest in searched])
    for (index, _, _), added in zip(searched, inside, strict=True):
        found[index] = sort_by(pl.concat([found[index].filter("fits"), added]), "row")
    return found


def _read_each(requests: Sequence[tuple[Lowered, pl.DataFrame, str]]) -> list[pl.DataFrame]:
    if sum(rows.height for _, rows, _ in requests) > _FEW:
        return pl.collect_all([lowered._build_query(rows, regex) for lowered, rows, regex in requests])
    return [lowered._parse_one_by_one(rows, regex) for lowered, rows, regex in requests]


def _with_match_group(regex: str) -> str:
    """The regex with an additional group, which is filled whenever it matches."""
    return f"(?:{regex})()"


def _group_expr(number: str) -> pl.Expr:
    return pl.col("groups").struct.field(number)


def _first_filled(groups: Sequence[pl.Expr]) -> pl.Expr:
    """The group that was filled."""
    return groups[0] if len(groups) == 1 else pl.coalesce(groups)


def escape_regex(text: str) -> str:
    """`text` as a regex that matches only itself, in both dialects."""
    return text.translate(_ESCAPES)


def lower(nodes: model.Nodes, *, starts_line: bool = False, ends_line: bool = False) -> Lowered:
    """The template's regex, to be searched in a line."""
    groups: list[model.Field | model.Choice] = []
    body = _regex_of_nodes(nodes, groups)
    begin = r"^[ \t]*" if starts_line else BEFORE_WORD if first_characters(nodes) & WORD else ""
    return Lowered(begin + body + (line_end(nodes) if ends_line else ""), tuple(groups))


def line_end(nodes: model.Nodes) -> str:
    """The regex for what may follow a template that ends with its line: blanks, or a remark after an arrow.

    If a template ends in text of open length, an arrow is part of that text.
    """
    return _BLANK_END if _ends_open(nodes) else _REMARK + _BLANK_END


def _ends_open(nodes: model.Nodes) -> bool:
    match nodes[-1] if nodes else None:
        case model.Skip():
            return True
        case model.Field(_, kind):
            return TYPES[kind].is_lazy
        case model.Optional(body):
            return _ends_open(body) or _ends_open(nodes[:-1])
        case model.Alternatives(options):
            return any(map(_ends_open, options))
        case _:
            return False


def _regex_of_nodes(nodes: model.Nodes, groups: list[model.Field | model.Choice]) -> str:
    return "".join(_regex_of_node(node, groups) for node in nodes)


def _regex_of_node(node: model.Node, groups: list[model.Field | model.Choice]) -> str:
    match node:
        case model.Text(text):
            return escape_regex(text)
        case model.Skip():
            return ".*?"
        case model.Optional(body):
            return f"(?:{_regex_of_nodes(body, groups)})?"
        case model.Alternatives(options):
            return "(?:" + "|".join(_regex_of_nodes(option, groups) for option in options) + ")"
        case model.Choice(_, words):
            return _regex_group(node, "|".join(map(escape_regex, words)), groups)
        case model.Field(_, kind):
            return _regex_group(node, TYPES[kind].regex, groups)


def _regex_group(field: model.Field | model.Choice, regex: str, groups: list[model.Field | model.Choice]) -> str:
    if field.name is None:
        return f"(?:{regex})"
    groups.append(field)
    return f"({regex})"


@cache
def first_characters(nodes: model.Nodes) -> frozenset[str]:
    """The ASCII characters with which a matching text can start."""
    found: frozenset[str] = frozenset()
    for node in nodes:
        found |= _first_of_node(node)
        if not _can_be_empty(node):
            break
    return found


def _first_of_node(node: model.Node) -> frozenset[str]:
    match node:
        case model.Text(text):
            return frozenset(text[:1])
        case model.Skip():
            return ANY
        case model.Optional(body):
            return first_characters(body)
        case model.Alternatives(parts):
            return frozenset[str]().union(*(first_characters(part) for part in parts))
        case model.Choice(_, options):
            return frozenset(option[:1] for option in options)
        case model.Field(_, kind):
            return TYPES[kind].first


def _can_be_empty(node: model.Node) -> bool:
    match node:
        case model.Skip() | model.Optional():
            return True
        case model.Alternatives(options):
            return any(all(map(_can_be_empty, option)) for option in options)
        case model.Field(_, kind):
            return kind in ("blanks", "cells")
        case _:
            return False


def check_template(nodes: model.Nodes, *, ends_line: bool) -> None:
    """Rejects templates whose two forms could disagree, and names used for two types.

    Raises:
        GrammarError: names the field and what is wrong with its position.
    """
    _check_follow(nodes, frozenset(), open_end=not ends_line)
    _check_alternatives(nodes)
    _check_names(nodes)
    kinds: dict[str, str] = {}
    for field in model.find_fields(nodes):
        kind = field.type if isinstance(field, model.Field) else "text"
        if field.name is not None and kinds.setdefault(field.name, kind) != kind:
            raise GrammarError(f"the field {field.name!r} has two types: {kinds[field.name]} and {kind}")


def _check_alternatives(nodes: model.Nodes) -> None:
    """Rejects alternatives with a common start: Rust factors it out, so parts of open length may end elsewhere."""
    for node in nodes:
        if isinstance(node, model.Optional):
            _check_alternatives(node.body)
        elif isinstance(node, model.Alternatives):
            for beginning in zip(*node.options, strict=False):
                if len(set(beginning)) > 1 or any(field.name for field in model.find_fields(beginning)):
                    break
                if not isinstance(beginning[0], model.Text):
                    raise GrammarError(
                        "all alternatives start with the same part, which is more than fixed text",
                        "put it before them",
                    )
            for option in node.options:
                _check_alternatives(option)


def _check_names(nodes: model.Nodes) -> set[str]:
    """The names that a template fills. A name may occur twice only in alternatives, of which one is taken."""
    names: set[str] = set()
    for node in nodes:
        match node:
            case model.Field(name, _) | model.Choice(name, _):
                added = {name} if name else set()
            case model.Optional(body):
                added = _check_names(body)
            case model.Alternatives(options):
                added = set[str]().union(*map(_check_names, options))
            case _:
                continue
        if names & added:
            raise GrammarError(f"the field {min(names & added)!r} would be filled twice", "give each its own name")
        names |= added
    return names


def _check_follow(nodes: model.Nodes, follow: frozenset[str], *, open_end: bool) -> None:
    for index in range(len(nodes) - 1, -1, -1):
        node = nodes[index]
        if isinstance(node, model.Field):
            _check_field(node, follow, open_end=open_end)
        elif isinstance(node, model.Skip) and open_end:
            raise GrammarError("a skip at the end has no effect", "remove it, or set end = 'line'")
        elif isinstance(node, model.Optional):
            _check_follow(node.body, follow, open_end=open_end)
        elif isinstance(node, model.Alternatives):
            for option in node.options:
                _check_follow(option, follow, open_end=open_end)
        if _can_be_empty(node):
            follow |= _first_of_node(node)
        else:
            follow, open_end = _first_of_node(node), False


def _check_field(field: model.Field, follow: frozenset[str], *, open_end: bool) -> None:
    kind = TYPES[field.type]
    shown = f"{{{field.name or ''}:{field.type}}}"
    if kind.is_lazy and open_end:
        raise GrammarError(
            f"{shown} is at the end, where other text may follow",
            "set end = 'line', or add the text that ends it",
        )
    clash = kind.continues & follow
    if clash:
        raise GrammarError(
            f"{shown} may be followed directly by {min(clash)!r}, which could be part of its value",
            "put a fixed text between them, or use {…:text}",
        )
