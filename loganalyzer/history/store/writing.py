"""Adding the runs of an analysis: new ones become rows, known ones are replaced by the newest reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from loganalyzer.history.identity import Occasion, Reading, moments
from loganalyzer.history.inputs import Inputs
from loganalyzer.history.matching import Match, Matcher
from loganalyzer.history.store.checking import facts as unpacked_facts
from loganalyzer.history.store.checking import fetched
from loganalyzer.history.store.identities import columns, known_contents, known_runs
from loganalyzer.history.store.schema import FINDINGS, MEASUREMENTS, READINGS, RUNS
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import comparison_keys, measure

BATCH: Final = 500
"""Values in one statement: databases have a limit."""
_OF_PLACE: Final = ("run_id", "prompt_id", "source", "stream", "line", "end_line", "peak_line")
"""Facts that say where a run was read, and nothing of the run."""


@dataclass(frozen=True)
class Added:
    """What became of the runs of an analysis.

    Attributes:
        new: runs that the history did not have.
        known: runs that it had, unchanged.
        updated: runs that it had, replaced by this reading.
        guessed: how many of `known` and `updated` nothing but name and line of the log identifies.
    """

    new: int = 0
    known: int = 0
    updated: int = 0
    guessed: int = 0


@dataclass(frozen=True)
class Noted:
    """What is noted of runs as they are added: when that is, when they took place, label, commit, and the GPU."""

    added_at: datetime
    at: datetime | None = None
    label: str | None = None
    commit: str | None = None
    gpu: str | None = None


@dataclass
class _Run:
    """A run of this call: the readings of it, of which the last one with the largest extent counts.

    `read_as` is its id in this call; `reading` is an earlier one where that one has more of the run.
    """

    number: int | None
    run_id: str
    place: str | None
    reading: Reading
    read_as: str
    occasions: list[tuple[str, Occasion]] = field(default_factory=list)
    is_guess: bool = False
    is_replaced: bool = True


def add(connection: sa.Connection, found: Analysis, noted: Noted, inputs: Inputs) -> Added:
    """Add the runs of an analysis within the caller's transaction."""
    known = known_runs(connection)
    ids = {run.run_id for run in known}
    before = {id(run): run.reading for run in known}
    matches = Matcher(known).matched(found, inputs, known_contents(connection), noted.at)
    runs = _collected(matches, before, ids)
    rows = _Rows(found, noted, inputs)
    new = [run for run in runs if run.number is None]
    updated = _updated(connection, [run for run in runs if run.number is not None], rows)
    _insert(connection, new, rows)
    _note_places(connection, runs)
    old = len(runs) - len(new)
    return Added(len(new), old - updated, updated, sum(run.is_guess for run in runs))


def _collected(matches: Iterable[Match], before: dict[int, Reading], ids: set[str]) -> list[_Run]:
    """The runs of matches, each once; new ones with an id that no other run has."""
    found: dict[int, _Run] = {}
    for match in matches:
        key = id(match.run)
        old = before.get(key)
        run = found.get(key)
        if run is None:
            run_id = match.run.run_id if old else _free(match.reading.run_id, ids)
            ids.add(run_id)
            run = _Run(
                match.run.number,
                run_id,
                old.run_id if old else None,
                old or match.reading,
                match.reading.run_id,
            )
            run.is_replaced = old is None
            found[key] = run
        if match.reading.extent >= run.reading.extent or match.reading.run_id == run.place:
            run.reading, run.is_replaced = match.reading, True
            run.read_as = match.reading.run_id
        run.is_guess |= match.is_guess
        run.occasions.append((match.reading.run_id, match.occasion))
    return list(found.values())


def _free(run_id: str, taken: set[str]) -> str:
    """The id, or the id with the first number that makes it one that is not `taken`."""
    number, name = 1, run_id
    while name in taken:
        number += 1
        name = f"{run_id}.{number}"
    return name


class _Rows:
    """The rows of an analysis, by the ids of its runs."""

    def __init__(self, found: Analysis, noted: Noted, inputs: Inputs) -> None:
        self.noted = noted
        said = noted.at is not None
        otherwise = noted.at or noted.added_at
        frame = (
            comparison_keys(found.runs, noted.gpu)
            .join(moments(found, otherwise, inputs, said=said), on="run_id", how="left", maintain_order="left")
            .join(_verdicts(found), on="run_id", how="left", maintain_order="left")
            .with_columns(pl.col("verdict").fill_null("pass"))
        )
        own = found.prompts.select(
            "prompt_id", has_time=pl.any_horizontal(pl.col("started_at", "ended_at").is_not_null())
        )
        timed = found.runs.select("run_id", "prompt_id").join(own, on="prompt_id", how="left")
        self.timed = set(timed.filter(pl.col("has_time")).get_column("run_id").to_list())
        self.runs = {row["run_id"]: row for row in frame.rows(named=True)}
        self.facts = _json(found.runs)
        self.measured = _grouped(measure(found).rename({"values": "figures"}).rows(named=True))
        self.findings = _findings(found)

    def of_run(self, run: _Run, occasion: Occasion) -> dict[str, Any]:
        """The columns of `runs` but for its number."""
        row = self.runs[run.read_as]
        at = row["at"]
        if row["run_id"] not in self.timed and occasion.said_at is None and occasion.file_time is not None:
            at = occasion.file_time
        return {
            **row,
            **columns(run.reading),
            "run_id": run.run_id,
            "fingerprint": f"run:{run.run_id}",
            "at": at,
            "facts": _with_id(self.facts[run.read_as], run.run_id),
            "added_at": self.noted.added_at.replace(tzinfo=None),
            "label": self.noted.label,
            "commit": self.noted.commit,
        }

    def parts(self, run: _Run) -> Iterator[tuple[sa.Table, list[dict[str, Any]]]]:
        """The rows that belong to a run."""
        yield MEASUREMENTS, [{**part, "run_id": run.run_id} for part in self.measured.get(run.read_as, ())]
        yield (
            FINDINGS,
            [
                {"run_id": run.run_id, "place": place, "facts": _with_id(text, run.run_id)}
                for place, text in enumerate(self.findings.get(run.read_as, ()))
            ],
        )


def _insert(connection: sa.Connection, runs: Sequence[_Run], rows: _Rows) -> None:
    if not runs:
        return
    statement = sa.insert(RUNS).returning(RUNS.c.number, RUNS.c.run_id)
    made = [rows.of_run(run, run.occasions[-1][1]) for run in runs]
    numbers = {run_id: number for number, run_id in connection.execute(statement, made)}
    for run in runs:
        run.number = numbers[run.run_id]
    _insert_parts(connection, runs, rows)


def _insert_parts(connection: sa.Connection, runs: Iterable[_Run], rows: _Rows) -> None:
    for of_table in zip(*(list(rows.parts(run)) for run in runs), strict=True):
        table = of_table[0][0]
        if every := [row for _, part in of_table for row in part]:
            connection.execute(sa.insert(table), every)


def _updated(connection: sa.Connection, runs: Sequence[_Run], rows: _Rows) -> int:
    """Replace the rows of known runs where something of them changed; returns of how many."""
    held = _held(connection, [run.run_id for run in runs])
    changed = [run for run in runs if _update(connection, run, rows, *held[run.run_id])]
    again = [run for run in changed if run.is_replaced]
    for batch in _batches([run.run_id for run in again]):
        for table in (MEASUREMENTS, FINDINGS):
            connection.execute(sa.delete(table).where(table.c.run_id.in_(batch)))
    _insert_parts(connection, again, rows)
    return len(changed)


def _update(connection: sa.Connection, run: _Run, rows: _Rows, old: dict[str, Any], findings: list[str]) -> bool:
    row = _merged(rows.of_run(run, run.occasions[-1][1]), old, run, rows)
    same_findings = list(map(_bare, findings)) == [_bare(text) for text in rows.findings.get(run.read_as, ())]
    differs = any(row[name] != old[name] for name in row if name not in ("facts", "place"))
    if run.is_replaced and not differs:
        differs = not same_findings or _bare(row["facts"]) != _bare(old["facts"])
    run.is_replaced &= differs
    if differs:
        connection.execute(sa.update(RUNS).where(RUNS.c.number == run.number).values(**row))
    return differs


def _merged(row: dict[str, Any], old: dict[str, Any], run: _Run, rows: _Rows) -> dict[str, Any]:
    """What the row becomes: what this call does not say stays."""
    kept = {name: old[name] for name in ("label", "quantization", "gpu") if row[name] is None}
    said = {"label": kept.get("label", row["label"]), "commit": old["commit"] or row["commit"]}
    if run.read_as in rows.timed or rows.noted.at is not None:
        said["at"] = row["at"]
    if not run.is_replaced:
        return {name: said[name] for name in ("label", "commit", "at") if name in said}
    left = ("run_id", "fingerprint", "added_at", "at")
    return {name: value for name, value in row.items() if name not in left} | kept | said


def _held(connection: sa.Connection, run_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """The rows of runs, and their findings."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for batch in _batches(run_ids):
        for values in fetched(connection, sa.select(RUNS).where(RUNS.c.run_id.in_(batch))):
            row = dict(zip(RUNS.columns.keys(), values, strict=True))
            found[row["run_id"]] = (row, [])
        noted = sa.select(FINDINGS.c.run_id, FINDINGS.c.facts).where(FINDINGS.c.run_id.in_(batch))
        for run_id, text in fetched(connection, noted.order_by(FINDINGS.c.place)):
            found[run_id][1].append(text)
    return found


def _note_places(connection: sa.Connection, runs: Iterable[_Run]) -> None:
    """Keep where each run was read."""
    rows = {
        (place, run.number): {
            "place": place,
            "run": run.number,
            "file_time": occasion.file_time,
            "said_at": occasion.said_at,
        }
        for run in runs
        for place, occasion in run.occasions
    }
    for batch in _batches(list(rows)):
        numbers = [number for _, number in batch]
        for place, run, *times in fetched(connection, sa.select(READINGS).where(READINGS.c.run.in_(numbers))):
            row = rows.get((place, run))
            if row is None:
                continue
            new = [row["file_time"] or times[0], row["said_at"] or times[1]]
            if new != times:
                same = (READINGS.c.place == place) & (READINGS.c.run == run)
                connection.execute(sa.update(READINGS).where(same).values(file_time=new[0], said_at=new[1]))
            del rows[place, run]
    if rows:
        connection.execute(sa.insert(READINGS), list(rows.values()))


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))


def _verdicts(found: Analysis) -> pl.DataFrame:
    return found.findings.group_by("run_id").agg(
        pl.when((pl.col("severity") == "error").any())
        .then(pl.lit("fail"))
        .when((pl.col("severity") == "warning").any())
        .then(pl.lit("warn"))
        .alias("verdict")
    )


def _json(frame: pl.DataFrame) -> dict[str, str]:
    texts = frame.select("run_id", pl.struct(pl.all()).struct.json_encode().alias("facts"))
    return dict(texts.rows())


def _findings(found: Analysis) -> dict[str, list[str]]:
    noted = found.findings.filter(pl.col("run_id").is_not_null())
    texts = noted.select("run_id", pl.struct(pl.all()).struct.json_encode().alias("facts"))
    grouped: dict[str, list[str]] = {}
    for run_id, text in texts.rows():
        grouped.setdefault(run_id, []).append(text)
    return grouped


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["run_id"], []).append(row)
    return grouped


def _with_id(text: str, run_id: str) -> str:
    """A row's JSON with the id that the run has in the store."""
    if unpacked_facts(text).get("run_id") == run_id:
        return text
    return json.dumps({**unpacked_facts(text), "run_id": run_id}, ensure_ascii=False, separators=(",", ":"))


def _bare(text: str) -> dict[str, Any]:
    """A row's facts but for where it was read."""
    return {name: value for name, value in unpacked_facts(text).items() if name not in _OF_PLACE}
