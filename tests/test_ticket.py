"""What a maintainer gets: a small archive with the evidence in it and no secret."""

from __future__ import annotations

import json
import random
import re
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import attacks
import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from loganalyzer.cli.group import main
from loganalyzer.pipeline import analyze_inputs
from loganalyzer.report.formats import reader
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.ticket import archive, slices

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763793000")


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["ticket", *map(str, words)])


def members(path: str = "ticket.zip") -> dict[str, str]:
    with ZipFile(path) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name).decode() for name in packed.namelist()}


def failing(text: str = "Allocation on device") -> str:
    return log.ARRIVAL + log.run(427) + f"!!! Exception during processing !!! {text}\n" + log.EXECUTED


@pytest.fixture
def night() -> Path:
    path = Path("night_Q6_K.log")
    path.write_text(log.BANNER + log.prompt(369) + failing() + log.prompt(369))
    return path


def test_it_holds_report_text_start_flagged_prompts_environment_and_manifest(night: Path) -> None:
    result = call(night)
    assert result.exit_code == 0, result.output
    assert "ticket: ticket.zip" in result.stdout
    found = members()
    flagged = 1 + (log.BANNER + log.prompt(369)).count("\n")
    assert sorted(found) == [
        "environment.json",
        "logs/01-night_Q6_K.log-startup.log",
        f"logs/02-night_Q6_K.log-prompt-line-{flagged}.log",
        "manifest.json",
        "report.html",
        "ticket.md",
    ]
    assert found["ticket.md"].startswith("**Fail: ")
    assert "Total VRAM 32607 MB" in found["logs/01-night_Q6_K.log-startup.log"]
    assert json.loads(found["environment.json"])["environments"][0]["gpu"] == "NVIDIA GeForce RTX 5090"


def test_lines_of_a_slice_carry_the_numbers_they_have_in_the_log(night: Path) -> None:
    call(night)
    lines = night.read_bytes().decode().split("\n")
    for name, text in members().items():
        if name.startswith("logs/"):
            for line in text.splitlines():
                number, _, shown = line.strip().partition("  ")
                told = shown.partition("omitted] ")[2] or shown
                assert told.strip() == lines[int(number) - 1].rpartition("\r")[2].strip()


def test_the_report_inside_is_whole_and_can_be_read_back(night: Path) -> None:
    call(night)
    Path("back.html").write_text(members()["report.html"])
    assert reader.read_analysis("back.html").runs.height == 3
    assert call("back.html", "-o", "again.zip").exit_code == 0
    assert "report.html" in members("again.zip")


def test_the_same_log_gives_the_same_bytes(night: Path) -> None:
    call(night, "-o", "1.zip")
    call(night, "-o", "2.zip")
    assert Path("1.zip").read_bytes() == Path("2.zip").read_bytes()


def test_the_manifest_tells_each_file_and_what_was_left_out(night: Path) -> None:
    call(night)
    found = members()
    manifest = json.loads(found.pop("manifest.json"))
    told = {entry["name"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
    assert told == {name: (len(text.encode()), sha256(text.encode()).hexdigest()) for name, text in found.items()}
    assert any("log lines outside these slices" in said for said in manifest["left_out"])
    assert manifest["redacted"] is True


def test_no_member_shows_a_secret_and_the_manifest_counts_them() -> None:
    Path("x.log").write_text(
        log.BANNER + f"using {TOKEN}\n" + failing(f"no access with {TOKEN} for ada@example.org in /home/ada/ComfyUI")
    )
    result = call("x.log")
    for text in members().values():
        assert TOKEN not in text
        assert "ada@" not in text
        assert "/home/ada" not in text
    masked = {row["kind"]: row["values"] for row in json.loads(members()["manifest.json"])["masked"]}
    assert masked == {"email": 1, "huggingface": 1, "user": 1}
    assert "masked: 1 email, 1 huggingface, 1 user" in result.stdout
    masks = {mask for text in members().values() for mask in re.findall("‹huggingface:[0-9a-f]+›", text)}
    assert len(masks) == 1
    call("x.log", "--no-redact", "-o", "plain.zip")
    assert TOKEN in members("plain.zip")["logs/01-x.log-startup.log"]


@pytest.mark.parametrize("attack", attacks.ATTACKS)
def test_hostile_logs_and_names_stay_text(attack: str) -> None:
    text = attacks.ATTACKS[attack]
    name = text.replace("/", "∕").replace("\0", "")[:80] + ".log"
    path = Path.cwd() / name
    path.write_bytes(attacks.log_of(text))
    assert call(path).exit_code == 0
    for member, content in members().items():
        assert re.fullmatch(r"(logs/\d\d-[A-Za-z0-9._-]+|[a-z]+)\.(log|md|json|html)", member), member
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", content.replace("\\u", ""))


def test_a_log_of_many_runs_and_a_lot_of_noise_stays_below_a_megabyte() -> None:
    noise = random.Random(1)
    prompts = [failing(f"{noise.getrandbits(4000):x}") for _ in range(150)]
    junk = "".join(f"{noise.getrandbits(3000):x}\n" for _ in range(400))
    Path("x.log").write_text(log.BANNER + junk + "".join(prompts) + junk)
    assert call("x.log").exit_code == 0
    assert Path("ticket.zip").stat().st_size < archive.MOST_ARCHIVE_BYTES
    said = json.loads(members()["manifest.json"])["left_out"]
    assert any("130 flagged prompts" in text for text in said)
    assert any("startup: " in text for text in said)


def test_a_report_that_is_too_large_keeps_its_gravest_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_REPORT_BYTES", 40_000)
    monkeypatch.setattr(archive, "_RUN_LIMITS", (None, 12, 2))
    Path("x.log").write_text("".join(log.prompt(369) for _ in range(40)) + failing())
    assert call("x.log").exit_code == 0
    Path("back.html").write_text(members()["report.html"])
    back = reader.read_analysis("back.html")
    assert 0 < back.runs.height < 41
    assert "failed" in back.prompts["status"]
    assert any("runs of the report" in said for said in json.loads(members()["manifest.json"])["left_out"])


def test_of_a_long_prompt_begin_end_and_the_lines_of_findings_are_kept() -> None:
    noise = "".join(f"noise {number}\n" for number in range(2000))
    text = log.ARRIVAL + noise + log.run(427) + noise + "!!! Exception during processing !!! x\n" + log.EXECUTED
    Path("x.log").write_text(text)
    call("x.log")
    name = next(name for name in members() if "prompt-line-1" in name)
    shown = members()[name]
    assert "Audio embedding for subject 0 not long enough: 427, need 441" in shown
    assert "!!! Exception during processing !!! x" in shown
    assert "noise 0" in shown
    assert len(re.findall(r"…  [\d,]+ lines? omitted", shown)) >= 2
    assert len(shown.splitlines()) < slices.MOST_LINES + 20


def test_standard_input_is_refused_with_the_way_out() -> None:
    result = call("-")
    assert result.exit_code == 2
    assert "save the log to a file first" in result.stderr


def test_an_unread_input_is_exit_2_and_the_others_are_packed(night: Path) -> None:
    assert call(night, "gone.log").exit_code == 2
    assert "report.html" in members()


def test_an_archive_that_cannot_be_written_is_said(night: Path) -> None:
    result = call(night, "-o", "no/such/folder/t.zip")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_log_without_any_run_still_makes_a_ticket() -> None:
    Path("x.log").write_text("something else\n" * 5)
    assert call("x.log").exit_code == 0
    assert "something else" in members()["logs/01-x.log-startup.log"]


TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30), max_size=30)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 40), st.integers(1, 40))
def test_slices_hold_the_lines_asked_for_whatever_they_are(lines: list[str], first: int, last: int) -> None:
    raw = "\n".join(lines).encode()
    kept = tuple(range(first, last + 1))
    wanted = slices.Section("x", "part", first, max(first, last), kept)
    found = slices.read_slices([from_bytes("x", raw)], [wanted], str)[0]
    numbers = [int(found[1]) for found in re.finditer(r"^ *(\d+)(?:  |$)", found.text, re.MULTILINE)]
    assert set(kept) >= set(numbers)
    assert found.left_out == wanted.last - wanted.first + 1 - len(
        [n for n in kept if n <= len(raw.split(b"\n"))][: len(numbers)]
    )


def test_the_gravest_prompts_come_first() -> None:
    found = analyze_inputs([from_bytes("x.log", (log.prompt(427) * 25 + failing()).encode())], Settings(redact=False))
    wanted, rest = slices.find_sections(found)
    prompts = [item for item in wanted if item.title.startswith("prompt")]
    failed = found.prompts.filter(pl.col("status") == "failed")["line"][0]
    assert prompts[0].first == failed
    assert len(prompts) == slices.MOST_PROMPTS
    assert rest == ("6 flagged prompts without a slice (at most 20 have one)",)
