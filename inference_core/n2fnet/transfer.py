"""From one head's parameters to another's: how the Open Head's network serves a head it was not trained for.

Both heads carry Face Mesh's points, which mean the same places on every face, and a head may carry its vertices' places
on the Open Head. Shape and expression of the one head become those of the other by linear least squares with the other
head's priors, at rest; jaw and lids mean the same on all heads; where the head stands follows from the rigid alignment
of the posed points. Everything but that alignment is linear and solved beforehand: a face costs a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head, HeadParameters
from inference_core.head.forward import joint_rotations
from inference_core.head.jacobian import Patch
from inference_core.head.model import Floats, Indices
from inference_core.head.rotations import cross_matrix, vector_from_matrix
from inference_core.n2fnet.regressor import SHAPE_LIMIT, SIGNED_LIMIT, Estimate, Float32s, Regressor

POINT_SIGMA = 0.002
"""m: how well a point of the one head is known on the other, beside what the two heads' files say."""
VERTEX_SIGMA = 0.003
"""m: how well a vertex's place on the Open Head is known."""
INDEPENDENT = 0.01
"""Share of the points that counts: a network that sees a head it was not trained for errs in a few ways, everywhere."""


@dataclass(frozen=True, eq=False)
class SurfaceSamples:
    """N points on a head's surface: a triangle's corners and barycentric coordinates."""

    corners: Indices  # (N, 3) vertices
    weights: Floats  # (N, 3)

    def joined(self, other: SurfaceSamples) -> SurfaceSamples:
        """Both, one after the other."""
        return SurfaceSamples(
            np.concatenate([self.corners, other.corners]), np.concatenate([self.weights, other.weights])
        )

    def on(self, vertices: Float32s) -> Floats:
        """(N, 3) of vertices (V, 3), or (N, 3, K) of directions (V, 3, K)."""
        picked = vertices[self.corners].astype(np.float64)  # (N, 3 corners, 3, ...)
        share = self.weights.reshape(*self.weights.shape, *(1,) * (picked.ndim - 2))
        return np.asarray((share * picked).sum(axis=1))


def common_places(source: Head, target: Head) -> tuple[SurfaceSamples, SurfaceSamples, Floats]:
    """Places that are the same on both heads, N each, and how well each is known, m (N,).

    Face Mesh's points; and of a head that knows where its vertices lie on the source, the vertices of its face.
    """
    known = {int(index): row for row, index in enumerate(source.mediapipe_index)}
    rows = [(known[int(index)], row) for row, index in enumerate(target.mediapipe_index) if int(index) in known]
    pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)

    def marks(head: Head, chosen: NDArray[np.int64]) -> SurfaceSamples:
        corners = head.triangles[head.mediapipe_triangles[chosen]]
        return SurfaceSamples(corners, head.mediapipe_barycentric[chosen].astype(np.float64))

    # The spread of the points on each head is about its own truth; of one head's points on the other only the
    # difference matters, which the larger of the two bounds.
    sigma = np.maximum(source.mediapipe_sigma[pairs[:, 0]], target.mediapipe_sigma[pairs[:, 1]])
    sigma = np.hypot(sigma, POINT_SIGMA)
    there, here = marks(source, pairs[:, 0]), marks(target, pairs[:, 1])
    if target.open_head_triangles is None or target.open_head_barycentric is None:
        return there, here, sigma
    if target.open_head_triangles.max() >= len(source.triangles):
        return there, here, sigma
    face = np.flatnonzero(target.region("face") & ~target.region("hidden")).astype(np.int32)
    corner = np.zeros((len(face), 3))
    corner[:, 0] = 1.0
    laid = SurfaceSamples(
        source.triangles[target.open_head_triangles[face]], target.open_head_barycentric[face].astype(np.float64)
    )
    own = SurfaceSamples(np.repeat(face[:, None], 3, axis=1), corner)
    return there.joined(laid), here.joined(own), np.concatenate([sigma, np.full(len(face), VERTEX_SIGMA)])


class Transfer:
    """The linear maps between two heads.

    shape_map (S', S) and shape_start (S',): the target's shape is the one times the source's, plus the other.
    expression_map (E', E): the target's expression is this times the source's.
    """

    def __init__(self, source: Head, target: Head) -> None:
        self.source, self.target = source, target
        self._from, self._to, sigma = common_places(source, target)
        self._weight = np.sqrt(INDEPENDENT) / sigma  # (N,)
        mean_source, mean_target = self._from.on(source.template), self._to.on(target.template)
        turn, shift = rigid(mean_source, mean_target, self._weight)
        self.shape_map, self.shape_start = self._shapes(mean_source @ turn.T + shift, mean_target, turn)
        self.expression_map = self._expressions(turn)
        self._there, self._here = _PosedPlaces(source, self._from), _PosedPlaces(target, self._to)

    def __call__(self, parameters: HeadParameters, camera: Camera) -> tuple[HeadParameters, Camera]:
        """The target's parameters and camera for the source's; both show the same face in the same place."""
        shape = np.clip(self.shape_map @ parameters.shape + self.shape_start, -SHAPE_LIMIT, SHAPE_LIMIT)
        signed = self.target.signed_expressions
        low, high = np.where(signed, -SIGNED_LIMIT, 0.0), np.where(signed, SIGNED_LIMIT, 1.0)
        made = HeadParameters(
            shape=shape,
            expression=np.clip(self.expression_map @ self._shown(parameters), low, high),
            neck=np.zeros(3),
            jaw=parameters.jaw,
            eyes=parameters.eyes,
            eyelids=parameters.eyelids,
        )
        turn, shift = rigid(self._here.of(made), self._there.of(parameters), self._weight)
        rotation = camera.matrix @ turn
        translation = camera.matrix @ shift + camera.translation
        return made, Camera(vector_from_matrix(rotation), translation, camera.intrinsics)

    def _shapes(self, aligned: Floats, mean: Floats, turn: Floats) -> tuple[Floats, Floats]:
        """(S', S) and (S',): the target's shape that comes nearest to the source's, wherever it stands."""
        moves = turn @ self._from.on(self.source.shape_dirs)
        free = np.concatenate([-cross_matrix(mean), np.broadcast_to(np.eye(3), (len(mean), 3, 3))], axis=2)
        columns = np.concatenate([self._to.on(self.target.shape_dirs), free], axis=2)
        # One standard deviation each; turning and shifting cost nothing to speak of.
        prior = np.concatenate([np.ones(self.target.shape_count), np.full(6, 1e-6)])
        targets = np.concatenate([moves, (aligned - mean)[..., None]], axis=2)
        solved = self._least_squares(columns, targets, prior)[: self.target.shape_count]
        return solved[:, :-1], solved[:, -1]

    def _shown(self, parameters: HeadParameters) -> Floats:
        """(E,): how much of each expression there is where the target has them whole: mouthClose needs an open jaw."""
        if not self.target.signed_expressions.any():
            return parameters.expression
        feature = (joint_rotations(parameters) - np.eye(3)).ravel()
        pairs = self.source.combinations
        together = pairs.values(np.concatenate([parameters.expression, parameters.eyelids, feature]))
        shown = parameters.expression.copy()
        for (name, _), value in zip(pairs.names, together.tolist(), strict=True):
            if name in self.source.expression_names:
                shown[self.source.expression_names.index(name)] = value
        return shown

    def _expressions(self, turn: Floats) -> Floats:
        """(E', E): by name where the names are the same, else by what the expressions do to the face at rest."""
        source, target = self.source, self.target
        if not target.signed_expressions.any():
            places = {name: column for column, name in enumerate(source.expression_names)}
            matrix = np.zeros((target.expression_count, source.expression_count))
            for row, name in enumerate(target.expression_names):
                if name in places:
                    matrix[row, places[name]] = 1.0
            return matrix
        moves = turn @ self._from.on(source.whole_expression_dirs)
        prior = 1.0 / np.maximum(target.expression_sigma.astype(np.float64), 1e-3) ** 2
        return self._least_squares(self._to.on(target.expression_dirs), moves, prior)

    def _least_squares(self, columns: Floats, targets: Floats, prior: Floats) -> Floats:
        """(K, L): columns (N, 3, K) times it come nearest to targets (N, 3, L); `prior` (K,) inverse variances."""
        left = (columns * self._weight[:, None, None]).reshape(-1, columns.shape[2])
        right = (targets * self._weight[:, None, None]).reshape(-1, targets.shape[2])
        return np.asarray(np.linalg.solve(left.T @ left + np.diag(prior), left.T @ right))


class TransferredRegressor:
    """A network of the source head, whose answers are carried over to the target. As thread-safe as the network."""

    def __init__(self, regressor: Regressor, transfer: Transfer) -> None:
        self._regressor, self._transfer = regressor, transfer

    def estimate(self, normals: Floats | Float32s, face_mask: NDArray[np.generic], crop_intrinsics: Floats) -> Estimate:
        """As `Regressor.estimate`, in the target head's terms."""
        found = self._regressor.estimate(normals, face_mask, crop_intrinsics)
        return Estimate(*self._transfer(found.parameters, found.camera))


def rigid(moved: Floats, onto: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Rotation (3, 3) and shift (3,) that lay points `moved` (N, 3) onto `onto`: moved @ R.T + t (Kabsch 1976)."""
    share = (weight**2 / (weight**2).sum())[:, None]
    middle, target = (moved * share).sum(axis=0), (onto * share).sum(axis=0)
    u, _, vt = np.linalg.svd(((moved - middle) * share).T @ (onto - target))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    rotation = vt.T @ flip @ u.T
    return rotation, target - rotation @ middle


class _PosedPlaces:
    """Points on a head that is posed again and again."""

    def __init__(self, head: Head, places: SurfaceSamples) -> None:
        vertices, corners = np.unique(places.corners, return_inverse=True)
        self._patch = Patch(head, vertices.astype(np.int32), head.shape_count)
        self._corners, self._weights = corners.reshape(-1, 3), places.weights[..., None]

    def of(self, parameters: HeadParameters) -> Floats:
        """(N, 3), head space, m."""
        return np.asarray((self._weights * self._patch.positions(parameters)[self._corners]).sum(axis=1))
