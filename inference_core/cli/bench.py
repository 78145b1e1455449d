"""`n2f bench`."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from rich.table import Table

from inference_core.cli.console import out, print_json
from inference_core.errors import BadInput
from inference_core.perception.session import device
from inference_core.reconstruct.files import write_files
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.options import Options
from inference_core.reconstruct.pipeline import Reconstructor

WARM_UP_RUNS = 2


def run(image: Path | None, runs: int, *, as_json: bool) -> None:
    """Everything from the file to the written folder, `runs` times; the median of each stage and of the whole."""
    with tempfile.TemporaryDirectory(prefix="n2f-bench-") as folder:
        photo = image or _portrait(Path(folder))
        start = time.perf_counter()
        reconstructor = Reconstructor(Models.load())
        loading = (time.perf_counter() - start) * 1e3
        samples = [_once(reconstructor, photo, Path(folder) / "out") for _ in range(WARM_UP_RUNS + runs)][WARM_UP_RUNS:]
    stages = [name for name in samples[0] if name != "total"] + ["total"]
    median = {name: statistics.median(sample[name] for sample in samples) for name in stages}
    slow = {name: float(np.percentile([sample[name] for sample in samples], 90)) for name in stages}
    memory = _peak_megabytes()
    if as_json:
        rounded = {name: round(value, 2) for name, value in median.items()}
        print_json(
            {
                "image": str(image or "astronaut"),
                "runs": runs,
                "device": device(),
                "cores": os.cpu_count(),
                "load_ms": round(loading, 1),
                "median_ms": rounded,
                "p90_ms": {name: round(value, 2) for name, value in slow.items()},
                "peak_memory_mb": memory,
            }
        )
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    table.add_column("median ms", justify="right")
    table.add_column("90 % below", justify="right")
    for name in stages:
        table.add_row(name, f"{median[name]:.1f}", f"{slow[name]:.1f}", style="bold" if name == "total" else None)
    out.print(table)
    used = f", {memory:.0f} MB at most" if memory is not None else ""
    out.print(f"{runs} runs on {device()}, {os.cpu_count()} cores{used}; loading the models took {loading:.0f} ms.")


def _once(reconstructor: Reconstructor, photo: Path, folder: Path) -> dict[str, float]:
    """Milliseconds a stage, and `total` by the clock on the wall."""
    start = time.perf_counter()
    read, faces, found, timings = reconstructor.faces_of(photo, Options())
    number, face = faces[0]
    made = reconstructor.reconstruct(read, face, Options(), number=number, faces_found=found, timings_ms=timings)
    _, complete = write_files(folder, reconstructor.models, made)
    return {**complete, "total": (time.perf_counter() - start) * 1e3}


def _portrait(folder: Path) -> Path:
    try:
        from skimage import data
    except ImportError as error:
        raise BadInput("There is no photo to measure with.", "Name one: n2f bench photo.jpg.") from error
    astronaut: Callable[[], object] = data.astronaut
    path = folder / "astronaut.png"
    Image.fromarray(np.asarray(astronaut(), dtype=np.uint8)).save(path)
    return path


def _peak_megabytes() -> float | None:
    if sys.platform == "win32":  # the module is Unix only
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1024), 1)
