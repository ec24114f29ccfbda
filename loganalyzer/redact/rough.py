"""The one look that most texts get: few are left for the kinds, and many logs need none of them."""

from __future__ import annotations

from typing import Final

ROUGH: Final = (
    r"hf_|api_org_|rpa_|gh[pousr]_|github_pat_|glpat-|AKIA|ASIA|ABIA|ACCA|sk-|AIza|xox|r8_|eyJ"
    r"|(?i:bearer|authorization|token|secret|passw|key|sig|polic|auth|cred|jwt|session|hdnea|runpod|googleaccessid)"
    r"|@|/home/|/Users/|(?i:[\\/](?:users|documents and settings)[\\/])|\d\.\d{1,3}\.\d{1,3}\.\d|[23][0-9A-Fa-f]{3}:"
)
"""No text without one of these holds a secret: one look at a whole column, and few rows are left."""
