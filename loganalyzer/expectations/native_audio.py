"""How seconds of audio become frames in ComfyUI's own InfiniteTalk node.

wav2vec makes one frame of every 320 of 16,000 samples a second (the first needs 400), the node resamples them from 50
to 25 a second: `int(T / 50 * 25)`, whose float arithmetic loses one of some even T (58 gives 28). So A is mostly one or
two frames less than the wrapper's, and the rate is always 25 (facts sheet of 2026, section 2.5).
"""

from __future__ import annotations

import math
from typing import Final

from loganalyzer.expectations.embedding import SAMPLE_RATE

FPS: Final = 25
"""Frames of audio a second, whatever rate the video is written at."""
_HOP: Final = 320
_RECEPTIVE: Final = 400
_FEATURES: Final = 50
_ROUNDING: Final = 1e-6


def frames(seconds: float) -> int:
    """Frames of audio that the node makes of so many seconds; 0 of less than one wav2vec frame."""
    samples = math.ceil(seconds * SAMPLE_RATE - _ROUNDING)
    if samples < _RECEPTIVE:
        return 0
    features = (samples - _RECEPTIVE) // _HOP + 1
    return int(features / _FEATURES * FPS)
