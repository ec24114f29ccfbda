"""A log gives the same facts whatever document it was exported, captured or pasted into."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import quopri
import re
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.common.errors import SourceError
from loganalyzer.settings.model import Settings
from loganalyzer.sources.chunks import Chunk, Source, cut_chunks
from loganalyzer.sources.exports import delimited, fields, json_text, mail, moments, plain, reading
from loganalyzer.sources.exports.fields import find_messages
from loganalyzer.sources.exports.lines import extract_log
from loganalyzer.sources.inputs import Input, from_bytes

Q6 = Settings(quantization="Q6_K")
WHOLE = log.BANNER + log.prompt(427)
LINES = WHOLE.removesuffix("\n").split("\n")
SINGLE = WHOLE.replace("\r", "\n")
ESCAPED = [html.escape(line) for line in SINGLE.split("\n")]


def facts(data: bytes) -> tuple[object, ...]:
    found = log.analyse_bytes(data, Q6)
    runs = found.runs.select("status", "audio_frames", "observed_windows", "missing_frames", "peak_allocated_gib")
    windows = found.windows.select("audio_start", "audio_end", "steps_done")
    loras = found.loras["name"].to_list()
    return runs.rows(), windows.rows(), loras, sorted(set(found.findings["rule"].to_list()))


def moment(number: int) -> datetime:
    return datetime(2025, 11, 11, 10, tzinfo=UTC) + timedelta(seconds=number)


def iso(number: int) -> str:
    return f"{moment(number):%Y-%m-%dT%H:%M:%S}.000Z"


def nanos(number: int) -> str:
    return f"{int(moment(number).timestamp())}000000000"


def dumped(value: object, indent: int | None = None) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=False).encode()


def records(make: Callable[[int, str], object]) -> list[object]:
    return [make(number, line) for number, line in enumerate(LINES)]


def by_line(make: Callable[[int, str], str]) -> bytes:
    return "\n".join(make(number, line) for number, line in enumerate(LINES)).encode()


def table(
    header: list[str], row: Callable[[int, str], list[str]], delimiter: str = ",", *, quoted: bool = True
) -> bytes:
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerows([*([header] if header else []), *(row(number, line) for number, line in enumerate(LINES))])
    return out.getvalue().encode()


def writes() -> Iterator[tuple[int, str]]:
    """What the program wrote, write by write."""
    for number, line in enumerate(LINES):
        parts = line.split("\r")
        yield from ((number, ("\r" if place else "") + part) for place, part in enumerate(parts))
        yield number, "\n"


def pieces_of(size: int) -> list[str]:
    return [WHOLE[start : start + size] for start in range(0, len(WHOLE), size)]


def wrapped(width: int, mark: str = "") -> bytes:
    parts = (
        textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
        for line in SINGLE.split("\n")
    )
    return "\n".join(mark + part for lines in parts for part in lines).encode()


def page(body: str) -> bytes:
    return f"<!DOCTYPE html><html><body>{body}</body></html>".encode()


def attached() -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@example.org", "b@example.org", "a log"
    made.set_content("See the log.")
    made.add_attachment(WHOLE.encode(), maintype="application", subtype="octet-stream", filename="a.log")
    return bytes(made)


def shown_with_carets(data: bytes) -> bytes:
    """As `cat -A` prints it."""

    def shown(code: int) -> str:
        meta = "M-" if code >= 0x80 else ""
        low = code & 0x7F
        return meta + (f"^{chr(low ^ 0x40)}" if low < 0x20 or low == 0x7F else chr(low))

    lines = ("".join(map(shown, line)) for line in data.split(b"\n"))
    return "$\n".join(lines).encode()


HEADER = {"version": 2, "width": 120, "height": 40}
FORMS: dict[str, Callable[[], bytes]] = {
    "streams of pairs": lambda: dumped(
        {"data": {"result": [{"stream": {"app": "x"}, "values": records(lambda n, line: [nanos(n), line])}]}}
    ),
    "a pretty-printed list": lambda: dumped(records(lambda n, line: {"textPayload": line, "timestamp": iso(n)}), 2),
    "objects inside objects": lambda: dumped(
        {"hits": {"hits": records(lambda n, line: {"_id": n, "_source": {"@timestamp": iso(n), "note": line}})}}, 1
    ),
    "a field of two names": lambda: dumped(
        records(lambda n, line: {"t": iso(n), "json": {"m": line}} if n % 2 else {"t": iso(n), "text": line})
    ),
    "columns and rows": lambda: dumped({"columns": ["a", "b"], "rows": records(lambda n, line: [iso(n), line])}),
    "an object by number": lambda: dumped({str(n): line for n, line in enumerate(LINES)}),
    "an object by time": lambda: dumped({"logs": {iso(n): {"line": line} for n, line in enumerate(LINES)}}),
    "a list of strings": lambda: dumped(LINES, 1),
    "newest first": lambda: dumped(records(lambda n, line: {"at": iso(n), "entry": line})[::-1]),
    "newest first in lines": lambda: b"\n".join(
        map(dumped, records(lambda n, line: {"time": iso(n), "message": line})[::-1])
    ),
    "newest first within a second": lambda: dumped(records(lambda n, line: {"at": iso(n // 9), "x": line})[::-1]),
    "lines of objects with an unknown field": lambda: by_line(
        lambda n, line: json.dumps({"meta": {"t": int(moment(n).timestamp() * 1000)}, "data": {"txt": line}})
    ),
    "lines of pairs": lambda: by_line(lambda n, line: json.dumps([int(moment(n).timestamp() * 1000), line])),
    "objects behind a shipper's prefix": lambda: by_line(
        lambda n, line: f"2025-11-11 10:00:00.000000000 +0000 docker.x: {json.dumps({'log': line})}"
    ),
    "pretty-printed objects one behind the other": lambda: b"\n".join(
        dumped(one, 1) for one in records(lambda _, line: {"HOST": "g", "MESSAGE": line})
    ),
    "telemetry": lambda: dumped(
        {"scopes": [{"records": records(lambda n, line: {"timeUnixNano": nanos(n), "body": {"stringValue": line}})}]}
    ),
    "a log in one string": lambda: dumped({"id": "p1", "logs": WHOLE}, 2),
    "a string alone": lambda: dumped("".join(f"{iso(n)[:-1]}000 - {line}\n" for n, line in enumerate(LINES))),
    "escaped twice": lambda: dumped(json.dumps(records(lambda n, line: {"ts": iso(n), "line": line}))),
    "objects inside strings": lambda: dumped(records(lambda n, line: {"raw": json.dumps({"ts": iso(n), "m": line})})),
    "write by write": lambda: dumped(
        {"entries": [{"t": f"{moment(n):%Y-%m-%dT%H:%M:%S.%f}", "m": text} for n, text in writes()], "size": {}}
    ),
    "a notebook": lambda: dumped(
        {
            "cells": [{"outputs": [{"name": "stderr", "text": [f"{line}\n" for line in LINES]}], "source": []}],
            "nbformat": 4,
        }
    ),
    "a notebook's text": lambda: dumped({"cells": [{"outputs": [{"text": WHOLE}], "source": "!x"}], "nbformat": 4}),
    "a capture": lambda: b"\n".join(
        map(dumped, [HEADER, *([n + 0.5, "o", text.replace("\n", "\r\n")] for n, text in writes())])
    ),
    "a capture in pieces of lines": lambda: b"\n".join(map(dumped, [HEADER, *([0.01, "o", x] for x in pieces_of(7))])),
    "a table": lambda: table(["Date", "Host", "Message"], lambda n, line: [iso(n), "h", line]),
    "a table with few quotes": lambda: table(["@timestamp", "@message"], lambda n, line: [iso(n), line], quoted=False),
    "a table with semicolons": lambda: table(["Zeit", "Meldung", "x"], lambda n, line: [iso(n), line, "y"], ";"),
    "a table with tabs": lambda: table(["when", "what"], lambda n, line: [iso(n), line], "\t", quoted=False),
    "a table without a header": lambda: table([], lambda n, line: [iso(n), "info", line]),
    "a table, newest first": lambda: b"\n".join(
        [b"a,b", *table([], lambda n, line: [f"{moment(n // 5):%b %d, %Y @ %H:%M:%S.000}", line]).split(b"\n")[::-1]]
    ),
    "a table of one column": lambda: table(["message"], lambda _, line: [line]),
    "a log in one cell": lambda: b'job,log\n1,"' + WHOLE.replace('"', '""').encode() + b'"\n2,"none"\n3,"none"\n',
    "keys and values": lambda: by_line(lambda n, line: f"time={iso(n)} level=info msg={json.dumps(line)}"),
    "a page with a table": lambda: page(
        "<table>" + "".join(f"<tr><td>{n}</td><td>{line}</td></tr>" for n, line in enumerate(ESCAPED)) + "</table>"
    ),
    "a page on one line": lambda: page("<br/>".join(ESCAPED)),
    "a page of spans": lambda: page("<pre>" + "\n".join(f"<span class=x>{line}</span>" for line in ESCAPED) + "</pre>"),
    "Markdown around a document": lambda: (
        b"My log:\n\n```json\n" + dumped(records(lambda n, line: {"at": iso(n), "x": line}), 1) + b"\n```\n"
    ),
    "a table of Markdown": lambda: (
        b"| time | text |\n|---|---|\n"
        + "".join(f"| {iso(0)} | {line} |\n" for line in SINGLE.replace("|", "\\|").split("\n")).encode()
    ),
    "a quotation": lambda: "".join(f"> {line}\n" for line in SINGLE.split("\n")).encode(),
    "numbered lines": lambda: "".join(f"{n:6}\t{line}\n" for n, line in enumerate(LINES, 1)).encode(),
    "grep's numbers": lambda: "".join(f"{n}:{line}\n" for n, line in enumerate(LINES, 1)).encode(),
    "a mail, quoted-printable": lambda: (
        b"From: a@example.org\nContent-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(SINGLE.encode())
    ),
    "a mail, base64": lambda: (
        b"From: a@example.org\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(WHOLE.encode())
    ),
    "a mail with the log attached": attached,
    "a mail's quoted-printable body": lambda: quopri.encodestring((SINGLE + "caf\u00e9 " * 40).encode()),
    "base64": lambda: base64.encodebytes(WHOLE.encode()),
    "wrapped at 72": lambda: wrapped(72),
    "wrapped and quoted": lambda: wrapped(65, ">> "),
    "cat -A": lambda: shown_with_carets(WHOLE.encode()),
    "carriage returns as line ends": lambda: WHOLE.replace("\n", "\r").encode(),
    "next-line characters": lambda: SINGLE.replace("\n", "\x85").encode(),
    "line separators": lambda: SINGLE.replace("\n", "\u2028").encode(),
    "paragraph separators": lambda: SINGLE.replace("\n", "\u2029").encode(),
    "a literal of Python": lambda: repr(WHOLE).encode(),
    "colors without their escapes": lambda: "".join(f"[32m{line}[0m\n" for line in LINES).encode(),
    "UTF-16": lambda: dumped(records(lambda n, line: {"at": iso(n), "x": line}), 1).decode().encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_document_gives_the_facts_of_the_log_it_carries(form: str) -> None:
    data = FORMS[form]()
    assert facts(data) == facts(WHOLE.encode())
    *_, source = cut_chunks(from_bytes("x.log", data), 0)
    assert isinstance(source, Source)
    assert source.form or form == "a page of spans"


def out_of(data: bytes) -> tuple[list[str], Source]:
    *pieces, source = cut_chunks(from_bytes("x.log", data), 0)
    assert isinstance(source, Source)
    text = b"".join(piece.data for piece in pieces if isinstance(piece, Chunk)).decode()
    return text.removesuffix("\n").split("\n"), source


@pytest.mark.parametrize(
    "data",
    [
        WHOLE.encode(),
        log.prompt(153).encode(),
        SINGLE.encode(),
        "".join(f"2025-11-11 10:00:00,123 - INFO - {line}\n" for line in SINGLE.split("\n")).encode(),
        "".join(f"comfyui-1  | {line}\n" for line in LINES).encode(),
        by_line(lambda n, line: json.dumps({"time": iso(n), "log": f"{line}\n", "stream": "stderr"})),
        b'[INFO] {"got": "prompt"}\n' + WHOLE.encode(),
        (log.window(0, 81) + log.window(72, 153)).replace("\n", "").encode(),
        b"",
        b"\n\n",
    ],
    ids=[
        "a log",
        "a prompt",
        "a line a refresh",
        "asctime",
        "compose",
        "docker",
        "a level",
        "bars on a line",
        "nothing",
        "empty lines",
    ],
)
def test_a_log_as_programs_write_it_goes_through_byte_for_byte(data: bytes) -> None:
    assert b"".join(reading.open_document(from_bytes("x.log", data)).chunks) == data
    assert reading.open_document(from_bytes("x.log", data)).form is None


def test_a_line_is_the_number_of_its_record() -> None:
    lines, source = out_of(dumped(records(lambda n, line: {"at": iso(n), "msg": line}), 2))
    assert lines[9] == f"{iso(9)[:-5]}.000000Z {LINES[9]}"
    assert source.form == (
        f"x.log: read as a JSON list of {len(LINES)} records, messages in `[].msg`; line numbers count the records"
    )


def test_a_row_of_a_table_is_the_number_of_its_line_in_a_spreadsheet() -> None:
    lines, source = out_of(table(["text"], lambda _, line: [line]))
    assert lines[1:4] == LINES[:3]
    assert source.form is not None
    assert source.form.endswith("line numbers count the rows")


def test_the_note_stands_in_the_report(tmp_path: Path) -> None:
    path = tmp_path / "a_Q6_K.json"
    path.write_bytes(dumped(records(lambda n, line: {"at": iso(n), "msg": line})))
    result = CliRunner().invoke(main, [str(path), "--no-html"])
    assert "messages in `[].msg`" in result.output.replace("\n", " ")


def test_containers_that_a_document_names_are_told_apart() -> None:
    both = [log.prompt(250).split("\n"), log.prompt(427).split("\n")]
    mixed = [
        {"pod": pod, "at": iso(number), "text": line}
        for pod, lines in zip(("talk-a", "talk-b"), both, strict=True)
        for number, line in enumerate(lines)
    ]
    found = log.analyse_bytes(dumped(mixed), Q6)
    assert found.runs.sort("stream").select("stream", "audio_frames").rows() == [("talk-a", 250), ("talk-b", 427)]


def test_stdout_and_stderr_of_one_process_are_put_in_order_of_time() -> None:
    outputs: dict[str, list[list[str]]] = {"stdout": [], "stderr": []}
    for number, line in enumerate(LINES):
        outputs["stderr" if "%|" in line else "stdout"].append([nanos(number), line])
    document = {"data": [{"stream": {"name": name}, "values": rows[::-1]} for name, rows in outputs.items()]}
    assert facts(dumped(document)) == facts(WHOLE.encode())


def test_a_document_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    data = dumped({"rows": records(lambda n, line: {"at": iso(n), "x": line})})
    found = log.analyse_bytes(data[: len(data) // 2], Q6)
    assert found.runs["audio_frames"].to_list() == [427]
    assert found.runs["status"].to_list() == ["truncated"]


def test_the_same_text_under_two_names_in_one_record_counts_once() -> None:
    twice = records(lambda n, line: {"at": iso(n), "message": line, "event": {"original": line}})
    assert facts(dumped(twice)) == facts(WHOLE.encode())
    both = {"lines": records(lambda n, line: {"at": iso(n), "x": line}), "raw": WHOLE}
    assert facts(dumped(both)) == facts(WHOLE.encode())


def refused(data: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        reading.open_document(from_bytes("x.json", data))
    return caught.value


@pytest.mark.parametrize("text", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 10_000])
def test_a_document_that_is_nested_too_deeply_is_one_message(text: str, tmp_path: Path) -> None:
    assert "nested too deeply" in str(refused(text.encode()))
    path = tmp_path / "a.json"
    path.write_text(text)
    result = CliRunner().invoke(main, [str(path), "--no-html"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("values", "is_refused"), [(99, False), (100, True)])
def test_a_document_may_hold_so_many_values(values: int, is_refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_VALUES", 98)
    data = dumped([1] * values)
    if is_refused:
        assert "too many values" in str(refused(data))
    else:
        assert reading.open_document(from_bytes("x.json", data)).form is None


@pytest.mark.parametrize(("rows", "is_refused"), [(100, False), (101, True)])
def test_a_document_may_hold_so_many_rows(rows: int, is_refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MAX_ROWS", 101)  # the list itself is one
    data = dumped([{"x": "got prompt"}] * rows)
    if is_refused:
        assert "too many values" in str(refused(data))
    else:
        assert reading.open_document(from_bytes("x.json", data)).form is not None


@pytest.mark.parametrize(("room", "is_refused"), [(0, False), (-1, True)])
def test_a_document_may_have_so_many_bytes(room: int, is_refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    data = dumped(records(lambda n, line: {"at": iso(n), "x": line}))
    monkeypatch.setattr(reading, "MAX_DOCUMENT_BYTES", len(data) + room)
    if is_refused:
        assert "document larger than" in str(refused(data))
    else:
        assert reading.open_document(from_bytes("x.json", data)).form is not None


def test_escapes_inside_escapes_are_unpacked_a_few_times_only() -> None:
    text = json.dumps({"a": "got prompt"})
    for _ in range(12):
        text = json.dumps({"a": text})
    assert find_messages([json.loads(text)]) is not None
    assert len(text) < 100_000


def test_a_damaged_table_is_read_as_the_text_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_CELL", 10_000)
    data = table(["a", "b"], lambda n, line: [iso(n), line]) + b'"2025-11-11","' + b"x" * 20_000 + b'"\n'
    assert reading.open_document(from_bytes("x.csv", data)).form is None


def test_half_of_a_surrogate_pair_in_a_document_is_replaced() -> None:
    data = json.dumps([{"x": line + "\ud800"} for line in LINES]).encode()
    assert all("\ud800" not in line for line in out_of(data)[0])


def test_an_input_that_breaks_off_keeps_its_problem() -> None:
    def chunks() -> Iterator[bytes]:
        yield dumped(records(lambda n, line: {"x": line}))[:4000]
        raise SourceError("x.json: cannot be read: the connection was lost")

    *_, source = cut_chunks(Input("x.json", chunks()), 0)
    assert isinstance(source, Source)
    assert "connection was lost" in str(source.problem)


@pytest.mark.parametrize(
    ("ended", "count"), [(2, 9), (1, 10)], ids=["one message in five ends in a line end", "fewer do"]
)
def test_messages_are_writes_from_a_share_of_line_ends_on(ended: int, count: int) -> None:
    texts = ["got prompt\n"] * ended + ["got prompt"] * (10 - ended)
    found = extract_log([{"x": text} for text in texts], "a list")
    assert found is not None
    assert sum(line != "" for line in found.text.split("\n")) == (ended + 1 if count == 9 else 10)


@pytest.mark.parametrize(("stamped_rows", "is_time"), [(8, True), (7, False)])
def test_a_field_is_the_time_from_a_share_of_rows_on(stamped_rows: int, is_time: bool) -> None:
    values = [{"x": "got prompt", "t": iso(number) if number < stamped_rows else "-"} for number in range(10)]
    found = find_messages(values)
    assert found is not None
    assert (moments.find_times(found.rows) is not None) is is_time


@pytest.mark.parametrize(
    ("value", "is_time"),
    [(10**9, True), (10**9 - 1, False), (4 * 10**9 - 1, True), (4 * 10**9, False), ("1762855200123456789", True)],
)
def test_a_number_is_a_time_in_this_century_only(value: object, is_time: bool) -> None:
    found = find_messages([{"x": "got prompt", "t": value}] * 3)
    assert found is not None
    assert (moments.find_times(found.rows) is not None) is is_time


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        (1762855200, 1762855200_000000),
        (1762855200123, 1762855200_123000),
        (1762855200123456, 1762855200_123456),
        ("1762855200.5", 1762855200_500000),
        ("2025-11-11T11:00:00+01:00", 1762855200_000000),
        ("Nov 11, 2025 @ 10:00:00.250", 1762855200_250000),
        ("11/11/2025 10:00:00", 1762855200_000000),
        ("Tue, 11 Nov 2025 10:00:00", 1762855200_000000),
    ],
)
def test_times_are_read_in_the_forms_that_services_write(text: object, micros: int) -> None:
    found = find_messages([{"x": "got prompt", "t": text}] * 3)
    assert found is not None
    assert moments.find_times(found.rows) == [micros] * 3


@pytest.mark.parametrize(("marks", "is_kind"), [(plain.MIN_MARKS, True), (plain.MIN_MARKS - 1, False)])
def test_a_kind_of_text_needs_so_many_marks(marks: int, is_kind: bool) -> None:
    assert (plain.replace_unicode_ends("got prompt\u2028" * marks) is not None) is is_kind
    assert (plain.split_at_returns("got prompt\r" * marks) is not None) is is_kind
    assert (plain.unescape_ends("got prompt\\n" * marks) is not None) is is_kind
    assert (plain.restore_controls("M-bM-^V got prompt\n" * 2 + "^[[1m\n" * (marks - 2)) is not None) is (
        marks - 2 >= 5
    )
    assert (plain.drop_bare_codes("[0mgot prompt\n" * marks) is not None) is is_kind
    assert (plain.strip_line_markers("> got prompt\n" * marks) is not None) is is_kind


@pytest.mark.parametrize(("longest", "is_broken"), [(mail.MAX_WIDTH, True), (mail.MAX_WIDTH + 1, False)])
def test_lines_longer_than_mail_leaves_them_are_not_put_together(longest: int, is_broken: bool) -> None:
    broken = f"{'Loading LoRA: '.ljust(longest, 'x')}\nwith strength: 0.8\n"
    assert (mail.rejoin_wrapped_lines(broken) is not None) is is_broken


def test_a_line_that_says_something_itself_is_not_joined_to_the_one_before() -> None:
    text = "some node of another pack prints a line of words up to about here\nPadding length: 56\ngot prompt\n"
    assert mail.rejoin_wrapped_lines(text) is None


def test_stamps_of_the_clock_are_no_numbers_of_lines() -> None:
    text = "".join(f"10:00:{second:02} got prompt\n" for second in range(20))
    assert plain.strip_line_markers(text) is None


def parted(text: str) -> bytes:
    """Messages first, then the bars, as two files put together have them."""
    lines = text.removesuffix("\n").split("\n")
    return "\n".join([*(x for x in lines if "%|" not in x), *(x for x in lines if "%|" in x), ""]).encode()


@pytest.mark.parametrize("text", [WHOLE, log.prompt(153), log.prompt(427) + log.prompt(250)])
def test_bars_in_a_block_behind_the_messages_are_put_into_their_runs(text: str) -> None:
    assert parted(text) != text.encode()
    assert facts(parted(text)) == facts(text.encode())
    assert "moved into their runs" in (out_of(parted(text))[1].form or "")


def test_bars_that_fit_no_header_stay_where_they_are() -> None:
    more = re.sub(r"in \d+ windows", "in 1 windows", log.prompt(153))
    assert "put into their runs" not in (out_of(parted(more))[1].form or "")
    without = parted(log.prompt(427)) + log.window(0, 81).encode() + b"\n"
    assert "put into their runs" not in (out_of(without)[1].form or "")


def test_a_log_in_which_messages_go_on_behind_the_bars_is_no_log_of_two_blocks() -> None:
    data = parted(WHOLE) + b"got prompt\n"
    assert reading.open_document(from_bytes("x.log", data)).form is None
