"""The fit's energy at one place: residuals, and their Jacobian in the order of `ParameterLayout`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.fit.model import FitModel
from inference_core.fit.observation import Observation, sample_bilinear
from inference_core.fit.settings import FitSettings
from inference_core.head import Camera, HeadParameters, project
from inference_core.head.jacobian import Columns
from inference_core.head.model import Floats
from inference_core.head.rotations import cross_matrix, matrix_from_vector, vector_from_matrix
from inference_core.n2fnet.placement import REFERENCE_POINT
from inference_core.perception.sight import to_camera, to_sight

Float32s = NDArray[np.float32]

# Camera axes (OpenCV's) to the axes of normal maps (OpenGL's).
TO_NORMAL_FRAME = np.diag([1.0, -1.0, -1.0])
GRAZING = 0.15  # cosine to the viewing ray under which a normal or a landmark is too near the silhouette to compare


@dataclass(frozen=True)
class ParameterLayout:
    """Order of the unknowns: the head's columns, then turn (3, rad, in camera axes), shift (3, m), log focal length.

    A longer focal length moves the camera back by as much ("dolly zoom"): the face stays as large as it is seen, and
    only its perspective changes. So the focal length is told apart from the distance, which the picture shows well.
    """

    head: Columns
    turn: slice
    shift: slice
    focal: int
    count: int

    @classmethod
    def of(cls, columns: Columns) -> ParameterLayout:
        """Head columns first."""
        start = columns.count
        return cls(columns, slice(start, start + 3), slice(start + 3, start + 6), start + 6, start + 7)


@dataclass(frozen=True, eq=False)
class State:
    """Where the fit stands."""

    parameters: HeadParameters
    camera: Camera
    log_focal: float = 0.0  # of the camera's focal length over the observation's

    @property
    def depth(self) -> float:
        """m from the camera to the middle of the face, along the optical axis."""
        return float(self.camera.to_camera(np.array(REFERENCE_POINT))[2])

    def moved(self, step: Floats, unknowns: ParameterLayout) -> State:
        """The state after a step (count,)."""
        columns = unknowns.head
        parameters = columns.unpack(columns.pack(self.parameters) + step[: columns.count], self.parameters)
        rotation = vector_from_matrix(matrix_from_vector(step[unknowns.turn]) @ self.camera.matrix)
        zoom = float(step[unknowns.focal])
        intrinsics = self.camera.intrinsics.copy()
        intrinsics[:2] *= np.exp(zoom)
        translation = self.camera.translation + step[unknowns.shift]
        translation[2] += self.depth * np.expm1(zoom)
        return State(parameters, Camera(rotation, translation, intrinsics), self.log_focal + zoom)


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """The energy near a state: value, gradient (count,) and Gauss-Newton Hessian (count, count), without the prior."""

    value: float
    gradient: Floats
    hessian: Floats
    point_error: float  # px, root mean square of the believed landmarks
    normal_error: float  # rad, mean angle; nan without normals

    def times(self, factor: float) -> NormalEquations:
        """An energy that counts `factor` times."""
        if factor == 1.0:
            return self
        return replace(self, value=factor * self.value, gradient=factor * self.gradient, hessian=factor * self.hessian)


@dataclass(frozen=True, eq=False)
class _Surface:
    """The patch at a state, head space, m."""

    positions: Floats  # (n, 3)
    linear: Float32s | None  # (3n, head columns) the positions' Jacobian; None where only the value is wanted
    normals: Floats  # (K, 3) of the sampled vertices
    lengths: Floats  # (K,) of their area vectors


def data_terms(
    model: FitModel,
    seen: Observation,
    state: State,
    unknowns: ParameterLayout,
    settings: FitSettings,
    derivatives: bool = True,
) -> NormalEquations:
    """Landmarks and normals around a state. Without `derivatives` (a third of the time) no gradient and no Hessian."""
    linear: Float32s | None = None
    if derivatives:
        positions, jacobian = model.patch.evaluate(state.parameters)
        linear = jacobian.reshape(-1, unknowns.head.count)
    else:
        positions = model.patch.positions(state.parameters)
    surface = _Surface(positions, linear, *model.normals(positions))
    rows, residual, weight, point_error = _points(model, seen, state, surface, unknowns, settings)
    weighted = rows[:, 0]
    if derivatives:
        weighted = (rows * weight.astype(np.float32)[:, None, None]).reshape(-1, unknowns.count)
    value, gradient, hessian = _accumulate(
        weighted, residual * weight[:, None], settings.point_outlier, settings.point_share
    )
    if settings.gap_sigma > 0:
        between = _gaps(model, rows, residual, seen.point_weight, settings)
        more = _accumulate(*between, settings.gap_outlier, settings.point_share)
        value, gradient, hessian = value + more[0], gradient + more[1], hessian + more[2]
    normal_error = float("nan")
    if seen.normals is not None:
        rows, residual, outlier, normal_error = _normals(model, seen, state, surface, unknowns, settings)
        more = _accumulate(rows, residual, outlier, settings.normal_share)
        value, gradient, hessian = value + more[0], gradient + more[1], hessian + more[2]
    return NormalEquations(value, gradient, hessian, point_error, normal_error)


def _accumulate(
    rows: Float32s, residual: Floats, outlier: float | Floats, share: float
) -> tuple[float, Floats, Floats]:
    """Geman-McClure by reweighting: residuals (n, c), widths `outlier`, both in sigmas, rows (n * c, count).

    Returns value, J'r, J'J.
    """
    squared = (residual**2).sum(axis=1) / outlier**2
    weight = share / (1 + squared) ** 2
    value = 0.5 * share * float((outlier**2 * squared / (1 + squared)).sum())
    if rows.size == 0:
        return value, np.zeros(0), np.zeros((0, 0))
    scale = np.sqrt(np.repeat(weight, residual.shape[1])).astype(np.float32)
    rows = rows * scale[:, None]
    flat = residual.ravel().astype(np.float32) * scale
    return value, (rows.T @ flat).astype(np.float64), (rows.T @ rows).astype(np.float64)


def _points(
    model: FitModel,
    seen: Observation,
    state: State,
    surface: _Surface,
    unknowns: ParameterLayout,
    settings: FitSettings,
) -> tuple[Float32s, Floats, Floats, float]:
    """Unweighted rows (M, 2, count) and residuals (M, 2) px, weights (M,) 1/px, error px."""
    camera = state.camera
    on_head = (surface.positions[model.corners] * model.corner_weights[..., None]).sum(axis=1)
    turned = on_head @ camera.matrix.T
    in_camera = turned + camera.translation
    fx, fy = camera.intrinsics[:2]
    x, y, z = in_camera.T
    spread = model.head.mediapipe_sigma * fx / z  # the correspondence's own uncertainty, px
    weight = seen.point_weight / np.sqrt(settings.point_sigma**2 + spread**2 + np.square(seen.point_sigma))
    residual = project(in_camera, camera.intrinsics) - seen.points
    error = float(np.sqrt(np.average((residual**2).sum(axis=1), weights=seen.point_weight + 1e-9)))

    if surface.linear is None:
        return np.zeros((0, 2, 0), np.float32), residual, weight, error
    rows = np.zeros((len(on_head), 2, unknowns.count), dtype=np.float32)
    by_camera = _pixel_by_camera(in_camera, camera.intrinsics)
    on_surface = model.point_operator(by_camera @ camera.matrix) @ surface.linear
    rows[..., : unknowns.head.count] = on_surface.reshape(len(on_head), 2, -1)
    rows[..., unknowns.turn] = by_camera @ -cross_matrix(turned)
    rows[..., unknowns.shift] = by_camera
    if settings.focal_sigma > 0:
        rows[..., unknowns.focal] = np.stack([fx * x / z, fy * y / z], 1) + state.depth * by_camera[..., 2]
    return rows, residual, weight, error


def _gaps(
    model: FitModel, rows: Float32s, residual: Floats, point_weight: Floats, settings: FitSettings
) -> tuple[Float32s, Floats]:
    """How far lips and lids stand open, from the landmarks' rows (M, 2, count) and residuals (M, 2) px.

    What Face Mesh gets wrong about where a lid lies it gets wrong on both lids, so their distance is known better than
    their places.
    """
    upper, lower = model.gaps.T
    weight = np.minimum(point_weight[upper], point_weight[lower])[:, None] / settings.gap_sigma
    between = (residual[upper] - residual[lower]) * weight
    if rows.size == 0:
        return rows[:, 0], between
    rows = (rows[upper] - rows[lower]) * weight.astype(np.float32)[..., None]
    return rows.reshape(-1, rows.shape[2]), between


def _normals(
    model: FitModel,
    seen: Observation,
    state: State,
    surface: _Surface,
    unknowns: ParameterLayout,
    settings: FitSettings,
) -> tuple[Float32s, Floats, Floats, float]:
    """Weighted rows (3K, count), residuals (K, 3) and robust widths (K,), both in sigmas, mean error rad."""
    assert seen.normals is not None and seen.normal_weight is not None
    camera = state.camera
    in_camera = camera.to_camera(surface.positions[model.sample_in_patch])
    turned = surface.normals @ camera.matrix.T
    facing = -(turned * in_camera).sum(axis=1) / np.linalg.norm(in_camera, axis=1)
    pixels = project(in_camera, camera.intrinsics)
    observed = sample_bilinear(seen.normals, pixels).astype(np.float64)
    believed, sigma = sample_bilinear(seen.normal_trust, pixels).astype(np.float64).T
    height, width = seen.normals.shape[:2]
    within = ((pixels > 0) & (pixels < (width, height))).all(axis=1)
    if state.log_focal != 0.0:
        observed = _seen_with(observed, pixels, seen.intrinsics, camera.intrinsics)
    length = np.linalg.norm(observed, axis=1)
    believed *= within * (facing > GRAZING) * (length > 0.5)
    observed /= np.maximum(length, 1e-6)[:, None]
    residual = turned @ TO_NORMAL_FRAME - observed
    weight = np.sqrt(believed) * model.sample_weight / np.hypot(settings.normal_sigma, sigma)
    outlier = np.maximum(settings.normal_outlier * weight, 1e-9)
    angles = 2 * np.arcsin(np.clip(np.linalg.norm(residual, axis=1) / 2, 0, 1))
    error = float(np.average(angles, weights=believed)) if believed.any() else float("nan")

    if surface.linear is None:
        return np.zeros((0, 0), np.float32), residual * weight[:, None], outlier, error
    # A vertex that moves over the picture meets another observed normal.
    slope = sample_bilinear(seen.normal_slope, pixels).reshape(-1, 3, 2)
    if state.log_focal != 0.0:
        slope = np.stack(
            [_seen_with(side, pixels, seen.intrinsics, camera.intrinsics) for side in slope.transpose(2, 0, 1)], axis=-1
        )
        # The turn grows from the middle of the picture: about -y to the right and about -x downwards, in 1/px.
        less = 1 / camera.intrinsics[:2] - 1 / seen.intrinsics[:2]
        slope += np.cross(observed[:, None], [[0.0, less[0], 0.0], [less[1], 0.0, 0.0]]).transpose(0, 2, 1)
    slide = weight[:, None, None] * (slope @ _pixel_by_camera(in_camera, camera.intrinsics))
    rows = np.zeros((3 * len(turned), unknowns.count), dtype=np.float32)
    turn = TO_NORMAL_FRAME @ camera.matrix
    lengths = surface.lengths / np.maximum(weight, 1e-9)
    operator = model.normal_operator(surface.positions, surface.normals, lengths, turn, slide @ camera.matrix)
    rows[:, : unknowns.head.count] = operator @ surface.linear
    swung = slide @ cross_matrix(in_camera - camera.translation)
    rows[:, unknowns.turn] = (swung - weight[:, None, None] * (TO_NORMAL_FRAME @ cross_matrix(turned))).reshape(-1, 3)
    rows[:, unknowns.shift] = -slide.reshape(-1, 3)
    if settings.focal_sigma > 0:
        moved = slope @ (pixels - camera.intrinsics[2:])[..., None]
        x, y, z = _sight_lines(pixels, camera.intrinsics).T
        # The line of sight leans towards the axis as the focal length grows, by the sine times the cosine of its angle.
        leaning = np.cross(np.stack([y, -x, np.zeros_like(z)], axis=1) * z[:, None], observed)
        zoomed = weight[:, None] * (moved[..., 0] + leaning)
        rows[:, unknowns.focal] = -zoomed.ravel() - state.depth * slide[..., 2].ravel()
    return rows, residual * weight[:, None], outlier, error


def _sight_lines(pixels: Floats, intrinsics: Floats) -> Floats:
    """(n, 3) unit vectors from the surface at pixels (n, 2) to the camera, in the axes of normal maps."""
    across = (intrinsics[2:] - pixels) / intrinsics[:2]
    lines = np.stack([across[:, 0], -across[:, 1], np.ones(len(pixels))], axis=1)
    return np.asarray(lines / np.linalg.norm(lines, axis=1, keepdims=True))


def _seen_with(normals: Floats, pixels: Floats, before: Floats, now: Floats) -> Floats:
    """Observed normals (n, 3) as they are under another focal length: a picture shows them to its lines of sight."""
    turned = normals.T.astype(np.float32)
    turned = to_sight(turned, _sight_lines(pixels, before).T.astype(np.float32))
    return to_camera(turned, _sight_lines(pixels, now).T.astype(np.float32)).T.astype(np.float64)


def _pixel_by_camera(points: Floats, intrinsics: Floats) -> Floats:
    """(n, 2, 3): how the pixel of camera-space points (n, 3) m follows them, px/m."""
    fx, fy = intrinsics[:2]
    x, y, z = points.T
    zero = np.zeros_like(x)
    return np.stack([np.stack([fx / z, zero, -fx * x / z**2], 1), np.stack([zero, fy / z, -fy * y / z**2], 1)], 1)
