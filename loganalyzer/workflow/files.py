"""A workflow's JSON out of a file: the file itself, or what ComfyUI wrote into a picture or a video."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loganalyzer.common.errors import WorkflowError, install_hint

MOST_BYTES: Final = 16 << 20
"""Of JSON; real workflows have some 0.1 MB."""
DEEPEST: Final = 100
"""Levels of nesting; real workflows have some ten."""
PICTURES: Final = (".png", ".webp")
VIDEOS: Final = (".mp4", ".webm", ".mkv", ".mov")

_KEYS: Final = ("workflow", "prompt")
"""Under which ComfyUI stores the editor's and the server's form; the editor's tells more."""


@dataclass(frozen=True)
class WorkflowFile:
    """A workflow as it was read.

    Attributes:
        path: the file.
        text: the JSON text; of a picture or a video, the text stored in it.
        data: what it means.
        embedded: whether it was stored in a picture or a video.
    """

    path: Path
    text: str
    data: Any
    embedded: bool = False


def read(path: Path) -> WorkflowFile:
    """The workflow in a file.

    Raises:
        WorkflowError: names the file, the line where it can, and the way out.
    """
    if not path.is_file():
        raise WorkflowError(
            f"{path}: there is no such file", "name a workflow: JSON, or a PNG, WebP or MP4 of ComfyUI's"
        )
    suffix = path.suffix.lower()
    if suffix in PICTURES or suffix in VIDEOS:
        text = _stored(path, _of_picture(path) if suffix in PICTURES else _of_video(path))
        return WorkflowFile(path, text, parse(path, text), embedded=True)
    text = _text(path)
    return WorkflowFile(path, text, parse(path, text))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WorkflowError(
                f"{path}: is larger than {MOST_BYTES >> 20} MiB, as no workflow is", "name another file"
            )
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path}: is no UTF-8 text (byte {error.start})", "save the workflow again") from None
    except OSError as error:
        raise WorkflowError(f"{path}: cannot be read: {error.strerror or error}") from None


def parse(path: Path, text: str) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """The meaning of a JSON text of bounded depth.

    Raises:
        WorkflowError: names the line and column.
    """
    if len(text) > MOST_BYTES:
        raise WorkflowError(f"{path}: holds more than {MOST_BYTES >> 20} MiB of JSON, as no workflow does")
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise WorkflowError(
            f"{path}:{error.lineno}:{error.colno}: is not JSON: {error.msg}",
            _not_json(path, text),
        ) from None
    except (RecursionError, ValueError):
        raise WorkflowError(f"{path}: is nested too deeply, or holds a number that is none") from None
    if _is_deep(data):
        raise WorkflowError(f"{path}: is nested deeper than {DEEPEST} levels, as no workflow is")
    return data


def _not_json(path: Path, text: str) -> str:
    """The way out for a text that is not JSON: it may be a log."""
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


def _stored(path: Path, found: dict[str, str]) -> str:
    for key in _KEYS:
        if found.get(key):
            return found[key]
    raise WorkflowError(
        f"{path}: holds no workflow", "ComfyUI stores one unless metadata is switched off; messengers take it out"
    )


def _of_picture(path: Path) -> dict[str, str]:
    """PNG keeps texts by name; WebP keeps `workflow:{…}` and `prompt:{…}` in EXIF tags."""
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


def _of_video(path: Path) -> dict[str, str]:
    """Core stores `workflow` and `prompt`; VideoHelperSuite one JSON of both as the comment."""
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
        inside = parse(path, tags["comment"]) if tags["comment"].lstrip().startswith("{") else {}
        found = {key: _as_text(inside[key]) for key in _KEYS if inside.get(key)}
    return found


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
