"""A second look at what a pattern took for a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final


@dataclass(frozen=True, slots=True)
class Span:
    """What may be a secret, in the text where it stands."""

    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """The secret itself."""
        return self.text[self.start : self.end]


SERVICE_NAMES: Final = frozenset(
    {
        "root", "runner", "ubuntu", "user", "users", "debian", "admin", "app", "comfy", "comfyui", "jovyan", "vscode",
        "docker", "nobody", "public", "shared", "default", "ec2-user", "opc", "sandbox", "workspace", "appuser",
        "nonroot", "data", "defaultuser0", "guest",
    }
)  # fmt: skip
"""Names of accounts and folders that say nothing about a person."""
_ENDINGS: Final = frozenset(
    {
        "safetensors", "gguf", "ckpt", "pth", "bin", "onnx", "py", "json", "txt", "log", "png", "jpg", "jpeg", "webp",
        "mp4", "wav", "mp3", "flac", "yaml", "toml", "service", "socket", "slice", "scope", "timer", "target", "mount",
    }
)  # fmt: skip
"""What follows the last dot of a file or unit, and is no top-level domain."""
_VERSION_BEFORE: Final = (
    r"(?i)(?:[=<>~!]=?|[-_v(/]"
    r"|\b(?:version|release|build|driver|python|cuda|cudnn)\W{0,3})$"
)
_ADDRESS_BEFORE: Final = (
    r"(?i)(?:://|@|\b(?:ip|host(?:name)?|addr(?:ess)?|client|server|peer|remote|from|to|at|on|via|connect\w*|listen\w*|bind"
    r"|ssh|ping|proxy|gateway|dns|visit\w*|public|for|by)\b[\s:=('\"\[]{0,4})$"
)
_ADDRESS_BEHIND: Final = r"(?::\d{2,5}\b|/\d{1,2}\b|['\"]?, ?\d{2,5}\)| - - \[)"
"""The three are compiled by the first text with four numbers and dots between them."""


def is_person(span: Span) -> bool:
    """Whether this is the name of a person's home folder."""
    name = span.value.strip()
    return bool(name) and name.lower() not in SERVICE_NAMES and not name.startswith(("‹", "$", "%", "<", "{", "*", "."))


def is_mail(span: Span) -> bool:
    """Whether this is an address, and no file or unit with an @ in its name."""
    name, _, host = span.value.partition("@")
    if span.text.endswith("://", 0, span.start):
        return False
    return host.rpartition(".")[2].lower() not in _ENDINGS and name.lower() != "git"


def is_told(span: Span) -> bool:
    """Whether it was not left out already."""
    return not set(span.value) <= {"*", ":"}


_NO_SECRETS: Final = frozenset(
    {
        "none", "null", "nil", "true", "false", "yes", "no", "on", "off", "is", "was", "are", "not", "for", "and", "or",
        "the", "a", "an", "in", "to", "of", "set", "unset", "missing", "required", "invalid", "incorrect", "wrong",
        "empty", "expired", "given", "found", "ok", "error", "failed", "must", "has", "will", "can", "cannot", "str",
        "string", "bytes", "optional", "hidden", "redacted", "masked", "undefined", "unknown", "default", "from",
    }
)  # fmt: skip
"""What follows a secret's name in prose, in place of a value."""


def is_given(span: Span) -> bool:
    """Whether this is a value, and no word of a sentence, mark or placeholder."""
    value = span.value.strip(" .:!?-")
    return (
        bool(value) and value.lower() not in _NO_SECRETS and not set(value) <= set("*•x.") and value[0] not in "‹<$%{("
    )


_TOKEN_WORDS: Final = frozenset(
    {
        "audio", "video", "image", "text", "first", "last", "next", "mean", "learned", "latent", "latents", "motion",
        "frame", "class", "bearer", "basic", "digest", "oauth", "oauth2", "apikey", "custom", "enabled", "disabled",
        "public", "private", "user", "include", "omit", "same-origin", "file", "provider", "type", "count", "index",
        "merge", "embedding", "mask", "local", "global", "anonymous", "token", "tokens", "auth", "read", "write",
        "value", "number", "name", "expected",
    }
)  # fmt: skip
"""Values of settings that are called like a credential and are none."""
_SYNTAX: Final = re.compile(
    r"(?i)\b(?:unexpected|invalid|illegal|unknown|special|syntax|bad|stop|end|start|begin|first|last|next|new|per|motion"
    r"|audio|text|image|class|prompt|each|max|min|no) $"
)
"""What stands before `token` where it means a piece of a text."""
_CODE: Final = re.compile(r"(?i)^(?:torch|tensor|dtype|cuda|float|int|0x)|\.(?:safetensors|gguf|py|json|txt|pth?|bin)$")
_SWITCH: Final = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")
_LEAST_SWITCHES: Final = 2
_WORDS: Final = re.compile(r"[a-z]+(?:_[a-z]+)+$")
"""Words with underscores between, as code names its values."""
_SHORTEST: Final = 4
_LONG: Final = 10
"""Letters from which on both cases and a digit are no word's."""


def is_credential(span: Span) -> bool:
    """Whether this is the value of a name that means a credential only sometimes."""
    value = span.value.strip(" .:!?-")
    before = span.text[max(0, span.start - 40) : span.start]
    means_text = re.search(r"(?i)token[\"']?\s{0,3}[:=]", before)
    return (
        is_no_folder(span)
        and len(value) >= _SHORTEST
        and value.lower() not in _TOKEN_WORDS
        and not _WORDS.match(value)
        and not value.replace(".", "").replace("-", "").isdigit()
        and not _CODE.search(value)
        and not (means_text and _SYNTAX.search(before[: means_text.start()]))
    )


def is_random(span: Span) -> bool:
    """Whether the value behind a name and a blank is none of a sentence's words: letters and digits, in turns.

    Behind the name of a password, which people choose, one digit is enough.
    """
    if not is_mixed(span) or _CODE.search(span.value) or not is_no_folder(span):
        return False
    before = span.text[max(0, span.start - 24) : span.start].lower()
    chosen = "pass" in before or (len(span.value) >= _LONG and is_mixed_case(span))
    return chosen or len(_SWITCH.findall(span.value)) >= _LEAST_SWITCHES


def is_no_folder(span: Span) -> bool:
    """As `is_given`, and no path: `PWD` is the working folder in a shell, and a password elsewhere."""
    return is_given(span) and not span.value.startswith(("/", "~", ".")) and span.value[1:3] not in {":\\", ":/"}


def is_mixed_case(span: Span) -> bool:
    """Whether it has small and capital letters and digits, as base64 does and a checksum does not."""
    return has_digit(span) and span.value != span.value.lower() and span.value != span.value.upper()


def has_digit(span: Span) -> bool:
    """Whether it has a digit: words do not, tokens do."""
    return any(letter.isdigit() for letter in span.value)


def is_mixed(span: Span) -> bool:
    """Whether it has letters and digits."""
    return has_digit(span) and any(letter.isalpha() for letter in span.value)


def is_public(span: Span) -> bool:
    """Whether this is a routed address: versions have four parts too, so that what stands around it decides."""
    parts = [int(part) for part in span.value.replace("-", ".").split(".")]
    if any(part > 255 for part in parts) or not ip_address(".".join(map(str, parts))).is_global:
        return False
    before = span.text[max(0, span.start - 24) : span.start]
    is_bracketed = before.endswith("[") and span.text.startswith("]", span.end)
    if "-" in span.value or is_bracketed:
        return True
    if re.search(_ADDRESS_BEFORE, before) or re.compile(_ADDRESS_BEHIND).match(span.text, span.end):
        return True
    return any(part >= 100 for part in parts) and not re.search(_VERSION_BEFORE, before)


def is_public_v6(span: Span) -> bool:
    """Whether this is an address that is routed on the internet."""
    try:
        return IPv6Address(span.value).is_global
    except ValueError:
        return False
