"""`--notify` sends a notice when the verdict changes, tells no secret, and never changes the verdict."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.common.errors import ConfigurationError
from loganalyzer.notify import message, remembered, sending

CLEAN = log.BANNER + log.prompt(369)
PADDED = log.BANNER + log.prompt(427)
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@dataclass
class Service:
    """A local web hook: what it was sent, and the status that it answers."""

    url: str = ""
    status: int = 200
    got: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"json://127.0.0.1:{server.server_port}/hidden-path"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield told
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remembered, "user_cache_path", lambda name: tmp_path / "cache" / name)


def call(text: str, *words: str) -> Result:
    Path("night.log").write_text(text)
    return CliRunner().invoke(main, ["night.log", "--no-html", "--quantization", "Q6_K", *words])


def test_the_first_call_sends_a_notice_unless_all_is_well(service: Service) -> None:
    assert call(CLEAN, "--notify", service.url).exit_code == 0
    assert service.got == []
    assert call(PADDED, "--notify", service.url).exit_code == 1
    (got,) = service.got
    assert got["title"] == "loganalyze: FAIL (before: PASS)"
    assert got["type"] == "failure"
    first, finding, fix, *_ = got["message"].splitlines()
    assert first.startswith("1 run in 1 file: 1 error")
    assert finding.startswith("AUD001 night.log:")
    assert fix.startswith("Fix: ")


def test_only_a_change_of_the_verdict_is_sent(service: Service) -> None:
    for text in (PADDED, PADDED, CLEAN, CLEAN, PADDED):
        call(text, "--notify", service.url)
    assert [got["title"].split(" (")[0] for got in service.got] == [
        "loganalyze: FAIL", "loganalyze: PASS", "loganalyze: FAIL",
    ]  # fmt: skip


def test_a_notice_is_sent_each_time_where_it_is_wanted(service: Service) -> None:
    for _ in "12":
        call(CLEAN, "--notify", service.url, "--notify-always")
    assert [got["type"] for got in service.got] == ["success", "success"]


def test_the_configuration_names_services_too(service: Service) -> None:
    Path("loganalyze.toml").write_text(f'notify = ["{service.url}"]\n')
    call(PADDED)
    assert len(service.got) == 1


def test_without_a_cache_folder_the_history_tells_the_last_verdict(service: Service, tmp_path: Path) -> None:
    words = ("--history", f"sqlite:///{tmp_path}/h.db", "--notify", service.url)
    call(PADDED, *words)
    for path in (tmp_path / "cache").rglob("*.json"):
        path.unlink()
    call(PADDED.replace("80.36", "81.36"), *words)
    assert [got["title"] for got in service.got] == ["loganalyze: FAIL"]


def test_a_service_that_refuses_costs_a_line_and_is_tried_again(service: Service) -> None:
    service.status = 500
    result = call(PADDED, "--notify", service.url)
    assert result.exit_code == 1
    assert result.stderr.count("notice to json://… not sent") == 1
    assert "hidden-path" not in result.output
    service.status = 200
    call(PADDED, "--notify", service.url)
    assert len(service.got) == 2


def test_a_service_that_is_not_there_does_not_change_a_pass() -> None:
    result = call(CLEAN, "--notify", "json://127.0.0.1:9/secret", "--notify-always")
    assert result.exit_code == 0
    assert "not sent" in result.stderr
    assert "secret" not in result.output


def test_a_service_that_does_not_answer_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.05)
    monkeypatch.setattr(sending, "_deliver", lambda *_: release.wait())
    failed = sending.send_notice(message.Notice("t", "b", "failure"), [SLACK])
    release.set()
    assert failed == ["notice to slack://… not sent: no answer within 0.05 s"]


@pytest.mark.parametrize("url", ["gopher://secret", "secret", "", "json://"])
def test_a_url_of_no_service_is_refused_before_any_log_is_read(url: str) -> None:
    result = call(CLEAN, "--notify", url)
    assert result.exit_code == 2
    assert "not the URL of a known service" in result.stderr
    assert "secret" not in result.output


@pytest.mark.parametrize(
    "url", [SLACK, "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "ntfy://topic", "jsons://example.org/path"]
)
def test_common_services_are_known(url: str) -> None:
    sending.check_urls([url])


def test_always_needs_a_service() -> None:
    result = call(CLEAN, "--notify-always")
    assert result.exit_code == 2
    assert "--notify-always needs --notify URL" in result.stderr


def test_without_the_extra_the_call_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(ConfigurationError, match=r"\[notify\]"):
        sending.check_urls([SLACK])


def test_secrets_and_mentions_of_a_log_do_not_reach_the_service(service: Service) -> None:
    text = PADDED.replace("Q6", "Q6") + log.ARRIVAL + (
        "!!! Exception during processing !!! /home/ada/x @everyone <!channel> hf_" + "a1B2" * 9 + "\n" + log.EXECUTED
    )  # fmt: skip
    call(text, "--notify", service.url, "--no-redact")
    (got,) = service.got
    for hostile in ("ada", "@everyone", "<!channel>", "a1B2"):
        assert hostile not in got["message"]


@pytest.mark.parametrize(("length", "whole"), [(message.LONGEST_LINE, True), (message.LONGEST_LINE + 1, False)])
def test_a_line_of_a_notice_is_bounded(length: int, whole: bool) -> None:
    body = message.make_notice("t", ["x" * length], "failure").body
    assert len(body) == message.LONGEST_LINE
    assert body.endswith("x" if whole else "…")


@pytest.mark.parametrize("content", ["", "[]", '{"verdict": "good"}', '{"verdict": 1}', "[" * 900, "x" * 2000])
def test_a_damaged_memory_of_the_last_verdict_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert remembered.last_verdict(tmp_path / "x.json") is None


def test_verdicts_are_kept_by_history_or_else_by_inputs(tmp_path: Path) -> None:
    def place(history: str | None, *paths: str) -> Path:
        return remembered.verdict_file(history, paths, tmp_path)

    assert place("sqlite:///a", "x") == place("sqlite:///a", "y") != place("sqlite:///b", "x")
    assert place(None, "x") != place(None, "y")


def test_watch_sends_a_notice_when_what_it_finds_becomes_worse(service: Service) -> None:
    Path("comfy.log").write_text(PADDED)
    words = ["watch", "comfy.log", "--once-idle", "0", "--quantization", "Q6_K", "--notify", service.url]
    assert CliRunner().invoke(main, words).exit_code == 1
    assert [got["title"] for got in service.got][-1] == "loganalyze watch: error"
    assert "AUD001 comfy.log:" in service.got[-1]["message"]


def test_a_fix_of_several_lines_is_one_line_of_a_notice() -> None:
    problem = message.NoticeFinding("AUD001", "a.log:4", "short", "Trim:\n  `ffmpeg`\nOr extend.")
    assert message.finding_lines(problem)[1] == "Fix: Trim: `ffmpeg` Or extend."
