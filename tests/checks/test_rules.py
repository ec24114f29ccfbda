"""Each rule fires on the log that shows its fault, and is silent on the one that does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import logtext as log
import polars as pl
import pytest
import recorderlogs

from loganalyzer.checks.registry import rules
from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

Q6 = Settings(quantization="Q6_K")
ASKED = Settings(workflow=Path(__file__).with_name("talk.json"))
AUDIO_TOLD = "[MultiTalk] total raw duration = {:.3f}s\n"
SHORTER = "[MultiTalk] Audio duration (153 frames) is shorter than requested ({} frames). Using 153 frames.\n"
NO_SILENCE = "No encoded silence file found, padding with end of audio embedding instead.\n"
GROWING = "".join(
    f"[WanVAE decode] Allocated memory: memory={6 + k * 0.03:.3f} GB\n"
    "[WanVAE decode] Max allocated memory: max_memory=7.000 GB\n"
    "[WanVAE decode] Max reserved memory: max_reserved=8.000 GB\n"
    for k in range(5)
)


def windows(*step_seconds: float) -> str:
    """A whole prompt whose windows have these steady step times."""
    audio = 81 + 72 * (len(step_seconds) - 1)
    text = log.BANNER + log.ARRIVAL + log.lora() + log.MODE + log.header(audio, len(step_seconds) + 1)
    for number, seconds in enumerate(step_seconds):
        text += log.window(72 * number, 72 * number + 81, step_s=seconds)
    return text


def whole(text: str, reserved: float = 16.0) -> str:
    return text + log.memory(reserved=reserved) + log.EXECUTED


OUTLIER = log.refresh("Sampling audio indices 0-81", 3, 4, 24, " 8.43s/it")
LATE_OUTLIER = whole(windows(5, 5)).replace(
    log.refresh("Sampling audio indices 72-153", 3, 4, 15, " 5.00s/it"),
    log.refresh("Sampling audio indices 72-153", 3, 4, 24, " 9.11s/it"),
)
CLEAN = log.BANNER + log.prompt(369)

LEFT_OUT = (
    "Failed to validate prompt for output 131:\n* WanVideoModelLoader 22:\n"
    "  - Value not in list: model: 'a.gguf' not in ['b.safetensors']\nOutput will be ignored\n"
)
REFUSED = log.ARRIVAL + LEFT_OUT + "invalid prompt: {'type': 'prompt_outputs_failed_validation'}\n"
NO_VIDEO = "[VideoHelperSuite] - ERROR - An error occurred in the ffmpeg subprocess:\nNo space left on device\n"
DEAD_WORKER = "Exception in thread Thread-7 (prompt_worker):\ngot prompt\n"
IN_TILES = "Warning: Ran out of memory when regular VAE decoding, retrying with tiled VAE decoding.\n"
NOT_A_NUMBER = "/opt/nodes.py:94: RuntimeWarning: invalid value encountered in cast\n"
LOST_KEY = "lora key not loaded: blocks.0.cross_attn.k.lora_A.weight\n"

CASES: list[tuple[str, str, Settings, str, Settings]] = [
    ("SCH001", log.prompt(297).replace("144-225", "140-221"), Q6, CLEAN, Q6),
    ("SCH002", log.prompt(250).replace("in 4 windows", "in 7 windows"), Q6, log.prompt(369), Q6),
    ("SCH003", log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + log.EXECUTED, Q6, CLEAN, Q6),
    ("SCH004", log.prompt(153).replace("72-153", "56-137"), Q6, CLEAN, Q6),
    ("AUD001", log.prompt(427), Q6, log.prompt(369), Q6),
    ("RUN008", CLEAN + REFUSED, Q6, CLEAN, Q6),
    ("RUN009", CLEAN.replace(log.ARRIVAL, log.ARRIVAL + LEFT_OUT), Q6, CLEAN + REFUSED, Q6),
    ("RUN010", CLEAN.replace(log.EXECUTED, NO_VIDEO + log.EXECUTED), Q6, CLEAN, Q6),
    ("RUN011", CLEAN.replace(log.EXECUTED, NOT_A_NUMBER + log.EXECUTED), Q6, CLEAN, Q6),
    ("RUN007", CLEAN.replace(log.EXECUTED, DEAD_WORKER), Q6, CLEAN, Q6),
    ("RUN012", CLEAN.replace(log.EXECUTED, IN_TILES + log.EXECUTED), Q6, CLEAN, Q6),
    ("MOD005", CLEAN.replace(log.MODE, LOST_KEY + log.MODE), Q6, CLEAN, Q6),
    ("AUD002", log.prompt(369), Q6, log.prompt(427), Q6),
    ("AUD003", log.prompt().replace(log.MODE, SHORTER.format(250) + log.MODE), Q6,
     log.prompt().replace(log.MODE, SHORTER.format(154) + log.MODE), Q6),
    ("AUD004", log.prompt(427).replace("Sampling 427", NO_SILENCE + "Sampling 427"), Q6,
     log.prompt(369).replace("Sampling 369", NO_SILENCE + "Sampling 369"), Q6),
    ("AUD005", log.prompt(60), Q6, log.prompt(81), Q6),
    ("AUD006", log.prompt(427).replace(log.MODE, AUDIO_TOLD.format(18.565) + log.MODE), Q6,
     log.prompt(427).replace(log.MODE, AUDIO_TOLD.format(17.084) + log.MODE), Q6),
    ("MEM001", log.prompt(report=log.memory(16.2, 17.0)), Q6, CLEAN, Q6),
    ("MEM002", log.prompt(report=log.memory(14.1)), Q6, CLEAN, Q6),
    ("MEM003", log.BANNER + log.prompt(report=log.memory(15.0, 31.2)), Q6, CLEAN, Q6),
    ("MEM004", log.prompt(report=log.memory(14.1, 19.8)), Q6, CLEAN, Q6),
    ("MEM005", log.prompt(250, report=GROWING + log.memory_2026()), Q6, CLEAN, Q6),
    ("MEM006", log.prompt() + log.prompt(250), Q6, log.prompt() + log.prompt(report=log.memory(15.01)), Q6),
    ("MEM007", log.prompt(report=log.memory_2026()), Q6, CLEAN, Q6),
    ("MOD001", log.prompt(report=log.memory(14.1)), Settings(),
     log.prompt(size="832x480"), Settings(quantization="Q5_0")),
    ("MOD002", log.prompt().replace("rank256", "rank64"), Q6, CLEAN, Q6),
    ("MOD003", log.prompt(report=log.memory(14.1)), Q6, CLEAN, Q6),
    ("TIM001", whole(windows(5, 5, 9)), Q6, whole(windows(5, 5, 5)), Q6),
    ("TIM002", whole(windows(9, 9, 9)), Q6, whole(windows(5, 5, 6.5)), Q6),
    ("TIM003", LATE_OUTLIER, Q6, whole(windows(5, 5)), Q6),
    ("TIM004", whole(windows(5.0, 5.3, 5.6, 5.9)), Q6, whole(windows(5.9, 5.6, 5.3, 5.0)), Q6),
    ("TIM005", whole(windows(5, 40, 40), reserved=31.0), Q6, whole(windows(5, 40, 40), reserved=16.0), Q6),
    ("CST001", log.prompt().replace("80.36", "300.00"), Settings(quantization="Q6_K", price_per_hour=2.0),
     log.prompt(), Settings(quantization="Q6_K", price_per_hour=0.9)),
    ("RUN001", log.ARRIVAL + log.header(250, 4) + "!!! Exception during processing !!! boom\n" + log.EXECUTED, Q6,
     CLEAN, Q6),
    ("MOD004", recorderlogs.prompt(153, attention="sageattn"), Q6, recorderlogs.prompt(153), Q6),
    ("RUN002", log.ARRIVAL + log.header(250, 4) + "!!! Exception during processing !!! Allocation on device \n"
     "Got an OOM, unloading all loaded models.\n" + log.EXECUTED, Q6, CLEAN, Q6),
    ("RUN003", log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=1) + "Processing interrupted\n" + log.EXECUTED,
     Q6, CLEAN, Q6),
    ("RUN004", log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=1), Q6, CLEAN, Q6),
    ("RUN006", log.prompt(369).replace(log.EXECUTED, "Traceback (most recent call last):\n" + log.EXECUTED), Q6,
     log.prompt(369).replace(log.MODE, "Traceback (most recent call last):\n" + log.MODE), Q6),
    ("RUN005", log.prompt(369, size="832x480"), ASKED, CLEAN, ASKED),
    ("LOG001", "Sampling 250 frames in four windows, at 1280x720 with 4 steps\n" + CLEAN, Q6,
     "Sampling rate 44100, frames in buffer 81 windows\n" + CLEAN, Q6),
    ("LOG002", "caf\udce9\n" + CLEAN, Q6, "café\n" + CLEAN, Q6),
    ("LOG003", log.ARRIVAL + log.MODE + log.header(153, 3) + log.memory() + log.EXECUTED, Q6, CLEAN, Q6),
    ("LOG004", log.prompt(427).replace("Sampling ", "Rendering "), Q6, CLEAN, Q6),
]  # fmt: skip
IDS = [case[0] for case in CASES]
BESIDE_A_LOG = {"REG001", "REG002", "REG003", "REG004", "REG005", "CFG001"}
"""Rules on more than one log have tests of their own."""


def found(text: str, settings: Settings) -> Analysis:
    from loganalyzer.pipeline import analyze_inputs
    from loganalyzer.sources.inputs import from_bytes

    return analyze_inputs([from_bytes("test.log", text.encode("utf-8", "surrogateescape"))], settings)


@pytest.mark.parametrize(("rule", "text", "settings", "_silent", "_settings"), CASES, ids=IDS)
def test_the_rule_fires_on_its_fault(
    rule: str, text: str, settings: Settings, _silent: str, _settings: Settings
) -> None:
    rows = found(text, settings).findings.filter(pl.col("rule") == rule)
    assert rows.height >= 1
    row = rows.row(0, named=True)
    assert row["severity"] == rules()[rule].severity
    for column in ("source", "line", "message", "fix", "observed"):
        assert row[column] not in (None, ""), column
    assert "{}" not in row["message"]
    assert "null" not in row["message"]


@pytest.mark.parametrize(("rule", "_text", "_settings", "silent", "settings"), CASES, ids=IDS)
def test_the_rule_is_silent_without_its_fault(
    rule: str, _text: str, _settings: Settings, silent: str, settings: Settings
) -> None:
    assert rule not in found(silent, settings).findings["rule"].to_list()


def test_every_rule_has_a_case_here() -> None:
    assert set(IDS) | BESIDE_A_LOG == {rule.id for rule in rules().values() if rule.witness == "log"}


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.id)
def test_every_rule_is_documented_in_one_place(rule: object) -> None:
    for text in ("summary", "why", "example", "fix"):
        assert len(getattr(rule, text)) > 10


def test_a_clean_run_passes_with_informative_findings_only() -> None:
    analysis = found(CLEAN, Q6)
    assert analysis.verdict == "pass"
    assert analysis.findings["severity"].unique().to_list() == ["info"]


def test_the_shortfall_says_frames_seconds_place_and_three_ways_out() -> None:
    row = found(log.prompt(427), Q6).findings.filter(pl.col("rule") == "AUD001").row(0, named=True)
    assert row["message"] == (
        "14 frames (0.56 s) have no audio: frames 427–440 (0:17.08–0:17.64) follow encoded silence. "
        "The shortfall is small."
    )
    assert [line.strip() for line in row["fix"].split("\n")] == [
        "Trim the video to 427 frames:",
        "`ffmpeg -i VIDEO.mp4 -t 17.08 -c:a copy OUT.mp4`",
        "Or extend the audio to 17.66 s and render with num_frames = 441 (node MultiTalkWav2VecEmbeds):",
        "`ffmpeg -i AUDIO.wav -af apad=whole_dur=17.66 OUT.wav`",
        "Or render 369 frames (14.76 s) with num_frames = 369; 2.32 s of audio remain unused.",
    ]
    assert row["line"] == 10


@pytest.mark.parametrize(("audio", "missing", "is_small"), [(417, 24, True), (416, 25, False)])
def test_a_shortfall_below_one_second_is_called_small(audio: int, missing: int, is_small: bool) -> None:
    row = found(log.prompt(audio), Q6).findings.row(by_predicate=pl.col("rule") == "AUD001", named=True)
    assert row["observed"].startswith(f"{missing} frames missing")
    assert row["message"].endswith(" The shortfall is small.") == is_small


def test_one_missing_frame_is_said_in_the_singular() -> None:
    row = found(log.prompt(440), Q6).findings.row(by_predicate=pl.col("rule") == "AUD001", named=True)
    assert row["message"].startswith("1 frame (0.04 s) has no audio: ")


def test_too_light_a_model_comes_with_the_key_that_allows_it() -> None:
    row = found(log.prompt(369), Settings(quantization="Q5_0")).findings
    fix = row.row(by_predicate=pl.col("rule") == "MOD001", named=True)["fix"]
    assert (
        "If Q5_0 is meant, set `quantization` in a `[[requirement]]` of the baselines file with `pixels = 921600`."
        in fix
    )


def test_a_shorter_speakers_shortfall_names_that_speakers_ways_out() -> None:
    text = log.prompt(369).replace(log.padding(369, 369), log.padding(369, 369) + log.padding(300, 369, subject=1))
    row = found(text, Q6).findings.row(by_predicate=pl.col("rule") == "AUD001", named=True)
    assert "frames 300–368 (0:12.00–0:14.76)" in row["message"]
    assert row["fix"].startswith("Trim the video to 300 frames:")
    assert "extend the audio to 14.78 s" in row["fix"]
    assert "render 297 frames (11.88 s)" in row["fix"]


def test_a_warning_with_a_number_too_large_to_be_one_takes_no_figures_from_the_others() -> None:
    warnings = log.padding(427, 441) + log.padding(427, 10**20, subject=1)
    text = log.prompt(427).replace(log.padding(427, 441), warnings).replace("Sampling 427 frames in", "Rendering")
    row = found(text, Q6).findings.row(by_predicate=pl.col("rule") == "AUD001", named=True)
    assert row["message"].startswith("14 frames (0.56 s) have no audio: frames 427–440")
    assert row["observed"] == "14 frames missing (have 427, need 441)"


def test_no_aligned_count_is_named_of_a_schedule_that_does_not_end_where_the_warning_says() -> None:
    text = log.prompt(153).replace("72-153", "56-137").replace(log.padding(153, 153), log.padding(300, 369))
    fix = found(text, Q6).findings.filter(pl.col("rule") == "AUD001")["fix"].item()
    assert "Trim" in fix
    assert "Or render " not in fix


@pytest.mark.parametrize(("audio", "missing", "cut"), [(175, 50, 153), (425, 16, 369), (427, 14, 369)])
def test_the_guides_own_examples(audio: int, missing: int, cut: int) -> None:
    analysis = found(log.prompt(audio), Q6)
    assert analysis.runs["missing_frames"].item() == missing
    fix = analysis.findings.filter(pl.col("rule") == "AUD001")["fix"].item()
    assert f"render {cut} frames" in fix


@pytest.mark.parametrize("rule", ["MEM001", "MEM002", "MOD003"])
def test_a_figure_that_is_no_sampling_peak_is_never_held_against_a_baseline(rule: str) -> None:
    analysis = found(log.prompt(report=log.memory_2026(7.2)), Q6)
    assert rule not in analysis.findings["rule"].to_list()
    reasons = analysis.not_checked.filter(pl.col("rule") == rule)["reason"].to_list()
    assert reasons == ["this wrapper version does not print the sampling peak"]


@pytest.mark.parametrize("rule", ["MEM001", "MEM002"])
def test_an_inferred_quantisation_never_confirms_itself(rule: str) -> None:
    analysis = found(log.prompt(), Settings())
    assert analysis.runs["quantization_source"].item() == "vram"
    assert "cannot confirm" in analysis.not_checked.filter(pl.col("rule") == rule)["reason"].item()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (log.prompt().replace("rank256", "rank64"), "MEM002"),
        ("Swapping 20 transformer blocks\n" + log.prompt(), "MEM001"),
        (log.prompt(size="832x480"), "MEM001"),
    ],
    ids=["another LoRA", "block swap", "another size"],
)
def test_unlike_is_not_compared_with_like(text: str, rule: str) -> None:
    text = (
        text.replace("got prompt\n", "got prompt\nSwapping 20 transformer blocks\n")
        if text.startswith("Swap")
        else text
    )
    assert "no baseline" in found(text, Q6).not_checked.filter(pl.col("rule") == rule)["reason"].item()


@pytest.mark.parametrize(("gib", "end"), [(14.1, "at 1280x720. It matches Q5_0."), (5.0, "at 1280x720.")])
def test_a_peak_too_low_names_the_quantisation_that_it_fits(gib: float, end: str) -> None:
    findings = found(log.prompt(report=log.memory(gib)), Q6).findings
    assert findings.filter(pl.col("rule") == "MEM002")["message"].item().endswith(end)


def test_a_portrait_is_held_against_the_landscapes_baseline() -> None:
    assert "MEM002" in found(log.prompt(size="720x1280", report=log.memory(14.1)), Q6).findings["rule"].to_list()


def test_doubled_sizes_of_december_2025_condemn_no_model() -> None:
    residue = "[Sampling] Allocated memory: memory=0.1 GB\n" + log.memory_2026(0.138)
    analysis = found(log.prompt(size="1664x960", report=residue), Settings(quantization="Q5_0"))
    assert "MOD001" not in analysis.findings["rule"].to_list()
    assert "doubled" in analysis.not_checked.filter(pl.col("rule") == "MOD001")["reason"].item()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda: Settings(quantization="Q6_K", ignore=("AUD001",)), "pass"),
        (lambda: Settings(quantization="Q6_K", select=("MEM001",)), "pass"),
        (lambda: Settings(quantization="Q6_K", severities={"AUD001": "warning"}), "warn"),
        (lambda: Q6, "fail"),
    ],
)
def test_severities_and_selection_are_the_users(change: Callable[[], Settings], expected: str) -> None:
    assert found(log.prompt(427), change()).verdict == expected


def message(text: str, rule: str) -> str:
    return str(found(text, Q6).findings.filter(pl.col("rule") == rule)["message"].item())


def test_a_window_that_is_configured_and_not_observed_is_called_so() -> None:
    header = log.ARRIVAL + log.MODE + log.header(60, 1)
    assert "60 of the 81 frames of the window." in message(header + log.window(0, 81) + log.memory(), "AUD005")
    assert "60 of the 81 frames of a configured window." in message(header + log.memory(), "AUD005")


def test_an_overlap_that_no_second_window_shows_is_not_stated() -> None:
    one = log.ARRIVAL + log.MODE + log.header(100, 1) + log.window(0, 121) + log.memory() + log.EXECUTED
    assert message(one, "SCH004") == "The run used a window of 121 frames, not 81."
    two = log.prompt(153).replace("72-153", "56-137")
    assert message(two, "SCH004") == "The run used windows of 81 frames with an overlap of 25, not 81/9."


def log_lines(rule_id: str) -> list[str]:
    """The lines of a rule's example without the notes on them."""
    return [line for line in rules()[rule_id].example.split("\n") if not line.startswith("# ")]


def swapped(text: str, *pairs: tuple[str, str]) -> str:
    """`text` with other lines; each line to replace is in it exactly once."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def bar(start: int, step: int, elapsed: int, rate: float) -> str:
    return log.refresh(f"Sampling audio indices {start}-{start + 81}", step, 4, elapsed, f"{rate:5.2f}s/it")


PEAK, RESERVED = log.memory().splitlines(keepends=True)[1:]

EMBEDDED: dict[str, tuple[Callable[..., str], Settings]] = {
    "SCH001": (lambda a, b: swapped(CLEAN, (log.window(72, 153), a), (log.window(144, 225), b)), Q6),
    "SCH002": (lambda a: swapped(log.prompt(250), (log.header(250, 4), a)), Q6),
    "SCH003": (lambda *lines: log.ARRIVAL + log.MODE + "".join(lines), Q6),
    "SCH004": (lambda a, b: swapped(log.prompt(), (log.window(0, 81), a), (log.window(72, 153), b)), Q6),
    "AUD001": (lambda a, b: swapped(log.prompt(427), (log.padding(427, 441), a + b)), Q6),
    "AUD002": (lambda a, b: swapped(log.prompt(153), (log.padding(153, 153), a + b)), Q6),
    "AUD003": (lambda a: swapped(log.prompt(427), (log.MODE, a + log.MODE)), Q6),
    "AUD004": (lambda a: swapped(log.prompt(427), (log.MODE, log.MODE + a)), Q6),
    "AUD005": (lambda a: swapped(log.prompt(60), (log.header(60, 1), a)), Q6),
    "AUD006": (lambda a, b: swapped(log.prompt(392), (log.MODE, a + log.MODE), (log.header(392, 6), b)), Q6),
    "MEM001": (lambda a: swapped(CLEAN, (PEAK, a)), Q6),
    "MEM002": (lambda a: swapped(CLEAN, (PEAK, a)), Q6),
    "MEM003": (lambda a, b: swapped(CLEAN, (log.BANNER.splitlines(keepends=True)[0], a), (RESERVED, b)), Q6),
    "MEM004": (lambda a, b: swapped(CLEAN, (PEAK + RESERVED, a + b)), Q6),
    "MEM005": (lambda *lines: log.prompt(250, report="".join(lines) + log.memory_2026()), Q6),
    "MEM006": (lambda a, b: log.prompt(153, report=a + b) + log.prompt(250, report=a + b), Q6),
    "MEM007": (lambda a: log.prompt(report=a), Q6),
    "MOD001": (lambda a: swapped(CLEAN, (log.header(369, 6), a)), Settings(quantization="Q5_0")),
    "MOD002": (lambda a: swapped(CLEAN, (log.lora(), a)), Q6),
    "MOD003": (lambda a: swapped(CLEAN, (PEAK, a)), Q6),
    "MOD004": (lambda a: swapped(CLEAN, (log.MODE, a + log.MODE)), Q6),
    "MOD005": (lambda a: swapped(CLEAN, (log.MODE, a + log.MODE)), Q6),
    "TIM001": (lambda a: swapped(CLEAN, (log.window(216, 297), a)), Q6),
    "TIM002": (
        lambda a, b: swapped(log.BANNER + log.prompt(153), (log.window(0, 81), a), (log.window(72, 153), b)), Q6
    ),
    "TIM003": (
        lambda a, b: swapped(
            whole(windows(5, 5)), (bar(72, 2, 10, 5), f"\r{a[:-1]}"), (bar(72, 3, 15, 5), f"\r{b[:-1]}")
        ),
        Q6,
    ),
    "TIM004": (
        lambda *lines: swapped(
            whole(windows(5.0, 5.3, 5.6, 5.9)),
            *((bar(72 * k, 3, int(3 * (5 + 0.3 * k)), 5 + 0.3 * k), f"\r{line[:-1]}") for k, line in enumerate(lines)),
        ),
        Q6,
    ),
    "TIM005": (
        lambda a, b, c: swapped(
            whole(windows(5, 40)),
            (bar(0, 3, 15, 5), f"\r{a[:-1]}"), (bar(72, 3, 120, 40), f"\r{b[:-1]}"), (RESERVED, c),
        ),
        Q6,
    ),
    "CST001": (lambda a: swapped(CLEAN, (log.EXECUTED, a)), Settings(quantization="Q6_K", price_per_hour=2.0)),
    "RUN001": (lambda a: log.ARRIVAL + log.header(250, 4) + a + log.EXECUTED, Q6),
    "RUN002": (lambda *lines: log.ARRIVAL + log.header(250, 4) + "".join(lines) + log.EXECUTED, Q6),
    "RUN003": (lambda a: log.ARRIVAL + log.header(250, 4) + log.window(0, 81, done=1) + a + log.EXECUTED, Q6),
    "RUN004": (lambda a: log.ARRIVAL + log.MODE + log.header(250, 4) + log.window(0, 81) + a, Q6),
    "RUN005": (lambda a: swapped(CLEAN, (log.header(369, 6), a)), ASKED),
    "RUN006": (lambda *lines: swapped(CLEAN, (log.EXECUTED, "".join(lines))), Q6),
    "RUN007": (lambda *lines: swapped(CLEAN, (log.EXECUTED, "".join(lines))), Q6),
    "RUN008": (lambda *lines: CLEAN + log.ARRIVAL + "".join(lines), Q6),
    "RUN009": (lambda *lines: swapped(CLEAN, (log.ARRIVAL, log.ARRIVAL + "".join(lines))), Q6),
    "RUN010": (lambda *lines: swapped(CLEAN, (log.EXECUTED, "".join(lines) + log.EXECUTED)), Q6),
    "RUN011": (lambda a: swapped(CLEAN, (log.EXECUTED, a + log.EXECUTED)), Q6),
    "RUN012": (lambda a: swapped(CLEAN, (log.EXECUTED, a + log.EXECUTED)), Q6),
    "LOG001": (lambda a: a + CLEAN, Q6),
    "LOG003": (lambda *lines: log.ARRIVAL + log.MODE + "".join(lines) + log.EXECUTED, Q6),
    "LOG004": (lambda *lines: log.ARRIVAL + "".join(lines) + log.memory() + log.EXECUTED, Q6),
}  # fmt: skip
"""Runs around the lines of each rule's example."""
WITHOUT_LINES = {*BESIDE_A_LOG, "LOG002"}
"""Rules whose examples are notes: no line of a single log shows the fault."""


def embedded(rule_id: str) -> tuple[str, Settings]:
    write, settings = EMBEDDED[rule_id]
    return write(*(f"{line}\n" for line in log_lines(rule_id))), settings


@pytest.mark.parametrize("rule_id", EMBEDDED)
def test_a_rule_fires_on_its_example(rule_id: str) -> None:
    analysis = found(*embedded(rule_id))
    assert rule_id in analysis.findings["rule"].to_list()


@pytest.mark.parametrize("rule_id", sorted(EMBEDDED.keys() - {"LOG001"}))
def test_the_lines_of_an_example_are_no_near_misses(rule_id: str) -> None:
    assert found(*embedded(rule_id)).near_misses["text"].to_list() == []


def test_every_rule_on_logs_has_an_example_of_log_lines() -> None:
    on_logs = {rule.id for rule in rules().values() if rule.witness == "log"}
    assert {rule_id for rule_id in on_logs if log_lines(rule_id)} == EMBEDDED.keys() == on_logs - WITHOUT_LINES


@pytest.mark.parametrize("rule_id", ["AUD002", "RUN003", "TIM001", "MEM004", "RUN008"])
def test_a_finding_without_a_fix_of_its_own_has_its_rules(rule_id: str) -> None:
    fixes = found(*embedded(rule_id)).findings.filter(pl.col("rule") == rule_id)["fix"]
    assert fixes.unique().to_list() == [rules()[rule_id].fix]


def test_a_failure_with_a_known_cause_has_the_causes_fix_and_any_other_its_rules() -> None:
    start = log.ARRIVAL + log.header(250, 4)
    fixes = [
        found(start + f"!!! Exception during processing !!! {error}\n" + log.EXECUTED, Q6)
        .findings.filter(pl.col("rule") == "RUN001")["fix"]
        .item()
        for error in ("No module named 'sageattention'", "boom")
    ]
    assert fixes[0] != rules()["RUN001"].fix
    assert fixes[1] == rules()["RUN001"].fix
