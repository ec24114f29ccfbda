"""Write the logs to measure with: `python benchmarks/generate.py FOLDER [--megabytes 200] [--files 3000]`.

Their material are the sample logs, and runs made to order as the tests make them. Nothing depends on the clock or on
chance: equal arguments give equal bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Final

TESTS = Path(__file__).parent.parent / "tests"
sys.path.insert(0, str(TESTS))

from recipes import Recipe  # noqa: E402
from rendering import render  # noqa: E402

SAMPLES = Path(__file__).parent.parent / "sample_logs"
DIFFERENT_RUNS = 1000
"""Runs of the dense log before it repeats itself."""
CHATTER_PER_SAMPLE = 400_000
"""Bytes of other nodes' lines before each InfiniteTalk prompt of the sparse log: about 1 % of it is ours."""

DENSE = "dense.log"
LINES = "lines.log"
SPARSE = "sparse.log"
VIDEOS = "videos.log"
VARIED_DENSE = "varied-dense.log"
VARIED_LINES = "varied-lines.log"
VARIED_SPARSE = "varied-sparse.log"
SMALL = "small"

_IDLE = (
    "FETCH ComfyRegistry Data: {a}/97",
    "[rgthree-comfy] Loaded {a} extraordinary nodes.",
    "[ComfyUI-Manager] default cache updated: https://nodes.example/extension-node-map-{b}.json",
    "got an unexpected socket close from client {b}, 0 outputs pending",
    "Comfyroll Studio v1.76 :  {a} Nodes Loaded",
    "INFO: the IPAdapter reference image is not a square, CLIPImageProcessor will resize and crop it at the center",
    "prompt_worker: {a} items in queue, cache holds {b} entries",
    "GET /view?filename=portrait_{b}_.png&type=output 200 in {a} ms",
)
_IMAGE_PROMPT = (
    "got prompt",
    "model weight dtype torch.bfloat16, manual cast: None",
    "model_type FLUX",
    "CLIP/text encoder model load device: cuda:0, offload device: cpu, current: cpu, dtype: torch.float16",
    "Requested to load FluxClipModel_",
    "loaded completely {b}.4 9319.23095703125 True",
    "Requested to load Flux",
    (
        "\r  0%|          | 0/20 [00:00<?, ?it/s]\r 50%|█████     | 10/20 [00:0{d}<00:0{d},  2.{a}it/s]"
        "\r100%|██████████| 20/20 [00:09<00:00,  2.{a}it/s]"
    ),
    "Requested to load AutoencodingEngine",
    "0 models unloaded.",
    "Prompt executed in {d}.{a} seconds",
)


def dense(size: int) -> Iterator[bytes]:
    """Progress bars only, run after run, each with step times of its own: every byte has to be read."""
    return _up_to(size, cycle([_bars(seed) for seed in range(DIFFERENT_RUNS)]))


def _bars(seed: int) -> bytes:
    """The bars of one run."""
    return _select_bars(_video(seed))


def _select_bars(log: bytes) -> bytes:
    return b"\n".join(line for line in log.split(b"\n") if b"Sampling audio" in line) + b"\n"


def varied_dense(size: int) -> Iterator[bytes]:
    """Writes only bars, all different, so no text is read twice."""
    return _up_to(size, (_select_bars(_varied_video(seed)) for seed in count()))


def varied_lines(size: int) -> Iterator[bytes]:
    """The same, each refresh on a line of its own."""
    return _up_to(size, (block.replace(b"\r", b"\n") for block in varied_dense(2 * size)))


def varied_sparse(size: int) -> Iterator[bytes]:
    """A busy server: no two videos are alike, and each line of other nodes has numbers of its own."""
    return _up_to(size, _varied_server(Random(1)))


def _varied_video(seed: int) -> bytes:
    """One prompt with a schedule, a size, and step times of its own."""
    chance = Random(seed)
    log: bytes = render(
        Recipe(
            audio_frames=chance.randrange(200, 3000),
            window=4 * chance.randrange(12, 41) + 1,
            motion=4 * chance.randrange(0, 8) + 1,
            steps=chance.randrange(4, 13),
            width=16 * chance.randrange(30, 81),
            height=16 * chance.randrange(30, 81),
            step_s=chance.uniform(2.0, 60.0),
            decode_s=chance.uniform(1.0, 9.0),
            peak_gib=chance.uniform(12.0, 24.0),
            jitter=0.2,
            seed=seed,
            banner=seed == 0,
        )
    )
    return log


def _varied_server(chance: Random) -> Iterator[bytes]:
    for seed in count():
        written = 0
        while written < CHATTER_PER_SAMPLE:
            block = _varied_chatter(chance)
            written += len(block)
            yield block
        yield _varied_video(seed)


def _varied_chatter(chance: Random) -> bytes:
    """As `_chatter`, each line with numbers of its own."""
    lines = [*chance.choices(_IDLE, k=60), *_IMAGE_PROMPT]
    return b"".join(_fill(line, chance) for line in lines)


def videos(size: int) -> Iterator[bytes]:
    """Nothing but InfiniteTalk prompts, whole: what one card prints in five months of work."""
    return _up_to(size, cycle([_video(seed) for seed in range(DIFFERENT_RUNS)]))


def _video(seed: int) -> bytes:
    """One prompt."""
    chance = Random(seed)
    recipe = Recipe(
        audio_frames=chance.randrange(200, 600),
        step_s=chance.uniform(4.6, 5.4),
        decode_s=chance.uniform(1.8, 2.4),
        jitter=0.05,
        seed=seed,
        banner=seed == 0,
    )
    log: bytes = render(recipe)
    return log


def lines(size: int) -> Iterator[bytes]:
    """The same, each refresh on a line of its own, as RunPod's console shows them."""
    return _up_to(size, (block.replace(b"\r", b"\n") for block in dense(2 * size)))


def sparse(size: int) -> Iterator[bytes]:
    """A busy server: thousands of lines of other nodes and image prompts, and now and then a video."""
    return _up_to(size, _busy_server(Random(0)))


def small(number: int) -> bytes:
    """One of many small logs; no two are equal."""
    paths = sorted(SAMPLES.glob("*.txt"))
    return paths[number % len(paths)].read_bytes() + f"prompt_worker: host {number} is going down\n".encode()


def _busy_server(chance: Random) -> Iterator[bytes]:
    video = (SAMPLES / "clean_Q6_K.txt").read_bytes()
    for _ in count():
        written = 0
        while written < CHATTER_PER_SAMPLE:
            block = _chatter(chance)
            written += len(block)
            yield block
        yield video


def _chatter(chance: Random) -> bytes:
    """One image prompt, and what other nodes say around it."""
    lines = [*chance.choices(_IDLE, k=60), *_IMAGE_PROMPT]
    return _fill("\n".join(lines), chance)


def _fill(text: str, chance: Random) -> bytes:
    numbers = {"a": chance.randrange(10, 99), "b": chance.randrange(10_000, 99_999), "d": chance.randrange(9)}
    return text.format(**numbers).encode() + b"\n"


def _up_to(size: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
    written = 0
    for block in blocks:
        if written >= size:
            return
        written += len(block)
        yield block


LARGE: Final = {
    DENSE: dense,
    LINES: lines,
    SPARSE: sparse,
    VIDEOS: videos,
    VARIED_DENSE: varied_dense,
    VARIED_LINES: varied_lines,
    VARIED_SPARSE: varied_sparse,
}
"""Name of each large log and its blocks, given its size."""


def write(folder: Path, megabytes: int, files: int) -> None:
    """All inputs into `folder`."""
    (folder / SMALL).mkdir(parents=True, exist_ok=True)
    size = megabytes * 10**6
    for name, blocks in LARGE.items():
        with (folder / name).open("wb") as out:
            out.writelines(blocks(size))
    for number in range(files):
        (folder / SMALL / f"run_{number:05}_Q6_K.log").write_bytes(small(number))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty folder outside of the repository")
    parser.add_argument("--megabytes", type=int, default=200, help="size of each large log [200]")
    parser.add_argument("--files", type=int, default=3000, help="number of small logs [3000]")
    given = parser.parse_args()
    write(given.folder, given.megabytes, given.files)


if __name__ == "__main__":
    main()
