"""`loganalyze plan` as a user calls it."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from workflows import api, native, saved, skyreels

from loganalyzer.cli.group import main


def call(*words: object) -> Result:
    return CliRunner().invoke(main, ["plan", *map(str, words)])


def document(*words: object) -> dict[str, object]:
    result = call(*words, "--json", "-")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def speech(path: Path, seconds: float) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\0" * round(seconds * 16_000))
    return path


def test_the_document_is_that_of_the_contract() -> None:
    told = document("17.084")
    assert told["audio_s"] == 17.084
    assert told["fps"] == 25.0
    assert told["available_frames"] == 427
    recommended = {
        "frames": 369, "windows": 5, "announced_windows": 6, "duration_s": 14.76, "unused_audio_s": 2.324,
        "expected_total_s": [100.0, 110.0], "expected_cost_usd": None,
    }  # fmt: skip
    assert {key: told["recommended"][key] for key in recommended} == recommended  # type: ignore[index]
    following = {"frames": 441, "windows": 6, "missing_frames": 14, "missing_s": 0.56}
    assert {key: told["next_aligned"][key] for key in following} == following  # type: ignore[index]
    assert told["schedule"] == {"window_frames": 81, "motion_frames": 9, "stride": 72}


def test_audio_files_and_lengths_give_the_same_plan(tmp_path: Path) -> None:
    from_file = document(speech(tmp_path / "a.wav", 17.084))
    assert from_file["recommended"] == document("17.084")["recommended"] == document("0:17.084")["recommended"]


def test_the_ways_that_lose_no_speech_stand_beside_a_plan_that_cuts_more_than_is_missing() -> None:
    text = call("150").stdout
    assert "2.76 s of the audio remain unused" in text
    assert "one more window needs only 0.12 s" in text
    assert "ffmpeg -i VIDEO.mp4 -t 150 -c:a copy OUT.mp4" in text
    assert "ffmpeg -i AUDIO.wav -af apad=whole_dur=150.14 OUT.wav" in text


@pytest.mark.parametrize(("frames", "is_said"), [(369 + 36, False), (369 + 37, True)])
def test_other_ways_are_said_to_lose_less_only_where_less_is_missing_than_unused(frames: int, is_said: bool) -> None:
    assert ("one more window needs only" in call("--frames", frames).stdout) == is_said


def test_aligned_audio_needs_no_trimming_and_no_silence() -> None:
    text = call("14.76").stdout
    assert "ffmpeg" not in text
    assert "needs 72 frames (2.88 s) more audio" in text


def test_audio_shorter_than_a_window_recommends_nothing() -> None:
    assert document("2.0")["recommended"] is None
    assert "shorter than one window" in call("2.0").stdout


@pytest.mark.parametrize(("multi", "frames"), [("para", 250), ("add", 350)])
def test_several_speakers_are_put_together(multi: str, frames: int, tmp_path: Path) -> None:
    files = [speech(tmp_path / "a.wav", 10.0), speech(tmp_path / "b.wav", 4.0)]
    assert document(*files, "--multi", multi)["available_frames"] == frames


def test_a_request_that_loses_a_frame_is_named_with_the_way_around() -> None:
    result = call("--frames", 945)
    assert "yields 944" in result.stdout
    assert "set num_frames to 948" in result.stdout


@pytest.mark.parametrize(
    ("words", "usd"),
    [(["--quantization", "Q6_K"], 0.0517), (["--price-per-hour", "0.94"], 0.0274), ([], None)],
)
def test_the_cost_comes_from_the_price_or_from_the_house_figure(words: list[str], usd: float | None) -> None:
    assert document("17.084", *words)["recommended"]["expected_cost_usd"] == usd  # type: ignore[index]


def test_an_unknown_card_has_no_expected_time() -> None:
    told = document("17.084", "--gpu", "RTX 9999")
    assert told["recommended"]["expected_total_s"] is None  # type: ignore[index]


def test_other_schedules_are_planned_too() -> None:
    assert document("17.084", "--motion", 25)["recommended"]["frames"] == 417  # type: ignore[index]


def test_dropped_frames_of_a_workflow_shorten_the_stride_unless_an_option_gives_the_schedule(tmp_path: Path) -> None:
    path = saved(tmp_path, skyreels())
    assert document("8.8", "--workflow", path)["schedule"] == {"window_frames": 81, "motion_frames": 5, "stride": 64}
    assert document("8.8", "--workflow", path)["recommended"]["frames"] == 209
    assert document("8.8", "--workflow", path, "--motion", 9)["schedule"]["stride"] == 72


def test_a_clip_of_comfyuis_own_nodes_has_no_frame_count_to_type(tmp_path: Path) -> None:
    assert "num_frames is typed into" not in call("17.084", "--workflow", saved(tmp_path, native())).stdout


def test_a_workflow_tells_its_own_schedule_and_the_node_to_type_into(tmp_path: Path) -> None:
    path = saved(tmp_path, api(_5={"motion_frame": 25}, _7={"value": 500}))
    told = document("17.084", "--workflow", path)
    assert told["recommended"]["frames"] == 417  # type: ignore[index]
    assert told["node"] == {"node_id": "7", "title": "Max frames", "input": "value", "value": 500}
    assert "node 7 (Max frames), value" in call("17.084", "--workflow", path).stdout


def test_the_table_lists_aligned_counts_for_any_rate() -> None:
    told = document("--table", "--rows", 3, "--fps", 23.976)
    assert [row["frames"] for row in told["aligned"]] == [81, 153, 225]  # type: ignore[union-attr]
    assert [row["request"] for row in told["aligned"]] == [82, 154, 226]  # type: ignore[union-attr]
    assert len(call("--table", "--rows", 5).stdout.splitlines()) == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give one of"),
        (["17", "--frames", "3"], "give one of"),
        (["17", "--table"], "takes no audio"),
        (["no.wav"], "no such file"),
        (["0"], "not a valid audio length"),
        (["99999999999"], "not a valid audio length"),
        (["17", "--size", "big"], "1280x720"),
        (["17", "--fps", "1e308"], "range"),
        (["17", "--fps", "nan"], "not a finite number"),
        (["17", "--price-per-hour", "nan"], "not a finite number"),
        (["17", "--price-per-hour", "inf"], "range"),
        (["17", "--window", "9", "--motion", "9"], "loganalyze: --motion 9 leaves no stride in --window 9"),
        (["17", "--window", "9"], "loganalyze: motion_frames = 9 leaves no stride in --window 9"),
        (["17", "--motion", "90"], "no stride"),
        (["17", "--workflow", "gone.json"], "no such file"),
    ],
)
def test_bad_input_gets_one_clear_message_and_exit_2(words: list[str], message: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_that_is_no_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no music")
    result = call(tmp_path / "a.mp3")
    assert result.exit_code == 2
    assert "a.mp3" in result.stderr


def test_a_native_plan_uses_the_nodes_own_arithmetic() -> None:
    told = document("10.0", "--native")
    assert (told["producer"], told["fps"], told["available_frames"]) == ("core", 25, 249)
    recommended, cut_back = told["recommended"], told["cut_back"]
    assert (recommended["frames"], recommended["windows"]) == (225, 3)  # type: ignore[index]
    assert (recommended["announced_windows"], recommended["request"], recommended["padding"]) == (None, None, 0)  # type: ignore[index]
    assert (cut_back["rendered_frames"], cut_back["cut_to_frames"]) == (297, 249)  # type: ignore[index]
    assert document("10.0")["available_frames"] == 250
    assert document("10.0")["producer"] == "wrapper"


def test_a_native_plan_says_which_nodes_to_chain() -> None:
    text = call("10.0", "--native").stdout
    assert "3 WanInfiniteTalkToVideo nodes of length 81, motion_frame_count 9" in text
    assert "297 frames come out, the last 48 follow repeated audio" in text
    assert "num_frames" not in text
    assert "previous_frames" not in call("3.3", "--native").stdout.split("or trim")[0]


def test_native_speakers_follow_one_another() -> None:
    assert document("5.0", "5.0", "--native")["available_frames"] == 248


def test_a_native_plan_at_another_rate_is_refused() -> None:
    result = call("10.0", "--native", "--fps", "24")
    assert result.exit_code == 2
    assert "25 fps" in result.stderr


def test_a_native_table_announces_no_windows_beyond_those_that_run() -> None:
    told = document("--table", "--rows", "3", "--native")
    rows = [(row["windows"], row["frames"], row["request"]) for row in told["aligned"]]  # type: ignore[attr-defined]
    assert rows == [(1, 81, None), (2, 153, None), (3, 225, None)]
    assert [row["announced_windows"] for row in told["aligned"]] == [1, 2, 3]  # type: ignore[attr-defined]


def test_a_workflow_of_native_nodes_is_planned_in_their_own_arithmetic(tmp_path: Path) -> None:
    told = document("10.0", "--workflow", saved(tmp_path, native()))
    assert (told["producer"], told["available_frames"]) == ("core", 249)
    assert document("10.0", "--workflow", saved(tmp_path, api()))["available_frames"] == 250
