"""A part of the head's vertices and how they move with every parameter, in closed form: what the fit needs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inference_core.head.block_rows import BlockRows
from inference_core.head.forward import joint_rotations, joint_transforms, rest_joints
from inference_core.head.model import Float32s, Floats, Head, HeadParameters, Indices
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


class Patch:
    """A subset of a head's vertices with values and derivatives, built once and evaluated many times.

    Before skinning the vertices are the template plus `directions` times a vector of weights, which is linear but for
    what the parameters make of it: shape, expression, eyelids, the combinations' values, the elements of R - I.
    """

    def __init__(self, head: Head, vertices: Indices, shape_count: int, neck: bool = True) -> None:
        """`vertices` (n,) are indices into the head's; the Jacobian has the first `shape_count` shape directions.

        Without `neck` the neck's columns stay 0: for whoever keeps it fixed.
        """
        self.head = head
        self.vertices = vertices
        self.columns = Columns.of(shape_count, head.expression_count)
        self.joints = tuple(range(0 if neck else 1, _POSE_JOINTS))
        linear_end = self.columns.eyelids.stop
        self.combined = slice(linear_end, linear_end + len(head.combinations.names))
        self.correctives = slice(self.combined.stop, self.combined.stop + 9 * _POSE_JOINTS)
        parts = [
            head.shape_dirs[vertices, :, :shape_count],
            head.expression_dirs[vertices],
            head.eyelid_dirs[vertices],
            head.combinations.dirs[vertices],
            head.pose_dirs[vertices],
        ]
        self.directions = np.ascontiguousarray(np.concatenate(parts, axis=2, dtype=np.float32)).reshape(
            3 * len(vertices), -1
        )
        self._unused_shape = np.ascontiguousarray(head.shape_dirs[vertices, :, shape_count:])
        self._template = head.template[vertices].astype(np.float64)
        self.weights = head.skin_weights[vertices].astype(np.float64)  # (n, 5)
        self.carried = np.kron(self.weights[:, 1:].astype(np.float32), np.eye(3, dtype=np.float32))  # (3n, 12)
        moved = np.r_[0:shape_count, head.shape_count : head.shape_count + head.expression_count]
        self.joint_dirs = head.joint_dirs[:, :, moved]  # (5, 3, S'+E)

    def positions(self, parameters: HeadParameters) -> Floats:
        """(n, 3), head space, m."""
        return self._posed(parameters)[0]

    def linearised(self, parameters: HeadParameters) -> tuple[Floats, PatchJacobian]:
        """Positions (n, 3) float64, head space, m, and how they follow the parameters."""
        positions, rest, blended, local = self._posed(parameters)
        return positions, PatchJacobian.at(self, parameters, rest, blended.astype(np.float32), local)

    def evaluate(self, parameters: HeadParameters) -> tuple[Floats, Float32s]:
        """Positions (n, 3) float64 and Jacobian (n, 3, columns.count) float32, head space, m per unit or rad."""
        positions, jacobian = self.linearised(parameters)
        return positions, jacobian.dense()

    def _posed(self, parameters: HeadParameters) -> tuple[Floats, Floats, Floats, Floats]:
        """Positions (n, 3), those before skinning (n, 3), skinning matrices (n, 3, 3), joint rotations (4, 3, 3)."""
        local = joint_rotations(parameters)
        weights = [
            parameters.shape[self.columns.shape],
            parameters.expression,
            parameters.eyelids,
            self.head.combinations.values(_motion(parameters, local)),
            (local - np.eye(3)).ravel(),
        ]
        offsets = self.directions @ np.concatenate(weights).astype(np.float32)
        rest = self._template + offsets.reshape(-1, 3)
        beyond = parameters.shape[self.columns.shape.stop :]
        if np.any(beyond):
            rest += self._unused_shape @ beyond.astype(np.float32)
        rotations, offsets = joint_transforms(self.head, parameters)
        blended = (self.weights @ rotations.reshape(5, 9)).reshape(-1, 3, 3)
        positions = np.einsum("vab,vb->va", blended, rest) + self.weights @ offsets
        return np.asarray(positions), np.asarray(rest), blended, local


@dataclass(frozen=True, eq=False)
class PatchJacobian:
    """How a patch's n vertices follow the parameters at one place, in factors: the whole matrix is hardly ever wanted.

    A vertex v moves by turned_v (directions_v d weights) + (its joints' own motion) + (their turning of its arm).
    What is asked for is some linear map of the vertices, sparse, so that goes first and everything else is small.
    """

    patch: Patch
    turned: Float32s  # (n, 3, 3) skinning matrices
    slopes: Float32s  # (C, E + 38) of the combinations over the motion
    pivots: Float32s  # (12, S'+E): how each joint but the root moves what it carries, over shape and expression
    arms: Float32s  # (3n, 3 per joint of the patch): each joint's turn of what it carries, over its rotation vector
    elements: Float32s  # (4, 9, 3) of R - I over the rotation vectors

    @classmethod
    def at(
        cls, patch: Patch, parameters: HeadParameters, rest: Floats, turned: Float32s, local: Floats
    ) -> PatchJacobian:
        """Of `rest` (n, 3) before skinning, with the joints' rotations `local` (4, 3, 3)."""
        vectors = (parameters.neck, parameters.jaw, parameters.eyes[0], parameters.eyes[1])
        turns = np.stack([matrix_derivatives(vector) for vector in vectors])  # (4, component, 3, 3)
        joints, neck = rest_joints(patch.head, parameters), local[0]
        arms = np.empty((len(rest), 3, 3 * len(patch.joints)), dtype=np.float32)
        for place, joint in enumerate(patch.joints):
            if joint == 0:
                arm, turn = _neck_arm(patch.weights, rest, joints, local), turns[0]
            else:
                arm = patch.weights[:, joint + 1, None] * (rest - joints[joint + 1])
                turn = neck @ turns[joint]
            swung = arm @ turn.transpose(2, 1, 0).reshape(3, 9)
            arms[:, :, 3 * place : 3 * place + 3] = swung.reshape(-1, 3, 3)
        return cls(
            patch,
            turned,
            patch.head.combinations.slopes(_motion(parameters, local)).astype(np.float32),
            _pivots(patch.joint_dirs, local),
            arms.reshape(3 * len(rest), -1),
            turns.reshape(_POSE_JOINTS, 3, 9).transpose(0, 2, 1).astype(np.float32),
        )

    def under(self, rows: BlockRows, blocks: Floats, width: int) -> Float32s:
        """(R, width): how what follows the vertices by `blocks` (b, height, 3) follows the parameters.

        Columns beyond the head's are 0, room for what else moves it.
        """
        blocks = blocks.astype(np.float32)
        turned = rows.matrix(blocks @ self.turned[rows.vertices]) @ self.patch.directions
        plain = rows.matrix(blocks) @ np.concatenate([self.patch.carried, self.arms], axis=1)
        return self._joined(turned, plain, width)

    def dense(self) -> Float32s:
        """(n, 3, columns.count): of the vertices themselves."""
        directions = self.patch.directions.reshape(len(self.turned), 3, -1)
        turned = (self.turned @ directions).reshape(3 * len(directions), -1)
        joined = self._joined(turned, np.concatenate([self.patch.carried, self.arms], axis=1), self.patch.columns.count)
        return joined.reshape(len(directions), 3, -1)

    def _joined(self, turned: Float32s, plain: Float32s, width: int) -> Float32s:
        """(R, width), of what a map makes of the turned directions (R, D) and of [carried, arms] (R, 12 + 3 each)."""
        columns, patch = self.patch.columns, self.patch
        rows = np.zeros((len(turned), width), dtype=np.float32)
        rows[:, : columns.eyelids.stop] = turned[:, : columns.eyelids.stop]
        combined = turned[:, patch.combined]
        if self.slopes.any():
            own = slice(columns.expression.start, columns.eyelids.stop)
            rows[:, own] += combined @ self.slopes[:, : own.stop - own.start]
        if self.pivots.any():  # the joints follow the shape, so the pivots of turned joints do as well
            rows[:, : columns.expression.stop] += plain[:, :12] @ self.pivots
        first = patch.head.expression_count + 2  # of the motion's elements of R - I
        for place, joint in enumerate(patch.joints):
            elements = slice(9 * joint, 9 * joint + 9)
            driven = turned[:, patch.correctives][:, elements] + combined @ self.slopes[:, first:][:, elements]
            start = columns.neck.start + 3 * joint
            rows[:, start : start + 3] = driven @ self.elements[joint] + plain[:, 12 + 3 * place : 15 + 3 * place]
        return rows


def _motion(parameters: HeadParameters, local: Floats) -> Floats:
    """(E + 38,) what combinations read; local (4, 3, 3): the joints' rotations."""
    return np.concatenate([parameters.expression, parameters.eyelids, (local - np.eye(3)).ravel()])


def _pivots(joint_dirs: Floats | Float32s, local: Floats) -> Float32s:
    """(12, S'+E): offset_j = ... + (I - R_j) J_j of neck, jaw and eyes, over what moves the joints."""
    neck, others = local[0], local[1:]
    moved = np.empty((4, *joint_dirs.shape[1:]))
    moved[0] = (np.eye(3) - neck) @ joint_dirs[1]
    moved[1:] = neck @ (np.eye(3) - others) @ joint_dirs[2:] + moved[0]
    return moved.reshape(12, -1).astype(np.float32)


def _neck_arm(weights: Floats, rest: Floats, joints: Floats, local: Floats) -> Floats:
    """(n, 3): the neck carries everything but the root, with what each bone has already done."""
    turned = np.einsum("jab,njb->nja", local[1:], rest[:, None] - joints[2:]) + joints[2:] - joints[1]
    return np.asarray(weights[:, 1, None] * (rest - joints[1]) + np.einsum("nj,nja->na", weights[:, 2:], turned))
