"""The archive: its files, what was left out of it, and its bytes, which follow from the input alone."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import polars as pl

from loganalyzer.common.version import __version__
from loganalyzer.redact.masking import Masker
from loganalyzer.report import json_document
from loganalyzer.report.formats import markdown
from loganalyzer.report.page import html
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.worst_runs import MAX_RUNS, select_worst_runs
from loganalyzer.ticket.slices import LONGEST, MOST_LINES, Slice

LARGEST: Final = 1_000_000
"""Bytes of an archive."""
_REPORT: Final = 550_000
"""Bytes of the packed report: the slices have the rest."""
_FEWER_RUNS: Final = (None, 200, 80, 30, 10, 3)
"""So many runs, the gravest first, stay in a report that would be too large."""
MOST_TEXT: Final = 60_000
"""Characters of the text to paste: trackers take about 65,000."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_ENVIRONMENT: Final = (
    "gpu", "total_vram_gib", "comfyui_version", "torch_version", "attention", "precision", "vram_state", "wrapper_era",
    "lora_rank", "quantization",
)  # fmt: skip


@dataclass(frozen=True)
class Ticket:
    """The finished archive, and what is in it: name and size of each file."""

    data: bytes
    files: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]


def pack(
    shown: Analysis,
    slices: Sequence[Slice],
    masking: Masker,
    settings: Settings,
    *,
    generated_at: datetime,
    unsliced: Sequence[str],
) -> Ticket:
    """An archive of less than `LARGEST` bytes.

    Args:
        shown: the tables, masked.
        slices: of the logs, masked.
        masking: what masked them, for the counts.
        settings: what the tables were made with.
        generated_at: time of writing.
        unsliced: what has no slice, in words.
    """
    report, dropped = _report(shown, settings, generated_at)
    text = _text(shown, settings)
    files = {"ticket.md": text, "environment.json": _json(environment(shown, settings))}
    if report is not None:
        files["report.html"] = report
    for number, part in enumerate(slices, 1):
        files[f"logs/{number:02d}-{_safe(part.stretch.source)}-{part.stretch.title}.log"] = part.text
    left_out = _left_out(slices, unsliced, dropped, has_report=report is not None)
    contents = {name: content.encode("utf-8", "backslashreplace") for name, content in files.items()}
    manifest = {
        "tool": {"name": "loganalyzer", "version": __version__},
        "generated_at": generated_at.isoformat(),
        "verdict": shown.verdict,
        "files": [
            {"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in sorted(contents.items())
        ],
        "left_out": left_out,
        "redacted": settings.redact,
        "masked": [
            {"kind": kind, "values": count, "places": masking.places[kind]}
            for kind, count in sorted(masking.values.items())
        ],
    }
    contents["manifest.json"] = _json(manifest).encode()
    sizes = tuple((name, len(content)) for name, content in sorted(contents.items()))
    return Ticket(_packed(contents), sizes, tuple(left_out))


def environment(shown: Analysis, settings: Settings) -> dict[str, object]:
    """What ran where: each different setting with how many runs had it, and the rows of the table `environment`."""
    alike = shown.runs.group_by(_ENVIRONMENT, maintain_order=True).agg(pl.len().alias("runs"))
    inputs = shown.sources.select("source", "digest", "bytes", "lines", "encoding", "undecodable")
    return {
        "environments": json.loads(alike.head(50).write_json()),
        "server_starts": json.loads(shown.environment.head(50).write_json()),
        "inputs": json.loads(inputs.head(200).write_json()),
        "loras": sorted(shown.loras["name"].drop_nulls().unique().to_list())[:200],
        "settings": json_document.told(settings),
        "loganalyzer": __version__,
    }


def _report(shown: Analysis, settings: Settings, moment: datetime) -> tuple[str | None, int]:
    """The report, with as many runs as fit into its share of the archive; and how many were dropped."""
    for most in _FEWER_RUNS:
        part = _part(shown, most)
        if most is not None and part.runs.height == shown.runs.height:
            continue
        page = html.whole(part, settings, generated_at=moment)
        if len(_packed({"report.html": page.encode("utf-8", "backslashreplace")})) <= _REPORT:
            return page, shown.totals.runs - min(part.runs.height, MAX_RUNS)
    return None, shown.totals.runs


def _part(shown: Analysis, most: int | None) -> Analysis:
    if most is None:
        return shown
    note = f"of {shown.totals.runs:,} runs this report holds the gravest {most:,}, so that it fits into a ticket"
    return replace(select_worst_runs(shown, most), notes=(*shown.notes[:50], note), problems=shown.problems[:50])


def _text(shown: Analysis, settings: Settings) -> str:
    whole = markdown.render(shown, settings)
    if len(whole) <= MOST_TEXT:
        return whole
    parts = whole[:MOST_TEXT].split("\n\n### ")
    return "\n\n### ".join(parts[:-1] or parts) + "\n\nMore is in the report.\n"


def _left_out(slices: Sequence[Slice], unsliced: Sequence[str], dropped: int, *, has_report: bool) -> list[str]:
    said = [
        f"{part.stretch.source}, {part.stretch.title}: {part.left_out:,} of lines {part.stretch.first:,} to "
        f"{part.stretch.last:,} (a slice has at most {MOST_LINES} lines)"
        for part in slices
        if part.left_out
    ]
    said += unsliced
    if dropped and has_report:
        said.append(f"{dropped:,} runs of the report, the gravest were kept")
    if not has_report:
        said.append("the report: it would be too large")
    said.append("the rest of the logs: lines outside of these slices, and earlier states of progress bars")
    said.append(f"what follows the first {LONGEST:,} characters of a line")
    return said


def _safe(source: str) -> str:
    """A file name made of an input's name, which may be anything."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", source.replace("\\", "/").rpartition("/")[2]).strip("._-")
    return name[:60] or "log"


def _json(value: object) -> str:
    return html.embedded(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def _packed(contents: dict[str, bytes]) -> bytes:
    """The same bytes for the same contents, whenever and wherever they are packed."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(contents):
            entry = ZipInfo(name, _EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, contents[name])
    return out.getvalue()
