"""A running server's log is followed: each message once, through rotation, loss and restarts."""

from __future__ import annotations

from collections.abc import Iterator

import logtext as log
import pytest
from comfyserver import PAGE, Comfy, running
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.common.errors import SourceError
from loganalyzer.settings.model import Settings
from loganalyzer.sources.comfyui_server import Message
from loganalyzer.sources.urls import Address, parse_url
from loganalyzer.watch.growth import Growth
from loganalyzer.watch.opening import open_growing_log
from loganalyzer.watch.server_log import ServerLog, compare_answers
from loganalyzer.watch.watching import LogWatcher


def address(url: str) -> Address:
    found = parse_url(url)
    assert found is not None
    return found


@pytest.fixture
def comfy() -> Iterator[Comfy]:
    with running(Comfy()) as server:
        yield server


def messages(comfy: Comfy) -> list[Message]:
    return [Message(entry["t"], entry["m"]) for entry in comfy.kept]


def test_what_the_server_has_comes_first_then_what_it_adds(comfy: Comfy) -> None:
    comfy.write("first\n")
    following = ServerLog(address(comfy.url))
    assert following.look().data == b"first\n"
    assert following.look() == Growth()
    comfy.write("sec")
    comfy.write("ond\n")
    assert following.look().data == b"second\n"
    assert set(comfy.asked) == {("GET", PAGE)}


def test_a_bar_that_is_redrawn_comes_as_a_console_shows_it(comfy: Comfy) -> None:
    following = ServerLog(address(comfy.url))
    comfy.write("start\n\r 25%")
    data = following.look().data + following.look().data
    comfy.write("\r 50%\r 75%")
    data += following.look().data
    comfy.write("\r100%\nend\n")
    data += following.look().data
    assert data == b"start\n\r 25%\r 75%\r100%\nend\n"


def test_old_messages_that_are_dropped_change_nothing(comfy: Comfy) -> None:
    following = ServerLog(address(comfy.url))
    data = following.look().data
    text = "".join(f"line {number}\n" for number in range(1000))
    for start in range(0, len(text), 700):
        comfy.write(text[start : start + 700])
        growth = following.look()
        assert not growth.is_new
        data += growth.data
    assert data.decode() == text
    assert len(comfy.kept) == 300


def test_messages_that_were_lost_between_two_looks_are_said(comfy: Comfy) -> None:
    following = ServerLog(address(comfy.url))
    comfy.write("early\n" * 150)
    following.look(), following.look()
    comfy.write("late\n" * 150)
    growth = following.look()
    assert (growth.data, growth.is_new) == (b"late\n" * 150, True)
    assert "some were lost; a shorter --interval loses fewer" in growth.notice


@pytest.mark.parametrize(("lines", "is_lost"), [(149, False), (150, True)])
def test_one_message_in_common_is_enough(comfy: Comfy, lines: int, is_lost: bool) -> None:
    comfy.write("early\n" * 150)
    following = ServerLog(address(comfy.url))
    following.look()
    comfy.write("late\n" * lines)
    assert following.look().is_new is is_lost


def test_a_server_that_restarts_is_a_new_log(comfy: Comfy) -> None:
    comfy.write("old\n" * 20)
    following = ServerLog(address(comfy.url))
    following.look()
    comfy.restart()
    comfy.write("new\n")
    assert following.look() == Growth(b"new\n", is_new=True)


@pytest.mark.parametrize("is_restarted", [True, False])
def test_a_server_that_is_away_is_waited_for_and_said_once(is_restarted: bool) -> None:
    comfy = Comfy()
    with running(comfy):
        comfy.write("old\n")
        following = ServerLog(address(comfy.url))
        following.look()
    port = int(comfy.url.rpartition(":")[2])
    assert following.look().notice == f"{comfy.url}: cannot be read: connection refused; waiting for the server"
    assert following.look() == Growth()
    if is_restarted:
        comfy.restart()
    comfy.write("new\nand more\n")
    with running(comfy, port):
        growth = following.look()
    assert (growth.data, growth.is_new) == (b"new\nand more\n", is_restarted)
    assert ("answers again" in growth.notice) is not is_restarted


@pytest.mark.parametrize(("status", "body"), [(404, b""), (200, b"<html>"), (500, b"")])
def test_an_answer_that_is_no_log_ends_the_watch_at_its_start_and_is_waited_out_later(
    comfy: Comfy, status: int, body: bytes
) -> None:
    comfy.write("a\n")
    following = ServerLog(address(comfy.url))
    following.look()
    comfy.answer = (status, body)
    assert following.look().notice.endswith("waiting for the server")
    with pytest.raises(SourceError, match=comfy.url):
        ServerLog(address(comfy.url))
    comfy.answer = None
    assert following.look().notice == f"{comfy.url}: the server answers again"


@given(
    before=st.lists(st.sampled_from(["a", "\n", "\r1", "\r2", "b\n"]), max_size=12),
    after=st.lists(st.sampled_from(["a", "\n", "\r1", "\r2", "b\n"]), max_size=5),
)
def test_every_message_arrives_once_whatever_is_dropped(before: list[str], after: list[str]) -> None:
    comfy = Comfy(kept=8)
    comfy.write("start\n")
    comfy.write("".join(before))
    first = messages(comfy)
    comfy.write("".join(after))
    now = messages(comfy)
    found = compare_answers(first, now)
    assert found.follow
    known = {message.time for message in first}
    assert [message.text for message in found.messages] == [
        message.text for message in now if message.time not in known
    ]


def test_messages_of_the_same_moment_are_told_apart_by_their_order() -> None:
    first = [Message("t", text) for text in ("a", "\n", "a", "\n")]
    found = compare_answers(first, [*first[2:], Message("t", "a"), Message("t", "b")])
    assert [message.text for message in found.messages] == ["a", "b"]


def test_warnings_come_while_the_run_goes_on(comfy: Comfy) -> None:
    text = log.BANNER + log.prompt(427)
    header = text.index("Sampling 427 frames")
    end = text.index("\n", header) + 1
    with LogWatcher(comfy.url, Settings(quantization="Q6_K")) as watching:
        rules = []
        for piece in (text[:header], text[header:end], text[end:]):
            comfy.write(piece)
            look = watching.look()
            rules.append([one.rule for one in look.warned])
    assert rules == [[], ["AUD001"], []]
    assert watching.name == comfy.url
    assert look.runs[0].status == "completed"


def test_an_object_in_a_store_is_refused() -> None:
    with pytest.raises(SourceError, match="watch follows no objects in a store"):
        open_growing_log("s3://bucket/a.log")
