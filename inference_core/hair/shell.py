"""How far the outside of the hair stands off the head in every direction: seen at the outline, continued elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import spsolve

from inference_core.hair.capsule import AZIMUTHS, FALLS, Capsule, cells
from inference_core.hair.matte import SIZE, Matte
from inference_core.hair.seat import Seat
from inference_core.head import Camera
from inference_core.head.model import Float32s, Floats, Mask

REACH = 0.14
"""m: hair is looked for so far from the skin."""
DEEP = 0.012
"""m: and so far within it, for a fitted skull may be larger than the person's."""
STEP = 0.002
GAP = 4
"""Steps without hair or head after which what follows belongs to something else."""
RIM = 0.35
"""Sine of the angle from the outline up to which a direction is read off it."""
STIFF, SHY = 0.6, 0.01
"""How strongly neighbours agree, and how strongly a direction keeps to the mean at its height."""


@dataclass(frozen=True, eq=False)
class Shell:
    """`depth` (FALLS, AZIMUTHS) m over the skin; `weight` 0..1: how far each was seen."""

    depth: Floats
    weight: Floats


def sampled(values: Float32s | Mask, pixels: Floats) -> Floats:
    """`values` (SIZE, SIZE) at pixels (..., 2) of the square, linearly; 0 beyond it."""
    u, v = np.moveaxis(pixels - 0.5, -1, 0)
    return np.asarray(map_coordinates(values.astype(np.float32), [v, u], order=1, mode="constant"), dtype=np.float64)


def seen_shell(seat: Seat, capsule: Capsule, skull: Floats, matte: Matte) -> Shell:
    """From the outline of the hair; `skull` (FALLS, AZIMUTHS): how far out the skin is, m."""
    camera = matte.frame.camera_in_crop(seat.camera)
    azimuth, fall = cells()
    surface = capsule.places(azimuth, fall, skull)
    eye = -camera.matrix.T @ camera.translation
    outward = surface - capsule.feet(surface)
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    sight = surface - eye
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    askance = np.abs((outward * sight).sum(axis=-1))
    rim = askance < RIM
    depth, seen = np.zeros_like(skull), np.zeros_like(skull)
    found, sure = _march(matte, camera, capsule, azimuth[rim], fall[rim], skull[rim])
    depth[rim] = found
    seen[rim] = sure * (1 - (askance[rim] / RIM) ** 2)
    return Shell(_continued(depth, seen, fall), seen)


def _march(
    matte: Matte, camera: Camera, capsule: Capsule, azimuth: Floats, fall: Floats, skull: Floats
) -> tuple[Floats, Floats]:
    """(N,) how far hair reaches outwards, m, and whether (1.0, 0.0) the photo says so."""
    over = np.arange(-DEEP, REACH, STEP)
    radius = skull[:, None] + over
    shape = radius.shape
    points = capsule.places(np.broadcast_to(azimuth[:, None], shape), np.broadcast_to(fall[:, None], shape), radius)
    pixels = camera.project(points)
    hair, skin = sampled(matte.hair, pixels) > 0.5, sampled(matte.skin, pixels) > 0.5
    known = (sampled(matte.known, pixels) > 0.5) & (pixels > 0).all(axis=-1) & (pixels < SIZE).all(axis=-1)
    begun = np.cumsum(hair, axis=1) > 0  # long hair may lie beyond a collar
    foreign = np.cumsum(~hair & ~skin & begun, axis=1)
    held = hair & (foreign <= GAP)
    last = np.where(held.any(axis=1), len(over) - 1 - held[:, ::-1].argmax(axis=1), -1)
    reach = np.where(last >= 0, over[np.maximum(last, 0)] + STEP / 2, 0.0)
    beyond = np.minimum(np.maximum(last, int(DEEP / STEP)) + 2, len(over) - 1)
    sure = known[np.arange(len(known)), beyond]
    return np.maximum(reach, 0.0), sure.astype(np.float64)


def _continued(depth: Floats, seen: Floats, fall: Floats) -> Floats:
    """The membrane through what was seen (weighted least squares), drawn towards each height's mean."""
    total = seen.sum(axis=1)
    overall = float((seen * depth)[fall[:, 0] < np.pi / 2].sum() / max(seen[fall[:, 0] < np.pi / 2].sum(), 1e-9))
    mean = ((seen * depth).sum(axis=1) + 0.3 * overall * (fall[:, 0] < np.pi / 2)) / (total + 0.3)
    index = np.arange(FALLS * AZIMUTHS).reshape(FALLS, AZIMUTHS)
    across = 1 / np.clip(np.sin(np.minimum(fall, np.pi / 2)), 0.15, 1) ** 2
    pairs = [(index, np.roll(index, -1, axis=1), across), (index[:-1], index[1:], np.ones_like(fall[1:]))]
    one, other = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    stiff = STIFF * np.concatenate([pair[2].ravel() for pair in pairs])
    count = index.size
    links = csr_array((stiff, (one, other)), shape=(count, count))
    links = links + links.T
    pull = seen.ravel() + SHY
    matrix = diags_array(pull + np.asarray(links.sum(axis=1))) - links
    right = (seen * depth + SHY * mean[:, None]).ravel()
    return np.maximum(np.asarray(spsolve(matrix.tocsc(), right)).reshape(FALLS, AZIMUTHS), 0.0)
