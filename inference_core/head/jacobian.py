"""A part of the head's vertices and how they move with every parameter, in closed form: what the fit needs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inference_core.head.forward import joint_rotations, joint_transforms, rest_joints
from inference_core.head.model import Floats, Head, HeadParameters, Indices
from inference_core.head.rotations import matrix_derivatives

_POSE_JOINTS = 4  # neck, jaw, left eye, right eye


@dataclass(frozen=True)
class Columns:
    """Which columns of a Jacobian belong to which parameters. Rotations are rotation vectors, x y z."""

    shape: slice
    expression: slice
    eyelids: slice
    neck: slice
    jaw: slice
    eyes: slice  # left x y z, right x y z
    count: int

    @classmethod
    def of(cls, shape_count: int, expression_count: int) -> Columns:
        """Shape, expression, eyelids (2), neck (3), jaw (3), eyes (6), in this order."""
        ends = [int(end) for end in np.cumsum([shape_count, expression_count, 2, 3, 3, 6])]
        shape, expression, eyelids, neck, jaw, eyes = (slice(a, b) for a, b in pairwise([0, *ends]))
        return cls(shape, expression, eyelids, neck, jaw, eyes, count=ends[-1])

    def pack(self, parameters: HeadParameters) -> Floats:
        """(count,): the parameters as one vector; shape is cut to the columns there are."""
        return np.concatenate(
            [
                parameters.shape[: self.shape.stop],
                parameters.expression,
                parameters.eyelids,
                parameters.neck,
                parameters.jaw,
                parameters.eyes.reshape(6),
            ]
        )

    def unpack(self, vector: Floats, base: HeadParameters) -> HeadParameters:
        """The vector's parameters; shape beyond the columns is taken from `base`."""
        shape = base.shape.copy()
        shape[: self.shape.stop] = vector[self.shape]
        return HeadParameters(
            shape=shape,
            expression=vector[self.expression],
            neck=vector[self.neck],
            jaw=vector[self.jaw],
            eyes=vector[self.eyes].reshape(2, 3),
            eyelids=vector[self.eyelids],
        )


def _motion(parameters: HeadParameters, local: Floats) -> Floats:
    """(E + 38,) what combinations read; local (4, 3, 3): the joints' rotations."""
    return np.concatenate([parameters.expression, parameters.eyelids, (local - np.eye(3)).ravel()])


class Patch:
    """A subset of a head's vertices with values and derivatives, built once and evaluated many times."""

    def __init__(self, head: Head, vertices: Indices, shape_count: int, neck: bool = True) -> None:
        """`vertices` (n,) are indices into the head's; the Jacobian has the first `shape_count` shape directions.

        Without `neck` the neck's columns stay 0: for whoever keeps it fixed, and saves a third of the time.
        """
        self.head = head
        self.vertices = vertices
        self.columns = Columns.of(shape_count, head.expression_count)
        linear = np.concatenate(
            [head.shape_dirs[vertices, :, :shape_count], head.expression_dirs[vertices], head.eyelid_dirs[vertices]],
            axis=2,
        )
        self._linear = np.ascontiguousarray(linear, dtype=np.float32)  # (n, 3, S'+E+2)
        self._unused_shape = np.ascontiguousarray(head.shape_dirs[vertices, :, shape_count:])
        self._template = head.template[vertices].astype(np.float64)
        self._pose = np.ascontiguousarray(head.pose_dirs[vertices]).reshape(-1, 36)  # (3n, 36)
        self._combined = np.ascontiguousarray(head.combinations.dirs[vertices])  # (n, 3, C)
        self._weights = head.skin_weights[vertices].astype(np.float64)  # (n, 5)
        moved = np.r_[0:shape_count, head.shape_count : head.shape_count + head.expression_count]
        self._joint_dirs = head.joint_dirs[:, :, moved]  # (5, 3, S'+E)
        # Most of a face follows no jaw and no eye: what they do is computed only where they do anything.
        pose = self._pose.reshape(-1, 3, 36)
        first = head.expression_count + 2  # of the motion's elements of R - I
        partner = [np.any((head.combinations.columns - first) // 9 == j, axis=1) for j in range(_POSE_JOINTS)]
        bent = [
            np.any(pose[:, :, 9 * j : 9 * j + 9] != 0, axis=(1, 2))
            | np.any(self._combined[:, :, partner[j]] != 0, axis=(1, 2))
            for j in range(_POSE_JOINTS)
        ]
        held = [self._weights[:, j + 1] > 0 for j in range(_POSE_JOINTS)]
        held[0] = np.any(self._weights[:, 1:] > 0, axis=1)  # the neck carries jaw and eyes
        self._joints = tuple(range(0 if neck else 1, _POSE_JOINTS))
        self._affected = [np.flatnonzero(b | h) for b, h in zip(bent, held, strict=True)]
        self._correctives = [
            np.ascontiguousarray(pose[rows, :, 9 * j : 9 * j + 9]).reshape(-1, 9)
            for j, rows in enumerate(self._affected)
        ]
        self._on_bones = np.flatnonzero(np.any(self._weights[:, 2:] > 0, axis=1))
        self._off_bones = np.flatnonzero(~np.any(self._weights[:, 2:] > 0, axis=1))

    def positions(self, parameters: HeadParameters) -> Floats:
        """(n, 3), head space, m."""
        return self._posed(parameters)[0]

    def evaluate(self, parameters: HeadParameters) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        """Positions (n, 3) float64 and Jacobian (n, 3, columns.count) float32, head space, m per unit or rad."""
        columns = self.columns
        positions, rest, blended, local = self._posed(parameters)
        jacobian = np.empty((len(rest), 3, columns.count), dtype=np.float32)
        linear_end = columns.eyelids.stop
        turned = blended.astype(np.float32)
        if np.any(local[0] != np.eye(3)):
            np.matmul(turned, self._linear, out=jacobian[:, :, :linear_end])
        else:  # the neck is at rest: what is on no other bone does not turn
            on, off = self._on_bones, self._off_bones
            jacobian[off, :, :linear_end] = self._linear[off]
            jacobian[on, :, :linear_end] = turned[on] @ self._linear[on]
        slopes = self.head.combinations.slopes(_motion(parameters, local)).astype(np.float32)
        met = np.flatnonzero(slopes.any(axis=1))
        if met.size:
            own = slice(columns.expression.start, linear_end)
            moved = self._combined[:, :, met] @ slopes[met, : own.stop - own.start]
            jacobian[:, :, own] += turned @ moved
        self._add_joint_motion(jacobian, local)
        self._fill_rotations(jacobian, parameters, rest, turned, local, slopes[met], met)
        return positions, jacobian

    def _posed(self, parameters: HeadParameters) -> tuple[Floats, Floats, Floats, Floats]:
        """Positions (n, 3), those before skinning (n, 3), skinning matrices (n, 3, 3), joint rotations (4, 3, 3)."""
        columns = self.columns
        linear_weights = np.concatenate(
            [parameters.shape[columns.shape], parameters.expression, parameters.eyelids]
        ).astype(np.float32)
        local = joint_rotations(parameters)
        feature = (local - np.eye(3)).reshape(36)
        rest = self._template + (self._linear.reshape(-1, len(linear_weights)) @ linear_weights).reshape(-1, 3)
        beyond = parameters.shape[columns.shape.stop :]
        if np.any(beyond):
            rest += self._unused_shape @ beyond.astype(np.float32)
        if np.any(feature):
            rest += (self._pose @ feature.astype(np.float32)).reshape(-1, 3)
        together = self.head.combinations.values(_motion(parameters, local))
        if np.any(together):
            rest += self._combined @ together.astype(np.float32)
        rotations, offsets = joint_transforms(self.head, parameters)
        blended = (self._weights @ rotations.reshape(5, 9)).reshape(-1, 3, 3)
        positions = (blended @ rest[..., None])[..., 0] + self._weights @ offsets
        return np.asarray(positions), np.asarray(rest), blended, local

    def _add_joint_motion(self, jacobian: np.ndarray[tuple[int, ...], np.dtype[np.float32]], local: Floats) -> None:
        """The joints follow the shape, so the pivots of turned joints do as well: offset_j = ... + (I - R_j) J_j."""
        neck, others = local[0], local[1:]
        moved = np.zeros((5, *self._joint_dirs.shape[1:]))
        moved[1] = (np.eye(3) - neck) @ self._joint_dirs[1]
        moved[2:] = neck @ (np.eye(3) - others) @ self._joint_dirs[2:] + moved[1]
        if not np.any(moved):
            return
        rows = np.arange(len(jacobian)) if np.any(moved[1]) else self._on_bones
        pulled = self._weights[rows].astype(np.float32) @ moved.reshape(5, -1).astype(np.float32)
        jacobian[rows, :, : self.columns.expression.stop] += pulled.reshape(len(rows), 3, -1)

    def _fill_rotations(
        self,
        jacobian: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
        parameters: HeadParameters,
        rest: Floats,
        blended: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
        local: Floats,
        slopes: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
        met: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
    ) -> None:
        """d position / d rotation vector: the turned bone itself, and the correctives it drives."""
        columns, joints = self.columns, rest_joints(self.head, parameters)
        neck = local[0]
        vectors = (parameters.neck, parameters.jaw, parameters.eyes[0], parameters.eyes[1])
        spans = (
            columns.neck,
            columns.jaw,
            slice(columns.eyes.start, columns.eyes.start + 3),
            slice(columns.eyes.start + 3, columns.eyes.stop),
        )
        jacobian[:, :, columns.neck.start :] = 0.0
        for joint in self._joints:
            rows, span = self._affected[joint], spans[joint]
            turn = matrix_derivatives(vectors[joint])  # (3, 3, 3), first axis: component
            element = turn.reshape(3, 9).T.astype(np.float32)
            corrective = (self._correctives[joint] @ element).reshape(-1, 3, 3)
            if met.size:
                first = self.head.expression_count + 2 + 9 * joint
                corrective += self._combined[rows][:, :, met] @ (slopes[:, first : first + 9] @ element)
            moved = blended[rows] @ corrective  # last axis: component
            if joint == 0:
                moved += self._neck_turn(rest, joints, local, turn)[rows]
            else:
                arm = self._weights[rows, joint + 1, None] * (rest[rows] - joints[joint + 1])
                moved += (arm @ (neck @ turn).transpose(2, 1, 0).reshape(3, 9)).reshape(-1, 3, 3)
            jacobian[rows, :, span] = moved

    def _neck_turn(self, rest: Floats, joints: Floats, local: Floats, turn: Floats) -> Floats:
        """The neck carries everything but the root: turn what each bone has already done about the neck's pivot."""
        turned = np.einsum("jab,njb->nja", local[1:], rest[:, None] - joints[2:]) + joints[2:] - joints[1]
        carried = self._weights[:, 1, None] * (rest - joints[1]) + np.einsum("nj,nja->na", self._weights[:, 2:], turned)
        return np.asarray(np.einsum("kab,nb->nak", turn, carried))
