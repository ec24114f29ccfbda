"""The loader refuses a catalogue of failures that does not keep its promises, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from loganalyzer.common.errors import GrammarError
from loganalyzer.grammar.failures import MAX_ADVICE_LENGTH, load_failures

ENTRY = """
[[failure]]
id = "full"
messages = ["Disk {disk:name} is full"]
samples = [{ line = "Disk a is full", values = { disk = "a" } }, { line = "Disk b is full", values = { disk = "b" } }]
near = ["Disk is full"]
cause = "Disk {disk} is full."
fix = "Free space."
provenance = "a test"
"""
GOOD = '[pip_names]\ngguf = "gguf"\n' + ENTRY


def broken(tmp_path: Path, old: str, new: str) -> Path:
    assert old in GOOD
    path = tmp_path / "failures.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[pip_names]", "[names]", "unknown key 'names'"),
        ('fix = "Free space."', "", "the key 'fix' is missing"),
        ('fix = "Free space."', 'fix = "x"\nhint = "y"', "unknown key 'hint'"),
        ("is full.", "is full, says {user}.", "key 'cause': {user} is not filled by"),
        ("is full.", "is full {.", "key 'cause': a brace that is not part of a placeholder"),
        ("Disk {disk:name} is full", "{[Disk {disk:name} ]}is full", "key 'near': 'Disk is full' matches"),
        ("Disk {disk:name} is full", "{(Disk {disk:name}|Tape)} is full", "key 'cause': {disk} is not filled by"),
        ('near = ["Disk is full"]', "near = []", "key 'near': at least one line"),
        (', { line = "Disk b is full", values = { disk = "b" } }', "", "at least two samples are needed"),
        ("Disk b is full", "Disk b is empty", "no message matches 'Disk b is empty'"),
        ('disk = "b"', 'disk = "c"', "disk is 'b', but the sample states 'c'"),
        ('is full"]\nsamples', 'is full", "Out of disk"]\nsamples', "no sample matches 'Out of disk'"),
        ("{disk:name} is full", "{disk:nonsense} is full", "unknown type 'nonsense'"),
        ("Free space.", "f" * MAX_ADVICE_LENGTH, f"key 'fix': {MAX_ADVICE_LENGTH} characters"),
        (ENTRY, ENTRY + ENTRY, "another failure has the same id"),
    ],
)
def test_a_broken_catalogue_is_refused_with_the_reason(tmp_path: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(GrammarError) as refused:
        load_failures(broken(tmp_path, old, new))
    assert "failures.toml" in refused.value.message
    assert reason in refused.value.message


def test_a_fix_just_below_the_longest_is_loaded(tmp_path: Path) -> None:
    catalogue = load_failures(broken(tmp_path, "Free space.", "f" * (MAX_ADVICE_LENGTH - 1)))
    assert [failure.id for failure in catalogue.failures] == ["full"]
