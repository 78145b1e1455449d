"""N2FNet against the paper's backbone, turn by turn in one run, so that a busy machine is busy for both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference_core.bench.vit import LAYERS, write_vit
from inference_core.n2fnet import Regressor
from inference_core.perception.session import Network


@dataclass(frozen=True)
class BackboneTimes:
    """Median ms by the clock on the wall, both on the same number of threads."""

    n2fnet_ms: float
    vit_ms: float

    @property
    def ratio(self) -> float:
        """How many times N2FNet, all of it, fits into the paper's backbone alone."""
        return self.vit_ms / self.n2fnet_ms


def measure_backbones(runs: int, folder: Path, threads: int = 0, layers: int = LAYERS) -> BackboneTimes:
    """`runs` turns after one to warm up. Needs the package onnx. Fewer `layers` are for tests."""
    path = folder / "vit_l16.onnx"
    write_vit(path, layers)
    vit, ours = Network(path, threads), Regressor(threads=threads)
    rng = np.random.default_rng(0)
    planes = rng.standard_normal((1, 3, 256, 256), dtype=np.float32)
    normals, mask = np.ascontiguousarray(planes[0].transpose(1, 2, 0)), np.ones((256, 256), np.bool_)
    camera = np.array([400.0, 400.0, 128.0, 128.0])
    turns = [
        (
            _milliseconds(lambda: ours.estimate(normals, mask, camera)),
            _milliseconds(lambda: vit.run({"normals": planes})),
        )
        for _ in range(1 + runs)
    ][1:]
    return BackboneTimes(statistics.median(a for a, _ in turns), statistics.median(b for _, b in turns))


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3
