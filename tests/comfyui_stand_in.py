"""A stand-in for ComfyUI's process: an executor of two eras, progress bars, and a card with an allocator that counts.

It has the parts that the recorder touches, under ComfyUI's names, and is written for these tests.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

EXTENSION = Path(__file__).parent.parent / "loganalyzer" / "recorder" / "extension.py"
GIB = 1024**3
PREVIEW = """
def prepare_callback(bar):
    def callback(step, total):
        bar.update_absolute(step + 1, total)
    return callback
"""
NodeFunction = Callable[[Mapping[str, Any]], object]


class Interrupted(Exception):  # noqa: N818 -- ComfyUI's own has no such ending either
    """The user stopped the prompt."""


class Counter:
    """Bytes in use, and the highest number since the last reset."""

    def __init__(self) -> None:
        self.current = self.peak = 0.0

    def change(self, size: float) -> None:
        self.current += size
        self.peak = max(self.peak, self.current)

    def reset(self) -> None:
        self.peak = self.current


class FakeCuda(ModuleType):
    """`torch.cuda` with one or more cards of 32 GiB. `other` is what other processes use."""

    def __init__(self, *, nested: bool = True, cards: int = 1) -> None:
        super().__init__("torch.cuda")
        self.allocated, self.reserved = Counter(), Counter()
        self.cards, self.other, self.resets, self.readings = cards, 0.5 * GIB, 0, 0
        self.memory = SimpleNamespace(reset_peak_memory_stats=self._reset)
        self.reset_peak_memory_stats: Callable[..., None] = self._reset
        if nested:
            self.memory_stats_as_nested_dict = self._nested
        self.memory_allocated = lambda device=None: self.allocated.current
        self.max_memory_allocated = lambda device=None: self.allocated.peak
        self.memory_reserved = lambda device=None: self.reserved.current
        self.max_memory_reserved = lambda device=None: self.reserved.peak

    def allocate(self, gib: float) -> None:
        """Allocates and reserves so many GiB; a negative number frees allocated memory and keeps it reserved."""
        self.allocated.change(gib * GIB)
        self.reserved.change(max(self.allocated.current - self.reserved.current, 0))

    def empty_cache(self) -> None:
        self.reserved.change(self.allocated.current - self.reserved.current)

    def is_available(self) -> bool:
        return self.cards > 0

    def current_device(self) -> int:
        return 0

    def _reset(self, device: object = None) -> None:
        self.resets += 1
        self.allocated.reset()
        self.reserved.reset()

    def _nested(self, device: object = None) -> dict[str, Any]:
        self.readings += 1
        pairs = (("allocated_bytes", self.allocated), ("reserved_bytes", self.reserved))
        return {name: {"all": {"current": one.current, "peak": one.peak}} for name, one in pairs}

    def mem_get_info(self, device: object = None) -> tuple[float, float]:
        total = 32.0 * GIB
        return total - self.reserved.current - self.other, total

    def get_device_properties(self, device: object) -> SimpleNamespace:
        return SimpleNamespace(name='NVIDIA "RTX" 5090', total_memory=32 * GIB, uuid="5090-5090")


class FakeServer:
    """The server that gets messages for a client."""

    client_id = None

    def send_sync(self, event: str, data: object, client: object = None) -> None:
        """Nobody listens."""


class DynamicPrompt:
    def __init__(self, prompt: Mapping[str, Any]) -> None:
        self.prompt = prompt

    def has_node(self, node_id: str) -> bool:
        return node_id in self.prompt

    def get_node(self, node_id: str) -> Any:
        return self.prompt[node_id]


class Outputs:
    """Outputs of earlier prompts."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def get(self, node_id: str) -> object:
        return True if node_id in self.known else None


class Result:
    def __init__(self, name: str) -> None:
        self.name = name


class World:
    """One ComfyUI process. `nodes` maps classes to functions; `prompts` runs them in the prompt's order."""

    def __init__(self, *, has_progress: bool = True, cuda: FakeCuda | None = None) -> None:
        self.nodes: dict[str, NodeFunction] = {}
        self.cuda = cuda
        self.outputs = Outputs()
        self.interrupt = False
        self.modules = self._modules(has_progress)
        self.executor = self.modules["execution"].PromptExecutor()

    # ------------------------------------------------------------------------------------------------ ComfyUI's modules

    def _modules(self, has_progress: bool) -> dict[str, Any]:
        found = {
            name: ModuleType(name) for name in ("comfy", "comfy.utils", "folder_paths", "comfyui_version", "torch")
        }
        world = self

        class ProgressBar:
            def __init__(self, total: int) -> None:
                self.total, self.current = total, 0

            def update_absolute(self, value: int, total: int | None = None, preview: object = None) -> None:
                if world.interrupt:
                    raise Interrupted
                self.total = self.total if total is None else total
                self.current = value

            def update(self, value: int) -> None:
                self.update_absolute(self.current + value)

        found["comfy.utils"].ProgressBar = ProgressBar  # type: ignore[attr-defined]
        found["comfyui_version"].__version__ = "0.3.64"  # type: ignore[attr-defined]
        found["folder_paths"].get_folder_paths = lambda name: []  # type: ignore[attr-defined]
        found["torch"].__version__ = "2.8.0+cu128"  # type: ignore[attr-defined]
        if self.cuda is not None:
            found["torch"].cuda = self.cuda  # type: ignore[attr-defined]
        if has_progress:
            found["comfy_execution.progress"] = self._progress()
        found["execution"] = self._new_execution(found) if has_progress else self._old_execution()
        return found

    @staticmethod
    def _progress() -> ModuleType:
        module: Any = ModuleType("comfy_execution.progress")
        module.handlers = []

        class ProgressHandler:
            def __init__(self, name: str) -> None:
                self.name, self.enabled = name, True

        def add_progress_handler(handler: Any) -> None:
            handler.set_registry(SimpleNamespace(dynprompt=module.dynprompt))
            module.handlers.append(handler)

        module.ProgressHandler, module.add_progress_handler = ProgressHandler, add_progress_handler
        return module

    def _executor_class(self) -> type:
        class PromptExecutor:
            def __init__(self) -> None:
                self.server, self.success = FakeServer(), True

            def add_message(self, event: str, data: Mapping[str, Any], broadcast: bool) -> None:
                if self.server.client_id is not None or broadcast:
                    self.server.send_sync(event, data)

            def tell_failure(self, prompt_id: str, node_id: str, kind: str, error: Exception) -> None:
                data = {"prompt_id": prompt_id, "node_id": node_id, "node_type": kind}
                if isinstance(error, Interrupted):
                    self.add_message("execution_interrupted", data, broadcast=True)
                else:
                    name = f"torch.{type(error).__name__}"
                    self.add_message("execution_error", {**data, "exception_type": name}, broadcast=False)

        return PromptExecutor

    def _old_execution(self) -> ModuleType:
        """The executor before handlers of progress existed."""
        module: Any = ModuleType("execution")
        world = self

        def execute(_server: Any, dynprompt: Any, caches: Any, node_id: str, *_: Any) -> tuple[Result, Any, Any]:
            node = dynprompt.get_node(node_id)
            if caches.outputs.get(node_id) is not None:
                return Result("SUCCESS"), None, None
            try:
                world.nodes[node["class_type"]](node["inputs"])
            except Exception as error:  # noqa: BLE001 -- ComfyUI catches every one
                return Result("FAILURE"), {"node_id": node_id}, error
            return Result("SUCCESS"), None, None

        class PromptExecutor(self._executor_class()):  # type: ignore[misc]
            def execute(self, prompt: Any, prompt_id: str, extra_data: Any = None, execute_outputs: Any = ()) -> None:
                self.add_message("execution_start", {"prompt_id": prompt_id}, broadcast=False)
                self.add_message("execution_cached", {"prompt_id": prompt_id}, broadcast=False)
                caches, done = SimpleNamespace(outputs=world.outputs), set()  # type: ignore[var-annotated]
                self.success = True
                for node_id in prompt:
                    found = module.execute(self.server, DynamicPrompt(prompt), caches, node_id, {}, done, prompt_id)
                    if found[0].name == "FAILURE":
                        self.success = False
                        self.tell_failure(prompt_id, node_id, prompt[node_id]["class_type"], found[2])
                        return
                self.add_message("execution_success", {"prompt_id": prompt_id}, broadcast=False)

        module.execute, module.PromptExecutor = execute, PromptExecutor
        return module

    def _new_execution(self, modules: Mapping[str, Any]) -> ModuleType:  # noqa: C901 -- one class
        """The executor that reports nodes to handlers of progress, also those whose outputs are cached."""
        module: Any = ModuleType("execution")
        world, progress = self, modules["comfy_execution.progress"]

        def report(name: str, node_id: str, prompt_id: str) -> None:
            for handler in progress.handlers:
                if handler.enabled:
                    getattr(handler, name)(node_id, {}, prompt_id)

        class PromptExecutor(self._executor_class()):  # type: ignore[misc]
            def execute(self, prompt: Any, prompt_id: str, extra_data: Any = None, execute_outputs: Any = ()) -> None:
                asyncio.run(self.execute_async(prompt, prompt_id))

            async def execute_async(self, prompt: Any, prompt_id: str) -> None:
                self.add_message("execution_start", {"prompt_id": prompt_id}, broadcast=False)
                progress.handlers, progress.dynprompt = [], DynamicPrompt(prompt)
                self.add_message("execution_cached", {"prompt_id": prompt_id}, broadcast=False)
                self.success = True
                for node_id, node in prompt.items():
                    if world.outputs.get(node_id) is None:
                        report("start_handler", node_id, prompt_id)
                        try:
                            world.nodes[node["class_type"]](node["inputs"])
                        except Exception as error:  # noqa: BLE001
                            self.success = False
                            self.tell_failure(prompt_id, node_id, node["class_type"], error)
                            return
                    report("finish_handler", node_id, prompt_id)
                self.add_message("execution_success", {"prompt_id": prompt_id}, broadcast=False)

        module.PromptExecutor = PromptExecutor
        return module

    # ------------------------------------------------------------------------------------------------- what a test does

    def run(self, prompt: Mapping[str, Any], prompt_id: str = "p1") -> None:
        """Runs a prompt as the server's worker does."""
        self.executor.execute(prompt, prompt_id, {"api_key_comfy_org": "sk-SECRET"}, [])

    def callback(self, total: int) -> Callable[[int, int], None]:
        """The callback that a sampler calls at each step."""
        space: dict[str, Any] = {}
        exec(compile(PREVIEW, "/opt/ComfyUI/latent_preview.py", "exec"), space)
        made: Callable[[int, int], None] = space["prepare_callback"](self.bar(total))
        return made

    def bar(self, total: int) -> Any:
        """A progress bar of ComfyUI."""
        return self.modules["comfy.utils"].ProgressBar(total)

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Loads the recorder as ComfyUI does, and collects its lines."""
        logger = logging.getLogger("loganalyzer.recorder")
        handler, level, saved = Recording(), logger.level, {name: sys.modules.get(name) for name in self.modules}
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        sys.modules.update(self.modules)
        try:
            spec = importlib.util.spec_from_file_location("custom_nodes.loganalyzer_recorder", EXTENSION)
            assert spec is not None
            assert spec.loader is not None
            handler.module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(handler.module)
            yield handler
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
            for name, module in saved.items():
                if module is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = module


class Recording(logging.Handler):
    """The recorder's lines, and its module."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.module: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The lines as objects."""
        return [json.loads(line.removeprefix("[loganalyzer] ")) for line in self.lines]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The objects of one event."""
        return [one for one in self.objects if one["event"] == event]
