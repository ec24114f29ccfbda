"""`loganalyze recorder …`: installs the extension that makes ComfyUI's log complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loganalyzer.cli import targets
from loganalyzer.cli.help import CommandWithExamples
from loganalyzer.cli.output import STDOUT, put

if TYPE_CHECKING:
    from loganalyzer.recorder.install import Installation

_PATH = click.argument("path", type=click.Path(path_type=Path))
_FORCE = click.option("--force", is_flag=True, help="Also if the installed file is edited by hand.")


@click.group(short_help="Make ComfyUI's log complete.")
def recorder() -> None:
    """Install an extension that makes ComfyUI print what its log does not say.

    It prints model, settings, steps and true memory peaks into the same log. PATH is ComfyUI's folder, the folder of
    the portable version, or custom_nodes. Restart ComfyUI afterwards. LOGANALYZER_RECORDER=0 keeps it silent.
    """


@recorder.command(
    cls=CommandWithExamples,
    examples=("loganalyze recorder install ~/ComfyUI", "loganalyze recorder install ComfyUI_windows_portable"),
)
@_PATH
@_FORCE
def install(path: Path, force: bool) -> None:
    """Install the recorder into the ComfyUI at PATH, or update it."""
    from loganalyzer.recorder.install import install_recorder

    before, after = install_recorder(path, force=force)
    if before.state == "installed":
        click.echo(f"already installed: recorder {after.version}, {after.target}")
        return
    done = "installed" if before.state == "not installed" else "replaced"
    click.echo(
        f"{done}: recorder {after.version}, {after.target}\nRestart ComfyUI. Its log then has [loganalyzer] lines."
    )


@recorder.command(cls=CommandWithExamples, examples=("loganalyze recorder uninstall ~/ComfyUI",))
@_PATH
@_FORCE
def uninstall(path: Path, force: bool) -> None:
    """Remove the recorder from the ComfyUI at PATH."""
    from loganalyzer.recorder.install import uninstall_recorder

    before = uninstall_recorder(path, force=force)
    if before.state == "not installed":
        click.echo(f"not installed: {before.target}")
    else:
        click.echo(f"removed: {before.target}\nRestart ComfyUI.")


@recorder.command(
    cls=CommandWithExamples,
    examples=("loganalyze recorder status ~/ComfyUI", "loganalyze recorder status ~/ComfyUI --json -"),
)
@_PATH
@click.option("--json", "json_file", metavar="FILE|-", help="Write the status as JSON.")
@click.pass_context
def status(ctx: click.Context, path: Path, json_file: str | None) -> None:
    """Show whether the recorder is installed, outdated or edited by hand.

    Exit status: 0 if this version is installed, 1 otherwise, 2 if PATH is not a ComfyUI.
    """
    from loganalyzer.recorder.install import inspect_installation

    found = inspect_installation(path)
    targets.check({"--json": json_file}, (found.target,))
    if json_file:
        put(json_file, json.dumps(_to_document(found), ensure_ascii=False, indent=1) + "\n")
    if json_file != STDOUT:
        click.echo(f"{found.state}: {_describe(found)}")
    ctx.exit(0 if found.state == "installed" else 1)


def _describe(found: Installation) -> str:
    version = f"recorder {found.version}, " if found.version else ""
    newer = f"; this loganalyzer has {found.available}" if found.state == "outdated" else ""
    return f"{version}{found.target}{newer}"


def _to_document(found: Installation) -> dict[str, str | None]:
    return {
        "state": found.state,
        "version": found.version,
        "available": found.available,
        "file": str(found.target),
    }
