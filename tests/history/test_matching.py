"""By what a reading is known again, in the order of certainty, and what tells that it is of another run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from loganalyzer.history.identity import DISTINCT_CHANGES, Occasion, Reading
from loganalyzer.history.matching import KnownRun, Match, Matcher, _occasions

NOON = datetime(2026, 2, 14, 12)
STEPS = tuple(500 + 10 * (number % 2) for number in range(DISTINCT_CHANGES + 1))
PLAIN = Reading("f-R2", "a.log", 2, ("infinitetalk", 369, 1280, 720, 4), None, 0, (), None, (1, 5, 20))
NOWHERE = Occasion()


def known(reading: Reading = PLAIN, *occasions: Occasion, number: int = 1, place: str | None = None) -> KnownRun:
    return KnownRun(number, reading.run_id, reading, {place or reading.run_id: list(occasions)})


def other(**changes: Any) -> Reading:
    """A reading at another place, by default in another log."""
    return replace(PLAIN, **{"run_id": "g-R7", "source": "b.log", "line": 7} | changes)


def matched(
    runs: Iterable[KnownRun],
    reading: Reading,
    occasion: Occasion = NOWHERE,
    places: tuple[str, ...] = (),
    taken: set[int] | None = None,
) -> Match:
    return Matcher(runs)._match(reading, occasion, places, set() if taken is None else taken)


def number(match: Match) -> int | None:
    return match.run.number


def test_a_reading_of_its_own_place_is_that_run_if_its_text_can_hold_no_other() -> None:
    distinct = replace(PLAIN, durations=STEPS)
    match = matched([known(distinct, Occasion(NOON))], distinct, Occasion(NOON + timedelta(days=9)))
    assert (number(match), match.is_new, match.is_guess) == (1, False, False)


@pytest.mark.parametrize(("seconds", "is_new"), [(0, False), (2, False), (3, True)])
def test_an_equal_log_without_distinct_steps_is_the_same_run_only_within_two_seconds_of_its_file_time(
    seconds: int, is_new: bool
) -> None:
    match = matched([known(PLAIN, Occasion(NOON))], PLAIN, Occasion(NOON + timedelta(seconds=seconds)))
    assert (match.is_new, match.is_guess) == (is_new, False)


def test_an_equal_log_whose_time_is_not_known_is_the_same_run_by_guess() -> None:
    match = matched([known(PLAIN, Occasion(NOON))], PLAIN)
    assert (number(match), match.is_guess) == (1, True)


def test_of_two_equal_logs_the_one_of_the_same_time_is_taken_before_one_without_a_time() -> None:
    runs = [known(PLAIN, NOWHERE, number=1), known(PLAIN, Occasion(NOON), number=2)]
    assert (number(matched(runs, PLAIN, Occasion(NOON))), number(matched(runs, PLAIN))) == (2, 1)


@pytest.mark.parametrize(("said", "is_new"), [(NOON, False), (NOON + timedelta(seconds=1), True)])
def test_a_said_time_must_be_the_same_to_the_second(said: datetime, is_new: bool) -> None:
    assert matched([known(PLAIN, Occasion(None, NOON))], PLAIN, Occasion(None, said)).is_new == is_new


def test_a_said_time_makes_no_guess() -> None:
    assert matched([known(PLAIN, NOWHERE)], PLAIN, Occasion(None, NOON)).is_new


def test_a_run_that_another_reading_of_the_log_has_taken_is_not_taken_twice() -> None:
    run = known(replace(PLAIN, durations=STEPS), Occasion(NOON))
    for reading in (run.reading, other(durations=STEPS), replace(PLAIN, run_id="g-R2")):
        assert matched([run], reading, taken={id(run)}).is_new


def test_a_reading_is_known_by_a_place_that_a_shorter_log_had() -> None:
    match = matched([known(PLAIN, Occasion(NOON))], other(), places=("f-R2",))
    assert (number(match), match.is_guess) == (1, False)


def test_of_several_runs_at_a_place_the_latest_is_taken() -> None:
    runs = [known(number=1), known(number=2)]
    assert number(matched(runs, other(), places=("f-R2",))) == 2


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        ({}, False),
        ({"ordinal": 1}, True),
        ({"started_at": NOON + timedelta(seconds=1)}, True),
        ({"head": ("infinitetalk", 370, 1280, 720, 4)}, True),
        ({"head": ("infinitetalk", None, 1280, 720, 4)}, False),
    ],
)
def test_a_reading_is_known_by_its_time_stamp_and_its_place_in_the_prompt(change: dict[str, Any], is_new: bool) -> None:
    stamped = replace(PLAIN, started_at=NOON)
    match = matched([known(stamped)], other(**{"started_at": NOON} | change))
    assert (match.is_new, match.is_guess) == (is_new, False)


@pytest.mark.parametrize(
    ("steps", "is_new"),
    [
        (STEPS, False),
        (tuple(one + 1 for one in STEPS), True),
        ((*STEPS[:2], *(one + 1 for one in STEPS[2:])), False),
        ((*STEPS[:2], *(one + 2 for one in STEPS[2:])), True),
        (STEPS[:-1], True),
    ],
    ids=["equal", "other first steps", "rounded otherwise", "other later steps", "too few"],
)
def test_a_reading_is_known_by_eight_changes_of_its_steps(steps: tuple[int, ...], is_new: bool) -> None:
    assert matched([known(replace(PLAIN, durations=STEPS))], other(durations=steps)).is_new == is_new


def test_a_longer_reading_needs_eight_changes_in_common() -> None:
    """The last step of the shorter one does not count: its log may have stopped in the middle of it."""
    grown = (*STEPS, 700, 800)
    assert matched([known(replace(PLAIN, durations=STEPS))], other(durations=grown)).is_new
    assert not matched([known(replace(PLAIN, durations=(*STEPS, 600)))], other(durations=grown)).is_new


def test_of_runs_with_the_same_steps_the_one_that_shares_most_is_taken() -> None:
    long = (*STEPS, 700, 800, 700)
    runs = [known(replace(PLAIN, durations=long[:-1]), number=1), known(replace(PLAIN, durations=long), number=2)]
    assert number(matched(runs, other(durations=long))) == 2
    assert number(matched(runs[::-1], other(durations=long))) == 2


@pytest.mark.parametrize(
    ("change", "is_new"), [({}, False), ({"source": "b.log"}, True), ({"line": 3}, True), ({"prompt_s": 81.0}, True)]
)
def test_a_reading_is_guessed_by_its_logs_name_and_its_line(change: dict[str, Any], is_new: bool) -> None:
    run = known(replace(PLAIN, prompt_s=80.0), NOWHERE)
    match = matched([run], replace(PLAIN, **{"run_id": "g-R2", "prompt_s": 80.0} | change))
    assert (match.is_new, match.is_guess) == (is_new, not is_new)


@pytest.mark.parametrize(
    ("then", "now", "is_new"),
    [
        (NOWHERE, NOWHERE, False),
        (Occasion(NOON), NOWHERE, False),
        (NOWHERE, Occasion(NOON), False),
        (Occasion(NOON), Occasion(NOON + timedelta(days=1)), True),
        (Occasion(NOON), Occasion(NOON), True),
        (NOWHERE, Occasion(None, NOON), True),
    ],
    ids=["no times", "then only", "now only", "another day", "another log of the same time", "said"],
)
def test_a_name_is_no_guess_where_times_tell_of_another_log(then: Occasion, now: Occasion, is_new: bool) -> None:
    assert matched([known(PLAIN, then)], replace(PLAIN, run_id="g-R2"), now).is_new == is_new


@pytest.mark.parametrize(("extent", "is_taken"), [((1, 5, 19), False), ((1, 5, 20), True), ((1, 5, 21), True)])
def test_the_reading_with_more_of_the_run_counts(extent: tuple[int, int, int], is_taken: bool) -> None:
    run = known(replace(PLAIN, started_at=NOON))
    reading = other(started_at=NOON, extent=extent)
    assert (matched([run], reading).run.reading is reading) == is_taken


def test_a_new_run_is_known_to_the_readings_after_it() -> None:
    matcher = Matcher([])
    first = matcher._match(PLAIN, Occasion(NOON), (), set())
    again = matcher._match(PLAIN, Occasion(NOON), (), set())
    assert (first.is_new, first.is_guess, number(first)) == (True, False, None)
    assert again.run is first.run
    assert first.run.occasions == {"f-R2": [Occasion(NOON), Occasion(NOON)]}


def test_a_copy_of_a_run_keeps_its_occasions_to_itself() -> None:
    run = known(PLAIN, Occasion(NOON))
    run.copy().occasions["f-R2"].append(NOWHERE)
    assert run.occasions == {"f-R2": [Occasion(NOON)]}


def test_a_file_time_and_a_said_time_tell_nothing_of_one_another() -> None:
    match = matched([known(PLAIN, Occasion(None, NOON))], PLAIN, Occasion(NOON))
    assert (match.is_new, match.is_guess) == (False, True)


DISTINCT = replace(PLAIN, durations=STEPS)
TIMES = (NOON, NOON + timedelta(days=1))


@pytest.mark.parametrize(
    ("reading", "said", "occasions"),
    [
        (PLAIN, None, [Occasion(TIMES[0]), Occasion(TIMES[1])]),
        (DISTINCT, None, [Occasion(TIMES[0])]),
        (PLAIN, NOON, [Occasion(TIMES[0], NOON)]),
        (DISTINCT, NOON, [Occasion(TIMES[0], NOON)]),
    ],
    ids=["equal files", "distinct steps", "said", "both"],
)
def test_equal_files_are_as_many_runs_as_their_times_unless_something_else_tells(
    reading: Reading, said: datetime | None, occasions: list[Occasion]
) -> None:
    assert _occasions(reading, TIMES, said) == occasions
