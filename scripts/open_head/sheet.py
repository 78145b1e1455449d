"""The contact sheet: the mean head, 24 random identities, every expression, jaw, lids and gaze."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inference_core.formats.writing import named_whole
from inference_core.head import Head, HeadParameters, load_head, pose_head

from .render import portrait, turn
from .source import Floats

Picture = npt.NDArray[np.uint8]
COLUMNS = 8
TILE = (190, 214)
SEED = 3
COLOURS = {  # BGR
    "skin": (0.60, 0.70, 0.86),
    "lips": (0.46, 0.47, 0.76),
    "inner_mouth": (0.28, 0.28, 0.50),
    "teeth": (0.88, 0.94, 0.95),
    "tongue": (0.45, 0.45, 0.80),
    "left_eyeball": (0.95, 0.95, 0.95),
    "right_eyeball": (0.95, 0.95, 0.95),
    "iris": (0.50, 0.36, 0.20),
    "pupil": (0.05, 0.05, 0.05),
}


def vertex_colours(head: Head) -> Floats:
    """(V,3) BGR 0..1."""
    colours = np.zeros((head.vertex_count, 3))
    for name, colour in COLOURS.items():
        colours[head.region(name)] = colour
    return colours


def _tile(head: Head, parameters: HeadParameters, label: str, yaw: float, extent: float, height: float) -> Picture:
    image, _, _, _ = portrait(
        pose_head(head, parameters),
        head.triangles,
        vertex_colours(head),
        rotation=turn(yaw, 0.0),
        centre=np.array([0.0, height, -0.01]),
        distance=0.9,
        extent=extent,
        size=TILE,
        background=0.93,
    )
    picture = image.copy()
    cv2.putText(picture, label, (5, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.40, (40, 40, 40), 1, cv2.LINE_AA)
    return picture


def _identities(head: Head, neutral: HeadParameters) -> list[Picture]:
    random = np.random.default_rng(SEED)
    tiles = []
    for index in range(24):
        person = replace(neutral, shape=random.normal(size=head.shape_count))
        tiles.append(_tile(head, person, f"random {index + 1}", (-28.0, 0.0, 28.0)[index % 3], 0.275, -0.01))
    return tiles


def _poses(head: Head, neutral: HeadParameters, jaw_open: float, jaw_side: float) -> list[tuple[str, HeadParameters]]:
    poses = [("neutral", neutral)]
    for index, name in enumerate(head.expression_names):
        expression = np.zeros(head.expression_count)
        expression[index] = 1.0
        share = {"mouthClose": 1.0, "tongueOut": 0.5}.get(name, 0.0)  # meaningful with an open jaw only
        label = name if share == 0 else f"{name}, jaw open"
        poses.append((label, replace(neutral, expression=expression, jaw=np.array([share * jaw_open, 0.0, 0.0]))))
    for label, jaw in (
        ("jaw joint: open", [jaw_open, 0.0, 0.0]),
        ("jaw joint: left", [0.0, jaw_side, 0.0]),
        ("jaw joint: right", [0.0, -jaw_side, 0.0]),
    ):
        poses.append((label, replace(neutral, jaw=np.array(jaw))))
    for label, lids in (("eyelids: half", [0.5, 0.5]), ("eyelids: closed", [1.0, 1.0]), ("eyelids: left", [1.0, 0.0])):
        poses.append((label, replace(neutral, eyelids=np.array(lids))))
    for label, gaze in (
        ("gaze: up", [-0.35, 0.0, 0.0]),
        ("gaze: down", [0.35, 0.0, 0.0]),
        ("gaze: left", [0.0, 0.4, 0.0]),
        ("gaze: right", [0.0, -0.4, 0.0]),
    ):
        poses.append((label, replace(neutral, eyes=np.array([gaze, gaze]))))
    poses.append(("neck: turned", replace(neutral, neck=np.array([0.2, 0.5, 0.1]))))
    return poses


def draw_sheet(head_path: Path, jaw_open: float, jaw_side: float, out: Path) -> None:
    """Write the sheet as PNG. Angles in rad, of the full sculpted jawOpen and jawLeft."""
    head = load_head(head_path)
    neutral = HeadParameters.neutral(head)
    tiles = _identities(head, neutral)
    poses = _poses(head, neutral, jaw_open, jaw_side)
    tiles += [_tile(head, pose, label, 18.0, 0.205, 0.0) for label, pose in poses]
    blank = np.full_like(tiles[0], 237)
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[first : first + COLUMNS]) for first in range(0, len(tiles), COLUMNS)]
    sheet = np.vstack(rows)
    with named_whole(out) as unfinished:
        if not cv2.imwrite(str(unfinished), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
            raise OSError(f"cannot write {out}")
