"""What a wrong focal length costs: the same pictures through the product, told the truth, half, twice, nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from inference_core.evaluation.measures import Errors
from inference_core.evaluation.run import Row, summarise
from inference_core.evaluation.scan_sets import PICTURE_SIZE, Draw, wider
from inference_core.evaluation.scans import compare_surface
from inference_core.evaluation.views import View
from inference_core.formats.options import ReconstructOptions
from inference_core.reconstruct.pipeline import Reconstructor

TOLD = {"focal length given": 1.0, "focal length x0.5": 0.5, "focal length x2": 2.0, "focal length unknown": None}
PRODUCT = "the product"


def focal_rows(reconstructor: Reconstructor, inputs: str, views: Sequence[View], draw: Draw) -> list[Row]:
    """A row per way of telling. Views are crops as `views.crop_view` makes them; pictures show more, as photos do."""
    errors: dict[str, list[Errors]] = {name: [] for name in TOLD}
    seconds: dict[str, list[float]] = {name: [] for name in TOLD}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        for view in views:
            whole = replace(view, camera=wider(view.camera))
            Image.fromarray(draw(whole, PICTURE_SIZE)).save(path)
            true = float(whole.camera.intrinsics[0])
            for name, share in TOLD.items():
                options = ReconstructOptions(focal_length_px=None if share is None else share * true)
                photo, faces, _, _ = reconstructor.faces_of(path, options)
                made = reconstructor.reconstruct(photo, faces[0][1], options)
                errors[name].append(compare_surface(reconstructor.models.head, made.vertices, view.target))
                seconds[name].append(sum(made.timings_ms.values()) / 1000)
    return [summarise(f"{inputs}, {name}", PRODUCT, errors[name], seconds[name]) for name in TOLD]


def cost(rows: Sequence[Row], inputs: str) -> tuple[float, float] | None:
    """What the worse of half and twice the focal length adds to the CD on the face, mm: scaled, and size held.

    None: not measured.
    """
    of = {row.inputs: row for row in rows}
    known, *wrong = (of.get(f"{inputs}, {name}") for name in list(TOLD)[:3])
    worse = [row for row in wrong if row is not None]
    if known is None or not worse:
        return None
    return (
        max(row.scaled_distance for row in worse) - known.scaled_distance,
        max(row.distance["face"] for row in worse) - known.distance["face"],
    )
