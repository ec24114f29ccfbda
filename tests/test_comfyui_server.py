"""`loganalyze http://127.0.0.1:8188` reads the log of a running ComfyUI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result
from comfyserver import PAGE, Comfy, running

from loganalyzer.cli.group import main
from loganalyzer.common.errors import SkippedError, SourceError
from loganalyzer.sources import comfyui_server, inputs
from loganalyzer.sources.urls import parse_url


@pytest.fixture
def comfy() -> Iterator[Comfy]:
    with running(Comfy()) as server:
        yield server


def call(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--no-html", "--quantization", "Q6_K"])


def failure(url: str) -> str:
    with pytest.raises(SourceError) as raised:
        list(inputs.open_input(url))
    return str(raised.value)


@pytest.mark.parametrize("end", ["", "/"])
def test_the_log_of_a_running_server_is_analyzed(comfy: Comfy, end: str) -> None:
    comfy.write(log.BANNER + log.prompt(427))
    result = call(comfy.url + end)
    assert "1 run in 1 file" in result.stdout
    assert "AUD001" in result.stdout
    assert result.exit_code == 1
    assert set(comfy.asked) == {("GET", PAGE)}


def test_the_same_run_gives_the_same_findings_from_the_server_and_from_its_file(comfy: Comfy, tmp_path: Path) -> None:
    text = log.BANNER + log.prompt(427)
    comfy.write(text)
    (tmp_path / "a.log").write_text(text)
    found = []
    for source in (comfy.url, str(tmp_path / "a.log")):
        document = json.loads(call(source, "--json", "-").stdout)
        found.append([row["rule"] for row in document["findings"]])
        assert [run["status"] for run in document["runs"]] == ["completed"]
    assert "AUD001" in found[0]
    assert found[0] == found[1]


@pytest.mark.parametrize(("count", "is_noted"), [(299, False), (300, True)])
def test_a_full_log_may_lack_its_beginning_and_says_so(comfy: Comfy, count: int, is_noted: bool) -> None:
    comfy.write("a\n" * (count // 2) + "b" * (count % 2))
    notes = [item for item in inputs.open_input(comfy.url) if isinstance(item, SkippedError)]
    assert [note.message for note in notes] == is_noted * [
        f"{comfy.url}: ComfyUI keeps its last 300 messages, so older ones may be missing; the log's file has all"
    ]


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (404, b"404: Not Found", f"no log of ComfyUI at {PAGE}: not found\n  older versions of ComfyUI"),
        (405, b"", f"no log of ComfyUI at {PAGE}: not found"),
        (401, b"", "cannot be read: the server answered 401 Unauthorized"),
        (500, b"", "cannot be read: the server answered 500 Internal Server Error"),
        (200, b"<html>", "is not a log of ComfyUI: it is not JSON"),
        (200, b"\xff\xfe", "is not a log of ComfyUI: it is not JSON"),
        (200, b'{"entries": [', "is not a log of ComfyUI: it is not JSON"),
        (200, b"[" * 200_000, "is not a log of ComfyUI: it is not JSON"),
        (200, b"[]", "it has no list `entries`"),
        (200, b'{"entries": {}}', "it has no list `entries`"),
        (200, b'{"entries": [1, {"m": 2}]}', "its entries have no text `m`"),
        (200, b" " * ((8 << 20) + 1), "larger than 8 MiB"),
    ],
)
def test_an_answer_that_is_no_log_is_a_message(comfy: Comfy, status: int, answer: bytes, reason: str) -> None:
    comfy.answer = (status, answer)
    said = failure(comfy.url.replace("//", "//me:s3cret@"))
    assert said.startswith(comfy.url.replace("//", "//***@"))
    assert reason in said
    assert "s3cret" not in said


def test_a_server_that_is_not_running_is_a_message() -> None:
    with running(Comfy()) as gone:
        pass
    assert failure(gone.url).startswith(f"{gone.url}: cannot be read: connection refused\n")
    result = call(gone.url)
    assert result.exit_code == 2


def test_odd_entries_do_not_cost_the_others() -> None:
    address = parse_url("http://x")
    assert address is not None
    raw = json.dumps({"entries": [None, {"m": 1}, {"m": "a", "t": None}, {"m": "\ud800"}]}).encode()
    assert [message.text for message in comfyui_server.parse_messages(raw, address)] == ["a", "\ud800"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a:8188", True), ("https://a/", True), ("http://a/?token=1", True), ("http://a/x.log", False),
        ("http://a/comfy/", False), ("s3://bucket", False), ("http://", False),
    ],
)  # fmt: skip
def test_a_url_without_a_path_is_a_server(url: str, expected: bool) -> None:
    address = parse_url(url)
    assert address is not None
    assert comfyui_server.is_server(address) is expected


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://a:1", "http://a:1" + PAGE),
        ("http://a/comfy/", "http://a/comfy" + PAGE),
        ("http://a" + PAGE + "?t=1", "http://a" + PAGE + "?t=1"),
    ],
)
def test_a_server_below_a_path_is_found(url: str, page: str) -> None:
    address = parse_url(url)
    assert address is not None
    assert comfyui_server.log_address(address).shown == page
