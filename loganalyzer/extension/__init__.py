"""What a package needs that adds rules: the decorator, and what a check gets and returns (docs/extending.md).

These names stay; other modules of the package may change with any version.
"""

from __future__ import annotations

from loganalyzer.checks.findings import Need, Texts, make_findings, make_outcome, skip, split_by_needs
from loganalyzer.checks.registry import Context, Outcome, rule

__all__ = ["Context", "Need", "Outcome", "Texts", "make_findings", "make_outcome", "rule", "skip", "split_by_needs"]
