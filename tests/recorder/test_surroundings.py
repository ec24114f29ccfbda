"""What the recorder tells about the machine: sensors, driver, node packs, arguments."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from comfyui_stand_in import FakeCuda, World

from loganalyzer.recorder import extension

COMMIT = "d9b1f4c0123456789abcdef0123456789abcdef0"


def fake_nvml(**changes: Any) -> SimpleNamespace:
    """A `pynvml` with one card."""
    functions: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: f"card {index}",
        "nvmlDeviceGetHandleByUUID": lambda uuid: f"card {uuid}",
        "nvmlSystemGetDriverVersion": lambda: b"570.133.07",
        "nvmlDeviceGetTemperature": lambda handle, sensor: {0: 71}[sensor],
        "nvmlDeviceGetClockInfo": lambda handle, kind: {0: 2700, 1: 2610}[kind],
        "nvmlDeviceGetCurrentClocksThrottleReasons": lambda handle: 0,
    }
    return SimpleNamespace(**{**functions, **changes})


def node_line(monkeypatch: pytest.MonkeyPatch, nvml: object, cuda: FakeCuda | None = None) -> dict[str, Any]:
    """The line of a sampler with this NVML."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    world = World(cuda=cuda or FakeCuda())
    world.nodes["KSampler"] = lambda inputs: None
    with world.recording() as recording:
        world.run({"2": {"class_type": "KSampler", "inputs": {}}})
    assert recording.of("off") == []
    return recording.of("start")[0] | recording.of("node")[0]


def test_sensors_and_driver_come_from_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    found = node_line(monkeypatch, fake_nvml())
    keys = ("driver", "temperature", "clock", "throttle")
    assert [found[key] for key in keys] == ["570.133.07", 71, 2610, "none"]


@pytest.mark.parametrize(
    ("bits", "expected"),
    [(0x1, "gpu_idle"), (0x4 | 0x20, "sw_power_cap+sw_thermal_slowdown"), (0x40, "hw_thermal_slowdown")],
)
def test_reasons_for_a_lower_clock_have_nvmls_names(bits: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = fake_nvml(nvmlDeviceGetCurrentClocksEventReasons=lambda handle: bits)
    assert node_line(monkeypatch, newer)["throttle"] == expected
    older = fake_nvml(nvmlDeviceGetCurrentClocksThrottleReasons=lambda handle: bits)
    assert node_line(monkeypatch, older)["throttle"] == expected


def test_a_sensor_that_fails_is_null_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("Not Supported")

    found = node_line(monkeypatch, fake_nvml(nvmlDeviceGetTemperature=fail))
    assert (found["temperature"], found["clock"]) == (None, 2610)


def test_without_nvml_the_sensors_are_null(monkeypatch: pytest.MonkeyPatch) -> None:
    found = node_line(monkeypatch, None)
    assert [found[key] for key in ("temperature", "clock", "throttle")] == [None, None, None]


@pytest.mark.parametrize("uuid", ["5090-5090", "GPU-5090-5090"])
def test_one_of_several_cards_is_found_by_its_uuid(uuid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda()
    properties = SimpleNamespace(name="card", total_memory=1024**3, uuid=uuid)
    monkeypatch.setattr(cuda, "get_device_properties", lambda device: properties)
    several = fake_nvml(
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetTemperature=lambda handle, sensor: {"card GPU-5090-5090": 66}[handle],
    )
    assert node_line(monkeypatch, several, cuda)["temperature"] == 66


class NoUuid(FakeCuda):
    """A card of a PyTorch that does not tell its UUID."""

    def get_device_properties(self, device: object) -> SimpleNamespace:
        return SimpleNamespace(name="card", total_memory=1024**3)


@pytest.mark.parametrize(("cards", "temperature"), [(1, 71), (2, None)])
def test_sensors_of_a_card_that_is_not_certain_are_null(
    cards: int, temperature: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = node_line(monkeypatch, fake_nvml(nvmlDeviceGetCount=lambda: cards), NoUuid())
    assert found["temperature"] == temperature


def make_pack(folder: Path, name: str, head: str, files: dict[str, str]) -> None:
    git = folder / name / ".git"
    git.mkdir(parents=True)
    (git / "HEAD").write_text(head)
    for path, content in files.items():
        (git / path).parent.mkdir(parents=True, exist_ok=True)
        (git / path).write_text(content)


def test_packs_have_the_commit_that_git_checked_out(tmp_path: Path) -> None:
    make_pack(tmp_path, "a-branch", "ref: refs/heads/main\n", {"refs/heads/main": COMMIT + "\n"})
    make_pack(tmp_path, "b-packed", "ref: refs/heads/main\n", {"packed-refs": f"# pack\n{COMMIT} refs/heads/main\n"})
    make_pack(tmp_path, "c-detached", COMMIT, {})
    make_pack(tmp_path, "d-strange", "ref: refs/heads/gone", {})
    (tmp_path / "e, plain").mkdir()
    (tmp_path / "f.py").touch()
    for skipped in ("__pycache__", ".hidden", "g.disabled", "loganalyzer_recorder"):
        (tmp_path / skipped).mkdir()
    (tmp_path / "example.py.example").touch()
    assert list(extension.list_packs([str(tmp_path), str(tmp_path / "missing")])) == [
        "a-branch@d9b1f4c", "b-packed@d9b1f4c", "c-detached@d9b1f4c", "d-strange", "e_ plain", "f.py",
    ]  # fmt: skip


def test_a_git_file_leads_to_the_clone(tmp_path: Path) -> None:
    make_pack(tmp_path, "real", COMMIT, {})
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / ".git").write_text(f"gitdir: {tmp_path / 'real' / '.git'}\n")
    assert extension.git_commit(tmp_path / "linked") == "d9b1f4c"


def test_many_packs_take_several_short_lines(tmp_path: Path) -> None:
    names = [f"pack-{place:03}-{'é' * 60}" for place in range(60)]
    for name in names:
        (tmp_path / name).mkdir()
    world = World()
    world.modules["folder_paths"].get_folder_paths = lambda name: [str(tmp_path)]
    with world.recording() as recording:
        pass
    assert max(map(len, recording.lines)) < 4096
    assert len(recording.of("packs")) > 1
    assert ", ".join(one["packs"] for one in recording.of("packs")).split(", ") == names


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--listen", "0.0.0.0", "--port", "8188"], "--listen 0.0.0.0 --port 8188"),
        (["--base-directory=/data/ann"], "--base-directory=ann"),
        (["--extra-model-paths", r"D:\ai\paths.yaml", "x/y.yaml"], "--extra-model-paths paths.yaml y.yaml"),
        (["--auth-token", "abc", "--fast"], "--auth-token --fast"),
        (["--password=abc"], "--password"),
        (["--user-directory", "/home/ann"], "--user-directory"),
        (["--name", "0123456789abcdef0123456789abcdef"], "--name"),
        (["--name", "0123456789abcdef0123456789abcde"], "--name 0123456789abcdef0123456789abcde"),
        (["--front-end-version", "Comfy-Org/ComfyUI_frontend@latest"], "--front-end-version"),
        (["--name", 'a"b\\c\n'], "--name c_"),
    ],
)  # fmt: skip
def test_arguments_lose_folders_and_whatever_may_be_secret(words: list[str], expected: str) -> None:
    assert extension.arguments_line(words) == expected
