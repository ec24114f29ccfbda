"""Lists of node packs and libraries: which entries differ between two logs."""

from __future__ import annotations

import pytest

from loganalyzer.comparison.comparing import only_in


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a, b", "a, b", ()),
        ("a, b, c", "a, b", ("c",)),
        ("a 1.0", "a 1.1", ("a 1.0",)),
        ("a", "a 1.1", ()),
        ("a 1.1", "a", ()),
        ("a", "a (import failed)", ("a",)),
        ("a 1.0 (import failed)", "a 1.0", ("a 1.0 (import failed)",)),
        ("a", "ab", ("a",)),
    ],
)
def test_a_version_that_one_side_does_not_state_is_no_difference(
    one: str, other: str, expected: tuple[str, ...]
) -> None:
    assert only_in((one,), (other,)) == expected
