"""Defines the present tables of the store. `upgrades` has the steps from earlier versions."""

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
"""One row per run. `number` is the order in which runs were added.

`facts` is the run's row of the table `runs` as JSON. `verdict` is null for runs added by versions without findings.
`place` is the id of the reading in this row; `run_id` never changes. `started_at`, `ordinal` and `durations` identify
the run: the timestamp of the prompt, the index of the run within the prompt, and step times in hundredths of a second.
`fingerprint` is unused since version 3.
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
"""One row per run and metric. `figures` is the number of single values behind it."""

FINDINGS: Final = sa.Table(
    "findings",
    METADATA,
    sa.Column("run_id", sa.Text, sa.ForeignKey(RUNS.c.run_id, ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("facts", sa.Text, nullable=False),
)
"""One row per finding. `facts` is the row of the table `findings` as JSON."""

READINGS: Final = sa.Table(
    "readings",
    METADATA,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("run", sa.BigInteger, sa.ForeignKey(RUNS.c.number, ondelete="CASCADE"), primary_key=True),
    sa.Column("file_time", sa.DateTime),
    sa.Column("said_at", sa.DateTime),
)
"""Where a run was read: its id in a log (`place`), and when the log was written, by its file time and by `--at`."""

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

`digest`, `length` and `head` (SHA-256 of the first bytes) describe the text, `size` and `mtime_ns` the file on disk.
`path` is the SHA-256 of its path, empty for standard input. `settings` is the SHA-256 of all settings that affect
reading; null if the main command read the log. `is_distinct`: each run in it is identified by its content.
"""
