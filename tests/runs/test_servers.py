"""What a server start prints of its environment, which run it belongs to, and what two environments differ in."""

from __future__ import annotations

from typing import Any

import logtext as log
import pytest

from loganalyzer.common import clock
from loganalyzer.comparison.comparing import compare_runs
from loganalyzer.comparison.model import RunSet
from loganalyzer.engine.incremental import IncrementalBuilder
from loganalyzer.engine.read import tabulate
from loganalyzer.report.page import html
from loganalyzer.runs.servers import MOST_PACKS
from loganalyzer.settings.model import Settings
from loganalyzer.sources.inputs import from_bytes
from loganalyzer.ticket import archive

PACKS = "Import times for custom nodes:\n   0.1 seconds: /home/ada/ComfyUI/custom_nodes/{}\n"


def start(*lines: str, instead: tuple[str, str] = ("", "")) -> str:
    """The banner with more lines in front of the Python version, and one text replaced."""
    text = log.BANNER.replace("Python version", "".join(f"{line}\n" for line in lines) + "Python version")
    return text.replace(*instead) if instead[0] else text


def environment(text: str) -> dict[str, object]:
    return log.analyze(text + log.prompt(153)).environment.row(0, named=True)


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("Using sage attention", "attention", "sage"),
        ("Using pytorch attention", "attention", "pytorch"),
        ("Using Flash Attention", "attention", "flash"),
        ("Using Comfy Kitchen attention", "attention", "comfy kitchen"),
        ("Using split optimization for attention", "attention", "split"),
        ("\x1b[32m[INFO]\x1b[0m Using xformers attention", "attention", "xformers"),
        ("Using pytorch attention in VAE", "attention", None),
        ("Enabled fp16 accumulation.", "precision", "fp16 accumulation"),
        ("nothing", "precision", "default"),
        ("DynamicVRAM support detected and enabled", "memory_options", "DynamicVRAM"),
        ("Using async weight offloading with 2 streams", "memory_options", "async offloading"),
        ("Enabled pinned memory 57791.0", "memory_options", "pinned memory"),
        ("ComfyUI frontend version: 1.27.10", "frontend", "1.27.10"),
        ("xformers version: 0.0.31", "packages", ["xformers 0.0.31"]),
        ("comfy-kitchen version: 0.2.40", "packages", ["comfy-kitchen 0.2.40"]),
        ("### Loading: ComfyUI-Manager (V3.30)", "custom_nodes", ["ComfyUI-Manager 3.30"]),
        (PACKS.format("rgthree-comfy"), "custom_nodes", ["rgthree-comfy"]),
        ("   0.2 seconds (IMPORT FAILED): D:\\UI\\custom_nodes\\KJ", "custom_nodes", ["KJ (import failed)"]),
    ],
)
def test_a_line_of_a_start_fills_its_column(line: str, column: str, value: object) -> None:
    assert environment(start(line))[column] == value


@pytest.mark.parametrize(
    "line", ["ComfyUI-Foo version: 1.2 (beta)", "some other version: 3 of 4", "Loading: x (V1) y", "python main.py"]
)
def test_lines_of_other_programs_are_no_near_misses_of_a_start(line: str) -> None:
    assert log.analyze(start(line) + log.prompt(153)).near_misses.is_empty()


def test_versions_card_and_memory_state_are_those_of_the_banner() -> None:
    row = environment(start(instead=("3.12.3", "3.12.11 (main, Jun  4 2025) [GCC 13.3.0]")))
    assert {name: row[name] for name in ("python", "torch", "comfyui", "vram_state", "line")} == {
        "python": "3.12.11", "torch": "2.8.0+cu128", "comfyui": "0.3.64", "vram_state": "NORMAL_VRAM", "line": 1,
    }  # fmt: skip


def test_precision_is_unknown_where_the_lines_around_its_message_are_missing() -> None:
    assert environment(start(instead=("Set vram state to: NORMAL_VRAM\n", "")))["precision"] is None


def test_the_first_card_of_a_start_is_the_one_in_use() -> None:
    text = start("Device: cuda:1 NVIDIA GeForce RTX 3090 : cudaMallocAsync") + log.prompt(153)
    found = log.analyze(text)
    assert found.environment["gpu"].to_list() == found.runs["gpu"].to_list() == ["NVIDIA GeForce RTX 5090"]


def test_the_versions_of_packs_stand_beside_their_folders_sorted_by_name() -> None:
    lines = PACKS.format("comfyui-manager") + "   1.3 seconds: C:\\x\\custom_nodes\\A-pack"
    row = environment(start("### Loading: ComfyUI-Manager (V3.30)", lines))
    assert row["custom_nodes"] == ["A-pack", "comfyui-manager 3.30"]


@pytest.mark.parametrize(("number", "kept"), [(MOST_PACKS, MOST_PACKS), (MOST_PACKS + 1, MOST_PACKS)])
def test_no_more_packs_are_kept_than_a_table_can_show(number: int, kept: int) -> None:
    lines = [f"   0.1 seconds: custom_nodes/pack-{place}" for place in range(number)]
    packs = environment(start(*lines))["custom_nodes"]
    assert isinstance(packs, list)
    assert len(packs) == kept


def test_a_start_script_prints_driver_and_options_before_the_server() -> None:
    smi = "| NVIDIA-SMI 570.124.06     Driver Version: 570.124.06     CUDA Version: 12.8     |\n"
    text = smi + "+ python main.py --listen --fast\n" + start() + log.prompt(153) + start() + log.prompt(153)
    found = log.analyze(text).environment
    assert found["driver"].to_list() == ["570.124.06", "570.124.06"]
    assert found["arguments"].to_list() == ["--listen --fast", None]


def test_each_run_has_the_environment_of_the_start_above_it() -> None:
    text = start("Using sage attention") + log.prompt(153) + start("Using pytorch attention") + log.prompt(225)
    found = log.analyze(text)
    assert found.runs["attention"].to_list() == ["sage", "pytorch"]
    assert found.runs["environment_line"].to_list() == found.environment["line"].to_list()


def test_what_a_node_prints_after_the_first_request_is_not_the_servers() -> None:
    text = start() + log.prompt(153).replace(log.MODE, "Using sage attention\n" + log.MODE)
    assert log.analyze(text).environment["attention"].to_list() == [None]


def test_a_restart_without_a_request_between_is_a_start_of_its_own() -> None:
    found = log.analyze(start("Using sage attention") + start("Using pytorch attention") + log.prompt(153))
    assert found.environment["attention"].to_list() == ["sage", "pytorch"]
    assert found.runs["attention"].to_list() == ["pytorch"]


def test_a_log_that_begins_inside_a_banner_keeps_what_is_left_of_it() -> None:
    row = environment("Using sage attention\nPython version: 3.12.3\nComfyUI version: 0.3.64\nStarting server\n")
    assert (row["attention"], row["python"], row["gpu"]) == ("sage", "3.12.3", None)


def test_a_log_without_a_start_has_no_environment() -> None:
    found = log.analyze(log.prompt(153))
    assert found.environment.is_empty()
    assert found.runs["environment_line"].to_list() == [None]


def test_user_names_in_options_are_masked() -> None:
    row = environment("+ python main.py --base-directory /home/ada/ComfyUI\n" + start())
    assert "ada" not in str(row)


def side(name: str, *lines: str) -> RunSet:
    return RunSet.of(name, log.analyze(start(*lines) + log.prompt(369), Settings(quantization="Q6_K")))


def test_compare_names_what_differs_between_two_starts() -> None:
    one = side("one", "Using sage attention", "   0.1 seconds: custom_nodes/A", "### Loading: B (V1.0)")
    other = side("other", "Using pytorch attention", "   0.1 seconds: custom_nodes/A", "### Loading: B (V1.1)")
    found = {item.field: (item.base, item.head) for item in compare_runs(one, other).differences}
    assert found == {"attention": (("sage",), ("pytorch",)), "custom_nodes": (("B 1.0",), ("B 1.1",))}


def test_compare_takes_an_unknown_environment_for_no_change() -> None:
    assert compare_runs(side("one"), side("other", "Using sage attention")).differences == ()


def test_a_slow_run_names_what_changed_since_the_last_run_that_was_fast_enough() -> None:
    slow = start("Using pytorch attention") + log.prompt(369, step_s=9.3)
    fast = start("Using sage attention") + log.prompt(369)
    q6 = Settings(quantization="Q6_K")
    findings = log.analyze(fast + slow, q6).findings
    (message,) = findings.filter(findings["rule"] == "TIM002")["message"]
    assert message.endswith("Changed since the last normal run: attention sage → pytorch.")
    alone = log.analyze(slow, q6).findings
    assert "Since" not in alone.filter(alone["rule"] == "TIM002")["message"].item()


def test_a_long_log_in_parts_gives_each_start_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("sage", "pytorch", "xformers")
    text = "".join(
        start(f"Using {name} attention", f"   0.1 seconds: custom_nodes/{name}") + log.prompt(153) * 3 for name in names
    )
    whole = log.analyze(text)
    monkeypatch.setattr("loganalyzer.engine.incremental.FLUSH_RECORDS", 1)
    monkeypatch.setattr("loganalyzer.engine.read._MAX_GATHERED", 1)
    monkeypatch.setattr("loganalyzer.sources.chunks.HEAD_BYTES", 64)
    made: list[int] = []
    build_early = IncrementalBuilder._build_early

    def counted(self: IncrementalBuilder, *given: Any) -> None:
        made.append(1)
        build_early(self, *given)

    monkeypatch.setattr(IncrementalBuilder, "_build_early", counted)
    parts = tabulate([from_bytes("test.log", text.encode())], Settings(), chunk_bytes=700).frames
    assert len(made) > 2
    assert parts["environment"].equals(whole.environment)
    assert parts["runs"]["attention"].to_list() == [name for name in names for _ in "123"]
    assert parts["runs"]["custom_nodes"].to_list() == whole.runs["custom_nodes"].to_list()


def test_the_page_names_what_all_runs_share_and_where_they_differ() -> None:
    text = start("Using sage attention") + log.prompt(153) + start("Using pytorch attention") + log.prompt(225)
    page = html.render_analysis(log.analyze(text), Settings(), generated_at=clock.now())
    assert "All runs: GPU NVIDIA GeForce RTX 5090" in page
    assert "The runs differ in: attention." in page
    alike = html.render_analysis(log.analyze(start() + log.prompt(153) * 2), Settings(), generated_at=clock.now())
    assert "The runs differ in" not in alike


def test_a_value_that_only_some_starts_print_is_no_difference() -> None:
    text = start("Using sage attention") + log.prompt(153) + start() + log.prompt(225)
    page = html.render_analysis(log.analyze(text), Settings(), generated_at=clock.now())
    assert "The runs differ in" not in page
    assert "attention" not in page.split("All runs: ")[1].split("</")[0]


def test_a_ticket_holds_the_rows_of_the_environment_table() -> None:
    found = log.analyze(start("Using sage attention", "### Loading: B (V1.0)") + log.prompt(153))
    (row,) = archive.environment_document(found, Settings())["server_starts"]  # type: ignore[misc]
    assert (row["attention"], row["custom_nodes"]) == ("sage", ["B 1.0"])
