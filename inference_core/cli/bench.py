"""`n2f bench`: what was measured, as tables or as JSON. The measuring is in `inference_core.bench`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.table import Table

from inference_core.bench.backbone import BackboneTimes, measure_backbones
from inference_core.bench.child import peak_megabytes, run_child
from inference_core.bench.photo import PhotoTimes, measure_photo, portrait
from inference_core.bench.stream import StreamTimes, measure_stream
from inference_core.bench.vit import PARAMETERS, available
from inference_core.cli.console import out, print_json
from inference_core.errors import BadInput, CoreError
from inference_core.formats.options import DEFAULT_HEAD
from inference_core.library.shelf import find_head
from inference_core.perception.session import device

PARTS = ("photo", "stream", "fresh", "backbone")
MEMORY_LIMIT_MB, START_LIMIT_S = 700, 2.0

T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """What there is; a part that was not asked for, or could not be measured, is None."""

    photo: PhotoTimes | None
    memory_mb: float | None  # of this process after the photos
    stream: StreamTimes | None
    fresh: dict[str, float] | None
    backbone: BackboneTimes | None
    missing: dict[str, str]  # part -> why it is not there


def run(image: Path | None, runs: int, parts: Sequence[str] = (), *, as_json: bool, head: str = DEFAULT_HEAD) -> None:
    """Measures the parts, all by default, and prints them.

    Raises:
        BadInput: for a part or a head that does not exist.
    """
    find_head(head)
    chosen = tuple(parts) or PARTS
    if unknown := [part for part in chosen if part not in PARTS]:
        raise BadInput(f"There is no part '{unknown[0]}' to measure.", f"Name some of: {', '.join(PARTS)}.")
    with tempfile.TemporaryDirectory(prefix="n2f-bench-") as folder:
        measured = _measure(image, runs, chosen, Path(folder), head)
    if as_json:
        print_json(_plain(measured, image, runs))
    else:
        _show(measured, runs)


def _measure(image: Path | None, runs: int, parts: Sequence[str], folder: Path, head: str) -> Measured:
    photo = image or portrait(folder)
    missing: dict[str, str] = {}

    def tried(part: str, work: Callable[[], T]) -> T | None:
        try:
            return work() if part in parts else None
        except (CoreError, ImportError) as error:
            missing[part] = str(error)
            return None

    photos = measure_photo(photo, runs, folder, head) if "photo" in parts else None
    memory = peak_megabytes() if photos is not None else None
    fresh = tried("fresh", lambda: run_child("photo", head, str(photo)))
    stream = tried("stream", lambda: measure_stream(photo, min(max(24, 6 * runs), 240), folder, head))
    backbone = None
    if "backbone" in parts and not available():
        missing["backbone"] = "the package onnx, which writes the network to compare with, is not installed"
    else:
        backbone = tried("backbone", lambda: measure_backbones(min(max(1, runs // 4), 5), folder))
    return Measured(photos, memory, stream, fresh, backbone, missing)


def _plain(measured: Measured, image: Path | None, runs: int) -> dict[str, object]:
    """For `--json`. `faces_per_second` is the stream's."""
    values: dict[str, object] = {
        "image": str(image or "astronaut"),
        "runs": runs,
        "device": device(),
        "cores": os.cpu_count(),
    }
    if measured.photo is not None:
        photo = measured.photo
        values |= {
            "load_ms": round(photo.load_ms, 1),
            "median_ms": _rounded(photo.median_ms),
            "p90_ms": _rounded(photo.p90_ms),
            "cpu_ms": _rounded(photo.cpu_ms),
            "files_cpu_ms": _rounded(photo.files_cpu_ms),
            "share": {name: round(photo.share(name), 4) for name in photo.median_ms},
            "photos_per_second": round(1e3 / photo.median_ms["total"], 2),
            "peak_memory_mb": measured.memory_mb,
        }
    if measured.stream is not None:
        stream = measured.stream
        values |= {
            "faces_per_second": round(stream.faces_per_second, 2),
            "stream": {
                "frames": stream.frames,
                "cpu_ms": _rounded(stream.stages),
                "share": {name: round(value / stream.cpu_ms, 4) for name, value in stream.stages.items()},
                "cpu_ms_per_frame": round(stream.cpu_ms, 2),
                "identity_s": round(stream.identity_s, 2),
                "peak_memory_mb": stream.peak_memory_mb,
            },
        }
    if measured.fresh is not None:
        values["fresh_process"] = {
            "first_result_s": round(measured.fresh["seconds"], 2),
            "peak_memory_mb": measured.fresh["peak_memory_mb"],
        }
    if measured.backbone is not None:
        backbone = measured.backbone
        values["backbone"] = {
            "n2fnet_ms": round(backbone.n2fnet_ms, 2),
            "vit_l16_ms": round(backbone.vit_ms, 2),
            "ratio": round(backbone.ratio, 1),
        }
    if measured.missing:
        values["not_measured"] = measured.missing
    return values


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in values.items()}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _show(measured: Measured, runs: int) -> None:
    cores = os.cpu_count()
    if measured.photo is not None:
        photo = measured.photo
        table = _table("a photo", "median ms", "share", "90 % below")
        for name, value in photo.median_ms.items():
            row = (name, f"{value:.1f}", f"{photo.share(name):.0%}", f"{photo.p90_ms[name]:.1f}")
            table.add_row(*row, style="bold" if name == "total" else None)
        out.print(table)
        used = f", {measured.memory_mb:.0f} MB at most" if measured.memory_mb is not None else ""
        loading = f"loading the models took {photo.load_ms:.0f} ms"
        loading += (
            f"; processor time {photo.cpu_ms['head']:.0f} ms to the head, {photo.cpu_ms['all']:.0f} ms with files"
        )
        files = ", ".join(f"{name} {value:.0f}" for name, value in photo.files_cpu_ms.items())
        out.print(f"{runs} runs on {device()}, {cores} cores{used}; {loading} (ms each alone: {files}).\n")
    if measured.stream is not None:
        stream = measured.stream
        table = _table("a face in a stream", "CPU ms a frame", "share")
        for name, value in stream.stages.items():
            table.add_row(name, f"{value:.1f}", f"{value / stream.cpu_ms:.0%}")
        table.add_row("together", f"{stream.cpu_ms:.1f}", "100%", style="bold")
        out.print(table)
        out.print(
            f"{stream.faces_per_second:.1f} faces a second over {stream.frames} frames on {cores} cores, after "
            f"{stream.identity_s:.1f} s a clip for the person's shape{_memory(stream.peak_memory_mb)}.\n"
        )
    if measured.fresh is not None:
        seconds = measured.fresh["seconds"]
        out.print(
            f"A fresh process had its first result after {seconds:.2f} s ({_held(seconds <= START_LIMIT_S)} "
            f"{START_LIMIT_S:.0f} s){_memory(measured.fresh['peak_memory_mb'])}."
        )
    if measured.backbone is not None:
        backbone = measured.backbone
        out.print(
            f"N2FNet {backbone.n2fnet_ms:.1f} ms; the paper's backbone alone, a ViT-L/16 of {PARAMETERS / 1e6:.0f} M "
            f"random parameters (one layer's, shared by all 24), {backbone.vit_ms:.0f} ms: {backbone.ratio:.0f} times."
        )
    for part, reason in measured.missing.items():
        out.print(f"Not measured: {part}; {reason}", markup=False)


def _held(good: bool) -> str:
    return "within" if good else "more than"


def _memory(megabytes: float | None) -> str:
    if megabytes is None:
        return ""
    return f"; {megabytes:.0f} MB at most ({_held(megabytes <= MEMORY_LIMIT_MB)} {MEMORY_LIMIT_MB} MB)"
