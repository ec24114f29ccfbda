"""A message that two handlers print, or `tee` on both streams, counts once."""

from __future__ import annotations

import re

import logtext as log
import polars as pl
import pytest

from loganalyzer.lines.dictionary import encode_texts
from loganalyzer.lines.doubled_lines import MIN_DOUBLED_SHARE, MIN_MESSAGES, drop_doubles
from loganalyzer.lines.segmentation import PLACES, Segments
from loganalyzer.settings.model import Settings

WHOLE = log.BANNER + log.prompt(427)


def doubled(text: str, prefix: str = "") -> str:
    """Every line that is no bar twice, the second time as another handler has it."""
    return re.sub(r"(?m)^([^\r\n]+)\n", lambda line: line[0] + prefix + line[0], text)


@pytest.mark.parametrize("prefix", ["", "INFO:root:", "WARNING:comfy.model:", "[INFO] "], ids=repr)
def test_a_doubled_log_gives_the_tables_of_the_plain_one(prefix: str) -> None:
    plain, twice = (log.analyze(text, Settings(quantization="Q6_K")) for text in (WHOLE, doubled(WHOLE, prefix)))
    for name in ("paddings", "memory", "loras", "windows"):
        unplaced = [pl.exclude("run_id", "prompt_id", "line", "at")]
        assert getattr(twice, name).select(unplaced).equals(getattr(plain, name).select(unplaced)), name
    assert twice.prompts["status"].to_list() == ["completed"]
    assert set(twice.findings["rule"]) == set(plain.findings["rule"])


def test_the_same_run_again_and_again_is_not_a_doubled_log() -> None:
    assert log.analyze(log.prompt() * 4).runs.height == 4


def test_prompts_that_wait_in_the_queue_are_several() -> None:
    found = log.analyze(log.ARRIVAL * 2 + log.lora() + log.run() + log.EXECUTED + log.lora() + log.run() + log.EXECUTED)
    assert found.prompts["status"].to_list() == ["completed", "completed"]


def kept(texts: list[str]) -> int:
    """How many of these messages of one input are left."""
    places = pl.DataFrame(
        {"source": 0, "line": range(1, len(texts) + 1), "part": 0, "stream": None, "time": None}, schema=PLACES
    )
    return drop_doubles(Segments(places, encode_texts(pl.Series("text", texts)))).places.height


@pytest.mark.parametrize(("singles", "left"), [(5, 15), (6, 26)], ids=["at the share", "below it"])
def test_an_input_counts_as_doubled_from_the_share_on(singles: int, left: int) -> None:
    pairs = [text for number in range(10) for text in (f"message {number}", f"message {number}")]
    texts = pairs + [f"single {number}" for number in range(singles)]
    assert (len(pairs) >= MIN_DOUBLED_SHARE * len(texts)) is (left == 15)
    assert kept(texts) == left


@pytest.mark.parametrize(("messages", "left"), [(MIN_MESSAGES, MIN_MESSAGES // 2), (MIN_MESSAGES - 2, 8)])
def test_an_excerpt_of_few_messages_is_taken_as_it_stands(messages: int, left: int) -> None:
    assert kept([f"message {number // 2}" for number in range(messages)]) == left
