"""`loganalyze workflow check|fix`: checks a workflow before a render, or writes a corrected copy."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from loganalyzer.cli import targets
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.options import FAILING, RATE, RULE_OPTIONS, configuration, settings
from loganalyzer.cli.output import STDOUT, put
from loganalyzer.common.atomic_write import replacement
from loganalyzer.common.errors import WorkflowError

if TYPE_CHECKING:
    from loganalyzer.lint.checker import Checked, Finding
    from loganalyzer.lint.model import Way

Command = TypeVar("Command", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)
_SHARED = (
    click.option(
        "--audio", multiple=True, metavar="FILE|SECONDS", help="Set the audio or its length. Once per speaker."
    ),
    click.option(
        "--multi",
        type=click.Choice(["para", "add"]),
        default="para",
        show_default=True,
        help="Mix speakers: at the same time (para) or in turn (add).",
    ),
    click.option("--fps", type=RATE, help="Set frames per second.  [default: 25]"),
    click.option("--baselines", type=_PATH, help="Add baselines. They replace shipped ones."),
    *RULE_OPTIONS,
    click.option("--config", "config_file", type=_PATH, help="Use this configuration file."),
)


def _shared(command: Command) -> Command:
    for option in reversed(_SHARED):
        command = option(command)
    return command


@click.group(short_help="Check or fix a workflow before it runs.")
def workflow() -> None:
    """Check a workflow before it costs GPU time, or write a corrected copy.

    FILE is JSON as the editor saves it or as the server takes it, or a PNG, WebP or MP4 that ComfyUI wrote.
    """


@workflow.command(
    cls=CommandWithExamples,
    examples=("loganalyze workflow check talk.json --audio speech.wav", "loganalyze workflow check workflows/*.json"),
)
@click.argument("files", type=_PATH, nargs=-1, required=True)
@_shared
@click.option("--json", "json_file", metavar="FILE|-", help="Write settings and findings as JSON.")
@click.option("--fail-on", type=click.Choice(list(FAILING)), help="Exit 1 from this severity on.  [default: error]")
@click.pass_context
def check(ctx: click.Context, /, files: tuple[Path, ...], **options: Any) -> None:  # noqa: ANN401
    """Find settings in FILES that would waste a run, and say what to set instead."""
    found = configuration(options["config_file"])
    if options["json_file"] and len(files) > 1:
        raise click.UsageError("--json takes one workflow: name one file")
    targets.check({"--json": options["json_file"]}, (*files, *options["audio"], *targets.configured(found, options)))
    fail_on = options["fail_on"] or found.values.get("fail_on", "error")
    failed = False
    for file in files:
        checked = _checked(file, options)
        _show(checked, options["json_file"], title=str(file) if len(files) > 1 else None)
        failed |= any(finding.severity in FAILING[fail_on] for finding in checked.findings)
    ctx.exit(int(failed))


def _show(checked: Checked, json_file: str | None, title: str | None) -> None:
    from loganalyzer.lint.document import to_document, to_text

    if json_file:
        put(json_file, json.dumps(to_document(checked), ensure_ascii=False, indent=1) + "\n")
    if json_file != STDOUT:
        for line in (*([f"== {title}"] if title else []), *to_text(checked)):
            click.echo(line)


@workflow.command(
    cls=CommandWithExamples, examples=("loganalyze workflow fix talk.json -o fixed.json --audio speech.wav",)
)
@click.argument("file", type=_PATH)
@_shared
@click.option("-o", "--output", type=_PATH, metavar="OUT", help="Write the corrected copy here.")
@click.option("--in-place", is_flag=True, help="Overwrite FILE, or OUT if it exists.")
@click.option("--prefer", type=click.Choice(["shorter", "longer"]), help="Choose between two ways out.")
def fix(file: Path, output: Path | None, *, in_place: bool, prefer: str | None, **options: Any) -> None:  # noqa: ANN401
    """Write a copy of FILE with corrected values, and print the changes.

    Every other byte stays. With --audio the shorter way out is taken, so that the video never exceeds its audio.
    """
    from loganalyzer.lint.fixing import apply_fixes, choose_by, diff_lines

    target = _target(file, output, in_place=in_place)
    kept = targets.configured(configuration(options["config_file"]), options)
    targets.check({"--output": target}, (*options["audio"], *kept))
    checked = _checked(file, options)
    decided = prefer or ("shorter" if options["audio"] else None)
    done = apply_fixes(checked, choose_by("longer" if decided == "longer" else "shorter") if decided else _ask)
    for change in done.changes:
        click.echo(change.says)
    for found in done.left:
        click.echo(f"{found.rule.id} needs your decision: {found.fault.fix}")
    if not done.changes:
        click.echo(f"nothing to change; {target} was not written")
        return
    for line in diff_lines(checked.workflow.graph.file.text, done.text, str(file), str(target)):
        click.echo(line)
    _expect_unchanged(file, checked.workflow.graph.file.text, target, in_place=in_place)
    with replacement(target, done.text):
        pass
    click.echo(f"written: {target}")


def _expect_unchanged(file: Path, text: str, target: Path, *, in_place: bool) -> None:
    """Refuses to overwrite a change that another program made meanwhile: the editor saves automatically."""
    from loganalyzer.workflow.files import read_workflow_file

    if read_workflow_file(file).text != text:
        raise WorkflowError(f"{file}: another program changed it meanwhile; nothing was written", "run fix again")
    if target.exists() and not in_place:
        raise WorkflowError(
            f"{target}: another program created it meanwhile; nothing was written",
            "name another file, or pass --in-place",
        )


def _checked(file: Path, options: dict[str, Any]) -> Checked:
    from loganalyzer.cli.audio_option import lengths
    from loganalyzer.lint.checker import AudioInput, check

    chosen = settings(configuration(options["config_file"]), options)
    audio = None
    if options["audio"]:
        speakers, doubt = lengths(options["audio"], chosen.fps)
        audio = AudioInput(speakers, ", ".join(f"{seconds:g} s" for seconds in speakers), options["multi"], doubt)
    return check(file, chosen, audio)


def _target(file: Path, output: Path | None, *, in_place: bool) -> Path:
    if output is None and not in_place:
        raise click.UsageError("name the copy with -o OUT, or pass --in-place")
    target = output or file
    if target.exists() and not in_place:
        raise click.UsageError(f"{target} exists: name another file, or pass --in-place")
    if output is None and file.suffix.lower() != ".json":
        raise click.UsageError(f"{file} is not a JSON file: name the copy with -o OUT")
    return target


def _ask(finding: Finding) -> Way:
    """Lets the user choose a fix; without a terminal, raises an error that says how to choose with an option."""
    from loganalyzer.lint.fixing import undecided_error

    if not _is_interactive():
        raise undecided_error(finding)
    ways = finding.fault.ways
    click.echo(finding.fault.message)
    for number, way in enumerate(ways, 1):
        click.echo(f"  {number}. {way.name}: {way.value} ({way.says})")
    return ways[click.prompt("which", type=click.IntRange(1, len(ways)), default=1) - 1]


def _is_interactive() -> bool:
    """Whether standard input is a terminal, so that a user can answer."""
    return sys.stdin is not None and sys.stdin.isatty()
