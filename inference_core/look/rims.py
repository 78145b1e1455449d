"""Rims of glasses: thinner than a pixel of the classes, so followed along their lines; and brows, which are none."""

from __future__ import annotations

import cv2
import numpy as np

from inference_core.head.model import Float32s, Floats, Mask

BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
"""Face Mesh's outlines of the brows, the subject's right, then the left."""
EYES = ((33, 159, 133, 145), (263, 386, 362, 374))
"""Outer corner, upper lid, inner corner, lower lid; the subject's right eye, then the left."""
ASIDE, ABOVE, BELOW = 1.0, 0.42, 0.62
"""Where glasses are looked for, distances between the eyes from their middle."""
LID = 1.9
"""Of an eye's own width and height about its middle: lashes and lids there are no rims."""
SURE, POSSIBLE = 0.30, 0.015
"""Probability of an occluder from which a place is glasses; and from which a thin line that touches such a place is."""
BROW_SURE, BROW_MARGIN = 0.92, 0.010
"""The same of a brow: dark ones are taken for rims. How far a brow goes beyond its outline, of the picture's side."""
LINE, CONTRAST = 0.016, 0.08
"""Of the picture's side: wider lines are none. How far, of 0..1, one is darker or brighter than what is beside it."""
LEAST = 0.0012
"""Of the picture: fewer sure pixels about the eyes are no glasses."""


def covered(grey: Float32s, occluder: Float32s, points: Floats) -> Mask:
    """(S, S): where something lies on the face, from its probability (S, S), and along the rims of glasses.

    `grey` (S, S) 0..1, `points` (478, 2) px: Face Mesh's in this picture.
    """
    brow = _brows(occluder.shape, points)
    sure = occluder > np.where(brow, BROW_SURE, SURE)
    zone = _about_the_eyes(occluder.shape, points)
    if (sure & zone).sum() < LEAST * occluder.size:
        return np.asarray(sure)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(LINE * len(grey) / 2) + 1,) * 2)
    darker = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)
    brighter = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel)
    line = (np.maximum(darker, brighter) > CONTRAST) & (occluder > POSSIBLE) & zone & ~brow
    _, name = cv2.connectedComponents((line | sure).astype(np.uint8), connectivity=8)
    rims = np.isin(name, np.unique(name[sure & zone])) & (name > 0)
    return np.asarray(sure | rims)


def _about_the_eyes(shape: tuple[int, ...], points: Floats) -> Mask:
    """(S, S): from above the brows to the cheeks, without the eyes themselves and their lashes."""
    eyes = np.array([points[list(eye)].mean(axis=0) for eye in EYES])
    across = eyes[1] - eyes[0]
    apart = float(np.linalg.norm(across))
    right = across / max(apart, 1e-6)
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    away = np.stack([column, row], axis=-1) - eyes.mean(axis=0)
    along, down = away @ right, away @ np.array([-right[1], right[0]])
    zone = (np.abs(along) < ASIDE * apart) & (down > -ABOVE * apart) & (down < BELOW * apart)
    lids = np.zeros(shape, np.uint8)
    for eye in EYES:
        corners = points[list(eye)]
        half = LID * np.array([np.linalg.norm(corners[0] - corners[2]), np.linalg.norm(corners[1] - corners[3])]) / 2
        turn = float(np.degrees(np.arctan2(right[1], right[0])))
        centre, axes = np.round(corners.mean(axis=0)).astype(int), np.round(half + 0.03 * apart).astype(int)
        cv2.ellipse(lids, centre.tolist(), axes.tolist(), turn, 0, 360, (1,), -1)
    return np.asarray(zone & (lids == 0))


def _brows(shape: tuple[int, ...], points: Floats) -> Mask:
    """(S, S): the brows, a little beyond Face Mesh's outlines, for bushy ones are wider."""
    out = np.zeros(shape, np.uint8)
    for outline in BROWS:
        cv2.fillPoly(out, [np.round(points[list(outline)] * 16).astype(np.int32)], (1,), shift=4)
    wide = 2 * round(BROW_MARGIN * shape[0]) + 1
    return np.asarray(cv2.dilate(out, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))) > 0)
