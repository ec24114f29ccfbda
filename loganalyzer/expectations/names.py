"""What file names tell: the quantisation of a model, the rank of a LoRA. Expressions that Python and polars share."""

from __future__ import annotations

from typing import Final

QUANTIZATION: Final = r"(?i)(?:^|[^A-Za-z0-9])(Q[2-8]_(?:K(?:_[SML])?|[01]))(?:[^A-Za-z0-9]|$)"
LORA_RANK: Final = r"(?i)rank[_-]?(\d+)"
DISTILL_LORA: Final = "lightx2v"
"""The LoRA whose rank is required; style LoRAs beside it have ranks of their own."""
