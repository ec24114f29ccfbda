"""Text that tries to be more than text, and its ways in: log, file name, LoRA name, document of a ticket."""

from __future__ import annotations

import json
from typing import Any

import logtext as log
import polars as pl

from loganalyzer.common import clock
from loganalyzer.pipeline import analyze, analyze_inputs
from loganalyzer.report import json_document
from loganalyzer.report.formats import reader
from loganalyzer.report.page import html
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.schema import SCHEMAS

ATTACKS = {
    "script": "<script>window.pwned = 1</script>",
    "image": "<img src=x onerror='window.pwned = 1'>",
    "vector": "\"><svg onload='window.pwned = 1'>",
    "frame": "<iframe srcdoc='<script>parent.pwned = 1</script>'></iframe>",
    "style": "</style><style>@import url(https://example.org/x.css); body { background: url(https://example.org/x) }",
    "meta": "<meta http-equiv=refresh content='0;url=https://example.org/'><base href='https://example.org/'>",
    "scheme": "javascript:window.pwned=1",
    "markdown link": "[x](javascript:window.pwned=1) ![x](https://example.org/x.png) <https://example.org>",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}<%= 7*7 %>",
    "end of data": "</script><script>window.pwned = 1</script>",
    "comment": "<!--<script>",
    "end of comment": "--><script>window.pwned = 1</script>",
    "double quote": "\" onmouseover=\"window.pwned = 1\" autofocus onfocus=\"window.pwned = 1\" x=\"",
    "single quote": "' onmouseover='window.pwned = 1' autofocus onfocus='window.pwned = 1' x='",
    "entity": "&lt;script&gt;window.pwned = 1&lt;/script&gt;&#60;img src=x&#62;",
    "svg": "</text></svg><script>window.pwned = 1</script><svg><text>",
    "cdata": "]]><script>window.pwned = 1</script><![CDATA[",
    "table": "| a | b | `c` **d** ~~e~~ @everyone #1",
    "fence": "``` ```` ~~~ <details open ontoggle=window.pwned=1>",
    "terminal": "\x1b[2J\x1b]0;owned\x07\x1b]8;;https://example.org\x07x\x9b31m\x08\x08",
    "direction": "\u202egpj.exe\u2066\u200b\ufeff",
    "separators": "a\u2028b\u2029c\x85d\x0be",
    "json": "\\u003cscript\\u003e\",\"x\":1}],\"y\":[{\"",
    "mathematics": "$x^2$ \\frac{1}{2}",
    "dashes": "--help; $(touch x) `touch x` %s %n {0}",
}  # fmt: skip


def log_of(text: str) -> bytes:
    """A padded, failed run whose foreign parts all hold `text`."""
    return (
        log.BANNER.replace("NVIDIA GeForce RTX 5090", f"NVIDIA {text}").replace("0.3.64", f"0.3.64 {text}")
        + log.ARRIVAL
        + f"Loading LoRA: {text} rank256 with strength: {text}\n"
        + log.run(427)
        + f"[{text}] Max allocated memory: max_memory=15.000 GB\n"
        + f"!!! Exception during processing !!! {text}\n"
        + f"Sampling 250 frames in {text} windows, at\n"
        + log.EXECUTED
    ).encode("utf-8", "surrogatepass")


def from_logs() -> Analysis:
    """One log per attack, with the attack in its name as well."""
    named = [from_bytes(f"/logs/{text}/{text}.log", log_of(text)) for text in ATTACKS.values()]
    return analyze_inputs(named, Settings(redact=False))


def from_documents(sample: str) -> Analysis:
    """The document of a sample, with an attack in every text of every table in turn."""
    attacks = list(ATTACKS.values())
    told: dict[str, Any] = json.loads(
        json_document.to_json(analyze([sample]), generated_at=clock.now(), version="0", settings=Settings())
    )
    place = 0
    for table, schema in SCHEMAS.items():
        words = [name for name, dtype in schema.items() if dtype == pl.String and name not in {"run_id", "severity"}]
        for row in told[table]:
            for name in words:
                row[name] = attacks[place % len(attacks)]
                place += 1
    told["problems"] = told["notes"] = attacks
    told["tool"]["version"] = told["generated_at"] = attacks[0]
    told["settings"] |= {"quantization": attacks[1], "gpu": attacks[2], "baselines": attacks[3], "ignore": attacks}
    told["settings"]["severities"] = dict.fromkeys(attacks, attacks[5])
    del told["verdict"], told["complete"]  # as the tables are changed, these would give the forgery away
    return reader.parse_document(json.dumps(told).encode(), "theirs.json").analysis


def page_of(analysis: Analysis, settings: Settings | None = None) -> str:
    """The report with its document inside, as the command writes it."""
    chosen, moment = settings or Settings(), clock.now()
    inside = json_document.to_json(
        json_document.limit_to_embedded(analysis), generated_at=moment, version="0", settings=chosen
    )
    return html.render_page(analysis, chosen, generated_at=moment, document=inside)
