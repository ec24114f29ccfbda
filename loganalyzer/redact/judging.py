"""Decides whether a pattern's match really is a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final


@dataclass(frozen=True, slots=True)
class Span:
    """A match that may be a secret, with the text around it."""

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
"""Names of accounts and folders that do not identify a person."""
_FILE_ENDINGS: Final = frozenset(
    {
        "safetensors", "gguf", "ckpt", "pth", "bin", "onnx", "py", "json", "txt", "log", "png", "jpg", "jpeg", "webp",
        "mp4", "wav", "mp3", "flac", "yaml", "toml", "service", "socket", "slice", "scope", "timer", "target", "mount",
    }
)  # fmt: skip
"""File extensions and systemd unit types: none of them is a top-level domain."""
_VERSION_BEFORE: Final = (
    r"(?i)(?:[=<>~!]=?|[-_v(/]"
    r"|\b(?:version|release|build|driver|python|cuda|cudnn)\W{0,3})$"
)
_ADDRESS_BEFORE: Final = (
    r"(?i)(?:://|@|\b(?:ip|host(?:name)?|addr(?:ess)?|client|server|peer|remote|from|to|at|on|via|connect\w*|listen\w*|bind"
    r"|ssh|ping|proxy|gateway|dns|visit\w*|public|for|by)\b[\s:=('\"\[]{0,4})$"
)
_ADDRESS_BEHIND: Final = r"(?::\d{2,5}\b|/\d{1,2}\b|['\"]?, ?\d{2,5}\)| - - \[)"
"""These three are compiled only when a text holds four numbers with dots between them."""


def is_person(span: Span) -> bool:
    """Whether this is the name of a person's home folder."""
    name = span.value.strip()
    return bool(name) and name.lower() not in SERVICE_NAMES and not name.startswith(("‹", "$", "%", "<", "{", "*", "."))


def is_mail(span: Span) -> bool:
    """Whether this is an e-mail address rather than a file or unit with an @ in its name."""
    name, _, host = span.value.partition("@")
    if span.text.endswith("://", 0, span.start):
        return False
    return host.rpartition(".")[2].lower() not in _FILE_ENDINGS and name.lower() != "git"


def is_readable(span: Span) -> bool:
    """Whether the value is still readable: a tool may have replaced it with asterisks before."""
    return not set(span.value) <= {"*", ":"}


_PLACEHOLDERS: Final = frozenset(
    {
        "none", "null", "nil", "true", "false", "yes", "no", "on", "off", "is", "was", "are", "not", "for", "and", "or",
        "the", "a", "an", "in", "to", "of", "set", "unset", "missing", "required", "invalid", "incorrect", "wrong",
        "empty", "expired", "given", "found", "ok", "error", "failed", "must", "has", "will", "can", "cannot", "str",
        "string", "bytes", "optional", "hidden", "redacted", "masked", "undefined", "unknown", "default", "from",
    }
)  # fmt: skip
"""Words that follow a secret's name in a sentence, where a value would be."""


def is_value(span: Span) -> bool:
    """Whether this is a value rather than a word of a sentence, a mask or a placeholder."""
    value = span.value.strip(" .:!?-")
    return (
        bool(value)
        and value.lower() not in _PLACEHOLDERS
        and not set(value) <= set("*•x.")
        and value[0] not in "‹<$%{("
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
"""Values of settings that share a name with a credential but are not secret."""
_SYNTAX: Final = re.compile(
    r"(?i)\b(?:unexpected|invalid|illegal|unknown|special|syntax|bad|stop|end|start|begin|first|last|next|new|per|motion"
    r"|audio|text|image|class|prompt|each|max|min|no) $"
)
"""Words before `token` that mean a piece of text, not a credential."""
_CODE: Final = re.compile(r"(?i)^(?:torch|tensor|dtype|cuda|float|int|0x)|\.(?:safetensors|gguf|py|json|txt|pth?|bin)$")
_SWITCH: Final = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")
_LEAST_SWITCHES: Final = 2
_WORDS: Final = re.compile(r"[a-z]+(?:_[a-z]+)+$")
"""An identifier in snake case."""
_SHORTEST: Final = 4
_LONG: Final = 10
"""Minimum length at which both cases and a digit rule out a word."""


def is_credential(span: Span) -> bool:
    """Whether this is a credential, for names that do not always mean one."""
    value = span.value.strip(" .:!?-")
    before = span.text[max(0, span.start - 40) : span.start]
    means_text = re.search(r"(?i)token[\"']?\s{0,3}[:=]", before)
    return (
        is_value_not_path(span)
        and len(value) >= _SHORTEST
        and value.lower() not in _TOKEN_WORDS
        and not _WORDS.match(value)
        and not value.replace(".", "").replace("-", "").isdigit()
        and not _CODE.search(value)
        and not (means_text and _SYNTAX.search(before[: means_text.start()]))
    )


def is_random(span: Span) -> bool:
    """Whether the value after a name and a space is random (letters and digits alternate) rather than a word.

    After the name of a password, one digit is enough: people choose passwords.
    """
    if not is_mixed(span) or _CODE.search(span.value) or not is_value_not_path(span):
        return False
    before = span.text[max(0, span.start - 24) : span.start].lower()
    chosen = "pass" in before or (len(span.value) >= _LONG and is_mixed_case(span))
    return chosen or len(_SWITCH.findall(span.value)) >= _LEAST_SWITCHES


def is_value_not_path(span: Span) -> bool:
    """As `is_value`, and not a path: `PWD` is the working folder in a shell, and a password elsewhere."""
    return is_value(span) and not span.value.startswith(("/", "~", ".")) and span.value[1:3] not in {":\\", ":/"}


def is_mixed_case(span: Span) -> bool:
    """Whether the value has lower case, upper case and digits: base64 does, a checksum does not."""
    return has_digit(span) and span.value != span.value.lower() and span.value != span.value.upper()


def has_digit(span: Span) -> bool:
    """Whether the value has a digit: tokens do, words do not."""
    return any(letter.isdigit() for letter in span.value)


def is_mixed(span: Span) -> bool:
    """Whether the value has both letters and digits."""
    return has_digit(span) and any(letter.isalpha() for letter in span.value)


def is_public(span: Span) -> bool:
    """Whether this is a public IPv4 address. Versions can have four parts too, so the context decides."""
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
    """Whether this is a public IPv6 address."""
    try:
        return IPv6Address(span.value).is_global
    except ValueError:
        return False
