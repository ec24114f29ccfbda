"""Follows a series night by night and finds when it left its normal range and when it returned."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from loganalyzer.regression.control import (
    ESTABLISHED_NIGHTS,
    MIN_NIGHTS,
    MOST_NIGHTS,
    RETURN_RULE,
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

SHORT_SPELL_NIGHTS: Final = 2
"""A spell of at most this length joins the reference once it is over: it was an outlier, and there may be more."""
ADOPTED_BETTER: Final = 8
"""Nights after which a better level becomes normal."""
ADOPTED_WORSE: Final = MOST_NIGHTS
"""Nights after which a worse level becomes normal: the latest nights then contain no earlier ones."""
MIN_ADOPTED: Final = 5
"""Minimum length of a doubtful spell before its nights join the reference.

If the step is real, the change-point scan dates it, so the series remains `regressed`.
"""
RETURN_SCATTERS: Final = 4.0
"""Distance below the spell's level, in scatters, from which a single normal night ends the spell."""
RETURN_NIGHTS: Final = 2
"""Number of consecutive nights nearer to the normal level than to the spell's level that ends a spell."""


@dataclass(frozen=True, eq=False)
class NightState:
    """The state of a series after a night.

    Attributes:
        word: how the newest nights compare with the reference.
        reference: the normal nights, with higher being worse; None while there are too few.
        since: first night of the present spell (`worse`, `better`); if normal, the first night after the last spell.
        rule: the rule that found the spell.
        ended: first and last night of the last `worse` spell that is over.
    """

    word: NightWord
    reference: Reference | None
    since: int | None = None
    rule: Rule | None = None
    ended: tuple[int, int] | None = None


class Follower:
    """Takes the nights in order. The state after a night never depends on later nights.

    Nights outside are not part of the reference, so a worse level does not become normal before `ADOPTED_WORSE` nights.
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
        """An independent follower in the same state."""
        other = Follower(self.floors)
        other.values, other.shares, other.normal = self.values[:], self.shares[:], self.normal[:]
        other.ended, other._back = self.ended, self._back
        if self._spell is not None:
            other._spell = _Spell(**vars(self._spell))
        return other

    def step(self, value: float, share: float = 1.0) -> NightState:
        """The state after one more night. `value` is finite and higher for worse; `share` is as in `limit`."""
        self.values.append(value)
        self.shares.append(share)
        night = len(self.values) - 1
        if self._spell is not None and self._is_over(self._spell, night):
            self._end_spell(self._spell, night)
        if self._spell is None:
            self._check_rules(night)
        if self._spell is not None and night - self._spell.start + 1 >= self._spell.adopted:
            self._adopt(self._spell, night)
        spell = self._spell
        if spell is not None:
            return NightState(spell.word, spell.reference, spell.start, spell.rule, self.ended)
        reference = self._reference_before(night)
        return NightState("unknown" if reference is None else "normal", reference, self._back, None, self.ended)

    def _reference_before(self, night: int) -> Reference | None:
        """The reference before a night; None if there are too few normal nights."""
        chosen = self._normal_values(night)
        return None if len(chosen) < MIN_NIGHTS else Reference.of(np.array(chosen), self.floors)

    def _normal_values(self, night: int) -> list[float]:
        """The values of the latest normal nights before a night."""
        end = bisect_left(self.normal, night)
        return [self.values[place] for place in self.normal[max(0, end - MOST_NIGHTS) : end]]

    def _check_rules(self, night: int) -> None:
        """Starts a spell if the newest nights are outside; otherwise marks the night as normal."""
        for rule in RULES:
            first = night - rule.nights + 1
            before = self._normal_values(first) if first >= (self._back or 0) else []
            if len(before) < MIN_NIGHTS:
                break
            sign = direction(statistics.median(before), rule, self.values[first:], self.floors)
            if sign:  # rare: most nights are normal by their medians alone
                reference = Reference.of(np.array(before), self.floors)
                oriented = reference if sign > 0 else reference.mirrored
                newest = sign * np.array(self.values[first:])
                if exceeds(oriented, rule, newest, self.floors, max(self.shares[first:])):
                    self._start_spell(first, sign, rule, oriented)
                    return
        self.normal.append(night)

    def _start_spell(self, first: int, sign: int, rule: Rule, oriented: Reference) -> None:
        """Starts a spell, and dates it back over earlier nights that were already nearer to its level."""
        middle = (oriented.level + float(np.median(sign * np.array(self.values[first:])))) / 2
        while first - 1 in self.normal and sign * self.values[first - 1] > middle and self._reference_before(first - 1):
            first -= 1
        self.normal = [place for place in self.normal if place < first]
        reference = self._reference_before(first)
        if reference is not None:
            self._spell = _Spell(first, sign, rule, reference)

    def _is_over(self, spell: _Spell, night: int) -> bool:
        reference = spell.reference if spell.sign > 0 else spell.reference.mirrored
        value = spell.sign * self.values[night]
        level = float(np.median(spell.sign * np.array(self.values[spell.start : night])))
        inside = value - reference.level <= limit(reference, RETURN_RULE, self.floors)
        if inside and level - value > RETURN_SCATTERS * reference.scatter:
            spell.back = 1
            return True
        spell.back = spell.back + 1 if value < (reference.level + level) / 2 else 0
        return spell.back >= RETURN_NIGHTS

    def _end_spell(self, spell: _Spell, night: int) -> None:
        back = night - spell.back + 1
        if spell.sign > 0:
            self.ended = (spell.start, back - 1)
        if back - spell.start <= SHORT_SPELL_NIGHTS:
            self.normal += range(spell.start, back)
        self.normal += range(back, night)
        self._back, self._spell = back, None

    def _adopt(self, spell: _Spell, night: int) -> None:
        """Makes the nights of the spell the reference; those of a doubtful spell join the earlier ones."""
        earlier = self.normal if spell.is_doubtful else []
        self.normal = [*earlier, *range(spell.start, night + 1)]
        self._back, self._spell, self.ended = (None if spell.is_doubtful else spell.start), None, None


@dataclass
class _Spell:
    """A spell of nights outside: its first night, direction and rule, and how many of the newest nights are back."""

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
        """Whether the spell is a small step from a short reference, which may have had too little scatter."""
        return self.rule.nights >= RETURN_RULE.nights and len(self.reference.nights) < ESTABLISHED_NIGHTS

    @property
    def adopted(self) -> int:
        """Nights after which the spell becomes normal; at most as many as the reference has if it is doubtful."""
        most = ADOPTED_WORSE if self.sign > 0 else ADOPTED_BETTER
        return min(most, max(MIN_ADOPTED, len(self.reference.nights))) if self.is_doubtful else most


def follow_nights(values: Numbers, floors: Floors, shares: Numbers | None = None) -> list[NightState]:
    """The state after each night; `values`: shape (n,), oldest first, finite, higher being worse."""
    follower = Follower(floors)
    given = [1.0] * len(values) if shares is None else shares.tolist()
    return [follower.step(value, share) for value, share in zip(values.tolist(), given, strict=True)]
