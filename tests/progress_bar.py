"""Progress bars as tqdm draws them without a terminal, on a clock that the caller moves."""

from __future__ import annotations

_SMOOTHING = 0.3
_SHORTEST_GAP = 0.1
_LONGEST_GAP = 10.0
_CELLS = 10
_BLOCKS = " ▏▎▍▌▋▊▉█"


class _Smoothed:
    """Exponential smoothing whose start is corrected, so that the first value counts in full."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._values = 0

    def add(self, value: float) -> float:
        self._sum = _SMOOTHING * value + (1 - _SMOOTHING) * self._sum
        self._values += 1
        return self.value

    @property
    def value(self) -> float:
        return self._sum / (1 - (1 - _SMOOTHING) ** self._values) if self._values else 0.0


class ProgressBar:
    """One bar; each method returns what tqdm would write at that moment, often nothing.

    Refreshes follow each other by 0.1 s at least, and by as many items as fit into that time. While the bar is open
    they show the smoothed rate; the closing one shows the average since the bar was opened. (tqdm's monitor thread,
    which refreshes a bar that became slow after a fast start, is not imitated.)
    """

    def __init__(self, description: str, total: int) -> None:
        self._description = description
        self._total = total
        self._now = 0.0
        self._done = 0
        self._shown_at = 0.0
        self._shown = 0
        self._fewest = 0.0
        self._items, self._times, self._strides = _Smoothed(), _Smoothed(), _Smoothed()
        self._width = 0

    def open(self) -> str:
        """The refresh at creation."""
        return self._draw(None)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def step(self, seconds: float) -> str:
        """One item done after `seconds`; a refresh if it is time for one."""
        self.wait(seconds)
        self._done += 1
        gained, gap = self._done - self._shown, self._now - self._shown_at
        if gained < self._fewest or gap < _SHORTEST_GAP:
            return ""
        rate = self._items.add(gained) / self._times.add(gap)
        drawn = self._draw(rate)
        stride = gained * (_SHORTEST_GAP / gap)
        self._fewest = stride if gap >= _LONGEST_GAP else self._strides.add(stride)
        self._shown, self._shown_at = self._done, self._now
        return drawn

    def close(self) -> str:
        """The refresh at close, which ends the line."""
        return self._draw(self._done / self._now if self._now else None) + "\n"

    def _draw(self, rate: float | None) -> str:
        fraction = self._done / self._total
        remaining = _clock((self._total - self._done) / rate) if rate else "?"
        text = (
            f"{self._description}: {fraction * 100:3.0f}%|{_cells(fraction)}| {self._done}/{self._total} "
            f"[{_clock(self._now)}<{remaining}, {_rate(rate)}]"
        )
        blanks = " " * (self._width - len(text))
        self._width = len(text)
        return f"\r{text}{blanks}"


def _cells(fraction: float) -> str:
    parts = len(_BLOCKS) - 1
    full, part = divmod(int(fraction * _CELLS * parts), parts)
    return (_BLOCKS[-1] * full + _BLOCKS[part]).ljust(_CELLS)[:_CELLS]


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def _rate(rate: float | None) -> str:
    if not rate:
        return "?it/s"
    return f"{1 / rate:5.2f}s/it" if 1 / rate > 1 else f"{rate:5.2f}it/s"
