"""MOD002 on logs: a configured LoRA rank goes before the one that the size requires."""

from __future__ import annotations

import logtext as log
import polars as pl
import pytest

from loganalyzer.settings.model import Settings

RANK_64 = log.BANNER + log.prompt(369).replace("rank256", "rank64")
RANK_256 = log.BANNER + log.prompt(369)


@pytest.mark.parametrize(
    ("text", "rank", "count"), [(RANK_64, None, 1), (RANK_64, 64, 0), (RANK_256, None, 0), (RANK_256, 64, 1)]
)
def test_a_configured_rank_goes_before_that_of_the_size(text: str, rank: int | None, count: int) -> None:
    found = log.analyze(text, Settings(quantization="Q6_K", lora_rank=rank)).findings
    assert found.filter(pl.col("rule") == "MOD002").height == count


def test_the_finding_says_what_upstream_ships_and_names_the_key() -> None:
    found = log.analyze(RANK_64, Settings(quantization="Q6_K")).findings.filter(pl.col("rule") == "MOD002")
    assert found["expected"].to_list() == ["rank 256"]
    assert "If rank 64 is meant, set `lora_rank = 64` in the configuration." in found["fix"][0]
    assert "Upstream's example workflows use rank 64." in found["fix"][0]
