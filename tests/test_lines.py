"""However a log was wrapped, coloured, cut or recoded on its way, it says the same."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from itertools import zip_longest

import logtext as log
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loganalyzer.engine.read import tabulate
from loganalyzer.grammar.compiled import compile_all
from loganalyzer.grammar.load import load_shipped
from loganalyzer.lines import dictionary
from loganalyzer.lines.prefixes import unwrap
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis

CLEAN = log.BANNER + log.prompt(427)
STAMP = "2025-11-11T10:00:00.123456789Z"


def prefixed(prefix: str) -> Callable[[str], bytes]:
    return lambda text: "".join(f"{prefix}{line}\n" for line in text.rstrip("\n").split("\n")).encode()


def kubernetes_pieces(text: str) -> bytes:
    """Each line in pieces of 100 characters, as the runtime does at 16 KiB."""
    lines = []
    for line in text.rstrip("\n").split("\n"):
        pieces = [line[k : k + 100] for k in range(0, len(line), 100)] or [""]
        lines += [f"{STAMP} stderr P {piece}" for piece in pieces[:-1]] + [f"{STAMP} stderr F {pieces[-1]}"]
    return "\n".join(lines).encode()


def docker_json(text: str, size: int = 10**9) -> bytes:
    """One JSON object a line, or a piece of it; only a line's last piece ends in a line end."""
    rows = []
    for line in text.rstrip("\n").split("\n"):
        whole = line + "\n"
        rows += [
            json.dumps({"log": whole[k : k + size], "stream": "stderr", "time": STAMP})
            for k in range(0, len(whole), size)
        ]
    return "\n".join(rows).encode()


def stuttering(text: str) -> str:
    """The same log, its bars drawn so often before the first step that docker cuts their lines."""
    return re.sub(r"\r[^\r]*  0%[^\r]*", lambda bar: bar[0] * 400, text)


def json_lines(line_to_object: Callable[[str], dict[str, object]], ends: str = "\n") -> Callable[[str], bytes]:
    return lambda text: ends.join(json.dumps(line_to_object(line)) for line in text.rstrip("\n").split("\n")).encode()


def journal_object(line: str) -> dict[str, object]:
    """The journal writes a message with control characters as the numbers of its bytes."""
    message = list(line.encode()) if "\r" in line else line
    return {"__CURSOR": "s=1", "_PID": "4711", "_HOSTNAME": "gpu-7", "SYSLOG_IDENTIFIER": "python3", "MESSAGE": message}


def stamped_writes(text: str) -> bytes:
    """ComfyUI's own buffer stamps every write, so that stamps stand inside lines."""
    parts = [
        ("\r" if number else "") + piece
        for line in text.rstrip("\n").split("\n")
        for number, piece in enumerate(f"{line}\n".split("\r"))
        if piece
    ]
    return "".join(f"2025-11-11T10:00:{number % 60:02}.123456 - {part}" for number, part in enumerate(parts)).encode()


FORMS: dict[str, Callable[[str], bytes]] = {
    "windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "utf-8 with mark": lambda text: text.encode("utf-8-sig"),
    "utf-16 of a redirect": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "docker": prefixed(f"{STAMP} "),
    "kubernetes": prefixed(f"{STAMP} stderr F "),
    "kubernetes in pieces": kubernetes_pieces,
    "docker json": docker_json,
    "docker json in pieces": lambda text: docker_json(stuttering(text), 1 << 14),
    "json lines of a log shipper": json_lines(lambda line: {"log": line}),
    "json lines with the message behind others": json_lines(
        lambda line: {"@timestamp": STAMP, "level": "info", "log": {"offset": 7}, "message": line}
    ),
    "json lines with the message inside": json_lines(lambda line: {"id": "x", "content": {"message": line}}),
    "json lines of telemetry": json_lines(lambda line: {"timestamp": 1762855200, "body": line}),
    "json lines of the journal": json_lines(journal_object),
    "json in json": json_lines(lambda line: {"log": json.dumps({"message": line}) + "\n", "stream": "stderr"}),
    "json lines with many blanks": lambda text: prefixed("")(docker_json(text).decode().replace('{"log"', '{  "log"')),
    "json messages of several lines": lambda text: json_lines(lambda block: {"message": block.replace("\x1e", "\n")})(
        re.sub("\n(?=(Max|Padding))", "\x1e", text)
    ),
    "a list of json objects": lambda text: (
        b"[" + json_lines(lambda line: {"date": 1762855200.5, "log": line}, ",\n")(text) + b"]"
    ),
    "kubernetes around json": lambda text: prefixed(f"{STAMP} stderr F ")(docker_json(text).decode()),
    "compose around coloured json": lambda text: prefixed("comfyui-1  | \x1b[36m")(docker_json(text).decode()),
    "level": prefixed("[INFO] "),
    "journal": prefixed("Nov 11 10:00:00 gpu-7 python3[4711]: "),
    "journal with full stamps": prefixed("2025-11-11T10:00:00+0000 gpu-7 python3[4711]: "),
    "syslog without a number": prefixed("Nov 11 10:00:00 gpu-7 start-comfy.sh: "),
    "syslog's stamp alone": prefixed("Nov  1 10:00:00 "),
    "kubectl with prefix": prefixed("[pod/talk-7d9f-x2x/comfyui] "),
    "manager": prefixed("[2025-03-24 20:41:58.946] "),
    "asctime": prefixed("2025-11-10 12:34:56,789 - INFO - "),
    "stamp around level": prefixed(f"{STAMP} [INFO] "),
    "stamps inside": stamped_writes,
    "colours": lambda text: "".join(f"\x1b[32m{line}\x1b[0m\n" for line in text.rstrip("\n").split("\n")).encode(),
    "cursor moves": lambda text: text.replace("\n", "\x1b[A\x1b[K\n").encode(),
    "colours with colons": lambda text: text.replace("\n", "\x1b[0m\n\x1b[38:2::255:0:0m").encode(),
    "character sets": prefixed("\x1b(B\x1b[m"),
    "a window's title": prefixed("\x1b]0;comfy: python3 main.py\x07"),
    "links": lambda text: text.replace("Sampling", "\x1b]8;;https://x.example\x1b\\Sampling\x1b]8;;\x1b\\").encode(),
    "codes in one character": lambda text: text.replace("\n", "\x9b0m\n\x9b36m").encode(),
    "blanks that do not break": lambda text: text.replace(" ", "\xa0").encode(),
    "characters without a width": lambda text: re.sub(r"\b(\w)(\w)", "\\1\xad\u200b\\2", text).encode(),
    "nuls": lambda text: b"\0\0\0\n".join([b"", text.encode()]),
    "no last line end": lambda text: text.rstrip("\n").encode(),
}
MOVED = (
    "line",
    "end_line",
    "run_id",
    "prompt_id",
    "source",
    "peak_line",
    "started_at",
    "ended_at",
    "stream",
    "environment_line",
)


def facts(analysis: Analysis, table: str) -> pl.DataFrame:
    """A table without what depends on the file alone."""
    frame = dict(analysis.tables())[table]
    return frame.drop([name for name in MOVED if name in frame.columns])


def found(data: bytes) -> Analysis:
    return analyze_inputs([from_bytes("x.log", data)])


@pytest.mark.parametrize("form", FORMS)
def test_the_tables_are_those_of_the_clean_log(form: str) -> None:
    clean, changed = found(CLEAN.encode()), found(FORMS[form](CLEAN))
    for table in ("prompts", "runs", "windows", "steps", "paddings", "memory", "loras"):
        assert_frame_equal(facts(changed, table), facts(clean, table))
    assert changed.near_misses.is_empty()


@pytest.mark.parametrize("chunk_bytes", [1 << 22, 1500])
@pytest.mark.parametrize("form", ["clean", "a refresh a line", *FORMS])
def test_lines_that_are_looked_at_once_give_the_tables_of_lines_looked_at_one_by_one(
    form: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CLEAN + log.prompt(427) + "some node  \nsome node\n" * 20
    plain = {"clean": text, "a refresh a line": text.replace("\r", "\n")}
    data = plain[form].encode() if form in plain else FORMS[form](text)
    one_by_one = tabulate([from_bytes("x.log", data)], Settings(), chunk_bytes=chunk_bytes)
    monkeypatch.setattr(dictionary, "_MIN_TEXTS", 2)
    monkeypatch.setattr(dictionary, "MAX_DISTINCT_SHARE", 1.0)
    once = tabulate([from_bytes("x.log", data)], Settings(), chunk_bytes=chunk_bytes)
    for name, frame in one_by_one.frames.items():
        assert_frame_equal(once.frames[name], frame)


def test_workers_that_write_into_one_file_are_told_apart_by_their_prefix() -> None:
    shuffle = random.Random(7)
    queues = [
        [f"worker-{number}  | {line}\n" for line in (log.BANNER + log.prompt(audio)).split("\n")]
        for number, audio in ((1, 250), (2, 427))
    ]
    mixed = []
    while any(queues):
        mixed.append(shuffle.choice([queue for queue in queues if queue]).pop(0))
    runs = found("".join(mixed).encode()).runs.sort("stream")
    assert runs["stream"].to_list() == ["worker-1", "worker-2"]
    assert runs["missing_frames"].to_list() == [47, 14]
    assert runs["observed_windows"].to_list() == [4, 6]


@pytest.mark.parametrize(
    ("prefixes", "streams"),
    [
        (
            ["Nov 11 10:00:00 gpu-7 python3[4711]: ", "Nov 11 10:00:00 gpu-7 python3[4812]: "],
            ["gpu-7/python3[4711]", "gpu-7/python3[4812]"],
        ),
        (
            ["2025-11-11T10:00:00Z a python3[9]: ", "2025-11-11T10:00:00Z b python3[9]: "],
            ["a/python3[9]", "b/python3[9]"],
        ),
        (["Nov 11 10:00:00 a comfyui: ", "Nov 11 10:00:00 b comfyui: "], ["a/comfyui", "b/comfyui"]),
        (["[pod/a/comfyui] ", "[pod/b/comfyui] "], ["a/comfyui", "b/comfyui"]),
    ],
)
def test_processes_of_one_name_are_told_apart_by_host_and_number(prefixes: list[str], streams: list[str]) -> None:
    texts = [(log.BANNER + log.prompt(audio)).split("\n") for audio in (250, 427)]
    mixed = [
        f"{prefix}{line}\n" for pair in zip_longest(*texts) for prefix, line in zip(prefixes, pair, strict=True) if line
    ]
    runs = found("".join(mixed).encode()).runs.sort("stream")
    assert runs["stream"].to_list() == streams
    assert runs["missing_frames"].to_list() == [47, 14]


def test_containers_whose_json_lines_name_them_are_told_apart() -> None:
    texts = [(log.BANNER + log.prompt(audio)).split("\n") for audio in (250, 427)]
    mixed = [
        json.dumps({"log": f"{line}\n", "stream": "stderr", "attrs": {"tag": tag}, "time": STAMP})
        for pair in zip_longest(*texts)
        for tag, line in zip(("w1", "w2"), pair, strict=True)
        if line
    ]
    runs = found("\n".join(mixed).encode()).runs.sort("stream")
    assert runs.select("stream", "missing_frames").rows() == [("w1", 47), ("w2", 14)]


def test_a_line_in_pieces_is_whole_though_the_other_output_writes_between_them() -> None:
    lines = CLEAN.rstrip("\n").split("\n")
    pair = next(number for number, line in enumerate(lines) if line.startswith("Audio embedding"))
    bar = lines[pair + 2]
    assert bar.startswith("\rSampling audio indices")
    pieces = [
        *(f"{STAMP} stderr F {line}" for line in lines[:pair]),
        f"{STAMP} stderr P {bar[:60]}",
        *(f"{STAMP} stdout F {line}" for line in lines[pair : pair + 2]),
        f"{STAMP} stderr F {bar[60:]}",
        *(f"{STAMP} stderr F {line}" for line in lines[pair + 3 :]),
    ]
    whole, apart = found(CLEAN.encode()), found("\n".join(pieces).encode())
    for table in ("paddings", "windows", "steps"):
        assert facts(apart, table).rows() == facts(whole, table).rows()


@pytest.mark.parametrize("stamp", ["Nov 11 10:00:00 ", "Oct  3 08:15:42 "])
def test_a_message_behind_a_stamp_is_not_taken_for_a_host_and_a_program(stamp: str) -> None:
    grammars = compile_all(load_shipped())
    samples = sorted({sample.line for pattern in grammars.by_id.values() for sample in pattern.samples})
    frame = pl.DataFrame({"source": 0, "line": range(len(samples)), "text": samples})
    bare = unwrap(frame, grammars.anchors).sort("line")["text"]
    stamped = unwrap(frame.with_columns(stamp + pl.col("text")), grammars.anchors).sort("line")["text"]
    assert stamped.to_list() == bare.to_list()


def test_the_wrappers_times_become_those_of_the_prompt() -> None:
    text = "".join(
        f"2025-11-11T10:00:{number:02}.5Z {line}\n"
        for number, line in enumerate(log.prompt(153).rstrip("\n").split("\n"))
    )
    prompt = found(text.encode()).prompts.row(0, named=True)
    assert str(prompt["started_at"]) == "2025-11-11 10:00:00.500000"
    assert (prompt["ended_at"] - prompt["started_at"]).total_seconds() == text.count("\n") - 1


def test_a_line_number_is_that_of_an_editor() -> None:
    text = "chatter\n\n\r\n" + log.prompt(427)
    assert found(text.encode()).paddings["line"].item() == text.split("\n").index("Padding length: 17")


@pytest.mark.parametrize(
    ("line", "pattern", "column"),
    [
        ("Sampling 250 frames in four windows, at 1280x720 with 4 steps", "window-header", 24),
        ("[INFO] Sampling 250 frames in four windows, at 1280x720 with 4 steps", "window-header", 24),
        ("Padding length: three", "padding-length", 17),
    ],
)
def test_a_changed_message_is_a_near_miss_with_the_column_where_it_stops(line: str, pattern: str, column: int) -> None:
    near = found(f"{line}\n{CLEAN}".encode()).near_misses.row(0, named=True)
    assert (near["line"], near["pattern"], near["column"]) == (1, pattern, column)
    assert near["expected"]


def coverage(text: str) -> tuple[int, ...]:
    """lines, records, near, unknown."""
    return found(text.encode()).sources.select("lines", "records", "near", "unknown").row(0)


def test_every_line_is_recognised_or_almost_so_or_unknown() -> None:
    text = log.ARRIVAL + "chatter\n\nPadding length: three\n" + log.window(0, 81) + log.EXECUTED
    assert coverage(text) == (6, 3, 1, 2)


def test_a_line_that_holds_both_a_bar_and_a_near_miss_is_known_once() -> None:
    both = log.refresh("Sampling audio indices 0-81", 1, 4, 5, " 5.00s/it") + "\rPadding length: three\n"
    assert coverage(both) == (1, 1, 1, 0)


@pytest.mark.parametrize(("text", "counts"), [("", (0, 0, 0, 0)), ("\n\n", (2, 0, 0, 2)), ("chatter", (1, 0, 0, 1))])
def test_a_log_without_messages_is_unknown_to_its_last_line(text: str, counts: tuple[int, ...]) -> None:
    assert coverage(text) == counts


def test_coverage_adds_up_over_the_pieces_of_a_long_log() -> None:
    text = "Padding length: three\nchatter\n" * 3000
    pieces = tabulate([from_bytes("long.log", text.encode())], Settings(), chunk_bytes=1 << 14)
    assert pieces.frames["sources"].select("lines", "records", "near", "unknown").row(0) == (6000, 0, 3000, 3000)


@pytest.mark.parametrize(
    "line",
    [
        "[rgthree-comfy] Loaded 48 exciting nodes.",
        "Sampling rate 44100, frames in buffer 81 windows",
        "[MultiTalk] note: padding... is documented at example.invalid",
        "memory=ok max_memory=unlimited",
        "100%|##########| 3/3 [00:00<00:00, 9.1it/s]",
        "Fetching 5 files:  20%|##        | 1/5 [00:00<00:00, 9.1it/s]",
        "I forgot prompt names",
    ],
)
def test_chatter_is_neither_a_message_nor_a_near_miss(line: str) -> None:
    clean, noisy = found(CLEAN.encode()), found(CLEAN.replace("\n", f"\n{line}\n").encode())
    assert noisy.near_misses.is_empty()
    for table in ("prompts", "runs", "windows", "paddings"):
        assert_frame_equal(facts(noisy, table), facts(clean, table))


def test_thousands_of_near_misses_are_counted_and_only_the_first_are_kept() -> None:
    analysis = found((CLEAN + "Padding length: three\n" * 1200).encode())
    assert analysis.sources["near"].item() == 1200
    assert analysis.near_misses.height == 1000
    assert analysis.near_misses["column"].null_count() == 980
    (message,) = analysis.findings.filter(pl.col("rule") == "LOG001")["message"]
    assert "(1000 or more such lines)" in message


def test_a_line_that_is_near_to_two_messages_alike_is_told_alike_however_many_there_are() -> None:
    line = "Prompt executed in 218.,  5.00s/it]\n"
    one, many = found(line.encode()), found((line * 200).encode())
    assert many.near_misses["pattern"].unique().to_list() == one.near_misses["pattern"].to_list()
