"""One run in full: its drawings, its tables, its settings and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loganalyzer.common import formatting
from loganalyzer.report import words
from loganalyzer.report.figures import growth, memory, schedule, timing
from loganalyzer.report.model import Cell, Mark, Pair, Run
from loganalyzer.report.page import run_tables
from loganalyzer.report.page.findings import mark
from loganalyzer.report.page.overview import quantization, status_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loganalyzer.report.facts import Row, RunFacts
    from loganalyzer.report.model import Figure
    from loganalyzer.settings.model import Settings

MOST_WITH_FIGURES: Final = 40
MOST_RUNS: Final = 120
FEW: Final = 3
"""So many runs are all shown opened."""
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
    "core": "ComfyUI's own nodes",
    "autosampler": "InfiniteTalkAutoSampler, with ComfyUI's own nodes",
    "lightx2v": "LightX2V",
    "meigen": "MeiGen's command line",
    "wan2gp": "Wan2GP",
}
_CODE: Final = frozenset({"arguments"})
_ABSENT: Final = {
    "Schedule": "no window's range is known, or there are too many to draw",
    "Step times": "no step's duration is known",
    "GPU memory": "the log holds no memory report for this run",
}
_NOT_DRAWN: Final = f"Drawings are left out: the page draws {MOST_WITH_FIGURES} runs, the gravest first."


def detail(facts: RunFacts, settings: Settings, *, drawn: bool, few: bool, alone: bool) -> Run:
    """The run's part of the page; opened where there are few runs, or where something must be changed."""
    told = settings_of(facts, settings)
    figures = figures_of(facts, settings) if drawn else ()
    grave = facts.worst in {"error", "warning"}
    return Run(
        anchor=facts.anchor,
        title=facts.place,
        mark=Mark(words.told(facts.run["status"]), status_kind(facts.run["status"])),
        worst=mark(facts.worst) if grave else None,
        facts=_brief(facts, settings.fps),
        opened=few or grave,
        findings=tuple(_finding(row) for row in facts["findings"][:_MOST_FINDINGS]),
        figures=figures,
        windows=run_tables.windows(facts, settings.fps),
        boundaries=run_tables.boundaries(facts, settings.fps),
        steps=run_tables.steps(facts) if drawn else None,
        paddings=run_tables.paddings(facts),
        memory=run_tables.memory(facts),
        settings=tuple(pair for pair in told if pair.text != words.NOTHING),
        untold=words.listed([pair.term for pair in told if pair.text == words.NOTHING], most=len(told)),
        not_checked=() if alone else _not_checked(facts),
        not_drawn=_absent(figures) if drawn else _NOT_DRAWN,
    )


def _not_checked(facts: RunFacts) -> tuple[Pair, ...]:
    """Each reason with the rules that it kept from checking."""
    reasons: dict[str, list[str]] = {}
    for row in facts["not_checked"]:
        reasons.setdefault(words.told(row["reason"]), []).append(words.told(row["rule"]))
    return tuple(Pair(", ".join(sorted(rules)), reason) for reason, rules in reasons.items())


def _finding(row: Row) -> Cell:
    return Cell(words.told(row["message"]), note=words.told(row["rule"]), kind=mark(row["severity"]).kind)


def figures_of(facts: RunFacts, settings: Settings) -> tuple[Figure, ...]:
    """The drawings of a run, as far as its log tells what they show."""
    total = facts.run["total_vram_gib"] or settings.total_vram_gib
    drawn = (
        schedule.draw(facts, settings.fps),
        timing.draw(facts, settings.step_outlier_factor),
        memory.draw(facts, facts.band, total),
        growth.draw(facts),
    )
    return tuple(figure for figure in drawn if figure is not None)


def _absent(figures: Sequence[Figure]) -> str:
    """Why a drawing is not there."""
    drawn = {figure.title for figure in figures}
    return " ".join(f"{title}: {why}." for title, why in _ABSENT.items() if title not in drawn)


def _brief(facts: RunFacts, fps: float) -> tuple[str, ...]:
    """The run in a line, beside its title."""
    run = facts.run
    expected, missing = run["expected_windows"], run["missing_frames"]
    said = (
        words.frames(run["audio_frames"], fps),
        words.NOTHING
        if expected is None
        else f"{words.count(run['observed_windows'])} of {formatting.plural(expected, 'window')}",
        f"{formatting.plural(missing, 'frame')} {'cut off' if facts.is_cut else 'missing'}"
        if missing
        else words.NOTHING,
        words.duration(run["total_s"]),
    )
    return tuple(text for text in said if text != words.NOTHING)


def settings_of(facts: RunFacts, settings: Settings) -> tuple[Pair, ...]:
    """Everything that the log tells about how the run was made, by its name; a dash for what it does not."""
    run = facts.run
    peak = run["peak_allocated_gib"]
    return (
        Pair("Log", words.told(run["source"]), code=True),
        Pair("From line", words.count(run["line"])),
        Pair("To line", words.count(run["end_line"])),
        Pair("Mode", words.told(run["mode"])),
        Pair("Sampled by", _PRODUCERS.get(run["producer"], words.told(run["producer"]))),
        Pair("Size", words.size(run["width"], run["height"])),
        Pair("Steps", words.count(run["steps"])),
        Pair("Speakers", words.count(run["speakers"])),
        Pair("Schedule", _schedule(run)),
        Pair("Audio", words.duration(run["audio_s"])),
        Pair("Frames asked for", words.count(run["requested_frames"])),
        *(Pair("LoRA", _lora(row), code=True) for row in facts["loras"][:8]),
        Pair("Quantization", quantization(run)),
        Pair("Blocks swapped", words.count(run["swapped_blocks"])),
        Pair("Peak covers", words.NOTHING if peak is None else words.covers(run["peak_covers"])),
        *(
            Pair(name, words.duration(run[column]))
            for name, column in (
                ("Sampling steps", "sampling_s"),
                ("VAE decoding", "decode_s"),
                ("All windows", "total_s"),
                ("Prompt", "prompt_s"),
            )
        ),
        Pair("GPU", words.told(run["gpu"] or settings.gpu)),
        Pair("GPU memory", words.gib(run["total_vram_gib"] or settings.total_vram_gib)),
        Pair("ComfyUI", words.told(run["comfyui_version"])),
        Pair("PyTorch", words.told(run["torch_version"])),
        *environment_of(run),
        Pair("Wrapper revision", words.told(run["wrapper_era"])),
        Pair("Run", words.told(run["run_id"]), code=True),
    )


def environment_of(run: Row) -> tuple[Pair, ...]:
    """What the server start above a run prints about itself, beside the card and the two main versions."""
    return tuple(Pair(title, words.told(run[column]), code=column in _CODE) for column, title in ENVIRONMENT.items())


def _schedule(run: Row) -> str:
    if run["window_frames"] is None:
        return words.NOTHING
    how = "observed" if run["schedule_observed"] else "as configured"
    window = formatting.plural(run["window_frames"], "frame")
    return f"{window}, overlap {words.count(run['motion_frames'])}, stride {words.count(run['stride'])} ({how})"


def _lora(row: Row) -> str:
    rank = f", rank {row['rank']}" if row["rank"] is not None else ""
    strength = f", strength {words.visible(row['strength'])}" if row["strength"] else ""
    return f"{words.told(row['name'])}{rank}{strength}"
