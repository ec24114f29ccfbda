"""`--audio`: the length that logs of ComfyUI's own nodes do not tell."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import nativelogs as native
import pytest
from click.testing import CliRunner, Result

from loganalyzer.cli.group import main


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "native.log"
    path.write_text(native.BANNER + native.prompt(72, 144))
    return path


def call(log: Path, *words: object) -> Result:
    return CliRunner().invoke(main, [str(log), "--no-html", "--json", "-", *map(str, words)])


def run(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.stdout)
    return told["runs"][0]  # type: ignore[no-any-return]


def test_seconds_of_audio_decide_whether_frames_are_missing(log: Path) -> None:
    assert call(log, "--audio", "9.04").exit_code == 0
    short = call(log, "--audio", "9.0")
    assert (short.exit_code, run(short)["missing_frames"], run(short)["audio_frames"]) == (1, 1, 224)


def test_an_audio_file_tells_the_same_as_its_length(log: Path, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "voice.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(b"\0\0\0\0" * round(8.0 * 44_100))
    found = run(call(log, "--audio", tmp_path / "voice.wav"))
    assert (found["audio_frames"], found["missing_frames"], found["audio_s"]) == (199, 26, 8.0)


def test_without_audio_the_verdict_is_incomplete_and_strict_fails(log: Path) -> None:
    assert (call(log).exit_code, call(log, "--strict").exit_code) == (0, 1)
    assert call(log, "--strict", "--audio", "9.04").exit_code == 0


@pytest.mark.parametrize("audio", ["there-is-none.wav", "0", "-3", "1e99"])
def test_audio_that_has_no_length_is_refused(log: Path, audio: str) -> None:
    result = call(log, f"--audio={audio}")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_what_a_file_of_noise_holds_is_no_audio(log: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(bytes(range(256)) * 8)
    result = call(log, "--audio", tmp_path / "noise.wav")
    assert (result.exit_code, "noise.wav" in result.stderr) == (2, True)


def test_the_summary_names_who_sampled(log: Path) -> None:
    result = CliRunner().invoke(main, [str(log), "--no-html"])
    assert "infinitetalk (core)" in result.stdout
