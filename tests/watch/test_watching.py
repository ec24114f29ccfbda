"""A log that grows write by write: progress is right at every moment, and warnings come before the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import logtext as log
import pytest

from loganalyzer.settings.model import Settings
from loganalyzer.watch.watching import LogWatcher, Look

Q6 = Settings(quantization="Q6_K")


def writes(text: str) -> list[bytes]:
    """The single writes of a log: lines, those of a bar in two pieces."""
    return [piece.encode() for piece in re.findall(r"(?:\r[^\r\n]*){1,3}|[^\r\n]*\n", text)]


def looks(folder: Path, text: str, settings: Settings = Q6, before: str = "") -> Iterator[tuple[bytes, Look]]:
    path = folder / "comfyui.log"
    path.write_text(before)
    with LogWatcher(path, settings) as watching:
        watching.look()
        for piece in writes(text):
            with path.open("ab") as file:
                file.write(piece)
            yield piece, watching.look()


def warned_at(folder: Path, text: str, rule: str, settings: Settings = Q6) -> bytes | None:
    """The write at which a rule's warning came."""
    came = [piece for piece, look in looks(folder, text, settings) if rule in _rules(look)]
    return came[0] if came else None


def _rules(look: Look) -> list[str]:
    return [one.rule for one in look.warned]


def test_padding_ahead_is_said_at_the_header(tmp_path: Path) -> None:
    piece = warned_at(tmp_path, log.BANNER + log.prompt(100), "AUD001")
    assert piece
    assert piece.startswith(b"Sampling 100 frames")


def test_a_second_speaker_who_ends_early_is_said_at_the_header(tmp_path: Path) -> None:
    shapes = "Multitalk audio features shapes (per speaker): [(369, 12, 768), (50, 12, 768)]\n"
    piece = warned_at(tmp_path, log.BANNER + log.prompt(369).replace(log.MODE, shapes + log.MODE), "AUD001")
    assert piece is not None
    assert piece.startswith(b"Sampling 369 frames in")


def test_an_aligned_run_is_watched_without_a_warning(tmp_path: Path) -> None:
    assert [one for _, look in looks(tmp_path, log.BANNER + log.prompt(153)) for one in look.warned] == []


def test_a_wrong_lora_is_said_while_models_are_loaded_and_not_again(tmp_path: Path) -> None:
    text = log.BANNER + log.prompt(153).replace("rank256", "rank64")
    told = [(piece, one.rule) for piece, look in looks(tmp_path, text) for one in look.warned]
    assert [rule for _, rule in told] == ["MOD002"]
    assert told[0][0].startswith(b"Loading LoRA")


def test_a_slow_first_window_is_said_when_it_ends(tmp_path: Path) -> None:
    text = log.BANNER + log.ARRIVAL + log.lora() + log.MODE + log.header(225, 4)
    text += log.window(0, 81, step_s=12.0) + log.window(72, 153, step_s=12.0)
    piece = warned_at(tmp_path, text, "TIM001")
    assert piece
    assert b"0-81" in piece or piece == b"\n"


def test_a_failure_is_said_at_once(tmp_path: Path) -> None:
    text = log.ARRIVAL + log.header(225, 4) + "!!! Exception during processing !!! boom\n" + log.EXECUTED
    piece = warned_at(tmp_path, text, "RUN001")
    assert piece == b"!!! Exception during processing !!! boom\n"


def test_progress_counts_windows_and_steps_and_the_time_left(tmp_path: Path) -> None:
    text = log.BANNER + log.ARRIVAL + log.lora() + log.MODE + log.header(225, 4) + log.window(0, 81)
    text += log.window(72, 153, done=2)
    *_, (_, last) = looks(tmp_path, text)
    (run,) = last.runs
    assert (run.window, run.windows, run.step, run.steps) == (2, 3, 2, 4)
    assert run.s_per_step == pytest.approx(5.0, abs=0.05)
    assert run.left_s == pytest.approx(34.0, abs=1.0)
    assert str(run).startswith("run at line 12: window 2 of 3 · step 2/4 · 5.0")


def test_a_run_that_has_ended_says_so_with_its_peak(tmp_path: Path) -> None:
    *_, (_, last) = looks(tmp_path, log.BANNER + log.prompt(153))
    assert last.runs[0].status == "completed"
    assert "peak 15.0 GiB" in str(last.runs[0])
    assert "left" not in str(last.runs[0])


def test_line_numbers_are_those_of_the_file_after_many_prompts(tmp_path: Path) -> None:
    before = log.BANNER + log.prompt(153) * 120
    found = list(looks(tmp_path, log.prompt(153) + log.prompt(100), before=before))
    (warned,) = [one for _, look in found for one in look.warned]
    lines = (tmp_path / "comfyui.log").read_bytes().split(b"\n")
    assert warned.rule == "AUD001"
    assert lines[warned.line - 1].startswith(b"Sampling 100 frames")


def test_a_half_written_message_is_no_near_miss(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.ARRIVAL)
    with LogWatcher(path, Q6) as watching:
        watching.look()
        for piece in (b"Sampling 153 frames in ", b"6 win", b"dows, at 1280x720 with 4 steps\n"):
            with path.open("ab") as file:
                file.write(piece)
            assert _rules(watching.look()) == []


def test_a_log_begun_anew_is_a_new_log(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.BANNER + log.prompt(100))
    with LogWatcher(path, Q6) as watching:
        assert "AUD001" in _rules(watching.look())
        path.write_text(log.prompt(100))
        look = watching.look()
    assert look.is_new
    assert "AUD001" in _rules(look)
