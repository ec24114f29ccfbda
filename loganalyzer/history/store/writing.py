"""Adds the runs of an analysis to a store: inserts new runs, and updates known ones from the newest reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from loganalyzer.history.identity import Occasion, Reading, run_times
from loganalyzer.history.inputs import Inputs
from loganalyzer.history.matching import Match, Matcher
from loganalyzer.history.store.checking import fetch_rows
from loganalyzer.history.store.checking import parse_facts as unpacked_facts
from loganalyzer.history.store.identities import known_contents, known_runs, reading_columns
from loganalyzer.history.store.schema import FINDINGS, MEASUREMENTS, READINGS, RUNS
from loganalyzer.tables.analysis import Analysis
from loganalyzer.tables.metrics import comparison_keys, measure

BATCH_VALUES: Final = 500
"""Maximum number of values in one statement, because databases have a limit."""
_PLACE_FACTS: Final = ("run_id", "prompt_id", "source", "stream", "line", "end_line", "peak_line")
"""Facts that describe where a run was read, not the run itself."""


@dataclass(frozen=True)
class Added:
    """The number of runs that were added, by outcome.

    Attributes:
        new: runs that the history did not have.
        known: runs that it already had, unchanged.
        updated: runs that it had, replaced by this reading.
        guessed: those of `known` and `updated` that only the name of the log and the line identify.
    """

    new: int = 0
    known: int = 0
    updated: int = 0
    guessed: int = 0


@dataclass(frozen=True)
class RunNotes:
    """What is recorded about all runs of a call: when they are added, when they took place, label, commit, GPU."""

    added_at: datetime
    at: datetime | None = None
    label: str | None = None
    commit: str | None = None
    gpu: str | None = None


@dataclass
class _AddedRun:
    """A run of this call, with its most complete reading; of equal ones, the last.

    `read_as` is its id in this call. `reading` may be an earlier one that has more of the run.
    """

    number: int | None
    run_id: str
    place: str | None
    reading: Reading
    read_as: str
    occasions: list[tuple[str, Occasion]] = field(default_factory=list)
    is_guess: bool = False
    is_replaced: bool = True


def add_runs(connection: sa.Connection, found: Analysis, notes: RunNotes, inputs: Inputs) -> Added:
    """Adds the runs of an analysis within the caller's transaction."""
    known = known_runs(connection)
    ids = {run.run_id for run in known}
    before = {id(run): run.reading for run in known}
    matches = Matcher(known).match_runs(found, inputs, known_contents(connection), notes.at)
    runs = _collect_runs(matches, before, ids)
    rows = _AnalysisRows(found, notes, inputs)
    new = [run for run in runs if run.number is None]
    updated = _update_runs(connection, [run for run in runs if run.number is not None], rows)
    _insert(connection, new, rows)
    _record_readings(connection, runs)
    old = len(runs) - len(new)
    return Added(len(new), old - updated, updated, sum(run.is_guess for run in runs))


def _collect_runs(matches: Iterable[Match], before: dict[int, Reading], ids: set[str]) -> list[_AddedRun]:
    """The runs of the matches, each once. New runs get an unused id."""
    found: dict[int, _AddedRun] = {}
    for match in matches:
        key = id(match.run)
        old = before.get(key)
        run = found.get(key)
        if run is None:
            run_id = match.run.run_id if old else _unused_id(match.reading.run_id, ids)
            ids.add(run_id)
            place = old.run_id if old else None
            run = _AddedRun(match.run.number, run_id, place, old or match.reading, match.reading.run_id)
            run.is_replaced = old is None
            found[key] = run
        if match.reading.extent >= run.reading.extent or match.reading.run_id == run.place:
            run.reading, run.is_replaced = match.reading, True
            run.read_as = match.reading.run_id
        run.is_guess |= match.is_guess
        run.occasions.append((match.reading.run_id, match.occasion))
    return list(found.values())


def _unused_id(run_id: str, taken: set[str]) -> str:
    """The id, with a number appended if it is already `taken`."""
    number, name = 1, run_id
    while name in taken:
        number += 1
        name = f"{run_id}.{number}"
    return name


class _AnalysisRows:
    """The database rows of an analysis, by the ids of its runs."""

    def __init__(self, found: Analysis, notes: RunNotes, inputs: Inputs) -> None:
        self.notes = notes
        times = run_times(found, notes.at or notes.added_at, inputs, is_given=notes.at is not None)
        frame = (
            comparison_keys(found.runs, notes.gpu)
            .join(times, on="run_id", how="left", maintain_order="left")
            .join(_run_verdicts(found), on="run_id", how="left", maintain_order="left")
            .with_columns(pl.col("verdict").fill_null("pass"))
        )
        own = found.prompts.select(
            "prompt_id", has_time=pl.any_horizontal(pl.col("started_at", "ended_at").is_not_null())
        )
        timed = found.runs.select("run_id", "prompt_id").join(own, on="prompt_id", how="left")
        self.timed = set(timed.filter(pl.col("has_time")).get_column("run_id").to_list())
        self.runs = {row["run_id"]: row for row in frame.rows(named=True)}
        self.facts = _facts_by_run(found.runs)
        self.measured = _group_by_run(measure(found).rename({"values": "figures"}).rows(named=True))
        self.findings = _findings_by_run(found)

    def of_run(self, run: _AddedRun, occasion: Occasion) -> dict[str, Any]:
        """The row of `runs` without its number."""
        row = self.runs[run.read_as]
        at = row["at"]
        if row["run_id"] not in self.timed and occasion.said_at is None and occasion.file_time is not None:
            at = occasion.file_time
        return {
            **row,
            **reading_columns(run.reading),
            "run_id": run.run_id,
            "fingerprint": f"run:{run.run_id}",
            "at": at,
            "facts": _with_id(self.facts[run.read_as], run.run_id),
            "added_at": self.notes.added_at.replace(tzinfo=None),
            "label": self.notes.label,
            "commit": self.notes.commit,
        }

    def parts(self, run: _AddedRun) -> Iterator[tuple[sa.Table, list[dict[str, Any]]]]:
        """The rows of the other tables that belong to a run."""
        yield MEASUREMENTS, [{**part, "run_id": run.run_id} for part in self.measured.get(run.read_as, ())]
        yield (
            FINDINGS,
            [
                {"run_id": run.run_id, "place": place, "facts": _with_id(text, run.run_id)}
                for place, text in enumerate(self.findings.get(run.read_as, ()))
            ],
        )


def _insert(connection: sa.Connection, runs: Sequence[_AddedRun], rows: _AnalysisRows) -> None:
    if not runs:
        return
    statement = sa.insert(RUNS).returning(RUNS.c.number, RUNS.c.run_id)
    made = [rows.of_run(run, run.occasions[-1][1]) for run in runs]
    numbers = {run_id: number for number, run_id in connection.execute(statement, made)}
    for run in runs:
        run.number = numbers[run.run_id]
    _insert_parts(connection, runs, rows)


def _insert_parts(connection: sa.Connection, runs: Iterable[_AddedRun], rows: _AnalysisRows) -> None:
    for of_table in zip(*(list(rows.parts(run)) for run in runs), strict=True):
        table = of_table[0][0]
        if every := [row for _, part in of_table for row in part]:
            connection.execute(sa.insert(table), every)


def _update_runs(connection: sa.Connection, runs: Sequence[_AddedRun], rows: _AnalysisRows) -> int:
    """Replaces the rows of known runs that changed; returns the number of changed runs."""
    stored = _stored_rows(connection, [run.run_id for run in runs])
    changed = [run for run in runs if _update_run(connection, run, rows, *stored[run.run_id])]
    replaced = [run for run in changed if run.is_replaced]
    for batch in _batches([run.run_id for run in replaced]):
        for table in (MEASUREMENTS, FINDINGS):
            connection.execute(sa.delete(table).where(table.c.run_id.in_(batch)))
    _insert_parts(connection, replaced, rows)
    return len(changed)


def _update_run(
    connection: sa.Connection, run: _AddedRun, rows: _AnalysisRows, old: dict[str, Any], findings: list[str]
) -> bool:
    row = _merge_rows(rows.of_run(run, run.occasions[-1][1]), old, run, rows)
    same_findings = list(map(_without_place, findings)) == [
        _without_place(text) for text in rows.findings.get(run.read_as, ())
    ]
    differs = any(row[name] != old[name] for name in row if name not in ("facts", "place"))
    if run.is_replaced and not differs:
        differs = not same_findings or _without_place(row["facts"]) != _without_place(old["facts"])
    run.is_replaced &= differs
    if differs:
        connection.execute(sa.update(RUNS).where(RUNS.c.number == run.number).values(**row))
    return differs


def _merge_rows(row: dict[str, Any], old: dict[str, Any], run: _AddedRun, rows: _AnalysisRows) -> dict[str, Any]:
    """The updated row. Values that this call does not have are kept."""
    kept = {name: old[name] for name in ("label", "quantization", "gpu") if row[name] is None}
    given = {"label": kept.get("label", row["label"]), "commit": old["commit"] or row["commit"]}
    if run.read_as in rows.timed or rows.notes.at is not None:
        given["at"] = row["at"]
    if not run.is_replaced:
        return {name: given[name] for name in ("label", "commit", "at") if name in given}
    unchanged = ("run_id", "fingerprint", "added_at", "at")
    return {name: value for name, value in row.items() if name not in unchanged} | kept | given


def _stored_rows(connection: sa.Connection, run_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """The stored rows of runs, with their findings."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for batch in _batches(run_ids):
        for values in fetch_rows(connection, sa.select(RUNS).where(RUNS.c.run_id.in_(batch))):
            row = dict(zip(RUNS.columns.keys(), values, strict=True))
            found[row["run_id"]] = (row, [])
        notes = sa.select(FINDINGS.c.run_id, FINDINGS.c.facts).where(FINDINGS.c.run_id.in_(batch))
        for run_id, text in fetch_rows(connection, notes.order_by(FINDINGS.c.place)):
            found[run_id][1].append(text)
    return found


def _record_readings(connection: sa.Connection, runs: Iterable[_AddedRun]) -> None:
    """Records where each run was read."""
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
        for place, run, *times in fetch_rows(connection, sa.select(READINGS).where(READINGS.c.run.in_(numbers))):
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
    return (values[start : start + BATCH_VALUES] for start in range(0, len(values), BATCH_VALUES))


def _run_verdicts(found: Analysis) -> pl.DataFrame:
    return found.findings.group_by("run_id").agg(
        pl.when((pl.col("severity") == "error").any())
        .then(pl.lit("fail"))
        .when((pl.col("severity") == "warning").any())
        .then(pl.lit("warn"))
        .alias("verdict")
    )


def _facts_by_run(frame: pl.DataFrame) -> dict[str, str]:
    texts = frame.select("run_id", pl.struct(pl.all()).struct.json_encode().alias("facts"))
    return dict(texts.rows())


def _findings_by_run(found: Analysis) -> dict[str, list[str]]:
    notes = found.findings.filter(pl.col("run_id").is_not_null())
    texts = notes.select("run_id", pl.struct(pl.all()).struct.json_encode().alias("facts"))
    grouped: dict[str, list[str]] = {}
    for run_id, text in texts.rows():
        grouped.setdefault(run_id, []).append(text)
    return grouped


def _group_by_run(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["run_id"], []).append(row)
    return grouped


def _with_id(text: str, run_id: str) -> str:
    """The JSON of a row, with the run's id in the store."""
    if unpacked_facts(text).get("run_id") == run_id:
        return text
    return json.dumps({**unpacked_facts(text), "run_id": run_id}, ensure_ascii=False, separators=(",", ":"))


def _without_place(text: str) -> dict[str, Any]:
    """The facts of a row without those about where it was read."""
    return {name: value for name, value in unpacked_facts(text).items() if name not in _PLACE_FACTS}
