"""`loganalyze history …` and `--history` as their users call them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.tables.schema import RUNS


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_SHA", "CI_COMMIT_SHA", "LOGANALYZE_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000000")


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def write(name: str, step_s: float = 5.0, audio: int = 81) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{name}\n" + log.BANNER + log.prompt(audio, step_s=step_s))
    return path


def listed(*words: object) -> list[dict[str, object]]:
    result = call("history", "list", "--json", "-", *words)
    assert result.exit_code == 0, result.output
    runs: list[dict[str, object]] = json.loads(result.stdout)["runs"]
    return runs


def test_adding_says_what_was_new_and_what_was_known() -> None:
    write("logs/a_Q6_K.log")
    assert call("history", "add", "logs").stdout == "1 run added\n"
    assert Path("loganalyze.db").is_file()
    write("logs/b_Q6_K.log", 5.1)
    assert call("history", "add", "logs/*.log").stdout == "1 run added, 1 file unchanged\n"


def test_the_list_holds_the_columns_of_runs_and_what_was_noted() -> None:
    write("a.log")
    call("history", "add", "a.log", "--label", "main", "--commit", "abc", "--at", "2026-02-14T03:00+01:00",
         "--quantization", "Q6_K")  # fmt: skip
    (run,) = listed()
    assert set(RUNS) <= run.keys()
    assert (run["quantization"], run["label"], run["commit"]) == ("Q6_K", "main", "abc")
    assert run["at"] == "2026-02-14T02:00:00.000000"
    assert run["added_at"] == "2026-02-02T02:40:00.000000"
    assert listed("--label", "other") == []


def test_the_commit_comes_from_the_jobs_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", "0f0f0f")
    call("history", "add", write("a.log"))
    assert listed()[0]["commit"] == "0f0f0f"


def test_the_url_comes_from_the_option_else_the_configuration() -> None:
    write("a.log")
    Path("loganalyze.toml").write_text('history = "sqlite:///configured.db"\n')
    call("history", "add", "a.log")
    call("history", "add", "a.log", "--history", "sqlite:///named.db")
    assert Path("configured.db").is_file()
    assert Path("named.db").is_file()
    assert len(listed()) == 1


def test_an_input_that_cannot_be_read_is_exit_2_and_the_others_are_added() -> None:
    write("a.log")
    result = call("history", "add", "a.log", "gone.log")
    assert result.exit_code == 2
    assert "gone.log: cannot be read" in result.stderr
    assert len(listed()) == 1


def test_nothing_recognised_is_exit_2_and_begins_no_history() -> None:
    Path("x.log").write_text("nothing\n")
    assert call("history", "add", "x.log").exit_code == 2
    assert not Path("loganalyze.db").exists()


def test_one_run_is_shown_by_the_beginning_of_its_id() -> None:
    call("history", "add", write("a_Q6_K.log", audio=427))
    name = str(listed()[0]["run_id"])
    result = call("history", "show", name[:4])
    assert result.exit_code == 0, result.output
    assert "s_per_step" in result.stdout
    assert "AUD001" in result.stdout
    document = json.loads(call("history", "show", name, "--json", "-").stdout)
    assert document["run"]["run_id"] == name
    assert {row["metric"] for row in document["metrics"]} >= {"s_per_step", "missing_frames"}
    assert "AUD001" in {row["rule"] for row in document["findings"]}


@pytest.mark.parametrize("name", ["zz", ""])
def test_a_run_that_is_not_there_or_not_the_only_one_is_said(name: str) -> None:
    call("history", "add", write("a.log"), write("b.log", 5.1))
    result = call("history", "show", name)
    assert result.exit_code == 2
    assert "history list" in result.stderr


def test_a_trend_has_points_changes_and_a_verdict() -> None:
    for night in range(40):
        write(f"logs/{night:02}_Q6_K.log", (5.0 if night < 28 else 5.5) + night % 4 / 100)
    call("history", "add", "logs")
    result = call("history", "trend", "--metric", "s_per_step", "--json", "-")
    assert result.exit_code == 0, result.output
    (series,) = json.loads(result.stdout)["series"]
    assert (series["metric"], series["unit"], series["verdict"]) == ("s_per_step", "s", "regressed")
    assert series["key"]["quantization"] == "Q6_K"
    assert len(series["points"]) == 40
    assert set(series["points"][0]) == {"run_id", "at", "value"}
    (change,) = series["changes"]
    assert change["direction"] == "worse"
    assert change["run_id"] == series["points"][28]["run_id"]
    assert change["change_percent"] == pytest.approx(10, abs=1)
    text = call("history", "trend").stdout
    assert "regressed" in text
    assert "First affected run: " in text


def test_the_trends_are_one_page_with_figures_and_the_json_document() -> None:
    for night in range(40):
        write(f"logs/{night:02}_Q6_K.log", (5.0 if night < 28 else 5.5) + night % 4 / 100)
    call("history", "add", "logs", "--label", "<b>main")
    result = call("history", "trend", "--html", "trends.html", "--json", "trends.json")
    assert result.exit_code == 0, result.output
    page = Path("trends.html").read_text("utf-8")
    assert re.search(r"<h1>.*regressed</span> \d+ regressed of \d+ metrics</h1>", page)
    assert "<h3>Time per step</h3>" in page
    assert "40 runs. Shaded: the normal range of one night." in page
    embedded = page.partition('id="loganalyzer-document">')[2].partition("</script>")[0]
    assert json.loads(embedded) == json.loads(Path("trends.json").read_text("utf-8"))


def test_a_history_without_runs_has_an_empty_page() -> None:
    call("history", "add", write("a.log"))
    page = call("history", "trend", "--label", "none", "--html", "-").stdout
    assert "no runs</h1>" in page
    assert "<figure" not in page


def test_a_page_of_trends_does_not_overwrite_the_history() -> None:
    call("history", "add", write("a.log"))
    result = call("history", "trend", "--html", "loganalyze.db")
    assert result.exit_code == 2
    assert Path("loganalyze.db").read_bytes().startswith(b"SQLite")


def test_exact_figures_have_a_trend_too_in_which_every_difference_is_a_change() -> None:
    call("history", "add", write("a_Q6_K.log", 5.0, 427), "--at", "2026-02-01")
    broken = (
        (Path("a_Q6_K.log").read_text())
        .replace("a_Q6_K", "b_Q6_K")
        .replace("not long enough: 427", "not long enough: 420")
    )
    Path("b_Q6_K.log").write_text(broken)
    call("history", "add", "b_Q6_K.log", "--at", "2026-02-02")
    (series,) = json.loads(call("history", "trend", "--metric", "missing_frames", "--json", "-").stdout)["series"]
    assert [point["value"] for point in series["points"]] == [14.0, 21.0]
    assert series["verdict"] == "regressed"
    assert series["changes"][0]["direction"] == "worse"


def test_an_unknown_metric_is_a_usage_error_that_names_the_known_ones() -> None:
    call("history", "add", write("a.log"))
    result = call("history", "trend", "--metric", "speed")
    assert result.exit_code == 2
    assert "s_per_step" in result.stderr


def test_pruning_says_what_it_would_do_and_does_it_with_yes() -> None:
    for night in range(4):
        call("history", "add", write(f"{night}.log", 5 + night / 10), "--at", f"2026-02-{night + 1:02}")
    assert "3 runs would be removed" in call("history", "prune", "--keep", 1).stdout
    assert len(listed()) == 4
    assert call("history", "prune", "--before", "2026-02-03", "--yes").stdout == "2 runs removed\n"
    assert [run["source"] for run in listed()] == ["2.log", "3.log"]
    assert call("history", "prune").exit_code == 2


def test_adding_and_pruning_have_documents_too() -> None:
    write("a.log")
    added = call("history", "add", "a.log", "--json", "-")
    assert json.loads(added.stdout) == {
        "schema_version": 1,
        "added": 1,
        "updated": 0,
        "known": 0,
        "guessed": 0,
        "unchanged_files": 0,
    }
    shown = json.loads(call("history", "prune", "--keep", 1, "--json", "-").stdout)
    assert (shown["removed"], shown["runs"]) == (False, [])


def test_a_history_that_is_not_there_is_said_with_the_way_out() -> None:
    result = call("history", "list")
    assert result.exit_code == 2
    assert "there is no history yet" in result.stderr


def test_the_main_job_checks_tonight_and_adds_it() -> None:
    for night in range(40):
        write(f"logs/{night:02}_Q6_K.log", (5.0 if night < 28 else 5.5) + night % 4 / 100)
    call("history", "add", "logs")
    result = call(write("tonight_Q6_K.log", 5.52), "--no-html", "--history", "sqlite:///loganalyze.db")
    assert result.exit_code == 1
    assert "error  worse than the history  1 run  REG001" in result.stdout
    assert len(listed()) == 41
    again = call("tonight_Q6_K.log", "--no-html", "--history", "sqlite:///loganalyze.db")
    assert again.exit_code == 1
    assert len(listed()) == 41


@pytest.mark.parametrize("words", [("--label", "main"), ("--at", "2026-02-14")])
def test_what_would_be_noted_nowhere_is_a_usage_error(words: tuple[str, str]) -> None:
    result = call(write("a_Q6_K.log"), "--no-html", *words)
    assert result.exit_code == 2
    assert f"{words[0]} needs --history" in result.stderr


def test_the_first_night_passes_and_says_how_many_runs_are_missing() -> None:
    result = call(write("a_Q6_K.log"), "--no-html", "-v", "--history", "sqlite:///h.db")
    assert result.exit_code == 0, result.output
    assert "Only 1 night: 3 more needed" in " ".join(result.stdout.split())
    assert len(listed("--history", "sqlite:///h.db")) == 1


def test_a_history_out_of_reach_stops_the_job_before_it_says_all_is_well() -> None:
    result = call(write("a_Q6_K.log"), "--no-html", "--history", "sqlite:///no/such/h.db")
    assert result.exit_code == 2
    assert "the folder no/such does not exist" in result.stderr
    assert "PASS" not in result.stdout
