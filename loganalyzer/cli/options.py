"""Defines options that several commands share, and builds settings from them and the configuration file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loganalyzer.cli import completion
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.severity import Severity
from loganalyzer.settings import config
from loganalyzer.settings.model import Settings

if TYPE_CHECKING:
    from loganalyzer.engine.interface import Engine

Command = TypeVar("Command", bound=Callable[..., Any])

ENGINES = ("local", "dask")
FAILING: Mapping[str, tuple[str, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}
"""The values of `--fail-on`, with the severities that fail."""


class Number(click.FloatRange):
    """A finite number within bounds; click itself accepts `nan`, which passes its comparisons."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Returns the number if it is finite and within bounds."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


RATE = Number(config.MIN_FPS, config.MAX_FPS)
"""Frames per second, limited to rates that videos have, so that durations stay finite."""

_PATH = click.Path(path_type=Path)
RULE_OPTIONS = (
    click.option(
        "--select",
        multiple=True,
        metavar="RULES",
        shell_complete=completion.rules,
        help="Check only these rules, e.g. AUD,slow-run.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="RULES",
        shell_complete=completion.rules,
        help="Skip these rules.",
    ),
)
_ANALYSIS = (
    click.option("--quantization", metavar="NAME", help="Set the model's quantization, e.g. Q6_K."),
    click.option(
        "--audio",
        "audio_given",
        metavar="FILE|SECONDS",
        help="Set the audio of ComfyUI's own InfiniteTalk runs.",
    ),
    click.option("--workflow", type=_PATH, help="Compare the runs with their workflow."),
    click.option("--fps", type=RATE, help="Set frames per second.  [default: 25]"),
    click.option("--baselines", type=_PATH, help="Add baselines. They replace shipped ones."),
    click.option("--patterns", multiple=True, type=_PATH, help="Add message patterns of a folder. Repeatable."),
    click.option(
        "--strict/--no-strict",
        default=None,
        help="Fail on incomplete verdicts and near misses.",
    ),
    *RULE_OPTIONS,
    click.option(
        "--redact/--no-redact",
        default=None,
        help="Mask secrets in every output.  [default: redact]",
    ),
    click.option("--config", "config_file", type=_PATH, help="Use this configuration file."),
)


def analysis_options(command: Command) -> Command:
    """Adds the options that affect the findings of an analysis."""
    for option in reversed(_ANALYSIS):
        command = option(command)
    return command


def configuration(config_file: Path | None) -> config.Configuration:
    """Returns the given configuration, or the one found from the working directory upward.

    Raises:
        ConfigurationError: the file is missing or broken.
    """
    if config_file is None:
        return config.find_configuration(Path.cwd())
    if not config_file.is_file():
        raise ConfigurationError(f"{config_file}: configuration file not found", "check --config")
    return config.load_configuration(config_file)


def settings(found: config.Configuration, given: Mapping[str, Any]) -> Settings:
    """Merges options over configuration over defaults; an option that was not passed is None or empty.

    `--strict` overrides configured severities of the rules that it raises.
    """
    names = {item.name for item in fields(Settings)}
    values = {key: value for key, value in found.values.items() if key in names}
    values |= {key: value for key, value in given.items() if key in names and value not in (None, ())}
    if given.get("audio_given"):
        values["audio_s"] = _seconds(given["audio_given"])
    if given.get("strict"):
        values["severities"] = _without_strict_rules(values.get("severities", {}))
    if values.get("quantization"):
        values["quantization"] = _quantization(values["quantization"], values.get("baselines"))
    chosen = _with_rule_ids(Settings(**values))
    if chosen.motion_frames >= chosen.window_frames:
        raise ConfigurationError(_no_stride(found, given, chosen))
    return chosen


def _quantization(name: str, baselines: Path | None) -> str:
    from loganalyzer.expectations import baseline_files, quantization_names

    documents = baseline_files.read_documents(baselines)
    own = [
        str(entry["quantization"])
        for entry in baseline_files.select_entries(documents, "vram")
        if "quantization" in entry
    ]
    return quantization_names.canonical(name, [*baseline_files.find_ranking(documents), *own])


def _with_rule_ids(chosen: Settings) -> Settings:
    if not (chosen.select or chosen.ignore or chosen.severities):
        return chosen
    from loganalyzer.checks import selectors  # imports polars, which plans do not need

    return selectors.with_ids(chosen)


def _seconds(audio: str) -> float:
    from loganalyzer.cli.audio_option import lengths
    from loganalyzer.expectations.native_audio import FPS

    return lengths((audio,), FPS)[0][0]


def _no_stride(found: config.Configuration, given: Mapping[str, Any], chosen: Settings) -> str:
    """Returns the error with each value named as the user gave it: as an option or as a key in the file."""
    options = {"window_frames": "--window", "motion_frames": "--motion"}
    window, motion = (
        f"{option} {getattr(chosen, name)}" if given.get(name) is not None else f"{name} = {getattr(chosen, name)}"
        for name, option in options.items()
    )
    by_file = not all(given.get(name) is not None for name in options)
    where = f"{found.path}: " if found.path and by_file else ""
    return f"{where}{motion} leaves no stride in {window}: the overlap must be smaller than the window"


def _without_strict_rules(severities: Mapping[str, Severity]) -> dict[str, Severity]:
    """Returns the configured severities except those of rules that `--strict` raises."""
    from loganalyzer.checks.registry import rules

    known = rules()
    return {name: severity for name, severity in severities.items() if name not in known or not known[name].strict}


def chosen_engine(found: config.Configuration, given: Mapping[str, Any]) -> Engine | None:
    """Returns the engine of `--engine` and `--scheduler`, else of the configuration; None for this process.

    Raises:
        click.UsageError: one is given without the other.
    """
    name = given["engine"] or found.values.get("engine", "local")
    scheduler = given["scheduler"] or found.values.get("scheduler")
    if name == "dask":
        if not scheduler:
            raise click.UsageError(
                "--engine dask needs --scheduler ADDRESS: start one with `dask scheduler`, which prints its address, "
                "and workers with `dask worker ADDRESS`"
            )
        from loganalyzer.engine.cluster import DaskEngine

        return DaskEngine(scheduler)
    if given["scheduler"]:
        raise click.UsageError("--scheduler needs --engine dask")
    return None
