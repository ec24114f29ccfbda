"""`loganalyze doctor`: checks the installation, and shows what an analysis of a log would use."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from loganalyzer.cli import completion, recording
from loganalyzer.cli.exit_codes import COULD_NOT
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import analysis_options, configuration, settings
from loganalyzer.common.errors import LogAnalyzerError
from loganalyzer.common.formatting import one_line, plural
from loganalyzer.common.version import __version__

if TYPE_CHECKING:
    from loganalyzer.settings.config import Configuration
    from loganalyzer.settings.model import Settings

_EXTRAS: Final = {
    "remote": ("fsspec",),
    "postgres": ("psycopg",),
    "distributed": ("distributed",),
    "notify": ("apprise",),
    "video": ("av",),
}


_OF_RUN: Final = (
    "line", "producer", "mode", "quantization", "quantization_source", "gpu", "band_low_gib", "band_high_gib",
)  # fmt: skip
MOST_RUNS: Final = 20
"""Most runs of a log to show."""


class Check(NamedTuple):
    """One line of the result. `is_ok` is None for information."""

    name: str
    says: str
    is_ok: bool | None = True


@click.command(
    cls=CommandWithExamples,
    short_help="Check the installation and the configuration.",
    examples=("loganalyze doctor", "loganalyze doctor run.log --workflow talk.json"),
)
@click.argument("log", required=False, shell_complete=completion.files)
@recording.history_option
@analysis_options
@click.pass_context
def doctor(ctx: click.Context, /, log: str | None, **options: Any) -> None:  # noqa: ANN401
    """Check installation, patterns, cache, configuration, history and baselines.

    With LOG, also show which quantization, baseline and configuration would be used for it. Exit status: 0 if all is
    well, 2 otherwise.
    """
    failed = False
    for check in _checks(log, options):
        mark = {True: "ok", False: "FAIL", None: "--"}[check.is_ok]
        click.echo(f"{mark:5}{check.name:19}{one_line(check.says)}")
        failed |= check.is_ok is False
    ctx.exit(COULD_NOT if failed else 0)


def _checks(log: str | None, options: dict[str, Any]) -> Iterator[Check]:
    import polars as pl

    versions = f"loganalyzer {__version__}, Python {platform.python_version()}, polars {pl.__version__}"
    yield Check("installation", versions)
    yield from _extras()
    yield _guarded("patterns", _patterns)
    yield from _plugins()
    yield _guarded("cache", _cache)
    try:
        found = configuration(options["config_file"])
        chosen = settings(found, options)
    except LogAnalyzerError as error:
        yield Check("configuration", str(error), is_ok=False)
        return
    if found.path:
        yield Check("configuration", str(found.path))
    else:
        yield Check("configuration", "none found; defaults are used", is_ok=None)
    yield _guarded("baselines", lambda: _baselines(chosen))
    yield _guarded("history", lambda: _history(found, options))
    if log is not None:
        yield from _for_log(log, chosen)


def _guarded(name: str, work: Callable[[], Check]) -> Check:
    """Returns the check, or its failure."""
    try:
        return work()
    except (LogAnalyzerError, OSError) as error:
        return Check(name, str(error), is_ok=False)


def _extras() -> Iterator[Check]:
    for extra, packages in _EXTRAS.items():
        try:
            found = ", ".join(f"{package} {version(package)}" for package in packages)
        except PackageNotFoundError:
            yield Check(f"extra {extra}", f"not installed; pip install 'comfyui-loganalyzer[{extra}]'", is_ok=None)
        else:
            yield Check(f"extra {extra}", found)


def _patterns() -> Check:
    from loganalyzer.grammar.load import load_all

    found = load_all(())
    return Check("patterns", f"{plural(len(found), 'message pattern')} of {len({one.event for one in found})} events")


def _plugins() -> Iterator[Check]:
    """Yields what other installed packages add."""
    from loganalyzer.checks.registry import installed_rules
    from loganalyzer.grammar.load import load_installed

    patterns, rules = load_installed(), installed_rules()
    for plugin, count in patterns.counts.items():
        yield Check("plugin", f"{plugin.label}: {plural(count, 'pattern')}")
    for plugin, ids in rules.ids.items():
        yield Check("plugin", f"{plugin.label}: {plural(len(ids), 'rule')} ({', '.join(ids)})")
    for problem in (*patterns.problems.values(), *rules.problems.values()):
        yield Check("plugin", problem, is_ok=False)


def _cache() -> Check:
    from platformdirs import user_cache_path

    folder = user_cache_path("loganalyzer")
    kept = list(folder.glob("*.json")) if folder.is_dir() else []
    if not kept:
        return Check("cache", f"{folder} is empty", is_ok=None)
    return Check("cache", f"{folder}, {plural(len(kept), 'file')}")


def _baselines(chosen: Settings) -> Check:
    from loganalyzer.expectations import baseline_files

    found = baseline_files.read_documents(chosen.baselines)
    counts = ", ".join(
        f"{len(baseline_files.select_entries(found, kind))} {kind}" for kind in ("vram", "timing", "cost")
    )
    return Check("baselines", f"{counts}; from {', '.join(Path(name).name for name, _ in found)}")


def _history(found: Configuration, options: dict[str, Any]) -> Check:
    where = recording.url(found, options)
    if where is None:
        return Check("history", "none configured; runs are not compared with earlier ones", is_ok=None)
    from loganalyzer.history.store import Store
    from loganalyzer.history.store.connection import history_url

    with Store.at(where, create=False, read_only=True) as store:
        runs = store.runs()
    return Check("history", f"{history_url(where).render_as_string(hide_password=True)}, {plural(runs.height, 'run')}")


def _for_log(log: str, chosen: Settings) -> Iterator[Check]:
    """Yields what an analysis of this log would use."""
    from loganalyzer.pipeline import analyze

    found = analyze([log], chosen)
    for problem in found.problems:
        yield Check("log", problem, is_ok=False)
    if found.sources.is_empty():
        return
    lines = sum(found.sources["lines"].drop_nulls())
    known = lines - sum(found.sources["unknown"].drop_nulls())
    says = f"{plural(lines, 'line')}, {known:,} recognized, {plural(found.runs.height, 'run')}"
    yield Check("log", says, is_ok=not found.runs.is_empty())
    for run in found.runs.select(_OF_RUN).head(MOST_RUNS).rows(named=True):
        yield Check(f"run at line {run['line']}", _run(run, chosen), is_ok=None)


def _run(run: dict[str, Any], chosen: Settings) -> str:
    quantization = f"{run['quantization']} (from {run['quantization_source']})" if run["quantization"] else "unknown"
    band = "none for this kind of run"
    if run["band_low_gib"] is not None:
        band = f"{run['band_low_gib']:.2f}–{run['band_high_gib']:.2f} GiB"
    gpu = run["gpu"] or chosen.gpu or "unknown"
    return f"{run['producer']}, {run['mode']}; quantization {quantization}; GPU {gpu}; memory baseline {band}"
