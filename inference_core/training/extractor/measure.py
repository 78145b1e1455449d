"""python -m inference_core.training.extractor.measure: how good normals.onnx is, on renders and on real photos.

Unseen renders have truth. Real photos have none: there the answer must not change when the photo is mirrored, cropped a
little differently, darkened or compressed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import load_head
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import BUNDLED_NORMALS, FACE, NormalEstimator, NormalMap
from inference_core.perception.sampling import Square
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.pool import sample_rng
from inference_core.training.extractor.realphotos import DATA, RealFace, real_faces, resample
from inference_core.training.extractor.sample import Sample, draw_sample
from inference_core.training.extractor.scan import RENDER_SIZE, read_scan, renders

TEST_SEED = 104729  # neither training nor validation
PALETTE = np.array(
    [(40, 40, 40), (255, 180, 140), (80, 160, 255), (200, 0, 60), (200, 200, 0), (120, 70, 20), (0, 200, 80)], np.uint8
)

Bytes = NDArray[np.uint8]
Float32s = NDArray[np.float32]


def angles(a: Float32s, b: Float32s) -> Float32s:
    """(...) degrees between vectors (..., 3)."""
    length = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1) + 1e-9
    return np.asarray(np.degrees(np.arccos(np.clip((a * b).sum(-1) / length, -1, 1))), np.float32)


def unseen_samples(count: int) -> Iterator[Sample]:
    """Painted faces that are neither for training nor for validation, always the same."""
    anatomy = build_anatomy(load_head())
    return (draw_sample(anatomy, sample_rng(TEST_SEED, n)) for n in range(count))


def measure_synthetic(estimator: NormalEstimator, samples: Iterable[Sample]) -> dict[str, float]:
    """Mean and median angular error on the visible face, and each class's IoU, over renders."""
    errors: list[Float32s] = []
    inter, union = np.zeros(7), np.zeros(7)
    sigma_error: list[float] = []
    for sample in samples:
        found = estimator.estimate(sample.rgb, sample.intrinsics)
        truth = (sample.labels == FACE) & (np.abs(sample.normals).sum(-1) > 0)
        error = angles(found.normals, sample.normals)[truth]
        errors.append(error)
        if error.size:
            sigma_error.append(float(np.degrees(found.sigma[truth]).mean() - error.mean()))
        label = found.labels
        for k in range(7):
            inter[k] += ((label == k) & (sample.labels == k)).sum()
            union[k] += ((label == k) | (sample.labels == k)).sum()
    flat = np.concatenate(errors)
    iou = inter / np.maximum(union, 1)
    return {
        "synthetic_mean_degrees": float(flat.mean()),
        "synthetic_median_degrees": float(np.median(flat)),
        "synthetic_face_iou": float(iou[FACE]),
        "synthetic_eyes_iou": float(iou[2]),
        "synthetic_hair_iou": float(iou[5]),
        "synthetic_occluder_iou": float(iou[6]),
        "sigma_bias_degrees": float(np.mean(sigma_error)),
    }


def _changed(face: RealFace, estimator: NormalEstimator, change: Callable[[Bytes], Bytes]) -> float:
    crop = face.crop()
    camera = face.frame.intrinsics
    a, b = estimator.estimate(crop, camera), estimator.estimate(change(crop), camera)
    return _difference(a, b.normals, b.face_mask)


def _difference(a: NormalMap, normals: Float32s, mask: NDArray[np.bool_]) -> float:
    both = a.face_mask & mask
    return float(angles(a.normals, normals)[both].mean()) if both.any() else float("nan")


def _flip(face: RealFace, estimator: NormalEstimator, mirrored: bool = True) -> float:
    crop = face.crop()
    camera = face.frame.intrinsics
    other = np.array([*camera[:2], len(crop) - camera[2], camera[3]])
    a = estimator.estimate(crop, camera, mirrored=mirrored)
    b = estimator.estimate(np.ascontiguousarray(crop[:, ::-1]), other, mirrored=mirrored)
    return _difference(a, b.normals[:, ::-1] * np.array([-1, 1, 1], np.float32), b.face_mask[:, ::-1])


def _jitter(face: RealFace, estimator: NormalEstimator) -> float:
    a = estimator.estimate(face.crop(), face.frame.intrinsics)
    found = []
    for shift, scale in (((0.05, 0.0), 1.0), ((0.0, -0.05), 1.0), ((-0.03, 0.03), 1.05), ((0.02, 0.02), 0.95)):
        moved = face.moved(shift, scale)
        b = estimator.estimate(face.crop(shift, scale), moved.intrinsics)
        back = resample(np.dstack([b.normals, b.face_mask.astype(np.float32)]), moved, face.frame)
        found.append(_difference(a, back[..., :3], back[..., 3] > 0.5))
    return float(np.nanmean(found))


def _darker(crop: Bytes) -> Bytes:
    return (crop * 0.6).astype(np.uint8)


def _compressed(crop: Bytes) -> Bytes:
    return cv2.imdecode(cv2.imencode(".jpg", crop, (cv2.IMWRITE_JPEG_QUALITY, 30))[1], 1).astype(np.uint8)


def stability(estimator: NormalEstimator, faces: Sequence[RealFace]) -> dict[str, float]:
    """Mean over the photos of the change in degrees under mirroring, crop jitter, darkening, compression."""
    return {
        "flip_degrees": float(np.mean([_flip(f, estimator) for f in faces])),  # 0: both answers are averaged
        "flip_degrees_one_pass": float(np.mean([_flip(f, estimator, mirrored=False) for f in faces])),
        "crop_jitter_degrees": float(np.mean([_jitter(f, estimator) for f in faces])),
        "darker_degrees": float(np.mean([_changed(f, estimator, _darker) for f in faces])),
        "jpeg_degrees": float(np.mean([_changed(f, estimator, _compressed) for f in faces])),
    }


def measure_real(estimator: NormalEstimator, faces: Sequence[RealFace]) -> dict[str, float]:
    """`stability` over all photos, and how many there are."""
    return {"real_photos": float(len(faces)), **stability(estimator, faces)}


def measure_scan(estimator: NormalEstimator, folder: Path, count: int) -> dict[str, float]:
    """Mean and median angular error, degrees, on what the network takes for facial skin of the scan's renders."""
    errors: list[Float32s] = []
    finder = FaceFinder()
    found_faces = 0
    middle = RENDER_SIZE / 2
    intrinsics = np.array([RENDER_SIZE, RENDER_SIZE, middle, middle], np.float64)
    whole = CropFrame(Square(np.array([middle, middle]), RENDER_SIZE, 0.0), RENDER_SIZE, intrinsics)
    for render in renders(read_scan(folder), count):
        faces = finder.find(render.rgb)
        if not faces:
            continue
        found_faces += 1
        frame = face_frame(faces[0].points, intrinsics)
        found = estimator.estimate(cut(render.rgb, frame), frame.intrinsics)
        truth = resample(render.normals, whole, frame)
        mask = found.face_mask & (np.linalg.norm(truth, axis=2) > 0.9)
        errors.append(angles(found.normals, truth)[mask])
    flat = np.concatenate(errors)
    return {
        "scan_renders": float(found_faces),
        "scan_mean_degrees": float(flat.mean()),
        "scan_median_degrees": float(np.median(flat)),
    }


def contact_sheet(estimator: NormalEstimator, crops: list[Bytes]) -> Bytes:
    """Per crop: itself, normals of all that is head, normals within the face mask, classes; two in a row."""
    cells = []
    for crop in crops:
        found = estimator.estimate(crop)
        label = found.labels
        coloured = ((found.normals + 1) * 127.5).astype(np.uint8)
        head = coloured * ((label >= 1) & (label <= 4))[..., None]
        classes = (0.45 * crop + 0.55 * PALETTE[label]).astype(np.uint8)
        cells.append(np.concatenate([crop, head, coloured * found.face_mask[..., None], classes], axis=1))
    if len(cells) % 2:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.concatenate(cells[i : i + 2], axis=1) for i in range(0, len(cells), 2)]
    return np.asarray(np.concatenate(rows), np.uint8)


def scan_crops(folder: Path, count: int) -> list[Bytes]:
    """The scan under `count` different lights, cropped as a photo is."""
    finder = FaceFinder()
    intrinsics = np.array([RENDER_SIZE, RENDER_SIZE, RENDER_SIZE / 2, RENDER_SIZE / 2], np.float64)
    crops: list[Bytes] = []
    for render in renders(read_scan(folder), 3 * count):
        faces = finder.find(render.rgb)
        if faces and len(crops) < count:
            crops.append(cut(render.rgb, face_frame(faces[0].points, intrinsics)))
    return crops


def measure_time(estimator: NormalEstimator) -> dict[str, float]:
    """Median milliseconds for one crop."""
    crop = np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    times = []
    for _ in range(40):
        began = time.perf_counter()
        estimator.estimate(crop)
        times.append(1e3 * (time.perf_counter() - began))
    return {"milliseconds": float(np.median(times)), "milliseconds_best": float(np.min(times))}


def main() -> None:
    """Print all measures as JSON; --card writes them into the weights' card, --sheet a picture of the real photos."""
    parser = argparse.ArgumentParser(prog="measure")
    parser.add_argument("--weights", type=Path, default=BUNDLED_NORMALS)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/ and videos/")
    parser.add_argument("--count", type=int, default=200, help="unseen renders")
    parser.add_argument("--scan", type=int, default=40, help="renders of the scan in DATA/lee_perry_smith; needs bpy")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--show-videos", action="store_true", help="put the video frames into the sheet too")
    parser.add_argument("--card", type=Path)
    options = parser.parse_args()
    estimator = NormalEstimator(options.weights)
    faces = real_faces(options.data)
    measures = {**measure_time(estimator), **measure_real(estimator, faces)}
    scan = options.data / "lee_perry_smith"
    if options.scan and scan.is_dir():
        measures |= measure_scan(estimator, scan, options.scan)
    if options.count:
        measures |= measure_synthetic(estimator, unseen_samples(options.count))
    measures = {name: round(value, 3) for name, value in measures.items()}
    print(json.dumps(measures, indent=2))
    if options.sheet is not None:
        # Frames of videos are measured on but not shown: their licence covers tests only.
        crops = [face.crop() for face in faces if options.show_videos or face.may_be_shown]
        if options.scan and scan.is_dir():
            crops += scan_crops(scan, 5)
        cv2.imwrite(str(options.sheet), contact_sheet(estimator, crops)[..., ::-1])
    if options.card is not None:
        card = json.loads(options.card.read_text(encoding="utf-8"))
        card["measures"] = measures
        options.card.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
