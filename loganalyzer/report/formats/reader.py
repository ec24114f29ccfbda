"""Reading back what the tool wrote: the JSON document, alone, inside an HTML report, or inside a ticket's report.

Such a file may come from a stranger's ticket. Its size and depth are bounded, every value is held against the table
it claims to belong to, and nothing in it is evaluated, opened or believed beyond its row.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from zipfile import BadZipFile, ZipFile, is_zipfile

import polars as pl

from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import one_line
from loganalyzer.common.severity import SEVERITIES
from loganalyzer.report.formats.reader_values import WAY_OUT, Reader
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMA_VERSION, SCHEMAS

LARGEST: Final = 64 * 1024**2
"""Bytes of a file that is read back."""
DEEPEST: Final = 8
"""Levels of lists and objects; the document itself has three."""
MOST_CONTAINERS: Final = 1_500_000
MOST_VALUES: Final = 8_000_000
"""Brackets and commas: what three bytes may cost a hundred of memory, and no document has so many."""
SUFFIXES: Final = (".html", ".htm", ".json", ".zip")
TICKET: Final = ("manifest.json", "report.html")
"""Members by which a ticket's archive is known; the last is read."""

_HEAD: Final = 4096
_PAGE: Final = rb"(?i)\s*<!doctype html"
_GENERATOR: Final = rb"(?i)<meta\s[^>]*generator[^>]*loganalyzer"
_OPENED: Final = rb"(?i)<script\b[^>]*\bid=[\"']?loganalyzer-document\b[^>]*>"
_CLOSED: Final = rb"(?i)</script"
_VERSION_KEY: Final = b'"schema_version"'
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
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
    """Whether this file calls itself an HTML report, a JSON document or a ticket of ours, by its name and its head.

    A `.json` file whose keys were sorted is searched through for its `schema_version`.
    """
    place = Path(path)
    if "\0" in str(path) or not place.name.lower().endswith(SUFFIXES):
        return False
    try:
        if not place.is_file():
            return False
        if is_zipfile(place):
            with ZipFile(place) as archive:
                return set(TICKET) <= set(archive.namelist())
        with place.open("rb") as file:
            head = file.read(_HEAD).removeprefix(_MARK)
            if re.match(_PAGE, head):
                return re.search(_GENERATOR, head) is not None
            begins = head.lstrip()[:1] == b"{" and place.suffix.lower() == ".json"
            return begins and (_VERSION_KEY in head or _VERSION_KEY in file.read(LARGEST))
    except (OSError, BadZipFile, NotImplementedError, ValueError):
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
    reader = Reader(name)
    tables = {table: reader.table(table, members.get(table, [])) for table in SCHEMAS}
    texts = {key: reader.texts(key, members.get(key, [])) for key in ("problems", "notes")}
    settings = members.get("settings")
    analysis = Analysis(
        **tables,
        problems=texts["problems"],
        notes=texts["notes"],
        counted=reader.totals(members.get("totals")),
        faults=0,
    )
    _refuse_contradictions(analysis, members, name)
    return Document(
        analysis,
        None if settings is None else reader.settings(settings),
        _written(members),
    )


def _refuse_contradictions(analysis: Analysis, members: dict[str, Any], name: str) -> None:
    """Raise where a document contradicts itself: it was changed by hand, or damaged."""
    for table, key in (("runs", "run_id"), ("prompts", "prompt_id")):
        ids = getattr(analysis, table)[key].drop_nulls()
        if ids.is_duplicated().any():
            twin = ids.filter(ids.is_duplicated())[0]
            raise SourceError(f"{name}: {key} {one_line(twin[:40])!r} stands in several rows of {table}", WAY_OUT)
    unknown = analysis.findings.filter(~pl.col("severity").is_in(SEVERITIES))
    if not unknown.is_empty():
        word = one_line(repr(unknown["severity"][0])[:40])
        raise SourceError(f"{name}: a finding has the severity {word}", f"there are {', '.join(SEVERITIES)}; {WAY_OUT}")
    for key in ("verdict", "complete"):
        said, found = members.get(key), getattr(analysis, key)
        if said is not None and said != found and not _is_from_before(members):
            word = one_line(repr(said)[:40])
            raise SourceError(f"{name}: {key} is {word}, but its tables make it {found!r}", WAY_OUT)


def _is_from_before(members: dict[str, Any]) -> bool:
    """Whether a version wrote the document that did not yet say what makes a verdict complete."""
    return "complete" not in members and members.get("verdict") == "no-runs"


def _bytes(path: Path, name: str) -> bytes:
    try:
        if is_zipfile(path):
            with ZipFile(path) as archive, archive.open(TICKET[-1]) as member:
                raw = member.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(LARGEST + 1)
    except (OSError, ValueError, KeyError, BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
        raise SourceError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > LARGEST:
        raise SourceError(f"{name}: is larger than {LARGEST // 1024**2} MiB", WAY_OUT)
    return raw


def _members(raw: bytes, name: str) -> dict[str, Any]:
    raw = _inside(raw, name)
    if raw.count(b"{") + raw.count(b"[") > MOST_CONTAINERS or raw.count(b",") > MOST_VALUES:
        raise SourceError(f"{name}: the document holds too many values", WAY_OUT)
    try:
        members = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise SourceError(f"{name}: the document is nested too deeply", WAY_OUT) from None
    except ValueError as error:
        raise SourceError(f"{name}: the document is no JSON: {error}", WAY_OUT) from None
    if not isinstance(members, dict) or "schema_version" not in members:
        raise SourceError(f"{name}: is no document of loganalyzer: it has no schema_version", WAY_OUT)
    version = members["schema_version"]
    if type(version) is not int or version != SCHEMA_VERSION:
        raise SourceError(
            f"{name}: schema_version is {one_line(repr(version)[:40])}, and this version of the tool reads "
            f"{SCHEMA_VERSION}",
            "update loganalyzer, or analyse the log itself",
        )
    if _depth(members) > DEEPEST:
        raise SourceError(f"{name}: the document is nested more than {DEEPEST} levels deep", WAY_OUT)
    return members


def _inside(raw: bytes, name: str) -> bytes:
    """The document of a page; else what is given."""
    if not re.match(_PAGE, raw):
        return raw
    opened = re.search(_OPENED, raw)
    closed = opened and re.compile(_CLOSED).search(raw, opened.end())
    if not opened or not closed:
        raise SourceError(f"{name}: this page holds no document of loganalyzer", WAY_OUT)
    return raw[opened.end() : closed.start()]


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


def parted(arguments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Arguments that name logs, and those that name documents; both in their order."""
    logs: list[str] = []
    documents: list[str] = []
    for argument in arguments:
        (documents if is_document(argument) else logs).append(argument)
    return logs, documents
