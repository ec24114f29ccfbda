"""What must not be shown is masked everywhere; what looks like it stays."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import logtext as log
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from loganalyzer.cli.group import main
from loganalyzer.pipeline import analyze, analyze_inputs
from loganalyzer.redact import masking
from loganalyzer.redact.cutting import shorten_texts
from loganalyzer.redact.kinds import KINDS
from loganalyzer.redact.rough import ROUGH
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.columns import COLUMNS
from loganalyzer.tables.schema import FOREIGN, SCHEMAS

ROOT = Path(__file__).parent.parent
EXAMPLES = [(kind.name, text, secret) for kind in KINDS for text, secret in kind.examples.items()]
HARMLESS = [text for kind in KINDS for text in kind.harmless]


def masker() -> masking.Masker:
    return masking.create_masker(["the log"])


@pytest.mark.parametrize(("kind", "text", "secret"), EXAMPLES)
def test_each_example_is_masked_as_its_kind_and_nothing_else_is(kind: str, text: str, secret: str) -> None:
    shown = masker().mask(text)
    mask = re.search(rf"‹{kind}:[0-9a-f]{{4}}›", shown)
    assert mask, shown
    assert shown == text.replace(secret, mask[0])
    assert secret not in shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert masker().mask(text) == text


@pytest.mark.parametrize(("kind", "text", "secret"), EXAMPLES)
def test_a_secret_is_found_wherever_it_stands_in_a_line(kind: str, text: str, secret: str) -> None:
    for line in (f"2025-11-22 06:30:00 [E] {text}", f"{text} end", f"'{text}'", f"\t{text}, {text}"):
        assert secret not in masker().mask(line).replace("«", "")


def test_no_example_slips_past_the_first_look_at_a_column() -> None:
    texts = pl.Series([text for _, text, _ in EXAMPLES])
    assert texts.str.contains(ROUGH).all()
    assert [bool(re.search(ROUGH, text)) for text in texts] == texts.str.contains(ROUGH).to_list()


PIECES = st.sampled_from(
    [*(text for _, text, _ in EXAMPLES), *HARMLESS, " ", "/", "‹user:1a2b›", "@", "://", "=", "\\"]
)
LINES = st.lists(PIECES | st.text(max_size=12), max_size=6).map("".join)


@given(LINES)
@example("/mnt/c/Users/ada/x/Users/ada/x.log")
@example("/home/ada/home/ada")
def test_masking_twice_is_masking_once(line: str) -> None:
    once = masker().mask(line)
    assert masker().mask(once) == once


@given(LINES)
def test_the_first_look_misses_nothing_that_masking_finds(line: str) -> None:
    if masker().mask(line) != line:
        assert pl.Series([line]).str.contains(ROUGH).item()


@given(LINES)
def test_no_kind_is_found_without_one_of_its_hints(line: str) -> None:
    for kind in KINDS:
        if kind.pattern.search(line):
            assert any(hint in line.lower() for hint in kind.hints), kind.name


@pytest.mark.parametrize(("kind", "text", "secret"), EXAMPLES)
def test_a_secret_is_found_in_a_very_long_line_too(kind: str, text: str, secret: str) -> None:
    line = f"{'word ' * 1500}{text} {'word ' * 1500}"
    shown = masker().mask(line)
    assert secret not in shown
    assert shown.count("word ") == 3000
    assert re.search(f"‹{kind}:", shown)


@given(st.text(max_size=30), st.integers(1, 2000))
def test_long_lines_lose_nothing(word: str, times: int) -> None:
    line = f"{word} " * times
    assert "".join(masking._PIECES.findall(line)) == line


@pytest.mark.parametrize(
    "secret",
    ["hf_AbCdEfGhIj", "rpa_ABCDEFGH01", "ghp_abcdefghij", "sk-proj-abc123DEF4", "AKIAIOSFODNN", "eyJhbGciOiJIUzI1"],
)
def test_a_token_that_was_cut_off_with_its_line_is_masked_as_well(secret: str) -> None:
    assert secret not in masker().mask(f"the line goes on: {secret}")


@given(st.lists(st.sampled_from(["ada", "bob", "eve", "mallory"]), min_size=1, max_size=6))
def test_equal_values_have_equal_masks_and_others_have_others(names: list[str]) -> None:
    one = masker()
    masks = [one.mask(f"/home/{name}/x") for name in names]
    assert len(set(masks)) == len(set(names))
    assert [masks[names.index(name)] for name in names] == masks
    assert one.values == {"user": len(set(names))}
    assert one.places == {"user": len(names)}


def test_values_whose_short_hashes_meet_get_longer_ones() -> None:
    one = masker()
    masks = {one.mask(f"/home/name{number}/x") for number in range(2000)}
    assert len(masks) == 2000
    assert max(map(len, masks)) > len("/home/‹user:1a2b›/x")


def test_the_key_follows_from_the_logs_and_not_from_what_is_shown() -> None:
    text = (log.prompt(427) + "!!! Exception during processing !!! /home/ada/x\n").encode()
    found = analyze_inputs([from_bytes("a.log", text)])
    again = analyze_inputs([from_bytes("a.log", text)])
    other = analyze_inputs([from_bytes("a.log", text + b"got prompt\n")])
    mask = r"‹user:[0-9a-f]{4}›"

    def masks(analysis: Analysis) -> set[str]:
        return set(re.findall(mask, " ".join(analysis.excerpts["text"])))

    assert masks(found) == masks(again) != masks(other)
    shown = masking.create_masker(found.sources["digest"]).mask("/home/ada/x")
    assert shown.removeprefix("/home/").removesuffix("/x") not in masks(found)


def test_two_logs_of_one_call_share_their_masks() -> None:
    failing = "!!! Exception during processing !!! cannot open /home/ada/x\n"
    logs = [from_bytes(f"{n}.log", (log.ARRIVAL + log.run(n) + failing + log.EXECUTED).encode()) for n in (369, 427)]
    texts = analyze_inputs(logs).excerpts.filter(pl.col("text").str.contains("cannot open"))["text"]
    assert texts.n_unique() == 1
    assert texts.len() == 2
    assert analyze_inputs(reversed(logs)).excerpts["text"].str.contains(texts[0], literal=True).sum() == 2


SECRETS = {
    "path": "/home/ada/ComfyUI", "token": "hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567", "mail": "ada@example.org",
    "address": "http://52.14.3.9:8188/x", "signature": "https://x.org/a?sig=0123456789abcdef",
}  # fmt: skip


def telling(text: str) -> bytes:
    return (
        log.BANNER.replace("RTX 5090", f"RTX 5090 {text}")
        + log.ARRIVAL
        + f"Loading LoRA: {text} rank256 with strength: 1.0\n"
        + log.run(427)
        + f"!!! Exception during processing !!! {text}\n"
        + f"Sampling 250 frames in {text} windows, at\n"
        + log.EXECUTED
    ).encode()


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_no_output_shows_a_secret(secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hidden = next(masked for _, text, masked in EXAMPLES if masked in secret) if "ada" not in secret else "ada"
    Path("x.log").write_bytes(telling(secret))
    words = ["x.log", "--json", "x.json", "--markdown", "x.md", "--tables", "x", "-v"]
    result = CliRunner().invoke(main, words)
    outputs = [result.output, *(Path(name).read_text() for name in ("x.json", "x.md", "loganalyze-report.html"))]
    outputs += [str(pl.read_parquet(path).rows()) for path in Path("x").iterdir()]
    assert len(outputs) > 10
    for output in outputs:
        assert hidden not in re.sub(r"[Uu]nadapted|metadata|adapt|load\w*", "", output)
    shown = json.loads(Path("x.json").read_text())["masked"]
    assert shown
    assert all(row["places"] >= row["values"] >= 1 for row in shown)
    plain = CliRunner().invoke(main, ["x.log", "--no-redact", "--json", "-", "--no-html"])
    assert hidden in plain.stdout
    assert json.loads(plain.stdout)["masked"] == []


def test_the_configuration_can_switch_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loganalyze.toml").write_text("redact = false\n")
    Path("x.log").write_bytes(telling("/home/ada/x"))
    assert "/home/ada" in CliRunner().invoke(main, ["x.log", "--json", "-", "--no-html"]).stdout
    assert "/home/ada" not in CliRunner().invoke(main, ["x.log", "--redact", "--json", "-", "--no-html"]).stdout


@pytest.mark.parametrize("folder", [ROOT / "sample_logs"])
def test_nothing_is_masked_where_there_is_no_secret(folder: Path) -> None:
    shown, plain = analyze([str(folder)]), analyze([str(folder)], Settings(redact=False))
    for name, frame in plain.tables():
        assert getattr(shown, name).equals(frame), name
    assert shown.masked.is_empty()


@pytest.mark.parametrize("path", sorted((ROOT / "sample_logs").glob("*.txt")), ids=lambda path: path.name)
def test_no_line_of_the_samples_is_changed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert masker().mask(text) == text


@pytest.mark.parametrize("rows", [0, 10_000])
@pytest.mark.parametrize(("table", "column"), [(table, name) for table, names in FOREIGN.items() for name in names])
def test_a_secret_is_found_in_tables_of_any_height(
    table: str, column: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_FEW", rows)
    told = pl.DataFrame({name: [None] for name in SCHEMAS[table]}, schema=SCHEMAS[table])
    secret = pl.lit("hf_" + "a1B2" * 9)
    value = pl.concat_list(pl.lit("x"), secret) if SCHEMAS[table][column] == pl.List else secret
    found = Analysis(**{table: told.with_columns(value.alias(column))})
    shown = getattr(masking.mask_analysis(found, masker()), table)
    assert "a1B2" not in str(shown[column].to_list())


def test_sources_without_a_secret_are_given_as_they_were() -> None:
    names = ["/tmp/a/x.log", "-", "logs/../x.log", "https://example.org/x.log", "C:\\logs\\x.log", "/root/x.log"]
    found = analyze_inputs([from_bytes(name, log.prompt(369 + 72 * n).encode()) for n, name in enumerate(names)])
    assert found.sources["source"].to_list() == names
    assert found.runs["source"].to_list() == names


def test_the_callers_own_home_becomes_a_tilde_which_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    names = ["/home/ada/logs/x.log", "/home/bob/logs/x.log"]
    found = analyze_inputs([from_bytes(name, log.prompt(369 + 72 * n).encode()) for n, name in enumerate(names)])
    mine, theirs = found.sources["source"]
    assert mine == "~/logs/x.log"
    assert re.fullmatch(r"/home/‹user:[0-9a-f]{4}›/logs/x.log", theirs)
    assert set(found.findings["source"]) <= {mine, theirs}
    assert found.masked.rows() == [("user", 1, 1)]


def test_ids_verdicts_and_kinds_are_words_of_our_own() -> None:
    own = {column.name for columns in COLUMNS.values() for column in columns if not column.is_foreign}
    assert {"run_id", "status", "rule", "severity", "verdict", "peak_covers", "event"} <= own


def test_a_document_read_back_is_masked_too(tmp_path: Path) -> None:
    found = analyze_inputs([from_bytes("x.log", telling("/home/ada/x"))], Settings(redact=False))
    from loganalyzer.common import clock
    from loganalyzer.report.json_document import to_json

    path = tmp_path / "d.json"
    path.write_text(to_json(found, generated_at=clock.now(), version="0"), encoding="utf-8")
    back = analyze([str(path)])
    assert "/home/ada" not in str([frame.rows() for _, frame in back.tables()])
    assert "user" in back.masked["kind"]


def test_problems_are_masked(tmp_path: Path) -> None:
    found = analyze(["/home/ada/there-is-none.log"])
    assert "ada" not in found.problems[0]
    assert replace(found, problems=()).problems == ()


def test_every_kind_is_documented() -> None:
    text = (ROOT / "docs" / "redaction.md").read_text(encoding="utf-8")
    missing = [kind.name for kind in KINDS if f"| `{kind.name}` | {kind.description} |" not in text]
    assert missing == []


@pytest.mark.parametrize(("length", "is_whole"), [(20, True), (19, False)])
def test_a_text_is_cut_in_front_of_the_word_that_has_no_room(length: int, is_whole: bool) -> None:
    text = pl.Series("text", ["token hf_AbCdEfGhIjK"])
    (cut,) = text.to_frame().select(shorten_texts(pl.col("text"), length)).to_series()
    assert cut == ("token hf_AbCdEfGhIjK" if is_whole else "token ")


@pytest.mark.parametrize("padding", range(380, 500, 7))
def test_no_piece_of_a_secret_is_shown_where_a_line_was_cut(padding: int) -> None:
    secret = "".join(f"q{number}Z" for number in range(20))
    line = f"!!! Exception during processing !!! {'w ' * (padding // 2)}https://x.org/a?token={secret} end"
    found = analyze_inputs([from_bytes("a.log", (log.ARRIVAL + log.header(153, 2) + line + "\n").encode())])
    shown = "".join(found.excerpts["text"].to_list() + found.findings["observed"].drop_nulls().to_list())
    assert "q0Z" not in shown


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("passphrase: correct horse battery staple", "horse battery"),
        ("ｐａｓｓｗｏｒｄ＝ｈｕｎｔｅｒ", "hunter"),
        ('password="correct horse', "correct"),
        ("export WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567", "0123456789abcdef"),
        ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=ab/cd+ef==;", "ab/cd+ef=="),
        ("X-Api-Key: abcdef", "abcdef"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUA", "b3BlbnNz"),
        ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gt", "b3BlbnNz"),
        ("proxy-authorization: Basic YWRhOnB3", "YWRhOnB3"),
        ("bot 123456789:AAabcdefghijklmnopqrstuvwxyz0123456 started", "AAabc"),
    ],
)
def test_secrets_are_masked_in_the_notations_that_logs_have(text: str, secret: str) -> None:
    assert secret not in masker().mask(text)
    assert "‹" in masker().mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "Loading LoRA: wan_passkey_rank256_bf16 with strength: 1.0",
        "The password is required",
        "api_key: Optional[str] = None",
        "key: torch.Size([1, 512])",
        "PWD=/workspace/ComfyUI",
        "attention key: value 12",
        "sha256 " + "0123456789abcdef" * 4,
        "secret: null, token: null",
    ],
)
def test_words_about_secrets_stay(text: str) -> None:
    assert masker().mask(text) == text
