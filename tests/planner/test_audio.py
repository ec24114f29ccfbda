"""Lengths of audio files: exact where the header counts samples, doubted where it counts packets."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from loganalyzer.common.errors import SourceError
from loganalyzer.planner.audio import PACKETS_S, read_length

RATE = 48_000
SECONDS = 2.5


def written(path: Path, codec: str) -> Path:
    """A sound of `SECONDS` seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=RATE)
        samples = (np.sin(np.arange(int(SECONDS * RATE)) / 40) * 0.3).astype("float32")
        for start in range(0, len(samples), 960):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 960], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def probe(folder: Path, answer: str) -> None:
    """A program of ffprobe's name that writes down what it was called with."""
    program = folder / "ffprobe"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{folder}/called"\n{answer}\n')
    program.chmod(0o755)


def test_another_format_is_left_to_ffprobe_which_may_open_that_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe(tmp_path, "echo 12.480000")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    strange = tmp_path / "-a; touch b.webm"
    strange.write_bytes(b"\x1aE\xdf\xa3 no header that is known here")
    found = read_length(strange)
    assert (found.seconds, found.uncertainty_s) == (12.48, PACKETS_S)
    called = (tmp_path / "called").read_text().splitlines()
    assert called[-2:] == ["-i", str(strange)]
    assert called[called.index("-protocol_whitelist") + 1] == "file"
    assert not (tmp_path / "b.webm").exists()


@pytest.mark.parametrize("answer", ["echo N/A", "exit 1", "echo inf", "echo"])
def test_a_file_that_ffprobe_cannot_read_either_is_refused(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe(tmp_path, answer)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "a.webm").write_bytes(b"nothing that is known")
    with pytest.raises(SourceError, match="cannot be read as audio"):
        read_length(tmp_path / "a.webm")


def test_without_ffprobe_another_format_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.webm").write_bytes(b"nothing that is known")
    with pytest.raises(SourceError, match="ffprobe"):
        read_length(tmp_path / "a.webm")


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.ogg", "libopus")],
)
def test_the_length_holds_within_its_bound(name: str, codec: str, tmp_path: Path) -> None:
    found = read_length(written(tmp_path / name, codec))
    assert SECONDS - 0.03 <= found.seconds <= SECONDS + max(found.uncertainty_s, 0.0005)
    assert found.uncertainty_s == (0.0 if name in ("a.wav", "a.flac") else PACKETS_S)


def test_a_wave_file_is_exact_to_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\0" * 273_344)
    assert read_length(path).seconds == 17.084


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.wav", b"RIFF\xff\xff\xff\xffWAVEfmt "),
        ("a.wav", b"got prompt\n"),
        ("a.mp3", b"no music"),
        ("a.flac", b"fLaC" + b"\0" * 50),
        ("a.m4a", b"\0\0\0\x08ftyp" * 3),
        ("a.ogg", b"OggS"),
        ("a.txt", b"words"),
        ("empty.wav", b""),
    ],
)
def test_a_file_that_is_no_audio_gets_a_clear_message(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=name) as raised:
        read_length(path)
    assert "loganalyze plan 17.084" in raised.value.hint


def test_a_missing_file_gets_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_length(tmp_path / "gone.wav")
