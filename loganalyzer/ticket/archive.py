"""Packs the archive of a ticket and lists what it omits. The same input gives the same bytes."""

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
from loganalyzer.ticket.slices import MOST_LINE_CHARACTERS, MOST_LINES, Slice

MOST_ARCHIVE_BYTES: Final = 1_000_000
"""Maximum size of an archive."""
_MOST_REPORT_BYTES: Final = 550_000
"""Maximum size of the compressed report. The rest of the archive is for the slices."""
_RUN_LIMITS: Final = (None, 200, 80, 30, 10, 3)
"""Numbers of runs to try until the report is small enough; the worst runs are kept. None: all runs."""
MOST_TEXT: Final = 60_000
"""Maximum characters of the text to paste. Issue trackers accept about 65,000."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_ENVIRONMENT_COLUMNS: Final = (
    "gpu", "total_vram_gib", "comfyui_version", "torch_version", "attention", "precision", "vram_state", "wrapper_era",
    "lora_rank", "quantization", "model", "adapter", "sampler_attention",
)  # fmt: skip


@dataclass(frozen=True)
class Ticket:
    """The finished archive, the name and size of each file in it, and what it omits."""

    data: bytes
    files: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]


def pack_ticket(
    shown: Analysis,
    slices: Sequence[Slice],
    masking: Masker,
    settings: Settings,
    *,
    generated_at: datetime,
    unsliced: Sequence[str],
) -> Ticket:
    """An archive of less than `MOST_ARCHIVE_BYTES` bytes.

    Args:
        shown: the masked tables.
        slices: the masked slices of the logs.
        masking: the masker that was used, for the counts.
        settings: the settings that produced the tables.
        generated_at: the time of writing.
        unsliced: sentences about what has no slice.
    """
    report, dropped = _render_report(shown, settings, generated_at)
    text = _render_text(shown, settings)
    files = {"ticket.md": text, "environment.json": _to_json(environment_document(shown, settings))}
    if report is not None:
        files["report.html"] = report
    for number, part in enumerate(slices, 1):
        files[f"logs/{number:02d}-{_safe_name(part.section.source)}-{part.section.title}.log"] = part.text
    left_out = _describe_omissions(slices, unsliced, dropped, has_report=report is not None)
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
    contents["manifest.json"] = _to_json(manifest).encode()
    sizes = tuple((name, len(content)) for name, content in sorted(contents.items()))
    return Ticket(_zip_bytes(contents), sizes, tuple(left_out))


def environment_document(shown: Analysis, settings: Settings) -> dict[str, object]:
    """The content of `environment.json`: each distinct environment with its number of runs, server starts, inputs."""
    environments = shown.runs.group_by(_ENVIRONMENT_COLUMNS, maintain_order=True).agg(pl.len().alias("runs"))
    inputs = shown.sources.select("source", "digest", "bytes", "lines", "encoding", "undecodable")
    return {
        "environments": json.loads(environments.head(50).write_json()),
        "server_starts": json.loads(shown.environment.head(50).write_json()),
        "inputs": json.loads(inputs.head(200).write_json()),
        "loras": sorted(shown.loras["name"].drop_nulls().unique().to_list())[:200],
        "settings": json_document.setting_values(settings),
        "loganalyzer": __version__,
    }


def _render_report(shown: Analysis, settings: Settings, moment: datetime) -> tuple[str | None, int]:
    """The report with as many runs as fit (None if not even three fit), and the number of omitted runs."""
    for most in _RUN_LIMITS:
        part = _limit_runs(shown, most)
        if most is not None and part.runs.height == shown.runs.height:
            continue
        page = html.render_analysis(part, settings, generated_at=moment)
        if len(_zip_bytes({"report.html": page.encode("utf-8", "backslashreplace")})) <= _MOST_REPORT_BYTES:
            return page, shown.totals.runs - min(part.runs.height, MAX_RUNS)
    return None, shown.totals.runs


def _limit_runs(shown: Analysis, most: int | None) -> Analysis:
    if most is None:
        return shown
    note = f"this report shows only the {most:,} worst of {shown.totals.runs:,} runs, so that it fits into a ticket"
    return replace(select_worst_runs(shown, most), notes=(*shown.notes[:50], note), problems=shown.problems[:50])


def _render_text(shown: Analysis, settings: Settings) -> str:
    text = markdown.render_analysis(shown, settings)
    if len(text) <= MOST_TEXT:
        return text
    parts = text[:MOST_TEXT].split("\n\n### ")
    return "\n\n### ".join(parts[:-1] or parts) + "\n\nThe report has the rest.\n"


def _describe_omissions(
    slices: Sequence[Slice], unsliced: Sequence[str], dropped: int, *, has_report: bool
) -> list[str]:
    omitted = [
        f"{part.section.source}, {part.section.title}: {part.left_out:,} of lines {part.section.first:,} to "
        f"{part.section.last:,} (a slice has at most {MOST_LINES} lines)"
        for part in slices
        if part.left_out
    ]
    omitted += unsliced
    if dropped and has_report:
        omitted.append(f"{dropped:,} runs of the report (the worst were kept)")
    if not has_report:
        omitted.append("the report (too large)")
    omitted.append("log lines outside these slices, and earlier states of progress bars")
    omitted.append(f"everything after the first {MOST_LINE_CHARACTERS:,} characters of a line")
    return omitted


def _safe_name(source: str) -> str:
    """A safe file name from the name of an input, which may contain any characters."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", source.replace("\\", "/").rpartition("/")[2]).strip("._-")
    return name[:60] or "log"


def _to_json(value: object) -> str:
    return html.escape_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def _zip_bytes(contents: dict[str, bytes]) -> bytes:
    """The contents as a ZIP archive. The same contents always give the same bytes."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(contents):
            entry = ZipInfo(name, _EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, contents[name])
    return out.getvalue()
