"""What the recorder costs in ComfyUI: `python benchmarks/recorder.py`.

A stand-in of ComfyUI's executor runs the same prompts with the recorder and without it, lines written to a file. The
difference is divided by the number of nodes, or steps. The card is a stand-in too: what PyTorch and NVML take to answer
comes on top.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import workflows
from comfyui_stand_in import FakeCuda, World

COUNT = 500
"""Nodes, or steps, of the prompt that is timed."""
LOGGER = logging.getLogger("loganalyzer.recorder")
Setup = Callable[[World], Mapping[str, Any]]


def many_nodes(kind: str) -> Setup:
    """A prompt of nodes of this class that do nothing."""

    def setup(world: World) -> Mapping[str, Any]:
        world.nodes[kind] = lambda inputs: None
        return {str(place): {"class_type": kind, "inputs": {}} for place in range(COUNT)}

    return setup


def many_steps(world: World) -> Mapping[str, Any]:
    """A prompt with one sampler of many steps, each with a progress bar that tqdm keeps."""
    from tqdm import tqdm

    def sample(inputs: Mapping[str, Any]) -> None:
        callback = world.callback(COUNT)
        with tqdm(total=COUNT, desc="Sampling audio indices 0-81", file=Path(os.devnull).open("w")) as bar:
            for step in range(COUNT):
                callback(step, COUNT)
                bar.update(1)

    world.nodes["Sampling"] = sample
    return {"1": {"class_type": "Sampling", "inputs": {}}}


def graph(world: World) -> Mapping[str, Any]:
    """A prompt of the wrapper, whose settings are read at its start."""
    prompt: Mapping[str, Any] = workflows.api()
    world.nodes |= dict.fromkeys((node["class_type"] for node in prompt.values()), lambda inputs: None)
    return prompt


CASES: tuple[tuple[str, Setup, int, float | None], ...] = (
    ("a node without a line", many_nodes("Quick"), COUNT, 1.0),
    ("a node with a line", many_nodes("KSampler"), COUNT, 1.0),
    ("a step", many_steps, COUNT, 0.1),
    ("a prompt with its graph", graph, 1, None),
)
"""What is timed, how it is set up, by what the difference is divided, and the limit in ms."""


def fastest(setup: Setup, repeats: int, *, recorded: bool) -> float:
    """The shortest time of a prompt in seconds. Lines about the graph count only in the case that is about them."""
    os.environ["LOGANALYZER_RECORDER"] = "1" if recorded else "0"
    world = World(cuda=FakeCuda())
    prompt, best = setup(world), float("inf")
    with world.recording() as recording:
        recording.emit = lambda record: None
        if recorded and setup is not graph:
            recording.module.Recorder.describe_graph = lambda *arguments: None
        for repeat in range(repeats):
            started = time.perf_counter()
            world.run(prompt, f"p{repeat}")
            best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    """Prints one row per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    LOGGER.propagate = False
    LOGGER.addHandler(logging.FileHandler(os.devnull))
    print("| per | recorder's cost | limit |\n|---|---|---|")
    for name, setup, divisor, limit in CASES:
        spent = fastest(setup, repeats, recorded=True) - fastest(setup, repeats, recorded=False)
        print(f"| {name} | {1000 * spent / divisor:.3f} ms | {f'{limit} ms' if limit else '–'} |")


if __name__ == "__main__":
    main()
