"""The documents keep up with the program."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from loganalyzer.checks.registry import rules
from loganalyzer.cli.group import COMMANDS, main
from loganalyzer.settings.config import KEYS
from loganalyzer.tables.metrics import METRICS
from loganalyzer.tables.schema import SCHEMAS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_quick_start_is_two_lines_in_one_block() -> None:
    blocks = re.findall(r"```\n(.*?)```", README, flags=re.DOTALL)
    starts = [[line for line in block.splitlines() if line.startswith("pip install")] for block in blocks]
    assert [len(lines) for lines in starts if lines] == [2]


INSTALL_TEXTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, pattern in (("", "*.md"), ("docs", "**/*"), (".github", "**/*"), ("loganalyzer", "**/*.py"))
    for path in (ROOT / folder).glob(pattern)
    if path.suffix in {".md", ".yml", ".yaml", ".py"} and path.name != "CHANGELOG.md"
)
STRANGERS_PACKAGE = re.compile(
    r"(?:pip3?|pipx|uvx?)(?: [^\s&|;]+)*? ['\"]?(?:loganalyzer|loganalyze)(?:\[[^]]*\])?['\"]?(?![\w/.-])"
)
"""An install command that fetches another author's package of that name from PyPI."""


@pytest.mark.parametrize("name", INSTALL_TEXTS)
def test_nobody_is_told_to_install_a_strangers_package(name: str) -> None:
    assert STRANGERS_PACKAGE.findall((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "is_a_strangers"),
    [
        ("pip install loganalyzer", True),
        ("pip install 'loganalyzer[postgres]'", True),
        ("pip install -U loganalyze", True),
        ("pipx install loganalyzer", True),
        ("uvx loganalyze", True),
        ("pip install comfyui-loganalyzer", False),
        ("pip install '.[postgres]'", False),
        ('pip install "$LOGANALYZER"', False),
        ("pip install . && loganalyze sample_logs/*.txt", False),
    ],
)
def test_an_install_command_for_a_strangers_package_is_recognized(line: str, is_a_strangers: bool) -> None:
    assert bool(STRANGERS_PACKAGE.search(line)) is is_a_strangers


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LINKS = sorted({(page, link) for page in PAGES for link in re.findall(r"\]\(([^)h#][^)#]*)", page.read_text("utf-8"))})


@pytest.mark.parametrize(("page", "link"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_what_a_page_links_to_is_there(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


def test_the_readme_is_short() -> None:
    assert len(README.split()) <= 1000
    assert set(re.findall(r"docs/[\w-]+\.md", README)) == {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}


def test_the_columns_in_the_page_of_tables_are_made_from_the_tables() -> None:
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(ROOT / "docs" / "tables.py"))["page"](text)
    assert text == made, "run `python docs/tables.py`"
    assert sorted(re.findall(r"<!-- columns of (\w+) -->", text)) == sorted(SCHEMAS)


def test_every_metric_is_documented() -> None:
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert [name for name in METRICS if f"`{name}`" not in text.split("| metric |")[1]] == []


def test_the_page_of_the_configuration_uses_known_keys_only() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert block is not None
    keys = re.findall(r"^([a-z_]+) =", block[1], flags=re.MULTILINE)
    assert set(keys) <= set(KEYS)


def test_the_keys_in_the_page_of_the_configuration_are_made_from_the_keys() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(ROOT / "docs" / "configuration.py"))["page"](text)
    assert text == made, "run `python docs/configuration.py`"
    assert all(f"| `{name}` |" in text for name in KEYS)


FAQ = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
FAQ_COMMANDS = sorted(set(re.findall(r"^loganalyze (.*)$", FAQ, flags=re.MULTILINE)))


@pytest.mark.parametrize("line", FAQ_COMMANDS)
def test_the_commands_of_the_questions_have_known_options(line: str) -> None:
    words = shlex.split(line)
    name = words.pop(0) if words[0] in COMMANDS else "analyze"
    command = main.get_command(click.Context(main), name)
    assert command is not None
    if isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None
    command.make_parser(click.Context(command)).parse_args(words)


def test_every_question_has_a_command_and_a_short_answer() -> None:
    answers = FAQ.split("\n## ")[1:]
    assert 12 <= len(answers) <= 18
    for answer in answers:
        prose, _, rest = answer.partition("\n```")
        assert rest.startswith("\nloganalyze "), answer.splitlines()[0]
        sentences = re.findall(r"[.:?](?:\s|$)", prose.partition("\n")[2])
        assert 2 <= len(sentences) <= 9, answer.splitlines()[0]


def test_the_readme_and_the_rules_speak_of_the_same_rules() -> None:
    assert set(re.findall(r"\b[A-Z]{3}\d{3}\b", README)) <= set(rules())


def test_the_page_of_rules_is_made_from_the_rules() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "rules.py"))["page"]()
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == made, "run `python docs/rules.py`"


def test_the_page_of_failures_is_made_from_the_catalogue() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "failures.py"))["page"]()
    assert (ROOT / "docs" / "failures.md").read_text(encoding="utf-8") == made, "run `python docs/failures.py`"


def test_the_first_help_is_read_as_it_is_meant() -> None:
    text = CliRunner().invoke(main, ["--help"]).stdout
    assert "\\b" not in text
    assert "..." not in text.partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_the_notebook_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    cells = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "sample_logs").symlink_to(ROOT / "sample_logs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in cells:
        exec(cell, names)
    assert (tmp_path / "report.html").exists()
    assert str(names["report"]).startswith("<loganalyzer report: fail")
