"""Inputs are cut into pieces of whole lines, and nothing found depends on where."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from test_lines import FORMS

from loganalyzer.common.errors import SourceError
from loganalyzer.engine import incremental
from loganalyzer.engine.read import tabulate
from loganalyzer.settings.model import Settings
from loganalyzer.sources import chunks as chunking
from loganalyzer.sources import inputs
from loganalyzer.sources.chunks import Chunk, Source, cut_chunks
from loganalyzer.sources.inputs import Input, from_bytes
from sample_logs import FOLDER

SHORT = log.BANNER + log.prompt(153) + "Padding length: three\n" + log.prompt(60)


def of(given: Input, size: int = 1) -> tuple[list[Chunk], Source]:
    *found, whole = cut_chunks(given, 0, size)
    assert isinstance(whole, Source)
    return [piece for piece in found if isinstance(piece, Chunk)], whole


@pytest.fixture
def told_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encodings are told by the first four bytes, so that pieces of a short text can be small."""
    monkeypatch.setattr(chunking, "HEAD_BYTES", 4)


@pytest.mark.parametrize(
    ("raw", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2), (b"a\r\rb\n", 1)]
)
def test_lines_are_counted_as_an_editor_counts_them(raw: bytes, lines: int) -> None:
    assert of(from_bytes("x", raw))[1].lines == lines


@pytest.mark.usefixtures("told_early")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@given(text=st.text("a█\r\n ", max_size=40), size=st.integers(1, 20))
def test_pieces_add_up_to_the_text_whatever_their_size(encoding: str, text: str, size: int) -> None:
    raw = ("gp: " + text).encode(encoding)
    found, whole = of(from_bytes("x", raw), size)
    expected = "gp: " + text + ("" if text.endswith("\n") else "\n")
    assert b"".join(piece.data for piece in found).decode() == expected
    assert [piece.first_line for piece in found] == [1 + sum(p.lines for p in found[:k]) for k in range(len(found))]
    assert (whole.size, whole.lines, whole.undecodable) == (len(raw), expected.count("\n"), 0)


@pytest.mark.usefixtures("told_early")
def test_the_digest_is_that_of_the_text_whatever_the_pieces() -> None:
    raw = SHORT.encode("utf-16-le")
    assert len({of(from_bytes("x", raw), size)[1].digest for size in (1, 7, 100, 10**6)}) == 1


def tables(chunks: list[bytes], size: int) -> dict[str, pl.DataFrame]:
    found = tabulate([Input("x.log", chunks)], Settings(), chunk_bytes=size)
    return dict(found.frames)


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    for name, frame in other.items():
        assert_frame_equal(one[name], frame)


@pytest.mark.usefixtures("told_early")
def test_the_tables_are_the_same_wherever_a_log_is_cut() -> None:
    """Pieces end wherever they may: many sizes are tried, and each way of cutting that comes of it looked at once."""
    raw = SHORT.encode()
    whole = tables([raw], 1 << 20)
    assert whole["runs"].height == 2
    assert whole["near_misses"].height == 1
    sizes = {
        tuple(piece.lines for piece in of(from_bytes("x.log", raw), size)[0]): size for size in range(1, len(raw), 7)
    }
    assert len(sizes) > 10
    for size in sizes.values():
        assert_same(tables([raw], size), whole)


@pytest.mark.usefixtures("told_early")
def test_chunks_may_end_within_a_line_or_a_character() -> None:
    raw = (SHORT + "100%|█████| 4/4 [00:20<00:00,  5.00s/it]\n").encode()
    lines = [piece.data for piece in of(from_bytes("x.log", raw))[0]]
    for place in range(0, len(raw), 3):
        chunks = [raw[:place], raw[place:]]
        assert [piece.data for piece in of(Input("x.log", chunks))[0]] == lines


@pytest.mark.usefixtures("told_early")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [333])
def test_every_wrapped_form_gives_the_same_tables_in_pieces(form: str, size: int) -> None:
    raw = FORMS[form](SHORT)
    assert_same(tables([raw], size), tables([raw], 1 << 20))


def long_logs() -> dict[str, bytes]:
    samples = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt"))]
    workers = [[f"worker-{k}  | {line}\n" for line in "".join(samples[k::2]).split("\n")] for k in (0, 1)]
    shuffle = random.Random(3)
    mixed = []
    while any(workers):
        mixed.append(shuffle.choice([queue for queue in workers if queue]).pop(0))
    late = log.prompt(427).replace(log.EXECUTED, "")
    barless = log.prompt(300).split("\r")[0] + "\nPrompt executed in 9.00 seconds\n"
    return {
        "samples one after the other": "".join(samples * 2).encode(),
        "two workers": "".join(mixed).encode(),
        "servers that start anew": "".join(log.BANNER + sample for sample in samples).encode(),
        "cut-outs": "".join(log.prompt(427 + k)[500 + 90 * k :] for k in range(12)).encode(),
        "bars lost at first": (barless * 5 + log.prompt(427) * 4).encode(),
        "prompts without end": (late * 6).encode(),
    }


@pytest.mark.usefixtures("told_early")
@pytest.mark.parametrize("name", long_logs())
def test_a_long_log_worked_on_prompt_by_prompt_gives_the_tables_of_the_whole(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = long_logs()[name]
    whole = tables([raw], 1 << 24)
    monkeypatch.setattr(incremental, "FLUSH_RECORDS", 1)
    for size in (1500,):
        assert_same(tables([raw], size), whole)


def test_many_inputs_in_one_batch_keep_their_own_lines() -> None:
    logs = [from_bytes(f"{k}.log", ("\n" * k + log.prompt(153 + k)).encode()) for k in range(6)]
    together = tabulate(logs, Settings(), chunk_bytes=3000).frames
    alone = [tabulate([one], Settings()).frames for one in logs]
    for table in ("runs", "windows", "steps", "paddings"):
        assert_frame_equal(together[table], pl.concat([frames[table] for frames in alone]))


def broken() -> Iterator[bytes]:
    yield SHORT.encode()
    raise SourceError("x.log: cannot be read: the connection was lost")


def test_an_input_that_breaks_off_keeps_what_was_read() -> None:
    found = tabulate([Input("x.log", broken())], Settings())
    assert found.frames["runs"].height == 2
    assert "the connection was lost" in found.problems[0]


def test_a_damaged_archive_keeps_what_could_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.log.gz"
    noise = "".join(f"chatter {k * 7919 % 10007}\n" for k in range(20000))
    path.write_bytes(gzip.compress((SHORT + noise).encode())[:-200])
    found = tabulate(inputs.open_input(str(path)), Settings())
    assert found.frames["runs"].height == 2
    assert "cannot be read" in found.problems[0]


def test_a_line_without_end_is_given_up_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_LINE_BYTES", 1 << 16)
    found = tabulate([from_bytes("x.log", SHORT.encode() + b"x" * (1 << 18))], Settings(), chunk_bytes=1 << 14)
    assert found.frames["runs"].height == 2
    assert "a line is longer than" in found.problems[0]


@pytest.mark.parametrize(
    ("size", "is_joined"), [(chunking._MAX_REJOINED_BYTES - 200, True), (chunking._MAX_REJOINED_BYTES + 200, False)]
)
def test_a_line_whose_last_piece_does_not_come_within_four_mebibytes_is_parted(size: int, is_joined: bool) -> None:
    """Up to there everything waits for the last piece, and the text stays in one part."""
    stamp = "2026-02-14T03:00:00.000000000Z"
    written = f"{stamp} stdout F {'x' * 60}\n".encode()
    begun = f"{stamp} stderr P Sampling 81 frames in 1 windows, \n".encode()
    late = f"{stamp} stdout P y\n{stamp} stdout F z\n".encode()
    text = begun + written * (size // len(written) - 1) + late
    found, _ = of(from_bytes("x.log", text + written * 100), len(text) + 50)
    assert (len(found) == 1) == is_joined
