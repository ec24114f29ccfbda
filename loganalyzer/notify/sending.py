"""Sends notices through apprise, which selects the service by URL. Failures are returned as messages, not raised."""

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
"""Timeout for all services of a notice together."""


def check_urls(urls: Sequence[str]) -> None:
    """Refuses URLs of unknown services before any log is read.

    Raises:
        ConfigurationError: a URL is invalid, or apprise is not installed.
    """
    for url in urls:
        if not _make_service(url):
            raise ConfigurationError(
                f"--notify: {mask_url(url)} is not the URL of a known service",
                "use for example slack://TOKENS, discord://ID/TOKEN, ntfy://TOPIC or json://HOST/PATH; see "
                "docs/notices.md",
            )


def send_notice(notice: Notice, urls: Sequence[str]) -> list[str]:
    """Sends a notice to all URLs in parallel; returns a message for each that failed. Messages mask the URLs."""
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
    return [f"notice to {mask_url(urls[place])} not sent: {reason}" for place, reason in failed.items()]


def mask_url(url: str) -> str:
    """The scheme of a URL, with the rest masked, because host and path of many services are secret."""
    scheme, colon, _ = url.partition("://")
    is_scheme = bool(colon) and scheme.isascii() and scheme.isalnum() and len(scheme) <= 20
    return f"{scheme.lower()}://…" if is_scheme else "text without a scheme"


def _deliver(notice: Notice, url: str, outcomes: dict[int, str], place: int) -> None:
    """Records an empty text for success, otherwise the reason. It omits library messages, which may contain the URL."""
    try:
        sent = _make_service(url).notify(
            body=notice.body, title=notice.title, notify_type=notice.level, body_format="text"
        )
        outcomes[place] = "" if sent else "the service rejected it or is unreachable"
    except Exception as error:  # noqa: BLE001 -- a failing service must not change the verdict
        outcomes[place] = type(error).__name__


def _make_service(url: str) -> Any:  # noqa: ANN401 -- apprise is an extra
    """An apprise object with only this URL; it is falsy if the URL is invalid."""
    try:
        import apprise
    except ImportError:
        raise ConfigurationError("--notify needs apprise", install_hint("notify")) from None
    logger = logging.getLogger("apprise")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False  # its messages may contain tokens from the URL
    service = apprise.Apprise()
    service.add(url)
    return service
