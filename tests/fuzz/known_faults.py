"""Faults that are known and not mended yet: the only place where they are passed over.

Once they are mended, empty the three constants; nothing else changes.
"""

from __future__ import annotations

from typing import Final

CLAIMS: Final[tuple[str, ...]] = (
    "_numbered:",  # a plain run's only bar has no number; negative starts give the number 0
    "_method_told:",  # a closing refresh without a rate gives steps with a method and no time
    "'runs', 'decode_s'",  # average times steps may fall short of the steps' sum
    "'prompts', 'duration_s'",  # `Prompt executed in -1 seconds` is a time below 0
    "steps_done",  # a percentage beyond 100 gives more steps than there are
    "_steps: assert without",  # the same
    "_loras: assert f",  # JSON lines without a line end inside are put together, over lines in between
    "(start is None) == (end is None)",  # an end beyond 64 bits leaves the other end alone
)
"""Pieces of claims, as `claims.broken` tells them, that are known not to hold."""

CASES: Final = {
    "bar-that-runs-backwards.log": "decoding below 0 seconds",
    "closing-refresh-without-rate.log": "steps with a method and no time",
    "end-beyond-64-bits.log": "a range with one end",
    "json-line-without-line-end.log": "a line put together of lines that are not beside each other",
    "negative-duration-of-a-prompt.log": "a time below 0",
    "negative-start-of-a-window.log": "a window with the number 0",
    "percentage-beyond-100.log": "more steps than there are",
    "plain-run-with-one-bar.log": "a window without a number",
    "plain-run-with-one-described-bar.log": "a window without a number",
}
"""Kept inputs that break a claim today, by file name, with the reason."""

COMPANY: Final = (b"\x1b", b"\0")
"""What a log may not hold to be compared alone and in company: whether a code inside words hides its line differs."""


def unknown(broken: list[str]) -> list[str]:
    """The claims among these that no known fault explains."""
    return [claim for claim in broken if not any(known in claim for known in CLAIMS)]
