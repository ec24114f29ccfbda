"""Returns the current time, which SOURCE_DATE_EPOCH can fix."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from loganalyzer.common.errors import ConfigurationError


def now() -> datetime:
    """The current UTC time in whole seconds, or `SOURCE_DATE_EPOCH` if set, for reproducible output.

    Raises:
        ConfigurationError: the variable is not a whole number of seconds.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigurationError(
            f"SOURCE_DATE_EPOCH is {fixed!r}", "it must be a whole number of seconds since 1970"
        ) from None
