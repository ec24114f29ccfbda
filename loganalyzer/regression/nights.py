"""A series followed night by night: when it left its normal range, and when it came back."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from loganalyzer.regression.control import (
    ESTABLISHED,
    FEWEST_NIGHTS,
    MOST_NIGHTS,
    ROW,
    RULES,
    Floors,
    Reference,
    Rule,
    direction,
    exceeds,
    limit,
)
from loganalyzer.regression.series import Numbers

NightWord = Literal["unknown", "normal", "worse", "better"]

SHORT_SPELL: Final = 2
"""A spell of so few nights joins the reference once it is over: it was an outlier, and the next may be like it."""
ADOPTED_BETTER: Final = 8
"""Nights after which a better level is the new normal."""
ADOPTED_WORSE: Final = MOST_NIGHTS
"""Nights after which a worse level is the new normal: by then no earlier night is left among the latest."""
FEWEST_ADOPTED: Final = 5
"""Nights that a doubtful spell must last at least before its nights join the reference.

If the step is real, the change-point scan has dated it by then or will: the series stays red by the scan.
"""
RETURNED: Final = 4.0
"""Scatters below the spell's level from which a single normal night ends it."""
NIGHTS_BACK: Final = 2
"""Nights in a row nearer to the normal level than to the spell's that end a spell."""


@dataclass(frozen=True, eq=False)
class State:
    """What is known after a night.

    Attributes:
        word: how the newest nights compare with the reference.
        reference: the normal nights, worse being higher; None while they are too few.
        since: first night of the present spell (`worse`, `better`); of normal nights, the first after the last spell.
        rule: by which the spell was found.
        ended: first and last night of the last spell for the worse that is over.
    """

    word: NightWord
    reference: Reference | None
    since: int | None = None
    rule: Rule | None = None
    ended: tuple[int, int] | None = None


class Follower:
    """Takes the nights in order; what it says of one depends on no later night.

    A night outside is no part of the reference, so bad nights never become normal by themselves before `ADOPTED_WORSE`.
    """

    def __init__(self, floors: Floors) -> None:
        self.floors = floors
        self.values: list[float] = []
        self.shares: list[float] = []
        self.normal: list[int] = []
        self.ended: tuple[int, int] | None = None
        self._back: int | None = None
        self._spell: _Spell | None = None

    def copy(self) -> Follower:
        """A follower in the same state that goes on by itself."""
        other = Follower(self.floors)
        other.values, other.shares, other.normal = self.values[:], self.shares[:], self.normal[:]
        other.ended, other._back = self.ended, self._back
        if self._spell is not None:
            other._spell = _Spell(**vars(self._spell))
        return other

    def step(self, value: float, share: float = 1.0) -> State:
        """The state after one more night, its value finite and higher for worse; `share` as in `limit`."""
        self.values.append(value)
        self.shares.append(share)
        night = len(self.values) - 1
        if self._spell is not None and self._is_over(self._spell, night):
            self._close(self._spell, night)
        if self._spell is None:
            self._look(night)
        if self._spell is not None and night - self._spell.start + 1 >= self._spell.adopted:
            self._adopt(self._spell, night)
        spell = self._spell
        if spell is not None:
            return State(spell.word, spell.reference, spell.start, spell.rule, self.ended)
        reference = self._before(night)
        return State("unknown" if reference is None else "normal", reference, self._back, None, self.ended)

    def _before(self, night: int) -> Reference | None:
        """The reference as it was before a night."""
        chosen = self._normal_values(night)
        return None if len(chosen) < FEWEST_NIGHTS else Reference.of(np.array(chosen), self.floors)

    def _normal_values(self, night: int) -> list[float]:
        """The latest normal nights before a night."""
        end = bisect_left(self.normal, night)
        return [self.values[place] for place in self.normal[max(0, end - MOST_NIGHTS) : end]]

    def _look(self, night: int) -> None:
        """Begins a spell where the newest nights are outside; else the night is a normal one."""
        for rule in RULES:
            first = night - rule.nights + 1
            before = self._normal_values(first) if first >= (self._back or 0) else []
            if len(before) < FEWEST_NIGHTS:
                break
            sign = direction(statistics.median(before), rule, self.values[first:], self.floors)
            if sign:  # rare: most nights need no more than their medians
                reference = Reference.of(np.array(before), self.floors)
                seen = reference if sign > 0 else reference.mirrored
                newest = sign * np.array(self.values[first:])
                if exceeds(seen, rule, newest, self.floors, max(self.shares[first:])):
                    self._begin(first, sign, rule, seen)
                    return
        self.normal.append(night)

    def _begin(self, first: int, sign: int, rule: Rule, seen: Reference) -> None:
        """Begins a spell, earlier than where it was found if the nights before were nearer to its level already."""
        middle = (seen.level + float(np.median(sign * np.array(self.values[first:])))) / 2
        while first - 1 in self.normal and sign * self.values[first - 1] > middle and self._before(first - 1):
            first -= 1
        self.normal = [place for place in self.normal if place < first]
        reference = self._before(first)
        if reference is not None:
            self._spell = _Spell(first, sign, rule, reference)

    def _is_over(self, spell: _Spell, night: int) -> bool:
        reference = spell.reference if spell.sign > 0 else spell.reference.mirrored
        value = spell.sign * self.values[night]
        level = float(np.median(spell.sign * np.array(self.values[spell.start : night])))
        inside = value - reference.level <= limit(reference, ROW, self.floors)
        if inside and level - value > RETURNED * reference.scatter:
            spell.back = 1
            return True
        spell.back = spell.back + 1 if value < (reference.level + level) / 2 else 0
        return spell.back >= NIGHTS_BACK

    def _close(self, spell: _Spell, night: int) -> None:
        back = night - spell.back + 1
        if spell.sign > 0:
            self.ended = (spell.start, back - 1)
        if back - spell.start <= SHORT_SPELL:
            self.normal += range(spell.start, back)
        self.normal += range(back, night)
        self._back, self._spell = back, None

    def _adopt(self, spell: _Spell, night: int) -> None:
        """The spell's nights are the reference from now on, or part of it if the earlier ones were too few."""
        earlier = self.normal if spell.is_doubtful else []
        self.normal = [*earlier, *range(spell.start, night + 1)]
        self._back, self._spell, self.ended = (None if spell.is_doubtful else spell.start), None, None


@dataclass
class _Spell:
    """Nights outside: since when, in which direction, found by which rule, and how many of the newest seem back."""

    start: int
    sign: int
    rule: Rule
    reference: Reference
    back: int = 0

    @property
    def word(self) -> NightWord:
        return "worse" if self.sign > 0 else "better"

    @property
    def is_doubtful(self) -> bool:
        """Whether the spell is a small step away from a short reference, which may have been a calm stretch."""
        return self.rule.nights >= ROW.nights and len(self.reference.nights) < ESTABLISHED

    @property
    def adopted(self) -> int:
        """Nights after which the spell is normal; as many as the reference has, where the spell is doubtful."""
        usual = ADOPTED_WORSE if self.sign > 0 else ADOPTED_BETTER
        return min(usual, max(FEWEST_ADOPTED, len(self.reference.nights))) if self.is_doubtful else usual


def follow(values: Numbers, floors: Floors, shares: Numbers | None = None) -> list[State]:
    """The state after each night; `values`: shape (n,), oldest first, finite, worse being higher."""
    follower = Follower(floors)
    given = [1.0] * len(values) if shares is None else shares.tolist()
    return [follower.step(value, share) for value, share in zip(values.tolist(), given, strict=True)]
