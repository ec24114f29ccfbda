"""What a side of a comparison is called in outputs."""

from __future__ import annotations

import pytest

from loganalyzer.cli.compare_sides import shown
from loganalyzer.settings.model import Settings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/home/ann/logs/a.log", "/home/‹user›/logs/a.log"),
        ("logs/tonight.log", "logs/tonight.log"),
        ("a\nb.log", r"a\nb.log"),
    ],
)
def test_names_of_people_are_masked_and_leave_no_trace(name: str, expected: str) -> None:
    assert shown(name, Settings()) == expected


def test_without_masking_names_stay_as_they_are() -> None:
    assert shown("/home/ann/a.log", Settings(redact=False)) == "/home/ann/a.log"
