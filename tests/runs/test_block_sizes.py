"""The block swap summary names the quantization, and contradicts a declared one."""

from __future__ import annotations

import logtext as log
import pytest

from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis


def summary(mib: float) -> str:
    return f"Block swap memory summary:\nTotal memory used by transformer blocks: {mib:.2f}MB\n"


def analyzed(mib: float, settings: Settings | None = None, name: str = "run.log") -> Analysis:
    text = log.ARRIVAL + "Swapping 20 transformer blocks\n" + summary(mib) + log.run(153) + log.EXECUTED
    return log.analyze(text, settings, name)


@pytest.mark.parametrize(
    ("mib", "model", "adapter"),
    [
        (12643.24, "Q6_K", None),
        (17245.59, "Q6_K", "fp16"),
        (10766.68, "Q5_0", None),
        (13044.02, "Q5_K_S", "Q8_0"),
        (18261.99, "Q8_0", "Q6_K"),
        (15410.43, "fp8", None),
        (30810.43, "fp16", None),
    ],
)
def test_each_size_is_that_of_one_model_and_adapter(mib: float, model: str, adapter: str | None) -> None:
    (run,) = analyzed(mib).runs.to_dicts()
    assert (run["quantization"], run["quantization_source"], run["adapter_quantization"]) == (model, "log", adapter)


@pytest.mark.parametrize(("off", "source"), [(0.04, "log"), (-0.04, "log"), (0.06, None), (-0.06, None)])
def test_a_size_that_is_off_by_more_than_the_rounding_names_none(off: float, source: str | None) -> None:
    (run,) = analyzed(12643.24 + off).runs.to_dicts()
    assert run["quantization_source"] == source


@pytest.mark.parametrize(
    ("declared", "severities"),
    [("Q5_0", ["error"]), ("Q6_K", []), ("q6_k", [])],
    ids=["another", "the same", "lower case"],
)
def test_a_declared_quantization_that_the_log_contradicts_is_an_error(declared: str, severities: list[str]) -> None:
    found = analyzed(17245.59, Settings(quantization=declared))
    assert found.findings.filter(rule="MOD003")["severity"].to_list() == severities
    assert found.runs["quantization"].to_list() == ["Q6_K"]
    assert "MOD003" not in found.not_checked["rule"].to_list()


def test_a_configured_severity_goes_before() -> None:
    found = analyzed(17245.59, Settings(quantization="Q5_0", severities={"MOD003": "info"}))
    assert found.findings.filter(rule="MOD003")["severity"].to_list() == ["info"]


def test_the_log_counts_more_than_the_files_name() -> None:
    found = analyzed(17245.59, name="night_Q8_0.log")
    assert found.runs["quantization"].to_list() == ["Q6_K"]
    assert found.findings.filter(rule="MOD003").is_empty()


def test_a_summary_of_another_prompt_says_nothing() -> None:
    found = log.analyze(log.ARRIVAL + summary(12643.24) + log.run(153) + log.EXECUTED + log.prompt(153))
    assert found.runs["quantization_source"].to_list() == ["log", "vram"]


def test_no_two_sizes_are_so_near_that_the_rounding_could_swap_them() -> None:
    from loganalyzer.expectations.quantizations import shipped
    from loganalyzer.runs import block_sizes

    sums = block_sizes._possible_sums()["sum_mib"].sort()
    assert sums.diff().drop_nulls().min() > 2 * shipped().blocks.tolerance_mib  # type: ignore[operator]
