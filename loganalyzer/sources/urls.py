"""URLs told from paths, and shown without what opens a door: passwords, tokens, signatures."""

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
"""Schemes whose objects can be listed. None of them reads this machine's own files under a second name."""

MASK: Final = "***"
LONGEST_PLAIN: Final = 15
"""A longer value of a query may be a secret, whatever it is called."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://([^/?#]*)([^?]*)(?:\?(.*))?", re.DOTALL)
_QUOTED_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>]+")
_SECRET_NAME = re.compile(r"(?i)sig|token|key|secret|pass|pwd|auth|cred|code|session|policy|jwt|sas|hash")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in its parts.

    Attributes:
        scheme: in small letters.
        authority: host, or bucket, with what stands in front of it.
        path: begins with a slash, or is empty; as written, escapes and all.
        query: without its question mark; None where there is none.
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
    def place(self) -> str:
        """The address as people and reports may see it, up to the query: it ends as the file's name does."""
        return f"{self.scheme}://{self._shown_authority()}{self.path}"

    @property
    def shown(self) -> str:
        """The address as people and reports may see it."""
        return self.place if self.query is None else f"{self.place}?{'&'.join(map(_masked, self.query.split('&')))}"

    def secrets(self) -> set[str]:
        """What `shown` leaves out, in every spelling that a message may quote."""
        user = self.authority.rpartition("@")[0]
        parts = set(user.split(":")) if self.scheme in HTTP else {user.partition(":")[2]}
        for part in (self.query or "").split("&"):
            if _masked(part) != part:
                parts.add(part.partition("=")[2] or part)
        parts |= {unquote_plus(part) for part in parts} | {unquote(part) for part in parts}
        return {part for part in parts if len(part) > 2}

    def _shown_authority(self) -> str:
        """Of object stores, what stands in front of the host is the container's name and no secret."""
        user, at, host = self.authority.rpartition("@")
        name, colon, _ = user.partition(":")
        if not at or (self.scheme not in HTTP and not colon):
            return self.authority
        return f"{MASK}@{host}" if self.scheme in HTTP else f"{name}:{MASK}@{host}"


def parse(argument: str) -> Address | None:
    """The address that an argument is; None for a path. `C:` is a drive."""
    found = _URL.fullmatch(argument)
    if found is None:
        return None
    scheme, authority, path, query = found[1].lower(), found[2], found[3], found[4]
    if scheme in HTTP:
        path, query = path.partition("#")[0], query and query.partition("#")[0]
    return Address(scheme, authority, path, query)


def without_secrets(text: str, address: Address) -> str:
    """What a library says of an address, which it may quote whole or in part."""
    for secret in sorted(address.secrets(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _QUOTED_URL.sub(lambda found: _shown(found[0]), text)


def _shown(url: str) -> str:
    address = parse(url)
    return address.shown if address else url


def _masked(parameter: str) -> str:
    """A query's parameter with its value masked where it is called like a secret or as long as one."""
    name, equals, value = parameter.partition("=")
    if not equals:
        return parameter if len(parameter) <= LONGEST_PLAIN else MASK
    harmless = not value or (len(value) <= LONGEST_PLAIN and not _SECRET_NAME.search(unquote_plus(name)))
    return parameter if harmless else f"{name}={MASK}"
