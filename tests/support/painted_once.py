"""The demo street's textures painted once per process: half a second of each street that is made.

They follow from the numbers drawn alone. The program itself does not keep them: they are 80 MB.
"""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import Any

import numpy as np

from fastscnn.data.street import street
from fastscnn.data.street.lighting import Tone
from fastscnn.data.street.texture_set import TextureSet, paint_all


@lru_cache(maxsize=4)
def _painted(state: bytes, tone: Tone, sun: int) -> tuple[TextureSet, dict[str, Any]]:
    rng = np.random.default_rng()
    rng.bit_generator.state = pickle.loads(state)
    return paint_all(rng, tone, sun), rng.bit_generator.state


def _paint_once(rng: np.random.Generator, tone: Tone, sun: int) -> TextureSet:
    textures, rng.bit_generator.state = _painted(pickle.dumps(rng.bit_generator.state), tone, sun)
    return textures


street.paint_all = _paint_once
