"""Parses URLs, and masks their passwords, tokens and signatures for display."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, unquote_plus

HTTP: Final = frozenset({"http", "https"})
STORES: Final = frozenset(
    {
        "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss",
        "hdfs", "webhdfs", "ftp", "sftp", "ssh", "smb", "memory",
    }
)  # fmt: skip
"""Schemes whose objects can be listed. None of them reads local files under another name."""

MASK: Final = "***"
MAX_PLAIN_VALUE: Final = 15
"""A longer query value may be a secret, whatever its name."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://([^/?#]*)([^?]*)(?:\?(.*))?", re.DOTALL)
_QUOTED_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+")
_SECRET_NAME = re.compile(r"(?i)sig|token|key|secret|pass|pwd|auth|cred|code|session|policy|jwt|sas|hash")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a URL.

    Attributes:
        scheme: in lower case.
        authority: the host or bucket, with credentials or a container before it.
        path: starts with a slash, or is empty; percent-encoded as written.
        query: without the question mark; None if there is none.
    """

    scheme: str
    authority: str
    path: str
    query: str | None

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(unquote(self.path)).name

    @property
    def without_query(self) -> str:
        """The address without its query, safe to show to people and in reports; ends like the file's name."""
        return f"{self.scheme}://{self._shown_authority()}{self.path}"

    @property
    def shown(self) -> str:
        """The address, safe to show to people and in reports."""
        return (
            self.without_query
            if self.query is None
            else f"{self.without_query}?{'&'.join(map(_mask_parameter, self.query.split('&')))}"
        )

    def secrets(self) -> set[str]:
        """The parts that `shown` masks, in every spelling that a message may quote."""
        user = self.authority.rpartition("@")[0]
        parts = set(user.split(":")) if self.scheme in HTTP else {user.partition(":")[2]}
        for part in (self.query or "").split("&"):
            if _mask_parameter(part) != part:
                parts.add(part.partition("=")[2] or part)
        parts |= {unquote_plus(part) for part in parts} | {unquote(part) for part in parts}
        return {part for part in parts if len(part) > 2}

    def _shown_authority(self) -> str:
        """The authority with credentials masked. In object stores, the name before the host is a container's."""
        user, at, host = self.authority.rpartition("@")
        name, colon, _ = user.partition(":")
        if not at or (self.scheme not in HTTP and not colon):
            return self.authority
        return f"{MASK}@{host}" if self.scheme in HTTP else f"{name}:{MASK}@{host}"


def parse_url(argument: str) -> Address | None:
    """The address in an argument; None for a path. `C:` is a drive."""
    found = _URL.fullmatch(argument)
    if found is None:
        return None
    scheme, authority, path, query = found[1].lower(), found[2], found[3], found[4]
    if scheme in HTTP:
        path, query = path.partition("#")[0], query and query.partition("#")[0]
    return Address(scheme, authority, path, query)


def mask_secrets(text: str, address: Address) -> str:
    """`text`, e.g. a library's error, which may quote the address or parts of it, with secrets masked."""
    for secret in sorted(address.secrets(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _QUOTED_URL.sub(lambda found: _mask_url(found[0]), text)


def _mask_url(url: str) -> str:
    address = parse_url(url)
    return address.shown if address else url


def _mask_parameter(parameter: str) -> str:
    """A query parameter with its value masked if its name suggests a secret or its value is long."""
    name, equals, value = parameter.partition("=")
    if not equals:
        return parameter if len(parameter) <= MAX_PLAIN_VALUE else MASK
    harmless = not value or (len(value) <= MAX_PLAIN_VALUE and not _SECRET_NAME.search(unquote_plus(name)))
    return parameter if harmless else f"{name}={MASK}"
