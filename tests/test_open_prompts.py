"""A prompt that goes on and on is made into tables part by part, and what they say is what they said in one piece."""

from __future__ import annotations

import logtext as log
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.engine import incremental
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.read import tabulate
from loganalyzer.pipeline import judge_tables
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes

SETTINGS = Settings()
PIECE = 900


def bars(windows: int, *, step_s: float = 5.0, cut: int | None = None) -> str:
    """The bars of a run and nothing else; `cut` steps of its last window were done."""
    each = [log.window(72 * k, 72 * k + 81, step_s=step_s) for k in range(windows - 1)]
    last = log.window(72 * windows - 72, 72 * windows + 9, step_s=step_s, done=cut)
    return "".join([*each, last if last.endswith("\n") else last + "\n"])


def lined(text: str) -> str:
    """Each refresh on a line of its own."""
    return text.replace("\r", "\n")


def by_turns(one: str, other: str) -> str:
    """Two containers' lines by turns."""
    pairs = zip(one.split("\n"), other.split("\n"), strict=False)
    return "".join(f"a  | {left}\nb  | {right}\n" for left, right in pairs)


RUNS = "".join(bars(2 + k % 3, step_s=4 + k / 10) for k in range(9))
LOST = "!!! Exception during processing !!! Sizes must match\n"
LOGS = {
    "bars alone": RUNS,
    "a refresh a line": lined(RUNS),
    "all on one line": RUNS.replace("\n", ""),
    "the last one cut": RUNS + bars(3, cut=2),
    "one in the middle cut": RUNS + bars(2, cut=1) + bars(2) + bars(1),
    "one in the middle cut, and an end behind them": bars(1) + bars(2, cut=1) + RUNS + log.EXECUTED,
    "an end behind them": RUNS + log.EXECUTED,
    "a prompt behind them": RUNS + log.EXECUTED + log.prompt(369),
    "a prompt before them": log.prompt(369) + RUNS,
    "prompts before and behind": log.BANNER + log.prompt(369) + RUNS + log.EXECUTED + RUNS + log.EXECUTED + RUNS,
    "a banner before them": log.BANNER + RUNS,
    "a restart between them": RUNS + log.BANNER + RUNS,
    "a restart behind bars behind a prompt": log.BANNER + log.prompt(153) + RUNS + log.BANNER + RUNS,
    "lost at the end": RUNS + LOST + log.EXECUTED,
    "lost, and bars behind": RUNS + LOST + RUNS,
    "two containers": by_turns(RUNS, RUNS + bars(2)),
    "one of two goes on": by_turns(RUNS, log.prompt(369) + RUNS),
    "stamps": "".join(f"2026-01-14 03:00:{k % 60:02d} {line}\n" for k, line in enumerate(lined(RUNS).split("\n"))),
}


def in_small_batches(patched: pytest.MonkeyPatch) -> None:
    """Records come a few lines at a time, and become tables as soon as they can."""
    patched.setattr(incremental, "FLUSH_RECORDS", 1)
    patched.setattr("loganalyzer.engine.read._MAX_GATHERED", 1)
    patched.setattr("loganalyzer.sources.chunks.HEAD_BYTES", 64)


def tables(text: str, most_open: int, name: str = "x.log") -> Tables:
    with pytest.MonkeyPatch.context() as patched:
        in_small_batches(patched)
        patched.setattr(incremental, "SPLIT_RECORDS", most_open)
        return tabulate([from_bytes(name, text.encode())], SETTINGS, chunk_bytes=PIECE)


def parts(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many parts are made of an open prompt."""
    made: list[int] = []
    usual = incremental.unbounded_prompt.drop_opened_runs

    def counted(*given: object) -> object:
        made.append(1)
        return usual(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(incremental.unbounded_prompt, "drop_opened_runs", counted)
    tables(text, 1)
    return len(made)


OF_WHOLE_INPUTS = ("excerpt",)
"""Nobody pastes an input that is so long that it is parted."""


@pytest.mark.parametrize("name", sorted(LOGS), ids=lambda name: str(name).replace(" ", "-"))
def test_tables_do_not_depend_on_where_a_prompt_was_parted(name: str) -> None:
    whole, parted = tables(LOGS[name], 1 << 30), tables(LOGS[name], 1)
    for table, frame in whole.frames.items():
        told = [name for name in frame.columns if name not in OF_WHOLE_INPUTS]
        assert parted.frames[table].select(told).equals(frame.select(told)), table


@given(
    st.lists(
        st.sampled_from(
            [bars(1), bars(2), bars(3), bars(2, cut=1), log.EXECUTED, LOST, log.prompt(153), log.BANNER, "noise\n"]
        ),
        min_size=2,
        max_size=14,
    ),
    st.booleans(),
)
def test_tables_of_any_log_do_not_depend_on_it(blocks: list[str], on_lines: bool) -> None:
    text = lined("".join(blocks)) if on_lines else "".join(blocks)
    whole, parted = tables(text, 1 << 30), tables(text, 1)
    for table, frame in whole.frames.items():
        told = [name for name in frame.columns if name not in ("wrapper_era", *OF_WHOLE_INPUTS)]
        assert parted.frames[table].select(told).equals(frame.select(told)), table


def test_messages_in_the_prompt_of_bars_that_were_parted_do_not_narrow_their_revision() -> None:
    """The one thing that is told less of: half a million refreshes before a prompt's first message are no log's."""
    text = RUNS + log.prompt(153)
    whole, parted = (tables(text, most).frames["runs"]["wrapper_era"] for most in (1 << 30, 1))
    assert whole.n_unique() == 1
    assert parted[0] != whole[0]
    assert parted[-1] == whole[-1]


def test_no_input_of_several_parts_is_an_excerpt() -> None:
    assert not tables(LOGS["bars alone"], 1).frames["prompts"]["excerpt"].any()


@pytest.mark.parametrize("name", ["bars alone", "a refresh a line", "two containers", "a banner before them"])
def test_bars_alone_are_parted_again_and_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts(LOGS[name], monkeypatch) > 1


@pytest.mark.parametrize(
    "text",
    [log.prompt(369) * 4, log.header(369, 6) + RUNS, LOGS["all on one line"], log.BANNER + log.prompt(153) + RUNS],
)
def test_a_prompt_with_messages_is_not_parted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts(text, monkeypatch) == 0


def test_runs_of_all_parts_have_their_prompts_duration() -> None:
    frames = tables(RUNS + log.EXECUTED, 1).frames
    assert frames["prompts"]["duration_s"].to_list() == [80.36]
    assert frames["runs"]["prompt_s"].to_list() == [80.36] * 9
    assert frames["runs"]["prompt_id"].n_unique() == 1


def test_an_input_without_the_end_of_a_prompt_is_cut_with_a_message_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_small_batches(monkeypatch)
    monkeypatch.setattr(incremental, "MAX_RECORDS", 40)
    monkeypatch.setattr("loganalyzer.engine.collector.MAX_RECORDS", 40)
    endless = log.ARRIVAL + log.run(369) + LOST * 80
    inputs = [from_bytes("endless.log", endless.encode()), from_bytes("other.log", log.prompt(369).encode())]
    found = tabulate(inputs, SETTINGS, chunk_bytes=300)
    assert len(found.problems) == 1
    assert "endless.log:" in found.problems[0]
    assert "40 messages without a prompt's end; the rest is not checked" in found.problems[0]
    assert found.frames["runs"]["source"].to_list() == ["endless.log", "other.log"]
    assert found.frames["excerpts"].height < 80
    assert judge_tables(found, SETTINGS).problems == found.problems


@pytest.mark.parametrize("more", ["", LOST])
def test_an_input_is_cut_only_where_something_is_lost(more: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_batches(monkeypatch)
    monkeypatch.setattr(incremental, "MAX_RECORDS", 1)
    text = log.ARRIVAL + log.run(369)
    whole = text + "noise\n" * 400 + more
    found = tabulate([from_bytes("x.log", whole.encode())], SETTINGS, chunk_bytes=len(text) + 100)
    assert len(found.problems) == (1 if more else 0)
    assert found.frames["runs"].height == 1
    assert found.frames["windows"].height == 5
