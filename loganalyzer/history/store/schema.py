"""The store's tables as they are now; `upgrades` says how they came to be so."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

VERSION: Final = 2

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
)
"""`facts` is the run's row of the table `runs` as JSON; `verdict` is null for runs added before findings were kept."""

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
