"""Lines of a log as people paste them into a guide, a ticket or a mail: without bars, decorated, with remarks."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable

import logtext as log
import polars as pl
import pytest

from loganalyzer.settings.model import Settings
from loganalyzer.tables.analysis import Analysis

Q6 = Settings(quantization="Q6_K")
RANGES = ((0, 81), (72, 153), (144, 225), (216, 297))
Lines = list[str]


def line(start: int, end: int) -> str:
    return f"Sampling audio indices {start}-{end}"


def excerpt(
    ranges: tuple[tuple[int, int], ...] = RANGES, remark: Callable[[str], str] = str, *, padded: bool = True
) -> Lines:
    """The five indicators of one run of 250 frames."""
    warned = ["Audio embedding for subject 0 not long enough: 250, need 297, padding...", "Padding length: 50"]
    return [
        "Multitalk mode: infinitetalk",
        "Sampling 250 frames in 4 windows, at 1280x720 with 4 steps",
        *(remark(line(*one)) for one in ranges),
        *(warned if padded else []),
        "Max allocated memory: max_memory=15.021 GB",
    ]


def analysed(lines: Lines) -> Analysis:
    return log.analyze("\n".join(lines) + "\n", Q6)


def facts(lines: Lines) -> tuple[object, ...]:
    found = analysed(lines)
    runs = found.runs.select("audio_frames", "observed_windows", "missing_frames", "peak_allocated_gib").rows()
    windows = found.windows.select("audio_start", "audio_end", "matches", "range_source").rows()
    return runs, windows, set(found.findings["rule"]), found.near_misses.height


READ = (
    [(250, 4, 47, 15.021)],
    [(start, end, True, "line") for start, end in RANGES],
    {"AUD001", "LOG003"},
    0,
)

DECORATED: dict[str, Callable[[Lines], Lines]] = {
    "bare": lambda lines: lines,
    "indented": lambda lines: ["    " + one for one in lines],
    "quoted": lambda lines: ["> " + one for one in lines],
    "quoted twice": lambda lines: ["> > " + one for one in lines],
    "in a fence": lambda lines: ["```text", *lines, "```"],
    "numbered": lambda lines: [f"{number}. {one}" for number, one in enumerate(lines, 1)],
    "of grep -n": lambda lines: [f"{37 * number}:{one}" for number, one in enumerate(lines, 1)],
    "of grep -Hn": lambda lines: [f"comfy.log:{37 * number}:{one}" for number, one in enumerate(lines, 1)],
    "in a list": lambda lines: ["- " + one for one in lines],
    "as code": lambda lines: [f"`{one}`" for one in lines],
    "double-spaced": lambda lines: [text for one in lines for text in (one, "")],
    "with entities": lambda lines: [html.escape("> " + one) for one in lines],
    "wrapped by mail": lambda lines: [part for one in lines for part in textwrap.wrap("> " + one, 80)],
    "with an arrow each": lambda lines: [one + "   → what it says" for one in lines],
    "with an arrow to the left each": lambda lines: [one + " <- what it says" for one in lines],
    "with an entity's arrow each": lambda lines: [one + " &rarr; what it says" for one in lines],
}

REMARKS: dict[str, Callable[[str], str]] = {
    "arrow": lambda one: f"{one}   → window k of the video",
    "arrow of signs": lambda one: f"{one} -> window k",
    "arrow to the left": lambda one: f"{one}  <-- window k (ok)",
    "arrow close by": lambda one: f"{one}→window k",
    "entity": lambda one: f"{one} &rarr; window k",
    "hash": lambda one: f"{one}  # window k",
    "brackets": lambda one: f"{one} (window k)",
    "dash": lambda one: f"{one} - window k",
    "tick": lambda one: f"{one} ✅",
    "colon": lambda one: f"{one}:",
}


@pytest.mark.parametrize("form", DECORATED)
def test_a_decorated_excerpt_says_what_the_bare_one_says(form: str) -> None:
    assert facts(DECORATED[form](excerpt())) == READ


@pytest.mark.parametrize("remark", REMARKS)
@pytest.mark.parametrize("form", ["bare", "quoted", "numbered", "with entities"])
def test_a_remark_behind_a_range_is_no_part_of_it(remark: str, form: str) -> None:
    assert facts(DECORATED[form](excerpt(remark=REMARKS[remark]))) == READ


def test_the_end_of_the_audio_is_judged_without_the_padding_warning() -> None:
    found = analysed(excerpt(padded=False))
    assert "47 frames (1.88 s) have no audio" in found.findings.filter(pl.col("rule") == "AUD001")["message"][0]
    assert {"SCH001", "SCH003", "AUD001"}.isdisjoint(found.not_checked["rule"])


def test_a_range_off_the_schedule_is_an_error_also_without_a_bar() -> None:
    found = analysed(excerpt((*RANGES[:3], (212, 293))))
    assert "Window 4 reads audio 212-293" in found.findings.filter(pl.col("rule") == "SCH001")["message"][0]


def test_the_peak_is_judged() -> None:
    rules = {
        peak: set(analysed([log.lora().strip(), *(one.replace("15.021", peak) for one in excerpt())]).findings["rule"])
        for peak in ("15.021", "14.100")
    }
    assert "MOD003" not in rules["15.021"]
    assert "MOD003" in rules["14.100"]


def test_an_excerpt_that_stops_early_lacks_windows_and_one_that_leaves_some_out_does_not() -> None:
    assert "SCH003" in set(analysed(excerpt(RANGES[:3], padded=False)).findings["rule"])
    gap = analysed(excerpt((RANGES[0], RANGES[3]), padded=False))
    assert "SCH003" not in set(gap.findings["rule"])
    assert "the log lacks bars or lines of windows" in gap.not_checked.filter(pl.col("rule") == "SCH003")["reason"][0]


def test_steps_are_not_checked_where_lines_have_no_bars() -> None:
    found = analysed(excerpt())
    assert found.steps.is_empty()
    assert {"TIM003", "TIM004", "TIM005"} <= set(found.not_checked["rule"])
    assert found.windows["steps_done"].null_count() == 4
    assert "ranges come from other lines" in found.findings.filter(pl.col("rule") == "LOG003")["message"][0]


def test_ranges_alone_are_a_run_and_a_restart_is_another() -> None:
    found = analysed([line(*one) for one in (*RANGES[:3], *RANGES[:2])])
    assert found.runs["observed_windows"].to_list() == [3, 2]
    assert found.runs["audio_frames"].to_list() == [None, None]


def test_a_line_beside_its_bar_says_nothing_more() -> None:
    whole = log.prompt(153)
    found = log.analyze(whole.replace(log.EXECUTED, f"{line(0, 81)} → first\n{line(72, 153)}\n") + log.EXECUTED, Q6)
    assert found.windows["range_source"].to_list() == ["bar", "bar"]
    assert found.steps.height == 8
    assert found.runs["observed_windows"].to_list() == [2]


def test_a_window_whose_bar_was_lost_is_known_by_its_line() -> None:
    text = log.prompt(225).replace(log.window(72, 153), line(72, 153) + "\n")
    found = log.analyze(text, Q6)
    assert found.windows["range_source"].to_list() == ["bar", "line", "bar"]
    assert found.windows["window"].to_list() == [1, 2, 3]
    assert "SCH003" not in set(found.findings["rule"])


@pytest.mark.parametrize(
    "bar",
    [
        "Sampling audio indices 0-81:  25%|▎| 1/4 [00:06<00:18,  ",
        "Sampling audio indices 0-81:   0%|          | 0/4 [00:0",
    ],
)
def test_a_bar_cut_by_a_narrow_terminal_is_no_near_miss_of_a_line(bar: str) -> None:
    found = log.analyze(log.ARRIVAL + log.MODE + log.header(81, 1) + bar + "\n", Q6)
    assert found.near_misses.is_empty()
    assert found.windows["range_source"].to_list() == ["bar"]


@pytest.mark.parametrize(
    "prose", ["The line Sampling audio indices shows the range.", "Sampling audio indices 0 to 81", "Sampling audio"]
)
def test_prose_about_a_line_is_no_window(prose: str) -> None:
    found = log.analyze(log.prompt(153) + prose + "\n", Q6)
    assert found.windows.height == 2
    assert found.near_misses.is_empty()


def test_an_arrow_in_a_message_of_open_length_stays_part_of_it() -> None:
    failed = "!!! Exception during processing !!! cannot map float16 -> int8\n"
    found = log.analyze(log.ARRIVAL + log.header(250, 4) + failed + log.EXECUTED, Q6)
    assert found.prompts["error"].to_list() == ["cannot map float16 -> int8"]


def test_impossible_ranges_of_lines_are_left_out() -> None:
    found = analysed([*excerpt(), line(81, 81), line(90, 20), line(10**25, 10**26)])
    assert found.windows.height == 4


@pytest.mark.parametrize("cut", range(len("Sampling audio indices 216-29"), len("Sampling audio indices 216-297:  ")))
def test_a_bar_cut_off_in_its_words_tells_no_window(cut: int) -> None:
    whole = log.ARRIVAL + log.MODE + log.header(250, 4)
    for start in (whole + log.window(0, 81) + "\r", whole + "\r", whole + log.window(0, 81)):
        found = log.analyze(start + "Sampling audio indices 216-297:  "[:cut], Q6)
        assert 216 not in found.windows["audio_start"].to_list()


def test_the_last_line_of_an_excerpt_counts_though_no_line_end_is_behind_it() -> None:
    found = log.analyze("\n".join(line(*one) for one in RANGES), Q6)
    assert found.runs["observed_windows"].to_list() == [4]


LOADED = log.lora().strip()
CLOSED = "Sampling audio indices 0-81: 100%|████| 4/4 [00:22<00:00,  5.50s/it]"
REPORT = "Max allocated memory: max_memory=15.021 GB"
HEADER = "Sampling 81 frames in 1 windows, at 1280x720 with 4 steps"
STEPS = [f"Sampling audio indices 0-81: {25 * n:3d}%|█| {n}/4 [00:0{n}<00:09,  5.00s/it]" for n in range(1, 5)]
ALIKE = "\r".join(STEPS)

EXCERPTS: dict[str, Lines] = {
    "the indicators": excerpt(),
    "ranges alone": [line(*one) for one in RANGES],
    "the indicators behind a request": ["got prompt", *excerpt()],
    "header and report": [HEADER, REPORT],
    "closed bars and report": [HEADER, CLOSED, REPORT],
    "closed bars": [HEADER, ALIKE + "\r" + CLOSED],
    "the header": [HEADER],
    "the loaded LoRA": [LOADED],
    "the report": [REPORT],
    "the padding": ["Audio embedding for subject 0 not long enough: 250, need 297, padding...", "Padding length: 50"],
    "ranges of ComfyUI's own node": ["InfiniteTalk: Processing audio frames 72 - 153"],
}
UNFINISHED: dict[str, Lines] = {
    "a request above": ["got prompt", HEADER],
    "a request above a closed bar": ["got prompt", HEADER, CLOSED, REPORT],
    "a start of the server": [*log.BANNER.splitlines(), *excerpt()],
    "an end of the prompt before": [HEADER, REPORT, log.EXECUTED.strip(), *excerpt()],
    "a bar below its total": [HEADER, "\r".join(STEPS[:3])],
    "a window that was not closed": [HEADER, ALIKE],
    "ranges that stop early": excerpt(RANGES[:3], padded=False)[:-1],
    "a bar where no run is": [
        LOADED,
        "Loading transformer parameters to cuda:0:  50%|█| 500/1000 [00:05<00:05, 90.0it/s]",
    ],
    "a program that prints its end": ["InfiniteTalk expected_frames: 250, fps: 25, duration: 10.000s"],
}


@pytest.mark.parametrize("kind", EXCERPTS)
def test_an_excerpt_does_not_claim_that_its_run_broke_off(kind: str) -> None:
    found = analysed(EXCERPTS[kind])
    assert "RUN004" not in set(found.findings["rule"])
    assert "without the start and the end" in found.not_checked.filter(pl.col("rule") == "RUN004")["reason"][0]
    assert found.prompts["excerpt"].to_list() == [True]


@pytest.mark.parametrize("kind", UNFINISHED)
def test_what_shows_an_unfinished_run_is_no_mere_excerpt(kind: str) -> None:
    assert "RUN004" in set(analysed(UNFINISHED[kind]).findings["rule"])


@pytest.mark.parametrize(("lines", "is_excerpt"), [(1000, True), (1001, False)])
def test_nobody_pastes_more_than_a_thousand_lines(lines: int, is_excerpt: bool) -> None:
    found = analysed([*["foreign"] * (lines - 1), REPORT])
    assert found.prompts["excerpt"].to_list() == [is_excerpt]


def test_a_prompt_that_ended_is_no_excerpt() -> None:
    assert log.analyze(log.prompt(153), Q6).prompts["excerpt"].to_list() == [False]
