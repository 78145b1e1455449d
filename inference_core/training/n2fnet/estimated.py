"""Training samples seen through the real extractor: painted as photographs, their normals and masks estimated.

`corrupt` guesses how an extractor errs; here it errs itself, most of all towards the mean face. Slow (painting and the
network take some 0.1 s), so chunks are made once and mixed with fresh renders: `schedule.estimated` names the folder.

    python -m inference_core.training.n2fnet.estimated FOLDER --chunks 60

Painting costs five times as much as looking. `--painted PLACE --paint-only` paints in the background, before the
extractor is ready; the same call without the last word then only looks.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from inference_core.formats.writing import written_whole
from inference_core.head import BUNDLED_HEAD, Head, HeadParameters, load_head, pose_head, vertex_normals
from inference_core.head.rotations import matrix_from_vector
from inference_core.n2fnet.placement import placement_from_translation
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.training.extractor.anatomy import Anatomy, build_anatomy
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import Subject
from inference_core.training.extractor.textures import NO_PORTRAITS, PortraitSkins
from inference_core.training.n2fnet.config import HeadSpace
from inference_core.training.n2fnet.crop import CROP_SIZE, crop_intrinsics, landmark_batch
from inference_core.training.n2fnet.draw import draw_heads
from inference_core.training.n2fnet.stream import Chunk

ESTIMATED_STREAM = 0xE57
SMALLEST_FACE = 0.04  # share of the crop; what shows less of a face teaches nothing

Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Painted:
    """Photographs that never were and who is in them: rgb (n, 256, 256, 3) uint8; `truth` with empty maps."""

    rgb: NDArray[np.uint8]
    truth: Chunk


def painted_faces(
    head: Head,
    anatomy: Anatomy,
    size: int,
    seed: int,
    index: int,
    count: int = 32,
    people: PortraitSkins = NO_PORTRAITS,
) -> Painted:
    """Draw and paint `count` faces from one seed; maps of the truth are zeros of `size` px."""
    space = HeadSpace()
    rng = np.random.default_rng((ESTIMATED_STREAM, seed, index))
    drawn = draw_heads(rng, head, count, space)
    vertices = pose_head(head, drawn.parameters)
    turned = drawn.rotation.swapaxes(1, 2)
    marks = landmark_batch(head, vertices, drawn.rotation) @ turned + drawn.translation[:, None]
    intrinsics = crop_intrinsics(rng, marks, space)
    points = vertices @ turned + drawn.translation[:, None]
    pictures = np.zeros((count, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    for i in range(count):
        subject = Subject(
            parameters=_one(drawn.parameters, i),
            rotation=drawn.rotation[i],
            translation=drawn.translation[i],
            intrinsics=intrinsics[i],
            vertices=vertices[i],
            points=points[i],
            normals=vertex_normals(points[i], head.triangles),
            marks=marks[i],
        )
        pictures[i] = draw_sample(anatomy, rng, subject, people).rgb
    placement = placement_from_translation(drawn.rotation, drawn.translation, intrinsics)
    values = (
        drawn.parameters.shape, drawn.parameters.expression, drawn.parameters.eyelids,
        matrix_from_vector(drawn.parameters.jaw), drawn.rotation, placement, intrinsics,
    )  # fmt: skip
    empty = np.zeros((count, 3, size, size), np.float16)
    return Painted(pictures, Chunk(empty, *(value.astype(np.float32) for value in values)))


def seen_chunk(painted: Painted, estimator: NormalEstimator) -> Chunk:
    """What the extractor makes of them; faces that it does not find are left out."""
    maps = np.zeros_like(painted.truth.normals)
    for i, rgb in enumerate(painted.rgb):
        found = estimator.estimate(rgb, painted.truth.intrinsics[i].astype(np.float64))
        maps[i] = shrunk(found.masked, maps.shape[2]).transpose(2, 0, 1)
    kept = (maps != 0).any(axis=1).mean(axis=(1, 2)) > SMALLEST_FACE
    known = {field.name: getattr(painted.truth, field.name)[kept] for field in fields(Chunk)}
    return Chunk(**{**known, "normals": maps[kept]})


def _one(batch: HeadParameters, index: int) -> HeadParameters:
    return HeadParameters(**{field.name: getattr(batch, field.name)[index] for field in fields(batch)})


def shrunk(masked: Float32s, size: int) -> Float32s:
    """The exported graph's own way from 256 px to `size`: average, then unit length where at least half is covered."""
    small = np.asarray(cv2.resize(masked, (size, size), interpolation=cv2.INTER_AREA), dtype=np.float32)
    length = np.linalg.norm(small, axis=2, keepdims=True)
    return np.asarray(np.where(length > 0.5, small / np.maximum(length, 0.5), 0), dtype=np.float32)


def save_chunk(path: Path, chunk: Chunk) -> None:
    """One npz per chunk, written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        np.savez(file, **{field.name: getattr(chunk, field.name) for field in fields(Chunk)})


def load_chunks(folder: Path) -> list[Chunk]:
    """All chunks of a folder, in the order of their names."""
    chunks = []
    for path in sorted(folder.glob("chunk_*.npz")):
        with np.load(path, allow_pickle=False) as data:
            chunks.append(Chunk(**{field.name: data[field.name] for field in fields(Chunk)}))
    return chunks


def save_painted(path: Path, painted: Painted) -> None:
    """Pictures and truth, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    truth = {field.name: getattr(painted.truth, field.name) for field in fields(Chunk)}
    with written_whole(path) as file:
        np.savez(file, rgb=painted.rgb, **truth)


def load_painted(path: Path) -> Painted:
    """What `save_painted` wrote."""
    with np.load(path, allow_pickle=False) as data:
        return Painted(data["rgb"], Chunk(**{field.name: data[field.name] for field in fields(Chunk)}))


def main(
    folder: Annotated[Path, typer.Argument(help="Where the chunks go; those that exist are kept.")],
    chunks: Annotated[int, typer.Option(help="How many chunks of 32.")] = 60,
    head: Annotated[Path, typer.Option(help="Head file.")] = BUNDLED_HEAD,
    normals: Annotated[Path, typer.Option(help="The extractor that looks at them.")] = BUNDLED_NORMALS,
    seed: int = 1,
    painted: Annotated[
        Path | None, typer.Option(help="Folder of painted faces, which any extractor can look at later.")
    ] = None,
    paint_only: Annotated[bool, typer.Option("--paint-only", help="Fill that folder; nobody looks yet.")] = False,
    worker: Annotated[int, typer.Option(min=0, help="Which of --workers this process is, from 0.")] = 0,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    skins: Annotated[Path | None, typer.Option(help="File of portrait_skins, for skins of real people.")] = None,
) -> None:
    """Paint heads as photographs and keep what the extractor sees of them."""
    if paint_only and painted is None:
        raise typer.BadParameter("--paint-only needs --painted FOLDER")
    loaded = load_head(head)
    anatomy = build_anatomy(loaded)
    people = PortraitSkins.load(skins, anatomy) if skins is not None else NO_PORTRAITS
    estimator = None if paint_only else NormalEstimator(normals)
    for index in range(worker, chunks, workers):
        path = folder / f"chunk_{index:05d}.npz"
        stored = painted / f"painted_{index:05d}.npz" if painted is not None else None
        if stored is not None and not stored.exists() and (paint_only or not path.exists()):
            save_painted(stored, painted_faces(loaded, anatomy, 128, seed, index, people=people))
        if estimator is not None and not path.exists():
            faces = (
                load_painted(stored)
                if stored is not None
                else painted_faces(loaded, anatomy, 128, seed, index, people=people)
            )
            save_chunk(path, seen_chunk(faces, estimator))


if __name__ == "__main__":
    typer.run(main)
