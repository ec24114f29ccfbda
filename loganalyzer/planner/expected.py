"""What a run of so many windows takes, from the baselines: seconds and dollars."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loganalyzer.common.errors import ExpectationError
from loganalyzer.expectations import baseline_files
from loganalyzer.expectations.names import CARD_MAKER

_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Machine:
    """What the expected time and cost depend on; None where it is not known."""

    gpu: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    mode: str = "infinitetalk"
    quantization: str | None = None
    price_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one window takes.

    Attributes:
        window_s: seconds, least and most; None without a baseline of this key.
        window_usd: dollars; None where neither a price nor a baseline tells.
        basis: where the figures come from, or why there are none, for people.
    """

    window_s: tuple[float, float] | None
    window_usd: float | None
    basis: str

    def total_s(self, windows: int) -> tuple[float, float] | None:
        """Seconds of a run, least and most."""
        return (self.window_s[0] * windows, self.window_s[1] * windows) if self.window_s else None

    def cost_usd(self, windows: int) -> float | None:
        """Dollars of a run."""
        return self.window_usd * windows if self.window_usd is not None else None


def expectation(machine: Machine, window_frames: int, baselines: Path | None = None) -> Expectation:
    """What a window takes on this machine, by the baselines; `baselines` is a user's file.

    What is not said of the machine is taken from the one baseline that fits the rest; with several, nothing is.

    Raises:
        ExpectationError: a baselines file cannot be read, or an entry in it is broken.
    """
    documents = baseline_files.read_documents(baselines)
    timings = [
        entry for entry in baseline_files.select_entries(documents, "timing") if _fits(entry, machine, window_frames)
    ]
    keys = {_key(entry) for entry in timings}
    if len(keys) != 1:
        why = "several baselines fit" if keys else "no baseline fits"
        return Expectation(None, _by_video(documents, machine), f"no estimate ({why}; name --gpu, --size and --steps)")
    timing = timings[0]
    band = _band(timing)
    basis = f"{timing['gpu']}, {timing['width']}x{timing['height']}, {timing['steps']} steps"
    if machine.price_per_hour is None:
        return Expectation(band, _by_video(documents, machine), basis)
    usd = sum(band) / 2 / _HOUR_S * machine.price_per_hour
    return Expectation(band, usd, f"{basis}, at {machine.price_per_hour:g} USD an hour")


def _fits(entry: Mapping[str, Any], machine: Machine, window_frames: int) -> bool:
    size = (machine.width, machine.height)
    own = (entry.get("width"), entry.get("height"))
    return (
        entry.get("window_frames") == window_frames
        and entry.get("mode") == machine.mode
        and (None in size or size in (own, own[::-1]))
        and machine.steps in (None, entry.get("steps"))
        and (machine.gpu is None or _card(machine.gpu) == _card(str(entry.get("gpu"))))
    )


def _card(name: str) -> str:
    return re.sub(CARD_MAKER, "", name).strip().lower()


def _key(entry: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(entry.get(name) for name in ("gpu", "width", "height", "steps"))


def _band(entry: Mapping[str, Any]) -> tuple[float, float]:
    try:
        low, high = entry["window_s"]
        return float(low), float(high)
    except (KeyError, TypeError, ValueError):
        raise ExpectationError(f"[[timing]] for {entry.get('gpu')!r}: 'window_s' must be [low, high]") from None


def _by_video(documents: Sequence[tuple[str, Mapping[str, Any]]], machine: Machine) -> float | None:
    """The house's figure for a video of the declared quantization, for one of its windows."""
    for entry in baseline_files.select_entries(documents, "cost"):
        if machine.quantization and entry.get("quantization") == machine.quantization.upper():
            try:
                return float(entry["usd"]) / int(entry["windows"])
            except (KeyError, TypeError, ValueError, ZeroDivisionError):
                raise ExpectationError(f"[[cost]] of {machine.quantization}: 'usd' and 'windows' are needed") from None
    return None
