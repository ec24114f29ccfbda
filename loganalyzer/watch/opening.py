"""Opens the log to watch: a file, a ComfyUI server, or standard input."""

from __future__ import annotations

from pathlib import Path

from loganalyzer.common.errors import SourceError
from loganalyzer.common.formatting import encodable
from loganalyzer.sources import inputs
from loganalyzer.watch.follower import Follower
from loganalyzer.watch.growth import GrowingLog


def open_growing_log(argument: str) -> tuple[str, GrowingLog]:
    """The log's name, which contains no secrets, and the log.

    Raises:
        SourceError: it does not exist or cannot be read.
    """
    if argument == inputs.STDIN:
        from loganalyzer.watch.stream_log import follow_standard_input

        return argument, follow_standard_input()
    address = inputs.parse_url_argument(argument)
    if address is None:
        return encodable(argument), Follower(Path(argument))
    from loganalyzer.sources.urls import HTTP
    from loganalyzer.watch.server_log import ServerLog

    if address.scheme not in HTTP:
        raise SourceError(f"{address.shown}: watch follows no objects in a store", "pass a file, a server's URL, or -")
    return address.shown, ServerLog(address)
