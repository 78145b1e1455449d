"""How far each landmark is to be believed, where the detector itself is unsteady."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.fit.observation import Observation
from inference_core.fit.placement import place_head
from inference_core.head import Head, HeadParameters, mediapipe_points, pose_head

STEADY = 0.0125
"""Over the distance between the eyes: so far apart are Face Mesh's answers for two crops of one clear photograph. On
portraits they were 0.007 to 0.011 apart, on paintings whose landmarks lie 3 to 8 px off 0.010 to 0.036."""
DOUBT_SLOPE, MOST_DOUBT = 4.0, 2.0


def doubted(head: Head, seen: Observation, parameters: HeadParameters, unsteady: float) -> Observation:
    """The observation with `point_sigma` of landmarks that a detector was unsteady about.

    `unsteady`: the mean distance between its answers for two crops, over the distance between the eyes. What is then
    asked for a second opinion is the head of `parameters`, N2FNet's, which has seen the normals and no landmark: the
    farther a landmark lies from where that head has it, the less it counts. Steady detections are not touched; they are
    right where the two differ.
    """
    doubt = float(np.clip(DOUBT_SLOPE * (unsteady / STEADY - 1.0), 0.0, MOST_DOUBT))
    if doubt == 0.0:
        return seen
    camera = place_head(head, parameters, seen.points, seen.intrinsics)
    away = camera.project(mediapipe_points(head, pose_head(head, parameters))) - seen.points
    return replace(seen, point_sigma=doubt * np.linalg.norm(away, axis=1))
