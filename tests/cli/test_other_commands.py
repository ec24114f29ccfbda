"""The catalogue of rules and the patterns, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loganalyzer.checks.registry import rules as known_rules
from loganalyzer.cli.group import main
from loganalyzer.common.version import __version__

BROKEN = Path(__file__).parent.parent / "broken_patterns"


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def test_the_version_is_the_packages() -> None:
    assert call("--version").output == f"loganalyze, version {__version__}\n"


def test_help_names_the_commands_and_the_exit_codes() -> None:
    output = call("--help").output
    for word in ("analyze", "patterns", "rules", "Exit status"):
        assert word in output


def test_rules_lists_every_rule_with_its_severity() -> None:
    lines = call("rules").output.splitlines()
    assert len(lines) == len(known_rules())
    assert any(line.startswith("AUD001  error   audio-shortfall: ") for line in lines)


def test_one_rule_is_explained_with_why_example_and_fix() -> None:
    output = call("rules", "aud001").output
    for word in ("AUD001 audio-shortfall (error)", "why ", "fix ", "example", "need 441"):
        assert word in output


def test_a_rule_that_strict_raises_says_so() -> None:
    assert "LOG001 unrecognised-variant (warning; error with --strict)" in call("rules", "log001").output


def test_an_unknown_rule_is_exit_2_and_says_where_the_list_is() -> None:
    result = call("rules", "XYZ1")
    assert result.exit_code == 2
    assert "there is no rule 'XYZ1'" in result.output


def test_patterns_are_listed_by_file_with_their_days() -> None:
    output = call("patterns", "list").output
    assert "windowed-loop.toml" in output
    assert "2025-08-20.." in output


def test_patterns_test_reads_every_sample() -> None:
    result = call("patterns", "test")
    assert result.exit_code == 0
    assert result.output.endswith(" 0 failed\n")


def test_patterns_test_fails_on_a_broken_sample(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes((BROKEN / "sample_states_another_value.toml").read_bytes())
    result = call("patterns", "test", "--patterns", str(tmp_path))
    assert result.exit_code == 1
    assert "count is 3, but the sample states 4" in result.output


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Padding length: 50", ["padding-length", "padding = 50"]),
        ("Sampling 250 frames in 4 windows, at 1280x720 with 4 steps", ["audio_frames = 250", "steps = 4"]),
        (
            "Sampling 250 frames in four windows, at 1280x720 with 4 steps",
            ["window-header", "column 24", "announced_windows: int", " " * 25 + "^"],
        ),
        ("hello world", ["no pattern matches this line or comes near it"]),
    ],
)
def test_explain_says_how_a_line_is_read_or_where_it_stops(line: str, said: list[str]) -> None:
    output = call("patterns", "explain", line).output
    for words in said:
        assert words in output


def test_explain_reads_one_refresh_and_both_messages_of_a_glued_line() -> None:
    line = "\rSampling audio indices 0-81:  25%|##| 1/4 [00:05<00:15,  5.29s/it]Processing interrupted"
    output = call("patterns", "explain", line).output
    assert "window-bar-audio" in output
    assert "processing-interrupted" in output.lower() or "interruption" in output.lower()
