"""Light: a sky in spherical harmonics, up to three lamps of several colours, and the key lamp's shadow map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inference_core.training.raster import draw

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
SHADOW_SIZE = 256
SHADOW_SPAN = 0.42  # m, side of the square that the shadow map covers
LAMP_DISTANCE = 4.0  # m


class Light(NamedTuple):
    """Camera space (OpenCV axes), linear RGB. Numba reads named tuples, so this one goes into the kernels as it is."""

    sky: Float32s  # (9, 3) irradiance coefficients over 1 x y z xy yz 3zz-1 xz xx-yy
    directions: Float32s  # (L, 3) unit, towards the lamps; the first is the key
    colours: Float32s  # (L, 3)
    shadow: Float32s  # (SHADOW_SIZE, SHADOW_SIZE) depth from the key lamp, m, inf where nothing is
    shadow_turn: Float32s  # (3, 3) camera to lamp axes
    shadow_offset: Float32s  # (3,)
    shadow_strength: float  # 0 none .. 1 black
    shadow_blur: int  # texels between the taps that soften the shadow: 1 a bulb, more a window or a soft box


def draw_tint(rng: np.random.Generator) -> Floats:
    """(3,) a lamp's colour: warm to cool, now and then strongly coloured."""
    if rng.random() < 0.08:
        return rng.uniform(0.15, 1.0, 3)
    warmth = rng.normal(0, 0.5)
    return np.clip(np.array([1 + 0.22 * warmth, 1.0, 1 - 0.3 * warmth]), 0.3, 1.8)


class _Lamps(NamedTuple):
    """directions (L, 3) of any length and strengths (L,), the key first; sky: what comes from everywhere."""

    directions: Floats
    strengths: Floats
    sky: float
    shadow: float
    blur: int
    alike: bool  # one colour for all


def _at(azimuth: float, height: float) -> Floats:
    """(3,) towards a lamp so many degrees to the side of the camera and above it."""
    a, h = np.radians(azimuth), np.radians(height)
    return np.array([np.sin(a) * np.cos(h), -np.sin(h), -np.cos(a) * np.cos(h)])


def _any(rng: np.random.Generator) -> _Lamps:
    """One to three lamps from anywhere, the key mostly from above and before the face."""
    count = int(rng.choice([1, 2, 3], p=[0.4, 0.35, 0.25]))
    hard = rng.uniform(0.0, 1.0) ** 1.3
    key = np.array([rng.normal(0, 0.7), -abs(rng.normal(0.35, 0.45)), -rng.uniform(0.15, 1.0)])
    others = rng.normal(0, 1, (count - 1, 3)) * (1, 0.6, 1)
    strengths = np.concatenate([[0.25 + 1.1 * hard], rng.uniform(0.05, 0.8, count - 1)])
    blur = int(rng.choice([2, 3, 5, 7], p=[0.5, 0.2, 0.15, 0.15]))
    return _Lamps(np.vstack([key, others]), strengths, 1.0 - 0.75 * hard, rng.uniform(0.4, 1.0), blur, False)


def _studio(rng: np.random.Generator) -> _Lamps:
    """As official portraits are lit: a large key above and to the side, a weaker fill, now and then a light behind."""
    side = rng.choice([-1, 1])
    lamps = [_at(side * rng.uniform(5, 55), rng.uniform(15, 50)), _at(-side * rng.uniform(20, 70), rng.uniform(-5, 30))]
    key = rng.uniform(0.7, 1.5)
    strengths = [key, key * rng.uniform(0.08, 0.6)]
    if rng.random() < 0.5:
        lamps.append(_at(-side * rng.uniform(110, 165), rng.uniform(10, 50)))
        strengths.append(key * rng.uniform(0.2, 1.0))
    blur = int(rng.choice([2, 3, 5, 7], p=[0.15, 0.3, 0.3, 0.25]))
    return _Lamps(np.array(lamps), np.array(strengths), rng.uniform(0.12, 0.5), rng.uniform(0.6, 1.0), blur, True)


def _hard(rng: np.random.Generator) -> _Lamps:
    """A sun or a bulb, high or from the side: black eye sockets, the nose's shadow on lip and cheek."""
    side = rng.choice([-1, 1])
    high = rng.random() < 0.6
    azimuth, height = ((0, 60), (40, 75)) if high else ((50, 105), (0, 40))
    key = _at(side * rng.uniform(*azimuth), rng.uniform(*height))
    blur = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    strength = np.array([rng.uniform(0.9, 1.6)])
    return _Lamps(key[None], strength, rng.uniform(0.1, 0.4), rng.uniform(0.75, 1.0), blur, False)


def draw_light(points: Floats, triangles: NDArray[np.int32], rng: np.random.Generator) -> Light:
    """A light for a head of camera-space points (V, 3) m; `triangles` cast the shadow."""
    kind = rng.random()
    drawn = _studio(rng) if kind < 0.3 else _hard(rng) if kind < 0.5 else _any(rng)
    directions = drawn.directions / np.linalg.norm(drawn.directions, axis=1, keepdims=True)
    tint = draw_tint(rng) if drawn.alike else np.ones(3)
    own = [tint if drawn.alike else draw_tint(rng) for _ in directions]
    colours = np.array(own) * drawn.strengths[:, None]
    sky = np.zeros((9, 3))
    sky[0] = (tint if drawn.alike else draw_tint(rng)) * drawn.sky
    tilt = rng.normal((0, -0.25, -0.1), 0.35)  # more light from above
    sky[1:4] = tilt[:, None] * sky[0] * draw_tint(rng)
    sky[4:] = rng.normal(0, 0.10, (5, 1)) * sky[0]

    depth, turn, offset = _shadow_map(points, triangles, directions[0])
    return Light(
        sky=sky.astype(np.float32),
        directions=directions.astype(np.float32),
        colours=colours.astype(np.float32),
        shadow=depth,
        shadow_turn=turn.astype(np.float32),
        shadow_offset=offset.astype(np.float32),
        shadow_strength=drawn.shadow,
        shadow_blur=drawn.blur,
    )


def _shadow_map(points: Floats, triangles: NDArray[np.int32], towards: Floats) -> tuple[Float32s, Floats, Floats]:
    right = np.cross(towards, (0.31, 0.9, 0.2))
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(-towards, right), -towards])
    offset = np.array([0, 0, LAMP_DISTANCE]) - turn @ points.mean(0)
    focal = SHADOW_SIZE * LAMP_DISTANCE / SHADOW_SPAN
    depth = np.full((SHADOW_SIZE, SHADOW_SIZE), np.inf, np.float32)
    draw(
        points @ turn.T + offset,
        triangles,
        np.array([focal, focal, SHADOW_SIZE / 2, SHADOW_SIZE / 2]),
        np.empty(depth.shape, np.int32),
        np.empty((*depth.shape, 3), np.float32),
        depth,
    )
    return depth, turn, offset


@njit(cache=True, fastmath=True, inline="always")
def sky_at(sky: Float32s, channel: int, x: float, y: float, z: float) -> float:
    """Irradiance for a normal, one channel."""
    value = (
        sky[0, channel]
        + sky[1, channel] * x
        + sky[2, channel] * y
        + sky[3, channel] * z
        + sky[4, channel] * x * y
        + sky[5, channel] * y * z
        + sky[6, channel] * (3 * z * z - 1)
        + sky[7, channel] * x * z
        + sky[8, channel] * (x * x - y * y)
    )
    return float(max(value, 0.03))


@njit(cache=True, fastmath=True)
def lit_at(light: Light, x: float, y: float, z: float) -> float:
    """1 where the key lamp reaches a point in camera space, down to 1 - shadow_strength; 3x3 or 5x5 taps."""
    focal = SHADOW_SIZE * LAMP_DISTANCE / SHADOW_SPAN
    turn, offset = light.shadow_turn, light.shadow_offset
    a = turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z + offset[0]
    b = turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z + offset[1]
    c = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z + offset[2]
    column = int(focal * a / c + SHADOW_SIZE / 2)
    row = int(focal * b / c + SHADOW_SIZE / 2)
    step = light.shadow_blur
    reach = 1 if step == 1 else 2
    edge = reach * step
    if row < edge or column < edge or row >= SHADOW_SIZE - edge or column >= SHADOW_SIZE - edge:
        return 1.0
    # Wide taps on a surface that leans away would hit that surface itself.
    slack = 0.0035 + 0.0007 * (edge - 1)
    hit = 0
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            if light.shadow[row + i * step, column + j * step] < c - slack:
                hit += 1
    return 1.0 - light.shadow_strength * hit / (2 * reach + 1) ** 2


@njit(cache=True, fastmath=True)
def lit_all(light: Light, places: Float32s) -> Float32s:
    """`lit_at` for places (N, 3) -> (N,)."""
    out = np.empty(places.shape[0], np.float32)
    for i in range(places.shape[0]):
        out[i] = lit_at(light, places[i, 0], places[i, 1], places[i, 2])
    return out
