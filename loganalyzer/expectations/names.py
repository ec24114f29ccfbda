"""Regexes for facts in names: a model's quantization, a LoRA's rank, a card. Python and polars share them."""

from __future__ import annotations

from typing import Final

QUANTIZATION: Final = r"(?i)(?:^|[^A-Za-z0-9])(Q[2-8]_(?:K(?:_[SML])?|[01]))(?:[^A-Za-z0-9]|$)"
TRUE_PEAKS: Final = ("stage", "last-window")
"""Values of `peak_covers` that include the sampling: with a tiny VAE no decode resets the counter, and all windows are
alike."""
LORA_RANK: Final = r"(?i)rank[_-]?(\d+)"
DISTILL_LORA: Final = "lightx2v"
"""The LoRA whose rank is required; style LoRAs have ranks of their own."""
CARD_MAKER: Final = r"(?i)^(?:NVIDIA\s+)?(?:GeForce\s+)?"
"""The maker before a card's name, ignored when cards are compared."""
