"""Prints into ComfyUI's log what the log does not say: the graph's settings, steps, true memory peaks, how prompts end.

ComfyUI loads this single file from `custom_nodes/loganalyzer_recorder/__init__.py`. Every line is `[loganalyzer] ` and
one JSON object. The file uses only the standard library and what ComfyUI's process has, runs on Python 3.9 and newer,
and must not import loganalyzer. It never raises into ComfyUI: a hook that fails switches itself off and says so once.
`LOGANALYZER_RECORDER=0` keeps it silent.
"""

from __future__ import annotations

import functools
import importlib
import json
import logging
import os
import platform
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

VERSION = "1.0.0"
SCHEMA = 1
SWITCH = "LOGANALYZER_RECORDER"
NODE_CLASS_MAPPINGS: dict[str, Any] = {}

LONGEST_LINE = 4000  # bytes, with room for what ComfyUI and containers put before a line
LONGEST_NAME = 200
SLOW_NODE = 0.2  # seconds
GIB = 1024**3

# ---------------------------------------------------------------------------------------------------------------- text


def clean(text: object, limit: int = LONGEST_NAME) -> str:
    """A text without quotes, backslashes and control characters, cut to `limit` characters."""
    return re.sub(r'[\x00-\x1f\x7f"\\]', "_", str(text)[: limit * 4])[:limit]


def file_name(path: object) -> str | None:
    """The file name at the end of a path of any system; None for anything but a text."""
    if not isinstance(path, str) or not path.strip():
        return None
    return clean(re.split(r"[/\\]", path[-4096:].rstrip("/\\"))[-1])


def number(value: object) -> float | None:
    """The value if it is a finite number of sensible size, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e7:
        return None
    return value


def whole(value: object) -> int | None:
    """The value as an integer, or None."""
    found = number(value)
    return None if found is None else int(found)


def rounded(value: float | None) -> float | None:
    """The value with three decimals."""
    return None if value is None else round(float(value), 3)


def gib(size: float | None) -> float | None:
    """Bytes in GiB with three decimals."""
    return None if size is None else round(size / GIB, 3)


# ----------------------------------------------------------------------------------------------------------------- log

ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
LOGGER = logging.getLogger("loganalyzer.recorder")


def encode(event: str, fields: Mapping[str, Any]) -> str:
    """The line of an event. The longest texts are shortened until the line is short enough."""
    values = {"v": SCHEMA, "event": event, **fields}
    while True:
        text = "[loganalyzer] " + ENCODER.encode(values)
        if len(text) <= LONGEST_LINE:
            return text
        texts = [name for name, value in values.items() if isinstance(value, str) and len(value) > 1]
        if not texts:
            return text
        longest = max(texts, key=lambda name: len(json.dumps(values[name])))
        values[longest] = values[longest][: len(values[longest]) // 2]


def say(event: str, **fields: Any) -> None:
    """Prints the line of an event. A log that cannot be written is not ComfyUI's problem."""
    try:
        if LOGGER.isEnabledFor(logging.INFO):  # `info` would search for the caller
            text = encode(event, fields)
            LOGGER.handle(LOGGER.makeRecord(LOGGER.name, logging.INFO, __file__, 0, text, (), None))
    except Exception:  # noqa: S110 -- `suppress` takes longer
        pass


class Guard:
    """Runs the recorder's work. The first error of a hook switches this hook off and prints one line."""

    def __init__(self) -> None:
        self.off: dict[str, str] = {}

    def run(self, hook: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """The result of the work; None if it failed or its hook is off."""
        if hook in self.off:
            return None
        try:
            return work(*arguments)
        except Exception as error:
            self.switch_off(hook, error)
            return None

    def switch_off(self, hook: str, error: Exception) -> None:
        """Switches a hook off and says why. Folders in the reason are cut."""
        reason = re.sub(r"\S*[/\\](?=\S)", "", f"{type(error).__name__}: {error}"[:2000])
        self.off[hook] = reason
        say("off", hook=hook, reason=clean(reason))


# -------------------------------------------------------------------------------------------------------------- memory


class Peak:
    """The highest allocated and reserved bytes of a span of time; None before the first reading."""

    def __init__(self) -> None:
        self.allocated: float | None = None
        self.reserved: float | None = None

    def add(self, allocated: float, reserved: float) -> None:
        """Raises the peak to a reading."""
        self.allocated = max(allocated, self.allocated or 0)
        self.reserved = max(reserved, self.reserved or 0)

    def merge(self, other: Peak) -> None:
        """Raises the peak to another span's."""
        if other.allocated is not None and other.reserved is not None:
            self.add(other.allocated, other.reserved)

    def pair(self) -> list[float | None] | None:
        """Both figures in GiB, or None."""
        return None if self.allocated is None else [gib(self.allocated), gib(self.reserved)]


class Stats(NamedTuple):
    """One reading of PyTorch's allocator, in bytes."""

    allocated: float
    allocated_peak: float
    reserved: float
    reserved_peak: float


class Memory:
    """PyTorch's peaks on the card in use. Each reset is preceded by a reading, so no maximum is lost."""

    def __init__(self, torch: Any) -> None:
        self.cuda = getattr(torch, "cuda", None)
        self.reset_peaks: Callable[..., Any] | None = None
        self.is_own_reset = False
        self.open: list[Peak] = []
        self.on_reset: Callable[[], None] = lambda: None
        self.device = self._find_device()

    def _find_device(self) -> int | None:
        """The card's index; None without a card."""
        if self.cuda is None or not self.cuda.is_available():
            return None
        management = sys.modules.get("comfy.model_management")
        device = management.get_torch_device() if management else None
        if device is not None and getattr(device, "type", "cuda") != "cuda":
            return None
        index = getattr(device, "index", None)
        return int(self.cuda.current_device() if index is None else index)

    def read(self) -> Stats | None:
        """The current figures; None without a card, or before PyTorch uses it."""
        if self.device is None or self.cuda is None:
            return None
        if not hasattr(self.cuda, "memory_stats_as_nested_dict"):
            names = ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved")
            return Stats(*(float(getattr(self.cuda, name)(self.device)) for name in names))
        found = self.cuda.memory_stats_as_nested_dict(self.device)
        if not found:
            return None
        allocated, reserved = found["allocated_bytes"]["all"], found["reserved_bytes"]["all"]
        return Stats(allocated["current"], allocated["peak"], reserved["current"], reserved["peak"])

    def fold(self) -> None:
        """Raises the peaks of all open spans to the counters."""
        found = self.read()
        if found:
            for peak in self.open:
                peak.add(found.allocated_peak, found.reserved_peak)

    def begin(self) -> Peak:
        """A new span, for which the counters start again."""
        self.fold()
        if self.device is not None and self.reset_peaks is not None and self.read():
            self.is_own_reset = True
            try:
                self.reset_peaks(self.device)
            finally:
                self.is_own_reset = False
        return self.join()

    def join(self) -> Peak:
        """A new span that starts at the latest reset."""
        peak = Peak()
        self.open.append(peak)
        return peak

    def end(self, peak: Peak | None) -> None:
        """Closes a span after the spans that are open had their reading."""
        self.open = [one for one in self.open if one is not peak]

    def concerns(self, device: Any) -> bool:
        """Whether a call for this device is about the card in use."""
        if self.device is None or self.cuda is None:
            return False
        if isinstance(device, str):
            index = int(device.partition(":")[2]) if ":" in device else None
        else:
            index = getattr(device, "index", None) if hasattr(device, "index") else device
        return int(self.cuda.current_device() if index is None else index) == self.device

    def before_reset(self, device: Any) -> None:
        """Keeps the maximum that a reset by others is about to drop."""
        if self.concerns(device) and not self.is_own_reset:
            self.fold()
            self.on_reset()

    def share(self) -> tuple[float | None, float | None]:
        """Free bytes on the card, and bytes that are neither free nor PyTorch's."""
        found = self.read()
        if found is None or self.cuda is None:
            return None, None
        free, total = self.cuda.mem_get_info(self.device)
        return free, max(total - free - found.reserved, 0)


# ---------------------------------------------------------------------------------------------------------------- card

THROTTLE_BITS = (
    "gpu_idle", "applications_clocks_setting", "sw_power_cap", "hw_slowdown", "sync_boost", "sw_thermal_slowdown",
    "hw_thermal_slowdown", "hw_power_brake_slowdown", "display_clock_setting",
)  # fmt: skip


class Card:
    """The card's sensors through NVML, if `pynvml` is importable and finds the card for certain."""

    def __init__(self, cuda: Any, device: int | None) -> None:
        self.nvml: Any = None
        self.handle: Any = None
        if device is None:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with suppress(Exception):
                self.nvml = importlib.import_module("pynvml")
                self.nvml.nvmlInit()
                self.handle = self._find_handle(cuda.get_device_properties(device))

    def _find_handle(self, properties: Any) -> Any:
        """The handle by the card's UUID, or of the only card."""
        uuid = str(getattr(properties, "uuid", "") or "")
        if uuid:
            name = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
            with suppress(Exception):
                return self.nvml.nvmlDeviceGetHandleByUUID(name)
            return self.nvml.nvmlDeviceGetHandleByUUID(name.encode())
        return self.nvml.nvmlDeviceGetHandleByIndex(0) if self.nvml.nvmlDeviceGetCount() == 1 else None

    def driver(self) -> str | None:
        """The driver's version."""
        if self.handle is not None:
            with suppress(Exception):
                found = self.nvml.nvmlSystemGetDriverVersion()
                return clean(found.decode() if isinstance(found, bytes) else found)
        with suppress(OSError):
            text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")[:400]
            version = re.search(r"\b(\d{3}\.\d+(?:\.\d+)?)\b", text)
            return version[1] if version else None
        return None

    def sensors(self) -> dict[str, Any]:
        """Temperature in °C, clock in MHz and reasons for a lower clock; None where unknown."""
        found: dict[str, Any] = {"temperature": None, "clock": None, "throttle": None}
        if self.handle is not None:
            with suppress(Exception):
                found["temperature"] = int(self.nvml.nvmlDeviceGetTemperature(self.handle, 0))
            with suppress(Exception):
                found["clock"] = int(self.nvml.nvmlDeviceGetClockInfo(self.handle, 1))
            with suppress(Exception):
                found["throttle"] = self._throttle()
        return found

    def _throttle(self) -> str:
        """NVML's reasons joined by `+`, or `none`."""
        ask = getattr(self.nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
        bits = int((ask or self.nvml.nvmlDeviceGetCurrentClocksThrottleReasons)(self.handle))
        return "+".join(name for place, name in enumerate(THROTTLE_BITS) if bits >> place & 1) or "none"


# --------------------------------------------------------------------------------------------------------------- graph

LONGEST_CHAIN = 64
MOST_NODES = 5000
MOST_LORAS = 40
GGUF = re.compile(r"(?i)(?:^|[^A-Za-z0-9])(Q[2-8]_(?:K(?:_[SML])?|[01]))(?:[^A-Za-z0-9]|$)")
SHORT_GGUF = re.compile(r"(?i)(?:^|[^A-Za-z0-9])Q(6|8)(?:[^A-Za-z0-9_]|$|_(?![K01]))")
PRECISION = re.compile(
    r"(?i)(fp8_e4m3fn_scaled|fp8_e5m2_scaled|fp8_scaled|fp8_e4m3fn_fast|fp8_e4m3fn|fp8_e5m2|nvfp4|mxfp8|fp8|bf16|fp16|fp32)"
)
CONSTANT = re.compile(r"(?i)constant|^primitive|^easy (int|float)$|^JW(Integer|Float)$")
RESIZED = {"ImageResizeKJv2": ("width", 1, "height", 2), "ImageScale": ("width", None, "height", None)}
EXACT = ("crop", "stretch", "pad", "pad_edge", "pillarbox_blur", "", None)
LOADERS = {
    "WanVideoModelLoader": "model", "UNETLoader": "unet_name", "UnetLoaderGGUF": "unet_name",
    "UnetLoaderGGUFAdvanced": "unet_name", "DiffusionModelLoaderKJ": "model_name",
    "CheckpointLoaderSimple": "ckpt_name",
}  # fmt: skip
ADAPTERS = {"MultiTalkModelLoader": "model", "ModelPatchLoader": "name"}
SAMPLERS = {
    "WanVideoSampler", "WanVideoSamplerv2", "WanVideoSamplerFromSettings", "KSampler", "KSamplerAdvanced",
    "SamplerCustom", "SamplerCustomAdvanced",
}  # fmt: skip
SCHEDULE_INPUTS = ("image_embeds", "latent_image", "latent", "samples")


def is_sampler(kind: str, inputs: Mapping[str, Any]) -> bool:
    """Whether a node samples: a known class, or one named so that takes a model and a schedule."""
    if kind in SAMPLERS:
        return True
    takes_model = "model" in inputs or "guider" in inputs
    return "Sampler" in kind and takes_model and any(name in inputs for name in ("steps", "sigmas", "scheduler"))


def phase_of(kind: str, inputs: Mapping[str, Any]) -> str:
    """The phase of a prompt that a node belongs to, by its class."""
    if is_sampler(kind, inputs):
        return "sample"
    if kind in LOADERS or kind in ADAPTERS or re.search(r"(?i)^(download|load).*(model|encoder)|loader", kind):
        return "load"
    if "decode" in kind.lower():
        return "decode"
    return "encode" if re.search(r"(?i)encode|embeds|tovideo", kind) else "other"


def quantization_of(name: str | None, setting: object = None) -> str | None:
    """The quantization in a GGUF file's name, else the loader's setting, else the precision in the name."""
    if name is None:
        return None
    found = GGUF.search(name)
    if found:
        return found[1].upper()
    short = SHORT_GGUF.search(name) if name.lower().endswith(".gguf") else None
    if short:
        return "Q6_K" if short[1] == "6" else "Q8_0"
    if isinstance(setting, str) and setting not in ("", "disabled", "default"):
        return clean(setting, 40)
    precision = PRECISION.search(name)
    return precision[1].lower() if precision else None


class Node(NamedTuple):
    """A node of a prompt in API format."""

    id: str
    kind: str
    inputs: Mapping[str, Any]


class Graph:
    """A prompt in API format. Links are followed for a limited distance, so loops end."""

    def __init__(self, prompt: Mapping[str, Any]) -> None:
        self.prompt = prompt

    def node(self, node_id: object) -> Node | None:
        """The node with this id."""
        found = self.prompt.get(str(node_id))
        if not isinstance(found, Mapping) or not isinstance(found.get("inputs"), Mapping):
            return None
        return Node(str(node_id), str(found.get("class_type", "")), found["inputs"])

    def nodes(self) -> Iterator[Node]:
        """All nodes, up to a limit."""
        for node_id in list(self.prompt)[:MOST_NODES]:
            node = self.node(node_id)
            if node:
                yield node

    def source(self, node: Node, name: str) -> Node | None:
        """The node that is linked to an input."""
        link = node.inputs.get(name)
        return self.node(link[0]) if isinstance(link, (list, tuple)) and len(link) == 2 else None

    def chain(self, node: Node | None, name: str) -> Iterator[Node]:
        """The nodes upstream through inputs of this name, or through the only link of a node without such an input."""
        for _ in range(LONGEST_CHAIN):
            if node is None:
                return
            links = [key for key, given in node.inputs.items() if isinstance(given, (list, tuple))]
            node = self.source(node, name if name in node.inputs or len(links) != 1 else links[0])
            if node:
                yield node

    def nearest(self, node: Node | None, name: str, has: Callable[[Node], bool]) -> Node | None:
        """The nearest node upstream that fits."""
        return next((one for one in self.chain(node, name) if has(one)), None)

    def value(self, node: Node | None, name: str) -> Any:
        """A setting: as typed, or from a node that only holds a value; None if it is computed."""
        for _ in range(LONGEST_CHAIN):
            if node is None or name not in node.inputs:
                return None
            given = node.inputs[name]
            if not isinstance(given, (list, tuple)):
                return given
            origin = self.source(node, name)
            if origin is None or len(given) != 2:
                return None
            if origin.kind in RESIZED:
                return self._resized(origin, given[1])
            if origin.kind == "MultiTalkWav2VecEmbeds" and given[1] == 2:
                node, name = origin, "num_frames"
                continue
            held = [key for key in ("value", "string", "int", "float") if key in origin.inputs]
            if not CONSTANT.search(origin.kind) or not held:
                return None
            node, name = origin, held[0]
        return None

    def _resized(self, node: Node, slot: object) -> int | None:
        """Width or height that a resizing node outputs, unless it keeps proportions."""
        width, width_slot, height, height_slot = RESIZED[node.kind]
        side = width if slot == width_slot else height if slot == height_slot else None
        size = whole(node.inputs.get(side)) if side else None
        if not size or node.inputs.get("keep_proportion") not in EXACT:
            return None
        return size - size % (whole(node.inputs.get("divisible_by")) or 1)


class Settings:
    """What the graph says about one sampler."""

    def __init__(self, graph: Graph, sampler: Node) -> None:
        self.graph, self.sampler = graph, sampler
        settings = graph.source(sampler, "sampler_inputs")
        self.holder = settings or sampler
        self.model_path = list(graph.chain(self._model_user(), "model"))
        self.loader = next((node for node in self.model_path if node.kind in LOADERS), None)
        self.windows = self._schedule_node()
        extra = graph.source(self.holder, "extra_args") or self.holder
        self.audio = graph.nearest(extra, "multitalk_embeds", lambda node: "num_frames" in node.inputs)

    def _model_user(self) -> Node:
        """The node whose input `model` leads to the loader: the sampler, or its guider."""
        return self.graph.source(self.holder, "guider") or self.holder

    def _schedule_node(self) -> Node | None:
        """The node that defines size and frames: the first upstream with a width."""
        for name in SCHEDULE_INPUTS:
            if name in self.holder.inputs:
                found = self.graph.nearest(self.holder, name, lambda node: "width" in node.inputs)
                return found or self.graph.source(self.holder, name)
        return None

    def first(self, nodes: Sequence[Node | None], *names: str) -> Any:
        """The first known value of these inputs of these nodes."""
        found = (self.graph.value(node, name) for node in nodes if node for name in names)
        return next((value for value in found if value is not None), None)

    def line(self, prompt: str) -> dict[str, Any]:
        """The fields of the sampler's line."""
        model, adapter = self._model(), self._adapter()
        clip = [self.windows]
        frames = self.first([self.audio, *clip], "num_frames", "length")
        return {
            "prompt": prompt,
            "node": clean(self.sampler.id),
            "class": clean(self.sampler.kind),
            "model": model[0],
            "quantization": model[1],
            "adapter": adapter[0],
            "adapter_quantization": adapter[1],
            "attention": self._attention(),
            "frames": whole(frames),
            "window": whole(self.first(clip, "frame_window_size") or self._clip("length")),
            "overlap": whole(self.first(clip, "motion_frame") or self._clip("motion_frame_count")),
            "width": whole(self.first(clip, "width")),
            "height": whole(self.first(clip, "height")),
            "steps": self._steps(),
            "audio": rounded(self._audio_seconds()),
            "fps": rounded(number(self.first([self.audio], "fps"))) or (25.0 if self._clip("length") else None),
        }

    def _clip(self, name: str) -> Any:
        """A setting of ComfyUI's own InfiniteTalk node."""
        is_clip = self.windows is not None and self.windows.kind == "WanInfiniteTalkToVideo"
        return self.graph.value(self.windows, name) if is_clip else None

    def _model(self) -> tuple[str | None, str | None]:
        if self.loader is None:
            return None, None
        name = file_name(self.graph.value(self.loader, LOADERS[self.loader.kind]))
        return name, quantization_of(name, self.first([self.loader], "quantization", "weight_dtype"))

    def _adapter(self) -> tuple[str | None, str | None]:
        for node in (self.loader, *self.model_path):
            for name in ("multitalk_model", "model_patch"):
                found = self.graph.source(node, name) if node else None
                if found and found.kind in ADAPTERS:
                    adapter = file_name(self.graph.value(found, ADAPTERS[found.kind]))
                    return adapter, quantization_of(adapter)
        return None, None

    def _attention(self) -> str | None:
        if self.loader is None or self.loader.kind != "WanVideoModelLoader":
            return None
        mode = self.first([self.loader], "attention_mode")
        return clean(mode, 60) if isinstance(mode, str) else None if "attention_mode" in self.loader.inputs else "sdpa"

    def _steps(self) -> int | None:
        """The steps that run: from `start_step` to `end_step`."""
        nodes = [self.holder, self.graph.source(self.holder, "scheduler"), self.graph.source(self.holder, "sigmas")]
        if self.first(nodes, "scheduler") == "multitalk":
            return 4  # the wrapper's own scheduler ignores the setting
        steps = whole(self.first(nodes, "steps"))
        start, end = (whole(self.first(nodes, f"{edge}_step", f"{edge}_at_step")) for edge in ("start", "end"))
        if steps is None:
            return None
        return max((min(end, steps) if end is not None and end > 0 else steps) - max(start or 0, 0), 0)

    def _audio_seconds(self) -> float | None:
        """The length of the audio file; None for several speakers, for cut audio and for unreadable files."""
        if self.audio is None or "audio_2" in self.audio.inputs:
            return None
        source = self.graph.source(self.audio, "audio_1")
        return audio_seconds(self.graph.value(source, "audio")) if source and source.kind == "LoadAudio" else None

    def loras(self) -> Iterator[tuple[str, str, float | None]]:
        """Node id, file name and strength of each LoRA that takes effect."""
        for node in self._lora_nodes():
            for name, given in self._listed_loras(node):
                found, strength = file_name(name), number(given)
                if found and found != "none" and strength != 0:
                    yield clean(node.id), found, None if strength is None else round(float(strength), 4)

    def _listed_loras(self, node: Node) -> Iterator[tuple[Any, Any]]:
        """Name and strength of each LoRA in a node's inputs."""
        yield self.first([node], "lora", "lora_name"), self.first([node], "strength", "strength_model")
        for place in range(5):
            yield self.graph.value(node, f"lora_{place}"), self.graph.value(node, f"strength_{place}")
        for row in node.inputs.values():  # a list of LoRAs that can be switched on and off
            if isinstance(row, dict) and row.get("on"):
                yield row.get("lora"), row.get("strength")

    def _lora_nodes(self) -> Iterator[Node]:
        """The nodes that load LoRAs: in the model's path, or chained to a node of it."""
        for node in reversed(self.model_path):
            if "lora" in node.kind.lower() and "lora" not in node.inputs:
                yield node
            feeder = self.graph.source(node, "lora")
            if feeder:
                yield from reversed([feeder, *self.graph.chain(feeder, "prev_lora")])


def audio_seconds(name: object) -> float | None:
    """The length of an audio file in ComfyUI's input folder, from its header; None if it cannot be read."""
    with suppress(Exception):
        path = sys.modules["folder_paths"].get_annotated_filepath(name)
        if path.lower().endswith(".wav"):
            wave = importlib.import_module("wave")
            with wave.open(path, "rb") as sound:
                return float(sound.getnframes() / sound.getframerate())
        if path.lower().endswith((".flac", ".m4a", ".ogg", ".opus", ".mp4")):
            with importlib.import_module("av").open(path) as sound:
                return float(sound.duration / 1_000_000)
    return None


# --------------------------------------------------------------------------------------------------------------- steps

WINDOW = re.compile(r"^(?:Sampling audio indices|Frames) (\d+)-(\d+)")


def called_at_step(frame: Any) -> bool:
    """Whether the callback that samplers call at each step, in ComfyUI or in a node pack, is among the callers."""
    for _ in range(3):
        if frame is None:
            return False
        code = frame.f_code
        if code.co_name == "callback":
            return "latent_preview" in code.co_filename or "prepare_callback" in getattr(code, "co_qualname", "")
        frame = frame.f_back
    return False


class Steps:
    """Counts the steps of one node, window by window."""

    def __init__(self) -> None:
        self.began = time.time()
        self.window = 0
        self.bar: tuple[int, int, int] | None = None
        self.step = 0
        self.last: float | None = None

    def _live_bar(self, total: int | None) -> Any:
        """The newest tqdm bar of this node: one that names a window, else one without text for as many steps."""
        bars = getattr(getattr(sys.modules.get("tqdm"), "tqdm", None), "_instances", ())
        best = None
        for bar in list(bars):
            started = getattr(bar, "start_t", 0)
            desc = getattr(bar, "desc", "") or ""
            fits = WINDOW.match(desc) or (not desc and getattr(bar, "total", None) == total)
            if fits and started >= self.began - 1 and (best is None or started >= best.start_t):
                best = bar
        return best

    def note(self, value: object, total: object, now: float) -> dict[str, Any]:
        """The fields of one step's line."""
        steps = whole(total)
        with suppress(RuntimeError):  # another thread may open or close a bar meanwhile
            bar = self._live_bar(steps)
            found = WINDOW.match(bar.desc) if bar is not None else None
            if found:
                return self._in_window(bar, (id(bar), int(found[1]), int(found[2])), now)
            return self._plain(bar, whole(value), steps, now)
        return self._plain(None, whole(value), steps, now)

    def _in_window(self, bar: Any, key: tuple[int, int, int], now: float) -> dict[str, Any]:
        if key != self.bar:  # its id only: a reference would keep an interrupted bar open
            self.bar, self.step, self.last = key, 0, None
            self.window += 1
        self.step += 1
        seconds = self._seconds(bar, now)
        return {
            "window": self.window, "start": key[1], "end": key[2], "step": self.step, "steps": whole(bar.total),
            "seconds": seconds,
        }  # fmt: skip

    def _plain(self, bar: Any, value: int | None, steps: int | None, now: float) -> dict[str, Any]:
        if value is not None and value < self.step:
            self.last = None  # sampling began again
        self.step = value or 0
        seconds = self._seconds(bar, now)
        return {"window": None, "start": None, "end": None, "step": value, "steps": steps, "seconds": seconds}

    def _seconds(self, bar: Any, now: float) -> float | None:
        """Seconds since the step before, or since the bar was opened."""
        since, self.last = self.last, now
        if since is not None:
            return rounded(now - since)
        started = getattr(bar, "start_t", None)
        return None if started is None else rounded(max(time.time() - started, 0))


# ------------------------------------------------------------------------------------------------------------ recorder


class RunningNode:
    """A node between its start and its end."""

    def __init__(self, node: Node, whole_peak: Peak) -> None:
        self.node = node
        self.is_sampler = is_sampler(node.kind, node.inputs)
        self.started = time.perf_counter()
        self.whole = whole_peak
        self.sampling: Peak | None = None
        self.steps = Steps()


class Prompt:
    """A prompt between its start and its end."""

    def __init__(self, prompt_id: str, graph: Graph, peak: Peak) -> None:
        self.id = clean(prompt_id)
        self.graph = graph
        self.started = time.perf_counter()
        self.peak = peak
        self.nodes: dict[str, RunningNode] = {}
        self.phases = {name: Peak() for name in ("load", "encode", "sample", "decode", "other")}
        self.outcome: dict[str, Any] = {"status": None, "exception": None, "node": None, "class": None}


class Recorder:
    """Turns ComfyUI's events into lines. Its methods are called through the guard."""

    def __init__(self, guard: Guard, memory: Memory, card: Card) -> None:
        self.guard, self.memory, self.card = guard, memory, card
        self.lock = threading.RLock()
        self.prompts: dict[str, Prompt] = {}
        memory.on_reset = self.note_reset

    def _peak(self) -> Peak:
        """A span from now on; an empty one if memory cannot be read."""
        return self.guard.run("memory", self.memory.begin) or Peak()

    def begin_prompt(self, prompt_id: str, prompt: Mapping[str, Any]) -> None:
        """Prints the prompt's line and its graph's settings."""
        with self.lock:
            prompt_run = Prompt(prompt_id, Graph(prompt), self._peak())
            self.prompts[prompt_id] = prompt_run
        say("prompt", prompt=prompt_run.id, nodes=len(prompt))
        self.guard.run("graph", self.describe_graph, prompt_run)
        prompt_run.started = time.perf_counter()

    def describe_graph(self, prompt_run: Prompt) -> None:
        """Prints what the graph says about each sampler and its LoRAs."""
        for node in prompt_run.graph.nodes():
            if is_sampler(node.kind, node.inputs):
                settings = Settings(prompt_run.graph, node)
                say("sampler", **settings.line(prompt_run.id))
                for place, (lora_node, name, strength) in enumerate(settings.loras()):
                    if place < MOST_LORAS:
                        say("lora", prompt=prompt_run.id, node=lora_node, name=name, strength=strength)

    def note_message(self, event: str, data: Mapping[str, Any]) -> None:
        """Keeps the outcome that ComfyUI's message tells, and closes the node that failed."""
        status = {"execution_error": "failed", "execution_interrupted": "interrupted", "execution_success": "completed"}
        prompt = self.prompts.get(str(data.get("prompt_id")))
        if prompt is None or event not in status:
            return
        prompt.outcome["status"] = status[event]
        if event != "execution_success":
            kind = data.get("exception_type")
            prompt.outcome.update(
                exception=clean(str(kind).rpartition(".")[2]) if kind else None,
                node=clean(data["node_id"]) if data.get("node_id") is not None else None,
            )
            prompt.outcome["class"] = clean(data["node_type"]) if data.get("node_type") else None
            for node_id in list(prompt.nodes):
                self.end_node(str(data.get("prompt_id")), node_id)

    def end_prompt(self, prompt_id: str, success: object, error: BaseException | None) -> None:
        """Prints the prompt's last line."""
        prompt = self.prompts.get(prompt_id)
        if prompt is None:
            return
        for node_id in list(prompt.nodes):
            self.end_node(prompt_id, node_id)
        with self.lock:
            self.guard.run("memory", self.memory.fold)
            self.memory.end(prompt.peak)
            del self.prompts[prompt_id]
        if error is not None:
            prompt.outcome.update(status="failed", exception=clean(type(error).__name__))
        elif prompt.outcome["status"] is None:
            prompt.outcome["status"] = "failed" if success is False else "completed"
        phases = {name: peak.pair() for name, peak in prompt.phases.items()}
        seconds = rounded(time.perf_counter() - prompt.started)
        say("end", prompt=prompt.id, **prompt.outcome, seconds=seconds, **phases)

    def begin_node(self, prompt_id: str, node_id: str, node: Node | None) -> None:
        """Starts a node. A node that was started before is started again: it waited for others."""
        prompt = self.prompts.get(prompt_id)
        node = node or (prompt.graph.node(node_id) if prompt else None)
        if prompt is None or node is None:
            return
        with self.lock:
            waited = prompt.nodes.pop(node_id, None)
            if waited:
                self._close(waited)
            prompt.nodes[node_id] = RunningNode(node, self._peak())

    def _close(self, running: RunningNode) -> None:
        self.memory.end(running.whole)
        self.memory.end(running.sampling)

    def end_node(self, prompt_id: str, node_id: str) -> None:
        """Ends a node, and prints its line if it sampled or was slow. Cached nodes never started."""
        prompt = self.prompts.get(prompt_id)
        with self.lock:
            running = prompt.nodes.pop(node_id, None) if prompt else None
            if prompt is None or running is None:
                return
            seconds = time.perf_counter() - running.started
            self.guard.run("memory", self.memory.fold)
            self._close(running)
            prompt.phases[phase_of(running.node.kind, running.node.inputs)].merge(running.whole)
        if seconds > SLOW_NODE or running.is_sampler:
            self._say_node(prompt, running, seconds)

    def _say_node(self, prompt: Prompt, running: RunningNode, seconds: float) -> None:
        sampling = running.sampling or Peak()
        free, others = self.guard.run("memory", self.memory.share) or (None, None)
        sensors = self.guard.run("card", self.card.sensors) or {"temperature": None, "clock": None, "throttle": None}
        say(
            "node",
            prompt=prompt.id,
            node=clean(running.node.id),
            **{"class": clean(running.node.kind)},
            seconds=rounded(seconds),
            allocated=gib(running.whole.allocated),
            reserved=gib(running.whole.reserved),
            sampling=gib(sampling.allocated),
            sampling_reserved=gib(sampling.reserved),
            prompt_allocated=gib(prompt.peak.allocated),
            prompt_reserved=gib(prompt.peak.reserved),
            free=gib(free),
            others=gib(others),
            **sensors,
        )

    def note_reset(self) -> None:
        """Starts the span "sampling" of the running nodes at their first reset of the counters."""
        with self.lock:
            for prompt in self.prompts.values():
                for running in prompt.nodes.values():
                    if running.sampling is None:
                        running.sampling = self.memory.join()

    def note_step(self, value: object, total: object, now: float) -> None:
        """Prints the line of a step that ended at `now`."""
        found = self._running()
        if found is None:
            return
        prompt, running = found
        fields = running.steps.note(value, total, now)
        memory = self.guard.run("memory", self.memory.read)
        allocated = gib(memory.allocated) if memory else None
        say("step", prompt=prompt.id, node=clean(running.node.id), **fields, allocated=allocated)

    def _running(self) -> tuple[Prompt, RunningNode] | None:
        """The prompt and node that this thread executes, else those that started last."""
        context = None
        module = sys.modules.get("comfy_execution.utils")
        if module is not None and hasattr(module, "get_executing_context"):
            context = module.get_executing_context()
        if context is not None:
            prompt = self.prompts.get(str(context.prompt_id))
            running = prompt.nodes.get(str(context.node_id)) if prompt else None
            if prompt and running:
                return prompt, running
        with self.lock:
            all_running = [(prompt, node) for prompt in self.prompts.values() for node in prompt.nodes.values()]
        return max(all_running, key=lambda pair: pair[1].started, default=None)


# --------------------------------------------------------------------------------------------------------------- hooks


class Hooks:
    """Connects the recorder to ComfyUI, at public places where this version has them."""

    def __init__(self, recorder: Recorder, execution: Any) -> None:
        self.recorder, self.execution = recorder, execution
        self.run = recorder.guard.run

    def connect(self, torch: Any) -> None:
        """Connects every hook; one that this ComfyUI does not have is switched off."""
        self.run("memory", self.watch_resets, torch)
        self.run("prompt", self.watch_prompts)
        progress = sys.modules.get("comfy_execution.progress")
        if progress is not None and hasattr(progress, "add_progress_handler"):
            self.run("node", self.watch_progress, progress)
        else:
            self.run("node", self.watch_execute)
        self.run("step", self.watch_bars)

    def watch_resets(self, torch: Any) -> None:
        """Wraps `reset_peak_memory_stats`, under both names, so that no maximum is lost."""
        memory, run, lock = self.recorder.memory, self.run, self.recorder.lock
        if memory.device is None:
            return
        memory.reset_peaks = torch.cuda.reset_peak_memory_stats

        def recorded(original: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(original)
            def reset_peak_memory_stats(*arguments: Any, **named: Any) -> Any:
                with lock:
                    run("memory", memory.before_reset, arguments[0] if arguments else named.get("device"))
                    return original(*arguments, **named)

            return reset_peak_memory_stats

        for module in (torch.cuda, getattr(torch.cuda, "memory", None)):
            if module is not None and hasattr(module, "reset_peak_memory_stats"):
                module.reset_peak_memory_stats = recorded(module.reset_peak_memory_stats)

    def watch_prompts(self) -> None:
        """Wraps the executor: its `execute` runs one prompt, its `add_message` tells what becomes of it."""
        executor, recorder, run = self.execution.PromptExecutor, self.recorder, self.run
        execute, add_message = executor.execute, executor.add_message

        @functools.wraps(execute)
        def recorded_execute(self: Any, prompt: Any, prompt_id: Any, *more: Any, **named: Any) -> Any:
            key, error = str(prompt_id), None
            run("prompt", recorder.begin_prompt, key, prompt)
            try:
                return execute(self, prompt, prompt_id, *more, **named)
            except BaseException as raised:
                error = raised
                raise
            finally:
                run("prompt", recorder.end_prompt, key, getattr(self, "success", None), error)
                error = None  # a reference would keep the traceback, and the node's tensors, alive

        @functools.wraps(add_message)
        def recorded_add_message(self: Any, event: Any, data: Any, *more: Any, **named: Any) -> Any:
            result = add_message(self, event, data, *more, **named)
            if event == "execution_cached":
                run("node", hooks.add_handler)
            run("prompt", recorder.note_message, event, data)
            return result

        hooks = self
        executor.execute = recorded_execute
        executor.add_message = recorded_add_message

    def add_handler(self) -> None:
        """Adds the progress handler of this prompt; replaced where ComfyUI reports nodes in this way."""

    def watch_progress(self, progress: Any) -> None:
        """Reports nodes through ComfyUI's progress handlers (ComfyUI 0.3.45 and newer)."""
        recorder, run = self.recorder, self.run

        class Handler(progress.ProgressHandler):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__("loganalyzer")
                self.registry: Any = None

            def set_registry(self, registry: Any) -> None:
                self.registry = registry

            def start_handler(self, node_id: Any, state: Any, prompt_id: Any, *_: Any, **__: Any) -> None:
                run("node", self._begin, str(node_id), str(prompt_id))

            def _begin(self, node_id: str, prompt_id: str) -> None:
                found = dynamic_node(getattr(self.registry, "dynprompt", None), node_id)
                recorder.begin_node(prompt_id, node_id, found)

            def finish_handler(self, node_id: Any, state: Any, prompt_id: Any, *_: Any, **__: Any) -> None:
                run("node", recorder.end_node, str(prompt_id), str(node_id))

        self.add_handler = lambda: progress.add_progress_handler(Handler())  # type: ignore[method-assign]

    def watch_execute(self) -> None:
        """Wraps the function that executes one node (ComfyUI before 0.3.45, where no handler exists)."""
        recorder, run, original = self.recorder, self.run, self.execution.execute

        @functools.wraps(original)
        def execute(*arguments: Any, **named: Any) -> Any:
            run("node", begin, *arguments)
            result = original(*arguments, **named)
            run("node", end, result, *arguments)
            return result

        def begin(_server: Any, dynprompt: Any, caches: Any, node_id: Any, *more: Any) -> None:
            if caches.outputs.get(node_id) is None:
                recorder.begin_node(str(more[2]), str(node_id), dynamic_node(dynprompt, str(node_id)))

        def end(result: Any, _server: Any, _dynprompt: Any, _caches: Any, node_id: Any, *more: Any) -> None:
            if getattr(result[0], "name", "") == "SUCCESS":
                recorder.end_node(str(more[2]), str(node_id))

        self.execution.execute = execute

    def watch_bars(self) -> None:
        """Wraps ComfyUI's progress bar. Since 2026 its global hook misses steps: it reports at most every 0.5 %."""
        bar, recorder, run = importlib.import_module("comfy.utils").ProgressBar, self.recorder, self.run
        original = bar.update_absolute

        @functools.wraps(original)
        def update_absolute(self: Any, value: Any, total: Any = None, *more: Any, **named: Any) -> Any:
            is_step, now = called_at_step(sys._getframe(1)), time.perf_counter()
            result = original(self, value, total, *more, **named)  # raises if the user interrupts this step
            if is_step:
                run("step", recorder.note_step, value, self.total if total is None else total, now)
            return result

        bar.update_absolute = update_absolute


def dynamic_node(dynprompt: Any, node_id: str) -> Node | None:
    """A node of the prompt as it is executed, with nodes that other nodes added."""
    if dynprompt is None or not dynprompt.has_node(node_id):
        return None
    found = dynprompt.get_node(node_id)
    return Node(node_id, str(found["class_type"]), found["inputs"])


# --------------------------------------------------------------------------------------------------------------- start

SECRET = re.compile(r"(?i)key|token|secret|passw|auth|credential|cert|tls|login|user")


def arguments_line(words: Sequence[str]) -> str:
    """The options of main.py. Paths are cut to file names; values that may be secret are dropped."""
    kept, is_secret = [], False
    for word in words[:200]:
        option, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        if option:
            is_secret = bool(SECRET.search(option))
            kept.append(option)
        if value and not is_secret and not re.search(r"@|://|^[\w.+-]{32,}$", value):
            shown = file_name(value) or ""
            kept[-1:] = [f"{kept[-1]}={shown}"] if equals else [*kept[-1:], shown]
    return clean(" ".join(kept), 1500)


def start_fields(torch: Any, memory: Memory, card: Card) -> dict[str, Any]:
    """The fields of the first line."""
    properties = torch.cuda.get_device_properties(memory.device) if memory.device is not None else None
    version = getattr(sys.modules.get("comfyui_version"), "__version__", None)
    if version is None:
        with suppress(ImportError):
            version = importlib.import_module("comfyui_version").__version__
    return {
        "recorder": VERSION,
        "gpu": clean(properties.name) if properties else None,
        "vram": round(properties.total_memory / GIB, 4) if properties else None,  # exact to the MiB that ComfyUI prints
        "driver": card.driver() if properties else None,
        "torch": clean(torch.__version__),
        "python": platform.python_version(),
        "comfyui": clean(version) if version else None,
        "arguments": arguments_line(sys.argv[1:]),
    }


def git_commit(folder: Path) -> str | None:
    """The first seven digits of a clone's commit, read from its files."""
    place = folder / ".git"
    with suppress(OSError, IndexError):
        if place.is_file():
            place = folder / place.read_text(encoding="utf-8")[:4096].split("gitdir:")[1].strip()
        head = (place / "HEAD").read_text(encoding="utf-8")[:4096].strip()
        if head.startswith("ref:"):
            name = head[4:].strip()
            if (place / name).is_file():
                head = (place / name).read_text(encoding="utf-8")[:100].strip()
            else:
                packed = (place / "packed-refs").read_text(encoding="utf-8")[:1_000_000]
                head = next((line[:40] for line in packed.splitlines() if line.endswith(f" {name}")), "")
        return head[:7] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", head) else None
    return None


def list_packs(folders: Sequence[str]) -> Iterator[str]:
    """The custom node packs in these folders, with their commits. Disabled ones and the recorder are left out."""
    for folder in folders[:20]:
        with suppress(OSError):
            for place in sorted(Path(folder).iterdir(), key=lambda one: one.name.lower())[:1000]:
                name = place.name
                is_pack = place.is_dir() or name.endswith(".py")
                skipped = name.startswith((".", "__")) or name.endswith(".disabled")
                if is_pack and not skipped and name != "loganalyzer_recorder":
                    commit = git_commit(place) if place.is_dir() else None
                    yield clean(name, 120).replace(",", "_") + (f"@{commit}" if commit else "")


def say_packs() -> None:
    """Prints the packs in as many lines as they need."""
    module = sys.modules.get("folder_paths")
    line = ""
    for pack in list_packs(module.get_folder_paths("custom_nodes") if module else ()):
        if line and len(json.dumps(f"{line}, {pack}")) > LONGEST_LINE - 100:
            say("packs", packs=line)
            line = ""
        line = f"{line}, {pack}" if line else pack
    if line:
        say("packs", packs=line)


def activate() -> Recorder | None:
    """Starts recording; None outside of ComfyUI, if it is switched off, or if another copy records."""
    execution = sys.modules.get("execution")
    torch = sys.modules.get("torch")
    if os.environ.get(SWITCH, "").strip().lower() in ("0", "off", "false", "no") or execution is None:
        return None
    if getattr(execution, "_loganalyzer_recorder", None) is not None:
        return None
    guard = Guard()
    memory = guard.run("memory", Memory, torch) or Memory(None)
    card = guard.run("card", Card, getattr(torch, "cuda", None), memory.device) or Card(None, None)
    recorder = Recorder(guard, memory, card)
    execution._loganalyzer_recorder = recorder  # type: ignore[attr-defined]
    fields = guard.run("start", start_fields, torch, memory, card)
    if fields:
        say("start", **fields)
    guard.run("packs", say_packs)
    Hooks(recorder, execution).connect(torch)
    return recorder


with suppress(Exception):
    activate()
