"""What names tell: a model's quantization, a LoRA's rank, a card. Expressions that Python and polars share."""

from __future__ import annotations

from typing import Final

QUANTIZATION: Final = r"(?i)(?:^|[^A-Za-z0-9])(Q[2-8]_(?:K(?:_[SML])?|[01]))(?:[^A-Za-z0-9]|$)"
TRUE_PEAKS: Final = ("stage", "last-window")
"""What a peak covers where it holds the sampling: with a tiny VAE no decode resets the counter, and each window is like
the last."""
LORA_RANK: Final = r"(?i)rank[_-]?(\d+)"
DISTILL_LORA: Final = "lightx2v"
"""The LoRA whose rank is required; style LoRAs beside it have ranks of their own."""
CARD_MAKER: Final = r"(?i)^(?:NVIDIA\s+)?(?:GeForce\s+)?"
"""What stands before a card's own name, and is left out where cards are compared."""
