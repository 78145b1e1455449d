"""What people wear and hold: torso, hats and hoods, glasses, lashes, hands, microphones and things in the way."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import project
from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.backdrop import draw_texture
from inference_core.training.extractor.subject import SIZE, Subject

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]
Indices = NDArray[np.int32]
Mask = NDArray[np.bool_]

FULL = (255.0,)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A mesh of cloth in camera space: points (V, 3), triangles (T, 3) of both windings, and its pattern's place."""

    points: Floats
    triangles: Indices
    place: Floats  # (V, 3)


def _grid_triangles(rows: int, columns: int) -> Indices:
    """A grid's triangles, both windings, so that neither side is culled."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    p = (i * columns + j).ravel()
    one = np.concatenate([np.stack([p, p + columns, p + 1], 1), np.stack([p + 1, p + columns, p + columns + 1], 1)])
    return np.asarray(np.concatenate([one, one[:, ::-1]]), np.int32)


def draw_torso(anatomy: Anatomy, subject: Subject, rng: np.random.Generator) -> Sheet:
    """Shoulders and a collar of some height, below the neck."""
    bottom, radius = anatomy.neck_centre[1], anatomy.neck_radius
    collar = rng.uniform(-0.01, 0.02) if rng.random() < 0.75 else rng.uniform(0.02, 0.06)
    wide = rng.uniform(0.85, 1.25)
    rings = np.array(
        [  # height above the neck's end, half width, half depth
            (collar + 0.01, radius * rng.uniform(1.03, 1.3), radius * rng.uniform(1.05, 1.25)),
            (collar - 0.015, radius * 1.35, radius * 1.3),
            (-0.045, 0.135 * wide, 0.085),
            (-0.085, 0.19 * wide, 0.11),
            (-0.20, 0.225 * wide, 0.125),
            (-0.45, 0.235 * wide, 0.14),
        ]
    )
    angle = np.linspace(0, 2 * np.pi, 33)
    points = np.empty((len(rings), len(angle), 3))
    points[..., 0] = anatomy.neck_centre[0] + rings[:, 1:2] * np.sin(angle)
    points[..., 1] = bottom + rings[:, :1]
    points[..., 2] = anatomy.neck_centre[2] + rings[:, 2:] * np.cos(angle)
    flat = points.reshape(-1, 3)
    camera = flat @ subject.rotation.T + subject.translation
    return Sheet(camera, _grid_triangles(len(rings), len(angle)), flat)


def draw_brim(anatomy: Anatomy, subject: Subject, height: float, rng: np.random.Generator) -> Sheet:
    """The peak of a cap or the brim of a hat, at a height above the eyes (m, head space of the unturned head)."""
    half = np.pi if rng.random() < 0.3 else rng.uniform(0.7, 1.2)
    reach = rng.uniform(0.03, 0.09)
    angle = np.linspace(-half, half, 25)
    skull = anatomy.head.template
    band = skull[np.abs(skull[:, 1] - height) < 0.02]
    wide = float(np.abs(band[:, 0]).max()) if len(band) else anatomy.ear_width
    front = float(band[:, 2].max() - anatomy.ear_depth) if len(band) else 0.1
    rings = np.array([(0.0, 0.0), (0.5 * reach, -0.004), (reach, -rng.uniform(0.0, 0.03))])
    points = np.empty((3, len(angle), 3))
    taper = np.cos(angle / half * np.pi / 2) ** 0.5 if half < 3 else np.ones_like(angle)
    points[..., 0] = (wide + 0.004 + rings[:, :1] * taper) * np.sin(angle)
    points[..., 1] = height + rings[:, 1:]
    points[..., 2] = anatomy.ear_depth + (front + 0.006 + rings[:, :1] * taper) * np.cos(angle)
    flat = points.reshape(-1, 3)
    return Sheet(_with_skull(anatomy, subject, flat), _grid_triangles(3, len(angle)), flat)


def _with_skull(anatomy: Anatomy, subject: Subject, points: Floats) -> Floats:
    """Template points carried along with this person's skull, by the best similarity over the scalp."""
    scalp = anatomy.head.region("scalp")
    rest, posed = anatomy.head.template[scalp].astype(np.float64), subject.points[scalp]
    a, b = rest - rest.mean(0), posed - posed.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    rotation = vt.T @ u.T
    scale = s.sum() / (a**2).sum()
    return np.asarray((points - rest.mean(0)) @ rotation.T * scale + posed.mean(0))


def _pixels(subject: Subject, points: Floats) -> NDArray[np.float32]:
    return np.asarray(project(points, subject.intrinsics), np.float32)


def _visible(pixels: NDArray[np.float32], distance: Floats, depth: Float32s, slack: float) -> Mask:
    """Which points are not behind what has been drawn."""
    column = np.clip(pixels[:, 0].astype(int), 0, SIZE - 1)
    row = np.clip(pixels[:, 1].astype(int), 0, SIZE - 1)
    return np.asarray(distance < depth[row, column] + slack)


def _stroke(
    mask: NDArray[np.uint8], subject: Subject, points: Floats, depth: Float32s, width: float, slack: float
) -> None:
    """Draw a line through camera-space points (N, 3), `width` m thick, where it is in front."""
    pixels = _pixels(subject, points)
    seen = _visible(pixels, points[:, 2], depth, slack)
    segments = np.stack([pixels[:-1], pixels[1:]], 1)[seen[:-1] & seen[1:]]
    if len(segments) == 0 or np.abs(segments).max() > 4000:
        return
    thick = max(1, round(width * subject.intrinsics[0] / float(points[:, 2].mean())))
    cv2.polylines(mask, list((segments * 16).astype(np.int32)), False, FULL, thick, cv2.LINE_AA, 4)


def draw_lashes(subject: Subject, depth: Float32s, rgb: Float32s, rng: np.random.Generator) -> None:
    """Dark lines on the upper lids' rims, thinner ones on the lower."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for corner in (36, 42):
        upper = _dense(subject.marks[corner : corner + 4], 12)
        _stroke(mask, subject, upper, depth, rng.uniform(0.0008, 0.0038), 0.004)
    strength = rng.uniform(0.2, 0.95)
    rgb *= 1 - np.float32(strength / 255) * mask[..., None].astype(np.float32)


def _dense(points: Floats, count: int) -> Floats:
    at = np.linspace(0, len(points) - 1, count)
    return np.stack([np.interp(at, np.arange(len(points)), points[:, c]) for c in range(3)], 1)


def draw_glasses(
    anatomy: Anatomy,
    subject: Subject,
    depth: Float32s,
    rgb: Float32s,
    labels: NDArray[np.uint8],
    label: int,
    rng: np.random.Generator,
) -> None:
    """Rims, bridge and temples as strokes in 3D; lenses clear, tinted or black, with a reflection."""
    right_eye, left_eye = subject.marks[36:42].mean(0), subject.marks[42:48].mean(0)
    across = left_eye - right_eye
    spacing = float(np.linalg.norm(across))
    across /= spacing
    up = subject.marks[27] - subject.marks[33]
    up -= (up @ across) * across
    up /= np.linalg.norm(up)
    out = np.cross(across, up)
    half = np.array([rng.uniform(0.36, 0.46), rng.uniform(0.24, 0.42)]) * spacing
    power = rng.uniform(2, 5)
    angle = np.linspace(0, 2 * np.pi, 65)
    ring = np.stack([np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(angle), np.sin(angle))], 1) * half
    forward = rng.uniform(0.010, 0.020)
    rim, lens = np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    width = rng.uniform(0.0, 0.006) if rng.random() < 0.85 else 0.0
    down = rng.uniform(-0.002, 0.006)
    ears = subject.points[anatomy.head.region("ears")]
    for side, centre in ((-1, right_eye), (1, left_eye)):
        middle = centre + forward * out + side * 0.03 * spacing * across - down * up
        curve = middle + ring[:, :1] * across + ring[:, 1:] * up - np.abs(side * ring[:, :1] + half[0]) * 0.12 * out
        glass = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillPoly(glass, [(_pixels(subject, curve) * 16).astype(np.int32)], FULL, cv2.LINE_AA, 4)
        glass[depth < middle[2] - 0.022] = 0
        lens = np.maximum(lens, glass)
        if width > 0:
            _stroke(rim, subject, curve, depth, width, 0.003)
        hinge = middle + side * half[0] * 1.02 * across + 0.5 * half[1] * up - 0.24 * half[0] * out
        own = ears[(ears - subject.marks[27]) @ across * side > 0]
        ear = own[np.argmax(own @ up)] + 0.002 * side * across
        temple = np.linspace(0, 1, 25)[:, None]
        _stroke(
            rim,
            subject,
            hinge + temple * (ear - hinge) + side * 0.006 * np.sin(np.pi * temple) * across,
            depth,
            max(width, 0.002),
            0.002,
        )
    bridge = np.linspace(-1, 1, 9)[:, None]
    middle = (right_eye + left_eye) / 2 + (forward + 0.004) * out + 0.25 * half[1] * up
    gap = spacing / 2 - half[0]
    _stroke(rim, subject, middle + bridge * max(gap, 0.004) * across, depth, max(width, 0.0015), 0.01)

    dark = rng.random() < 0.25
    amount = rng.uniform(0.8, 0.99) if dark else rng.uniform(0.0, 0.25)
    tint = rng.uniform(0.0, 0.08, 3) if dark else rng.uniform(0.0, 0.5, 3)
    alpha = (lens.astype(np.float32) / 255)[..., None]
    rgb += alpha * np.float32(amount) * (tint.astype(np.float32) - rgb)
    if rng.random() < 0.6:  # something bright mirrors in the lenses
        glare = cv2.resize(rng.uniform(0, 1, (3, 3)).astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        glare = np.clip((glare - rng.uniform(0.4, 0.8)) * 3, 0, 1) * np.float32(rng.uniform(0.05, 0.8))
        rgb += alpha * glare[..., None]
        if not dark:
            labels[(lens > 127) & (glare > 0.45)] = label
    if dark:
        labels[lens > 127] = label
    frame = (rim.astype(np.float32) / 255)[..., None]
    colour = rng.uniform(0.0, 0.1, 3) if rng.random() < 0.6 else rng.uniform(0.0, 0.8, 3)
    rgb += frame * (colour.astype(np.float32) * np.float32(rng.uniform(0.5, 1.5)) - rgb)
    labels[rim > 127] = label


def draw_obstacle(
    subject: Subject, rgb: Float32s, labels: NDArray[np.uint8], skin: Floats, label: int, rng: np.random.Generator
) -> None:
    """A hand, a microphone, a cup, a phone or any shape in front of the face, with a round shading of its own."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    face = _pixels(subject, subject.marks)
    centre, extent = face.mean(0), float(np.ptp(face, axis=0).max())
    place = centre + rng.normal(0, 0.45, 2) * extent
    kind = rng.random()
    colour = rng.uniform(0.01, 0.8, 3)
    texture = 0.0
    if kind < 0.4:  # a hand: fingers side by side, and a palm
        colour = skin * rng.uniform(0.7, 1.2)
        towards = rng.uniform(0, 2 * np.pi)
        along = np.array([np.cos(towards), np.sin(towards)])
        beside = np.array([-along[1], along[0]])
        wide = extent * rng.uniform(0.07, 0.11)
        for finger in range(int(rng.integers(1, 5))):
            start = place + beside * wide * 1.05 * finger + along * rng.normal(0, 0.05) * extent
            joint = start - along * extent * rng.uniform(0.2, 0.35) + beside * rng.normal(0, 0.03) * extent
            end = joint - along * extent * 0.5
            points = (np.stack([start, joint, end]) * 16).astype(np.int32)
            cv2.polylines(mask, [points], False, FULL, max(2, int(wide)), cv2.LINE_AA, 4)
        palm = place - along * extent * 0.65 + beside * wide * 1.5
        cv2.circle(mask, palm.astype(int).tolist(), int(wide * 2.6), FULL, -1, cv2.LINE_AA)
        light = 0.55
    elif kind < 0.55:  # a microphone
        radius = int(extent * rng.uniform(0.06, 0.14))
        end = place + np.array([rng.normal(0, 0.5), 1.0]) * extent
        cv2.line(
            mask, place.astype(int).tolist(), end.astype(int).tolist(), FULL, max(2, int(radius * 0.8)), cv2.LINE_AA
        )
        cv2.circle(mask, place.astype(int).tolist(), radius, FULL, -1, cv2.LINE_AA)
        colour = np.full(3, rng.uniform(0.01, 0.15))
        light = 0.7
    elif kind < 0.75:  # something with straight edges
        box = (place.tolist(), (extent * rng.uniform(0.1, 0.7, 2)).tolist(), float(rng.uniform(0, 180)))
        cv2.fillPoly(mask, [cv2.boxPoints(box).astype(np.int32)], FULL, cv2.LINE_AA)
        texture, light = rng.uniform(0, 1), 0.1
    else:  # anything round
        angle = np.linspace(0, 2 * np.pi, 49)
        radius = 1 + sum(rng.normal(0, 0.3 / n) * np.cos(n * angle + rng.uniform(0, 6)) for n in range(1, 6))
        curve = place + extent * rng.uniform(0.06, 0.35) * (radius * np.stack([np.cos(angle), np.sin(angle)])).T
        cv2.fillPoly(mask, [(curve * 16).astype(np.int32)], FULL, cv2.LINE_AA, 4)
        texture, light = rng.uniform(0, 1), 0.5
    alpha = (mask.astype(np.float32) / 255)[..., None]
    inner = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    edge = np.clip(inner / (0.04 * extent + 1), 0, 1)
    slope = cv2.Sobel(
        cv2.GaussianBlur(edge, (0, 0), 2), cv2.CV_32F, *((1, 0) if rng.random() < 0.5 else (0, 1)), ksize=3
    )
    shade = (1 - light * (1 - edge)) * (1 + rng.uniform(-0.4, 0.4) * slope)
    surface = np.broadcast_to(colour.astype(np.float32), rgb.shape)
    if texture > 0.4:
        surface = surface * 0.3 + draw_texture(SIZE, rng) * 0.9
    level = float(rgb[labels == 1].mean()) if (labels == 1).any() else 0.3
    gain = level / max(float(skin.mean()), 0.02) if kind < 0.4 else 1.0
    rgb += alpha * (surface * np.clip(shade, 0.1, 1.6)[..., None] * np.float32(min(gain, 4.0)) - rgb)
    labels[mask > 127] = label
