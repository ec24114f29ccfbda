"""The store's tables as they are now; `upgrades` says how they came to be so."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

VERSION: Final = 3

METADATA: Final = sa.MetaData()

RUNS: Final = sa.Table(
    "runs",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False, unique=True),
    sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("added_at", sa.DateTime, nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("commit", sa.Text),
    sa.Column("mode", sa.Text),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("steps", sa.Integer),
    sa.Column("quantization", sa.Text),
    sa.Column("lora_rank", sa.Integer),
    sa.Column("window_frames", sa.Integer),
    sa.Column("motion_frames", sa.Integer),
    sa.Column("gpu", sa.Text),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("started_at", sa.DateTime),
    sa.Column("ordinal", sa.Integer),
    sa.Column("durations", sa.Text),
)
"""One row per run; `number` follows the order in which runs were added.

`facts` is the run's row of the table `runs` as JSON. `verdict` is null for runs added before findings were kept.
`place` is the id of the reading that the row shows; `run_id` stays as it was when the run was added. `started_at`,
`ordinal` and `durations` identify the run: the prompt's own time, which run of the prompt it is, and step times in
hundredths of a second. `fingerprint` is not used since version 3.
"""

MEASUREMENTS: Final = sa.Table(
    "measurements",
    METADATA,
    sa.Column("run_id", sa.Text, sa.ForeignKey(RUNS.c.run_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("basis", sa.Text),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("figures", sa.Integer, nullable=False),
    sa.Column("estimated", sa.Boolean, nullable=False),
)
"""`figures` is how many single figures stand behind one."""

FINDINGS: Final = sa.Table(
    "findings",
    METADATA,
    sa.Column("run_id", sa.Text, sa.ForeignKey(RUNS.c.run_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),
)
"""`facts` is the row of the table `findings` as JSON."""

READINGS: Final = sa.Table(
    "readings",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("run", sa.BigInteger, sa.ForeignKey(RUNS.c.number, ondelete="CASCADE"), primary_key=True),
    sa.Column("file_time", sa.DateTime),
    sa.Column("said_at", sa.DateTime),
)
"""Where a run was read: its id in a log, and when that log was written by its file's time and by `--at`."""

FILES: Final = sa.Table(
    "files",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("head", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("mtime_ns", sa.BigInteger),
    sa.Column("settings", sa.Text),
    sa.Column("is_distinct", sa.Boolean, nullable=False),
)
"""Logs that were read.

`digest`, `length` and `head` (SHA-256 of the first bytes) are those of the text, `size` and `mtime_ns` of the file on
disk, `path` is a SHA-256 of its path, empty for standard input. `settings` is a SHA-256 of all that decides what is
read; null where the log was read by the main command. `is_distinct`: the content of each of its runs identifies it.
"""
