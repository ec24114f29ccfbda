"""Finds the configuration file, searching upward from the working directory, and validates every key."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from loganalyzer.common.errors import ConfigurationError
from loganalyzer.common.severity import SEVERITIES
from loganalyzer.common.suggestions import did_you_mean
from loganalyzer.settings.toml_lines import line_of

if TYPE_CHECKING:
    from loganalyzer.settings.ignores import Ignore

OWN_FILE: Final = "loganalyze.toml"
_TABLE: Final = ("tool", "loganalyze")
SHARED_FILE: Final = "pyproject.toml"

_NUMBER: Final = (int, float)


class Key(NamedTuple):
    """A key of the configuration.

    Attributes:
        types: the types of its value.
        expected: these types in words, for errors.
        meaning: what it sets, in one sentence.
    """

    types: tuple[type, ...]
    expected: str
    meaning: str


KEYS: Final[Mapping[str, Key]] = {
    "window_frames": Key((int,), "a whole number of frames", "Expected length of a window."),
    "motion_frames": Key((int,), "a whole number of frames", "Expected overlap of two windows."),
    "fps": Key(_NUMBER, "a number", "Frames per second of the video and of the audio embedding."),
    "quantization": Key((str,), "a string such as 'Q6_K'", "Declared quantization of the model."),
    "attention_mode": Key(
        (str,), "a string such as 'sdpa' or 'sageattn'", "Expected attention mode of the model loader (MOD004)."
    ),
    "lora_rank": Key((int,), "a whole number such as 256", "Expected rank of the speed LoRA (MOD002)."),
    "gpu": Key((str,), "a string such as 'RTX 5090'", "The card, if the log has no startup banner."),
    "total_vram_gib": Key(_NUMBER, "a number of GiB", "The card's memory, if the log has no startup banner."),
    "price_per_hour": Key(_NUMBER, "a number of USD", "Price of a GPU hour; turns the cost rule (CST001) on."),
    "baselines": Key((str,), "a path", "File with your baselines; they override shipped ones with the same key."),
    "history": Key((str,), "a URL such as sqlite:///loganalyze.db", "Database of earlier runs."),
    "history_read_only": Key((bool,), "true or false", "Compare with the history, and add nothing to it."),
    "patterns": Key((list,), "a list of folders", "Folders with more message patterns."),
    "select": Key((list,), "a list of rule ids", "The only rules to check: ids, prefixes or names."),
    "ignore": Key(
        (list,),
        "a list of rule ids, or of tables with rule, reason and until",
        "Rules to skip, or findings to ignore until a day.",
    ),
    "severities": Key((dict,), "a table that maps rule ids to error, warning or info", "Severities of rules."),
    "strict": Key((bool,), "true or false", "Incomplete verdicts exit with 1, and near misses (LOG001) are errors."),
    "redact": Key((bool,), "true or false", "Mask secrets and names of people in every output."),
    "notify": Key((list,), "a list of URLs such as slack://… or json://host/path", "Services that get a notice."),
    "fail_on": Key((str,), "error, warning or never", "Lowest severity that makes the exit status 1."),
    "engine": Key((str,), "local or dask", "Where logs are read: in this process or on a cluster."),
    "scheduler": Key((str,), "an address such as tcp://10.0.0.5:8786", "Address of the cluster's scheduler."),
    "step_outlier_factor": Key(
        _NUMBER, "a number", "A step is an outlier beyond this many times the run's median step (TIM003)."
    ),
    "slowdown_fraction": Key(
        _NUMBER, "a number", "Largest slowdown from the first third of the windows to the last (TIM004)."
    ),
    "headroom_fraction": Key(_NUMBER, "a number", "Share of the card's memory that has to stay free (MEM003)."),
    "fragmentation_fraction": Key(_NUMBER, "a number", "Largest excess of reserved over allocated memory (MEM004)."),
}
"""The keys of the configuration, in the order of its page in the documents."""
_FAIL_ON: Final = ("error", "warning", "never")
_ENGINES: Final = ("local", "dask")
_RULE: Final = r"""(?:^|[\s{,])["']?rule["']?\s*="""
_POSITIVE: Final = ("window_frames", "fps", "total_vram_gib", "lora_rank")
MAX_LORA_RANK: Final = 100_000
"""Upper limit of a LoRA's rank; no model has larger matrices."""
MIN_FPS: Final = 0.1
MAX_FPS: Final = 1000.0
"""Limits of a video's frame rate."""


VERDICTKEYS: Final = frozenset({"fail_on", "ignore", "redact", "scheduler", "select", "severities", "strict"})
"""Keys that decide a verdict, what is masked, or who receives the logs."""


@dataclass(frozen=True)
class Configuration:
    """The contents of a configuration file: `values` by key, with absolute paths; `path` is None without a file.

    `ignores` are the entries of `ignore` that have a reason and an end date; `values` has the plain ones.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    ignores: tuple[Ignore, ...] = ()

    def describe_verdict_keys(self) -> str | None:
        """One line that names this file and its keys that decide a verdict or what is shown; None if it has none.

        The file may be in any parent folder and belong to anyone: readers of a verdict must see what shaped it.
        """
        keys = sorted(VERDICTKEYS.intersection(self.values) | ({"ignore"} if self.ignores else set()))
        if self.path is None or not keys:
            return None
        is_ours = not hasattr(os, "geteuid") or self.path.stat().st_uid in (os.geteuid(), 0)
        owner = "" if is_ours else ", which belongs to another user,"
        return f"configuration: {os.path.relpath(self.path)}{owner} sets {', '.join(keys)}"


def find_configuration(start: Path) -> Configuration:
    """The nearest `loganalyze.toml`, or `pyproject.toml` with `[tool.loganalyze]`, from `start` upward.

    Raises:
        ConfigurationError: the file is invalid.
    """
    for folder in (start, *start.parents):
        own_file = folder / OWN_FILE
        if own_file.is_file():
            return load_configuration(own_file)
        shared = folder / SHARED_FILE
        if shared.is_file() and "loganalyze" in _read_toml(shared)[0].get("tool", {}):
            return load_configuration(shared)
    return Configuration()


def load_configuration(path: Path) -> Configuration:
    """The validated contents of one configuration file.

    Raises:
        ConfigurationError: names the key, the file and the line.
    """
    document, text = _read_toml(path)
    table = document.get("tool", {}).get("loganalyze", {}) if path.name == SHARED_FILE else document
    within = _TABLE if path.name == SHARED_FILE else ()
    for key, value in table.items():
        _check_key(path, text, (*within, key), value)
    values = {key: _resolve_paths(path, key, value) for key, value in table.items()}
    return Configuration(path, values, tuple(_parse_ignores(path, text, (*within, "ignore"), table.get("ignore", []))))


def _read_toml(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot read the configuration: {error}") from None


def _check_key(path: Path, text: str, place: tuple[str, ...], value: object) -> None:
    key = place[-1]
    where = f"{path}:{line_of(text, *place)}: "
    if key not in KEYS:
        hint = did_you_mean(key, KEYS)
        raise ConfigurationError(f"{where}unknown key {key!r}", hint or f"known keys: {', '.join(KEYS)}")
    types, expected, _ = KEYS[key]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ConfigurationError(f"{where}{key!r} is {value!r}", f"expected {expected}")
    _check_value(where, key, value, expected)
    if isinstance(value, dict):
        _check_severities(path, text, place, value, expected)


def _check_value(where: str, key: str, value: object, expected: str) -> None:
    texts = (str, dict) if key == "ignore" else (str,)
    if isinstance(value, list) and not all(isinstance(item, texts) for item in value):
        raise ConfigurationError(f"{where}{key!r} contains an item of the wrong type", f"expected {expected}")
    if key in _POSITIVE and isinstance(value, int | float) and value <= 0:
        raise ConfigurationError(f"{where}{key!r} is {value!r}", "it must be greater than 0")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(f"{where}{key!r} is {value!r}", f"expected {expected}")
    if key == "fps" and isinstance(value, int | float) and not MIN_FPS <= value <= MAX_FPS:
        raise ConfigurationError(f"{where}{key!r} is {value!r}", f"expected {MIN_FPS:g} to {MAX_FPS:g}")
    if key == "lora_rank" and isinstance(value, int) and value > MAX_LORA_RANK:
        raise ConfigurationError(f"{where}{key!r} is {value!r}", f"expected 1 to {MAX_LORA_RANK}")
    if (key == "fail_on" and value not in _FAIL_ON) or (key == "engine" and value not in _ENGINES):
        raise ConfigurationError(f"{where}{key!r} is {value!r}", f"expected {expected}")


def _check_severities(
    path: Path, text: str, place: tuple[str, ...], table: Mapping[str, object], expected: str
) -> None:
    for rule, severity in table.items():
        if severity not in SEVERITIES:
            where = f"{path}:{line_of(text, *place, rule)}: "
            raise ConfigurationError(f"{where}the severity of {rule} is {severity!r}", f"expected {expected}")


def _parse_ignores(path: Path, text: str, place: tuple[str, ...], entries: list[object]) -> Iterator[Ignore]:
    """The entries that are tables. The n-th entry is on the line of the n-th `rule`."""
    from loganalyzer.settings.ignores import parse_ignore

    places = [number for number, line in enumerate(text.splitlines(), 1) if re.search(_RULE, line)]
    tables = [entry for entry in entries if isinstance(entry, dict)]
    for number, entry in enumerate(tables):
        line = places[number] if len(places) == len(tables) else line_of(text, *place)
        yield parse_ignore(entry, path, line)


def _resolve_paths(path: Path, key: str, value: Any) -> Any:  # noqa: ANN401 -- whatever TOML holds
    """Resolves paths, which are relative to the configuration file."""
    if key == "baselines":
        return path.parent / value
    if key == "patterns":
        return tuple(path.parent / item for item in value)
    if key in ("select", "ignore"):
        return tuple(item for item in value if isinstance(item, str))
    return value
