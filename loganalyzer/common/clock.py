"""The time of writing, as an argument that can be fixed."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from loganalyzer.common.errors import ConfigurationError


def now() -> datetime:
    """The current time in UTC to the second, or `SOURCE_DATE_EPOCH` where it is set, for equal bytes from equal input.

    Raises:
        ConfigurationError: the variable holds no whole number of seconds.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigurationError(
            f"SOURCE_DATE_EPOCH is {fixed!r}", "it takes seconds since 1970 as a whole number"
        ) from None
