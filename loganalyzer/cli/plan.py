"""`loganalyze plan`: finds frame counts that fit an audio, before a render."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loganalyzer.cli import targets
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import RATE, Number, configuration, settings
from loganalyzer.cli.output import STDOUT, put

if TYPE_CHECKING:
    from loganalyzer.planner.expected import Expectation
    from loganalyzer.planner.plan import Sound
    from loganalyzer.settings.model import Settings
    from loganalyzer.workflow.requested import SamplerSettings

_SIZE = re.compile(r"^(\d{2,5})[xX](\d{2,5})$")
_PATH = click.Path(path_type=Path)
_TABLE_WINDOWS = 30


@click.command(
    cls=CommandWithExamples,
    short_help="Find the frame count that fits an audio.",
    examples=(
        "loganalyze plan speech.wav",
        "loganalyze plan 17.084 --workflow talk.json",
        "loganalyze plan anna.wav ben.wav --multi add",
        "loganalyze plan --table --rows 10",
    ),
)
@click.argument("audio", nargs=-1, metavar="AUDIO|SECONDS")
@click.option("--frames", type=click.IntRange(1, 10_000_000), help="Plan for this many frames of audio.")
@click.option("--fps", type=RATE, help="Set frames per second.  [default: 25]")
@click.option("--window", "window_frames", type=click.IntRange(5), help="Set frames per window.  [default: 81]")
@click.option("--motion", "motion_frames", type=click.IntRange(0), help="Set frames that windows share.  [default: 9]")
@click.option(
    "--multi",
    type=click.Choice(["para", "add"]),
    default="para",
    show_default=True,
    help="Mix speakers: at the same time (para) or in turn (add).",
)
@click.option("--workflow", type=_PATH, help="Plan for this workflow.")
@click.option("--gpu", metavar="NAME", help="Set the GPU, e.g. 'RTX 5090'.")
@click.option("--size", metavar="WxH", help="Set the video's size, e.g. 1280x720.")
@click.option("--steps", type=click.IntRange(1), help="Set steps per window.")
@click.option("--quantization", metavar="NAME", help="Set the model's quantization, e.g. Q6_K.")
@click.option("--price-per-hour", type=Number(0, 1_000_000), help="Set the price of a GPU hour in USD.")
@click.option("--baselines", type=_PATH, help="Add baselines. They replace shipped ones.")
@click.option("--native", is_flag=True, help="Plan for ComfyUI's own InfiniteTalk nodes.")
@click.option("--table", is_flag=True, help="List aligned frame counts instead.")
@click.option(
    "--rows", type=click.IntRange(1, 10_000), default=_TABLE_WINDOWS, show_default=True, help="Set the number of rows."
)
@click.option("--json", "json_file", metavar="FILE|-", help="Write the plan as JSON.")
@click.option("--config", "config_file", type=_PATH, help="Use this configuration file.")
def plan(audio: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Find the frame count that fits an audio: what to type, what it takes, what will be padded.

    AUDIO are files (wav, mp3, flac, m4a, ogg), one per speaker, or lengths (17.084, 1:02.5).
    """
    from loganalyzer.planner import document
    from loganalyzer.planner import plan as planning

    found = configuration(options["config_file"])
    targets.check({"--json": options["json_file"]}, (*targets.configured(found, options), *audio))
    requested = _load_workflow(options["workflow"])
    options["native"] = options["native"] or bool(requested and requested.clips)
    chosen = _with_workflow(settings(found, options), requested, options)
    windows = planning.Windows(chosen.window_frames, chosen.motion_frames, _dropped_frames(chosen, requested, options))
    expected = _expected(chosen, requested, options)
    if options["table"]:
        if audio or options["frames"]:
            raise click.UsageError("--table lists all aligned counts: it takes no audio and no --frames")
        choices = (
            planning.list_native_aligned(options["rows"], windows)
            if options["native"]
            else planning.list_aligned(options["rows"], chosen.fps, windows)
        )
        _write_plan(
            options["json_file"],
            document.table_document(choices, chosen.fps, windows),
            document.table_rows(choices, chosen.fps, expected),
        )
        return
    made = (
        planning.make_native_plan(_native_sound(audio, chosen, options), windows)
        if options["native"]
        else planning.make_plan(_sound(audio, chosen, options), chosen.fps, windows)
    )
    lines = [*document.to_text(made, expected), *_input_lines(requested)]
    _write_plan(options["json_file"], document.to_document(made, expected, audio) | _node_document(requested), lines)


def _write_plan(target: str | None, plan_document: dict[str, Any], lines: Any) -> None:  # noqa: ANN401
    if target:
        put(target, json.dumps(plan_document, ensure_ascii=False, indent=1) + "\n")
    if target != STDOUT:
        for line in lines:
            click.echo(line)


def _load_workflow(workflow: Path | None) -> SamplerSettings | None:
    from loganalyzer.workflow.reading import load_workflow

    return load_workflow(workflow).first if workflow else None


def _with_workflow(chosen: Settings, requested: SamplerSettings | None, options: dict[str, Any]) -> Settings:
    """Returns the settings with the workflow's values where no option is given."""
    if requested is None:
        return chosen
    from loganalyzer.workflow.requested import as_fps, as_int

    stated: dict[str, Any] = {
        "window_frames": as_int(requested.window_frames),
        "motion_frames": as_int(requested.motion_frames),
        "fps": as_fps(requested.fps),
        "quantization": requested.requested.quantization,
    }
    found = replace(chosen, **{key: value for key, value in stated.items() if value and options.get(key) is None})
    if not 0 <= found.motion_frames < found.window_frames:
        return replace(found, window_frames=chosen.window_frames, motion_frames=chosen.motion_frames)
    return found


def _dropped_frames(chosen: Settings, requested: SamplerSettings | None, options: dict[str, Any]) -> int:
    """Returns the frames that every window except the last discards, if the workflow's schedule is used."""
    from loganalyzer.workflow.requested import as_int

    dropped = as_int(requested.drop_frames) if requested else None
    if not dropped or options["window_frames"] is not None or options["motion_frames"] is not None:
        return 0
    return dropped if 0 < dropped < chosen.window_frames - chosen.motion_frames else 0


def _expected(chosen: Settings, requested: SamplerSettings | None, options: dict[str, Any]) -> Expectation:
    from loganalyzer.planner.expected import Machine, estimate_window

    width, height = _size(options["size"])
    from loganalyzer.workflow.requested import RequestedSettings

    figures = requested.requested if requested else RequestedSettings()
    machine = Machine(
        gpu=chosen.gpu,
        width=width or figures.width,
        height=height or figures.height,
        steps=options["steps"] or figures.steps,
        quantization=chosen.quantization,
        price_per_hour=chosen.price_per_hour,
    )
    return estimate_window(machine, chosen.window_frames, chosen.baselines)


def _size(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    found = _SIZE.match(text)
    if not found:
        raise click.UsageError(f"--size {text}: write it as 1280x720")
    return int(found[1]), int(found[2])


def _sound(audio: tuple[str, ...], chosen: Settings, options: dict[str, Any]) -> Sound:
    from loganalyzer.cli.audio_option import lengths
    from loganalyzer.planner.plan import Sound, measure_audio

    frames = options["frames"]
    if (frames is None) == (not audio):
        raise click.UsageError("give one of: AUDIO or SECONDS, --frames N, --table")
    if frames is not None:
        return Sound(frames / chosen.fps, frames)
    speakers, doubt = lengths(audio, chosen.fps)
    return measure_audio(speakers, chosen.fps, options["multi"], doubt)


def _native_sound(audio: tuple[str, ...], chosen: Settings, options: dict[str, Any]) -> Sound:
    from loganalyzer.cli.audio_option import lengths
    from loganalyzer.expectations.native_audio import FPS
    from loganalyzer.planner.plan import measure_native_audio

    if chosen.fps != FPS:
        raise click.UsageError(
            f"native nodes are planned at {FPS} fps: ComfyUI's own node reads audio at this rate only"
        )
    if options["frames"] is not None or not audio:
        return _sound(audio, chosen, options)
    speakers, doubt = lengths(audio, FPS)
    return measure_native_audio(speakers, doubt)


def _input_lines(requested: SamplerSettings | None) -> list[str]:
    if requested is None or requested.clips or not requested.requested_frames.node_id:
        return []
    from loganalyzer.workflow.requested import locate

    frames = requested.requested_frames
    return [f"type num_frames into {locate(frames)}; its value is now {frames.value}"]


def _node_document(requested: SamplerSettings | None) -> dict[str, Any]:
    if requested is None:
        return {}
    place = requested.requested_frames
    return {"node": {"node_id": place.node_id, "title": place.title, "input": place.input, "value": place.value}}
