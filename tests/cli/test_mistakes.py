"""Mistakes that people make get one sentence with the way out, exit status 2, and cost no earlier report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import logtext as log
import pytest
import workflows
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.common.suggestions import did_you_mean
from loganalyzer.settings.toml_lines import line_of


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.log").write_text(log.BANNER + log.prompt(369), encoding="utf-8")
    Path("loganalyze-report.html").write_text("an earlier report", encoding="utf-8")


def call(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["histroy", "list"], "there is no file or command 'histroy'. Did you mean 'history'?"),
        (["anlayze", "x"], "there is no file or command 'anlayze'. Did you mean 'analyze'?"),
        (["Worflow", "check", "x"], "Did you mean 'workflow'?"),
        (["docter"], "Did you mean 'doctor'?"),
        (["help"], "Did you mean `loganalyze --help`?"),
        (["run.log", "--tables", "-"], "--tables writes one file per table and needs a folder"),
        (["run.log", "--csv", "-"], "--csv writes one file per table and needs a folder"),
        (["run.log", "--quantization", "Q7"], "there is no quantization 'Q7'"),
        (["run.log", "--quantization", "Q7"], "Q6_K, Q8_0"),
        (["run.log", "--select", "AUD999"], "there is no rule 'AUD999'"),
        (["run.log", "--select", "AUD01"], "did you mean 'AUD001'"),
        (["run.log", "--select", ""], "there is no rule ''"),
        (["run.log", "--ignore", "slow-rnu"], "did you mean 'slow-run'"),
        (["rules", "audio-shortfal"], "'audio-shortfall'"),
        (["workflow", "check", "run.log"], "If this is a log, run `loganalyze run.log`"),
        (["watch", ".", "--once-idle", "1"], "is a folder; watch follows a single log file. Did you mean run.log?"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_answered_with_the_way_out(words: list[str], says: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert says in re.sub(r"\s+", " ", result.output)
    assert Path("loganalyze-report.html").read_text(encoding="utf-8") == "an earlier report"


@pytest.mark.parametrize("word", ["x", "comfyui", "history.log", "./histroy", "2026"])
def test_a_word_that_is_not_like_a_command_is_an_input(word: str) -> None:
    result = call(word)
    assert result.exit_code == 2
    assert f"{word}: cannot be read" in result.output


def test_a_file_that_is_named_like_a_misspelled_command_is_read() -> None:
    Path("run.log").rename("histroy")
    assert call("histroy", "--no-html").exit_code == 0


@pytest.mark.parametrize(
    ("selector", "ids"),
    [
        ("AUD001", {"AUD001"}),
        ("aud001", {"AUD001"}),
        ("audio-shortfall", {"AUD001"}),
        ("AUD001,MEM001", {"AUD001", "MEM001"}),
        ("AUD00", {f"AUD00{number}" for number in range(1, 10)}),
        ("slow-run, SCH", {"TIM002", "SCH001", "SCH002", "SCH003", "SCH004"}),
    ],
)
def test_rules_are_selected_by_id_prefix_name_or_list(selector: str, ids: set[str]) -> None:
    from loganalyzer.checks.selectors import select

    found = {rule.id for rule in select(selector)}
    assert ids <= found
    assert found <= {*ids, *(name for name in found if name.startswith("SCH") and "SCH" in selector)}


def test_a_selector_of_the_configuration_and_of_python_is_resolved_too() -> None:
    import loganalyzer

    padded = Path("padded.log")
    padded.write_text(log.BANNER + log.prompt(427), encoding="utf-8")
    found = loganalyzer.analyze(["padded.log"], loganalyzer.Settings(select=("audio-shortfall",)))
    assert set(found.findings["rule"]) == {"AUD001"}
    Path("loganalyze.toml").write_text(
        'select = ["audio-shortfall"]\n[severities]\naud001 = "warning"\n', encoding="utf-8"
    )
    assert call("padded.log", "--no-html").exit_code == 0
    assert call("padded.log", "--no-html", "--fail-on", "warning").exit_code == 1


@pytest.mark.parametrize("name", ["q6k", "Q6_K", "q6-k", "Q6K"])
def test_a_quantization_may_be_written_in_any_way(name: str) -> None:
    assert call("run.log", "--no-html", "--quantization", name, "--json", "x.json").exit_code == 0
    assert json.loads(Path("x.json").read_text())["runs"][0]["quantization"] == "Q6_K"


def test_a_quantization_of_the_users_own_baselines_is_known() -> None:
    Path("own.toml").write_text('ranking = ["Q6_K", "Q6_K_XL"]\n', encoding="utf-8")
    assert call("run.log", "--no-html", "--quantization", "q6kxl", "--baselines", "own.toml").exit_code == 0


def test_a_workflow_given_as_a_log_is_named_with_the_command_that_takes_it() -> None:
    Path("talk.json").write_text(json.dumps(workflows.api()), encoding="utf-8")
    result = call("talk.json")
    assert result.exit_code == 2
    assert "talk.json is a workflow, not a log" in result.output
    assert "loganalyze workflow check" in result.output


def test_a_ticket_without_a_log_is_not_written() -> None:
    Path("empty").mkdir()
    result = call("ticket", "empty")
    assert result.exit_code == 2
    assert "no log could be read, so no ticket was written" in result.output
    assert not Path("ticket.zip").exists()


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("loganalyze.toml", '# quantizaton = "x"\n\nquantizaton = "Q6_K"\n', 3),
        ("pyproject.toml", '[tool.other]\nquantizaton = 1\n[tool.loganalyze]\nfps = 25\nquantizaton = "Q6_K"\n', 5),
        ("pyproject.toml", '[tool]\nloganalyze = { fps = 25, quantizaton = "Q6_K" }\n', 2),
        ("pyproject.toml", 'tool.loganalyze.fps = 25\ntool.loganalyze."quantizaton" = "Q6_K"\n', 2),
        ("pyproject.toml", 'a = """\n[tool.loganalyze]\nquantizaton = 1\n"""\n[tool.loganalyze]\nquantizaton = 2\n', 6),
    ],
)
def test_a_misspelled_key_is_named_with_its_line_and_the_key_that_was_meant(name: str, text: str, line: int) -> None:
    Path(name).write_text(text, encoding="utf-8")
    result = call("run.log", "--no-html")
    assert result.exit_code == 2
    assert f"{name}:{line}: unknown key 'quantizaton'" in result.output
    assert "did you mean 'quantization'?" in result.output


def test_a_key_that_is_nowhere_is_on_the_first_line() -> None:
    assert line_of("a = 1\n", "b") == 1
    assert line_of("\n[severities]\nAUD001 = 1\n", "severities", "AUD001") == 3


@pytest.mark.parametrize(
    ("word", "says"), [("zzz", ""), ("histry", "did you mean 'history'?"), ("pla", "did you mean 'plan' or 'play'?")]
)
def test_similar_names_are_suggested(word: str, says: str) -> None:
    assert did_you_mean(word, ["history", "plan", "play"]) == says


def test_doctor_finds_nothing_wrong_and_says_what_a_log_would_be_checked_with() -> None:
    result = call("doctor", "run.log", "--quantization", "q6k")
    assert result.exit_code == 0, result.output
    assert "Q6_K (from option)" in result.output
    assert "14.55–15.45 GiB" in result.output


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("loganalyze.toml", "quantizaton = 1", "unknown key 'quantizaton'"),
        ("loganalyze.toml", 'history = "sqlite:///none.db"', "none.db"),
        ("loganalyze.toml", 'baselines = "none.toml"', "none.toml"),
    ],
)
def test_doctor_fails_with_the_reason(file: str, text: str, says: str) -> None:
    Path(file).write_text(text, encoding="utf-8")
    result = call("doctor")
    assert result.exit_code == 2
    assert any(line.startswith("FAIL") and says in line for line in result.output.splitlines())


def test_doctor_fails_on_a_file_without_a_run_and_on_one_that_is_not_there() -> None:
    Path("other.log").write_text("nothing of ours\n", encoding="utf-8")
    assert "FAIL log" in call("doctor", "other.log").output
    assert call("doctor", "none.log").exit_code == 2


def test_doctor_hides_the_password_of_a_history() -> None:
    result = CliRunner().invoke(main, ["doctor", "--history", "postgresql+psycopg://u:s3cret@127.0.0.1:1/x"])
    assert "s3cret" not in result.output
