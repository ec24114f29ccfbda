"""Which run of the history a reading is of: told by time stamps, place, step times, then name and line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from loganalyzer.history.identity import (
    DISTINCT_CHANGES,
    Occasion,
    Reading,
    changes,
    common,
    contradict,
    readings,
)
from loganalyzer.history.inputs import Content, Inputs, same_time
from loganalyzer.tables.analysis import Analysis


@dataclass
class Known:
    """A run of the history, or one of this call that the history takes.

    Attributes:
        number: its number in the history; None for a run that is new.
        reading: what was read of it last.
        occasions: where it was read: ids of the run in logs, and when these were written.
    """

    number: int | None
    run_id: str
    reading: Reading
    occasions: dict[str, list[Occasion]] = field(default_factory=dict)

    def copy(self) -> Known:
        """The same run, for a matcher to change."""
        return Known(self.number, self.run_id, self.reading, {place: [*each] for place, each in self.occasions.items()})


Runs = dict[int, Known]
"""Runs by their identity as objects, in order."""


@dataclass(frozen=True)
class Match:
    """A reading, when its log was written, and the run it is of.

    `is_new`: the history does not have the run. `is_guess`: nothing but the log's name and line says that it is this
    run.
    """

    reading: Reading
    occasion: Occasion
    run: Known
    is_new: bool
    is_guess: bool = False


class Matcher:
    """The runs of a history by what identifies them."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._by_place: dict[str, Runs] = defaultdict(dict)
        self._by_start: dict[tuple[datetime, int], Runs] = defaultdict(dict)
        self._by_steps: dict[tuple[int, ...], Runs] = defaultdict(dict)
        self._by_name: dict[tuple[str, int | None], Runs] = defaultdict(dict)
        for run in known:
            self._index(run)

    def matched(
        self, found: Analysis, inputs: Inputs, earlier: Iterable[Content], said_at: datetime | None
    ) -> Iterator[Match]:
        """A match for each run of an analysis; several for one whose text stands in files of different times."""
        contents = list(dict.fromkeys([*earlier, *inputs.contents()]))
        taken: dict[str, set[int]] = defaultdict(set)
        for reading in readings(found):
            for occasion in _occasions(reading, inputs.times(reading.run_id), said_at):
                places = inputs.places(reading.run_id, reading.line or 0, contents)
                yield self._match(reading, occasion, places, taken[reading.run_id.partition("-")[0]])

    def _match(self, reading: Reading, occasion: Occasion, places: tuple[str, ...], taken: set[int]) -> Match:
        """The run that is not `taken` by another reading of the same log."""
        found, is_guess = self._found(reading, occasion, places, taken)
        run = found or Known(None, reading.run_id, reading)
        taken.add(id(run))
        run.occasions.setdefault(reading.run_id, []).append(occasion)
        match = Match(reading, occasion, run, found is None, is_guess and found is not None)
        if found is None or reading.extent >= run.reading.extent:
            run.reading = reading
        self._index(run)
        return match

    def _found(
        self, reading: Reading, occasion: Occasion, places: tuple[str, ...], taken: set[int]
    ) -> tuple[Known | None, bool]:
        own = [run for run in self._by_place[reading.run_id].values() if id(run) not in taken]
        if own and reading.is_one_of_its_text:
            return own[0], False
        if found := _of_occasion(reading.run_id, occasion, own):
            return found
        for candidates in (
            (run for place in places for run in reversed(self._by_place[place].values())),
            self._by_start[reading.started_at, reading.ordinal].values() if reading.started_at else (),
            self._alike(reading),
        ):
            for run in candidates:
                if id(run) not in taken and not contradict(reading, run.reading):
                    return run, False
        # Whoever says when a run took place says that it is another one than any whose time is not known.
        return (None if occasion.said_at else self._named(reading, occasion, taken)), True

    def _alike(self, reading: Reading) -> list[Known]:
        """Runs with the same step times, those that share most of them first."""
        if not reading.is_distinct:
            return []
        shared = [
            (len(steps), run)
            for run in self._by_steps[reading.durations[:2]].values()
            if (steps := common(reading.durations, run.reading.durations)) and changes(steps) >= DISTINCT_CHANGES
        ]
        return [run for _, run in sorted(shared, key=lambda pair: -pair[0])]

    def _named(self, reading: Reading, occasion: Occasion, taken: set[int]) -> Known | None:
        """The run at the same line of a log of the same name, where no time says that it is another log."""
        for run in self._by_name[reading.source, reading.line].values():
            if id(run) in taken or contradict(reading, run.reading):
                continue
            each = [one for several in run.occasions.values() for one in several] or [Occasion()]
            if all(_compare(occasion, one) is None for one in each):
                return run
        return None

    def _index(self, run: Known) -> None:
        reading = run.reading
        for place in run.occasions:
            self._by_place[place][id(run)] = run
        if reading.started_at:
            self._by_start[reading.started_at, reading.ordinal][id(run)] = run
        if reading.is_distinct:
            self._by_steps[reading.durations[:2]][id(run)] = run
        self._by_name[reading.source, reading.line][id(run)] = run


def _occasions(reading: Reading, times: tuple[datetime | None, ...], said_at: datetime | None) -> list[Occasion]:
    """One per file time where nothing but that tells the runs of equal files apart; else one."""
    if reading.is_one_of_its_text or said_at:
        return [Occasion(times[0], said_at)]
    return [Occasion(moment) for moment in times]


def _of_occasion(place: str, occasion: Occasion, runs: Iterable[Known]) -> tuple[Known, bool] | None:
    """The run that was read in an equal log of the same time; else, as a guess, one whose time is not known."""
    guess = None
    for run in runs:
        compared = {_compare(occasion, one) for one in run.occasions[place]}
        if True in compared:
            return run, False
        if None in compared and guess is None and occasion.said_at is None:
            guess = run
    return None if guess is None else (guess, True)


def _compare(one: Occasion, other: Occasion) -> bool | None:
    """Whether two occasions are the same; None where no time of both is known."""
    if one.said_at and other.said_at:
        return one.said_at == other.said_at
    if one.file_time and other.file_time:
        return same_time(one.file_time, other.file_time)
    return None
