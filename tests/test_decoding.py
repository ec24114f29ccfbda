"""Bytes of any encoding become text, and what was lost is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loganalyzer.sources.encoding import HEAD_BYTES, decode

TEXT = "got prompt\r\nSampling audio indices 0-81:  25%|██▌       | 1/4\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16 le", "utf-16 be", "utf-16 le without mark", "utf-16 be without mark"],
)
def test_text_comes_back_whole_from_every_encoding(data: bytes, encoding: str) -> None:
    decoded = decode(data)
    assert decoded.data.decode() == TEXT
    assert (decoded.encoding, decoded.undecodable) == (encoding, 0)


@pytest.mark.parametrize(
    ("data", "lost"),
    [(b"\x88\xe2\x96got prompt\n", 3), (b"caf\xe9\n", 1), (b"got prompt \xe2\x96", 2), (b"\xff\xfe\xfd"[2:] + b"x", 1)],
)
def test_stray_bytes_cost_only_themselves_and_are_counted(data: bytes, lost: int) -> None:
    decoded = decode(data)
    assert decoded.encoding == "utf-8"
    assert decoded.undecodable == lost
    decoded.data.decode()


@pytest.mark.parametrize(
    "behind",
    [b"\n", b"caf\xc3\xa9\n", b"caf\xe9\n", b"\xed\xa0\x80\n", b"\xc0\xaf\n", b"\xf4\x90\x80\x80", b"\xe2\x96"],
    ids=["ascii", "utf-8", "latin", "surrogate", "overlong", "beyond unicode", "cut"],
)
def test_long_inputs_are_held_to_the_same_rules_as_short_ones(behind: bytes) -> None:
    long = TEXT.encode() * (HEAD_BYTES // len(TEXT) + 1)
    short, found = decode(behind), decode(long + behind)
    assert found.data == long + short.data
    assert found.undecodable == short.undecodable


def test_a_few_nuls_do_not_make_a_log_utf_16() -> None:
    assert decode(b"\0\0\0\n" + TEXT.encode() + b"\n\0").encoding == "utf-8"


@given(st.binary(max_size=300))
def test_anything_decodes_to_valid_utf_8(data: bytes) -> None:
    decoded = decode(data)
    decoded.data.decode()
    assert decoded.undecodable >= 0


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=200))
def test_valid_utf_8_is_left_as_it_is(text: str) -> None:
    decoded = decode(text.encode())
    assert decoded.data == text.encode()
    assert decoded.undecodable == 0


LOG = "Multitalk mode: infinitetalk\r\n" + TEXT * 3 + "\n\n" + TEXT


@pytest.mark.parametrize("again", [0, 1, 3])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("utf-8", "utf-16-le"),
        ("utf-8", "utf-16"),
        ("utf-8-sig", "utf-16-le"),
        ("utf-16", "utf-8"),
        ("utf-16", "utf-8-sig"),
        ("utf-16-le", "utf-8"),
        ("utf-16-be", "utf-8"),
    ],
)
def test_a_file_that_two_programs_write_in_encodings_of_their_own_is_read_whole(
    first: str, second: str, again: int
) -> None:
    data = LOG.encode(first) + LOG.encode(second)
    data += (LOG.encode(first.removesuffix("-sig")) + LOG.encode(second)) * again
    decoded = decode(data)
    assert decoded.data.decode().replace("\ufeff", "") == LOG * (2 + 2 * again)
    assert decoded.undecodable == 0


def test_a_stray_byte_in_what_was_appended_costs_only_itself() -> None:
    decoded = decode(LOG.encode("utf-16") + b"caf\xe9 \n" + LOG.encode())
    assert decoded.data.decode() == LOG + "caf\ufffd \n" + LOG
    assert decoded.undecodable == 1


@given(st.text(st.characters(codec="utf-16", exclude_characters="\0"), max_size=200))
def test_utf_16_of_any_script_stays_whole(text: str) -> None:
    data = (LOG + text + "\n" + LOG).encode("utf-16")
    assert decode(data).data.decode() == LOG + text + "\n" + LOG
