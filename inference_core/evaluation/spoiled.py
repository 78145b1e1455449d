"""True normals spoiled as in training: the worst that an extractor may do, with landmarks as far off as Face Mesh's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from inference_core.evaluation.methods import Seen
from inference_core.evaluation.samples import Sample
from inference_core.training.n2fnet.config import Corruption
from inference_core.training.n2fnet.corrupt import corrupt
from inference_core.training.n2fnet.render import NormalRender

SPOIL_STREAM = 0x5B011
SPOILED_SIGMA = 0.12  # rad, what the corruption does on average
LANDMARK_SIGMA = 1.6  # px of the 256 px crop


def spoil(samples: Iterable[Sample], seed: int) -> Iterator[tuple[Sample, Seen]]:
    """Every sample with corrupted normals, mask and landmarks. Deterministic by seed."""
    level = Corruption(clean_share=0.0)
    for number, sample in enumerate(samples):
        rng = np.random.default_rng((SPOIL_STREAM, seed, number))
        eyes = np.stack([sample.landmarks[36:42].mean(axis=0), sample.landmarks[42:48].mean(axis=0)])
        # The truth's mask stands for all skin too: no neck to leak into.
        maps = corrupt(rng, NormalRender(sample.normals, sample.face, sample.face), eyes, level)
        face = (maps != 0).any(axis=2)
        points = sample.dense + rng.normal(0, LANDMARK_SIGMA, sample.dense.shape)
        yield (
            sample,
            Seen(
                maps,
                face,
                points,
                sample.camera.intrinsics,
                face.astype(np.float32),
                np.ones(len(points)),
                np.full(face.shape, SPOILED_SIGMA, np.float32),
            ),
        )
