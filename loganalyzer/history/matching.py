"""Finds the run of the history that a reading belongs to, by timestamps, place, step times, or name and line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from loganalyzer.history.identity import (
    DISTINCT_CHANGES,
    Occasion,
    Reading,
    contradict,
    count_changes,
    find_readings,
    shared_durations,
)
from loganalyzer.history.inputs import Content, Inputs, same_time
from loganalyzer.tables.analysis import Analysis


@dataclass
class KnownRun:
    """A run of the history, or a new run of this call.

    Attributes:
        number: its number in the history; None for a new run.
        run_id: its id.
        reading: its latest reading.
        occasions: by id of the run in a log, when that log was written.
    """

    number: int | None
    run_id: str
    reading: Reading
    occasions: dict[str, list[Occasion]] = field(default_factory=dict)

    def copy(self) -> KnownRun:
        """A copy that a matcher may change."""
        return KnownRun(
            self.number, self.run_id, self.reading, {place: [*each] for place, each in self.occasions.items()}
        )


RunsByObject = dict[int, KnownRun]
"""Runs by `id()`, in order."""


@dataclass(frozen=True)
class Match:
    """A reading, when its log was written, and the run it belongs to.

    `is_new`: the history does not have the run. `is_guess`: only the name of the log and the line identify the run.
    """

    reading: Reading
    occasion: Occasion
    run: KnownRun
    is_new: bool
    is_guess: bool = False


class Matcher:
    """Finds runs of a history by what identifies them."""

    def __init__(self, known: Iterable[KnownRun]) -> None:
        self._by_place: dict[str, RunsByObject] = defaultdict(dict)
        self._by_start: dict[tuple[datetime, int], RunsByObject] = defaultdict(dict)
        self._by_steps: dict[tuple[int, ...], RunsByObject] = defaultdict(dict)
        self._by_name: dict[tuple[str, int | None], RunsByObject] = defaultdict(dict)
        for run in known:
            self._index(run)

    def match_runs(
        self, found: Analysis, inputs: Inputs, earlier: Iterable[Content], said_at: datetime | None
    ) -> Iterator[Match]:
        """A match for each run of an analysis; several for a run whose text is in files with different times."""
        contents = list(dict.fromkeys([*earlier, *inputs.contents()]))
        taken: dict[str, set[int]] = defaultdict(set)
        for reading in find_readings(found):
            for occasion in _occasions(reading, inputs.times(reading.run_id), said_at):
                places = inputs.places(reading.run_id, reading.line or 0, contents)
                yield self._match(reading, occasion, places, taken[reading.run_id.partition("-")[0]])

    def _match(self, reading: Reading, occasion: Occasion, places: tuple[str, ...], taken: set[int]) -> Match:
        """The match of a reading. Runs in `taken` belong to other readings of the same log."""
        found, is_guess = self._find_run(reading, occasion, places, taken)
        run = found or KnownRun(None, reading.run_id, reading)
        taken.add(id(run))
        run.occasions.setdefault(reading.run_id, []).append(occasion)
        match = Match(reading, occasion, run, found is None, is_guess and found is not None)
        if found is None or reading.extent >= run.reading.extent:
            run.reading = reading
        self._index(run)
        return match

    def _find_run(
        self, reading: Reading, occasion: Occasion, places: tuple[str, ...], taken: set[int]
    ) -> tuple[KnownRun | None, bool]:
        same_place = [run for run in self._by_place[reading.run_id].values() if id(run) not in taken]
        if same_place and reading.is_one_of_its_text:
            return same_place[0], False
        if found := _match_occasion(reading.run_id, occasion, same_place):
            return found
        for candidates in (
            (run for place in places for run in reversed(self._by_place[place].values())),
            self._by_start[reading.started_at, reading.ordinal].values() if reading.started_at else (),
            self._find_by_steps(reading),
        ):
            for run in candidates:
                if id(run) not in taken and not contradict(reading, run.reading):
                    return run, False
        # With --at, a run without a known time counts as a different run.
        return (None if occasion.said_at else self._find_by_name(reading, occasion, taken)), True

    def _find_by_steps(self, reading: Reading) -> list[KnownRun]:
        """Runs with the same step times, those that share the most first."""
        if not reading.is_distinct:
            return []
        shared = [
            (len(steps), run)
            for run in self._by_steps[reading.durations[:2]].values()
            if (steps := shared_durations(reading.durations, run.reading.durations))
            and count_changes(steps) >= DISTINCT_CHANGES
        ]
        return [run for _, run in sorted(shared, key=lambda pair: -pair[0])]

    def _find_by_name(self, reading: Reading, occasion: Occasion, taken: set[int]) -> KnownRun | None:
        """The run at the same line of a log with the same name, unless a time shows that it is another log."""
        for run in self._by_name[reading.source, reading.line].values():
            if id(run) in taken or contradict(reading, run.reading):
                continue
            each = [one for several in run.occasions.values() for one in several] or [Occasion()]
            if all(_same_occasion(occasion, one) is None for one in each):
                return run
        return None

    def _index(self, run: KnownRun) -> None:
        reading = run.reading
        for place in run.occasions:
            self._by_place[place][id(run)] = run
        if reading.started_at:
            self._by_start[reading.started_at, reading.ordinal][id(run)] = run
        if reading.is_distinct:
            self._by_steps[reading.durations[:2]][id(run)] = run
        self._by_name[reading.source, reading.line][id(run)] = run


def _occasions(reading: Reading, times: tuple[datetime | None, ...], said_at: datetime | None) -> list[Occasion]:
    """One occasion per file time if only that distinguishes the runs of equal files; otherwise one."""
    if reading.is_one_of_its_text or said_at:
        return [Occasion(times[0], said_at)]
    return [Occasion(moment) for moment in times]


def _match_occasion(place: str, occasion: Occasion, runs: Iterable[KnownRun]) -> tuple[KnownRun, bool] | None:
    """The run read from an equal log with the same time; otherwise, as a guess, one whose time is unknown."""
    guess = None
    for run in runs:
        compared = {_same_occasion(occasion, one) for one in run.occasions[place]}
        if True in compared:
            return run, False
        if None in compared and guess is None and occasion.said_at is None:
            guess = run
    return None if guess is None else (guess, True)


def _same_occasion(one: Occasion, other: Occasion) -> bool | None:
    """Whether two occasions are the same; None if their times cannot be compared."""
    if one.said_at and other.said_at:
        return one.said_at == other.said_at
    if one.file_time and other.file_time:
        return same_time(one.file_time, other.file_time)
    return None
