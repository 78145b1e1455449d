"""How far landmarks are to be believed where the detector is unsteady, and where the face is turned away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.fit.observation import Observation
from inference_core.fit.placement import place_points, posed_points
from inference_core.head import Head, HeadParameters

STEADY = 0.0125
"""Over the distance between the eyes: so far apart are Face Mesh's answers for two crops of one clear photograph. On
portraits they were 0.007 to 0.011 apart, on paintings whose landmarks lie 3 to 8 px off 0.010 to 0.036."""
DOUBT_SLOPE, MOST_DOUBT = 4.0, 2.0

ASIDE, PROFILE, LEFT_OF_THEM = 35.0, 55.0, 0.1
"""Degrees of yaw from which landmarks lose weight, and from which only this share of it is left. On painted heads
turned by 60 and 75 degrees Face Mesh's points lie 9 and 15 % of the distance between the eyes off, N2FNet's head 5 and
7 %; by 45 degrees both 5 %. `python -m inference_core.evaluation.hard_faces` measures what comes of it."""


def turned_away(yaw_degrees: float) -> bool:
    """Whether N2FNet, which has seen no landmark, is to be believed about where the head is, too."""
    return abs(yaw_degrees) > PROFILE


def seen_aside(seen: Observation, yaw_degrees: float) -> Observation:
    """The observation of a face that N2FNet sees turned by so much: normals and mask carry a profile's fit.

    Of a profile Face Mesh lays the half that nobody sees onto the outline, and the nose with it.
    """
    share = float(np.clip((abs(yaw_degrees) - ASIDE) / (PROFILE - ASIDE), 0.0, 1.0))
    if share == 0.0:
        return seen
    return replace(seen, point_weight=seen.point_weight * (1.0 - share * (1.0 - LEFT_OF_THEM)))


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
    model = posed_points(head, parameters)
    away = place_points(model, seen.points, seen.intrinsics).project(model) - seen.points
    return replace(seen, point_sigma=doubt * np.linalg.norm(away, axis=1))
