"""Rules and patterns of other packages: a worked example that is really installed, and packages that are broken."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import logtext as log
import polars as pl
import pytest

from loganalyzer.checks import plugin_rules
from loganalyzer.checks.registry import rules as all_rules
from loganalyzer.checks.rule import Context, Outcome, Rule
from loganalyzer.common import plugins
from loganalyzer.common.plugins import Plugin
from loganalyzer.expectations import baselines
from loganalyzer.extension import make_outcome
from loganalyzer.grammar import load
from loganalyzer.grammar.plugin_patterns import collect_patterns
from loganalyzer.pipeline import analyze_volumes
from loganalyzer.settings.model import Settings
from loganalyzer.tables.spool import ROOM

EXAMPLE = Path(__file__).parent / "example_plugin"
SMALL = log.BANNER + log.prompt(369).replace("1280x720", "832x480") + "[House] uploaded clip_0001.mp4 (12.5 MB)\n"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip has installed the example package."""
    pytest.importorskip("pip")
    place = tmp_path_factory.mktemp("site")
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--no-compile"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", str(place), str(EXAMPLE)]
    subprocess.run(command, check=True, capture_output=True)
    return place


def with_packages(*places: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
        return subprocess.run(
            [sys.executable, "-m", "loganalyzer", *words], capture_output=True, text=True, check=False, env=environment
        )

    return call


def broken_package(place: Path, code: str) -> Path:
    """An installed package whose module of rules has this code, and whose patterns are no TOML."""
    (place / "broken_house" / "patterns").mkdir(parents=True)
    (place / "broken_house" / "__init__.py").write_text("")
    (place / "broken_house" / "rules.py").write_text(code)
    (place / "broken_house" / "patterns" / "a.toml").write_text("no = [toml")
    info = place / "broken_house-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-house\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(
        "[loganalyzer.rules]\nbad = broken_house.rules\n[loganalyzer.patterns]\nbad = broken_house.patterns\n"
    )
    return place


def test_an_installed_package_adds_its_rule_and_its_pattern(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a_Q6_K.log").write_text(SMALL)
    call = with_packages(site)
    done = call(str(tmp_path / "a_Q6_K.log"), "--no-html", "-q", "--json", "-")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    (finding,) = [row for row in document["findings"] if row["rule"] == "HSE001"]
    assert (finding["name"], finding["observed"], finding["fix"]) == ("house-size", "832x480", "Render at 1280x720.")
    without = json.loads(with_packages()(str(tmp_path / "a_Q6_K.log"), "--no-html", "-q", "--json", "-").stdout)
    assert without["sources"][0]["unknown"] == document["sources"][0]["unknown"] + 1
    assert [(row["field"], row["value"]) for row in document["events"]] == [("name", "clip_0001.mp4"), ("size", "12.5")]
    assert without["events"] == []
    assert "HSE001" not in {row["rule"] for row in without["findings"]}


def test_an_installed_package_is_shown_by_doctor_rules_and_patterns(site: Path) -> None:
    call = with_packages(site)
    doctor = call("doctor").stdout
    assert "plugin             comfyui-house-rules 1.0: 1 pattern\n" in doctor
    assert "plugin             comfyui-house-rules 1.0: 1 rule (HSE001)\n" in doctor
    assert "package  comfyui-house-rules" in call("rules", "house-size").stdout
    assert "comfyui-house-rules/house.toml" in call("patterns", "list").stdout


def test_a_broken_package_is_named_and_costs_no_result(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a_Q6_K.log").write_text(SMALL)
    call = with_packages(site, broken_package(tmp_path / "site", "raise RuntimeError('no\\nway')"))
    done = call(str(tmp_path / "a_Q6_K.log"), "--no-html", "-q", "--json", "-")
    assert done.returncode == 1, done.stderr
    assert "HSE001" in {row["rule"] for row in json.loads(done.stdout)["findings"]}
    patterns, rules = [line for line in done.stderr.splitlines() if "broken-house" in line]
    assert patterns.startswith("loganalyze: broken-house 2.0: its patterns are not used: GrammarError: a.toml: not a")
    assert rules == (
        r"loganalyze: broken-house 2.0: its rules are not used: RuntimeError: no\nway. "
        "Update the package, or uninstall it"
    )
    checked = call("doctor")
    assert checked.returncode == 2
    assert checked.stdout.count("FAIL plugin             broken-house 2.0") == 2


HEAD = "from loganalyzer.extension import rule, make_outcome\n"
GOOD = 'summary="a", why="b", example="c", fix="d")\ndef check(context):\n    return make_outcome()\n'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Plugin]]:
    """Writes a module of rules that can be imported until the test ends."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def write(code: str) -> Plugin:
        names.append(f"house_of_test_{len(names)}")
        (tmp_path / f"{names[-1]}.py").write_text(code)
        importlib.invalidate_caches()
        return Plugin("house", "1.0", names[-1])

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Rule]:
    """The registry, as it is again after the test."""
    from loganalyzer.checks import registry

    registry.installed_rules()
    fresh = dict(registry._RULES)
    monkeypatch.setattr(registry, "_RULES", fresh)
    return fresh


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("def (:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("x = 1", "ValueError: the module house_of_test_0 registers no rule"),
        (HEAD + '@rule("AUD001", "a-b", "error", ' + GOOD, "ValueError: two rules have the id AUD001"),
        (HEAD + '@rule("house", "a-b", "error", ' + GOOD, "the id 'house' is not letters and three digits"),
        (HEAD + '@rule("HSE001", "A b", "error", ' + GOOD, "the name 'A b' is not lower case with dashes"),
        (HEAD + '@rule("HSE001", "a-b", "fatal", ' + GOOD, "the severity 'fatal' is none of error, warning, info"),
        (HEAD + '@rule("HSE001", "a-b", "error", ' + GOOD.replace('"b"', '" "'), "the text 'why' is missing"),
        (HEAD + '@rule("HSE001", "a-b", "error", ' + GOOD.replace('why="b", ', ""), "TypeError"),
        (HEAD + '@rule("HSE001", "a-b", "error", ' + GOOD + "raise KeyError('late')", "KeyError: 'late'"),
    ],
)
def test_a_module_that_cannot_be_used_leaves_no_rule_behind(
    code: str, reason: str, module: Callable[[str], Plugin], registered: dict[str, Rule]
) -> None:
    before = dict(registered)
    plugin = module(code)
    good = module(HEAD + '@rule("HSE002", "good-rule", "error", ' + GOOD)
    found = plugin_rules.add_rules([plugin, good], registered)
    assert found.problems[plugin].startswith("house 1.0: its rules are not used: ")
    assert reason in found.problems[plugin]
    assert "\n" not in found.problems[plugin]
    assert found.ids == {good: ("HSE002",)}
    assert set(registered) - set(before) == {"HSE002"}
    assert registered["HSE002"].package == "house"


def test_an_entry_point_without_a_module_is_named(registered: dict[str, Rule]) -> None:
    plugin = Plugin("house", "1.0", "")
    assert "names no module" in plugin_rules.add_rules([plugin], registered).problems[plugin]
    assert "names no module" in collect_patterns([plugin], (), lambda _name, _place: ()).problems[plugin]


def judged(check: Callable[[Context], Any], text: str = SMALL) -> Outcome:
    """What a rule of another package gives on a log."""
    found = log.analyze(text, Settings(quantization="Q6_K"))
    context = Context(found, baselines.load_baselines(None), Settings())
    return plugin_rules._guard(check, Plugin("house", "1.0", "house"))(context)


def rows(context: Context, **changes: object) -> pl.DataFrame:
    """One finding per run, with some columns replaced."""
    values = {"message": "m", "observed": "o", "expected": "e", "fix": None, **changes}
    return context.found.runs.select("run_id", "source", "line").with_columns(
        pl.lit(value, dtype=pl.String if value is None else None).alias(name) for name, value in values.items()
    )


def raising(error: BaseException) -> Callable[[Context], Any]:
    def check(_context: Context) -> Any:
        raise error

    return check


@pytest.mark.parametrize(
    "check",
    [
        raising(KeyError("secret of a log")),
        raising(SystemExit(2)),
        lambda _context: None,
        lambda context: make_outcome(context.found.runs.select("run_id")),
        lambda context: make_outcome(rows(context, message=None)),
        lambda context: make_outcome(rows(context, run_id="no-such-run")),
        lambda context: make_outcome(rows(context, source="no-such-log")),
        lambda context: make_outcome(rows(context, line="first")),
    ],
)
def test_a_check_that_fails_leaves_its_runs_unchecked_and_says_who_failed(check: Callable[[Context], Any]) -> None:
    outcome = judged(check)
    assert outcome.findings.is_empty()
    ((reason, kind),) = outcome.not_checked.select("reason", "kind").rows()
    assert reason.startswith("failed in house 1.0: ")
    assert "secret" not in reason
    assert kind == "configuration"


def test_a_check_that_fails_on_a_log_without_a_run_leaves_the_log_unchecked() -> None:
    outcome = judged(raising(KeyError()), "nothing of the kind\n")
    assert outcome.not_checked.select("run_id", "source").rows() == [(None, "test.log")]


def test_a_check_that_works_is_passed_on_with_the_contracts_types() -> None:
    outcome = judged(lambda context: make_outcome(rows(context).with_columns(pl.col("line").cast(pl.Int32))))
    assert outcome.findings["message"].to_list() == ["m"]
    assert outcome.findings.schema["line"] == pl.Int64


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
def test_a_user_who_stops_the_analysis_is_obeyed(error: BaseException) -> None:
    with pytest.raises(type(error)):
        judged(raising(error))


@pytest.mark.parametrize("room", [ROOM, 1])
def test_a_check_that_fails_is_noted_for_logs_of_any_size(
    room: int, module: Callable[[str], Plugin], registered: dict[str, Rule], tmp_path: Path
) -> None:
    code = HEAD + '@rule("HSE001", "a-b", "error", ' + GOOD.replace("return", "raise KeyError()\n    return")
    plugin_rules.add_rules([module(code)], registered)
    for name in ("a", "b"):
        (tmp_path / f"{name}_Q6_K.log").write_text(f"{name}\n" + log.BANNER + log.prompt(427) * 2)
    found = analyze_volumes([str(tmp_path)], Settings(), (), room=room)
    assert found.notes == (
        "rule HSE001 failed in house 1.0: KeyError in house_of_test_0.py, line 4; it was not checked",
    )
    assert "AUD001" in found.findings["rule"].to_list()
    assert (found.counted is not None) is (room == 1)


def test_failed_checks_are_noted_once_per_rule() -> None:
    reason = "failed in house 1.0: KeyError"
    table = pl.DataFrame({"rule": ["HSE001", "HSE001", "AUD001"], "reason": [reason, reason, "no audio in the log"]})
    notes = plugin_rules.describe_failures(table, lambda: ["problem"])
    assert notes == ("problem", "rule HSE001 failed in house 1.0: KeyError; it was not checked")


def test_patterns_whose_ids_are_taken_cost_only_their_package() -> None:
    shipped = load.load_shipped()
    first, second = (Plugin(name, "1.0", "loganalyzer") for name in ("first", "second"))
    found = collect_patterns([first, second], (), lambda _name, _place: shipped[:2])
    assert found.counts == {first: 2}
    assert "the id" in found.problems[second]
    assert "is taken" in found.problems[second]
    assert {pattern.file.partition("/")[0] for pattern in found.patterns} == {"first"}


def test_damaged_metadata_of_some_package_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ValueError("damaged")

    plugins.installed_plugins.cache_clear()
    monkeypatch.setattr(plugins, "entry_points", fail)
    assert plugins.installed_plugins("loganalyzer.rules") == ()
    plugins.installed_plugins.cache_clear()


def test_without_other_packages_all_rules_are_this_ones() -> None:
    assert {rule.package for rule in all_rules().values()} == {None}
