"""What a CI reads: JUnit XML, GitHub's annotations and step summary, ignores with an end."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import hypothesis
import logtext as log
import pytest
from click.testing import CliRunner, Result
from hypothesis import strategies as st

from loganalyzer.checks.registry import rules
from loganalyzer.cli.group import main
from loganalyzer.report.formats import github, junit
from loganalyzer.settings.model import Settings


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "LOGANALYZE_HISTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000000")  # 2026-02-02


@pytest.fixture
def padded() -> str:
    Path("padded_Q6_K.log").write_text(log.BANNER + log.prompt(427))
    return "padded_Q6_K.log"


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def cases(root: ET.Element, name: str) -> list[ET.Element]:
    return [case for case in root.iter("testcase") if str(case.get("name")).startswith(name)]


def test_junit_has_a_case_per_run_and_rule(padded: str) -> None:
    call(padded, "--no-html", "--junit", "junit.xml")
    root = ET.parse("junit.xml").getroot()
    (suite,) = root.findall("testsuite")
    checked = {rule.id for rule in rules().values() if rule.witness == "log"} - {"REG002", "RUN005"} | {"complete"}
    found = suite.findall("testcase")
    assert {str(case.get("name")).split()[0] for case in found} == checked
    assert root.get("tests") == str(len(found)) == str(len(checked))
    assert (root.get("failures"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    (case,) = cases(root, "AUD001")
    failure = case.find("failure")
    assert failure is not None
    assert failure.text is not None
    assert "observed: 14 frames" in failure.text
    assert "expected:" in failure.text
    assert "render 369 frames" in failure.text
    assert "padded_Q6_K.log:" in failure.text


def test_junit_says_what_was_skipped_and_why(padded: str) -> None:
    call(padded, "--no-html", "--junit", "junit.xml")
    (case,) = cases(ET.parse("junit.xml").getroot(), "REG001")
    skipped = case.find("skipped")
    assert skipped is not None
    assert "--history" in str(skipped.get("message"))


@pytest.mark.parametrize("rule", ["REG001", "REG003"])
def test_junit_passes_no_rule_on_history_without_one(padded: str, rule: str) -> None:
    call(padded, "--no-html", "--junit", "junit.xml")
    (case,) = cases(ET.parse("junit.xml").getroot(), rule)
    assert case.find("skipped") is not None


def test_junit_passes_rules_on_workflows_only_where_one_is_named(padded: str) -> None:
    without = ET.fromstring(call(padded, "--no-html", "-q", "--junit", "-").stdout)
    found = log.analyze(log.prompt(427))
    named = ET.fromstring(junit.render_junit(found, Settings(workflow=Path("talk.json")), "error"))
    assert [len(cases(root, "RUN005")) for root in (without, named)] == [0, 1]
    assert [cases(root, rule) for root in (without, named) for rule in ("AUD007", "SCH006")] == [[], [], [], []]


def test_junit_fails_warnings_when_the_job_does() -> None:
    Path("late_Q6_K.log").write_text(log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=1))
    call("late_Q6_K.log", "--no-html", "--junit", "a.xml")
    call("late_Q6_K.log", "--no-html", "--junit", "b.xml", "--fail-on", "warning")
    light, grave = (cases(ET.parse(name).getroot(), "RUN004")[0] for name in ("a.xml", "b.xml"))
    assert light.find("failure") is None
    assert light.find("system-out") is not None
    assert grave.find("failure") is not None


def test_junit_names_inputs_that_gave_no_run() -> None:
    Path("x.log").write_text("nothing\n")
    assert call("x.log", "gone.log", "--no-html", "--junit", "-").exit_code == 2
    root = ET.fromstring(call("x.log", "gone.log", "--no-html", "-q", "--junit", "-").stdout)
    errors = [str(error.get("message")) for error in root.iter("error")]
    assert any("gone.log" in text for text in errors)
    assert any("no runs found" in text for text in errors)


@hypothesis.settings(deadline=None, max_examples=30)
@hypothesis.given(st.text(alphabet=st.characters(codec=None), max_size=40))
def test_junit_parses_whatever_a_log_says(text: str) -> None:
    line = text.replace("\n", " ").replace("\r", " ")
    raw = log.ARRIVAL + log.header(250, 4) + f"!!! Exception during processing !!! {line}\n" + log.EXECUTED
    found = log.analyze(raw.encode("utf-8", "replace").decode(), Settings(), "a\x01]]>&<b>.log")
    root = ET.fromstring(junit.render_junit(found, Settings(), "error"))
    assert cases(root, "RUN001")[0].find("failure") is not None


def test_github_gets_annotations_and_a_summary_by_itself(padded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("before\n")
    result = call(padded, "--no-html", "--json", "-")
    assert result.stdout.startswith('{"schema_version"')
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("::error")]
    assert line.startswith("::error title=AUD001 audio-shortfall,file=padded_Q6_K.log,line=18::14 frames")
    assert "%0Aobserved: 14 frames" in line
    text = Path("summary.md").read_text()
    assert text.startswith("before\n")
    assert "AUD001" in text


def test_nothing_is_annotated_elsewhere(padded: str) -> None:
    assert "::error" not in call(padded, "--no-html").output


@pytest.mark.parametrize(
    ("message", "properties", "expected"),
    [
        ("50 %\r\n::error::x", {}, "::error::50 %25%0D%0A::error::x"),
        ("m", {"file": "a,b:c\n%.log", "line": 3}, "::error file=a%2Cb%3Ac%0A%25.log,line=3::m"),
        ("m", {"file": None, "line": None}, "::error::m"),
    ],
)
def test_an_annotation_is_one_line_that_no_text_can_end(
    message: str, properties: dict[str, str | int | None], expected: str
) -> None:
    assert github.workflow_command("error", message, **properties) == expected
    assert "\n" not in expected


def test_only_as_many_annotations_as_github_shows_and_the_rest_are_counted() -> None:
    found = log.analyze("".join(log.prompt(427, step_s=5 + number / 100) for number in range(14)))
    lines = github.analysis_annotations(found)
    assert sum(line.startswith("::error") for line in lines) == github.MOST_ANNOTATIONS
    assert "::notice::4 more errors. See the report." in lines


@hypothesis.given(
    st.lists(st.sampled_from(["text é\n", "```text\n", "```\n", "````\n", "x" * 60 + "\n"])), st.integers(0, 400)
)
def test_a_summary_never_exceeds_its_room_and_leaves_no_fence_open(lines: list[str], room: int) -> None:
    text = "".join(lines)
    cut = github.limit_summary(text, room)
    assert len(cut.encode()) <= max(room, 0)
    if cut != text and cut:
        assert "Truncated" in cut
        fence = ""
        for line in cut.splitlines():
            found = re.match(r"`{3,}", line)
            if fence:
                fence = "" if line == fence else fence
            elif found:
                fence = found[0]
        assert not fence


def test_a_summary_of_many_findings_stays_below_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("x" * (github.MOST_SUMMARY_BYTES - 300))
    Path("many_Q6_K.log").write_text("".join(log.prompt(427, step_s=5 + number / 100) for number in range(20)))
    call("many_Q6_K.log", "--no-html")
    assert github.MOST_SUMMARY_BYTES - 300 < Path("summary.md").stat().st_size <= github.MOST_SUMMARY_BYTES


def test_a_comparison_annotates_what_is_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("a_Q6_K.log").write_text(log.BANNER + log.prompt(81))
    Path("b_Q6_K.log").write_text(log.BANNER + log.prompt(81, step_s=6.0))
    result = call("compare", "a_Q6_K.log", "b_Q6_K.log")
    assert "::error title=REG002 metric-regressed::time per step: Worse by 20.0 %25" in result.stderr
    assert "REGRESSED" in Path("summary.md").read_text()


IGNORE = """
fps = 25
[[ignore]]
rule = "AUD001"
reason = "the tail is cut off afterwards"
until = {}
"""


def test_an_ignored_finding_does_not_count_until_its_day_and_is_still_mentioned(padded: str) -> None:
    Path("loganalyze.toml").write_text(IGNORE.format("2026-02-02"))
    result = call(padded, "--no-html")
    assert result.exit_code == 0, result.output
    assert "AUD001: 1 finding ignored until 2026-02-02: the tail is cut off afterwards" in result.stderr


def test_an_expired_ignore_is_a_warning_that_names_its_line_and_the_finding_counts_again(padded: str) -> None:
    Path("loganalyze.toml").write_text(IGNORE.format('"2026-02-01"'))
    result = call(padded, "--html", "page.html")
    assert result.exit_code == 1
    assert "expired ignore entry  1 finding  CFG001" in result.stdout
    assert "loganalyze.toml:4" in result.stdout
    assert "CFG001" in Path("page.html").read_text()


def test_an_expired_ignore_alone_is_no_error() -> None:
    Path("loganalyze.toml").write_text(IGNORE.format("2026-02-01"))
    Path("clean_Q6_K.log").write_text(log.BANNER + log.prompt(369))
    assert call("clean_Q6_K.log", "--no-html").exit_code == 0
    assert call("clean_Q6_K.log", "--no-html", "--fail-on", "warning").exit_code == 1


@pytest.mark.parametrize(("contains", "code"), [("14 frames", 0), ("20 frames", 1)])
def test_an_ignore_may_be_for_some_findings_of_a_rule(padded: str, contains: str, code: int) -> None:
    Path("loganalyze.toml").write_text(IGNORE.format("2026-12-31") + f'contains = "{contains}"\n')
    assert call(padded, "--no-html").exit_code == code


def test_plain_names_and_entries_may_stand_side_by_side(padded: str) -> None:
    entry = '{ rule = "AUD001", reason = "cut off", until = 2026-12-31 }'
    Path("loganalyze.toml").write_text(f'ignore = ["AUD003", {entry}]\n')
    assert call(padded, "--no-html").exit_code == 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('rule = "AUD001"\nuntil = 2026-12-31', "loganalyze.toml:2: an entry of 'ignore' has no reason"),
        ('rule = "AUD001"\nreason = "x"', "loganalyze.toml:2: an entry of 'ignore' has no until"),
        ('rule = "AUD001"\nreason = "x"\nuntil = "soon"', "has 'soon' as until, which is not a date"),
        ('rule = "AUD999"\nreason = "x"\nuntil = 2026-12-31', "loganalyze.toml:2: there is no rule 'AUD999'"),
        ('rule = "AUD001"\nreason = "x"\nuntil = 2026-12-31\nsince = 1', "unknown key 'since'"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_an_error_that_names_key_file_and_line(padded: str, entry: str, said: str) -> None:
    Path("loganalyze.toml").write_text(f"[[ignore]]\n{entry}\n")
    result = call(padded, "--no-html")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_comparison_may_be_let_pass_for_a_while() -> None:
    Path("a_Q6_K.log").write_text(log.BANNER + log.prompt(81))
    Path("b_Q6_K.log").write_text(log.BANNER + log.prompt(81, step_s=6.0))
    Path("loganalyze.toml").write_text('[[ignore]]\nrule = "REG002"\nreason = "new driver"\nuntil = 2026-12-31\n')
    assert call("compare", "a_Q6_K.log", "b_Q6_K.log").exit_code == 0
    Path("loganalyze.toml").write_text('[[ignore]]\nrule = "REG002"\nreason = "new driver"\nuntil = 2026-01-31\n')
    assert call("compare", "a_Q6_K.log", "b_Q6_K.log").exit_code == 1
