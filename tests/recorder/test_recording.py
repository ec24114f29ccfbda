"""The recorder in a stand-in of ComfyUI: what it prints, and that it never disturbs."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import workflows
from comfyui_stand_in import FakeCuda, Interrupted, Recording, World
from tqdm import tqdm

ERAS = pytest.mark.parametrize("has_progress", [True, False], ids=["progress handlers", "executor only"])
PLAIN = {"1": {"class_type": "Quick", "inputs": {}}, "2": {"class_type": "KSampler", "inputs": {"model": ["1", 0]}}}
KEYS = {
    "start": "v event recorder gpu vram driver torch python comfyui arguments",
    "prompt": "v event prompt nodes",
    "sampler": "v event prompt node class model quantization adapter adapter_quantization attention frames window "
    "overlap width height steps audio fps",
    "lora": "v event prompt node name strength",
    "step": "v event prompt node window start end step steps seconds allocated",
    "node": "v event prompt node class seconds allocated reserved sampling sampling_reserved prompt_allocated "
    "prompt_reserved free others temperature clock throttle",
    "end": "v event prompt status exception node class seconds load encode sample decode other",
}


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def world(cuda: FakeCuda) -> World:
    found = World(cuda=cuda)
    found.nodes["Quick"] = lambda inputs: None
    found.nodes["KSampler"] = lambda inputs: None
    return found


@pytest.fixture
def recording(world: World) -> Iterator[Recording]:
    with world.recording() as found:
        yield found


def sample(world: World, steps: int = 3) -> Any:
    """A sampler's function with ComfyUI's own loop."""

    def function(inputs: Any) -> None:
        callback = world.callback(steps)
        for step in tqdm(range(steps), file=io.StringIO()):
            callback(step, steps)

    return function


def sample_windows(world: World, ranges: list[tuple[int, int]], steps: int = 2, announced: int | None = None) -> Any:
    """A sampler's function with the wrapper's windowed loop."""

    def function(inputs: Any) -> None:
        total = (announced or len(ranges)) * steps
        callback, done = world.callback(len(ranges)), 0
        for start, end in ranges:
            bar = tqdm(total=steps, desc=f"Sampling audio indices {start}-{end}", file=io.StringIO())
            for _ in range(steps):
                callback(done, total)
                bar.update(1)
                done += 1
            bar.close()

    return function


# ------------------------------------------------------------------------------------------------------------- lines


@ERAS
def test_a_prompt_gives_its_lines_in_order(has_progress: bool, cuda: FakeCuda) -> None:
    world = World(has_progress=has_progress, cuda=cuda)
    world.nodes |= {"Quick": lambda inputs: None, "KSampler": sample(world)}
    with world.recording() as recording:
        world.run(PLAIN)
    events = [one["event"] for one in recording.objects]
    assert events == ["start", "prompt", "sampler", "step", "step", "step", "node", "end"]


def test_every_line_has_its_keys_in_the_fixed_order(world: World, recording: Recording) -> None:
    world.nodes |= {"KSampler": sample(world), "WanVideoSampler": sample(world)}
    world.nodes |= {
        node["class_type"]: lambda inputs: None
        for node in workflows.API.values()
        if node["class_type"] != "WanVideoSampler"
    }
    world.run(workflows.api())
    assert {one["event"]: " ".join(one) for one in recording.objects} == KEYS


def test_a_line_is_compact_ascii_without_escapes_of_quotes(world: World, recording: Recording) -> None:
    world.run({'nö"d\\e\n1': {"class_type": 'Quïck"', "inputs": {}}} | PLAIN, 'id"\\\x07')
    for line in recording.lines:
        assert line.startswith('[loganalyzer] {"v":1,"event":"')
        assert line.isascii()
        assert '\\"' not in line
        assert "\\\\" not in line
    assert recording.of("start")[0]["gpu"] == "NVIDIA _RTX_ 5090"
    assert recording.of("end")[0]["prompt"] == "id___"


def test_long_names_of_any_script_keep_lines_below_4_kb(world: World, recording: Recording) -> None:
    name = "\U0001f3ac" * 5000
    graph = workflows.api(_1={"model": name, "attention_mode": name}, _3={"model": name}, _2={"lora": name})
    world.nodes["WanVideoSampler"] = lambda inputs: None
    world.run({"4": graph["4"]} | graph, name)
    assert max(map(len, recording.lines)) < 4096
    assert recording.of("sampler")[0]["frames"] == 369


def test_the_first_line_names_card_and_versions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [
        "main.py",
        "--listen",
        "--output-directory",
        "/home/ann/out",
        "--tls-keyfile",
        "/etc/key.pem",
        "--api-key=abc",
    ]
    monkeypatch.setattr(sys, "argv", [*words, "--comfy-api-base", "https://ann:pw@host", r"C:\Users\ann\extra.yaml"])
    with world.recording() as recording:
        (start,) = recording.of("start")
    assert (start["vram"], start["torch"], start["comfyui"]) == (32.0, "2.8.0+cu128", "0.3.64")
    assert start["arguments"] == "--listen --output-directory out --tls-keyfile --api-key --comfy-api-base extra.yaml"


def test_a_wrapper_graph_gives_model_adapter_loras_and_schedule(world: World, recording: Recording) -> None:
    graph = workflows.api(_2={"lora": "sub\\dir/style_rank16.safetensors", "strength": 0.8})
    world.nodes |= {node["class_type"]: lambda inputs: None for node in graph.values()}
    world.run(graph)
    (line,) = recording.of("sampler")
    assert list(line.values())[3:] == [
        "4", "WanVideoSampler", "wan2.1-i2v-14b-720p-Q6_K.gguf", "Q6_K", "InfiniteTalk_Single_Q8.gguf", "Q8_0", "sdpa",
        369, 81, 9, 1280, 720, 4, None, 25.0,
    ]  # fmt: skip
    (lora,) = recording.of("lora")
    assert (lora["node"], lora["name"], lora["strength"]) == ("2", "style_rank16.safetensors", 0.8)


def test_nothing_of_folders_secrets_and_prompts_texts_is_printed(world: World, recording: Recording) -> None:
    graph = workflows.api(_1={"model": "/home/ann/models/wan-Q6_K.gguf"})
    graph["50"] = {"class_type": "Quick", "inputs": {"text": "a secret wish", "api_key": "sk-SECRET"}}
    world.nodes |= {node["class_type"]: lambda inputs: None for node in graph.values()}
    world.nodes["WanVideoSampler"] = _fail(ValueError("/home/ann/private: sk-SECRET"))
    world.run(graph)
    text = "\n".join(recording.lines)
    assert recording.of("end")[0]["status"] == "failed"
    for secret in ("ann", "SECRET", "wish", "/"):
        assert secret not in text


# ------------------------------------------------------------------------------------------------------------- steps


def test_steps_of_windows_tell_window_range_and_step(world: World, recording: Recording) -> None:
    world.nodes["KSampler"] = sample_windows(world, [(0, 81), (72, 153)], announced=3)
    world.run(PLAIN)
    keys = ("window", "start", "end", "step", "steps")
    assert [tuple(one[key] for key in keys) for one in recording.of("step")] == [
        (1, 0, 81, 1, 2), (1, 0, 81, 2, 2), (2, 72, 153, 1, 2), (2, 72, 153, 2, 2),
    ]  # fmt: skip


def test_steps_without_window_bars_have_the_callbacks_numbers(world: World, recording: Recording) -> None:
    def function(inputs: Any) -> None:
        callback = world.callback(2)
        for step in range(2):
            callback(step, 2)

    world.nodes["KSampler"] = function
    world.run(PLAIN)
    found = [(one["window"], one["step"], one["steps"]) for one in recording.of("step")]
    assert found == [(None, 1, 2), (None, 2, 2)]
    assert recording.of("step")[0]["seconds"] is None
    assert recording.of("step")[1]["seconds"] >= 0


def test_a_step_lasts_from_the_step_before_or_from_the_bars_start(
    world: World, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1000.0)
    fake = SimpleNamespace(time=lambda: clock.now, perf_counter=lambda: clock.now)
    monkeypatch.setattr(recording.module, "time", fake)

    def function(inputs: Any) -> None:
        callback = world.callback(2)
        for window in range(2):
            bar = tqdm(total=2, desc=f"Sampling audio indices {72 * window}-{72 * window + 81}", file=io.StringIO())
            bar.start_t = clock.now
            for step, seconds in enumerate((5.0, 4.5)):
                clock.now += seconds
                callback(window * 2 + step, 4)
            clock.now += 30  # decoding is no step
            bar.close()

    world.nodes["KSampler"] = function
    world.run(PLAIN)
    assert [one["seconds"] for one in recording.of("step")] == [5.0, 4.5, 5.0, 4.5]


def test_a_second_pass_of_sampling_starts_its_own_clock(
    world: World, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1000.0)
    fake = SimpleNamespace(time=lambda: clock.now, perf_counter=lambda: clock.now)
    monkeypatch.setattr(recording.module, "time", fake)

    def function(inputs: Any) -> None:
        callback = world.callback(2)
        loading = tqdm(total=2, desc="Loading", file=io.StringIO())
        loading.start_t = clock.now + 0.5  # newer, and for as many steps, but with a text of its own
        for _ in range(2):
            clock.now += 60  # between the passes
            bar = tqdm(total=2, file=io.StringIO())
            bar.start_t = clock.now
            for step, seconds in enumerate((1.23456, 2.0)):
                clock.now += seconds
                callback(step, 2)
            bar.close()
        loading.close()

    world.nodes["KSampler"] = function
    world.run(PLAIN)
    assert [one["seconds"] for one in recording.of("step")] == [1.235, 2.0, 1.235, 2.0]
    assert recording.of("end")[0]["seconds"] == recording.of("node")[0]["seconds"] == 126.469


def test_a_node_that_another_node_added_has_its_own_class(recording: Recording) -> None:
    added = SimpleNamespace(
        has_node=lambda node_id: node_id == "7.0", get_node=lambda node_id: {"class_type": "Added", "inputs": {}}
    )
    assert recording.module.dynamic_node(added, "7.0") == ("7.0", "Added", {})
    assert recording.module.dynamic_node(added, "8") is None
    assert recording.module.dynamic_node(None, "8") is None


def test_bars_that_are_no_sampling_give_no_steps(world: World, recording: Recording) -> None:
    def function(inputs: Any) -> None:
        for _ in range(3):
            world.bar(3).update(1)

    world.nodes["KSampler"] = function
    world.run(PLAIN)
    assert recording.of("step") == []


def test_a_window_bar_of_an_interrupted_prompt_is_not_taken_for_the_next_one(
    world: World, recording: Recording
) -> None:
    stale = tqdm(total=3, desc="Sampling audio indices 72-153", file=io.StringIO())
    stale.start_t = time.time() - 60
    world.nodes["KSampler"] = sample(world)
    world.run(PLAIN)
    stale.close()
    assert {one["window"] for one in recording.of("step")} == {None}


# ------------------------------------------------------------------------------------------------------------ memory


@ERAS
@pytest.mark.parametrize("nested", [True, False], ids=["one reading", "single readings"])
def test_the_true_peak_survives_the_wrappers_resets(has_progress: bool, nested: bool) -> None:
    cuda = FakeCuda(nested=nested)
    world = World(has_progress=has_progress, cuda=cuda)

    def function(inputs: Any) -> None:
        cuda.allocate(20)  # loading
        cuda.allocate(-12)
        cuda.reset_peak_memory_stats(0)  # sampling starts
        cuda.allocate(6.871)
        cuda.allocate(-6.871)
        cuda.memory.reset_peak_memory_stats()  # the last decode starts
        cuda.allocate(1)
        cuda.allocate(-9)

    world.nodes |= {"Quick": lambda inputs: None, "KSampler": function}
    with world.recording() as recording:
        world.run(PLAIN)
    (node,) = recording.of("node")
    assert (node["allocated"], node["sampling"]) == (20.0, 14.871)
    assert (node["reserved"], node["sampling_reserved"], node["prompt_allocated"]) == (20.0, 20.0, 20.0)
    assert recording.of("end")[0]["sample"] == [20.0, 20.0]


def test_a_node_that_resets_nothing_has_no_sampling_peak(world: World, recording: Recording, cuda: FakeCuda) -> None:
    world.nodes["KSampler"] = lambda inputs: cuda.allocate(3)
    world.run(PLAIN)
    assert [(one["allocated"], one["sampling"]) for one in recording.of("node")] == [(3.0, None)]


def test_a_nodes_peak_does_not_hold_an_earlier_nodes(world: World, recording: Recording, cuda: FakeCuda) -> None:
    def load(inputs: Any) -> None:
        cuda.allocate(10)
        cuda.allocate(-8)

    world.nodes |= {"UNETLoader": load, "KSampler": lambda inputs: cuda.allocate(1)}
    world.run({"1": {"class_type": "UNETLoader", "inputs": {}}, "2": PLAIN["2"]})
    (node,) = recording.of("node")
    assert (node["allocated"], node["prompt_allocated"]) == (3.0, 10.0)
    (end,) = recording.of("end")
    assert (end["load"][0], end["sample"][0], end["decode"], end["other"]) == (10.0, 3.0, None, None)


def test_a_reset_of_another_card_is_left_alone() -> None:
    cuda = FakeCuda(cards=2)
    world = World(cuda=cuda)
    world.nodes["KSampler"] = lambda inputs: cuda.reset_peak_memory_stats("cuda:1")
    with world.recording() as recording:
        world.run({"2": {"class_type": "KSampler", "inputs": {}}})
    assert recording.of("node")[0]["sampling"] is None


@pytest.mark.parametrize("device", [None, 0, "cuda", "cuda:0", SimpleNamespace(index=0), SimpleNamespace(index=None)])
def test_a_reset_names_the_card_in_any_form(device: object, world: World, recording: Recording, cuda: FakeCuda) -> None:
    world.nodes["KSampler"] = lambda inputs: cuda.reset_peak_memory_stats(device)
    world.run(PLAIN)
    assert recording.of("node")[0]["sampling"] == 0.0


def test_free_memory_and_other_processes_share_are_of_the_card(
    world: World, recording: Recording, cuda: FakeCuda
) -> None:
    world.nodes["KSampler"] = lambda inputs: cuda.allocate(10)
    world.run(PLAIN)
    (node,) = recording.of("node")
    assert (node["free"], node["others"]) == (21.5, 0.5)


def test_resets_in_another_thread_lose_no_maximum(world: World, recording: Recording, cuda: FakeCuda) -> None:
    def function(inputs: Any) -> None:
        cuda.allocate(9)
        cuda.allocate(-8)
        threads = [
            threading.Thread(target=lambda: [cuda.reset_peak_memory_stats() for _ in range(50)]) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    world.nodes["KSampler"] = function
    world.run(PLAIN)
    assert recording.of("node")[0]["allocated"] == 9.0
    assert recording.of("off") == []


def test_two_prompts_at_once_keep_their_own_lines(world: World, recording: Recording) -> None:
    barrier = threading.Barrier(2, timeout=5)
    world.nodes["KSampler"] = lambda inputs: barrier.wait()
    threads = [threading.Thread(target=recording_of_two, args=(world, name)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["prompt"] for one in recording.of("end")) == ["a", "b"]
    assert sorted(one["prompt"] for one in recording.of("prompt")) == ["a", "b"]
    assert recording.of("off") == []


def recording_of_two(world: World, name: str) -> None:
    """Runs a prompt of one sampler with an executor of its own."""
    world.modules["execution"].PromptExecutor().execute({"2": PLAIN["2"]}, name)


@pytest.mark.parametrize("cuda", [None, FakeCuda(cards=0)], ids=["without torch.cuda", "without a card"])
def test_without_a_card_memory_is_null(cuda: FakeCuda | None) -> None:
    world = World(cuda=cuda)
    world.nodes |= {"Quick": lambda inputs: None, "KSampler": sample(world)}
    with world.recording() as recording:
        world.run(PLAIN)
    (node,) = recording.of("node")
    assert {node[key] for key in ("allocated", "sampling", "free", "others", "temperature")} == {None}
    assert recording.of("start")[0]["gpu"] is None
    assert recording.of("off") == []


def test_without_torch_the_prompt_is_still_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    del world.modules["torch"]
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    world.nodes |= {"Quick": lambda inputs: None, "KSampler": lambda inputs: None}
    with world.recording() as recording:
        world.run(PLAIN)
    assert recording.of("end")[0]["status"] == "completed"


# ---------------------------------------------------------------------------------------------------------- outcomes


def _fail(error: Exception) -> Any:
    def function(inputs: Any) -> None:
        raise error

    return function


class OutOfMemoryError(Exception):
    """PyTorch's name for it."""


@ERAS
@pytest.mark.parametrize(
    ("error", "status", "exception"),
    [(OutOfMemoryError("CUDA"), "failed", "OutOfMemoryError"), (Interrupted(), "interrupted", None)],
)
def test_a_prompt_that_does_not_complete_names_node_and_error(
    has_progress: bool, error: Exception, status: str, exception: str | None
) -> None:
    world = World(has_progress=has_progress, cuda=FakeCuda())
    world.nodes |= {"Quick": lambda inputs: None, "KSampler": _fail(error)}
    with world.recording() as recording:
        world.run(PLAIN)
        world.nodes["KSampler"] = lambda inputs: None
        world.run(PLAIN, "p2")
    first, second = recording.of("end")
    assert [first[key] for key in ("status", "exception", "node", "class")] == [status, exception, "2", "KSampler"]
    assert [second[key] for key in ("status", "exception", "node", "class")] == ["completed", None, None, None]
    assert [one["prompt"] for one in recording.of("node")] == ["p1", "p2"]


def test_an_interrupted_step_is_not_counted(world: World, recording: Recording) -> None:
    def function(inputs: Any) -> None:
        callback = world.callback(3)
        callback(0, 3)
        world.interrupt = True
        callback(1, 3)

    world.nodes["KSampler"] = function
    world.run(PLAIN)
    assert [one["step"] for one in recording.of("step")] == [1]
    assert recording.of("end")[0]["status"] == "interrupted"


def test_an_error_outside_of_nodes_reaches_the_caller_and_ends_the_prompt(world: World, recording: Recording) -> None:
    def fail(*arguments: object) -> None:
        raise ConnectionError("client is gone")

    world.executor.server.client_id = "tab"
    world.executor.server.send_sync = fail
    with pytest.raises(ConnectionError):
        world.run(PLAIN)
    (end,) = recording.of("end")
    assert (end["status"], end["exception"]) == ("failed", "ConnectionError")


@ERAS
def test_cached_nodes_have_no_line(has_progress: bool) -> None:
    world = World(has_progress=has_progress, cuda=FakeCuda())
    world.outputs.known = {"1", "2"}
    with world.recording() as recording:
        world.run(PLAIN)
    assert [one["event"] for one in recording.objects] == ["start", "prompt", "sampler", "end"]


@pytest.mark.parametrize(("seconds", "lines"), [(0.2, 0), (0.201, 1)])
def test_other_nodes_have_a_line_from_a_fifth_of_a_second_on(
    seconds: float, lines: int, world: World, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(
        recording.module, "time", SimpleNamespace(time=lambda: clock.now, perf_counter=lambda: clock.now)
    )

    def function(inputs: Any) -> None:
        clock.now += seconds

    world.nodes["Quick"] = function
    world.run({"1": PLAIN["1"]})
    assert len(recording.of("node")) == lines


# ------------------------------------------------------------------------------------------------------ never a burden


@pytest.mark.parametrize("value", ["0", "off", "FALSE"])
def test_it_is_silent_and_touches_nothing_if_switched_off(
    value: str, world: World, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGANALYZER_RECORDER", value)
    executor, bar = world.modules["execution"].PromptExecutor, world.modules["comfy.utils"].ProgressBar
    before = (executor.execute, executor.add_message, bar.update_absolute, cuda.reset_peak_memory_stats)
    with world.recording() as recording:
        world.run(PLAIN)
    assert recording.lines == []
    assert (executor.execute, executor.add_message, bar.update_absolute, cuda.reset_peak_memory_stats) == before


def test_a_second_copy_stays_silent(world: World, recording: Recording) -> None:
    with world.recording() as second:
        world.run(PLAIN)
    assert len(recording.of("end")) == 1
    assert len(second.of("start")) == 0


@pytest.mark.parametrize(
    ("hook", "method", "runs"),
    [("step", "note_step", "KSampler"), ("node", "end_node", "KSampler"), ("graph", "describe_graph", "KSampler")],
)
def test_a_hook_that_fails_switches_itself_off_and_says_so_once(
    hook: str, method: str, runs: str, world: World, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise AttributeError("no /home/ann/x\nhere")

    monkeypatch.setattr(recording.module.Recorder, method, fail)
    monkeypatch.setattr(recording.module.Recorder, "end_prompt", lambda *arguments: None)
    world.nodes[runs] = sample(world)
    world.run(PLAIN)
    world.run(PLAIN, "p2")
    off = [one for one in recording.of("off") if one["hook"] == hook]
    assert [one["reason"] for one in off] == ["AttributeError: no x_here"]


def test_memory_that_cannot_be_read_is_null_and_resets_still_work(
    world: World, recording: Recording, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(device: object = None) -> None:
        raise RuntimeError("driver error")

    monkeypatch.setattr(cuda, "memory_stats_as_nested_dict", fail)
    world.nodes["KSampler"] = lambda inputs: cuda.reset_peak_memory_stats()
    resets = cuda.resets
    world.run(PLAIN)
    assert [one["hook"] for one in recording.of("off")] == ["memory"]
    assert recording.of("node")[0]["allocated"] is None
    assert recording.of("end")[0]["status"] == "completed"
    assert cuda.resets > resets


def test_a_comfyui_without_the_expected_parts_loses_only_these(cuda: FakeCuda) -> None:
    world = World(cuda=cuda)
    del world.modules["comfy.utils"].ProgressBar.update_absolute
    world.nodes |= {"Quick": lambda inputs: None, "KSampler": lambda inputs: None}
    with world.recording() as recording:
        world.run(PLAIN)
    assert [one["hook"] for one in recording.of("off")] == ["step"]
    assert [one["status"] for one in recording.of("end")] == ["completed"]


def test_a_log_that_cannot_be_written_does_not_stop_the_prompt(world: World, recording: Recording) -> None:
    ran = []
    world.nodes["KSampler"] = lambda inputs: ran.append(1)

    def fail(record: object) -> None:
        raise OSError("disk full")

    recording.emit = fail  # type: ignore[method-assign]
    world.run(PLAIN)
    assert ran == [1]


def test_outside_of_comfyui_the_module_does_nothing() -> None:
    world = World(cuda=FakeCuda())
    del world.modules["execution"]
    with world.recording() as recording:
        pass
    assert recording.lines == []
    assert recording.module.NODE_CLASS_MAPPINGS == {}


def test_arguments_and_results_of_wrapped_functions_pass_through(
    world: World, recording: Recording, cuda: FakeCuda
) -> None:
    assert cuda.reset_peak_memory_stats(device=0) is None
    bar = world.bar(10)
    bar.update_absolute(5, total=20, preview="image")
    assert (bar.current, bar.total) == (5, 20)
    assert world.modules["comfy.utils"].ProgressBar.update_absolute.__name__ == "update_absolute"
