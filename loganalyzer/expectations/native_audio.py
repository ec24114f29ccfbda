"""Computes frames from seconds of audio as ComfyUI's own InfiniteTalk node does.

wav2vec makes one frame of every 320 samples at 16,000 samples per second (the first needs 400). The node resamples
them from 50 to 25 per second: `int(T / 50 * 25)`, whose float arithmetic loses one for some even T (58 gives 28). So A
is usually one or two frames less than the wrapper's, and the rate is always 25 (facts sheet of 2026, section 2.5).
"""

from __future__ import annotations

import math
from typing import Final

from loganalyzer.expectations.embedding import SAMPLE_RATE

FPS: Final = 25
"""Frames of audio per second, whatever the video's frame rate."""
_HOP: Final = 320
_RECEPTIVE: Final = 400
_FEATURES: Final = 50
_ROUNDING: Final = 1e-6


def count_frames(seconds: float) -> int:
    """Number of audio frames that the node makes from this many seconds; 0 for less than one wav2vec frame."""
    samples = math.ceil(seconds * SAMPLE_RATE - _ROUNDING)
    if samples < _RECEPTIVE:
        return 0
    features = (samples - _RECEPTIVE) // _HOP + 1
    return int(features / _FEATURES * FPS)
