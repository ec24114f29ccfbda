"""A cluster's workers find what this process finds, also when one of them dies in the middle of the work."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import socket
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import dask
import logtext as log
import pytest
from click.testing import CliRunner, Result
from distributed import Client, LocalCluster
from polars.testing import assert_frame_equal

from loganalyzer.cli.group import main
from loganalyzer.common.errors import LogAnalyzerError, install_hint
from loganalyzer.engine import cluster as cluster_engine
from loganalyzer.engine.batches import Batch, get_versions, make_batches, tabulate_batch
from loganalyzer.engine.cluster import DaskEngine
from loganalyzer.engine.collector import Tables
from loganalyzer.engine.local import LocalEngine
from loganalyzer.pipeline import analyze
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis
from sample_logs import FOLDER

SETTINGS = Settings()


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0") as started,
    ):
        yield started


@pytest.fixture
def workers(cluster: LocalCluster) -> partial[DaskEngine]:
    return partial(DaskEngine, cluster.scheduler_address)


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    """A folder of everything: good, damaged, packed, empty, doubled, long."""
    folder = tmp_path / "logs"
    shutil.copytree(FOLDER, folder)
    samples = {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.txt"))}
    every = b"".join(samples.values())
    outside = b"".join(line for line in every.splitlines(keepends=True) if b"memory" in line.lower())
    files = {
        "a_copy_of_padded.txt": samples["padded_Q6_K.txt"],
        "z_copy_of_slow.txt": samples["slow_Q6_K.txt"],
        "cut_off.log.gz": gzip.compress(every + os.urandom(50_000).hex().encode())[:-9000],
        "no_archive.log.xz": b"this is no archive",
        "empty.log": b"",
        "z_empty.log": b"",
        "long.log": every * 6,
        "long_copy.log": every * 6,
        "near.log": b"Padding length: three\n" + samples["clean_Q6_K.txt"],
        "outside.log": outside + samples["mirrored_Q6_K.txt"][300:],
        "z_outside.log": outside + samples["mirrored_Q6_K.txt"][300:],
        "utf16.log": log.prompt(427).encode("utf-16"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("first.log", log.prompt(300))
        archive.writestr("second.log", samples["clean_Q6_K.txt"])
    (folder / "broken.zip").write_bytes((folder / "more.zip").read_bytes()[:300])
    return folder


@pytest.fixture
def many(tmp_path: Path) -> list[str]:
    """Logs of which no two are equal."""
    for k in range(30):
        (tmp_path / f"{k:02}_Q6_K.log").write_text(log.prompt(153 + k))
    return [str(tmp_path / f"{k:02}_Q6_K.log") for k in range(30)]


def assert_same(one: Tables, other: Tables) -> None:
    assert one.problems == other.problems
    assert one.notes == other.notes
    for name, frame in other.frames.items():
        assert_frame_equal(one.frames[name], frame)


def assert_same_analysis(one: Analysis, other: Analysis) -> None:
    assert one.problems == other.problems
    assert one.notes == other.notes
    for (name, frame), (_, expected) in zip(one.tables(), other.tables(), strict=True):
        assert_frame_equal(frame, expected), name


@pytest.mark.parametrize("inputs", [1, 3, 1000])
def test_a_cluster_finds_what_this_process_finds(workers: partial[DaskEngine], mix: Path, inputs: int) -> None:
    here = analyze([str(mix), "nowhere/*.log"])
    there = analyze([str(mix), "nowhere/*.log"], engine=workers(batch_bytes=20_000, batch_inputs=inputs))
    assert_same_analysis(there, here)
    assert len(here.problems) == 4
    assert len(here.notes) == 8
    assert "window-bar" in here.excerpts["event"]
    assert here.memory["run_id"].null_count() > 0


def test_names_stay_as_given_whatever_folder_workers_run_in(
    workers: partial[DaskEngine], mix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mix.parent)
    there = analyze(["logs"], engine=workers())
    assert_same_analysis(there, analyze(["logs"]))
    assert there.sources["source"].str.starts_with("logs/").all()


def test_standard_input_is_read_here_and_keeps_its_place(
    workers: partial[DaskEngine], many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def piped() -> SimpleNamespace:
        return SimpleNamespace(buffer=io.BytesIO(log.prompt(427).encode()))

    names = [many[0], "-", many[1]]
    monkeypatch.setattr(sys, "stdin", piped())
    here = analyze(names)
    monkeypatch.setattr(sys, "stdin", piped())
    assert_same_analysis(analyze(names, engine=workers()), here)
    assert here.sources["source"].to_list() == names


def test_a_worker_killed_in_the_middle_of_the_work_costs_nothing(
    cluster: LocalCluster, workers: partial[DaskEngine], many: list[str], tmp_path: Path
) -> None:
    """All batches but the first wait for a gate, which opens after one of the two workers at work was killed."""
    gate = tmp_path / "gate"
    first = many[0]
    told: list[str] = []
    killed: list[int] = []

    def gated(batch: Batch, settings: Settings, alike: Mapping[str, str]) -> Tables:
        while batch.items[0].name != first and not gate.exists():
            time.sleep(0.01)
        return tabulate_batch(batch, settings, alike)

    with Client(cluster.scheduler_address, set_as_default=False) as watching:
        pids = watching.run(os.getpid)
        assert len(pids) == 2

        def progress(name: str, _: int) -> None:
            told.append(name)
            if killed:
                return
            assert told == [first]
            at_work = {worker: keys for worker, keys in watching.processing().items() if keys}
            assert at_work
            worker = next(iter(at_work))
            killed.append(pids[worker])
            os.kill(pids[worker], signal.SIGKILL)
            gate.touch()

        there = workers(batch_inputs=1, unit=gated).tables(many, SETTINGS, progress)
        after = watching.run(os.getpid)
    assert killed
    assert killed[0] not in after.values()
    assert sorted(told) == many
    assert_same(there, LocalEngine().tables(many, SETTINGS))


def test_an_input_that_kills_its_workers_is_a_problem_and_takes_no_other_with_it(
    workers: partial[DaskEngine], many: list[str]
) -> None:
    poison = many[4]

    def dies(batch: Batch, settings: Settings, alike: Mapping[str, str]) -> Tables:
        if any(item.name == poison for item in batch.items):
            os._exit(1)
        return tabulate_batch(batch, settings, alike)

    there = workers(batch_inputs=3, unit=dies).tables(many[:12], SETTINGS)
    assert len(there.problems) == 1
    assert there.problems[0].startswith(f"{poison}: could not be analyzed: every worker that tried it died")
    others = LocalEngine().tables([name for name in many[:12] if name != poison], SETTINGS)
    assert_frame_equal(there.frames["runs"], others.frames["runs"])
    assert_frame_equal(there.frames["excerpts"], others.frames["excerpts"])


def test_a_batch_that_always_fails_is_a_problem_that_names_its_inputs(
    workers: partial[DaskEngine], many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_engine, "_MAX_FAILING_INPUTS", 2)
    poison = many[3:6]

    def fails(batch: Batch, settings: Settings, alike: Mapping[str, str]) -> Tables:
        if any(item.name in poison for item in batch.items):
            raise ValueError("this cannot be\nbut is")
        return tabulate_batch(batch, settings, alike)

    there = workers(batch_inputs=3, unit=fails, retries=0).tables(many[:9], SETTINGS)
    assert [problem.splitlines()[0] for problem in there.problems] == [
        f"{name}: could not be analyzed: ValueError: this cannot be" for name in poison
    ]
    others = LocalEngine().tables(many[:3] + many[6:9], SETTINGS)
    assert_frame_equal(there.frames["runs"], others.frames["runs"])


def test_a_file_that_a_worker_does_not_see_is_a_problem_that_names_the_machine(
    workers: partial[DaskEngine], many: list[str], tmp_path: Path
) -> None:
    lost = str(tmp_path / "lost.log")
    there = workers().tables([many[0], lost, many[1]], SETTINGS)
    assert there.frames["sources"]["source"].to_list() == many[:2]
    (problem,) = there.problems
    assert problem.startswith(f"{lost}: cannot be read: {os.uname().nodename} has no readable ")


def test_a_refused_pattern_file_is_one_message(workers: partial[DaskEngine], many: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[[pattern]]\nid = 'x'\n")
    with pytest.raises(LogAnalyzerError, match=r"bad\.toml"):
        workers(retries=0).tables(many, Settings(patterns=(tmp_path,)))


def test_workers_of_another_version_are_refused(
    workers: partial[DaskEngine], many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loganalyzer.engine.batches.__version__", "9.9")
    with pytest.raises(LogAnalyzerError, match=r"loganalyzer: 9\.9 on this machine, .* on the worker at tcp://"):
        workers().tables(many, SETTINGS)


@pytest.mark.parametrize("what", ["comfyui-loganalyzer", "polars", "patterns"])
def test_a_worker_that_comes_later_and_differs_refuses_the_work(what: str, many: list[str]) -> None:
    (batch,) = make_batches(many, 1 << 30, 100)
    with pytest.raises(LogAnalyzerError, match=f"{what}: other on this machine"):
        tabulate_batch(batch, SETTINGS, get_versions(SETTINGS) | {what: "other"})


def test_a_scheduler_without_workers_is_one_message(many: list[str]) -> None:
    with (
        LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as alone,
        pytest.raises(LogAnalyzerError, match="has had no workers for"),
    ):
        DaskEngine(alone.scheduler_address, timeout_s=0.5).tables(many, SETTINGS)


def test_a_scheduler_lost_in_the_middle_of_the_work_is_one_message(many: list[str]) -> None:
    with LocalCluster(n_workers=1, processes=True, threads_per_worker=1, dashboard_address=":0") as alone:
        engine = DaskEngine(alone.scheduler_address, batch_inputs=1, timeout_s=2)
        with pytest.raises(LogAnalyzerError, match="lost the connection to the scheduler"):
            engine.tables(many, SETTINGS, lambda *_: alone.close())


def call(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize("address", ["tls://127.0.0.1:1", "ucx://127.0.0.1:1", "nonsense://127.0.0.1:1", "127.0.0.1:x"])
def test_an_address_that_dask_cannot_use_is_one_message_and_exit_2(many: list[str], address: str) -> None:
    result = call(many[0], "--engine", "dask", "--scheduler", address, "--no-html")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"loganalyze: cannot reach the scheduler at {address}: ")


def test_a_port_that_takes_calls_in_silence_is_one_message_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, many: list[str]
) -> None:
    monkeypatch.setattr(cluster_engine, "DaskEngine", partial(DaskEngine, timeout_s=0.5))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        result = call(many[0], "--engine", "dask", "--scheduler", address, "--no-html")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"loganalyze: cannot reach the scheduler at {address}: no answer in 0.5 s")


def test_an_unreachable_scheduler_is_one_message_and_exit_2(monkeypatch: pytest.MonkeyPatch, many: list[str]) -> None:
    monkeypatch.setattr(cluster_engine, "DaskEngine", partial(DaskEngine, timeout_s=0.5))
    result = call(many[0], "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1", "--no-html")
    assert result.exit_code == 2
    assert result.stderr.startswith("loganalyze: cannot reach the scheduler at tcp://127.0.0.1:1")
    assert "dask scheduler" in result.stderr
    assert "Traceback" not in result.output


def test_the_command_works_on_a_cluster_named_in_the_configuration(
    cluster: LocalCluster, many: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loganalyze.toml").write_text(f'engine = "dask"\nscheduler = "{cluster.scheduler_address}"\n')
    there = call(*many[:3], "--no-html", "--fail-on", "never")
    here = call(*many[:3], "--no-html", "--fail-on", "never", "--engine", "local")
    assert there.exit_code == 0, there.output
    assert there.output == here.output


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--engine", "dask"], "start one with `dask scheduler`"), (["--scheduler", "tcp://x:1"], "needs --engine dask")],
)
def test_an_engine_and_its_scheduler_go_together(words: list[str], message: str, many: list[str]) -> None:
    result = call(many[0], *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_without_the_extra_one_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, many: list[str]) -> None:
    monkeypatch.setattr(cluster_engine, "find_spec", lambda _: None)
    result = call(many[0], "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 2
    assert install_hint("distributed") in result.stderr


def test_batches_are_bounded_and_archives_and_large_files_stand_alone(tmp_path: Path) -> None:
    sizes = {"a.log": 10, "b.log": 10, "c.log": 90, "d.log": 10, "e.zip": 1, "f.log": 10, "g.log": 10, "h.log.gz": 9}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(b"x" * size)
    os.mkfifo(tmp_path / "pipe")
    names = [*(str(tmp_path / name) for name in sizes), "-", str(tmp_path / "pipe")]
    made = list(make_batches(names, 50, 2))
    assert [[Path(item.name).name for item in batch.items] for batch in made] == [
        ["a.log", "b.log"], ["c.log"], ["d.log"], ["e.zip"], ["f.log", "g.log"], ["h.log.gz"], ["-"], ["pipe"],
    ]  # fmt: skip
    assert [batch.is_local for batch in made] == [False] * 6 + [True] * 2
