"""What one reconstruction leaves in its folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial as bound
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from inference_core import __version__
from inference_core.detail import files as detail_files
from inference_core.detail.names import DESCRIPTION as DETAIL
from inference_core.formats.png import quick_png
from inference_core.formats.side_by_side import side_by_side
from inference_core.hair import files as hair_files
from inference_core.hair.barber import none_of
from inference_core.head import Head, HeadParameters, pose_head
from inference_core.look.files import description
from inference_core.look.names import DESCRIPTION, PORES, ROUGHNESS, TEXTURE
from inference_core.look.painter import Look
from inference_core.maps import files as map_files
from inference_core.perception.image import Photo
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
from inference_core.take import Photos, Take, TakeMeta, save_take

UPRIGHT = "photo.jpg"
"""Beside a take, where Blender could not show the photo's own file; of several photos photo_0.jpg and so on."""


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
    albedo: Path | None = None  # the look, where there is one
    roughness: Path | None = None
    pores: Path | None = None
    look: Path | None = None
    hair: Path | None = None  # its description, where hair was asked for; a bald head has one, too
    detail: Path | None = None  # the same of detail
    maps: Path | None = None  # the same of maps

    def as_dict(self) -> dict[str, str]:
        """All but the take, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "take"}
        return {name: str(path) for name, path in named.items() if path is not None}


def write_files(
    folder: Path, models: Models, made: Reconstruction, inputs: Sequence[str | Path] = ()
) -> tuple[ResultFiles, dict[str, float]]:
    """Everything or nothing appears in `folder`. Returns the files and all timings in ms.

    Neither the photo nor any of `inputs` is ever replaced, nor what is no result of an earlier run.

    Raises:
        BadInput: where the folder cannot be written, or something there would be lost.
    """
    timings = dict(made.timings_ms)
    folder = folder.absolute()
    start = time.perf_counter()
    with clock(timings, "write"), atomic_folder(folder, [made.photo.path, *inputs]) as partial:
        # Encoding and drawing run outside Python's lock: two threads, as most computers have two cores to spare.
        parts = (_overlay, _rest, write_look, write_hair, write_detail, _maps, _upright)
        side_by_side(2, [bound(write, partial, models, made) for write in parts])
        # The report tells what writing took, so it is written with the time so far, a millisecond before the end.
        report = report_of(made, models, {**timings, "write": (time.perf_counter() - start) * 1e3})
        report[FILES] = listed(partial, partial.iterdir())
        write_text(partial / "report.json", json.dumps(report, indent=2, ensure_ascii=False))
    return (
        ResultFiles(
            take=folder / "take.npz",
            head_obj=folder / "head.obj",
            neutral_obj=folder / "neutral.obj",
            overlay=folder / "overlay.png",
            normals=folder / "normals.png",
            mask=folder / "mask.png",
            report=folder / "report.json",
            **look_files(folder, made),
            maps=folder / map_files.DESCRIPTION if made.maps is not None else None,
        ),
        timings,
    )


def add_hair(folder: Path, models: Models, made: Reconstruction) -> dict[str, str]:
    """What a head that is in `folder` still lacked: its hair, and the skin under it. The paths of what was written.

    Raises:
        BadInput: where they cannot be written; the head stays as it is.
    """
    hair = none_of("failed") if made.hair is None else made.hair
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    written = {"hair": hair_files.DESCRIPTION, "report": "report.json"}
    with atomic_folder(folder, [made.photo.path]) as partial:
        write_hair(partial, models, replace(made, hair=hair))
        if made.look is not None and hair.cover is not None:
            _write_png(partial / TEXTURE, made.look.picture)
            written["albedo"] = TEXTURE
        report |= {"timings_ms": facts_of(made, made.timings_ms)["timings_ms"], "warnings": list(made.warnings)}
        report[FILES] |= listed(partial, partial.iterdir())
        write_text(partial / "report.json", json.dumps(report, indent=2, ensure_ascii=False))
    return {name: str(folder / file) for name, file in written.items()}


def look_files(folder: Path, made: Reconstruction) -> dict[str, Path | None]:
    """Where the files of look, hair and detail are, by their names in ResultFiles."""
    there = made.look is not None
    return {
        "albedo": folder / TEXTURE if there else None,
        "roughness": folder / ROUGHNESS if there else None,
        "pores": folder / PORES if there else None,
        "look": folder / DESCRIPTION if there else None,
        "hair": folder / hair_files.DESCRIPTION if made.hair is not None else None,
        "detail": folder / DETAIL if made.detail is not None else None,
    }


def _overlay(folder: Path, models: Models, made: Reconstruction) -> None:
    write_overlay(folder / "overlay.png", models, made)


def _rest(folder: Path, models: Models, made: Reconstruction) -> None:
    write_meshes(folder, models, made)
    write_take(folder / "take.npz", take_of(made, models))
    write_normals(folder / "normals.png", folder / "mask.png", made)


def _maps(folder: Path, _: Models, made: Reconstruction) -> None:
    write_maps(folder, made)


def _upright(folder: Path, _: Models, made: Reconstruction) -> None:
    write_upright(folder / UPRIGHT, made.photo)


def write_upright(path: Path, photo: Photo) -> None:
    """The photo as it was read, for Blender, where Blender cannot read the file itself."""
    if not photo.widely_read:
        Image.fromarray(photo.rgb).save(path, quality=95, subsampling=0)


def write_overlay(path: Path, models: Models, made: Reconstruction) -> None:
    """The head drawn onto its photo."""
    scale = overlay_scale(made.photo.size, float(np.ptp(made.landmarks_px[:, 0])))
    camera = replace(made.camera, intrinsics=made.camera.intrinsics * scale)
    photo = resized(made.photo.rgb, scale)
    _write_png(path, draw_overlay(photo, models.head, made.vertices, camera, made.landmarks_px * scale))


def write_meshes(folder: Path, models: Models, made: Reconstruction) -> None:
    """head.obj, posed, and neutral.obj, the identity alone."""
    head = models.head
    comment = f"{head.head_id}, {head.licence}, n2f {__version__}"
    write_text(folder / "head.obj", obj_text(head, made.vertices, comment))
    write_text(folder / "neutral.obj", obj_text(head, pose_head(head, _identity(made, models)), comment))


def write_take(path: Path, take: Take) -> None:
    """It goes through a private temporary file; then it is as readable as its neighbours."""
    save_take(path, take)
    path.chmod(path.with_name("head.obj").stat().st_mode & 0o777)


def write_normals(normals_path: Path, mask_path: Path, made: Reconstruction) -> None:
    """What the normals network saw, at the photo's size."""
    scale = picture_scale(made.photo.size)
    normals, mask = normal_pictures(made.normal_map, made.frame, made.photo.size, scale)
    _write_png(normals_path, normals)
    _write_png(mask_path, mask)


def write_look(folder: Path, models: Models, made: Reconstruction) -> None:
    """The skin's pictures and their description, where there is a look."""
    if made.look is not None:
        save_look(folder, models.head, made.look)


def save_look(folder: Path, head: Head, look: Look) -> None:
    """The pictures and look.json."""
    for name, picture in ((TEXTURE, look.picture), (ROUGHNESS, look.roughness), (PORES, look.pores)):
        _write_png(folder / name, picture)
    write_text(folder / DESCRIPTION, description(head, look))


def write_hair(folder: Path, models: Models, made: Reconstruction) -> None:
    """The strands and their description, where hair was asked for."""
    if made.hair is not None:
        write_text(folder / hair_files.DESCRIPTION, hair_files.description(models.head, made.hair))
        if len(made.hair.points):
            hair_files.write_strands(folder / hair_files.STRANDS, made.hair)


def write_detail(folder: Path, models: Models, made: Reconstruction) -> None:
    """The relief's pictures and their description, where detail was asked for."""
    if made.detail is not None:
        detail_files.write_detail(folder, models.head, made.detail)


def write_maps(folder: Path, made: Reconstruction, name: str = "") -> None:
    """The maps of a photo, where they were asked for; `name` tells several photos' apart."""
    if made.maps is not None:
        map_files.write_maps(folder, made.maps, made.camera, made.photo.size, f"_{name}" if name else "")


def take_of(made: Reconstruction, models: Models) -> Take:
    """A take of one frame."""
    return take_of_photos([made], models)


def take_of_photos(made: Sequence[Reconstruction], models: Models) -> Take:
    """A take whose frames are photos of one person: all share the first one's shape."""
    first = made[0]
    meta = TakeMeta(
        head_id=models.head.head_id,
        head_sha256=models.head.sha256,
        expression_names=models.head.expression_names,
        source=str(first.photo.path.absolute()),
        fps=0.0,
        software_version=__version__,
        weights=models.weights,
        look=DESCRIPTION if first.look else "",
        hair=hair_files.DESCRIPTION if first.hair else "",
        detail=DETAIL if first.detail else "",
    )

    def frames(values: Iterable[ArrayLike]) -> NDArray[np.float32]:
        return np.stack([np.asarray(value, dtype=np.float32) for value in values])

    return Take(
        meta=meta,
        shape=first.parameters.shape.astype(np.float32),
        expression=frames(one.parameters.expression for one in made),
        jaw=frames(one.parameters.jaw for one in made),
        neck=frames(one.parameters.neck for one in made),
        eyes=frames(one.parameters.eyes for one in made),
        eyelids=frames(one.parameters.eyelids for one in made),
        head_rotation=frames(one.camera.rotation for one in made),
        head_translation=frames(one.camera.translation for one in made),
        intrinsics=first.camera.intrinsics.astype(np.float32),
        image_size=np.array(first.photo.size, dtype=np.int32),
        frame_index=np.arange(len(made), dtype=np.int32),
        timestamp=np.zeros(len(made)),
        valid=np.ones(len(made), np.bool_),
        confidence=frames(one.confidence for one in made),
        landmarks_68=frames(one.landmarks_px for one in made),
        landmarks_68_head=frames(one.landmarks for one in made),
        bbox=frames(one.face.box for one in made),
        photos=Photos(
            picture=tuple(str(one.photo.path.absolute()) for one in made),
            picture_size=np.array([one.photo.size for one in made], dtype=np.int32),
            picture_orientation=np.array([one.photo.orientation for one in made], dtype=np.int32),
            picture_intrinsics=frames(one.camera.intrinsics for one in made),
        ),
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
        "confidence": round(made.confidence, 3),
        "expression": {name: round(value, 3) for name, value in strong},
        "jaw_open_degrees": round(float(np.degrees(made.parameters.jaw[0])), 1),
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
        "distance_m": round(made.distance, 3),
    }
    if made.fit is not None:
        facts["fit_steps"] = made.fit.steps
        facts["normal_error_degrees"] = (
            round(float(np.degrees(made.fit.normal_error)), 1) if np.isfinite(made.fit.normal_error) else None
        )
    return facts


def _identity(made: Reconstruction, models: Models) -> HeadParameters:
    return replace(HeadParameters.neutral(models.head), shape=made.parameters.shape)


def write_text(path: Path, text: str) -> None:
    """UTF-8, the same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """RGB (H, W, 3) or grey (H, W)."""
    path.write_bytes(quick_png(picture if picture.ndim == 3 else picture[..., None]))
