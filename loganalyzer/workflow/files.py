"""Reads a workflow's JSON from a JSON file, or from the metadata that ComfyUI writes into pictures and videos."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loganalyzer.common.errors import WorkflowError, install_hint

MOST_BYTES: Final = 16 << 20
"""Maximum bytes of JSON; real workflows have about 0.1 MB."""
DEEPEST: Final = 100
"""Maximum levels of nesting; real workflows have about ten."""
PICTURES: Final = (".png", ".webp")
VIDEOS: Final = (".mp4", ".webm", ".mkv", ".mov")

_KEYS: Final = ("workflow", "prompt")
"""The metadata keys of the editor's and the server's format; the editor's holds more, so it comes first."""


@dataclass(frozen=True)
class WorkflowFile:
    """A workflow file.

    Attributes:
        path: the file.
        text: the JSON text: the file's, or the text embedded in a picture or a video.
        data: the parsed JSON.
        embedded: whether the text was embedded in a picture or a video.
    """

    path: Path
    text: str
    data: Any
    embedded: bool = False


def read_workflow_file(path: Path) -> WorkflowFile:
    """The workflow in a file.

    Raises:
        WorkflowError: the file has no readable workflow. The message names the line, if known, and the way out.
    """
    if not path.is_file():
        raise WorkflowError(
            f"{path}: no such file", "name a workflow: a JSON file, or a PNG, WebP or MP4 that ComfyUI wrote"
        )
    suffix = path.suffix.lower()
    if suffix in PICTURES or suffix in VIDEOS:
        text = _choose_text(path, _read_picture(path) if suffix in PICTURES else _read_video(path))
        return WorkflowFile(path, text, parse_json(path, text), embedded=True)
    text = _read_utf8(path)
    return WorkflowFile(path, text, parse_json(path, text))


def _read_utf8(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WorkflowError(
                f"{path}: is larger than {MOST_BYTES >> 20} MiB, too large for a workflow", "name another file"
            )
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path}: is not UTF-8 text (byte {error.start})", "save the workflow again") from None
    except OSError as error:
        raise WorkflowError(f"{path}: cannot be read: {error.strerror or error}") from None


def parse_json(path: Path, text: str) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """The data of a JSON text of limited size and depth.

    Raises:
        WorkflowError: the text is not JSON (the message names line and column), too large or too deep.
    """
    if len(text) > MOST_BYTES:
        raise WorkflowError(f"{path}: holds more than {MOST_BYTES >> 20} MiB of JSON, too much for a workflow")
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise WorkflowError(
            f"{path}:{error.lineno}:{error.colno}: is not JSON: {error.msg}",
            _hint_not_json(path, text),
        ) from None
    except (RecursionError, ValueError):
        raise WorkflowError(f"{path}: is nested too deeply, or holds an invalid number") from None
    if _is_deep(data):
        raise WorkflowError(f"{path}: is nested deeper than {DEEPEST} levels, too deep for a workflow")
    return data


def _hint_not_json(path: Path, text: str) -> str:
    """The hint for a text that is not JSON: it may be a log."""
    if path.suffix.lower() != ".json" and not text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return f"a workflow is a JSON file. If this is a log, run `loganalyze {path.name}`"
    return "save the workflow in the editor again, or export it again"


def _is_deep(data: object) -> bool:
    level = [data]
    for _ in range(DEEPEST):
        level = [
            item
            for value in level
            if isinstance(value, dict | list)
            for item in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def _choose_text(path: Path, found: dict[str, str]) -> str:
    for key in _KEYS:
        if found.get(key):
            return found[key]
    raise WorkflowError(
        f"{path}: holds no workflow",
        "name the original file: ComfyUI embeds the workflow unless metadata is off, and messengers remove it",
    )


def _read_picture(path: Path) -> dict[str, str]:
    """The texts embedded in a picture. PNG stores them by name; WebP stores `workflow:{…}` in EXIF tags."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            found = {str(key): str(value) for key, value in picture.info.items() if key in _KEYS}
            tagged = [value for value in picture.getexif().values() if isinstance(value, str)]
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise WorkflowError(f"{path}: cannot be read as a picture: {error}") from None
    for value in tagged:
        key, colon, text = value.partition(":")
        if colon and key in _KEYS:
            found.setdefault(key, text)
    return found


def _read_video(path: Path) -> dict[str, str]:
    """The texts embedded in a video. Core stores `workflow` and `prompt`; VideoHelperSuite one JSON in the comment."""
    try:
        import av
    except ImportError:
        raise WorkflowError(
            f"{path}: videos are read with PyAV, which is not installed", install_hint("video")
        ) from None
    try:
        with av.open(str(path)) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise WorkflowError(f"{path}: cannot be read as a video: {error}") from None
    found: dict[str, str] = {key: tags[key] for key in _KEYS if key in tags}
    if not found and "comment" in tags:
        inside = parse_json(path, tags["comment"]) if tags["comment"].lstrip().startswith("{") else {}
        found = {key: _to_json_text(inside[key]) for key in _KEYS if inside.get(key)}
    return found


def _to_json_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
