"""Fine detail, measured: on the Perry-Smith scan, under three lights, on a performance whose wrinkles are known.

    python -m inference_core.evaluation.detail --data DIR [--views 4] [--work DIR]

*Perry-Smith*: views of the scan as `n2f evaluate` takes them, once with true normals, once from the picture; the fitted
head's normals against the scan's, before and after it is displaced: in the picture, over the face's pixels, and at the
scan's vertices, after alignment. *Lights*: Cycles' three pictures of one face (`look_lights`), each made a head by
itself; how far their displacements agree where all three show skin. *Performance*: a head with known wrinkles, at rest
and moving, drawn in several expressions; how far both are found, and found on another head that plays them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from inference_core.detail.evidence import evidence_of
from inference_core.detail.ground import Ground, ground_of
from inference_core.detail.regions import amounts_of, shares_of
from inference_core.detail.relief import Relief, Subject, form_heights, relief_of
from inference_core.errors import BadInput
from inference_core.evaluation.cycles import Stage
from inference_core.evaluation.dense import dense_surface
from inference_core.evaluation.face_points import FacePoints
from inference_core.evaluation.methods import fitted, regressed
from inference_core.evaluation.normals.truths import LIGHTS, LIGHTS_YAW
from inference_core.evaluation.perry_smith import PerrySmith, read_perry_smith
from inference_core.evaluation.scan_sets import DISTANCE, NINE_VIEWS, PICTURE_SIZE, plainly, shoot, wider
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import View, render, true_seen, turned_view
from inference_core.fit import FitSettings
from inference_core.formats.options import ReconstructOptions
from inference_core.head import Camera, Head, HeadParameters, pose_head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.atlas import atlas_of
from inference_core.look.study import Sitter
from inference_core.perception.crop import CROP_SIZE, CropFrame, cut, face_frame
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.image import read_photo
from inference_core.perception.normals import NormalMap
from inference_core.perception.sampling import Square
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor
from inference_core.training.extractor import cycles

SIZE = 1024
SURE = 0.9
"""Confidence from which a texel counts as lit in all three pictures."""


@dataclass(frozen=True)
class Row:
    """One view: degrees in the picture and at the scan's vertices, mm to the surface; each of mesh and displaced."""

    picture: tuple[float, float]
    vertices: tuple[float, float]
    distance: tuple[float, float]


def perry_smith(models: Models, scan: PerrySmith, count: int) -> Iterator[tuple[str, Row]]:
    """("true" or "RGB", a view's row), as they come."""
    head = models.head
    assert models.regressor is not None
    method = fitted(head, regressed(models.regressor), FitSettings())
    order = (4, 1, 5, 3, 7, 0, 2, 6, 8)[:count]  # straight on first
    views = [turned_view(f"{y:.0f}_{p:.0f}", scan.target, y, p, DISTANCE) for y, p in (NINE_VIEWS[i] for i in order)]
    reconstructor = Reconstructor(models)
    for view, shot in zip(views, shoot(views, models.faces, plainly(scan.paint)), strict=True):
        drawn = render(view)
        guess = method(true_seen(head, view))
        vertices = pose_head(head, guess.parameters)
        whole = replace(guess.camera, intrinsics=wider(view.camera).intrinsics)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "view.png"
            cv2.imwrite(str(path), shot.rgb[..., ::-1])
            photo = read_photo(path, float(whole.intrinsics[0]))
            if shot.face is None:
                continue
            zoom = PICTURE_SIZE / CROP_SIZE / 2.2
            square = Square(np.full(2, PICTURE_SIZE / 2), CROP_SIZE * zoom, 0.0)
            frame = CropFrame(square, CROP_SIZE, whole.intrinsics)
            sharp = np.zeros((7, CROP_SIZE, CROP_SIZE), np.float32)
            known = NormalMap(drawn.normals, drawn.face, np.zeros(drawn.face.shape, np.float32), sharp)
            sitter = Sitter(photo, shot.face, whole, vertices)
            heights = _form_alone(models, Subject(sitter, frame, known, guess.parameters.expression))
            yield "true normals", _row(head, view, guess.camera, vertices, heights)
            made = reconstructor.reconstruct(photo, shot.face, ReconstructOptions(look="none"))
            relief = relief_of(head, [_subject(made)], models.normals, size=SIZE)
            # To the product the picture's middle is the camera's axis; turned so little, normals are the same.
            fx, fy, _, _ = view.camera.intrinsics
            camera = replace(made.camera, intrinsics=np.array([fx, fy, CROP_SIZE / 2, CROP_SIZE / 2]))
            yield "RGB", _row(head, view, camera, made.vertices, relief.static.heights)


def _form_alone(models: Models, subject: Subject) -> Float32s:
    ground = ground_of(atlas_of(models.head, SIZE), subject.sitter.vertices)
    return ground.whole(form_heights(evidence_of(ground, subject.sitter, models.normals), subject) * ground.inside)


def _subject(made: Reconstruction) -> Subject:
    sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
    return Subject(sitter, made.frame, made.normal_map, made.parameters.expression)


def _row(head: Head, view: View, camera: Camera, vertices: Floats, heights: Float32s) -> Row:
    truth = render(view)
    flat, raised = dense_surface(head, vertices, 0 * heights), dense_surface(head, vertices, heights)
    pictures = [one.angles(camera, truth.normals, truth.face) for one in (flat, raised)]
    both = [one.against(head, vertices, view.target) for one in (flat, raised)]
    return Row(
        (pictures[0], pictures[1]), (both[0].degrees, both[1].degrees), (both[0].millimetres, both[1].millimetres)
    )


def lights(models: Models, scan: Path, work: Path) -> tuple[float, float, int]:
    """Mean and least correlation of the displacements of pairs, and over how many texels."""
    found: list[Relief] = []
    for number, picture in enumerate(cycles.same_face(scan, LIGHTS, LIGHTS_YAW, work)):
        path = work / f"light_{number}.png"
        cv2.imwrite(str(path), picture.rgb[..., ::-1])
        reconstructor = Reconstructor(models)
        photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions(look="none"))
        made = reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(look="none"))
        found.append(relief_of(models.head, [_subject(made)], models.normals, size=SIZE))
    lit = np.logical_and.reduce([one.confidence > SURE for one in found])
    pairs = [_alike(a.static.heights, b.static.heights, lit) for a, b in combinations(found, 2)]
    return float(np.mean(pairs)), min(pairs), int(lit.sum())


def _alike(one: Float32s, other: Float32s, where: Mask) -> float:
    return float(np.corrcoef(one[where], other[where])[0, 1])


def seconds(models: Models, path: Path) -> float:
    """Processor time of static detail at 1024 px of a photo, the second time."""
    reconstructor = Reconstructor(models)
    photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions(look="none"))
    made = reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(look="none"))
    taken = []
    for _ in range(2):
        start = time.process_time()
        relief_of(models.head, [_subject(made)], models.normals, size=SIZE)
        taken.append(time.process_time() - start)
    return taken[-1]


@dataclass(frozen=True)
class Performance:
    """Correlations with what was drawn: at rest, moving, and moving as another head wears what was found."""

    static: float
    moving: float
    transferred: float


MOVES: tuple[dict[str, float], ...] = (
    {},
    {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "eyeSquintLeft": 0.7, "eyeSquintRight": 0.7, "cheekSquintLeft": 0.6,
     "cheekSquintRight": 0.6},
    {"browInnerUp": 0.9, "browOuterUpLeft": 0.6, "browOuterUpRight": 0.6},
    {"browDownLeft": 0.9, "browDownRight": 0.9, "mouthShrugLower": 0.8},
    {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5, "browInnerUp": 0.4},
)  # fmt: skip
_NO_POINTS = FacePoints(np.zeros((0, 3), np.int32), np.zeros((0, 3)), np.zeros(0, np.int64))
DRAWN = 640
"""px of the performance's pictures."""
LINES = 26
DEPTH, WIDTH = 0.6, 0.9
"""mm: of the drawn wrinkles, and the sigma of their profile."""
EDGE = 0.06
"""mm of drawn relief from which a texel counts as a wrinkle."""


def performance(models: Models, work: Path) -> Performance:
    """A head drawn by Cycles in MOVES, wearing wrinkles at rest and moving ones; expressions and camera are known."""
    head = models.head
    rng = np.random.default_rng(5)
    shape = 0.6 * rng.standard_normal(head.shape_count)
    ground = ground_of(atlas_of(head, SIZE), head.template.astype(np.float64))
    shares = ground.over(shares_of(head))
    lines = [ground.whole(_scribbled(ground, rng)) for _ in range(2)]
    everywhere = shares.sum(axis=2)
    static, moving = lines[0], lines[1] * ground.whole(everywhere)
    stage = Stage(samples=8)
    pictures = [work / f"move_{number}.png" for number in range(len(MOVES))]
    subjects = [
        _drawn(models, stage, shape, move, static, moving, path) for move, path in zip(MOVES, pictures, strict=True)
    ]
    relief = relief_of(head, subjects, models.normals, moving=True, size=SIZE)
    assert relief.moving is not None
    sure = relief.confidence > SURE
    other = 0.6 * rng.standard_normal(head.shape_count)
    nothing = np.zeros_like(static)
    worn = _drawn(models, stage, other, MOVES[1], nothing, relief.moving.heights, work / "worn.png")
    amount = ground.whole(shares @ amounts_of(head, worn.expression).astype(np.float32))
    read = relief_of(head, [worn], models.normals, size=SIZE)
    played = amount * relief.moving.heights
    here = sure & (np.abs(moving) > EDGE) & (ground.whole(everywhere) > 0.5)
    return Performance(
        _fine(relief.static.heights, static, sure & (np.abs(static) > EDGE)),
        _fine(relief.moving.heights, moving, here),
        _fine(read.static.heights, played, sure & (np.abs(played) > EDGE)),
    )


def _scribbled(ground: Ground, rng: np.random.Generator) -> Float32s:
    """(H, W) mm: short bent furrows all over the face."""
    height, width = ground.inside.shape
    canvas = np.zeros((height, width), np.float32)
    for _ in range(LINES):
        middle = rng.uniform((0.2, 0.1), (0.8, 0.9)) * (width, height)
        turn, bent = rng.uniform(-0.5, 0.5), rng.uniform(-0.02, 0.02)
        along = np.linspace(-1.0, 1.0, 24) * rng.uniform(8.0, 18.0) / ground.typical
        x, y = middle[0] + along * np.cos(turn), middle[1] + along * np.sin(turn) + bent * along**2
        cv2.polylines(canvas, [np.stack([x, y], 1).astype(np.int32)], False, (float(rng.uniform(0.6, 1.0)),), 1)
    soft = cv2.GaussianBlur(canvas, (0, 0), WIDTH / ground.typical)
    deep = np.percentile(soft[canvas > 0.5], 50)
    return np.asarray(-DEPTH * np.minimum(soft / deep, 1.5) * ground.inside, np.float32)


def _drawn(
    models: Models, stage: Stage, shape: Floats, move: dict[str, float], static: Float32s, moving: Float32s, path: Path
) -> Subject:
    """The head in one expression before a camera at 0.8 m, drawn by Cycles or found at `path`."""
    head = models.head
    expression = np.array([move.get(name, 0.0) for name in head.expression_names])
    parameters = replace(HeadParameters.neutral(head), shape=shape, expression=expression)
    vertices = pose_head(head, parameters)
    ground = ground_of(atlas_of(head, SIZE), vertices)
    amount = ground.whole(ground.over(shares_of(head)) @ amounts_of(head, expression).astype(np.float32))
    focal = 2.6 * DRAWN
    camera = Camera(
        np.array([np.pi, 0.0, 0.0]), np.array([0.0, 0.0, DISTANCE]), np.array([focal, focal, DRAWN / 2, DRAWN / 2])
    )
    if not path.is_file():
        dense = dense_surface(head, vertices, static + amount * moving, cuts=6, skin_alone=False)
        face = {"face": np.ones(len(dense.vertices), np.bool_)}
        target = Target(dense.vertices, dense.triangles, face, _NO_POINTS)
        cv2.imwrite(str(path), stage.picture(View("performance", target, camera), DRAWN)[..., ::-1])
    photo = read_photo(path, focal)
    found = models.faces.find(photo.rgb)
    if not found:
        raise BadInput(f"No face was found in {path}.", "Look at the picture.")
    frame = face_frame(found[0].points, photo.intrinsics, found[0].roll)
    normals = models.normals.estimate(cut(photo.rgb, frame), frame.intrinsics)
    return Subject(Sitter(photo, found[0], camera, vertices), frame, normals, expression)


def _fine(found: Float32s, known: Float32s, where: Mask) -> float:
    """Correlation of what is finer than 8 mm."""
    coarse = 8.0 / 0.42 / 2.0
    one, other = (heights - cv2.GaussianBlur(heights, (0, 0), coarse) for heights in (found, known))
    return _alike(np.asarray(one, np.float32), np.asarray(other, np.float32), where)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--work", type=Path, default=Path("runs/detail"), help="where renders are kept")
    parser.add_argument("--only", choices=("perry-smith", "lights", "performance", "time"))
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    models = Models.load()
    scan = chosen.data / "lee_perry_smith"
    if chosen.only in (None, "performance"):
        found = performance(models, chosen.work)
        print(f"performance: static {found.static:.2f}, moving {found.moving:.2f}")
        print(f"performance, moving wrinkles on another head: {found.transferred:.2f}")
    if chosen.only in (None, "lights"):
        mean, least, texels = lights(models, scan, chosen.work)
        print(f"lights: two displacements agree by {mean:.2f} (least {least:.2f}) over {texels} texels")
    if chosen.only in (None, "time"):
        taken = seconds(models, chosen.data / "photos" / "obama.jpg")
        print(f"time: static detail at {SIZE} px takes {taken:.2f} s of a processor")
    if chosen.only in (None, "perry-smith"):
        rows: dict[str, list[Row]] = {}
        for name, row in perry_smith(models, read_perry_smith(models.head, scan, FaceMesher()), chosen.views):
            rows.setdefault(name, []).append(row)
            print(f"{name}, {len(rows[name])} views: {_sentence(rows[name])}", flush=True)


def _sentence(rows: Sequence[Row]) -> str:
    words = []
    for name, unit in (("picture", "degrees"), ("vertices", "degrees"), ("distance", "mm")):
        mesh, raised = np.mean([getattr(row, name) for row in rows], axis=0)
        words.append(f"{name} {mesh:.2f} to {raised:.2f} {unit} ({100 * (raised / mesh - 1):+.0f} %)")
    return "; ".join(words)


if __name__ == "__main__":
    main()
