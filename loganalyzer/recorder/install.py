"""Installs the recorder into ComfyUI, removes it, and says whether it is installed, outdated or edited by hand."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from loganalyzer.common import atomic_write
from loganalyzer.common.errors import RecorderError

State = Literal["not installed", "installed", "outdated", "edited by hand"]

FOLDER: Final = "loganalyzer_recorder"
SOURCE: Final = Path(__file__).with_name("extension.py")
LARGEST_FILE: Final = 4_000_000
"""Bytes of an installed file that are read; the recorder has about 40,000."""
_HEADER: Final = re.compile(
    rb"# loganalyzer recorder (?P<version>[\w.+-]{1,40})\n# sha256 (?P<digest>[0-9a-f]{64})\n(?P<body>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What is in a ComfyUI's folder.

    Attributes:
        target: the file that ComfyUI loads.
        state: of this file.
        version: of the installed recorder, as its first line says; None if there is none.
        available: version that this loganalyzer ships.
    """

    target: Path
    state: State
    version: str | None
    available: str


def shipped_version() -> str:
    """The version of the recorder that this loganalyzer ships."""
    found = re.search(r'^VERSION = "([\w.+-]+)"$', SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if found is None:
        raise RecorderError(f"{SOURCE}: has no version", "install loganalyzer again")
    return found[1]


def shipped_file() -> bytes:
    """The file to install: two lines with version and SHA-256, then the recorder."""
    body = _unix_line_ends(SOURCE.read_bytes())
    digest = hashlib.sha256(body).hexdigest()
    return f"# loganalyzer recorder {shipped_version()}\n# sha256 {digest}\n".encode() + body


def find_custom_nodes(path: Path) -> Path:
    """The folder for extensions of the ComfyUI at `path`.

    `path` is ComfyUI's folder, the folder of the portable version, which has it as `ComfyUI`, or `custom_nodes` itself.

    Raises:
        RecorderError: `path` is not a ComfyUI.
    """
    if not path.is_dir():
        raise RecorderError(f"{path}: there is no such folder", "name the folder that contains ComfyUI's main.py")
    if path.resolve().name == "custom_nodes":
        return path
    for folder in (path, path / "ComfyUI"):
        if (folder / "main.py").is_file() and (folder / "comfy").is_dir():
            return folder / "custom_nodes"
    raise RecorderError(
        f"{path}: is not a ComfyUI: main.py and comfy/ are not in it",
        "name the folder that contains ComfyUI's main.py, or its custom_nodes folder",
    )


def inspect_installation(path: Path) -> Installation:
    """The state of the recorder in the ComfyUI at `path`.

    Raises:
        RecorderError: `path` is not a ComfyUI, or the file cannot be read.
    """
    target = find_custom_nodes(path) / FOLDER / "__init__.py"
    available = shipped_version()
    if not target.exists() and not target.is_symlink():
        return Installation(target, "not installed", None, available)
    try:
        with target.open("rb") as file:
            content = file.read(LARGEST_FILE)
    except OSError as error:
        hint = "make the file readable, or delete it and install again"
        raise RecorderError(f"{target}: cannot be read: {error.strerror or error}", hint) from None
    return Installation(target, *_judge(content), available)


def _judge(content: bytes) -> tuple[State, str | None]:
    """State and version of an installed file."""
    content = _unix_line_ends(content)
    if content == _unix_line_ends(SOURCE.read_bytes()):  # copied into an image without this program
        return "installed", shipped_version()
    header = _HEADER.fullmatch(content)
    if header is None:
        return "edited by hand", None
    version = header["version"].decode()
    if hashlib.sha256(header["body"]).hexdigest() != header["digest"].decode():
        return "edited by hand", version
    return ("installed" if content == shipped_file() else "outdated"), version


def install_recorder(path: Path, *, force: bool = False) -> tuple[Installation, Installation]:
    """Writes the recorder's file; returns the installation before and after. An up-to-date file is left alone.

    Raises:
        RecorderError: `path` is not a ComfyUI, or the file is edited by hand and `force` is not set.
        ReportError: the file cannot be written.
    """
    before = inspect_installation(path)
    _refuse_edited(before, "replace", force=force)
    if before.state != "installed":
        _create_folder(before.target.parent)
        atomic_write.write(before.target, shipped_file())
    return before, inspect_installation(path)


def uninstall_recorder(path: Path, *, force: bool = False) -> Installation:
    """Removes what `install_recorder` wrote; returns the installation before. Other files in the folder are kept.

    Raises:
        RecorderError: `path` is not a ComfyUI, the file cannot be removed, or it is edited by hand without `force`.
    """
    before = inspect_installation(path)
    _refuse_edited(before, "remove", force=force)
    if before.state == "not installed":
        return before
    folder = before.target.parent
    try:
        before.target.unlink()
        compiled = folder / "__pycache__"
        for file in compiled.glob("__init__.*.pyc"):
            file.unlink()
        for one in (compiled, folder):
            if one.is_dir() and not any(one.iterdir()):
                one.rmdir()
    except OSError as error:
        hint = "stop ComfyUI, or make the folder writable, and run the command again"
        raise RecorderError(f"{folder}: cannot be removed: {error.strerror or error}", hint) from None
    return before


def _refuse_edited(found: Installation, action: str, *, force: bool) -> None:
    if found.state == "edited by hand" and not force:
        raise RecorderError(
            f"{found.target}: is edited by hand, or another program's file",
            f"save your changes elsewhere, then {action} it with --force",
        )


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder}: cannot be created: {error.strerror or error}"
        raise RecorderError(message, "run the command as a user who can write there") from None


def _unix_line_ends(content: bytes) -> bytes:
    """The content with line feeds only: git or an editor on Windows may have changed them."""
    return content.replace(b"\r\n", b"\n")
