"""The head's forward pass in torch, differentiable, equal to the numpy one (`inference_core.head.forward`).

Li, Bolkart, Black, Li, Romero, "Learning a model of facial shape and expression from 4D scans" (2017), section 3.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference_core.head import Head


def matrix_from_vector(vector: Tensor) -> Tensor:
    """Rodrigues' formula. Rotation vectors (..., 3) rad -> matrices (..., 3, 3), with finite gradients at zero."""
    squared = (vector * vector).sum(-1)
    small = squared < 1e-8
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    sine = torch.where(small, 1 - squared / 6, torch.sin(angle) / angle)
    cosine = torch.where(small, 0.5 - squared / 24, (1 - torch.cos(angle)) / safe)
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vector.shape[:-1], 3, 3)
    eye = torch.eye(3, dtype=vector.dtype, device=vector.device)
    return eye + sine[..., None, None] * skew + cosine[..., None, None] * (skew @ skew)


def matrix_from_6d(values: Tensor) -> Tensor:
    """First column, then second; Gram-Schmidt, cross product (Zhou et al., CVPR 2019). (..., 6) -> (..., 3, 3)."""
    first = nn.functional.normalize(values[..., :3], dim=-1)
    second = values[..., 3:] - (first * values[..., 3:]).sum(-1, keepdim=True) * first
    second = nn.functional.normalize(second, dim=-1)
    return torch.stack([first, second, torch.cross(first, second, dim=-1)], dim=-1)


class TorchHead(nn.Module):
    """The forward pass for all vertices of a head, or for some of them (training needs only some).

    No parameters to train: everything is a buffer. Metres, head space.
    """

    template: Tensor
    linear_dirs: Tensor
    pose_dirs: Tensor
    pair_dirs: Tensor
    pair_scales: Tensor
    skin_weights: Tensor
    joint_template: Tensor
    joint_dirs: Tensor

    def __init__(
        self, head: Head, vertices: NDArray[np.int64] | None = None, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        chosen = np.arange(head.vertex_count) if vertices is None else vertices
        self.shape_count = head.shape_count
        self.expression_count = head.expression_count

        def buffer(name: str, values: NDArray[np.float32] | NDArray[np.float64]) -> None:
            self.register_buffer(name, torch.tensor(np.ascontiguousarray(values), dtype=dtype), persistent=False)

        directions = head.linear_dirs.reshape(len(head.linear_dirs), -1, 3)[:, chosen]
        buffer("template", head.template[chosen])
        buffer("linear_dirs", directions.reshape(len(directions), -1))
        buffer("pose_dirs", head.pose_dirs[chosen].reshape(-1, 36).T)
        self.pair_columns = torch.tensor(head.combinations.columns, dtype=torch.long)
        buffer("pair_scales", head.combinations.scales)
        buffer("pair_dirs", head.combinations.dirs[chosen].reshape(3 * len(chosen), -1).T)
        buffer("skin_weights", head.skin_weights[chosen])
        buffer("joint_template", head.joint_template)
        buffer("joint_dirs", head.joint_dirs.reshape(15, -1).T)

    def forward(self, shape: Tensor, expression: Tensor, eyelids: Tensor, rotations: Tensor) -> Tensor:
        """shape (B, S), expression (B, E), eyelids (B, 2), rotations (B, 4, 3, 3) of neck, jaw, left eye, right eye
        -> posed vertices (B, V, 3), m."""
        batch = shape.shape[0]
        eye = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
        offsets = torch.cat([shape, expression, eyelids], 1) @ self.linear_dirs
        feature = (rotations - eye).reshape(batch, 36)
        motion = torch.cat([expression, eyelids, feature], 1)
        together = (motion[:, self.pair_columns] * self.pair_scales).amin(-1).clamp(min=0)
        offsets = offsets + feature @ self.pose_dirs + together @ self.pair_dirs
        rest = self.template + offsets.reshape(batch, -1, 3)
        moved = torch.cat([shape, expression], 1) @ self.joint_dirs
        joints = self.joint_template + moved.reshape(batch, 5, 3)

        neck, others = rotations[:, 0], rotations[:, 1:]
        neck_offset = joints[:, 1] - (neck @ joints[:, 1, :, None])[..., 0]
        about = joints[:, 2:] - (others @ joints[:, 2:, :, None])[..., 0]
        turns = torch.cat([eye.expand(batch, 1, 3, 3), neck[:, None], neck[:, None] @ others], 1)
        places = torch.cat(
            [
                torch.zeros_like(neck_offset)[:, None],
                neck_offset[:, None],
                (neck[:, None] @ about[..., None])[..., 0] + neck_offset[:, None],
            ],
            1,
        )
        blended = (self.skin_weights @ turns.reshape(batch, 5, 9)).reshape(batch, -1, 3, 3)
        return (blended @ rest[..., None])[..., 0] + self.skin_weights @ places
