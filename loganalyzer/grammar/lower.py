"""Templates lowered to regular expressions that run over whole columns.

The expressions use only what Python's `re` and Rust's `regex` understand alike: no look-around, no
back-references, explicit character classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar import model
from loganalyzer.grammar.types import ANY, TYPES, HoleType
from loganalyzer.tables.frames import filter_mask, sort_by

WORD = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
BEFORE_WORD = r"(?:^|[^0-9A-Za-z_])"
"""A template that begins with a word fits only where a word can begin: `got prompt` is not in `forgot prompt`."""

_BLANK_END: Final = r"[ \t]*$"
_REMARK: Final = r"(?:[ \t]+(?:→|➜|⇒|←|⇐|<--?|<==?|--?>|==?>|&[lr]arr;|&lt;--?|--?&gt;)(?:[ \t].*)?)?"
"""An arrow and what a person wrote behind it, as in excerpts that explain a log."""

_FEW: Final = 500
"""Up to so many texts, each is read by itself once the expression has parted it."""

_ESCAPES = str.maketrans({character: f"\\{character}" for character in r"\.+*?()|[]{}^$#&-~"})


class Lowered(NamedTuple):
    """A regular expression and the hole behind each of its groups."""

    regex: str
    groups: tuple[model.Hole | model.Choice, ...]

    def read(self, text: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
        """Which of the texts the template fits, and the values of those it fits, one column each."""
        (found,) = read_all([(self, text.alias("text").to_frame().with_row_index("row"))])
        fits = found["fits"]
        return fits, filter_mask(found, fits).drop("row", "text", "fits")

    @property
    def _at_start(self) -> str:
        """The expression for texts that begin with what it fits."""
        return self.regex if self.regex.startswith("^") else f"^(?:{self.regex.removeprefix(BEFORE_WORD)})"

    def _reading(self, rows: pl.DataFrame, regex: str) -> pl.LazyFrame:
        """A name that stands in several alternatives is filled by the one that fits."""
        if not self.groups:
            return rows.lazy().with_columns(pl.col("text").str.contains(regex).alias("fits"))
        groups = pl.col("text").str.extract_groups(_closed(regex)).alias("groups")
        values = [
            expr.alias(name + suffix)
            for name, kind, numbers in self._named
            for suffix, expr in kind.columns(_either([_group_of(number) for number in numbers])).items()
        ]
        fits = _group_of(str(len(self.groups) + 1)).is_not_null().alias("fits")
        return rows.lazy().with_columns(groups).select(*rows.columns, fits, *values)

    def _reading_few(self, rows: pl.DataFrame, regex: str) -> pl.DataFrame:
        """The same, text by text: a query for each hole takes longer than to read a few texts."""
        groups = rows.select_seq(pl.col("text").str.extract_groups(_closed(regex))).to_series().to_list()
        last = str(len(self.groups) + 1)
        columns = [pl.Series("fits", [found[last] is not None for found in groups], dtype=pl.Boolean)]
        for name, kind, numbers in self._named:
            texts = (next((found[n] for n in numbers if found[n] is not None), None) for found in groups)
            read = [dict.fromkeys(kind.suffixes) if text is None else kind.read(text) for text in texts]
            columns += [
                pl.Series(name + suffix, [values[suffix] for values in read], dtype=kind.dtype)
                for suffix in kind.suffixes
            ]
        return rows.hstack(columns)

    @property
    def _named(self) -> list[tuple[str, HoleType, list[str]]]:
        """The values: name, type, and the groups that may hold each."""
        by_name: dict[str, tuple[str, list[str]]] = {}
        for number, hole in enumerate(self.groups, start=1):
            if hole.name is not None:
                kind = hole.type if isinstance(hole, model.Hole) else "text"
                by_name.setdefault(hole.name, (kind, []))[1].append(str(number))
        return [(name, TYPES[kind], numbers) for name, (kind, numbers) in by_name.items()]


def read_all(wanted: Sequence[tuple[Lowered, pl.DataFrame]]) -> list[pl.DataFrame]:
    """Each frame (`row`, ascending, and `text`), with `fits` and one column for each value; one query for all.

    Most messages begin their segment, and there an anchored expression is twice as fast; it is tried first.
    """
    found = _read_each([(lowered, rows, lowered._at_start) for lowered, rows in wanted])
    searched = [
        (place, lowered, frame.filter(~pl.col("fits"))[["row", "text"]])
        for place, ((lowered, _), frame) in enumerate(zip(wanted, found, strict=True))
        if not lowered.regex.startswith("^") and not frame["fits"].all()
    ]
    inside = _read_each([(lowered, rest, lowered.regex) for _, lowered, rest in searched])
    for (place, _, _), more in zip(searched, inside, strict=True):
        found[place] = sort_by(pl.concat([found[place].filter("fits"), more]), "row")
    return found


def _read_each(wanted: Sequence[tuple[Lowered, pl.DataFrame, str]]) -> list[pl.DataFrame]:
    if sum(rows.height for _, rows, _ in wanted) > _FEW:
        return pl.collect_all([lowered._reading(rows, regex) for lowered, rows, regex in wanted])
    return [lowered._reading_few(rows, regex) for lowered, rows, regex in wanted]


def _closed(regex: str) -> str:
    """With one more group, which is filled wherever the expression fits."""
    return f"(?:{regex})()"


def _group_of(number: str) -> pl.Expr:
    return pl.col("groups").struct.field(number)


def _either(groups: Sequence[pl.Expr]) -> pl.Expr:
    """The group that was filled."""
    return groups[0] if len(groups) == 1 else pl.coalesce(groups)


def escape(text: str) -> str:
    """`text` as a regular expression that fits only itself, in both dialects."""
    return text.translate(_ESCAPES)


def lower(nodes: model.Nodes, *, starts_line: bool = False, ends_line: bool = False) -> Lowered:
    """The template's regular expression, to be searched in a line."""
    groups: list[model.Hole | model.Choice] = []
    body = _sequence(nodes, groups)
    begin = r"^[ \t]*" if starts_line else BEFORE_WORD if first(nodes) & WORD else ""
    return Lowered(begin + body + (line_end(nodes) if ends_line else ""), tuple(groups))


def line_end(nodes: model.Nodes) -> str:
    """What may stand behind a template that ends with its line: blanks, or a remark behind an arrow.

    Of a template that ends in text of open length an arrow is that text's own.
    """
    return _BLANK_END if _ends_open(nodes) else _REMARK + _BLANK_END


def _ends_open(nodes: model.Nodes) -> bool:
    match nodes[-1] if nodes else None:
        case model.Skip():
            return True
        case model.Hole(_, kind):
            return TYPES[kind].lazy
        case model.Optional(body):
            return _ends_open(body) or _ends_open(nodes[:-1])
        case model.Alternatives(options):
            return any(map(_ends_open, options))
        case _:
            return False


def _sequence(nodes: model.Nodes, groups: list[model.Hole | model.Choice]) -> str:
    return "".join(_node(node, groups) for node in nodes)


def _node(node: model.Node, groups: list[model.Hole | model.Choice]) -> str:
    match node:
        case model.Text(text):
            return escape(text)
        case model.Skip():
            return ".*?"
        case model.Optional(body):
            return f"(?:{_sequence(body, groups)})?"
        case model.Alternatives(options):
            return "(?:" + "|".join(_sequence(option, groups) for option in options) + ")"
        case model.Choice(_, words):
            return _group(node, "|".join(map(escape, words)), groups)
        case model.Hole(_, kind):
            return _group(node, TYPES[kind].regex, groups)


def _group(hole: model.Hole | model.Choice, regex: str, groups: list[model.Hole | model.Choice]) -> str:
    if hole.name is None:
        return f"(?:{regex})"
    groups.append(hole)
    return f"({regex})"


@cache
def first(nodes: model.Nodes) -> frozenset[str]:
    """The ASCII characters with which a fitting text can begin."""
    found: frozenset[str] = frozenset()
    for node in nodes:
        found |= _first(node)
        if not _nullable(node):
            break
    return found


def _first(node: model.Node) -> frozenset[str]:
    match node:
        case model.Text(text):
            return frozenset(text[:1])
        case model.Skip():
            return ANY
        case model.Optional(body):
            return first(body)
        case model.Alternatives(parts):
            return frozenset[str]().union(*(first(part) for part in parts))
        case model.Choice(_, options):
            return frozenset(option[:1] for option in options)
        case model.Hole(_, kind):
            return TYPES[kind].first


def _nullable(node: model.Node) -> bool:
    match node:
        case model.Skip() | model.Optional():
            return True
        case model.Alternatives(options):
            return any(all(map(_nullable, option)) for option in options)
        case model.Hole(_, kind):
            return kind in ("blanks", "cells")
        case _:
            return False


def check(nodes: model.Nodes, *, ends_line: bool) -> None:
    """Refuse templates whose two forms could disagree, and names used for two types.

    Raises:
        GrammarError: names the hole and what is wrong with its place.
    """
    _check_follow(nodes, frozenset(), open_end=not ends_line)
    _check_beginnings(nodes)
    _filled(nodes)
    kinds: dict[str, str] = {}
    for hole in model.holes(nodes):
        kind = hole.type if isinstance(hole, model.Hole) else "text"
        if hole.name is not None and kinds.setdefault(hole.name, kind) != kind:
            raise GrammarError(f"the hole {hole.name!r} has two types: {kinds[hole.name]} and {kind}")


def _check_beginnings(nodes: model.Nodes) -> None:
    """Rust takes out what all alternatives begin with: a part that can end in several places then ends elsewhere."""
    for node in nodes:
        if isinstance(node, model.Optional):
            _check_beginnings(node.body)
        elif isinstance(node, model.Alternatives):
            for beginning in zip(*node.options, strict=False):
                if len(set(beginning)) > 1 or any(hole.name for hole in model.holes(beginning)):
                    break
                if not isinstance(beginning[0], model.Text):
                    raise GrammarError(
                        "all alternatives begin with the same part, which holds more than fixed text",
                        "put it in front of them",
                    )
            for option in node.options:
                _check_beginnings(option)


def _filled(nodes: model.Nodes) -> set[str]:
    """The names that a template fills; one may stand twice only in alternatives, of which one is taken."""
    names: set[str] = set()
    for node in nodes:
        match node:
            case model.Hole(name, _) | model.Choice(name, _):
                more = {name} if name else set()
            case model.Optional(body):
                more = _filled(body)
            case model.Alternatives(options):
                more = set[str]().union(*map(_filled, options))
            case _:
                continue
        if names & more:
            raise GrammarError(f"the hole {min(names & more)!r} would be filled twice", "give each its own name")
        names |= more
    return names


def _check_follow(nodes: model.Nodes, follow: frozenset[str], *, open_end: bool) -> None:
    for index in range(len(nodes) - 1, -1, -1):
        node = nodes[index]
        if isinstance(node, model.Hole):
            _check_hole(node, follow, open_end=open_end)
        elif isinstance(node, model.Skip) and open_end:
            raise GrammarError("a skip at the end skips nothing", "leave it out, or set end = 'line'")
        elif isinstance(node, model.Optional):
            _check_follow(node.body, follow, open_end=open_end)
        elif isinstance(node, model.Alternatives):
            for option in node.options:
                _check_follow(option, follow, open_end=open_end)
        if _nullable(node):
            follow |= _first(node)
        else:
            follow, open_end = _first(node), False


def _check_hole(hole: model.Hole, follow: frozenset[str], *, open_end: bool) -> None:
    kind = TYPES[hole.type]
    shown = f"{{{hole.name or ''}:{hole.type}}}"
    if kind.lazy and open_end:
        raise GrammarError(
            f"{shown} stands at the end, where other text may follow",
            "set end = 'line', or name what ends it",
        )
    clash = kind.continues & follow
    if clash:
        raise GrammarError(
            f"{shown} may be followed directly by {min(clash)!r}, which could be part of its value",
            "put a fixed text between them, or use {…:text}",
        )
