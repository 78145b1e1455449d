"""Measures the table of Face Mesh points with the built head: the run behind `build_open_head.py --correspond`."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from inference_core.head import Head, HeadParameters, landmarks_68, load_head, pose_head

from .correspond import IDENTITIES, Canvas, observe, symmetric_places, write_table
from .cut import IRIS_DEGREES, PUPIL_DEGREES
from .source import Floats

AJAR = 0.3  # rad, opens the mouth wide enough to tell the lips apart
CARRIED = 0.010  # m, what of the middle of the face drops by this then belongs to the lower lip
IDENTITY_SIGMA = 0.7  # of a standard deviation: ordinary faces, because the mean place is asked for
SEED = 5


def _dense(points: Floats, steps: int = 12) -> Floats:
    t = np.linspace(0, 1, steps)[:, None]
    return np.concatenate([a * (1 - t) + b * t for a, b in pairwise(points)])


def canvas_of(head: Head) -> Canvas:
    """What the renders need, from the head file."""
    template = head.template.astype(np.float64)
    marks = landmarks_68(head, template, 0.0)
    hidden, skin = head.region("hidden"), head.region("skin")
    balls = head.region("left_eyeball") | head.region("right_eyeball")
    dropped = template[:, 1] - pose_head(head, replace(HeadParameters.neutral(head), jaw=np.array([AJAR, 0, 0])))[:, 1]
    return Canvas(
        template=template,
        triangles=head.triangles,
        skin_visible=(skin & ~hidden)[head.triangles].all(axis=1),
        eyeball=balls[head.triangles].all(axis=1),
        jaw_carried=(dropped > CARRIED)[head.triangles].all(axis=1),
        lips=head.region("lips").astype(np.float64),
        scalp=head.region("scalp").astype(np.float64),
        dark=(hidden & skin).astype(np.float64),
        teeth=head.region("teeth"),
        brows=np.concatenate([_dense(marks[17:22]), _dense(marks[22:27])]),
        lashes=np.concatenate([_dense(marks[36:40]), _dense(marks[42:46])]),
        eye_centres=head.joint_template[3:5],
        iris_cosine=float(np.cos(np.radians(IRIS_DEGREES))),
        pupil_cosine=float(np.cos(np.radians(PUPIL_DEGREES))),
    )


def sample_heads(head: Head, count: int) -> list[Floats]:
    """Posed heads (V,3): a third at rest, a third with the mouth ajar, a third smiling."""
    random = np.random.default_rng(SEED)
    neutral = HeadParameters.neutral(head)
    smile = [head.expression_names.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
    heads = []
    for index in range(count):
        expression, jaw = np.zeros(head.expression_count), np.zeros(3)
        if index % 3 == 1:
            jaw[0] = random.uniform(0.05, 0.16)
        elif index % 3 == 2:
            expression[smile] = random.uniform(0.1, 0.4)
            jaw[0] = random.uniform(0.0, 0.06)
        shape = IDENTITY_SIGMA * random.normal(size=head.shape_count)
        heads.append(pose_head(head, replace(neutral, shape=shape, expression=expression, jaw=jaw)))
    return heads


def calibrate(path: Path) -> str:
    """Measure and write the table; returns a line of facts."""
    head = load_head(path)
    canvas = canvas_of(head)
    places, facings = observe(canvas, sample_heads(head, IDENTITIES), seed=11)
    centre, spread = symmetric_places(places, facings)
    write_table(centre, spread, canvas)
    return f"{len(places)} renders, median spread {np.nanmedian(spread) * 1e3:.2f} mm"
