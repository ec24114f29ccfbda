"""Logs behind URLs: read in one stream, within bounds, and never at the price of a secret."""

from __future__ import annotations

import base64
import gzip
import io
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import logtext as log
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main
from loganalyzer.common.errors import SourceError, install_hint
from loganalyzer.sources import http_client, inputs, url_streams

fsspec = pytest.importorskip("fsspec", reason="the extra `test` brings it")

TEXT = log.prompt(369).encode()
SECRET = "s3cr3t-s3cr3t"


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("night/1_Q6_K.log", TEXT)
        made.writestr("picture.png", b"x")
    return target.getvalue()


def tar_archive() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as made:
        info = tarfile.TarInfo("night/1_Q6_K.log")
        info.size = len(TEXT)
        made.addfile(info, io.BytesIO(TEXT))
    return target.getvalue()


class Server(BaseHTTPRequestHandler):
    files: ClassVar = {
        "/clean_Q6_K.log": TEXT, "/a.log.gz": gzip.compress(TEXT), "/logs.zip": archive(),
        "/logs.tgz": tar_archive(), "/a%20b.log": TEXT,
        "/broken.log.gz": gzip.compress(TEXT)[:-20], "/broken.zip": b"PK nonsense",
    }  # fmt: skip

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        special = {"/loop": self.loop, "/endless.log": self.endless, "/silent.log": self.silent, "/cut.log": self.cut}
        if path in special:
            special[path]()
        elif (
            path == "/door.log"
            and self.headers["Authorization"] != f"Basic {base64.b64encode(b'me:pass word').decode()}"
        ):
            self.answer(401, b"")
        elif path == "/down.log":
            self.answer(500, b"")
        elif path.startswith("/packed"):
            data = gzip.compress(TEXT)
            self.answer(200, data, **{"Content-Encoding": "gzip"})
        elif path == "/to":
            self.answer(302, b"", Location=self.path.partition("?")[2])
        elif path == "/moved.log":
            self.answer(302, b"", Location="/clean_Q6_K.log")
        else:
            data = TEXT if path == "/door.log" else self.files.get(path)
            self.answer(404 if data is None else 200, data or b"")

    def answer(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def loop(self) -> None:
        self.answer(302, b"", Location="/loop")

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"chatter\n" * 10_000)
        except OSError:
            pass

    def silent(self) -> None:
        time.sleep(2)

    def cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT)
        time.sleep(0.3)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.daemon_threads = True
        running.block_on_close = False
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def _directly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def bucket() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    for name in ("logs/1.log", "logs/deep/2.log.gz", "logs/picture.png", "logs/[odd].log", "logs.zip"):
        data = gzip.compress(TEXT) if name.endswith("gz") else archive() if name.endswith("zip") else TEXT
        store.pipe(f"/bucket/{name}", data)
    yield store
    store.rm("/bucket", recursive=True)


def contents(url: str) -> dict[str, bytes]:
    """Name and bytes of everything behind a URL."""
    return {found.name: b"".join(found.chunks) for found in inputs.open_input(url)}


def failure(url: str) -> str:
    with pytest.raises(SourceError) as raised:
        contents(url)
    return str(raised.value)


def call(*words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--no-html"])


@pytest.mark.parametrize("path", ["clean_Q6_K.log", "a.log.gz", "moved.log", "a%20b.log", "a.log.gz?version=3#top"])
def test_a_log_behind_http_is_read_and_unpacked_by_its_path(server: str, path: str) -> None:
    assert list(contents(f"{server}/{path}").values()) == [TEXT]


@pytest.mark.parametrize("path", ["packed.log", "packed.log.gz", "a b.log"])
def test_what_servers_and_people_do_to_a_url_is_undone(server: str, path: str) -> None:
    assert list(contents(f"{server}/{path}").values()) == [TEXT]


def test_a_packed_bomb_of_a_server_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url_streams, "MAX_BYTES", len(TEXT) - 1)
    assert "larger than 0 MiB" in failure(f"{server}/packed.log")


def test_a_password_follows_a_redirect_on_its_host_and_to_no_other(server: str) -> None:
    url = server.replace("//", "//me:pass%20word@")
    assert list(contents(f"{url}/to?/door.log").values()) == [TEXT]
    elsewhere = server.replace("127.0.0.1", "localhost") + "/door.log"
    assert "the server answered 401" in failure(f"{url}/to?{elsewhere}")


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/a.log", "data:,x"])
def test_a_redirect_leads_to_nothing_but_http(server: str, place: str) -> None:
    assert "the server redirects to an address that is not HTTP" in failure(f"{server}/to?{place}")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1:8188", True), ("[::1]:8188", True), ("localhost", True), ("10.0.0.1", False), ("a.b", False)],
)
def test_no_proxy_is_asked_for_this_machine(host: str, expected: bool) -> None:
    assert http_client._is_this_machine(host) is expected


def test_http_needs_no_optional_library(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert list(contents(f"{server}/clean_Q6_K.log").values()) == [TEXT]


def test_an_archive_behind_http_gives_its_logs(server: str) -> None:
    for name in ("logs.zip", "logs.tgz"):
        assert contents(f"{server}/{name}") == {f"{server}/{name}/night/1_Q6_K.log": TEXT}


def test_a_password_opens_the_door_and_is_shown_nowhere(server: str) -> None:
    url = server.replace("//", "//me:pass%20word@") + f"/door.log?X-Amz-Signature={SECRET}&part=1"
    (name,) = contents(url)
    assert name == server.replace("//", "//***@") + "/door.log?X-Amz-Signature=***&part=1"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone.log", "not found"),
        ("door.log", "the server answered 401 Unauthorized"),
        ("down.log", "the server answered 500 Internal Server Error"),
        ("loop", "too many redirects"),
        ("broken.log.gz", "cannot be read: "),
        ("broken.zip", "File is not a zip file"),
    ],
)
def test_a_refusal_is_one_message_that_names_the_url_without_its_secrets(server: str, path: str, reason: str) -> None:
    said = failure(server.replace("//", f"//me:{SECRET}@") + f"/{path}?token={SECRET}")
    assert said.splitlines()[0].startswith(server.replace("//", "//***@") + f"/{path}")
    assert reason in said
    assert SECRET not in said
    assert len(said.splitlines()) == 2


def test_nobody_at_home_is_one_message() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        said = failure(f"http://127.0.0.1:{unused.getsockname()[1]}/a.log?sig={SECRET}")
    assert "cannot be read: connection refused" in said
    assert SECRET not in said


def test_a_silent_server_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "READ_TIMEOUT_S", 0.2)
    assert "timed out" in failure(f"{server}/silent.log")


@pytest.mark.parametrize("name", ["endless.log", "endless.log?kind=.zip"])
def test_an_endless_stream_is_given_up(server: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url_streams, "MAX_BYTES", 1 << 20)
    assert "larger than 1 MiB" in failure(f"{server}/{name}")


def test_a_connection_that_breaks_keeps_what_was_read_and_costs_the_others_nothing(server: str) -> None:
    Path("here_Q6_K.log").write_bytes(TEXT + b"here\n")
    result = call(f"{server}/cut.log", f"{server}/gone.log", "here_Q6_K.log")
    assert result.exit_code == 2
    assert "2 runs in 2 files" in result.stdout
    assert f"{server}/cut.log: cannot be read" in result.stderr
    assert f"{server}/gone.log: cannot be read: not found" in result.stderr


def test_no_report_holds_a_secret_of_a_url(server: str) -> None:
    url = server.replace("//", f"//me:{SECRET}@") + f"/clean_Q6_K.log?X-Goog-Signature={SECRET}"
    outputs = ["--html", "r.html", "--json", "r.json", "--markdown", "r.md", "--tables", "tables"]
    result = CliRunner().invoke(main, [url, url + "x", "-v", *outputs])
    assert "1 run in 1 file" in result.stdout
    written = [path.read_bytes() for path in Path().rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not any(SECRET.encode() in data for data in [*written, result.output.encode()])


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("memory://bucket/logs/*.log", ["1.log", "[odd].log"]),
        ("memory://bucket/logs/**/*.gz", ["deep/2.log.gz"]),
        ("memory://bucket/logs", ["1.log", "[odd].log", "deep/2.log.gz"]),
        ("memory://bucket/logs/", ["1.log", "[odd].log", "deep/2.log.gz"]),
        ("memory://bucket/logs/1.log", ["1.log"]),
        ("memory://bucket/logs/[odd].log", ["[odd].log"]),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_a_pattern_and_a_folder_of_a_store_give_their_logs(url: str, found: list[str]) -> None:
    assert list(inputs.find_inputs([url])) == [f"memory://bucket/logs/{name}" for name in found]
    assert [list(contents(str(name)).values()) for name in inputs.find_inputs([url])] == [[TEXT]] * len(found)


@pytest.mark.usefixtures("bucket")
def test_an_archive_in_a_store_gives_its_logs() -> None:
    assert contents("memory://bucket/logs.zip") == {"memory://bucket/logs.zip/night/1_Q6_K.log": TEXT}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("memory://bucket/*.txt", "no object matches"),
        ("memory://bucket/logs/nothing/", "no logs in this folder"),
        ("memory://bucket/gone.log", "not found"),
        ("file:///etc/passwd", "this kind of URL is not supported\n  pass the file's path"),
        ("nonsense://x/y", "this kind of URL is not supported\n  supported schemes: abfs"),
        ("zip://a.log::memory://bucket/logs.zip", "this kind of URL is not supported"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_leads_nowhere_is_said_once_beside_the_others(url: str, reason: str) -> None:
    Path("here_Q6_K.log").write_bytes(TEXT)
    result = call(url, "here_Q6_K.log")
    assert result.exit_code == 2
    assert "1 run in 1 file" in result.stdout
    assert result.stderr.startswith(f"loganalyze: {url}")
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("library", "url", "extra"),
    [
        ("fsspec", "s3://bucket/*.log", "remote"),
        ("s3fs", "s3://bucket/a.log", "s3"),
        ("gcsfs", "gs://bucket/a.log", "gcs"),
        ("adlfs", "az://bucket/a.log", "azure"),
    ],
)
def test_without_the_library_the_message_says_what_to_install(
    library: str, url: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    result = call(url)
    assert result.exit_code == 2
    assert f"{url}: needs an optional dependency\n  {install_hint(extra)}" in result.stderr


def test_the_libraries_are_not_imported_where_no_input_is_a_url(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(TEXT)
    code = (
        "import sys\n"
        "from loganalyzer.cli.group import main\n"
        "main(['a.log', '--no-html'], standalone_mode=False)\n"
        "sys.exit('fsspec' in sys.modules or 'aiohttp' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path, stdout=subprocess.DEVNULL).returncode
        == 0
    )
