"""Formats the key of a series: the settings that runs must share before their metrics are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loganalyzer.common.formatting import printable


def key_words(row: Mapping[str, Any]) -> str:
    """The key for display, without its unknown parts; `unknown` if all are unknown."""
    size = f"{row['width']}x{row['height']}" if row["width"] and row["height"] else None
    parts = (
        row["mode"],
        row["quantization"],
        size,
        f"{row['steps']} steps" if row["steps"] else None,
        f"rank {row['lora_rank']}" if row["lora_rank"] else None,
        f"{row['window_frames']}/{row['motion_frames']}" if row["window_frames"] else None,
        row["gpu"],
    )
    return printable(", ".join(str(part) for part in parts if part)) or "unknown"
