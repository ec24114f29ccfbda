"""Adds the rules of other installed packages. A rule that fails costs only its own findings, and a message names it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from loganalyzer.checks.rule import Check, Context, Outcome, Rule
from loganalyzer.common.plugins import Plugin
from loganalyzer.common.severity import SEVERITIES
from loganalyzer.tables.schema import FINDINGS, NOT_CHECKED

FAILED: Final = "failed in "
"""How the reason begins why a rule of another package did not judge a log."""
_ID: Final = re.compile(r"[A-Z]{2,8}\d{3}")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_TEXTS: Final = ("summary", "why", "example", "fix")
_FOUND: Final = {name: dtype for name, dtype in FINDINGS.items() if name not in ("rule", "name", "severity")}
_SKIPPED: Final = {name: dtype for name, dtype in NOT_CHECKED.items() if name not in ("rule", "name")}


class InstalledRules(NamedTuple):
    """The ids of the rules of each plugin, and a message per plugin that cannot be used."""

    ids: dict[Plugin, tuple[str, ...]]
    problems: dict[Plugin, str]


def add_rules(plugins: Iterable[Plugin], rules: dict[str, Rule]) -> InstalledRules:
    """Imports the plugins' modules, which register themselves in `rules`; takes back the rules of a failed one."""
    found = InstalledRules({}, {})
    for plugin in plugins:
        before = dict(rules)
        try:
            found.ids[plugin] = _import_rules(plugin, rules)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 -- code of strangers may raise anything when it is imported
            rules.clear()
            rules.update(before)
            found.problems[plugin] = plugin.describe_problem("rules", error)
    return found


def _import_rules(plugin: Plugin, rules: dict[str, Rule]) -> tuple[str, ...]:
    """The ids of the rules that a plugin registers.

    Raises:
        ValueError: it registers none, or one that is malformed.
        BaseException: the module cannot be imported.
    """
    if not plugin.module:
        raise ValueError("the entry point names no module")
    before = set(rules)
    import_module(plugin.module)
    own = sorted(set(rules) - before)
    if not own:
        raise ValueError(f"the module {plugin.module} registers no rule")
    for name in own:
        _check_rule(rules[name])
        rules[name] = replace(rules[name], package=plugin.package, check=_guard(rules[name].check, plugin))
    return tuple(own)


def _check_rule(rule: Rule) -> None:
    """Raises ValueError if a report could not show the rule."""
    if not _ID.fullmatch(rule.id):
        raise ValueError(f"the id {rule.id!r} is not letters and three digits, as in HSE001")
    if not _NAME.fullmatch(rule.name):
        raise ValueError(f"rule {rule.id}: the name {rule.name!r} is not lower case with dashes")
    if rule.severity not in SEVERITIES:
        raise ValueError(f"rule {rule.id}: the severity {rule.severity!r} is none of {', '.join(SEVERITIES)}")
    for text in _TEXTS:
        if not isinstance(getattr(rule, text), str) or not getattr(rule, text).strip():
            raise ValueError(f"rule {rule.id}: the text {text!r} is missing")


def _guard(check: Check, plugin: Plugin) -> Check:
    """The check; if it fails, its runs are not checked, and the reason names the package."""

    def guarded(context: Context) -> Outcome:
        try:
            return _conform(check(context), context)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 -- code of strangers, and polars' own panics
            return _fail(context, f"{FAILED}{plugin.label}: {_describe_error(error, plugin)}")

    return guarded


def _describe_error(error: BaseException, plugin: Plugin) -> str:
    """The error's type and the plugin's line. Its message may quote the log, so it is left out."""
    top = plugin.module.partition(".")[0]
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    own = [(path.name, line) for path, line in frames if top in (*path.parts, path.stem)]
    return type(error).__name__ + (f" in {own[-1][0]}, line {own[-1][1]}" if own else "")


def _conform(outcome: Outcome, context: Context) -> Outcome:
    """The outcome with the contract's columns and types.

    Raises:
        ValueError: a finding has no message, or is about a run or an input that does not exist.
        polars.exceptions.PolarsError: a column is missing or has another type.
    """
    for frame in (outcome.findings, outcome.proven, outcome.not_checked):
        _check_rows(frame, context)
    proven = None if outcome.proven is None else _cast(outcome.proven, _FOUND)
    return replace(
        outcome,
        findings=_cast(outcome.findings, _FOUND),
        not_checked=_cast(outcome.not_checked, _SKIPPED),
        proven=proven,
    )


def _check_rows(frame: pl.DataFrame | None, context: Context) -> None:
    if frame is None or frame.is_empty():
        return
    for column, known in (("run_id", context.found.runs["run_id"]), ("source", context.found.sources["source"])):
        if not frame[column].drop_nulls().is_in(known.implode()).all():
            raise ValueError(f"a row has an unknown {column}")
    for column in {"message", "observed", "expected", "reason"} & set(frame.columns):
        if frame[column].has_nulls():
            raise ValueError(f"a row has no {column}")


def _cast(frame: pl.DataFrame, columns: dict[str, Any]) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


def _fail(context: Context, reason: str) -> Outcome:
    """An outcome without findings, in which every run, or every input without a run, is not checked."""
    found = context.found
    judged = found.sources.select(pl.lit(None, pl.String).alias("run_id"), "source")
    if not found.runs.is_empty():
        judged = found.runs.select("run_id", "source")
    kind = pl.lit("configuration").alias("kind")
    skipped = judged.with_columns(pl.lit(reason).alias("reason"), kind)
    return Outcome(pl.DataFrame(schema=_FOUND), _cast(skipped, _SKIPPED))


def describe_failures(not_checked: pl.DataFrame, problems: Callable[[], Iterable[str]]) -> tuple[str, ...]:
    """Notes about plugins that could not be used, and about rules of plugins that failed in `not_checked`."""
    failed = (
        not_checked.filter(pl.col("reason").str.starts_with(FAILED))
        .select("rule", "reason")
        .unique(maintain_order=True)
    )
    return (*problems(), *(f"rule {rule} {reason}; it was not checked" for rule, reason in failed.rows()))
