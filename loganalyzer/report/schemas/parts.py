"""Parts of JSON Schemas. New members may be added to a document at any time, so no schema forbids other members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loganalyzer.common.severity import SEVERITIES

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer"}
SIZE: Final[Schema] = {"type": "integer", "minimum": 0}
FIGURE: Final[Schema] = {"type": "number"}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
SEVERITY: Final[Schema] = {"enum": list(SEVERITIES)}
ANY_OBJECT: Final[Schema] = {"type": "object"}


def or_null(schema: Schema) -> Schema:
    """The schema, which allows null too."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """A list whose elements follow the schema."""
    return {"type": "array", "items": schema}


def one_of(*values: str) -> Schema:
    """One of these texts."""
    return {"enum": list(values)}


def record(members: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object that has all of `members`, and may have those of `optional`."""
    return {"type": "object", "required": list(members), "properties": {**members, **(optional or {})}}


def reference(name: str) -> Schema:
    """The definition with this name in the same document."""
    return {"$ref": f"#/$defs/{name}"}


def document(title: str, version: int, body: Schema, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of a whole document, whose first member is its version."""
    properties = {"schema_version": {"const": version}, **body["properties"]}
    whole = {**body, "required": ["schema_version", *body["required"]], "properties": properties}
    return {"$schema": DIALECT, "title": title, **whole, **({"$defs": dict(definitions)} if definitions else {})}
