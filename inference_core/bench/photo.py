"""The photo chain, from the file to the written folder, by stages."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inference_core.errors import BadInput
from inference_core.formats.options import DEFAULT_HEAD, ReconstructOptions
from inference_core.reconstruct.files import (
    take_of,
    write_files,
    write_meshes,
    write_normals,
    write_overlay,
    write_take,
)
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor

WARM_UP_RUNS = 2


@dataclass(frozen=True)
class PhotoTimes:
    """Milliseconds by the clock on the wall; stages in order, `total` last.

    `cpu_ms`: the processor's own time, median, for the `head` and for `all` with its files; `files_cpu_ms` for each of
    these files. A busy machine changes it least.
    """

    load_ms: float
    median_ms: dict[str, float]
    p90_ms: dict[str, float]
    cpu_ms: dict[str, float]
    files_cpu_ms: dict[str, float]

    def share(self, name: str) -> float:
        """Of the whole, 0..1."""
        return self.median_ms[name] / self.median_ms["total"]


def measure_photo(photo: Path, runs: int, folder: Path, head: str = DEFAULT_HEAD) -> PhotoTimes:
    """Everything from the file to the folder of results, `runs` times, models loaded once."""
    start = time.perf_counter()
    reconstructor = Reconstructor(Models.load(head))
    loading = (time.perf_counter() - start) * 1e3
    both = [_once(reconstructor, photo, folder / "out") for _ in range(WARM_UP_RUNS + runs)][WARM_UP_RUNS:]
    samples, spent = [walls for walls, _ in both], [cpu for _, cpu in both]
    stages = [name for name in samples[0] if name != "total"] + ["total"]
    return PhotoTimes(
        loading,
        {name: statistics.median(sample[name] for sample in samples) for name in stages},
        {name: float(np.percentile([sample[name] for sample in samples], 90)) for name in stages},
        {name: statistics.median(each[name] for each in spent) for name in spent[0]},
        _by_file(_made(reconstructor, photo), reconstructor.models, folder, runs),
    )


def _made(reconstructor: Reconstructor, photo: Path) -> Reconstruction:
    read, faces, found, timings = reconstructor.faces_of(photo, ReconstructOptions())
    number, face = faces[0]
    return reconstructor.reconstruct(
        read, face, ReconstructOptions(), number=number, faces_found=found, timings_ms=timings
    )


def _by_file(made: Reconstruction, models: Models, folder: Path, runs: int) -> dict[str, float]:
    """Processor time of each file alone, ms, median."""
    writers: dict[str, Callable[[], None]] = {
        "meshes": lambda: write_meshes(folder, models, made),
        "take": lambda: write_take(folder / "take.npz", take_of(made, models)),
        "overlay": lambda: write_overlay(folder / "overlay.png", models, made),
        "normals and mask": lambda: write_normals(folder / "normals.png", folder / "mask.png", made),
    }
    return {name: statistics.median(_cpu_ms(write) for _ in range(runs)) for name, write in writers.items()}


def _cpu_ms(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1e3


def _once(reconstructor: Reconstructor, photo: Path, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    start, begun = time.perf_counter(), time.process_time()
    made = _made(reconstructor, photo)
    fitted = time.process_time()
    _, complete = write_files(folder, reconstructor.models, made)
    cpu = {"head": (fitted - begun) * 1e3, "all": (time.process_time() - begun) * 1e3}
    return {**complete, "total": (time.perf_counter() - start) * 1e3}, cpu


def portrait(folder: Path) -> Path:
    """scikit-image's astronaut as a file in `folder`.

    Raises:
        BadInput: where scikit-image is absent.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise BadInput("There is no photo to measure with.", "Name one: n2f bench photo.jpg.") from error
    astronaut: Callable[[], object] = data.astronaut
    path = folder / "astronaut.png"
    Image.fromarray(np.asarray(astronaut(), dtype=np.uint8)).save(path)
    return path
