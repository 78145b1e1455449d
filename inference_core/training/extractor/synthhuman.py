"""Reads data in the layout of Microsoft's SynthHuman (Saleh et al., "DAViD", ICCV 2025; CDLA-Permissive-2.0).

Per sample, anywhere below the folder (number of seven digits):

    rgb_0000000.png     photo
    alpha_0000000.png   foreground, 0..255
    normal_0000000.exr  surface normals, three channels
    depth_0000000.exr   depth along the optical axis, cm; 65504 where nothing is
    cam_0000000.txt     3 x 3 intrinsics, px

The data set's page does not say how the normals' axes lie, nor in which order the channels are stored. So it is not
assumed: depth and intrinsics give every pixel's place, places give normals, and of the 48 ways to permute and flip axes
the one that agrees with them is taken. A file that agrees with none is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.perception.crop import ROLL_LIMIT, CropFrame, cut, face_frame
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import NormalEstimator
from inference_core.training.extractor.pool import Record, make_record
from inference_core.training.extractor.pseudo import jittered
from inference_core.training.extractor.realphotos import crop_map
from inference_core.training.extractor.sample import Sample

Float32s = NDArray[np.float32]
NO_DEPTH = 65000.0  # cm; half floats end at 65504
METRES = 0.01  # per unit of depth
OPAQUE = 0.95
WORST_AGREEMENT = 25.0  # degrees, median, between stored normals and those of the depth
STEEP = 0.03  # relative change of depth from a pixel to the next beyond which it is an edge, not a surface
FEWEST_PIXELS = 400
AXES: tuple[NDArray[np.float32], ...] = tuple(
    np.eye(3, dtype=np.float32)[:, order] * np.array(signs, np.float32)
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
)
"""All 48 (3, 3): stored row vector @ matrix = normal in normal-map axes (+X right, +Y up, +Z to the camera)."""


@dataclass(frozen=True, eq=False)
class Human:
    """One sample: rgb (H, W, 3) uint8; normals (H, W, 3) unit in normal-map axes, 0 outside the person; alpha (H, W)
    0..1; intrinsics (4,) px."""

    name: str
    rgb: NDArray[np.uint8]
    normals: Float32s
    alpha: Float32s
    intrinsics: NDArray[np.float64]


def find_humans(folder: Path) -> list[Path]:
    """The photos of all samples below `folder`, in order.

    Raises:
        BadInput: where there are none.
    """
    found = sorted(folder.rglob("rgb_*.png")) if folder.is_dir() else []
    if not found:
        raise BadInput(
            f"'{folder}' holds no samples in SynthHuman's layout.",
            "Name the folder with rgb_0000000.png, alpha_, normal_, depth_ and cam_ files.",
        )
    return found


def read_human(photo: Path) -> Human:
    """The sample that `photo` (rgb_N.png) belongs to.

    Raises:
        BadInput: where a file is missing or they disagree.
    """
    number = photo.stem.removeprefix("rgb_")
    rgb = _picture(photo, cv2.IMREAD_COLOR)[..., ::-1]
    alpha = _picture(photo.with_name(f"alpha_{number}.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    stored = _picture(photo.with_name(f"normal_{number}.exr"), cv2.IMREAD_UNCHANGED).astype(np.float32)
    depth = _picture(photo.with_name(f"depth_{number}.exr"), cv2.IMREAD_UNCHANGED).astype(np.float32)
    depth = depth if depth.ndim == 2 else depth[..., 0]
    sizes = {part.shape[:2] for part in (rgb, alpha, stored, depth)}
    if len(sizes) != 1 or stored.ndim != 3 or stored.shape[2] < 3:
        raise BadInput(f"The files of sample {number} differ in size.", "Extract the data set again.")
    intrinsics = _intrinsics(photo.with_name(f"cam_{number}.txt"))
    known = (alpha > OPAQUE) & (depth < NO_DEPTH) & (depth > 0) & (np.linalg.norm(stored[..., :3], axis=2) > 0.5)
    normals = _in_our_axes(stored[..., :3], depth * METRES, intrinsics, known, number)
    return Human(number, np.ascontiguousarray(rgb, np.uint8), normals, alpha, intrinsics)


def _picture(path: Path, mode: int) -> NDArray[np.generic]:
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")  # OpenCV asks for it when it first meets an EXR file
    try:
        found = cv2.imread(str(path), mode) if path.is_file() else None
    except cv2.error as error:  # OpenCV built without OpenEXR, or asked for one before this module was loaded
        raise BadInput(f"OpenCV cannot read {path.name}.", "Set OPENCV_IO_ENABLE_OPENEXR=1.") from error
    if found is None:
        raise BadInput(f"'{path}' is missing or cannot be read.", "Extract the data set again.")
    return np.asarray(found)


def _intrinsics(path: Path) -> NDArray[np.float64]:
    try:
        matrix = np.loadtxt(path, dtype=np.float64)
        if matrix.shape != (3, 3) or not (np.isfinite(matrix).all() and matrix[0, 0] > 0 and matrix[1, 1] > 0):
            raise ValueError(path.name)
    except (OSError, ValueError) as error:
        raise BadInput(f"'{path}' does not hold a camera's 3 x 3 matrix.", "Extract the data set again.") from error
    return np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2]])


def depth_normals(
    depth: Float32s, intrinsics: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[Float32s, NDArray[np.bool_]]:
    """Unit normals (H, W, 3) of a depth map (H, W) m in normal-map axes, and where they can be told."""
    height, width = depth.shape
    fx, fy, cx, cy = intrinsics
    row, column = np.mgrid[0:height, 0:width] + 0.5
    safe = np.where(known, depth, 1.0).astype(np.float64)
    place = np.stack([(column - cx) / fx * safe, (row - cy) / fy * safe, safe], axis=-1)
    across, down = np.zeros_like(place), np.zeros_like(place)
    across[:, 1:-1] = place[:, 2:] - place[:, :-2]
    down[1:-1] = place[2:] - place[:-2]
    normal = np.cross(down, across)  # towards the camera: -Z in OpenCV's axes
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    smooth = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=(0,)) > 0
    jump = np.maximum(np.abs(across[..., 2]), np.abs(down[..., 2])) > STEEP * safe
    unit = normal / np.maximum(length, 1e-12) * np.array([1.0, -1.0, -1.0])
    return np.asarray(unit, np.float32), smooth & ~jump & (length[..., 0] > 0)


def _in_our_axes(
    stored: Float32s, depth: Float32s, intrinsics: NDArray[np.float64], known: NDArray[np.bool_], number: str
) -> Float32s:
    """Stored normals in normal-map axes, by the depth's testimony; 0 where they are not known."""
    unit = stored / np.maximum(np.linalg.norm(stored, axis=2, keepdims=True), 1e-6)
    measured, told = depth_normals(depth, intrinsics, known)
    if told.sum() < FEWEST_PIXELS:
        raise BadInput(f"Sample {number} shows too little to tell its axes.", "Leave it out.")
    mine, theirs = unit[told], measured[told]
    agreement = [float((mine @ axes * theirs).sum(axis=1).mean()) for axes in AXES]
    axes = AXES[int(np.argmax(agreement))]
    apart = np.degrees(np.arccos(np.clip((mine @ axes * theirs).sum(axis=1), -1, 1)))
    if np.median(apart) > WORST_AGREEMENT:
        raise BadInput(
            f"The normals of sample {number} disagree with its depth in every convention "
            f"({np.median(apart):.0f} degrees at best).",
            "Check that normal_, depth_ and cam_ belong together, depth in cm along the optical axis.",
        )
    return np.asarray(unit @ axes * known[..., None], np.float32)


def human_records(
    photos: Sequence[Path], teacher: NormalEstimator, seed: int, copies: int = 1
) -> Iterator[tuple[str, list[Record]]]:
    """(photo's name, its crops): the product's crop about the face, jittered. No face: no crops.

    The data set tells normals and outline, not what is face, eyes, mouth or hair: classes are the teacher's. Inside the
    person nothing is background, outside everything is.
    """
    finder = FaceFinder()
    for photo in photos:
        human = read_human(photo)
        rng = np.random.default_rng([seed, int(human.name) if human.name.isdecimal() else 0])
        faces = [face for face in finder.find(human.rgb) if abs(face.roll) <= ROLL_LIMIT]
        records: list[Record] = []
        if faces:
            upright = face_frame(faces[0].points, human.intrinsics)
            frames = [jittered(upright, rng) for _ in range(copies)]
            records = [_record(human, frame, teacher) for frame in frames]
        yield photo.name, records


def _record(human: Human, frame: CropFrame, teacher: NormalEstimator) -> Record:
    rgb = cut(human.rgb, frame)
    found = teacher.estimate(rgb, frame.intrinsics)
    seen = crop_map(np.dstack([human.normals, human.alpha]), frame)
    length = np.linalg.norm(seen[..., :3], axis=2, keepdims=True)
    normals = np.where(length > 0.7, seen[..., :3] / np.maximum(length, 1e-6), 0)
    labels = found.labels.copy()
    person = seen[..., 3] > 0.5
    labels[~person] = 0
    guess = found.classes.copy()
    guess[0] = 0  # inside the person the likeliest of the others
    inside = np.asarray([cv2.resize(plane, rgb.shape[1::-1]) for plane in guess]).argmax(axis=0).astype(np.uint8)
    labels[person & (labels == 0)] = inside[person & (labels == 0)]
    return make_record(Sample(rgb, normals.astype(np.float32), labels, frame.intrinsics))
