"""Measures the table of Face Mesh points with the built head: the run behind `build_open_head.py --correspond`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from inference_core.head import Head, HeadParameters, load_head, pose_head

from .correspond import PICTURES, Canvas, observe, symmetric_places, write_table

AJAR = 0.3  # rad, opens the mouth wide enough to tell the lips apart
CARRIED = 0.010  # m, what of the middle of the face drops by this then belongs to the lower lip
SEED = 11


def canvas_of(head: Head) -> Canvas:
    """Where points may lie, from the head file."""
    template = head.template.astype(np.float64)
    hidden, skin = head.region("hidden"), head.region("skin")
    balls = head.region("left_eyeball") | head.region("right_eyeball")
    dropped = template[:, 1] - pose_head(head, replace(HeadParameters.neutral(head), jaw=np.array([AJAR, 0, 0])))[:, 1]
    return Canvas(
        template=template,
        triangles=head.triangles,
        skin_visible=(skin & ~hidden)[head.triangles].all(axis=1),
        eyeball=balls[head.triangles].all(axis=1),
        jaw_carried=(dropped > CARRIED)[head.triangles].all(axis=1),
    )


def calibrate(path: Path) -> str:
    """Measure and write the table; returns a line of facts."""
    head = load_head(path)
    canvas = canvas_of(head)
    places, facings = observe(head, canvas, PICTURES, SEED)
    centre, spread = symmetric_places(places, facings)
    write_table(centre, spread, canvas)
    return f"{len(places)} pictures, median spread {np.nanmedian(spread) * 1e3:.2f} mm"
