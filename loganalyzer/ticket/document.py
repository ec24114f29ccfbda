"""Builds the JSON document of `loganalyze ticket`."""

from __future__ import annotations

import json
from typing import Final

from loganalyzer.ticket.make import MadeTicket

SCHEMA_VERSION: Final = 1


def ticket_document(made: MadeTicket, file: str) -> str:
    """The archive's name and size, its files, what is masked and left out, and the verdict, as a JSON document."""
    members = {
        "schema_version": SCHEMA_VERSION,
        "ticket": file,
        "bytes": len(made.ticket.data),
        "verdict": made.shown.verdict,
        "files": [{"name": name, "bytes": size} for name, size in made.ticket.files],
        "masked": [{"kind": kind, "values": count} for kind, count in sorted(made.masked.items())],
        "left_out": list(made.ticket.left_out),
        "problems": list(made.shown.problems),
        "notes": list(made.shown.notes),
    }
    return json.dumps(members, ensure_ascii=False, indent=1) + "\n"
