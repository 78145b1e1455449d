"""What training minimises: the measure itself (mm on the rigidly aligned face) and what keeps its parts apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference_core.head import Head
from inference_core.n2fnet.placement import CROP_SIZE, REFERENCE_POINT, RULER_METRES
from inference_core.training.n2fnet.config import Losses
from inference_core.training.n2fnet.model import Prediction
from inference_core.training.n2fnet.render_loss import RenderLoss
from inference_core.training.torch_head import TorchHead, matrix_from_6d

MM = 1000.0
FRONTAL_FACE_VERTICES = 600
OTHER_VERTICES = 250
JAW_MM = 20.0


class Truth(NamedTuple):
    """A batch of truth on the device; shapes as in `stream.Chunk`."""

    shape: Tensor
    expression: Tensor
    eyelids: Tensor
    jaw: Tensor
    rotation: Tensor
    placement: Tensor
    intrinsics: Tensor


def _some(rng: np.random.Generator, mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    chosen = np.flatnonzero(mask)
    return np.sort(rng.permutation(chosen)[:count])


def rigid_residual(delta: Tensor, points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of displacements (B, N, 3) of points (B, N, 3) after the best small rigid motion; and after the
    best small scaling too.

    weights (N,). Linearised: exact to second order in the motion's angle, and cheap to differentiate.
    """
    w = (weights / weights.sum())[None, :, None]
    centred = points - (points * w).sum(1, keepdim=True)
    moved = delta - (delta * w).sum(1, keepdim=True)
    eye = torch.eye(3, dtype=points.dtype, device=points.device)
    outer = torch.einsum("bni,bnj->bij", centred * w, centred)
    trace = outer.diagonal(dim1=1, dim2=2).sum(1)
    inertia = trace[:, None, None] * eye - outer
    momentum = (torch.linalg.cross(centred, moved) * w).sum(1)
    turn = torch.linalg.solve(inertia, momentum)
    rest = moved - torch.linalg.cross(turn[:, None].expand_as(centred), centred)
    # Turning moves a point at right angles to its place, scaling along it: the two do not mix.
    growth = (rest * centred * w).sum((1, 2)) / trace
    return rest, rest - growth[:, None, None] * centred


def translation_from_placement(rotation: Tensor, placement: Tensor, intrinsics: Tensor) -> Tensor:
    """`inference_core.n2fnet.placement.translation_from_placement` in torch; (B, 3) m."""
    fx, fy, cx, cy = intrinsics.unbind(1)
    z = fx * RULER_METRES / (CROP_SIZE * torch.exp(placement[:, 2].clamp(-3, 3)))
    x = ((placement[:, 0] + 0.5) * CROP_SIZE - cx) / fx * z
    y = ((placement[:, 1] + 0.5) * CROP_SIZE - cy) / fy * z
    reference = torch.tensor(REFERENCE_POINT, dtype=rotation.dtype, device=rotation.device)
    return torch.stack([x, y, z], 1) - rotation @ reference


class Criterion(nn.Module):
    """Computes all terms on a fixed, random subset of the head's vertices and on the 68 landmarks."""

    face: Tensor
    other: Tensor
    corners: Tensor
    barycentric: Tensor
    square_mm: Tensor

    def __init__(self, head: Head, losses: Losses) -> None:
        super().__init__()
        self.losses = losses
        rendered = losses.render_normals > 0 or losses.render_mask > 0
        self.render = RenderLoss(head) if rendered else None
        rng = np.random.default_rng(0)
        hidden = head.region("hidden")
        face = head.region("face") & ~hidden
        frontal = int(np.argmin(np.abs(head.contour_yaw)))
        triangles = np.concatenate([head.contour_triangles[frontal], head.landmark_triangles])
        barycentric = np.concatenate([head.contour_barycentric[frontal], head.landmark_barycentric])
        corners = head.triangles[triangles]
        face_chosen = _some(rng, face, FRONTAL_FACE_VERTICES)
        other_chosen = _some(rng, ~face & ~hidden, OTHER_VERTICES)
        vertices = np.unique(np.concatenate([face_chosen, other_chosen, corners.ravel()]))
        self.head = TorchHead(head, vertices)

        def buffer(name: str, values: NDArray[np.generic]) -> None:
            self.register_buffer(name, torch.as_tensor(values), persistent=False)

        buffer("face", np.searchsorted(vertices, face_chosen))
        buffer("other", np.searchsorted(vertices, other_chosen))
        buffer("corners", np.searchsorted(vertices, corners))
        buffer("barycentric", barycentric.astype(np.float32))
        moved = head.linear_dirs.reshape(len(head.linear_dirs), -1, 3)[:, face]
        buffer("square_mm", (1e6 * np.square(moved).sum(axis=2).mean(axis=1)).astype(np.float32))

    def _vertices(self, shape: Tensor, expression: Tensor, eyelids: Tensor, jaw: Tensor) -> Tensor:
        eye = torch.eye(3, dtype=jaw.dtype, device=jaw.device).expand(len(jaw), 1, 3, 3)
        posed: Tensor = self.head(shape, expression, eyelids, torch.cat([eye, jaw[:, None], eye, eye], 1))
        return posed

    def _landmarks(self, vertices: Tensor) -> Tensor:
        return (vertices[:, self.corners] * self.barycentric[..., None]).sum(2)

    def forward(
        self, predicted: Prediction, truth: Truth, coarse: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum to minimise, and its terms unweighted (detached). `coarse` (B, 9): the backbone's first camera."""
        w = self.losses
        jaw = matrix_from_6d(predicted.jaw)
        rotation = matrix_from_6d(predicted.rotation)
        true = self._vertices(truth.shape, truth.expression, truth.eyelids, truth.jaw)
        ours = self._vertices(predicted.shape, predicted.expression, predicted.eyelids, jaw)
        still = self._vertices(predicted.shape, truth.expression, truth.eyelids, truth.jaw)
        delta = (ours - true) * MM
        identity = (still - true) * MM
        motion = delta - identity
        ones = torch.ones(len(self.face), device=delta.device)
        face_delta, face_true = delta[:, self.face], true[:, self.face]

        rigid, formed = rigid_residual(face_delta, face_true, ones)

        terms = {
            "surface": _length(rigid).mean(),
            "form": _length(formed).mean(),
            "placed": _length(face_delta).mean(),
            "identity": _length(rigid_residual(identity[:, self.face], face_true, ones)[1]).mean(),
            "motion": _length(motion[:, self.face]).mean(),
            "landmarks": _length(self._landmarks(delta)).mean(),
            "head": _length(delta[:, self.other]).mean(),
            "shape_squares": (predicted.shape - truth.shape).square().mean(),
            "expression_squares": (predicted.expression - truth.expression).square().mean(),
            "jaw_squares": (jaw - truth.jaw).square().sum((1, 2)).mean(),
            "eyelid_squares": (predicted.eyelids - truth.eyelids).square().mean(),
        }
        off = torch.cat(
            [getattr(predicted, name) - getattr(truth, name) for name in ("shape", "expression", "eyelids")], 1
        )
        # A jaw of one radian moves the chin by a decimetre, and a third of the face by half of that.
        turned_jaw = (jaw - truth.jaw).square().sum((1, 2)) * JAW_MM**2
        terms["parameters"] = ((off.square() * self.square_mm).sum(1) + turned_jaw).mean()
        # The camera must align the mesh that is shown, so it sees the predicted one; but it must not bend it.
        middle = face_true.mean(1, keepdim=True)
        cameras = {"": (rotation, predicted.placement)}
        if coarse is not None:
            cameras["coarse_"] = (matrix_from_6d(coarse[:, :6]), coarse[:, 6:])
        for name, (turn, spot) in cameras.items():
            turned = (face_true - middle) @ (turn - truth.rotation).transpose(1, 2) * MM
            terms[f"{name}rotation"] = _length(turned).mean()
            terms[f"{name}placement"] = CROP_SIZE * (spot - truth.placement).abs().mean()
        place = translation_from_placement(rotation, predicted.placement, truth.intrinsics)
        true_place = translation_from_placement(truth.rotation, truth.placement, truth.intrinsics)
        seen = _project(self._landmarks(ours.detach()), rotation, place, truth.intrinsics)
        true_seen = _project(self._landmarks(true), truth.rotation, true_place, truth.intrinsics)
        terms["projection"] = _length(seen - true_seen).clamp(max=200).mean()
        if self.render is not None:
            terms |= self.render(
                (predicted.shape, predicted.expression, predicted.eyelids, jaw),
                (truth.shape, truth.expression, truth.eyelids, truth.jaw),
                ((rotation, place), (truth.rotation, true_place)),
                truth.intrinsics,
            )
        total = torch.stack([getattr(w, name) * term for name, term in terms.items()]).sum()
        return total, {name: term.detach() for name, term in terms.items()}


def _length(vectors: Tensor) -> Tensor:
    """Euclidean length, smooth at zero (0.02 mm or px)."""
    return (vectors.square().sum(-1) + 4e-4).sqrt()


def _project(points: Tensor, rotation: Tensor, place: Tensor, intrinsics: Tensor) -> Tensor:
    camera = points @ rotation.transpose(1, 2) + place[:, None]
    depth = camera[..., 2:].clamp(min=0.05)
    return camera[..., :2] / depth * intrinsics[:, None, :2] + intrinsics[:, None, 2:]
