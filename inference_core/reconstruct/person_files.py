"""What several photos of one person leave in their folder: one take, and pictures of each photo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from inference_core.reconstruct.files import (
    ResultFiles,
    facts_of,
    look_files,
    report_of,
    take_of_photos,
    write_detail,
    write_hair,
    write_look,
    write_maps,
    write_meshes,
    write_normals,
    write_overlay,
    write_take,
    write_text,
    write_upright,
)
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.output import atomic_folder
from inference_core.reconstruct.ownership import FILES, listed
from inference_core.reconstruct.pipeline import Reconstruction

__all__ = ["facts_of_person", "write_person"]


def write_person(folder: Path, models: Models, made: Sequence[Reconstruction], names: Sequence[str]) -> ResultFiles:
    """Everything or nothing appears in `folder`; `names` (K,) tell the photos' pictures apart.

    head.obj is posed as in the first photo, which also carries the person's look.

    Raises:
        BadInput: where the folder cannot be written, or something there would be lost.
    """
    folder = folder.absolute()
    first = f"{names[0]}.png"
    with atomic_folder(folder, [one.photo.path for one in made]) as partial:
        write_meshes(partial, models, made[0])
        write_look(partial, models, made[0])
        write_hair(partial, models, made[0])
        write_detail(partial, models, made[0])
        write_take(partial / "take.npz", take_of_photos(made, models))
        for row, (one, name) in enumerate(zip(made, names, strict=True)):
            write_upright(partial / f"photo_{row}.jpg", one.photo)
            write_overlay(partial / f"overlay_{name}.png", models, one)
            write_normals(partial / f"normals_{name}.png", partial / f"mask_{name}.png", one)
            write_maps(partial, one, name)
        report = {**report_of(made[0], models, made[0].timings_ms), **facts_of_person(made, names, folder)}
        report[FILES] = listed(partial, partial.iterdir())
        write_text(partial / "report.json", json.dumps(report, indent=2, ensure_ascii=False))
    return ResultFiles(
        take=folder / "take.npz",
        head_obj=folder / "head.obj",
        neutral_obj=folder / "neutral.obj",
        overlay=folder / f"overlay_{first}",
        normals=folder / f"normals_{first}",
        mask=folder / f"mask_{first}",
        report=folder / "report.json",
        **look_files(folder, made[0]),
        maps=folder / f"maps_{names[0]}.json" if made[0].maps is not None else None,
    )


def facts_of_person(made: Sequence[Reconstruction], names: Sequence[str], folder: Path) -> dict[str, object]:
    """As `facts_of` for a photo: landmark error and warnings of all, and each photo's own under `photos`."""
    timings: dict[str, float] = {}
    for one in made:
        for stage, milliseconds in one.timings_ms.items():
            timings[stage] = timings.get(stage, 0.0) + milliseconds
    facts = facts_of(made[0], timings)
    several = len(made) > 1
    facts["landmark_error"] = round(sum(one.landmark_error for one in made) / len(made), 4)
    facts["warnings"] = [
        f"{one.photo.path.name}: {warning}" if several else warning for one in made for warning in one.warnings
    ]
    facts["photos"] = [
        {
            "image": str(one.photo.path.absolute()),
            "overlay": str(folder / f"overlay_{name}.png"),
            "landmark_error": round(one.landmark_error, 4),
            "focal_length_px": round(float(one.camera.intrinsics[0]), 1),
            "focal_length_source": one.photo.focal.source,
            "distance_m": round(one.distance, 3),
        }
        for one, name in zip(made, names, strict=True)
    ]
    return facts
