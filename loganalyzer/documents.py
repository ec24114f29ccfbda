"""Reading back what the tool wrote: the JSON document, alone or inside an HTML report.

Such a file may come from a stranger's ticket. Its size and depth are bounded, every value is held against the table
it claims to belong to, and nothing in it is evaluated, opened or believed beyond its row.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import polars as pl

from loganalyzer.analysis import Analysis
from loganalyzer.errors import SourceError
from loganalyzer.settings import Settings
from loganalyzer.tables import SCHEMA_VERSION, SCHEMAS
from loganalyzer.units import encodable, one_line

LARGEST: Final = 64 * 1024**2
"""Bytes of a file that is read back."""
DEEPEST: Final = 8
"""Levels of lists and objects; the document itself has three."""
MOST_TEXTS: Final = 10_000
"""Entries of `problems` and `notes`."""
SUFFIXES: Final = (".html", ".htm", ".json")

_HEAD: Final = 4096
_PAGE = re.compile(rb"\s*<!doctype html", re.IGNORECASE)
_GENERATOR = re.compile(rb"<meta\s[^>]*generator[^>]*loganalyzer", re.IGNORECASE)
_OPENED = re.compile(rb"<script\b[^>]*\bid=[\"']?loganalyzer-document\b[^>]*>", re.IGNORECASE)
_CLOSED = re.compile(rb"</script", re.IGNORECASE)
_VERSION_KEY: Final = b'"schema_version"'
_MARK: Final = b"\xef\xbb\xbf"
_WAY_OUT: Final = "take the report as the tool wrote it, or analyse the log itself"


@dataclass(frozen=True)
class Document:
    """What a file held.

    Attributes:
        analysis: the tables; a column that the file lacks is null.
        settings: what the analysis was made with, for showing it again; None where the file does not tell. Its paths
            are names only, never to be opened.
        written: time of writing and version of the tool, in words.
    """

    analysis: Analysis
    settings: Settings | None
    written: str


def is_document(path: str | Path) -> bool:
    """Whether this file calls itself an HTML report or JSON document of ours; only its name and its head are looked at.

    A `.json` file whose keys were sorted is searched through for its `schema_version`.
    """
    place = Path(path)
    if "\0" in str(path) or not place.name.lower().endswith(SUFFIXES):
        return False
    try:
        if not place.is_file():
            return False
        with place.open("rb") as file:
            head = file.read(_HEAD).removeprefix(_MARK)
            if _PAGE.match(head):
                return _GENERATOR.search(head) is not None
            begins = head.lstrip()[:1] == b"{" and place.suffix.lower() == ".json"
            return begins and (_VERSION_KEY in head or _VERSION_KEY in file.read(LARGEST))
    except OSError:
        return False


def read(path: str | Path) -> Analysis:
    """The tables inside a JSON document or an HTML report.

    Raises:
        SourceError: as `load`.
    """
    return load(path).analysis


def load(path: str | Path) -> Document:
    """The whole document.

    Raises:
        SourceError: the file cannot be read, is too large or too deep, is none of ours, has another schema version, or
            holds a value of the wrong type; names the file and the member.
    """
    name = one_line(str(path))
    return parse(_bytes(Path(path), name), name)


def parse(raw: bytes, name: str) -> Document:
    """The document in `raw`; `name` is what messages call it.

    Raises:
        SourceError: as `load`, but for reading.
    """
    members = _members(raw.removeprefix(_MARK), name)
    reader = _Reader(name)
    tables = {table: reader.table(table, members.get(table, [])) for table in SCHEMAS}
    texts = {key: reader.texts(key, members.get(key, [])) for key in ("problems", "notes")}
    settings = members.get("settings")
    return Document(
        Analysis(**tables, problems=texts["problems"], notes=texts["notes"]),
        None if settings is None else reader.settings(settings),
        _written(members),
    )


def _bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise SourceError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > LARGEST:
        raise SourceError(f"{name}: is larger than {LARGEST // 1024**2} MiB", _WAY_OUT)
    return raw


def _members(raw: bytes, name: str) -> dict[str, Any]:
    if _PAGE.match(raw):
        opened = _OPENED.search(raw)
        closed = opened and _CLOSED.search(raw, opened.end())
        if not opened or not closed:
            raise SourceError(f"{name}: this page holds no document of loganalyzer", _WAY_OUT)
        raw = raw[opened.end() : closed.start()]
    try:
        members = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise SourceError(f"{name}: the document is nested too deeply", _WAY_OUT) from None
    except ValueError as error:
        raise SourceError(f"{name}: the document is no JSON: {error}", _WAY_OUT) from None
    if not isinstance(members, dict) or "schema_version" not in members:
        raise SourceError(f"{name}: is no document of loganalyzer: it has no schema_version", _WAY_OUT)
    version = members["schema_version"]
    if type(version) is not int or version != SCHEMA_VERSION:
        raise SourceError(
            f"{name}: schema_version is {one_line(repr(version)[:40])}, and this version of the tool reads "
            f"{SCHEMA_VERSION}",
            "update loganalyzer, or analyse the log itself",
        )
    if _depth(members) > DEEPEST:
        raise SourceError(f"{name}: the document is nested more than {DEEPEST} levels deep", _WAY_OUT)
    return members


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _depth(value: object) -> int:
    """Levels of lists and objects, one level after the other and no further than is allowed."""
    level, depth = [value], 0
    while depth <= DEEPEST:
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
        depth += 1
        if not level:
            break
    return depth


def _written(members: dict[str, Any]) -> str:
    tool, moment = members.get("tool"), members.get("generated_at")
    version = tool.get("version") if isinstance(tool, dict) else None
    said = ["written"]
    if isinstance(moment, str):
        said.append(one_line(moment[:40]))
    if isinstance(version, str):
        said.append(f"by loganalyzer {one_line(version[:40])}")
    return " ".join(said) if len(said) > 1 else "written at an unknown time"


def _whole(value: Any) -> int:  # noqa: ANN401
    number = int(value) if type(value) is float and value.is_integer() else value
    if type(number) is not int or not -(2**63) <= number < 2**63:
        raise TypeError("a whole number of 64 bits")
    return number


def _real(value: Any) -> float:  # noqa: ANN401
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError("a number")
    return float(value)


def _text(value: Any) -> str:  # noqa: ANN401
    if type(value) is not str:
        raise TypeError("a text")
    return encodable(value)


def _truth(value: Any) -> bool:  # noqa: ANN401
    if type(value) is not bool:
        raise TypeError("true or false")
    return value


def _moment(value: Any) -> datetime:  # noqa: ANN401
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise TypeError("a time such as 2025-11-22T06:30:00") from None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _file_name(value: Any) -> Path:  # noqa: ANN401
    return Path(_text(value))


_VALUES: Final[dict[type[pl.DataType], Callable[[Any], Any]]] = {
    pl.Int64: _whole, pl.Float64: _real, pl.String: _text, pl.Boolean: _truth, pl.Datetime: _moment,
}  # fmt: skip
_SETTINGS: Final[dict[str, Callable[[Any], Any]]] = {
    "int": _whole, "float": _real, "str": _text, "bool": _truth, "Path": _file_name,
}  # fmt: skip


class _Reader:
    """Turns members into values of the expected types, or says which one is not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _wrong(self, member: str, wanted: object) -> SourceError:
        return SourceError(f"{self._name}: {member} should be {wanted}", _WAY_OUT)

    def table(self, table: str, rows: object) -> pl.DataFrame:
        """The rows with the contract's columns and no others."""
        if not isinstance(rows, list):
            raise self._wrong(table, "a list of rows")
        for number, row in enumerate(rows):
            if not isinstance(row, dict):
                raise self._wrong(f"{table}[{number}]", "an object")
        columns = [self._column(f"{table}[{{}}].{name}", name, dtype, rows) for name, dtype in SCHEMAS[table].items()]
        return pl.DataFrame(columns)

    def _column(self, member: str, name: str, dtype: pl.DataType, rows: Sequence[dict[str, Any]]) -> pl.Series:
        convert = _VALUES[dtype.base_type()]
        values = []
        for number, row in enumerate(rows):
            value = row.get(name)
            try:
                values.append(None if value is None else convert(value))
            except (TypeError, OverflowError) as error:
                raise self._wrong(member.format(number), error) from None
        return pl.Series(name, values, dtype=dtype)

    def texts(self, member: str, values: object) -> tuple[str, ...]:
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._wrong(member, "a list of texts")
        return tuple(encodable(value) for value in values[:MOST_TEXTS])

    def settings(self, given: object) -> Settings:
        """Settings by name; a name that this version does not know is ignored."""
        if not isinstance(given, dict):
            raise self._wrong("settings", "an object")
        known = {item.name: str(item.type) for item in fields(Settings)}
        told = {
            name: self._setting(f"settings.{name}", kind, given[name])
            for name, kind in known.items()
            if given.get(name) is not None
        }
        return Settings(**told)

    def _setting(self, member: str, kind: str, value: object) -> Any:  # noqa: ANN401
        single = kind.removesuffix(" | None")
        try:
            if single in _SETTINGS:
                return _SETTINGS[single](value)
            if single.startswith("tuple[") and isinstance(value, list):
                return tuple(_SETTINGS[single[6:].split(",")[0]](item) for item in value)
            if single.startswith("dict[") and isinstance(value, dict):
                return {_text(key): _text(item) for key, item in value.items()}
        except (TypeError, OverflowError) as error:
            raise self._wrong(member, error) from None
        raise self._wrong(member, f"of the type {single}")


def parted(arguments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Arguments that name logs, and those that name documents; both in their order."""
    logs: list[str] = []
    documents: list[str] = []
    for argument in arguments:
        (documents if is_document(argument) else logs).append(argument)
    return logs, documents
