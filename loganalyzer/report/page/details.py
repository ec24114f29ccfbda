"""Builds the details section of one run: figures, tables, settings and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.figures import growth, memory, schedule, timing
from loganalyzer.report.model import Cell, Mark, Pair, Run
from loganalyzer.report.page import run_tables
from loganalyzer.report.page.findings import severity_mark
from loganalyzer.report.page.overview import quantization_text, status_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row, RunFacts
    from loganalyzer.report.model import Figure
    from loganalyzer.settings.model import Settings

MOST_WITH_FIGURES: Final = 10
MOST_RUNS: Final = 120
MOST_OPENED: Final = 3
"""Up to so many runs, their details start unfolded, and are printed."""
MOST_WITH_STEPS: Final = 10
"""Up to so many runs, their step times are also in a table. The figures and the JSON document have them anyway."""
"""Up to this number of runs, every run starts unfolded."""
_MOST_FINDINGS: Final = 40
ENVIRONMENT: Final = {
    "attention": "Attention",
    "precision": "Precision",
    "vram_state": "VRAM state",
    "memory_options": "Memory options",
    "driver": "Driver",
    "python_version": "Python",
    "frontend_version": "Frontend",
    "arguments": "Options",
    "packages": "Libraries",
    "custom_nodes": "Custom nodes",
}
_PRODUCERS: Final = {
    "wrapper": "WanVideoWrapper",
    "core": "ComfyUI core nodes",
    "autosampler": "InfiniteTalkAutoSampler with ComfyUI core nodes",
    "lightx2v": "LightX2V",
    "meigen": "MeiGen command line",
    "wan2gp": "Wan2GP",
}
_CODE_COLUMNS: Final = frozenset({"arguments"})
_WHY_MISSING: Final = {
    "Schedule": "window ranges are unknown, or there are too many windows to draw",
    "Step times": "step durations are unknown",
    "GPU memory": "the log has no memory report for this run",
}
"""By title of a figure: why a run lacks it."""
_NOT_DRAWN: Final = f"No figures: this page draws only the {MOST_WITH_FIGURES} runs with the most severe findings."


def build_run(facts: RunFacts, settings: Settings, *, drawn: bool, number: int) -> Run:
    """The details section of a run. It starts unfolded if there are few runs.

    `drawn` adds the figures. `number` is the number of runs with details. The page lists the skipped checks of a single
    run, so that its details do not.
    """
    pairs = setting_pairs(facts, settings)
    figures = draw_figures(facts, settings) if drawn else ()
    is_severe = facts.worst in {"error", "warning"}
    return Run(
        anchor=facts.anchor,
        title=facts.place,
        mark=Mark(words.or_dash(facts.run["status"]), status_kind(facts.run["status"])),
        worst=severity_mark(facts.worst) if is_severe else None,
        facts=_summarize(facts, settings.fps),
        opened=number <= MOST_OPENED,
        findings=tuple(_finding_cell(row) for row in facts["findings"][:_MOST_FINDINGS]),
        figures=figures,
        windows=run_tables.window_table(facts, settings.fps),
        boundaries=run_tables.boundary_table(facts, settings.fps),
        steps=run_tables.step_table(facts) if drawn and number <= MOST_WITH_STEPS else None,
        paddings=run_tables.padding_table(facts),
        memory=run_tables.memory_table(facts),
        nodes=run_tables.node_table(facts),
        events=run_tables.event_table(facts),
        settings=tuple(pair for pair in pairs if pair.text != words.DASH),
        not_in_log=words.join_first([pair.term for pair in pairs if pair.text == words.DASH], most=len(pairs)),
        not_checked=() if number == 1 else _unchecked_pairs(facts),
        not_drawn=_explain_missing_figures(figures) if drawn else _NOT_DRAWN,
    )


def _unchecked_pairs(facts: RunFacts) -> tuple[Pair, ...]:
    """The skipped rules of the run, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for row in facts["not_checked"]:
        reasons.setdefault(words.or_dash(row["reason"]), []).append(words.or_dash(row["rule"]))
    return tuple(Pair(", ".join(sorted(rules)), reason) for reason, rules in reasons.items())


def _finding_cell(row: Row) -> Cell:
    return Cell(
        words.or_dash(row["message"]), note=words.or_dash(row["rule"]), kind=severity_mark(row["severity"]).kind
    )


def draw_figures(facts: RunFacts, settings: Settings) -> tuple[Figure, ...]:
    """The figures of a run for which the log has data."""
    total = facts.run["total_vram_gib"] or settings.total_vram_gib
    drawn = (
        schedule.draw(facts, settings.fps),
        timing.draw(facts, settings.step_outlier_factor),
        memory.draw(facts, facts.band, total),
        growth.draw(facts),
    )
    return tuple(figure for figure in drawn if figure is not None)


def _explain_missing_figures(figures: Sequence[Figure]) -> str:
    """A sentence for each figure that is missing: its title and the reason."""
    drawn = {figure.title for figure in figures}
    return " ".join(f"{title}: {why}." for title, why in _WHY_MISSING.items() if title not in drawn)


def _summarize(facts: RunFacts, fps: float) -> tuple[str, ...]:
    """The key numbers of the run, shown next to its title: audio, windows, missing frames, duration."""
    run = facts.run
    expected, missing = run["expected_windows"], run["missing_frames"]
    parts = (
        words.frames(run["audio_frames"], fps),
        words.DASH
        if expected is None
        else f"{words.count(run['observed_windows'])} of {formatting.plural(expected, 'window')}",
        f"{formatting.plural(missing, 'frame')} {'cut off' if facts.is_cut else 'missing'}" if missing else words.DASH,
        words.duration(run["total_s"]),
    )
    return tuple(text for text in parts if text != words.DASH)


def setting_pairs(facts: RunFacts, settings: Settings) -> tuple[Pair, ...]:
    """All that the log records about how the run was made, by name; a dash for what is not in the log."""
    run = facts.run
    peak = run["peak_allocated_gib"]
    return (
        Pair("Log", words.or_dash(run["source"]), code=True),
        Pair("First line", words.count(run["line"])),
        Pair("Last line", words.count(run["end_line"])),
        Pair("Mode", words.or_dash(run["mode"])),
        Pair("Sampler", _PRODUCERS.get(run["producer"], words.or_dash(run["producer"]))),
        Pair("Size", words.size(run["width"], run["height"])),
        Pair("Steps", words.count(run["steps"])),
        Pair("Speakers", words.count(run["speakers"])),
        Pair("Schedule", _schedule_text(run)),
        Pair("Audio", words.duration(run["audio_s"])),
        Pair("Frames requested", words.count(run["requested_frames"])),
        *(Pair("LoRA", _lora_text(row), code=True) for row in facts["loras"][:8]),
        Pair("Model", words.or_dash(run["model"]), code=True),
        Pair("Quantization", quantization_text(run)),
        Pair("Adapter", words.or_dash(run["adapter"]), code=True),
        Pair("Attention of the sampler", words.or_dash(run["sampler_attention"])),
        Pair("Blocks swapped", words.count(run["swapped_blocks"])),
        Pair("Peak covers", words.DASH if peak is None else words.covers(run["peak_covers"])),
        *(
            Pair(name, words.duration(run[column]))
            for name, column in (
                ("Sampling steps", "sampling_s"),
                ("VAE decoding", "decode_s"),
                ("All windows", "total_s"),
                ("Prompt", "prompt_s"),
            )
        ),
        Pair("GPU", words.or_dash(run["gpu"] or settings.gpu)),
        Pair("GPU memory", words.gib(run["total_vram_gib"] or settings.total_vram_gib)),
        Pair("ComfyUI", words.or_dash(run["comfyui_version"])),
        Pair("PyTorch", words.or_dash(run["torch_version"])),
        *environment_pairs(run),
        Pair("Wrapper revision", words.or_dash(run["wrapper_era"])),
        Pair("Run", words.or_dash(run["run_id"]), code=True),
    )


def environment_pairs(run: Row) -> tuple[Pair, ...]:
    """What the server printed about itself at startup, besides the GPU and the ComfyUI and PyTorch versions."""
    return tuple(
        Pair(title, words.or_dash(run[column]), code=column in _CODE_COLUMNS) for column, title in ENVIRONMENT.items()
    )


def _schedule_text(run: Row) -> str:
    if run["window_frames"] is None:
        return words.DASH
    how = "observed" if run["schedule_observed"] else "configured"
    window = formatting.plural(run["window_frames"], "frame")
    return f"{window}, overlap {words.count(run['motion_frames'])}, stride {words.count(run['stride'])} ({how})"


def _lora_text(row: Row) -> str:
    rank = f", rank {row['rank']}" if row["rank"] is not None else ""
    strength = f", strength {words.visible(row['strength'])}" if row["strength"] else ""
    return f"{words.or_dash(row['name'])}{rank}{strength}"
