"""Every JSON document fits its published schema, and the schema leaves out no member."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import logtext as log
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from workflows import api

from loganalyzer.cli.group import main
from loganalyzer.report.schemas.registry import SCHEMAS
from loganalyzer.tables.columns import COLUMNS


def call(*words: str) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code in (0, 1), result.output
    return result.stdout


def closed(schema: Any) -> Any:
    """The schema with every object closed that lists its members: a member that it does not list is an error."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(item) for name, item in schema.items()}
    if "properties" in found and "required" in found and found.get("type") == "object":
        found["additionalProperties"] = False
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("logs")
    failed = log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + "!!! Exception during processing !!! no\n"
    stamped = "".join(
        f"2026-11-27T12:00:{k:02d}.5Z {line}\n" for k, line in enumerate(log.prompt(153).split("\n")[:40])
    )
    (place / "a_Q6_K.log").write_text(log.BANNER + log.prompt(427) + failed + log.EXECUTED)
    (place / "b_Q6_K.log").write_text(stamped)
    (place / "c_Q6_K.log").write_text(log.BANNER + log.prompt(369))
    (place / "talk.json").write_text(json.dumps(api()))
    return place


@pytest.fixture(scope="module")
def analyses(folder: Path) -> list[Any]:
    """The main documents of the logs."""
    return made("analysis", folder)


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def made(name: str, folder: Path) -> list[Any]:
    """Documents of this kind, as the commands write them."""
    a, b, c = (str(folder / f"{letter}_Q6_K.log") for letter in "abc")
    history = f"sqlite:///{folder}/history.db"
    if name == "history-list":
        call("history", "add", a, c, "--history", history)
    words = {
        "analysis": [[a, b, "--no-html"], [c, "--no-html"]],
        "compare": [["compare", a, c], ["compare", a, a]],
        "history-list": [["history", "list", "--history", history]],
        "patterns": [["patterns", "list"]],
        "plan": [["plan", "17.084"], ["plan", "1"], ["plan", "18", "--native"]],
        "rules": [["rules"], ["rules", "AUD001"]],
        "ticket": [["ticket", a, "-o", str(folder / "t.zip")]],
        "watch": [["watch", a, "--once-idle", "0"]],
        "workflow": [["workflow", "check", str(folder / "talk.json")]],
    }
    texts = [call(*each, "--json", "-") for each in words[name]]
    return [item for text in texts for item in lines(text)] if name == "watch" else [json.loads(text) for text in texts]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_its_dialect(name: str) -> None:
    schema = json.loads(call("schema", name))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_real_documents_fit_the_schema_which_lists_all_their_members(
    name: str, folder: Path, analyses: list[Any]
) -> None:
    schema = SCHEMAS[name].schema()
    documents = analyses if name == "analysis" else made(name, folder)
    assert documents
    for document in documents:
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)
        if name != "history-list":  # its rows are those of `runs` and more
            Draft202012Validator(closed(schema)).validate(document)


def test_the_main_document_has_rows_in_most_tables(analyses: list[Any]) -> None:
    filled = {table for document in analyses for table in COLUMNS if document[table]}
    assert filled >= {"sources", "prompts", "runs", "windows", "steps", "findings", "not_checked", "memory", "loras"}


def damages(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document, damaged in one place each."""
    for path, value in [
        (("schema_version",), 2), (("verdict",), "good"), (("complete",), "yes"), (("problems",), [1]),
        (("runs", 0, "line"), "one"), (("runs", 0, "status"), 3), (("runs", 0, "prompt_s"), "long"),
        (("findings", 0, "severity"), "fatal"), (("findings", 0, "severity"), None), (("tool", "name"), "other"),
    ]:  # fmt: skip
        changed = copy.deepcopy(document)
        place: Any = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        yield ".".join(map(str, path)), changed
    for path in (("runs",), ("findings", 0, "message"), ("generated_at",)):
        changed = copy.deepcopy(document)
        place = changed
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        yield ".".join(map(str, path)), changed


def test_a_document_with_a_wrong_or_missing_value_does_not_fit(analyses: list[Any]) -> None:
    validator = Draft202012Validator(SCHEMAS["analysis"].schema())
    document = analyses[0]
    accepted = [place for place, changed in damages(document) if validator.is_valid(changed)]
    assert accepted == []
    assert validator.is_valid(document)


def test_new_members_do_not_break_readers(analyses: list[Any]) -> None:
    document = copy.deepcopy(analyses[0])
    document["new"] = 1
    document["runs"][0]["new"] = 1
    Draft202012Validator(SCHEMAS["analysis"].schema()).validate(document)


def test_the_documents_are_listed_and_a_wrong_name_is_answered_with_the_right_one() -> None:
    listed = call("schema").splitlines()
    assert [line.split()[0] for line in listed] == list(SCHEMAS)
    result = CliRunner().invoke(main, ["schema", "analisys"])
    assert result.exit_code == 2
    assert "unknown document 'analisys'. Did you mean 'analysis'?" in result.output
