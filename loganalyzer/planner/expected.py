"""Estimates the time and cost of a run from the baselines, in seconds and dollars."""

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
    """What the expected time and cost depend on; None where unknown."""

    gpu: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    mode: str = "infinitetalk"
    quantization: str | None = None
    price_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected time and cost of one window.

    Attributes:
        window_s: minimum and maximum in seconds; None without a baseline for this machine.
        window_usd: dollars; None with neither a price nor a cost baseline.
        basis: the source of the figures in words, or why there are none.
    """

    window_s: tuple[float, float] | None
    window_usd: float | None
    basis: str

    def total_s(self, windows: int) -> tuple[float, float] | None:
        """The time of a run: minimum and maximum in seconds."""
        return (self.window_s[0] * windows, self.window_s[1] * windows) if self.window_s else None

    def cost_usd(self, windows: int) -> float | None:
        """The cost of a run in dollars."""
        return self.window_usd * windows if self.window_usd is not None else None


def estimate_window(machine: Machine, window_frames: int, baselines: Path | None = None) -> Expectation:
    """The expected time and cost of a window on this machine; `baselines` is a user's file.

    Missing facts about the machine come from the baseline that matches the rest. If several match, there is no
    estimate.

    Raises:
        ExpectationError: a baselines file cannot be read, or one of its entries is invalid.
    """
    documents = baseline_files.read_documents(baselines)
    timings = [
        entry for entry in baseline_files.select_entries(documents, "timing") if _matches(entry, machine, window_frames)
    ]
    keys = {_machine_key(entry) for entry in timings}
    if len(keys) != 1:
        why = "several baselines match" if keys else "no baseline matches"
        return Expectation(
            None, _cost_per_window(documents, machine), f"no estimate ({why}; name --gpu, --size and --steps)"
        )
    timing = timings[0]
    band = _window_seconds(timing)
    basis = f"{timing['gpu']}, {timing['width']}x{timing['height']}, {timing['steps']} steps"
    if machine.price_per_hour is None:
        return Expectation(band, _cost_per_window(documents, machine), basis)
    usd = sum(band) / 2 / _HOUR_S * machine.price_per_hour
    return Expectation(band, usd, f"{basis}, at {machine.price_per_hour:g} USD per hour")


def _matches(entry: Mapping[str, Any], machine: Machine, window_frames: int) -> bool:
    size = (machine.width, machine.height)
    own = (entry.get("width"), entry.get("height"))
    return (
        entry.get("window_frames") == window_frames
        and entry.get("mode") == machine.mode
        and (None in size or size in (own, own[::-1]))
        and machine.steps in (None, entry.get("steps"))
        and (machine.gpu is None or _normalize_gpu(machine.gpu) == _normalize_gpu(str(entry.get("gpu"))))
    )


def _normalize_gpu(name: str) -> str:
    return re.sub(CARD_MAKER, "", name).strip().lower()


def _machine_key(entry: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(entry.get(name) for name in ("gpu", "width", "height", "steps"))


def _window_seconds(entry: Mapping[str, Any]) -> tuple[float, float]:
    try:
        low, high = entry["window_s"]
        return float(low), float(high)
    except (KeyError, TypeError, ValueError):
        raise ExpectationError(f"[[timing]] for {entry.get('gpu')!r}: 'window_s' must be [low, high]") from None


def _cost_per_window(documents: Sequence[tuple[str, Mapping[str, Any]]], machine: Machine) -> float | None:
    """The cost of one window in dollars, from the `[[cost]]` baseline of the declared quantization."""
    for entry in baseline_files.select_entries(documents, "cost"):
        if machine.quantization and entry.get("quantization") == machine.quantization.upper():
            try:
                return float(entry["usd"]) / int(entry["windows"])
            except (KeyError, TypeError, ValueError, ZeroDivisionError):
                raise ExpectationError(
                    f"[[cost]] of {machine.quantization}: 'usd' and 'windows' are required"
                ) from None
    return None
