"""Reads back the JSON document that the tool wrote: as a file, in an HTML report, or in the report of a ticket.

Such a file may come from an untrusted ticket. The reader limits its size and nesting, checks every value against the
type of its column, and neither evaluates values nor opens paths from it.
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
from loganalyzer.report.formats.reader_values import HINT, ValueReader
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMA_VERSION, SCHEMAS

MOST_BYTES: Final = 64 * 1024**2
"""Maximum size of a document."""
MOST_LEVELS: Final = 8
"""Maximum nesting of lists and objects; a document of the tool has three levels."""
MOST_CONTAINERS: Final = 1_500_000
MOST_VALUES: Final = 8_000_000
"""Maximum numbers of brackets and of commas. Three bytes of input can take a hundred bytes of memory; real documents
stay far below."""
SUFFIXES: Final = (".html", ".htm", ".json", ".zip")
TICKET_MEMBERS: Final = ("manifest.json", "report.html")
"""Members that identify the archive of a ticket. The reader reads the last one."""

_HEAD_BYTES: Final = 4096
_PAGE: Final = rb"(?i)\s*<!doctype html"
_GENERATOR: Final = rb"(?i)<meta\s[^>]*generator[^>]*loganalyzer"
_DOCUMENT_START: Final = rb"(?i)<script\b[^>]*\bid=[\"']?loganalyzer-document\b[^>]*>"
_DOCUMENT_END: Final = rb"(?i)</script"
_VERSION_KEY: Final = b'"schema_version"'
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, eq=False)
class Document:
    """The content of a document.

    Attributes:
        analysis: the tables. Columns that the file lacks are null.
        settings: the settings of the analysis, for display; None if the file has none. Its paths are only names and
            must not be opened.
        written: a text with the time of writing and the version of the tool.
    """

    analysis: Analysis
    settings: Settings | None
    written: str


def is_document(path: str | Path) -> bool:
    """Whether a file is an HTML report, a JSON document or a ticket of the tool, by its name and its first bytes.

    In a `.json` file, `schema_version` may be anywhere, because other programs sort keys.
    """
    place = Path(path)
    if "\0" in str(path) or not place.name.lower().endswith(SUFFIXES):
        return False
    try:
        if not place.is_file():
            return False
        if is_zipfile(place):
            with ZipFile(place) as archive:
                return set(TICKET_MEMBERS) <= set(archive.namelist())
        with place.open("rb") as file:
            head = file.read(_HEAD_BYTES).removeprefix(_BOM)
            if re.match(_PAGE, head):
                return re.search(_GENERATOR, head) is not None
            begins = head.lstrip()[:1] == b"{" and place.suffix.lower() == ".json"
            return begins and (_VERSION_KEY in head or _VERSION_KEY in file.read(MOST_BYTES))
    except (OSError, BadZipFile, NotImplementedError, ValueError):
        return False


def read_analysis(path: str | Path) -> Analysis:
    """The tables of a JSON document, an HTML report or a ticket.

    Raises:
        SourceError: as `load_document`.
    """
    return load_document(path).analysis


def load_document(path: str | Path) -> Document:
    """The document in a file.

    Raises:
        SourceError: the file cannot be read, is too large, is nested too deeply, is not a document of the tool, has
            another schema version, or has a value of the wrong type. The message names the file and the member.
    """
    name = one_line(str(path))
    return parse_document(_read_bytes(Path(path), name), name)


def parse_document(raw: bytes, name: str) -> Document:
    """The document in `raw`; error messages call it `name`.

    Raises:
        SourceError: as `load_document`, except for read errors.
    """
    members = _parse_members(raw.removeprefix(_BOM), name)
    reader = ValueReader(name)
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
        _written_text(members),
    )


def _refuse_contradictions(analysis: Analysis, members: dict[str, Any], name: str) -> None:
    """Raises SourceError if a document contradicts itself, because it was edited or damaged."""
    for table, key in (("runs", "run_id"), ("prompts", "prompt_id")):
        ids = getattr(analysis, table)[key].drop_nulls()
        if ids.is_duplicated().any():
            duplicate = ids.filter(ids.is_duplicated())[0]
            raise SourceError(f"{name}: {key} {one_line(duplicate[:40])!r} is in several rows of {table}", HINT)
    unknown = analysis.findings.filter(~pl.col("severity").is_in(SEVERITIES))
    if not unknown.is_empty():
        word = one_line(repr(unknown["severity"][0])[:40])
        raise SourceError(
            f"{name}: a finding has the unknown severity {word}", f"expected {', '.join(SEVERITIES)}; {HINT}"
        )
    for key in ("verdict", "complete"):
        stated, computed = members.get(key), getattr(analysis, key)
        if stated is not None and stated != computed and not _predates_completeness(members):
            word = one_line(repr(stated)[:40])
            raise SourceError(f"{name}: {key} is {word}, but according to its tables it is {computed!r}", HINT)


def _predates_completeness(members: dict[str, Any]) -> bool:
    """Whether the document comes from a version without `complete`, which also gave the verdict `no-runs`."""
    return "complete" not in members and members.get("verdict") == "no-runs"


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        if is_zipfile(path):
            with ZipFile(path) as archive, archive.open(TICKET_MEMBERS[-1]) as member:
                raw = member.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError, KeyError, BadZipFile, NotImplementedError, RuntimeError, zlib.error) as error:
        raise SourceError(f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MOST_BYTES:
        raise SourceError(f"{name}: is larger than {MOST_BYTES // 1024**2} MiB", HINT)
    return raw


def _parse_members(raw: bytes, name: str) -> dict[str, Any]:
    raw = _extract_document(raw, name)
    if raw.count(b"{") + raw.count(b"[") > MOST_CONTAINERS or raw.count(b",") > MOST_VALUES:
        raise SourceError(f"{name}: the document has too many values", HINT)
    try:
        members = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise SourceError(f"{name}: the document is nested too deeply", HINT) from None
    except ValueError as error:
        raise SourceError(f"{name}: the document is not valid JSON: {error}", HINT) from None
    if not isinstance(members, dict) or "schema_version" not in members:
        raise SourceError(f"{name}: not a loganalyzer document: schema_version is missing", HINT)
    version = members["schema_version"]
    if type(version) is not int or version != SCHEMA_VERSION:
        raise SourceError(
            f"{name}: schema_version is {one_line(repr(version)[:40])}, but this version of loganalyzer reads only "
            f"{SCHEMA_VERSION}",
            "update loganalyzer, or analyze the log itself",
        )
    if _nesting_depth(members) > MOST_LEVELS:
        raise SourceError(f"{name}: the document is nested more than {MOST_LEVELS} levels deep", HINT)
    return members


def _extract_document(raw: bytes, name: str) -> bytes:
    """The document embedded in a page; `raw` itself if it is not a page."""
    if not re.match(_PAGE, raw):
        return raw
    opened = re.search(_DOCUMENT_START, raw)
    closed = opened and re.compile(_DOCUMENT_END).search(raw, opened.end())
    if not opened or not closed:
        raise SourceError(f"{name}: this page does not contain a loganalyzer document", HINT)
    return raw[opened.end() : closed.start()]


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _nesting_depth(value: object) -> int:
    """The number of levels of lists and objects, counted level by level up to one more than allowed."""
    level, depth = [value], 0
    while depth <= MOST_LEVELS:
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


def _written_text(members: dict[str, Any]) -> str:
    tool, moment = members.get("tool"), members.get("generated_at")
    version = tool.get("version") if isinstance(tool, dict) else None
    parts = ["written"]
    if isinstance(moment, str):
        parts.append(one_line(moment[:40]))
    if isinstance(version, str):
        parts.append(f"by loganalyzer {one_line(version[:40])}")
    return " ".join(parts) if len(parts) > 1 else "written at an unknown time"


def split_arguments(arguments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Splits arguments into logs and documents, each in the original order."""
    logs: list[str] = []
    documents: list[str] = []
    for argument in arguments:
        (documents if is_document(argument) else logs).append(argument)
    return logs, documents
