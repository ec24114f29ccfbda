"""Stores to test against: SQLite files, and databases of a PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

REQUIRED = "LOGANALYZE_REQUIRE_POSTGRES"
_NUMBERS = count(1)


def _programs() -> Path | None:
    """The folder with initdb and pg_ctl of the newest PostgreSQL here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    candidates = [path.parent for path in found] + ([Path(on_path).resolve().parent] if on_path else [])
    return candidates[-1] if candidates else None


def _unprivileged() -> list[str]:
    """A server refuses to run as root."""
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server of our own, without a database's name."""
    pytest.importorskip("psycopg")
    programs = _programs()
    if programs is None:
        reason = "no PostgreSQL server is installed here (apt-get install postgresql)"
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, but {reason}")
        pytest.skip(reason)
    home = Path(tempfile.mkdtemp(prefix="loganalyze-pg-"))
    if os.getuid() == 0:
        shutil.chown(home, "nobody", "nogroup")
    run = [*_unprivileged(), "env", f"HOME={home}"]
    options = f"-k {home} -c listen_addresses='' -c fsync=off"
    start = [programs / "pg_ctl", "-D", home / "data", "-o", options, "-l", home / "log", "-w", "start"]
    try:
        for words in (
            [programs / "initdb", "-D", home / "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"],
            start,
        ):
            subprocess.run([*run, *map(str, words)], check=True, stdout=subprocess.DEVNULL, cwd=home, timeout=120)
        yield f"postgresql+psycopg://tester@/{{}}?host={home}"
    finally:
        stop = [programs / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop"]
        subprocess.run([*run, *map(str, stop)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def database(server: str) -> Callable[[], str]:
    """Makes a fresh, empty database of the server and tells its URL."""

    def make() -> str:
        import psycopg

        name = f"history_{next(_NUMBERS)}"
        address = server.format("postgres").replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return server.format(name)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'history.db'}"
    make: Callable[[], str] = request.getfixturevalue("database")
    return make()
