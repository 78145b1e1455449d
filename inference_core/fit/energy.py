"""The fit's energy at one place: residuals, and their Jacobian in the order of `ParameterLayout`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference_core.fit.model import FitModel
from inference_core.fit.observation import Observation, sample_bilinear
from inference_core.fit.settings import FitSettings
from inference_core.head import Camera, HeadParameters, project
from inference_core.head.jacobian import Columns, PatchJacobian
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
    jacobian: PatchJacobian | None  # None where only the value is wanted
    normals: Floats  # (K, 3) of the sampled vertices
    lengths: Floats  # (K,) of their area vectors


@dataclass(frozen=True, eq=False)
class _Term:
    """One term of the energy, robust weights included: |residual + rows step|^2 / 2 is its quadratic."""

    value: float
    residual: Float32s  # (r,)
    rows: Float32s | None  # (r, count); None where only the value is wanted

    @property
    def gradient(self) -> Floats:
        """(count,)."""
        return np.zeros(0) if self.rows is None else (self.rows.T @ self.residual).astype(np.float64)

    @property
    def hessian(self) -> Floats:
        """(count, count), Gauss and Newton's."""
        return np.zeros((0, 0)) if self.rows is None else (self.rows.T @ self.rows).astype(np.float64)


def data_terms(
    model: FitModel,
    seen: Observation,
    state: State,
    unknowns: ParameterLayout,
    settings: FitSettings,
    derivatives: bool = True,
) -> NormalEquations:
    """Landmarks and normals around a state. Without `derivatives` (a third of the time) no gradient and no Hessian."""
    if derivatives:
        positions, jacobian = model.patch.linearised(state.parameters)
    else:
        positions, jacobian = model.patch.positions(state.parameters), None
    surface = _Surface(positions, jacobian, *model.normals(positions))
    terms, point_error = _points(model, seen, state, surface, unknowns, settings)
    normal_error = float("nan")
    if seen.normals is not None:
        term, normal_error = _normals(model, seen, state, surface, unknowns, settings)
        terms.append(term)
    return NormalEquations(
        sum(term.value for term in terms),
        np.sum([term.gradient for term in terms], axis=0),
        np.sum([term.hessian for term in terms], axis=0),
        point_error,
        normal_error,
    )


def _robust(residual: Floats, outlier: float | Floats, share: float) -> tuple[float, Floats]:
    """Geman-McClure by reweighting: residuals (n, c) and widths `outlier`, both in sigmas.

    Returns the value, and what residuals and rows are to be multiplied by (n,).
    """
    squared = (residual**2).sum(axis=1) / outlier**2
    value = 0.5 * share * float((outlier**2 * squared / (1 + squared)).sum())
    return value, np.sqrt(share) / (1 + squared)


def _points(
    model: FitModel,
    seen: Observation,
    state: State,
    surface: _Surface,
    unknowns: ParameterLayout,
    settings: FitSettings,
) -> tuple[list[_Term], float]:
    """Landmarks, and the openings between them where those are asked for; the landmarks' error, px."""
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
    rows: Float32s | None = None  # (M, 2, count), unweighted
    if surface.jacobian is not None:
        by_camera = _pixel_by_camera(in_camera, camera.intrinsics)
        blocks = model.point_blocks(by_camera @ camera.matrix)
        rows = surface.jacobian.under(model.point_rows, blocks, unknowns.count).reshape(len(on_head), 2, -1)
        rows[..., unknowns.turn] = by_camera @ -cross_matrix(turned)
        rows[..., unknowns.shift] = by_camera
        if settings.focal_sigma > 0:
            rows[..., unknowns.focal] = np.stack([fx * x / z, fy * y / z], 1) + state.depth * by_camera[..., 2]
    terms = [_weighed(rows, residual, weight, settings.point_outlier, settings.point_share)]
    if settings.gap_sigma > 0:
        terms.append(_gaps(model, rows, residual, seen.point_weight, settings))
    return terms, error


def _weighed(rows: Float32s | None, residual: Floats, weight: Floats, outlier: float, share: float) -> _Term:
    """Of rows (n, 2, count) and residuals (n, 2) px that count by `weight` (n,) 1/px."""
    value, scale = _robust(residual * weight[:, None], outlier, share)
    scale = (weight * scale).astype(np.float32)
    if rows is not None:
        rows = (rows * scale[:, None, None]).reshape(-1, rows.shape[2])
    return _Term(value, (residual.astype(np.float32) * scale[:, None]).ravel(), rows)


def _gaps(
    model: FitModel, rows: Float32s | None, residual: Floats, point_weight: Floats, settings: FitSettings
) -> _Term:
    """How far lips and lids stand open, from the landmarks' rows (M, 2, count) and residuals (M, 2) px.

    What Face Mesh gets wrong about where a lid lies it gets wrong on both lids, so their distance is known better than
    their places.
    """
    upper, lower = model.gaps.T
    weight = np.minimum(point_weight[upper], point_weight[lower]) / settings.gap_sigma
    between = residual[upper] - residual[lower]
    if rows is not None:
        rows = rows[upper] - rows[lower]
    return _weighed(rows, between, weight, settings.gap_outlier, settings.point_share)


def _normals(
    model: FitModel,
    seen: Observation,
    state: State,
    surface: _Surface,
    unknowns: ParameterLayout,
    settings: FitSettings,
) -> tuple[_Term, float]:
    """The sampled normals, and their mean error, rad."""
    assert seen.normals is not None
    camera = state.camera
    in_camera = camera.to_camera(surface.positions[model.sample_in_patch])
    turned = surface.normals @ camera.matrix.T
    facing = -(turned * in_camera).sum(axis=1) / np.linalg.norm(in_camera, axis=1)
    pixels = project(in_camera, camera.intrinsics)
    field = sample_bilinear(seen.normal_field, pixels).astype(np.float64)
    observed, believed, sigma, slope = field[:, :3], field[:, 3], field[:, 4], field[:, 5:].reshape(-1, 3, 2)
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
    value, scale = _robust(residual * weight[:, None], outlier, settings.normal_share)
    weight = weight * scale
    weighed = (residual * weight[:, None]).astype(np.float32).ravel()
    if surface.jacobian is None:
        return _Term(value, weighed, None), error
    # A vertex that moves over the picture meets another observed normal.
    if state.log_focal != 0.0:
        slope = np.stack(
            [_seen_with(side, pixels, seen.intrinsics, camera.intrinsics) for side in slope.transpose(2, 0, 1)], axis=-1
        )
        # The turn grows from the middle of the picture: about -y to the right and about -x downwards, in 1/px.
        less = 1 / camera.intrinsics[:2] - 1 / seen.intrinsics[:2]
        slope += np.cross(observed[:, None], [[0.0, less[0], 0.0], [less[1], 0.0, 0.0]]).transpose(0, 2, 1)
    slide = weight[:, None, None] * (slope @ _pixel_by_camera(in_camera, camera.intrinsics))
    turn = TO_NORMAL_FRAME @ camera.matrix
    lengths = surface.lengths / np.maximum(weight, 1e-9)
    blocks = model.normal_blocks(surface.positions, surface.normals, lengths, turn, slide @ camera.matrix)
    rows = surface.jacobian.under(model.normal_rows, blocks, unknowns.count)
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
    return _Term(value, weighed, rows), error


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
