"""`loganalyze compare` as its users call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main

FIELDS = {"metric", "unit", "key", "base", "head", "change_percent", "noise_percent", "verdict", "base_n", "head_n"}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "LOGANALYZE_HISTORY", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def write(name: str, step_s: float = 5.0, audio: int = 81, size: str = "1280x720") -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(f"{name}\n" + log.BANNER + log.prompt(audio, step_s=step_s, size=size))
    return name


def test_worse_is_exit_1_and_the_document_says_what() -> None:
    result = call("compare", write("a_Q6_K.log"), write("b_Q6_K.log", 6.0), "--json", "-")
    assert result.exit_code == 1, result.output
    document = json.loads(result.stdout)
    assert (document["schema_version"], document["verdict"]) == (1, "regressed")
    step = document["metrics"][0]
    assert step.keys() >= FIELDS
    assert (step["metric"], step["unit"], step["verdict"], step["key"]["quantization"]) == (
        "s_per_step", "s", "regressed", "Q6_K",
    )  # fmt: skip
    assert document["findings"].keys() == {"new", "gone", "still"}
    assert "REGRESSED" in result.stderr


def test_the_same_is_exit_0() -> None:
    result = call("compare", write("a_Q6_K.log"), write("b_Q6_K.log", 5.02))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("SAME")


def test_other_settings_are_exit_2_with_the_fields_named() -> None:
    result = call("compare", write("a_Q6_K.log"), write("b_Q5_0.log"), "--json", "-")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["verdict"] == "incomparable"
    assert document["differences"] == [{"field": "quantization", "base": "Q6_K", "head": "Q5_0", "decides": True}]


def test_every_form_of_a_side_gives_the_same_figures() -> None:
    base, head = write("logs/a_Q6_K.log"), write("b_Q6_K.log", 6.0)
    call("analyze", base, "--html", "page.html", "--json", "doc.json")
    call("history", "add", base, "--label", "main")
    run = json.loads(call("history", "list", "--json", "-").stdout)["runs"][0]["run_id"]
    medians = []
    for name in (base, "logs", "logs/*.log", "page.html", "doc.json", "history:main", f"history:{run[:6]}"):
        result = call("compare", name, head, "-q", "--json", "-")
        assert result.exit_code == 1, (name, result.output)
        document = json.loads(result.stdout)
        medians.append([(row["metric"], row["base"], row["head"], row["verdict"]) for row in document["metrics"]])
    assert all(one == medians[0] for one in medians)


@pytest.mark.parametrize("name", ["gone.log", "empty.log", "history:gone"])
def test_a_side_without_runs_is_exit_2_and_named(name: str) -> None:
    Path("empty.log").write_text("nothing\n")
    call("history", "add", write("a_Q6_K.log"), "--label", "main")
    result = call("compare", "a_Q6_K.log", name)
    assert result.exit_code == 2
    assert name in result.stderr


def test_markdown_cannot_be_broken_out_of() -> None:
    evil = "x|y<b>_Q6_K.log"
    result = call("compare", write("a_Q6_K.log"), write(evil, 6.0), "-q", "--markdown", "-")
    assert result.exit_code == 1
    assert "\\|y\\<b\\>" in result.stdout
    rows = [line for line in result.stdout.splitlines() if line.startswith("| time")]
    assert rows
    assert all(row.count(" | ") == 6 for row in rows)
    assert "| **regressed** |" in result.stdout


def test_the_page_is_one_offline_file_with_the_document_inside_and_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000000")
    evil = "<script>alert(1)</script>_Q6_K.log".replace("/", "_")
    words = ("compare", write("a_Q6_K.log"), write(evil, 6.0, 427), "-q", "--html")
    assert call(*words, "one.html").exit_code == 1
    call(*words, "two.html")
    page = Path("one.html").read_text()
    assert page == Path("two.html").read_text()
    assert "<script>alert" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    inside = page.split('id="loganalyzer-document">')[1].split("</script>")[0]
    assert json.loads(inside)["verdict"] == "regressed"
    for text in ("time per step", "+20.0 %", "AUD001 audio-shortfall", "Worse by 20.0 %"):
        assert text in page


def test_the_page_of_a_comparison_is_no_input() -> None:
    call("compare", write("a_Q6_K.log"), write("b_Q6_K.log"), "-q", "--html", "page.html")
    result = call("page.html", "--no-html")
    assert result.exit_code == 2
    assert "page.html" in result.stderr


@pytest.mark.parametrize(
    "words", [("--fail-on", "never"), ("--ignore", "REG002")], ids=["fail on never", "the rule is ignored"]
)
def test_a_regression_may_be_let_pass(words: tuple[str, ...]) -> None:
    assert call("compare", write("a_Q6_K.log"), write("b_Q6_K.log", 6.0), *words).exit_code == 0


def test_its_severity_may_be_lowered() -> None:
    Path("loganalyze.toml").write_text('[severities]\nREG002 = "warning"\n')
    words = ("compare", write("a_Q6_K.log"), write("b_Q6_K.log", 6.0))
    assert call(*words).exit_code == 0
    assert call(*words, "--fail-on", "warning").exit_code == 1


def test_the_reasons_are_told_with_verbose() -> None:
    result = call("compare", write("a_Q6_K.log"), write("b_Q6_K.log"), "-v")
    assert "Equal, as expected for the same audio length" in " ".join(result.stdout.split())


def test_as_a_process_of_its_own() -> None:
    words = [sys.executable, "-m", "loganalyzer", "compare", write("a_Q6_K.log"), write("b_Q6_K.log", 6.0)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stderr
    assert "REGRESSED" in result.stdout
