"""Faces that are hard, by kind: how far the head then lies off, and whether the product says so.

    python -m inference_core.evaluation.hard_faces PICTURE_OR_FOLDER... [--count 16] [--seed 1]

Each kind is made of the pictures that are named: things laid over the face, fewer pixels, blur, other materials, a
second face that touches. Right is where the head lies in the picture as it is. Profiles are painted, with their truth.
A result is poor where its inner landmarks are more than POOR off; a poor result without a reason is silent, and exit
status 1 says that there are such.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference_core.errors import NoFace
from inference_core.evaluation.photographs import PAINT_STREAM
from inference_core.evaluation.real_people import PICTURES
from inference_core.evaluation.textured import turned_camera
from inference_core.formats.options import ReconstructOptions
from inference_core.head import Head, landmarks_68, pose_head, vertex_normals
from inference_core.perception.image import read_photo
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.threads import limit_library_threads
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import PORTRAIT, SIZE, Subject, draw_parameters

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

POOR = 0.10
"""Over the distance between the eyes: from here on an animator sees it at once."""
INNER = slice(17, 68)


@dataclass(frozen=True, eq=False)
class Hard:
    """A picture, and where the inner landmarks (51, 2) px of the face should lie in it."""

    rgb: Bytes
    right: Floats
    eye_distance: float


@dataclass(frozen=True)
class Answer:
    """What the product made of one. `off`: over the distance between the eyes; nan: no face was found."""

    off: float
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()

    @property
    def silent(self) -> bool:
        """Poor, and nothing was said."""
        return self.off > POOR and not self.reasons


def mask(made: Reconstruction, rgb: Bytes) -> Bytes:
    """A light blue cloth from the nose to the chin and the ears."""
    points = made.landmarks_px
    outline = np.concatenate([points[1:16], points[[28]]])
    return _laid(rgb, [outline], (150, 190, 215))


def sunglasses(made: Reconstruction, rgb: Bytes) -> Bytes:
    """Two dark glasses and their bridge."""
    points, wide = made.landmarks_px, made.face.eye_distance
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    round_one = np.stack([np.cos(turn) * 0.43, np.sin(turn) * 0.33], axis=1) * wide
    half = np.array([0.0, 0.05 * wide])
    bridge = np.array([eyes[0] - half, eyes[1] - half, eyes[1] + half, eyes[0] + half])
    return _laid(rgb, [eyes[0] + round_one, eyes[1] + round_one, bridge], (22, 20, 24))


def hand(made: Reconstruction, rgb: Bytes) -> Bytes:
    """Four fingers of the face's own colour over mouth and one cheek."""
    points, wide = made.landmarks_px, made.face.eye_distance
    colour = 0.9 * np.median(_around(rgb, points[30], wide * 0.2), axis=0)
    mouth = points[48:60].mean(axis=0)
    result = rgb.copy()
    for finger in range(4):
        start = mouth + np.array([1.3, 0.55 - 0.28 * finger]) * wide
        end = mouth + np.array([-0.45, 0.38 - 0.28 * finger]) * wide
        ends = [(round(float(x)), round(float(y))) for x, y in (start, end)]
        for shade, share in ((0.65, 0.27), (1.0, 0.21)):
            cv2.line(result, ends[0], ends[1], (shade * colour).tolist(), max(1, round(share * wide)), cv2.LINE_AA)
    return result


def statue(_: Reconstruction, rgb: Bytes) -> Bytes:
    """One material, without colours of its own."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    flat = 0.55 * cv2.bilateralFilter(grey, 9, 40, 7) + 0.45 * 190
    return np.clip(flat[..., None] * np.array([1.0, 0.98, 0.93], np.float32), 0, 255).astype(np.uint8)


def drawing(_: Reconstruction, rgb: Bytes) -> Bytes:
    """Pencil on paper: what is darker than its surroundings."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), max(2.0, rgb.shape[1] / 60))
    lines = cv2.divide(grey, np.maximum(soft, 1), scale=235)
    return np.repeat(np.asarray(lines, dtype=np.uint8)[..., None], 3, axis=2)


def moved(made: Reconstruction, rgb: Bytes) -> Bytes:
    """Blurred along a line of two fifths of the distance between the eyes."""
    length = max(3, round(0.4 * made.face.eye_distance)) | 1
    kernel = np.zeros((length, length), np.float32)
    cv2.line(kernel, (0, length * 2 // 3), (length - 1, length // 3), (1.0,))
    return np.asarray(cv2.filter2D(rgb, -1, kernel / kernel.sum()), dtype=np.uint8)


def dark(_: Reconstruction, rgb: Bytes) -> Bytes:
    """Four stops too dark, with the noise that this has."""
    noise = np.random.default_rng(rgb.shape).normal(0, 3.0, rgb.shape)
    return np.clip(rgb / 16.0 + noise, 0, 255).astype(np.uint8)


OVERLAID: dict[str, Callable[[Reconstruction, Bytes], Bytes]] = {
    "as it is": lambda _, rgb: rgb,
    "mask": mask,
    "sunglasses": sunglasses,
    "hand": hand,
    "statue": statue,
    "drawing": drawing,
    "motion blur": moved,
    "four stops dark": dark,
}
WIDTHS = (60, 40, 24)
"""px of the face."""
YAWS = (45.0, 60.0, 75.0, 90.0)


def kinds(made: Reconstruction, neighbour: Reconstruction) -> Iterator[tuple[str, Hard]]:
    """All that is made of one picture."""
    rgb, right, wide = made.photo.rgb, made.landmarks_px[INNER], made.face.eye_distance
    for name, change in OVERLAID.items():
        yield name, Hard(change(made, rgb), right, wide)
    for width in WIDTHS:
        scale = width / float(made.face.box[2] - made.face.box[0])
        size = (max(32, round(rgb.shape[1] * scale)), max(32, round(rgb.shape[0] * scale)))
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scales = np.array(size) / np.array(rgb.shape[1::-1])
        yield f"{width} px wide", Hard(small, right * scales, wide * float(scales.mean()))
    yield "two that touch", _touching(made, neighbour)


def _touching(made: Reconstruction, other: Reconstruction) -> Hard:
    """The other face, a tenth smaller, cheek to cheek with this one."""
    scale = 0.9 * made.face.eye_distance / other.face.eye_distance
    near = np.asarray(cv2.resize(other.photo.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    box, beside = made.face.box, other.face.box * scale
    rgb, top = made.photo.rgb, round(float(box[1] - beside[1]))
    first, left = round(float(beside[0])), round(float(box[2]))
    canvas = np.full((rgb.shape[0], max(rgb.shape[1], left + near.shape[1] - first), 3), 128, np.uint8)
    canvas[:, : rgb.shape[1]] = rgb
    rows = slice(max(0, top), min(canvas.shape[0], top + near.shape[0]))
    strip = near[rows.start - top : rows.stop - top, first:]
    canvas[rows, left : left + strip.shape[1]] = strip
    return Hard(canvas, made.landmarks_px[INNER], made.face.eye_distance)


def profiles(head: Head, count: int, seed: int) -> Iterator[tuple[str, Hard]]:
    """Painted heads, turned by YAWS to one side and the other, with their truth."""
    anatomy = build_anatomy(head)
    for yaw in YAWS:
        for number in range(count):
            rng = np.random.default_rng((PAINT_STREAM, seed, number))
            parameters = draw_parameters(head, rng, PORTRAIT)
            vertices = pose_head(head, parameters)
            camera = turned_camera(vertices, yaw if number % 2 else -yaw, SIZE)
            points, landmarks = camera.to_camera(vertices), landmarks_68(head, vertices, camera.yaw_degrees)
            subject = Subject(
                parameters=parameters,
                rotation=camera.matrix,
                translation=camera.translation,
                intrinsics=camera.intrinsics,
                vertices=vertices,
                points=points,
                normals=vertex_normals(points, head.triangles),
                marks=camera.to_camera(landmarks),
            )
            eyes = landmarks[36:42].mean(axis=0) - landmarks[42:48].mean(axis=0)
            wide = float(np.linalg.norm(eyes) * camera.intrinsics[0] / camera.translation[2])  # as from the front
            rgb = draw_sample(anatomy, rng, subject).rgb
            yield f"turned {yaw:.0f} degrees", Hard(rgb, camera.project(landmarks)[INNER], wide)


def answered(reconstructor: Reconstructor, hard: Hard) -> Answer:
    """What the product makes of a picture: of the face that lies where it should, if several are found."""
    try:
        made = reconstructed(reconstructor, hard.rgb)
    except NoFace:
        return Answer(float("nan"))
    off = np.linalg.norm(made.landmarks_px[INNER] - hard.right, axis=1).mean() / hard.eye_distance
    return Answer(float(off), made.confidence, tuple(one.sentence for one in made.doubts))


def reconstructed(reconstructor: Reconstructor, rgb: Bytes) -> Reconstruction:
    """The largest face of a picture (H, W, 3), head alone.

    Raises:
        NoFace: where none is found.
    """
    with tempfile.TemporaryDirectory(prefix="n2f_hard_") as folder:
        path = Path(folder) / "picture.png"
        Image.fromarray(np.ascontiguousarray(rgb)).save(path, compress_level=1)
        photo, faces, found, timings = reconstructor.faces_of(path, ReconstructOptions())
        ((number, face),) = faces
        return reconstructor.reconstruct(
            photo, face, ReconstructOptions(look="none"), number=number, faces_found=found, timings_ms=timings
        )


def table(answers: Mapping[str, Sequence[Answer]]) -> str:
    """A row a kind."""
    lines = [
        "| kind | pictures | found | off: median % | worst % | over 10 % | silent | with a reason | confidence |",
        "| --- " + "| ---: " * 8 + "|",
    ]
    for kind, each in answers.items():
        found = [one for one in each if not np.isnan(one.off)]
        off = 100 * np.array([one.off for one in found] or [np.nan])
        poor, silent = sum(one.off > POOR for one in found), sum(one.silent for one in found)
        said = sum(bool(one.reasons) for one in found)
        confidence = np.mean([one.confidence for one in found] or [np.nan])
        lines.append(
            f"| {kind} | {len(each)} | {len(found)} | {np.median(off):.1f} | {off.max():.1f} | {poor} | {silent} "
            f"| {said} | {confidence:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """The command. Returns the exit status."""
    limit_library_threads()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--count", type=int, default=16, help="pictures that each kind is made of, evenly chosen")
    parser.add_argument("--seed", type=int, default=1, help="of the painted profiles")
    parser.add_argument("--only", nargs="+", default=[], help="kinds")
    parser.add_argument("--keep", type=Path, help="folder for the pictures that were made")
    arguments = parser.parse_args()
    reconstructor = Reconstructor(Models.load())
    answers: dict[str, list[Answer]] = {}
    for number, (kind, hard) in enumerate(_all(reconstructor, arguments)):
        if arguments.only and kind not in arguments.only:
            continue
        answer = answered(reconstructor, hard)
        answers.setdefault(kind, []).append(answer)
        sys.stderr.write(f"{kind:18} {100 * answer.off:5.1f} %  {answer.confidence:.2f}  {' '.join(answer.reasons)}\n")
        if arguments.keep is not None:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            Image.fromarray(hard.rgb).save(arguments.keep / f"{kind.replace(' ', '_')}_{number}.png")
    sys.stdout.write(table(answers))
    return 1 if any(one.silent for each in answers.values() for one in each) else 0


def _all(reconstructor: Reconstructor, arguments: argparse.Namespace) -> Iterator[tuple[str, Hard]]:
    before: Reconstruction | None = None
    for path in _chosen(arguments.pictures, arguments.count):
        try:
            made = reconstructed(reconstructor, read_photo(path).rgb)
        except NoFace:
            sys.stderr.write(f"no face in {path.name}\n")
            continue
        yield from kinds(made, before or made)
        before = made
    yield from profiles(reconstructor.models.head, arguments.count, arguments.seed)


def _chosen(named: Sequence[Path], count: int) -> list[Path]:
    """At most `count` pictures, evenly over all that are named."""
    paths = [path for one in named for path in (sorted(one.iterdir()) if one.is_dir() else [one])]
    pictures = [path for path in paths if path.suffix.lower() in PICTURES]
    if not pictures:
        raise SystemExit("there are no pictures")
    return [pictures[place] for place in sorted({int(k) for k in np.linspace(0, len(pictures) - 1, count)})]


def _around(rgb: Bytes, point: Floats, radius: float) -> Bytes:
    """(n, 3) the colours of a square about a point."""
    x, y, half = round(float(point[0])), round(float(point[1])), max(2, round(radius))
    return np.asarray(rgb[max(0, y - half) : y + half, max(0, x - half) : x + half].reshape(-1, 3), dtype=np.uint8)


def _laid(rgb: Bytes, outlines: Sequence[Floats], colour: tuple[int, int, int]) -> Bytes:
    """Flat shapes, each the hull of its points (n, 2) px, with soft edges and a little of the light beneath."""
    cover = np.zeros(rgb.shape[:2], np.uint8)
    for points in outlines:
        cv2.fillConvexPoly(cover, cv2.convexHull(points.astype(np.float32)).astype(np.int32), (255,), cv2.LINE_AA)
    share = cv2.GaussianBlur(cover, (0, 0), 1.2).astype(np.float32)[..., None] / 255
    light = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), rgb.shape[1] / 30).astype(np.float32)
    shaded = np.array(colour, np.float32) * (0.55 + 0.45 * light[..., None] / max(1.0, float(light.max())))
    return np.asarray(np.clip(rgb * (1 - share) + shaded * share, 0, 255), dtype=np.uint8)


if __name__ == "__main__":
    sys.exit(main())
