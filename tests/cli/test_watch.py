"""`loganalyze watch` as a real process beside a server that writes its log."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import logtext as log
import pytest
from click.testing import CliRunner
from comfyserver import Comfy, running

from loganalyzer.cli.group import main
from loganalyzer.watch.events import EventLines
from loganalyzer.watch.progress import Progress
from loganalyzer.watch.watching import Look

HANGS_S = 300
"""After so long without an answer a process hangs; no machine is that slow."""


def started(path: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "loganalyzer", "watch", str(path), "--interval", "0.1", "--quantization", "Q6_K"]
    return subprocess.Popen(
        [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=path.parent
    )


def wait_until(is_true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for an event as long as the process lives; only a process that hangs runs into the time limit."""
    patience = time.monotonic() + HANGS_S
    while not is_true():
        assert process.poll() is None, "the watch ended by itself"
        assert time.monotonic() < patience
        time.sleep(0.05)


def test_the_warning_arrives_before_the_logs_end(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.touch()
    noted = tmp_path / "noted.txt"
    note = f"{sys.executable} -c \"import os; open('{noted}', 'a').write(os.environ['LOGANALYZE_RULE'] + ';')\""
    process = started(path, "--on-error", note)
    text = log.BANNER + log.prompt(427)
    middle = text.index("Sampling audio indices 72-153")
    with path.open("a") as file:
        file.write(text[:middle])
        file.flush()
        wait_until(noted.exists, process)
        file.write(text[middle:])
    assert process.stdout is not None
    output = ""
    while "completed" not in output:
        line = process.stdout.readline()
        assert line, "the watch ended by itself"
        output += line
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=HANGS_S)
    output += rest
    assert process.returncode == 1, errors
    assert noted.read_text() == "AUD001;"
    assert "error AUD001 audio-shortfall, line" in output
    assert "The last 14 frames (0.56 s) will be driven by padding" in output
    assert re.search(r"window \d of 6", output)
    assert "\x1b" not in output


def test_a_sound_log_ends_with_exit_0(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.BANNER + log.prompt(369))
    process = started(path, "--once-idle", "0.5")
    output, _ = process.communicate(timeout=HANGS_S)
    assert process.returncode == 0
    assert "completed" in output


def test_a_log_without_a_run_ends_with_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text("nothing of the kind\n")
    process = started(path, "--once-idle", "0.2")
    assert "no run found" in process.communicate(timeout=HANGS_S)[1]
    assert process.returncode == 2


def test_a_command_that_fails_does_not_end_the_watch(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.BANNER + log.prompt(427))
    process = started(path, "--once-idle", "0.3", "--on-error", "no-such-command-anywhere")
    output, errors = process.communicate(timeout=HANGS_S)
    assert process.returncode == 1
    assert "--on-error" in errors
    assert "AUD001" in output


def test_the_command_gets_no_shell(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.BANNER + log.prompt(427))
    process = started(path, "--once-idle", "0.3", "--on-error", "echo $HOME; touch pwned")
    output, _ = process.communicate(timeout=HANGS_S)
    assert "$HOME; touch pwned" in output
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.log"], "file not found"),
        ([".", "--on-error", "'"], "--on-error"),
        ([".", "--on-error", ""], "--on-error"),
    ],
)
def test_bad_input_gets_one_clear_message_and_exit_2(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").touch()
    result = CliRunner().invoke(
        main, ["watch", *(word.replace(".", "a.log") if word == "." else word for word in words)]
    )
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_log_that_ends_in_the_middle_of_a_run_ends_with_exit_1(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.ARRIVAL + log.MODE + log.header(369, 6) + log.window(0, 81) + log.window(72, 153, done=2))
    output, _ = started(path, "--once-idle", "0.3").communicate(timeout=HANGS_S)
    assert "RUN004 truncated" in output
    assert "SCH003 missing-windows" in output


def test_a_prompt_that_failed_is_told_although_the_next_one_begins_within_the_same_look(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    failed = log.ARRIVAL + log.header(250, 4) + log.window(0, 81) + "!!! Exception during processing !!! no\n"
    path.write_text(failed + log.EXECUTED + log.prompt(369))
    process = started(path, "--once-idle", "0.3")
    output, errors = process.communicate(timeout=HANGS_S)
    assert process.returncode == 1, errors
    assert "RUN001 failed" in output


def test_a_command_of_a_fix_has_a_line_of_its_own() -> None:
    from loganalyzer.cli.watch_display import format_warning
    from loganalyzer.watch.outlook import WatchWarning

    said = format_warning(WatchWarning("AUD001", "audio-shortfall", "error", 4, "short", "Trim:\n  `ffmpeg \x1b`", 4))
    assert said.splitlines()[2:] == ["  fix: Trim:", "      `ffmpeg \\x1b`"]


def test_a_log_that_is_piped_in_is_followed_until_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loganalyzer", "watch", "-", "--interval", "0.1", "--quantization", "Q6_K"]
    done = subprocess.run(
        command, input=log.BANNER + log.prompt(427), capture_output=True, text=True, check=False, cwd=tmp_path,
        timeout=HANGS_S,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "AUD001 audio-shortfall" in done.stdout
    assert "completed" in done.stdout


def test_a_running_server_is_followed_and_its_password_is_shown_nowhere(tmp_path: Path) -> None:
    with running(Comfy()) as comfy:
        comfy.write(log.BANNER + log.prompt(427))
        url = comfy.url.replace("//", "//me:s3cr3t@")
        note = f"{sys.executable} -c \"import os; print(os.environ['LOGANALYZE_SOURCE'])\""
        result = CliRunner().invoke(
            main, ["watch", url, "--once-idle", "0", "--quantization", "Q6_K", "--on-error", note]
        )
    assert result.exit_code == 1
    assert "AUD001 audio-shortfall" in result.stdout
    assert "s3cr3t" not in result.output
    assert {command for command, _ in comfy.asked} == {"GET"}


def test_a_server_that_is_not_there_is_one_message_and_exit_2() -> None:
    with running(Comfy()) as gone:
        pass
    result = CliRunner().invoke(main, ["watch", gone.url])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"loganalyze: {gone.url}: cannot be read: connection refused")


def events(text: str) -> list[str]:
    return [json.loads(line)["event"] for line in text.splitlines()]


def test_events_are_written_to_a_file_beside_the_text_or_to_standard_output_without_it(tmp_path: Path) -> None:
    path, file = tmp_path / "comfyui.log", tmp_path / "events.jsonl"
    path.write_text(log.BANNER + log.prompt(427))
    words = ["watch", str(path), "--once-idle", "0", "--quantization", "Q6_K", "--json"]
    result = CliRunner().invoke(main, [*words, str(file)])
    assert "error AUD001 audio-shortfall" in result.stdout
    assert events(file.read_text()) == ["start", "finding", "progress", "end"]
    result = CliRunner().invoke(main, [*words, "-"])
    assert events(result.stdout) == ["start", "finding", "progress", "end"]
    finding, progress, end = (json.loads(line) for line in result.stdout.splitlines()[1:])
    assert finding["rule"] == "AUD001"
    line = path.read_bytes().split(b"\n")[finding["line"] - 1]
    assert line.startswith((b"Sampling 427 frames", b"Audio embedding"))
    assert [run["status"] for run in progress["runs"]] == ["completed"]
    assert (end["has_run"], end["severities"]) == (True, ["error"])
    assert result.exit_code == 1


def test_events_never_overwrite_the_log(tmp_path: Path) -> None:
    path = tmp_path / "comfyui.log"
    path.write_text(log.BANNER)
    result = CliRunner().invoke(main, ["watch", str(path), "--json", str(path)])
    assert result.exit_code == 2
    assert "would overwrite the input" in result.stderr
    assert path.read_text() == log.BANNER


def test_a_restart_and_a_notice_are_events() -> None:
    lines = EventLines()
    run = Progress(3, "truncated", 1, 6, 1, 4, None, None, None, None)
    looks = [Look(grown=True, runs=(run,)), Look(grown=True, runs=(run,)), Look(grown=False, notice="away"),
             Look(grown=True, is_new=True, runs=(run,))]  # fmt: skip
    assert [events("".join(lines.describe(look))) for look in looks] == [
        ["progress"], [], ["notice"], ["restart", "progress"],
    ]  # fmt: skip
