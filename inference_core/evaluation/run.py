"""Runs methods over samples and averages their errors."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from inference_core.evaluation.measures import REGIONS, Errors, compare_heads, landmark_error
from inference_core.evaluation.methods import Method, Seen
from inference_core.evaluation.samples import Sample
from inference_core.head import Head, landmarks_68, pose_head


@dataclass(frozen=True)
class Row:
    """One line of the table: means over a test set. Distances in mm, MNE in rad, CR as a share, NME in per cent."""

    inputs: str
    method: str
    count: int
    distance: dict[str, float]  # CD per region
    vertex_distance: dict[str, float]  # the same by vertex
    scaled_distance: float  # CD on the face, the scale aligned too
    normal: float
    complete: float
    landmarks: float
    face_p90: float  # CD on the face that nine of ten heads stay under
    milliseconds: float  # median time of the method alone

    def as_dict(self) -> dict[str, object]:
        """Plain values, rounded to what is meaningful."""

        def rounded(value: object) -> object:
            if isinstance(value, float):
                return None if math.isnan(value) else round(value, 4)
            return {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else value

        return {name: rounded(value) for name, value in asdict(self).items()}


def errors_of(head: Head, sample: Sample, seen: Seen, method: Method) -> tuple[Errors, float]:
    """One method on one sample: its errors and its time, s."""
    before = time.perf_counter()
    guess = method(seen)
    seconds = time.perf_counter() - before
    vertices = pose_head(head, guess.parameters)
    errors = compare_heads(head, vertices, sample.vertices)
    shown = guess.camera.project(landmarks_68(head, vertices, guess.camera.yaw_degrees))
    return replace(errors, landmarks=landmark_error(shown, sample.landmarks)), seconds


def summarise(inputs: str, method: str, errors: list[Errors], seconds: list[float]) -> Row:
    """The row of a table."""
    return Row(
        inputs=inputs,
        method=method,
        count=len(errors),
        distance={name: float(np.mean([e.distance[name] for e in errors])) for name in REGIONS},
        vertex_distance={name: float(np.mean([e.vertex_distance[name] for e in errors])) for name in REGIONS},
        scaled_distance=float(np.mean([e.scaled_distance for e in errors])),
        normal=float(np.mean([e.normal for e in errors])),
        complete=float(np.mean([e.complete for e in errors])),
        landmarks=float(np.mean([e.landmarks for e in errors])),
        face_p90=float(np.percentile([e.distance["face"] for e in errors], 90)),
        milliseconds=float(np.median(seconds) * 1000),
    )


def evaluate(
    head: Head,
    inputs: str,
    samples: Iterable[tuple[Sample, Seen]],
    methods: Mapping[str, Method],
    advance: Callable[[], None] = lambda: None,
) -> list[Row]:
    """A row per method. `advance` is called after every sample."""
    errors: dict[str, list[Errors]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for sample, seen in samples:
        for name, method in methods.items():
            error, took = errors_of(head, sample, seen, method)
            errors[name].append(error)
            seconds[name].append(took)
        advance()
    return [summarise(inputs, name, errors[name], seconds[name]) for name in methods if errors[name]]
