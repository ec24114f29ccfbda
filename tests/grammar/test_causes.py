"""Errors get the cause and the fix that the catalogue of failures holds for them."""

from __future__ import annotations

import re
import sys
from itertools import pairwise

import polars as pl
import pytest

from loganalyzer.grammar import model
from loganalyzer.grammar.causes import MAX_ERROR_LENGTH, MAX_VALUE_LENGTH, SCHEMA, explain_errors
from loganalyzer.grammar.failures import MAX_ADVICE_LENGTH, Failure, load_shipped_failures
from loganalyzer.grammar.samples import verify_meaning

CATALOGUE = load_shipped_failures()
MESSAGES = [message for failure in CATALOGUE.failures for message in failure.messages]
SAMPLES = [
    pytest.param(failure, sample, id=f"{failure.id}-{number}")
    for failure in CATALOGUE.failures
    for number, sample in enumerate(sample for message in failure.messages for sample in message.samples)
]
FEWEST_FAILURES = 30
WRITTEN_SMALL = ("cuDNN", "ffmpeg", "fp8", "torch")
"""Names that stay in lower case where a sentence begins."""


def of(error: str) -> tuple[str | None, str | None, str | None]:
    """Failure, cause and fix of one error."""
    failure, cause, fix = explain_errors(pl.Series([error])).row(0)
    return failure, cause, fix


def test_the_catalogue_holds_the_commonest_failures() -> None:
    assert len(CATALOGUE.failures) >= FEWEST_FAILURES


@pytest.mark.parametrize(("failure", "sample"), SAMPLES)
def test_a_sample_is_explained_by_its_own_entry(failure: Failure, sample: model.Sample) -> None:
    found, cause, fix = of(sample.line)
    assert found == failure.id
    for text in (cause, fix):
        assert text
        assert not re.search(r"[{}]", text), "a placeholder is not filled"
        assert len(text) <= MAX_ADVICE_LENGTH + MAX_VALUE_LENGTH


@pytest.mark.parametrize("failure", CATALOGUE.failures, ids=lambda failure: failure.id)
def test_a_near_miss_is_not_explained_by_its_entry(failure: Failure) -> None:
    near = {line for message in failure.messages for line in message.near}
    assert near
    assert failure.id not in explain_errors(pl.Series(sorted(near)))["failure"].to_list()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.id)
def test_both_forms_of_a_message_read_its_samples_alike(message: model.Pattern) -> None:
    verify_meaning(message)


@pytest.mark.parametrize("failure", CATALOGUE.failures, ids=lambda failure: failure.id)
def test_an_entry_reads_as_plain_text(failure: Failure) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", failure.id)
    for text in (failure.cause, failure.fix):
        assert text[0].isupper() or text.startswith(("{", *WRITTEN_SMALL))
        assert text[-1] in ".)}"
        assert "  " not in text
    assert "loganalyz" not in failure.fix, "a fix is about ComfyUI's Python, not about this project"
    assert failure.provenance


def test_only_packages_of_the_table_are_named_in_a_pip_command_by_value() -> None:
    for failure in CATALOGUE.failures:
        for command in re.findall(r"pip install[^`]*", failure.fix):
            assert set(re.findall(r"{(\w+)}", command)) <= {"pip_name"}


@pytest.mark.parametrize("module", ["utils", "evil-package", "color_matcher; reboot", 'color_matcher" && reboot'])
def test_a_module_that_is_not_in_the_table_is_never_named_in_a_pip_command(module: str) -> None:
    _, cause, fix = of(f"ModuleNotFoundError: No module named '{module}'")
    assert module in str(cause)
    assert module not in str(fix)
    assert "pip install -r requirements.txt" in str(fix)


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        (
            "ModuleNotFoundError: No module named 'color_matcher'",
            "The Python package color_matcher is not installed",
            "`python -m pip install color-matcher`",
        ),
        ("ModuleNotFoundError: No module named 'cv2'", "package cv2 is", "pip install opencv-python`"),
        ("ModuleNotFoundError: No module named 'PIL'", "package PIL is", "pip install Pillow`"),
        (
            "RuntimeError: expected input[1, 68, 21, 60, 104] to have 36 channels, but got 68 channels instead",
            "takes 36 channels and got 68",
            "WanVideo Image To Video MultiTalk",
        ),
        (
            "CUDA out of memory. Tried to allocate 512.00 MiB. GPU 0 has a total capacity of 23.69 GiB of which",
            "GPU 0 ran out of memory: the allocation requested 0.5 GiB; the GPU has 23.69 GiB in total.",
            "blocks_to_swap",
        ),
        (
            "RuntimeError: RuntimeError: HostBuffer.read_file_slice failed",
            "ran out while copying weights",
            "--disable-pinned-memory",
        ),
        ("OSError: El archivo de paginación … (os error 1455)", "page file", "Windows manage the page file"),
    ],
)
def test_cause_and_fix_name_what_the_message_names(error: str, cause: str, fix: str) -> None:
    _, found_cause, found_fix = of(error)
    assert cause in str(found_cause)
    assert fix in str(found_fix)


@pytest.mark.parametrize(
    ("root", "error"),
    [
        (
            "c-compiler-missing",
            "BackendCompilerFailed: backend='inductor' raised:\nRuntimeError: Failed to find C compiler.",
        ),
        ("vram-exhausted", "BackendCompilerFailed: backend='inductor' raised:\nOutOfMemoryError: CUDA out of memory."),
        ("pinned-memory-exhausted", "hostbuf_read_file_slice: device copy failed\nFatal Python error: Aborted"),
        ("illegal-memory-access", "CUDA error: an illegal memory access was encountered\nFatal Python error: Aborted"),
        ("missing-triton", "ValueError: Can't import SageAttention: No module named 'triton'"),
    ],
)
def test_the_root_cause_wins_over_what_followed_from_it(root: str, error: str) -> None:
    assert of(error)[0] == root


def test_an_error_that_nobody_knows_has_no_cause_and_no_fix() -> None:
    errors = pl.Series(["ValueError: the moon is full", None, "", "MemoryError", None, "MemoryError"])
    found = explain_errors(errors)
    assert found.schema == SCHEMA
    assert found["failure"].to_list() == [None, None, None, "python-memory-error", None, "python-memory-error"]
    assert (
        found["cause"].is_null().to_list() == found["fix"].is_null().to_list() == found["failure"].is_null().to_list()
    )


@pytest.mark.parametrize("errors", [pl.Series([], dtype=pl.String), pl.Series([None], dtype=pl.Null)])
def test_no_errors_give_no_causes(errors: pl.Series) -> None:
    found = explain_errors(errors)
    assert found.schema == SCHEMA
    assert found.height == errors.len()
    assert found.null_count().row(0) == (errors.len(),) * 3


def test_the_order_of_errors_is_kept() -> None:
    lines = [sample.line for message in MESSAGES for sample in message.samples][::-1]
    expected = [message.event for message in MESSAGES for _ in message.samples][::-1]
    assert explain_errors(pl.Series(lines))["failure"].to_list() == expected


@pytest.mark.parametrize("count", [500, 501])
def test_each_of_many_errors_keeps_its_own_values(count: int) -> None:
    modules = [f"module{number}" for number in range(count)]
    found = explain_errors(pl.Series([f"ModuleNotFoundError: No module named '{module}'" for module in modules]))
    assert found["cause"].to_list() == [
        f"The Python module {module} is not installed in ComfyUI's Python." for module in modules
    ]


HOSTILE = "<script>alert(1)</script> {python} {0} %s \\x1b[31m $(reboot) `id` | \u202e\x1b[2J"


def test_text_from_an_error_comes_back_as_text() -> None:
    _, cause, fix = of(f"ModuleNotFoundError: No module named '{HOSTILE}'")
    assert cause == f"The Python module {HOSTILE} is not installed in ComfyUI's Python."
    assert HOSTILE not in str(fix)


@pytest.mark.parametrize(("length", "shown"), [(MAX_VALUE_LENGTH, "m" * 120), (MAX_VALUE_LENGTH + 1, "m" * 119 + "…")])
def test_a_value_longer_than_the_limit_is_cut(length: int, shown: str) -> None:
    _, cause, _ = of(f"ModuleNotFoundError: No module named '{'m' * length}'")
    assert cause == f"The Python module {shown} is not installed in ComfyUI's Python."


@pytest.mark.parametrize(("surplus", "failure"), [(0, "python-memory-error"), (1, None)])
def test_only_the_beginning_of_a_long_error_is_looked_at(surplus: int, failure: str | None) -> None:
    filling = MAX_ERROR_LENGTH - len(" MemoryError") + surplus
    assert of("x" * filling + " MemoryError")[0] == failure


def test_a_number_too_large_to_read_leaves_the_rest_of_the_cause() -> None:
    _, cause, _ = of(f"EinopsError: can't divide axis of length {'9' * 40} in chunks of 2")
    assert cause == "A length of ? cannot be split into groups of 2."


def test_a_message_is_found_over_several_lines_and_blanks() -> None:
    failure, cause, _ = of(
        "ValueError: bad header\r\n\r\nFile  path:\tC:\\m\\a.safetensors\n\nThe safetensors file is incomplete."
    )
    assert failure == "model-file-incomplete-named"
    assert "C:\\m\\a.safetensors" in str(cause)


def test_specific_failures_stand_before_general_ones() -> None:
    order = [failure.id for failure in CATALOGUE.failures]
    chains = [
        ("vram-exhausted-nvidia", "vram-exhausted"),
        ("missing-package", "package-version", "missing-module"),
        ("model-file-incomplete-named", "model-file-incomplete", "model-file-corrupt"),
        ("i2v-model-extra-latents", "channels-differ"),
        ("text-encoder-not-umt5", "matrix-shapes-differ"),
        ("fp8-not-compilable", "compile-failed"),
    ]
    for chain in chains:
        for specific, general in pairwise(chain):
            assert order.index(specific) < order.index(general)


def test_the_catalogue_is_not_loaded_where_nothing_failed() -> None:
    import subprocess

    code = (
        "import polars as pl, sys\n"
        "from loganalyzer.grammar import causes, failures\n"
        "causes.explain_errors(pl.Series([None, None], dtype=pl.String))\n"
        "sys.exit(failures.load_shipped_failures.cache_info().misses)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
