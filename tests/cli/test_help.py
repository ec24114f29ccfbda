"""Help pages: grouped options, examples that work, no line wider than the terminal."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import COMMANDS, main
from loganalyzer.cli.help import PAGES, CommandWithExamples


def commands() -> list[tuple[str, ...]]:
    """Every command and subcommand."""
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, sub) for sub in command.list_commands(click.Context(command))]
    return found


def named(words: tuple[str, ...]) -> click.Command:
    command: click.Command | None = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return command


@pytest.mark.parametrize("words", [(), *commands()], ids=" ".join)
def test_a_help_page_fits_80_columns(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_help_text_starts_with_a_capital_verb_and_ends_with_a_stop_or_its_default(words: tuple[str, ...]) -> None:
    for option in named(words).params:
        if isinstance(option, click.Option) and option.help and option.name != "help":
            text = option.help.partition("  [default")[0]
            assert text[0].isupper(), text
            assert text.endswith("."), text
            assert text.split()[0] not in ("The", "A", "An", "Where", "How", "Only", "What", "Which", "Frames"), text


def test_options_of_a_long_page_are_grouped() -> None:
    text = CliRunner().invoke(main, ["analyze", "--help"]).output
    headings = [line for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Output:", "What is checked:", "History:", "Notices:", "Cluster:", "Other options:", "Examples:",
    ]  # fmt: skip
    assert text.count("--select") == 1


EXAMPLES = [
    example
    for words in commands()
    if isinstance(named(words), CommandWithExamples)
    for example in named(words).examples  # type: ignore[attr-defined]
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_has_options_and_commands_that_exist(example: str) -> None:
    _, *words = shlex.split(example.rpartition("| ")[2])
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    path: list[str] = []
    for word in words:
        command = named(tuple(path))
        if not isinstance(command, click.Group) or command.get_command(click.Context(command), word) is None:
            break
        path.append(word)
    known = {name for param in named(tuple(path) or ("analyze",)).params for name in param.opts}
    assert options <= known
    assert len(example) <= 78


def test_most_commands_have_examples() -> None:
    without = [words for words in commands() if not isinstance(named(words), click.Group | CommandWithExamples)]
    assert without == [
        ("baseline", "show"), ("history", "list"), ("history", "show"),
        ("patterns", "explain"), ("patterns", "list"), ("patterns", "test"),
    ]  # fmt: skip


@pytest.mark.parametrize("command", PAGES)
def test_a_help_page_ends_with_the_pages_to_read(command: str) -> None:
    found = named((command,))
    member = {"baseline": "check", "workflow": "check", "history": "add", "recorder": "install"}.get(command)
    words = [command, *([member] if member else [])]
    text = CliRunner().invoke(main, [*words, "--help"]).output
    assert found.name == command
    assert text.endswith(f"\nMore: {', '.join(PAGES[command])}\n")
    assert all((Path(__file__).parents[2] / page).is_file() for page in PAGES[command])
