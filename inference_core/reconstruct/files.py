"""What one reconstruction leaves in its folder."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core import __version__
from inference_core.errors import Internal
from inference_core.head import HeadParameters, pose_head
from inference_core.perception.session import device
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.obj import obj_text
from inference_core.reconstruct.output import atomic_folder
from inference_core.reconstruct.overlay import (
    draw_overlay,
    normal_pictures,
    overlay_scale,
    picture_scale,
    resized,
)
from inference_core.reconstruct.ownership import FILES, listed
from inference_core.reconstruct.pipeline import Reconstruction, clock
from inference_core.take import Take, TakeMeta, save_take


@dataclass(frozen=True)
class ResultFiles:
    """Absolute paths of what was written."""

    take: Path
    head_obj: Path
    neutral_obj: Path
    overlay: Path
    normals: Path
    mask: Path
    report: Path

    def as_dict(self) -> dict[str, str]:
        """All but the take, by name."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self) if field.name != "take"}


def write_files(
    folder: Path, models: Models, made: Reconstruction, inputs: Sequence[str | Path] = ()
) -> tuple[ResultFiles, dict[str, float]]:
    """Everything or nothing appears in `folder`. Returns the files and all timings in ms. Raises BadInput.

    Neither the photo nor any of `inputs` is ever replaced, nor what is no result of an earlier run.
    """
    timings = dict(made.timings_ms)
    folder = folder.absolute()
    start = time.perf_counter()
    with clock(timings, "write"), atomic_folder(folder, [made.photo.path, *inputs]) as partial:
        # Encoding and drawing run outside Python's lock: two threads, as most computers have two cores to spare.
        with ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(write, partial, models, made) for write in (_overlay, _rest)]:
                job.result()
        # The report tells what writing took, so it is written with the time so far, a millisecond before the end.
        report = report_of(made, models, {**timings, "write": (time.perf_counter() - start) * 1e3})
        report[FILES] = listed(partial, partial.iterdir())
        _write_text(partial / "report.json", json.dumps(report, indent=2, ensure_ascii=False))
    return (
        ResultFiles(
            take=folder / "take.npz",
            head_obj=folder / "head.obj",
            neutral_obj=folder / "neutral.obj",
            overlay=folder / "overlay.png",
            normals=folder / "normals.png",
            mask=folder / "mask.png",
            report=folder / "report.json",
        ),
        timings,
    )


def _overlay(folder: Path, models: Models, made: Reconstruction) -> None:
    scale = overlay_scale(made.photo.size, float(np.ptp(made.landmarks_px[:, 0])))
    camera = replace(made.camera, intrinsics=made.camera.intrinsics * scale)
    photo = resized(made.photo.rgb, scale)
    picture = draw_overlay(photo, models.head, made.vertices, camera, made.landmarks_px * scale)
    _write_png(folder / "overlay.png", picture)


def _rest(folder: Path, models: Models, made: Reconstruction) -> None:
    head = models.head
    comment = f"{head.head_id}, {head.licence}, n2f {__version__}"
    _write_text(folder / "head.obj", obj_text(head, made.vertices, comment))
    _write_text(folder / "neutral.obj", obj_text(head, pose_head(head, _identity(made, models)), comment))
    save_take(folder / "take.npz", take_of(made, models))
    # The take went through a private temporary file; it is as readable as its neighbours.
    (folder / "take.npz").chmod((folder / "head.obj").stat().st_mode & 0o777)
    scale = picture_scale(made.photo.size)
    normals, mask = normal_pictures(made.normal_map, made.frame, made.photo.size, scale)
    _write_png(folder / "normals.png", normals)
    _write_png(folder / "mask.png", mask)


def take_of(made: Reconstruction, models: Models) -> Take:
    """A take of one frame."""
    camera, parameters = made.camera, made.parameters
    meta = TakeMeta(
        head_id=models.head.head_id,
        head_sha256=models.head.sha256,
        expression_names=models.head.expression_names,
        source=str(made.photo.path.absolute()),
        fps=0.0,
        software_version=__version__,
        weights=models.weights,
    )

    def frame(values: NDArray[np.float64]) -> NDArray[np.float32]:
        return np.asarray(values, dtype=np.float32)[None]

    return Take(
        meta=meta,
        shape=parameters.shape.astype(np.float32),
        expression=frame(parameters.expression),
        jaw=frame(parameters.jaw),
        neck=frame(parameters.neck),
        eyes=frame(parameters.eyes),
        eyelids=frame(parameters.eyelids),
        head_rotation=frame(camera.rotation),
        head_translation=frame(camera.translation),
        intrinsics=camera.intrinsics.astype(np.float32),
        image_size=np.array(made.photo.size, dtype=np.int32),
        frame_index=np.zeros(1, np.int32),
        timestamp=np.zeros(1),
        valid=np.ones(1, np.bool_),
        confidence=np.array([made.face.confidence], np.float32),
        landmarks_68=frame(made.landmarks_px),
        landmarks_68_head=frame(made.landmarks),
        bbox=frame(made.face.box),
    )


def report_of(made: Reconstruction, models: Models, timings_ms: dict[str, float]) -> dict[str, object]:
    """What report.json holds; numbers a person reads are rounded."""
    named = zip(models.head.expression_names, made.parameters.expression.tolist(), strict=True)
    strong = sorted((item for item in named if abs(item[1]) >= 0.05), key=lambda item: -abs(item[1]))
    return {
        "status": "done",
        "image": str(made.photo.path.absolute()),
        "face": made.number,
        "software_version": __version__,
        "device": device(),
        "head": {"head_id": models.head.head_id, "sha256": models.head.sha256, "license": models.head.licence},
        "weights": models.weights,
        **facts_of(made, timings_ms),
        "image_size": list(made.photo.size),
        "box": [round(value, 1) for value in made.face.box.tolist()],
        "confidence": round(made.face.confidence, 3),
        "expression": {name: round(value, 3) for name, value in strong},
        "jaw_open_degrees": round(float(np.degrees(made.parameters.jaw[0])), 1),
        "distance_m": round(float(made.camera.translation[2]), 3),
    }


def facts_of(made: Reconstruction, timings_ms: dict[str, float]) -> dict[str, object]:
    """The part that the protocol's result message carries too."""
    timings = {name: round(value, 2) for name, value in timings_ms.items()}
    timings["total"] = round(sum(timings_ms.values()), 2)
    facts: dict[str, object] = {
        "faces_found": made.faces_found,
        "timings_ms": timings,
        "warnings": list(made.warnings),
        "landmark_error": round(made.landmark_error, 4),
        "focal_length_px": round(float(made.camera.intrinsics[0]), 1),
        "focal_length_source": made.photo.focal.source,
    }
    if made.fit is not None:
        facts["fit_steps"] = made.fit.steps
        facts["normal_error_degrees"] = (
            round(float(np.degrees(made.fit.normal_error)), 1) if np.isfinite(made.fit.normal_error) else None
        )
    return facts


def _identity(made: Reconstruction, models: Models) -> HeadParameters:
    return replace(HeadParameters.neutral(models.head), shape=made.parameters.shape)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """RGB (H, W, 3) or grey (H, W). Encoded in memory: OpenCV's own writing fails silently and on non-ASCII paths."""
    ordered = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    # Level 1: a third larger than the default and several times faster.
    done, data = cv2.imencode(".png", ordered, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise Internal(f"{path.name} could not be encoded.", "Report this with the photo's size.")
    path.write_bytes(data.tobytes())
