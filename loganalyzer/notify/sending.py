"""Sends a notice through apprise, which knows services by their URL; failures are messages, never exceptions."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from loganalyzer.common.errors import ConfigurationError, install_hint

if TYPE_CHECKING:
    from loganalyzer.notify.message import Notice

TIMEOUT_S: Final = 10.0
"""Seconds after which a service that does not answer is left alone; all services of a notice share them."""


def check(urls: Sequence[str]) -> None:
    """Refuse URLs of no known service, before any log is read.

    Raises:
        ConfigurationError: a URL is not understood, or apprise is not installed.
    """
    for url in urls:
        if not _service(url):
            raise ConfigurationError(
                f"--notify: {shown(url)} is not a URL of a known service",
                "for example slack://TOKENS, discord://ID/TOKEN, ntfy://TOPIC or json://HOST/PATH; see docs/notices.md",
            )


def send(notice: Notice, urls: Sequence[str]) -> list[str]:
    """Send a notice to every URL at once; returns a message for each that failed. No URL is ever shown whole."""
    outcomes: dict[int, str] = {}
    threads = [
        threading.Thread(target=_deliver, args=(notice, url, outcomes, place), daemon=True)
        for place, url in enumerate(urls)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + TIMEOUT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"no answer within {TIMEOUT_S:g} s"
    failed = {place: outcomes.get(place, late) for place in range(len(urls)) if outcomes.get(place) != ""}
    return [f"notice to {shown(urls[place])} not sent: {reason}" for place, reason in failed.items()]


def shown(url: str) -> str:
    """The scheme of a URL with everything behind it masked: host and path of many services are the secret."""
    scheme, colon, _ = url.partition("://")
    is_scheme = bool(colon) and scheme.isascii() and scheme.isalnum() and len(scheme) <= 20
    return f"{scheme.lower()}://…" if is_scheme else "a text without a scheme"


def _deliver(notice: Notice, url: str, outcomes: dict[int, str], place: int) -> None:
    """Note an empty text for success, else the reason; a library's message may quote the URL, and is left out."""
    try:
        sent = _service(url).notify(body=notice.body, title=notice.title, notify_type=notice.level, body_format="text")
        outcomes[place] = "" if sent else "the service refused it or cannot be reached"
    except Exception as error:  # noqa: BLE001 -- whatever a service's code does, the verdict stands
        outcomes[place] = type(error).__name__


def _service(url: str) -> Any:  # noqa: ANN401 -- apprise is an extra
    """An apprise object with this URL alone, false where the URL is not understood."""
    try:
        import apprise
    except ImportError:
        raise ConfigurationError("--notify needs apprise", install_hint("notify")) from None
    logger = logging.getLogger("apprise")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False  # its messages may hold the URL's tokens
    service = apprise.Apprise()
    service.add(url)
    return service
