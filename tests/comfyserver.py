"""A small server that answers as a running ComfyUI does: its log page, and the rules by which it keeps messages."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WRITES = re.compile(r"(?:\r[^\r\n]*)|[^\r\n]+|\n")
PAGE = "/internal/logs/raw"
START = datetime(2026, 11, 27, 12)


class Comfy:
    """The messages that a ComfyUI keeps, what it answers, and what was asked of it."""

    def __init__(self, kept: int = 300) -> None:
        self.kept: deque[dict[str, str]] = deque(maxlen=kept)
        self.written = 0
        self.asked: list[tuple[str, str]] = []
        self.answer: tuple[int, bytes] | None = None
        self.url = ""

    def write(self, text: str) -> None:
        """Writes as a program does: messages and line ends apart, a bar once per step."""
        for piece in WRITES.findall(text):
            self.written += 1
            if piece.startswith("\r") and self.kept and not self.kept[-1]["m"].endswith("\n"):
                self.kept.pop()
            self.kept.append({"t": (START + timedelta(microseconds=self.written)).isoformat(), "m": piece})

    def restart(self) -> None:
        self.kept.clear()

    def document(self) -> tuple[int, bytes]:
        entries = {"entries": list(self.kept), "size": {"cols": 80, "rows": 24}}
        return self.answer or (200, json.dumps(entries).encode())


@contextmanager
def running(comfy: Comfy, port: int = 0) -> Iterator[Comfy]:
    """Serves it until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            comfy.asked.append((self.command, self.path))
            status, data = comfy.document() if self.path == PAGE else (404, b"404: Not Found")
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 -- as http.server has it

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        comfy.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield comfy
        finally:
            server.shutdown()
            thread.join()
