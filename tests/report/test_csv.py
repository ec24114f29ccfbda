"""Tables as CSV files: complete, readable by polars and spreadsheets, and without formulas from strangers."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from loganalyzer.cli.group import main
from loganalyzer.report.formats.csv import Csv
from loganalyzer.tables.schema import SCHEMAS

SAMPLE = Path(__file__).parents[2] / "sample_logs" / "padded_Q6_K.txt"


def written(tmp_path: Path, *volumes: pl.DataFrame) -> Path:
    """The CSV file of a table that came in these volumes."""
    waiting = []
    for number, frame in enumerate(volumes):
        waiting.append(tmp_path / f"{number}.arrow")
        frame.write_ipc(waiting[-1])
    target = tmp_path / "table.csv"
    Csv().write(waiting, target)
    return target


def test_the_command_writes_every_table_with_a_header_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(SAMPLE), "--no-html", "--csv", str(tmp_path / "csv")])
    assert result.exit_code == 1
    for name, columns in SCHEMAS.items():
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(columns), name
    windows = pl.read_csv(tmp_path / "csv" / "windows.csv")
    assert windows["audio_start"].to_list()[:2] == [0, 72]


def test_rows_of_several_volumes_follow_one_another(tmp_path: Path) -> None:
    one, two = pl.DataFrame({"line": [1, 2]}), pl.DataFrame({"line": [3]})
    assert written(tmp_path, one, two).read_text(encoding="utf-8") == "line\n1\n2\n3\n"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_as_a_formula_starts_with_an_apostrophe(first: str, tmp_path: Path) -> None:
    target = written(tmp_path, pl.DataFrame({"message": [first + "HYPERLINK(1)"]}))
    with target.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == ["'" + first + "HYPERLINK(1)"]


@pytest.mark.parametrize("text", ["a=b", "6 - 1", "'quoted'", "ends with =", ""])
def test_other_texts_stay_as_they_are(text: str, tmp_path: Path) -> None:
    target = written(tmp_path, pl.DataFrame({"message": [text], "line": [-1]}))
    with target.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == [text, "-1"]


def test_a_list_becomes_one_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({"packages": [["torch 2.8", "triton"], [], None]}, schema={"packages": pl.List(pl.String)})
    with written(tmp_path, frame).open(encoding="utf-8", newline="") as file:
        assert [row[0] if row else "" for row in csv.reader(file)][1:] == ["torch 2.8; triton", "", ""]


def test_two_folders_of_tables_may_be_one_since_their_files_differ(tmp_path: Path) -> None:
    both = ["--tables", str(tmp_path), "--csv", str(tmp_path)]
    assert CliRunner().invoke(main, [str(SAMPLE), "--no-html", *both]).exit_code == 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".parquet"}
