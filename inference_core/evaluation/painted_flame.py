"""Pictures of FLAME Open's people with CC0 looks: skin, eyes, brows, hair, a shirt, lamps and their shadows.

Nothing of the painter that the networks are trained with is used, so a picture looks like none they have seen. Light is
linear; the result is sRGB with a camera's noise and a JPEG's blocks.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.cc0_looks import IRIS_PLACE, IRIS_RADIUS, Look, Picture, Wardrobe, muted, triangle_uv
from inference_core.evaluation.flame_open import FlameOpen
from inference_core.evaluation.views import View
from inference_core.flame.registration import SKIN, Registration
from inference_core.head import Head, vertex_normals
from inference_core.head.raster import Raster
from inference_core.training.geometry import Floats, Indices
from inference_core.training.raster import interpolate, rasterise

Float32s = NDArray[np.float32]
LOOK_STREAM = 0x100C
OVERSAMPLE = 2
IRIS = 0.00585  # m, its radius: it is 11.7 mm wide, as MediaPipe's iris model and the Open Head have it
SEAM = 0.08  # texture coordinates: a triangle wider than this lies across a seam
CREEP = np.array([0.30, 0.15, 0.08], np.float32)  # how far light creeps past the terminator, per channel
SHADOW_SIZE, SHADOW_BIAS = 384, 0.004  # px; m
_ROUNDS = 6  # of smoothing the scalp's border


@dataclass(frozen=True, eq=False)
class _Light:
    key: Floats  # (3,) unit, camera axes, towards the lamp
    key_colour: Floats
    fill: Floats
    fill_colour: Floats
    sky: Floats  # colour from above
    ground: Floats


def _draw_light(rng: np.random.Generator) -> _Light:
    def towards(yaw: float, pitch: float) -> Floats:
        a, b = np.radians([yaw, pitch])
        return np.array([np.sin(a) * np.cos(b), -np.sin(b), -np.cos(a) * np.cos(b)])

    side = rng.choice([-1, 1])
    warm = rng.uniform(-0.08, 0.08)
    tint = np.array([1 + warm, 1, 1 - warm])
    return _Light(
        towards(side * rng.uniform(5, 65), rng.uniform(5, 55)),
        rng.uniform(0.45, 1.0) * tint,
        towards(-side * rng.uniform(20, 80), rng.uniform(-10, 40)),
        rng.uniform(0.05, 0.35) * tint[::-1],
        rng.uniform(0.15, 0.4) * tint[::-1],
        rng.uniform(0.05, 0.15) * tint,
    )


class FlamePainter:
    """Draws people of one registration. `wardrobe` says how they look."""

    def __init__(self, model: FlameOpen, head: Head, laid: Registration, wardrobe: Wardrobe) -> None:
        self._wardrobe = wardrobe
        self._template, count = model.template, len(model.template)
        uv = triangle_uv(head)
        at = np.einsum("vk,vkc->vc", laid.barycentric, uv[laid.triangles])
        self._corner_uv = at[model.triangles]
        across = np.ptp(self._corner_uv, axis=1).max(axis=1) > SEAM
        self._corner_uv[across] = self._corner_uv[across][:, :1]
        corners = head.triangles[laid.triangles]
        scalp = (head.region("scalp")[corners] * laid.barycentric).sum(axis=1)
        self._scalp = _smoothed(scalp * (np.arange(count) < SKIN), model.triangles)
        self._shell = np.ascontiguousarray(model.triangles[(self._scalp[model.triangles] > 0.02).all(axis=1)])
        self._neck = _lowest_loop(model.template, model.triangles)
        self._triangles = _with_shirt(model.triangles, self._neck, count)
        self._skin_triangles = len(model.triangles)
        balls = (slice(SKIN, SKIN + (count - SKIN) // 2), slice(SKIN + (count - SKIN) // 2, count))
        self._eyes = [(model.template[b].min(axis=0) + model.template[b].max(axis=0)) / 2 for b in balls]
        self._radius = float(np.linalg.norm(model.template[balls[0]] - self._eyes[0], axis=1).mean())

    def plain(self, seed: int) -> _Plain:
        """How one look's colours lie on the mesh, as `find_face_points` takes it."""
        return _Plain(self, self._wardrobe.draw(np.random.default_rng((LOOK_STREAM, seed))))

    def picture(self, view: View, size: int) -> Picture:
        """(size, size, 3) RGB of a view. The view's name says whose look and light."""
        rng = np.random.default_rng((LOOK_STREAM, zlib.crc32(view.name.encode())))
        look, light = self._wardrobe.draw(rng), _draw_light(rng)
        large = size * OVERSAMPLE
        points = view.camera.to_camera(view.target.vertices)
        intrinsics = view.camera.intrinsics * OVERSAMPLE
        body = np.concatenate([points, *_shirt(points, self._neck, -view.camera.matrix[:, 1])])
        raster = rasterise(body, self._triangles, intrinsics, (large, large))
        normals = _unit(interpolate(raster, self._triangles, vertex_normals(body, self._triangles)))
        albedo = self.albedo(raster, look)
        gloss = np.where(self._eye_pixels(raster), 0.5, 0.06)
        shadow = _shadow(body, self._triangles, light.key, raster.depth, intrinsics)
        linear = _lit(albedo, normals, gloss, light, shadow)
        depth = np.where(raster.triangle >= 0, raster.depth, np.inf)
        if look.hair_thickness > 0:
            self._hair(linear, depth, points, intrinsics, look, light, rng)
        linear = np.where(np.isfinite(depth)[..., None], linear, _backdrop(large, rng))
        small = cv2.resize(linear.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        return _exposed(np.asarray(small, np.float32), rng)

    def albedo(self, raster: Raster, look: Look) -> Float32s:
        """(H, W, 3) linear."""
        face = (raster.triangle >= 0) & (raster.triangle < self._skin_triangles)
        owner = np.where(face, raster.triangle, 0)
        uv = (self._corner_uv[owner] * raster.barycentric[..., None]).sum(axis=2).astype(np.float32)
        skin = _sampled(look.skin, uv)
        eye = _sampled(look.eye, self._eye_uv(raster, owner))
        colour = np.where(self._eye_pixels(raster)[..., None], eye, skin)
        return np.asarray(np.where(face[..., None], colour, look.cloth) ** 2.2, np.float32)

    def _eye_pixels(self, raster: Raster) -> NDArray[np.bool_]:
        first = self._triangles[np.maximum(raster.triangle, 0), 0]
        seen = (raster.triangle >= 0) & (raster.triangle < self._skin_triangles)
        return np.asarray(seen & (first >= SKIN) & (first < len(self._template)))

    def _eye_uv(self, raster: Raster, owner: NDArray[np.int32]) -> Float32s:
        """Where in the eye's texture: its iris is a disc about the optical axis."""
        corners = self._template[self._triangles[owner]]
        place = (corners * raster.barycentric[..., None]).sum(axis=2)
        away = place - np.where(place[..., :1] > 0, self._eyes[0], self._eyes[1])
        angle = np.arctan2(np.linalg.norm(away[..., :2], axis=2), away[..., 2])
        about = np.arctan2(-away[..., 1], away[..., 0])
        reach = np.minimum(angle / np.arcsin(IRIS / self._radius), 2.3) * IRIS_RADIUS
        across, down = IRIS_PLACE[0] + reach * np.cos(about), IRIS_PLACE[1] + reach * np.sin(about)
        return np.asarray(np.stack([across, down], axis=2), np.float32)

    def _hair(
        self,
        linear: Float32s,
        depth: Float32s,
        points: Floats,
        intrinsics: Floats,
        look: Look,
        light: _Light,
        rng: np.random.Generator,
    ) -> None:
        """A shell over the scalp, thick in the middle, ragged at its border, streaked from the crown down."""
        outward = vertex_normals(points, self._shell)
        grown = points + outward * look.hair_thickness * np.clip(2 * (self._scalp - 0.1), 0, 1)[:, None]
        raster = rasterise(grown, self._shell, intrinsics, (depth.shape[1], depth.shape[0]))
        fields = np.concatenate([vertex_normals(grown, self._shell), self._scalp[:, None], self._template], axis=1)
        values = interpolate(raster, self._shell, fields)
        place = values[..., 4:] - self._template.mean(axis=0)
        around = np.arctan2(place[..., 0], place[..., 2] + 0.3 * np.abs(place[..., 1]))
        noise = rng.normal(size=(1, 900)).astype(np.float32)
        turn = ((around + np.pi) / (2 * np.pi) * 899).astype(np.float32)
        fine = cv2.remap(noise, turn, np.zeros_like(turn), cv2.INTER_LINEAR)
        rough = cv2.GaussianBlur(rng.normal(size=depth.shape).astype(np.float32), (0, 0), 2.0) * 3.5
        covered = (
            (raster.triangle >= 0) & (values[..., 3] > look.hairline + 0.08 * rough) & (raster.depth < depth + 0.002)
        )
        strand = np.clip(1 + 0.28 * fine + 0.2 * rough, 0.3, 2.0)[..., None]
        lit = _lit(
            look.hair**2.2 * strand, _unit(values[..., :3]), np.full(depth.shape, 0.03), light, np.ones(depth.shape)
        )
        linear[covered] = lit[covered]
        depth[covered] = raster.depth[covered]


class _Plain:
    """`face_points.Paint` for one look."""

    def __init__(self, painter: FlamePainter, look: Look) -> None:
        self._painter, self._look = painter, look

    def __call__(self, raster: Raster) -> Float32s:
        return np.asarray(255 * self._painter.albedo(raster, self._look) ** (1 / 2.2), np.float32)


def _sampled(texture: Picture, uv: Float32s) -> Float32s:
    """(H, W, 3) 0..1 of a texture at coordinates (H, W, 2), v down."""
    scale = np.array([texture.shape[1], texture.shape[0]], np.float32)
    at = uv * scale - np.float32(0.5)
    found = cv2.remap(texture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32) / 255


def _unit(vectors: Float32s) -> Float32s:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6), np.float32)


def _lit(albedo: Float32s, normals: Float32s, gloss: Floats, light: _Light, shadow: Floats) -> Float32s:
    """Lambert's law with skin's soft terminator, a sky, and Blinn's highlight. (H, W, 3) linear; camera axes."""
    above = (0.5 - 0.5 * normals[..., 1:2]).astype(np.float32)
    total = albedo * (light.ground + (light.sky - light.ground) * above)
    for towards, colour, seen in (
        (light.key, light.key_colour, shadow),
        (light.fill, light.fill_colour, np.ones_like(shadow)),
    ):
        cosine = (normals @ towards.astype(np.float32))[..., None]
        diffuse = np.clip((cosine + CREEP) / (1 + CREEP), 0, None)
        half = towards - np.array([0.0, 0.0, 1.0])
        spread = np.clip(normals @ (half / np.linalg.norm(half)).astype(np.float32), 0, 1)[..., None]
        total = total + seen[..., None] * colour * (albedo * diffuse + gloss[..., None] * spread**24 * (cosine > 0))
    return np.asarray(total, np.float32)


def _shadow(points: Floats, triangles: Indices, towards: Floats, depth: Float32s, intrinsics: Floats) -> Floats:
    """(H, W) 0..1: how much of the key lamp each pixel sees, by a shadow map with a soft border."""
    side = np.cross(towards, (0.2, 0.9, 0.1))
    side /= np.linalg.norm(side)
    turn = np.stack([side, np.cross(-towards, side), -towards])
    middle, away = points.mean(axis=0), 3.0
    focal = SHADOW_SIZE * away / 0.6
    lamp = np.array([focal, focal, SHADOW_SIZE / 2, SHADOW_SIZE / 2])
    seen_depth = rasterise((points - middle) @ turn.T + (0, 0, away), triangles, lamp, (SHADOW_SIZE, SHADOW_SIZE)).depth
    height, width = depth.shape
    row, column = np.mgrid[:height, :width]
    z = np.where(np.isfinite(depth), depth, 0.0)
    fx, fy, cx, cy = intrinsics
    place = np.stack([(column + 0.5 - cx) / fx * z, (row + 0.5 - cy) / fy * z, z], axis=2)
    local = (place - middle) @ turn.T + (0, 0, away)
    u = (focal * local[..., 0] / local[..., 2] + SHADOW_SIZE / 2).astype(np.float32) - 0.5
    v = (focal * local[..., 1] / local[..., 2] + SHADOW_SIZE / 2).astype(np.float32) - 0.5
    finite = np.where(np.isfinite(seen_depth), seen_depth, 1e3).astype(np.float32)
    nearest = cv2.remap(finite, u, v, cv2.INTER_NEAREST, borderValue=(1e3,))
    lit = (local[..., 2] < nearest + SHADOW_BIAS).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), width / 260), np.float64)


def _smoothed(field: Floats, triangles: Indices) -> Floats:
    """(V,) each vertex the mean of its triangles' corners, `_ROUNDS` times."""
    members = np.bincount(triangles.ravel(), minlength=len(field))
    for _ in range(_ROUNDS):
        mean = field[triangles].mean(axis=1)
        field = np.bincount(triangles.ravel(), np.repeat(mean, 3), minlength=len(field)) / np.maximum(members, 1)
    return field


def _lowest_loop(template: Floats, triangles: Indices) -> NDArray[np.int64]:
    """The closed border of the neck, in order, by its lowest vertex."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    keys = np.sort(edges, axis=1)
    _, first, count = np.unique(keys, axis=0, return_index=True, return_counts=True)
    border = edges[first[count == 1]]
    following = dict(border.tolist())
    start = int(border[template[border[:, 0], 1].argmin(), 0])
    loop = [start]
    while (after := following[loop[-1]]) != start:
        loop.append(after)
    return np.array(loop)


def _with_shirt(triangles: Indices, loop: NDArray[np.int64], count: int) -> Indices:
    """The mesh and two more rings below its neck."""
    rings = [loop, count + np.arange(len(loop)), count + len(loop) + np.arange(len(loop))]
    made = [triangles]
    for upper, lower in pairwise(rings):
        made += [
            np.stack([np.roll(upper, -1), upper, lower], 1),
            np.stack([np.roll(upper, -1), lower, np.roll(lower, -1)], 1),
        ]
    return np.ascontiguousarray(np.concatenate(made), np.int32)


def _shirt(points: Floats, loop: NDArray[np.int64], down: Floats) -> tuple[Floats, Floats]:
    """Collar and shoulders: the neck's border pushed out and down. `down` (3,) unit, camera axes; m."""
    border = points[loop]
    out = border - border.mean(axis=0)
    return border + 0.25 * out + 0.02 * down, border + 1.3 * out + 0.2 * down


def _backdrop(size: int, rng: np.random.Generator) -> Float32s:
    """(size, size, 3) linear: two colours that run into each other, a few soft shapes."""
    one, other = muted(rng) * rng.uniform(0.3, 1.0), muted(rng)
    blur = cv2.resize(rng.random((6, 6)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(one + (other - one) * np.clip(blur, 0, 1)[..., None], np.float32)


def _exposed(linear: Float32s, rng: np.random.Generator) -> Picture:
    """A camera's picture: exposure by the bright parts, gamma, noise, JPEG."""
    level = rng.uniform(0.65, 0.95) / max(float(np.percentile(linear.max(axis=2), 97)), 1e-3)
    value = np.clip(linear * level, 0, 1) ** (1 / 2.2) + rng.normal(0, rng.uniform(0.003, 0.015), linear.shape)
    encoded = cv2.imencode(
        ".jpg", (255 * np.clip(value[..., ::-1], 0, 1)).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 88]
    )[1]
    return np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])
