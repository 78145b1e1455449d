"""The dense maps measured: what a map loses against the mesh it was made of, on known people and on photos.

    python -m inference_core.evaluation.maps [--data DIR] [--painted 24] [--every 6] [--write docs/maps.md]

Landmarks are read off `position_image` at their place in the UV, as who has only the map would do.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from inference_core.errors import CoreError
from inference_core.evaluation.photographs import painted_subject
from inference_core.evaluation.samples import Sample, open_head_samples
from inference_core.formats.options import MAP_SIZES, ReconstructOptions
from inference_core.head import Head, project
from inference_core.head.model import Floats
from inference_core.look.atlas import uv_triangles
from inference_core.look.sampling import sample
from inference_core.maps.files import write_maps
from inference_core.maps.surface import SurfaceMaps
from inference_core.perception.landmarks import IBUG_68
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.sample import draw_sample

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
SEED, PAINT_STREAM = 3, 0x3A75
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
MM, PER_CENT = 1e3, 1e2


@dataclass(frozen=True)
class Measure:
    """One face. Errors over the distance between the eyes, %; the same per map size where it is a tuple."""

    mesh_68: float  # against the truth; NaN on photos
    mesh_inner: float  # against Face Mesh's inner points, or their true places
    mesh_dense: float  # all visible vertices against the truth; NaN on photos
    map_68: tuple[float, ...]
    map_inner: tuple[float, ...]
    map_dense: tuple[float, ...]
    read_back: tuple[float, ...]  # mm, mean distance of the mesh read back from the map
    seconds: tuple[float, ...]  # to make the maps and write them


def measure(models: Models, made: Sequence[Reconstruction], truth: Sample | None) -> Measure:
    """`made`: the same reconstruction with maps of each size.

    Raises:
        ValueError: without maps.
    """
    head, first = models.head, made[0]
    eyes = first.face.eye_distance
    inner = np.isin(head.mediapipe_index, IBUG_68[17:])
    aims = first.face.points[head.mediapipe_index[inner], :2] if truth is None else truth.dense[inner]
    dense = None if truth is None else project(truth.camera.to_camera(truth.vertices), truth.camera.intrinsics)

    def off(points: Floats, goal: Floats | NDArray[np.float32] | None, where: NDArray[np.bool_] | None = None) -> float:
        if goal is None:
            return float("nan")
        away = np.linalg.norm(points - goal, axis=1)
        return float(PER_CENT * np.nanmean(away if where is None else away[where]) / eyes)

    mesh = first.camera.project(first.vertices)
    dots_68, dots, dense_off, back, seconds = [], [], [], [], []
    for one in made:
        maps = _maps_of(one)
        places = _mesh_uv(head, one)
        visible = sample(maps.visible.astype(np.float32), _texels(maps, places.vertices)) > 0.5
        dots_68.append(off(_looked_up(maps, places.landmarks), truth.landmarks if truth else None))
        dots.append(off(_looked_up(maps, places.dense[inner]), aims))
        dense_off.append(off(_looked_up(maps, places.vertices), dense, visible))
        away = np.linalg.norm(maps.sheet.read(maps.head) - one.vertices, axis=1)
        back.append(float(MM * np.nanmean(away)))
        seconds.append(one.timings_ms["maps"] / 1e3 + _writing(one, maps))
    seen = visible
    return Measure(
        off(first.landmarks_px, truth.landmarks if truth else None),
        off(_maps_of(first).dense_px[inner], aims),
        off(mesh, dense, seen),
        tuple(dots_68), tuple(dots), tuple(dense_off), tuple(back), tuple(seconds),
    )  # fmt: skip


@dataclass(frozen=True)
class _Places:
    """Texture coordinates of landmarks (68, 2), Face Mesh's points (M, 2) and vertices (V, 2), of a seam's one each."""

    landmarks: Floats
    dense: Floats
    vertices: Floats


def _mesh_uv(head: Head, made: Reconstruction) -> _Places:
    uv, cut = head.uv.astype(np.float64), uv_triangles(head)
    row = int(np.argmin(np.abs(head.contour_yaw - made.camera.yaw_degrees)))
    triangles = np.concatenate([head.contour_triangles[row], head.landmark_triangles])
    weights = np.concatenate([head.contour_barycentric[row], head.landmark_barycentric])
    vertices = np.zeros((head.vertex_count, 2))
    real = head.quads >= 0
    vertices[head.quads[real]] = uv[head.uv_quads[real]]
    return _Places(
        np.einsum("nkc,nk->nc", uv[cut[triangles]], weights),
        np.einsum("nkc,nk->nc", uv[cut[head.mediapipe_triangles]], head.mediapipe_barycentric),
        vertices,
    )


def _texels(maps: SurfaceMaps, uv: Floats) -> NDArray[np.float32]:
    size = maps.sheet.size
    return np.asarray(uv * (size, -size) + (0, size), dtype=np.float32)


def _looked_up(maps: SurfaceMaps, uv: Floats) -> Floats:
    """(N, 2) px of the photo."""
    return sample(np.ascontiguousarray(maps.image), _texels(maps, uv))[:, :2].astype(np.float64)


def _maps_of(made: Reconstruction) -> SurfaceMaps:
    if made.maps is None:
        raise ValueError("a reconstruction without maps")
    return made.maps


def _writing(made: Reconstruction, maps: SurfaceMaps) -> float:
    """Seconds."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write_maps(Path(folder), maps, made.camera, made.photo.size)
        return time.perf_counter() - start


def mapped(reconstructor: Reconstructor, path: Path, focal: float | None = None) -> list[Reconstruction]:
    """The largest face with maps of each size.

    Raises:
        NoFace: where none is found.
        BadInput: for a photo that cannot be read.
    """
    options = ReconstructOptions(focal_length_px=focal, look="none")
    photo, faces, found, _ = reconstructor.faces_of(path, options)
    made = reconstructor.reconstruct(photo, faces[0][1], options, faces_found=found)
    return [reconstructor.mapped(made, ReconstructOptions(look="none", maps=size)) for size in MAP_SIZES]


def painted(reconstructor: Reconstructor, count: int) -> Iterator[Measure]:
    """People of the population who are known, painted as photographs; whoever is not found is left out."""
    head = reconstructor.models.head
    anatomy = build_anatomy(head)
    with tempfile.TemporaryDirectory() as folder:
        for number, person in enumerate(open_head_samples(head, count, SEED)):
            rng = np.random.default_rng((PAINT_STREAM, number))
            rgb = draw_sample(anatomy, rng, painted_subject(head, person)).rgb
            path = Path(folder) / f"{number}.png"
            cv2.imwrite(str(path), rgb[..., ::-1])
            try:
                made = mapped(reconstructor, path, float(person.camera.intrinsics[0]))
            except CoreError:
                continue
            yield measure(reconstructor.models, made, person)


def photographed(reconstructor: Reconstructor, paths: Sequence[Path]) -> Iterator[Measure]:
    """The largest face of each photo; photos without one are left out."""
    for path in paths:
        try:
            yield measure(reconstructor.models, mapped(reconstructor, path), None)
        except CoreError:
            continue


def rows_of(name: str, measures: Sequence[Measure]) -> list[str]:
    """A table's rows, one a size, after the mesh's own."""

    def median(values: Sequence[float]) -> str:
        found = [value for value in values if np.isfinite(value)]
        return f"{np.median(found):.2f}" if found else "-"

    rows = [
        f"| {name}, {len(measures)} | the mesh | {median([one.mesh_68 for one in measures])} | "
        f"{median([one.mesh_inner for one in measures])} | {median([one.mesh_dense for one in measures])} | - | - |"
    ]
    for column, size in enumerate(MAP_SIZES):
        rows.append(
            f"| | {size} px | {median([one.map_68[column] for one in measures])} | "
            f"{median([one.map_inner[column] for one in measures])} | "
            f"{median([one.map_dense[column] for one in measures])} | "
            f"{np.mean([one.read_back[column] for one in measures]):.4f} | "
            f"{median([one.seconds[column] for one in measures])} |"
        )
    return rows


def picture(made: Reconstruction, side: int = 512) -> NDArray[np.uint8]:
    """Six squares: the photo, the dense alignment on it, image to UV; positions, normals, confidence in UV."""
    maps, rgb = _maps_of(made), made.photo.rgb
    low, high = made.landmarks_px.min(axis=0), made.landmarks_px.max(axis=0)
    half = 0.8 * float((high - low).max())
    corner = 0.5 * (low + high) - half
    zoom = side / (2 * half)
    matrix = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])

    def cut(layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(cv2.warpAffine(layer, matrix, (side, side), flags=cv2.INTER_AREA), dtype=np.uint8)

    uv = np.nan_to_num(maps.image_to_uv)
    coloured = np.concatenate([uv * 255, np.full((*uv.shape[:2], 1), 128.0)], axis=2) * (uv.any(axis=2)[..., None])
    whole = cv2.resize(coloured.astype(np.uint8), made.photo.size, interpolation=cv2.INTER_NEAREST)
    dotted = cut(rgb)
    step = max(1, maps.sheet.size // 128)
    chosen = np.zeros_like(maps.visible)
    chosen[::step, ::step] = True
    row, column = np.nonzero(chosen & maps.visible & (maps.confidence > 0.05))
    for (x, y), u, v in zip(maps.image[row, column, :2], column, row, strict=True):
        at = (matrix[:, :2] @ (x, y) + matrix[:, 2]).round().astype(int)
        tint = (255 * u / maps.sheet.size, 255 * (1 - v / maps.sheet.size), 128)
        cv2.circle(dotted, (int(at[0]), int(at[1])), 1, tint, -1, cv2.LINE_AA)
    surface = maps.sheet.surface
    place = maps.head - np.nanmin(maps.head[surface], axis=0)
    place = np.nan_to_num(place / np.nanmax(place[surface], axis=0)) * surface[..., None]
    normals = np.nan_to_num(0.5 * maps.normals + 0.5) * surface[..., None]
    flat = [place, normals, np.repeat(maps.confidence[..., None], 3, axis=2)]
    below = [cv2.resize((255 * layer).astype(np.uint8), (side, side), interpolation=cv2.INTER_AREA) for layer in flat]
    above = [cut(rgb), dotted, cut(whole)]
    return np.asarray(np.vstack([np.hstack(above), np.hstack(below)]), dtype=np.uint8)


HEADING = """| faces | read off | 68 points, % | inner points, % | all visible, % | mesh read back, mm | seconds |
| --- | --- | --- | --- | --- | --- | --- |"""


@app.command()
def run(
    data: Annotated[Path, typer.Option(help="Folder with photos/ and portraits/.")] = Path("../shared/data"),
    people: Annotated[int, typer.Option("--painted", help="How many painted people.")] = 24,
    every: Annotated[int, typer.Option(min=1, help="Only every Nth portrait.")] = 6,
    write: Annotated[Path | None, typer.Option(help="A document whose table is to be replaced.")] = None,
    show: Annotated[Path | None, typer.Option(help="Only a picture of this photo's maps, to OUT.")] = None,
    out: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("maps.png"),
) -> None:
    """Print the table, or make the picture."""
    reconstructor = Reconstructor(Models.load())
    if show is not None:
        Image.fromarray(picture(mapped(reconstructor, show)[-1])).save(out, quality=85)
        return
    portraits = sorted((data / "portraits").glob("*.jpg"))[::every]
    photos = sorted(path for path in (data / "photos").iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    lines = [
        HEADING,
        *rows_of("painted people, truth", list(painted(reconstructor, people))),
        *rows_of("photos", list(photographed(reconstructor, photos))),
        *rows_of("portraits", list(photographed(reconstructor, portraits))),
    ]
    print("\n".join(lines))
    if write is not None:
        text = write.read_text(encoding="utf-8")
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        write.write_text(f"{head}{BEGIN}\n{chr(10).join(lines)}\n{END}{tail}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    app()
