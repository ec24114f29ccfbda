"""Analyses as the pipeline makes them: a padded run, an aligned one, one out of memory, and a hostile one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from loganalyzer.report.json_document import to_json
from loganalyzer.report.page.html import render_page
from loganalyzer.settings.model import Settings
from loganalyzer.tables import schema
from loganalyzer.tables.analysis import Analysis

MOMENT = datetime(2025, 11, 22, 6, 30, tzinfo=UTC)
NIGHT = "/data/logs/2025-11-21-night.log"
UPDATED = "/data/logs/2026-01-14-after-update.log"
LORA = "lightx2v_I2V_14B_480p_cfg_step_distill_rank256_bf16"


@dataclass
class Tables:
    """Rows by table; becomes an Analysis."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def analysis(self) -> Analysis:
        frames = {
            name: schema.conform(pl.DataFrame(rows, infer_schema_length=None), name) for name, rows in self.rows.items()
        }
        return Analysis(**frames, problems=self.problems)


def add_run(into: Tables, name: str, source: str, line: int, **run: Any) -> None:
    """A run of 81/9 windows at 1280x720 with its prompt, LoRA, windows and steps; `run` overrides."""
    audio, seen = run["audio_frames"], run.pop("seen", None)
    expected = max(1, -(-(audio - 81) // 72) + 1)
    seen = expected if seen is None else seen
    base = {
        "run_id": name, "prompt_id": f"{name}-P", "source": source, "line": line, "end_line": line + 3 * expected + 8,
        "mode": "infinitetalk", "status": "completed", "width": 1280, "height": 720, "steps": 4, "speakers": 1,
        "announced_windows": audio // 72 + 1, "observed_windows": seen, "expected_windows": expected,
        "window_frames": 81, "motion_frames": 9, "drop_frames": 0, "stride": 72, "schedule_observed": True,
        "aligned": audio % 72 == 9, "missing_frames": 0, "mirrored": False, "lora_rank": 256, "quantization": "Q6_K",
        "quantization_source": "option", "total_s": 22.6 * seen, "sampling_s": 20.6 * seen, "decode_s": 2.0 * seen,
        "prompt_s": 22.6 * seen + 41.3, "gpu": "NVIDIA GeForce RTX 5090", "total_vram_gib": 31.84,
        "comfyui_version": "0.3.64", "torch_version": "2.8.0+cu128", "wrapper_era": "2025-09-06..2025-12-01",
    }  # fmt: skip
    into.add("runs", **base | run)
    into.add("prompts", prompt_id=f"{name}-P", source=source, line=line - 3, status=run.get("status", "completed"))
    into.add("loras", prompt_id=f"{name}-P", name=LORA, rank=256, strength="0.8", line=line - 2)
    for window in range(1, expected + 1):
        add_window(into, name, window, line, seen=window <= seen)


def add_window(into: Tables, name: str, window: int, line: int, *, seen: bool) -> None:
    start = 72 * (window - 1)
    row = {"run_id": name, "window": window, "expected_start": start, "expected_end": start + 81}
    if not seen:
        into.add("windows", **row)
        return
    durations = [5.05 + 0.04 * ((window * 7 + step * 3) % 5) for step in range(4)]
    if window == 3:
        durations[1] = 11.24
    for step, duration in enumerate(durations, 1):
        into.add(
            "steps", run_id=name, window=window, step=step, duration_s=duration, uncertainty_s=0.012, method="rate",
            line=line + window,
        )  # fmt: skip
    total = sum(durations)
    into.add(
        "windows", **row, audio_start=start, audio_end=start + 81, steps_done=4, steps_total=4, sampling_s=total,
        total_s=total + 2.0, s_per_step=total / 4, line=line + window, matches=True,
    )  # fmt: skip


def finding(into: Tables, rule: str, name: str, severity: str, run: str, where: tuple[str, int], *texts: str) -> None:
    said = dict(zip(("message", "observed", "expected", "fix"), texts, strict=True))
    into.add("findings", rule=rule, name=name, severity=severity, run_id=run, source=where[0], line=where[1], **said)


def excerpts(into: Tables, source: str, *lines: tuple[int, str]) -> None:
    for line, text in lines:
        into.add("excerpts", source=source, line=line, event="message", text=text)


def add_padded(into: Tables, name: str = "padded-R4", source: str = NIGHT, line: int = 4) -> None:
    """A = 427: 14 frames of the sixth window have no audio."""
    add_run(
        into, name, source, line, audio_frames=427, audio_s=17.084, missing_frames=14, peak_allocated_gib=14.969,
        peak_reserved_gib=16.095, peak_covers="stage",
    )  # fmt: skip
    into.add(
        "paddings",
        run_id=name,
        window=6,
        subject=0,
        have=427,
        need=441,
        padding=17,
        missing=14,
        context=3,
        line=line + 6,
    )
    into.add(
        "memory",
        run_id=name,
        phase=None,
        allocated_gib=0.205,
        max_allocated_gib=14.969,
        max_reserved_gib=16.095,
        line=line + 9,
    )
    finding(
        into, "AUD001", "audio-shortfall", "error", name, (source, line + 6),
        "14 frames (0.56 s) are missing: frames 427 to 440 of the video (0:17.08 to 0:17.64) are driven by encoded "
        "silence, not by the audio.",
        "14 frames missing (have 427, need 441)", "0 frames missing",
        "Cut to 369 frames (14.76 s), the largest aligned count the audio fills; or render 441 frames and cut the "
        "video back to 427; or supply 0.56 s more audio for 441 frames.",
    )  # fmt: skip
    finding(
        into, "TIM003", "step-outlier", "warning", name, (source, line + 3),
        "Step 2 of window 3 took 11.24 s, 2.2 times the run's median of 5.13 s.", "11.24 s", "7.70 s at most",
        "Look for another process on the card, or for thermal throttling.",
    )  # fmt: skip
    excerpts(
        into, source,
        (line, "Sampling 427 frames in 6 windows, at 1280x720 with 4 steps"),
        (line + 3, "Sampling audio indices 144-225: 100%|██████████| 4/4 [00:28<00:00,  7.17s/it]"),
        (line + 5, "Sampling audio indices 288-369: 100%|██████████| 4/4 [00:22<00:00,  5.61s/it]"),
        (line + 6, "Audio embedding for subject 0 not long enough: 427, need 441, padding..."),
        (line + 7, "Padding length: 17"),
        (line + 9, "Max allocated memory: max_memory=14.969 GB"),
    )  # fmt: skip


def add_aligned(into: Tables, name: str = "aligned-R4", source: str = UPDATED, line: int = 4) -> None:
    """A = 369: nothing is missing; the printed peak is the last decode's."""
    add_run(
        into, name, source, line, audio_frames=369, audio_s=14.76, peak_allocated_gib=9.211, peak_reserved_gib=11.5,
        peak_covers="last-decode", wrapper_era="2025-12-31..",
    )  # fmt: skip
    into.add(
        "paddings", run_id=name, window=5, subject=0, have=369, need=369, padding=3, missing=0, context=3, line=line + 5
    )
    into.add("memory", run_id=name, phase="Sampling", max_allocated_gib=9.211, max_reserved_gib=11.5, line=line + 8)
    finding(
        into, "MEM007", "peak-not-sampling", "info", name, (source, line + 8),
        "The printed 9.211 GiB is the peak of the last window's VAE decode, not the sampling peak.",
        "last-decode", "stage", "Read the sampling peak off nvidia-smi.",
    )  # fmt: skip
    excerpts(into, source, (line + 8, "[Sampling] Max allocated memory: max_memory=9.211 GB"))
    for rule, rule_name in (("MEM001", "vram-above-baseline"), ("MEM002", "vram-below-baseline")):
        into.add(
            "not_checked", rule=rule, name=rule_name, run_id=name, source=source,
            reason="this wrapper version does not print the sampling peak",
        )  # fmt: skip


def add_out_of_memory(into: Tables, name: str = "oom-R30", source: str = NIGHT, line: int = 30) -> None:
    """A = 297: two of four windows, then no memory."""
    add_run(
        into, name, source, line, audio_frames=297, seen=2, status="failed", missing_frames=None, quantization=None,
        quantization_source=None, total_s=None,
    )  # fmt: skip
    finding(
        into, "RUN002", "out-of-memory", "error", name, (source, line + 3),
        "The prompt ran out of GPU memory after 2 of 4 windows: Allocation on device",
        "Allocation on device", "completed",
        "Swap more transformer blocks, use tiled VAE, a smaller size or a lighter quantisation.",
    )  # fmt: skip
    excerpts(
        into, source,
        (line + 3, "!!! Exception during processing !!! Allocation on device"),
        (line + 4, "Traceback (most recent call last):"),
        (line + 11, "Got an OOM, unloading all loaded models."),
    )  # fmt: skip
    into.add(
        "not_checked", rule="MOD001", name="quantization-below-resolution", run_id=name, source=source,
        reason="no quantisation is known: declare it (--quantization)",
    )  # fmt: skip


def add_source(into: Tables, source: str, lines: int = 48) -> None:
    into.add(
        "sources", source=source, digest="9e9334de76e4eeef4ea6b13857d62444de2429c2", bytes=lines * 181, lines=lines,
        encoding="utf-8", undecodable=0, records=lines - 6, near=0, unknown=6,
    )  # fmt: skip


@pytest.fixture
def moment() -> datetime:
    return MOMENT


@pytest.fixture
def three_runs() -> Analysis:
    """The padded, the aligned and the failed run, in two logs."""
    into = Tables()
    add_source(into, NIGHT)
    add_source(into, UPDATED)
    add_padded(into)
    add_out_of_memory(into)
    add_aligned(into)
    return into.analysis()


@pytest.fixture
def aligned_run() -> Analysis:
    into = Tables()
    add_source(into, UPDATED)
    add_aligned(into)
    return into.analysis()


@pytest.fixture
def many_runs() -> Callable[[int], Analysis]:
    """So many runs, each kind in turn, each in a log of its own."""

    def made(count: int) -> Analysis:
        into = Tables()
        for number in range(count):
            source = f"/data/logs/night-{number:04d}.log"
            add_source(into, source)
            kind = (add_padded, add_aligned, add_out_of_memory)[number % 3]
            kind(into, f"run-{number:04d}", source)
        return into.analysis()

    return made


HOSTILE = "</script></style><img src=x onerror=alert(1)>\"'{{ 7*7 }}&amp;\x1b[31m\u202e"


@pytest.fixture
def hostile() -> Analysis:
    """Every text that can come from a log, a file name or a LoRA name tries to break out."""
    source = f"/logs/{HOSTILE}.log"
    into = Tables(problems=(f"{HOSTILE}: cannot be read \udcff",))
    add_source(into, source)
    words = (
        "mode",
        "quantization",
        "quantization_source",
        "gpu",
        "comfyui_version",
        "torch_version",
        "wrapper_era",
        "stream",
    )
    add_run(
        into, f"R{HOSTILE}", source, 4, audio_frames=427, peak_allocated_gib=1.0, peak_covers=HOSTILE,
        status=HOSTILE, **dict.fromkeys(words, HOSTILE),
    )  # fmt: skip
    into.rows["loras"][0]["name"] = HOSTILE
    into.rows["loras"][0]["strength"] = HOSTILE
    into.rows["sources"][0]["encoding"] = HOSTILE
    into.rows["sources"][0]["digest"] = HOSTILE
    into.rows["steps"][0]["method"] = HOSTILE
    into.add("memory", run_id=f"R{HOSTILE}", phase=HOSTILE, max_allocated_gib=1.0, line=3)
    finding(
        into, HOSTILE, HOSTILE, "error", f"R{HOSTILE}", (source, 4), *[f"{HOSTILE} ```\n# {word}" for word in "mofe"]
    )
    finding(into, "AUD001", HOSTILE, "error", f"R{HOSTILE}", (source, 5), *[HOSTILE] * 4)
    excerpts(into, source, (4, f"```{HOSTILE}"), (5, HOSTILE))
    into.add("not_checked", rule=HOSTILE, name=HOSTILE, run_id=f"R{HOSTILE}", source=source, reason=HOSTILE)
    into.add("near_misses", source=source, line=1, pattern=HOSTILE, column=1, expected=HOSTILE, text=HOSTILE)
    return into.analysis()


@pytest.fixture
def rendered() -> Callable[..., str]:
    """An analysis as a page, its own JSON document inside."""

    def made(analysis: Analysis, settings: Settings | None = None, moment: datetime = MOMENT) -> str:
        printable = replace(
            analysis, problems=tuple(text.encode("utf-8", "replace").decode() for text in analysis.problems)
        )
        document = to_json(printable, generated_at=moment, version="0")
        return render_page(analysis, settings or Settings(), generated_at=moment, document=document)

    return made
