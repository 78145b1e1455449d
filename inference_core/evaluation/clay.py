"""A head in clay: one matt colour under soft light, so that only its form is seen. Pictures to judge heads by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head, vertex_normals
from inference_core.head.rotations import matrix_from_vector
from inference_core.training.geometry import Floats, Indices
from inference_core.training.n2fnet.draw import FACING
from inference_core.training.raster import interpolate, rasterise

Picture = NDArray[np.uint8]
Float32s = NDArray[np.float32]

CLAY = (0.52, 0.49, 0.46)  # linear
PARTS = {
    "left_eyeball": (0.72, 0.71, 0.69),
    "right_eyeball": (0.72, 0.71, 0.69),
    "iris": (0.16, 0.15, 0.15),
    "pupil": (0.02, 0.02, 0.02),
    "teeth": (0.75, 0.74, 0.70),
    "tongue": (0.42, 0.34, 0.32),
}
PAPER = 0.86  # linear grey behind the head
DISTANCE = 1.4  # m from the camera: a portrait's perspective
OVERSAMPLE = 2
SKY = 64  # directions of the sky
SKY_SIZE, SKY_BIAS = 96, 0.005  # px; m
# Lamp: towards it (camera axes), strength.
LAMPS = (((-0.5, -0.55, -0.67), 0.85), ((0.75, -0.15, -0.65), 0.22), ((0.2, -0.5, 0.85), 0.30))
AMBIENT = 0.42


@dataclass(frozen=True)
class Side:
    """A view of a head: turned to its left by `yaw` degrees, `width` x `height` px that show `reach` m of height about
    `middle`, head space, m."""

    yaw: float = 0.0
    width: int = 260
    height: int = 330
    reach: float = 0.315
    middle: tuple[float, float, float] = (0.0, -0.015, -0.02)


def clay(head: Head, vertices: Floats, side: Side, sky: Floats | None = None) -> Picture:
    """(height, width, 3) RGB of posed vertices (V, 3) m in head space. `sky` (V,): `openness`, where it is known."""
    turn = FACING @ matrix_from_vector(np.radians((0.0, side.yaw, 0.0)))
    points = (vertices - np.array(side.middle)) @ turn.T + np.array([0.0, 0.0, DISTANCE])
    width, height = side.width * OVERSAMPLE, side.height * OVERSAMPLE
    focal = height * DISTANCE / side.reach
    raster = rasterise(points, head.triangles, np.array([focal, focal, width / 2, height / 2]), (width, height))
    sky = openness(vertices, head.triangles) if sky is None else sky
    values = np.concatenate([vertex_normals(points, head.triangles), _colours(head), sky[:, None]], axis=1)
    pixels = interpolate(raster, head.triangles, values)
    normals = pixels[..., :3] / np.maximum(np.linalg.norm(pixels[..., :3], axis=2, keepdims=True), 1e-6)
    light = AMBIENT * pixels[..., 6] ** 1.3 * (0.75 - 0.25 * normals[..., 1])
    for towards, strength in LAMPS:
        direction = np.array(towards, np.float32) / np.float32(np.linalg.norm(towards))
        light = light + strength * np.clip((normals @ direction + 0.15) / 1.15, 0, 1) * np.sqrt(pixels[..., 6])
    linear = np.where((raster.triangle >= 0)[..., None], pixels[..., 3:6] * light[..., None], PAPER)
    small = cv2.resize(linear.astype(np.float32), (side.width, side.height), interpolation=cv2.INTER_AREA)
    return np.asarray(255 * np.clip(small, 0, 1) ** (1 / 2.2), np.uint8)


def clays(head: Head, vertices: Floats, sides: list[Side]) -> Picture:
    """Several views side by side."""
    sky = openness(vertices, head.triangles)
    return np.concatenate([clay(head, vertices, side, sky) for side in sides], axis=1)


@cache
def _sky() -> Floats:
    """(SKY, 3) unit, evenly over the sphere (Fibonacci)."""
    height = 1 - 2 * (np.arange(SKY) + 0.5) / SKY
    angle = np.arange(SKY) * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), height, ring * np.sin(angle)], axis=1)


def openness(vertices: Floats, triangles: Indices) -> Floats:
    """(V,) 0..1: how much of an even sky each vertex sees, by the cosine; shadow maps from all around."""
    normals, middle = vertex_normals(vertices, triangles), vertices.mean(axis=0)
    seen, weight = np.zeros(len(vertices)), np.full(len(vertices), 1e-6)
    away = 5.0
    focal = SKY_SIZE * away / 0.5
    intrinsics = np.array([focal, focal, SKY_SIZE / 2, SKY_SIZE / 2])
    for towards in _sky():
        right = np.cross(towards, [0.3, 0.9, 0.2])
        right /= np.linalg.norm(right)
        local = (vertices - middle) @ np.stack([right, np.cross(-towards, right), -towards]).T + (0, 0, away)
        depth = rasterise(local, triangles, intrinsics, (SKY_SIZE, SKY_SIZE)).depth
        column, row = np.clip(focal * local[:, :2] / local[:, 2:] + SKY_SIZE / 2, 0, SKY_SIZE - 1).astype(int).T
        cosine = np.clip(normals @ towards, 0, None)
        seen += cosine * (local[:, 2] < depth[row, column] + SKY_BIAS)
        weight += cosine
    return np.asarray(seen / weight)


def _colours(head: Head) -> Floats:
    """(V, 3) linear."""
    colours = np.broadcast_to(np.array(CLAY), (head.vertex_count, 3)).copy()
    for name, colour in PARTS.items():
        colours[head.region(name)] = colour
    return colours


def labelled(picture: Picture, text: str) -> Picture:
    """With a word in its upper left corner."""
    made = picture.copy()
    cv2.putText(made, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return made


def grid(pictures: list[Picture], columns: int) -> Picture:
    """Pictures of one size in rows; the last row is filled with paper."""
    blank = np.full_like(pictures[0], round(255 * PAPER ** (1 / 2.2)))
    filled = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(filled[i : i + columns], axis=1) for i in range(0, len(filled), columns)]
    return np.concatenate(rows)
