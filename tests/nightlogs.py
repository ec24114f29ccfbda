"""Logs of nights in a folder: with step times that scatter, or without progress bars, and what can become of a log."""

from __future__ import annotations

import gzip
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import logtext as log

FIRST_NIGHT = datetime(2026, 2, 1, 3, tzinfo=UTC)
A_DAY_S = 24 * 3600


def with_bars(seed: int, windows: int = 3) -> str:
    """A run whose step times scatter as real ones do."""
    chance = random.Random(seed)
    audio = 81 + 72 * (windows - 1)
    text = log.BANNER + log.ARRIVAL + log.lora() + log.MODE + log.header(audio, audio // 72 + 1 if windows > 1 else 1)
    for number in range(windows):
        rates = [f"{5 + chance.gauss(0, 0.04):5.2f}s/it" for _ in range(4)]
        desc = f"Sampling audio indices {72 * number}-{72 * number + 81}"
        text += log.refresh(desc, 0, 4, 0, "?it/s")
        for step, rate in enumerate(rates, 1):
            text += log.refresh(desc, step, 4, 5 * step, rate)
        text += log.refresh(desc, 4, 4, 22, " 5.50s/it") + "\n"
    return text + log.memory() + log.EXECUTED


def without_bars(_seed: int = 0) -> str:
    """A run that nothing distinguishes from another of the same kind."""
    return log.BANNER + log.ARRIVAL + log.lora() + log.MODE + log.header(225, 4) + log.memory() + log.EXECUTED


def written(file: Path, text: str, night: int) -> Path:
    """A log with the modification time of a night."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return dated(file, night)


def dated(file: Path, night: int) -> Path:
    moment = FIRST_NIGHT.timestamp() + night * A_DAY_S
    os.utime(file, (moment, moment))
    return file


def packed(file: Path) -> Path:
    """A log as logrotate packs it: the file time stays."""
    target = file.with_name(f"{file.name}.gz")
    target.write_bytes(gzip.compress(file.read_bytes()))
    status = file.stat()
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    file.unlink()
    return target
