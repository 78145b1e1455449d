"""From RGB: the samples are painted as photographs, and what the product's own perception sees of them is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from inference_core.evaluation.methods import Seen
from inference_core.evaluation.samples import Sample
from inference_core.evaluation.spoiled import LANDMARK_SIGMA
from inference_core.head import Head, landmarks_68, vertex_normals
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import NormalEstimator
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import Subject

PAINT_STREAM = 0xFACE  # seeds of skins, hair, light and backgrounds, apart from the extractor's own


def through_perception(
    head: Head, samples: Iterable[Sample], finder: FaceFinder, estimator: NormalEstimator, seed: int
) -> Iterator[tuple[Sample, Seen | None]]:
    """Paint each sample, find the face's landmarks and normals in the picture. None where no face is found.

    The picture is the 256 px crop itself, so the crop is the true one; landmarks, normals and mask are the product's.
    """
    anatomy = build_anatomy(head)
    for number, sample in enumerate(samples):
        rng = np.random.default_rng((PAINT_STREAM, seed, number))
        rgb = draw_sample(anatomy, rng, painted_subject(head, sample)).rgb
        faces = finder.find(rgb)
        if not faces:
            yield sample, None
            continue
        found = estimator.estimate(rgb, sample.camera.intrinsics)
        yield (
            sample,
            Seen(
                normals=found.normals,
                face=found.face_mask,
                points=faces[0].points[head.mediapipe_index, :2],
                intrinsics=sample.camera.intrinsics,
                normal_weight=found.face_mask.astype(np.float32),
                point_weight=np.ones(len(head.mediapipe_index)),
                normal_sigma=found.sigma,
                unsteady=faces[0].unsteady,
            ),
        )


def with_true_landmarks(head: Head, pairs: Iterable[tuple[Sample, Seen]], seed: int) -> Iterator[tuple[Sample, Seen]]:
    """The same estimated normals, but landmarks as far off as Face Mesh's on a real face: tells what they cost."""
    for number, (sample, seen) in enumerate(pairs):
        rng = np.random.default_rng((PAINT_STREAM, seed, number, 1))
        points = sample.dense + rng.normal(0, LANDMARK_SIGMA, sample.dense.shape)
        yield sample, replace(seen, points=points, point_weight=np.ones(len(head.mediapipe_index)), unsteady=0.0)


def painted_subject(head: Head, sample: Sample) -> Subject:
    """The sample as the painter wants it."""
    points = sample.camera.to_camera(sample.vertices)
    return Subject(
        parameters=sample.parameters,
        rotation=sample.camera.matrix,
        translation=sample.camera.translation,
        intrinsics=sample.camera.intrinsics,
        vertices=sample.vertices,
        points=points,
        normals=vertex_normals(points, head.triangles),
        marks=sample.camera.to_camera(landmarks_68(head, sample.vertices, sample.camera.yaw_degrees)),
    )
