"""L_render of the paper without a rasteriser: the face splatted softly onto a grid, differentiable in the camera.

Normals are compared on the same pieces of skin, not at the same pixels: on rendered data both sides are known, and the
cosine then does not depend on how far off the place is. The mask is what place and size are for, with the landmarks.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from inference_core.head import Head
from inference_core.n2fnet.placement import CROP_SIZE
from inference_core.training.torch_head import TorchHead

PIECES = 400
GRID = 32
SPREAD_CELLS = 1.0


class RenderLoss(nn.Module):
    """Terms on random triangles of the face, drawn by their area."""

    corners: Tensor
    cells: Tensor

    def __init__(self, head: Head) -> None:
        super().__init__()
        skin = head.region("face") & ~head.region("hidden")
        triangles = head.triangles[skin[head.triangles].all(axis=1)]
        a, b, c = (head.template[triangles[:, k]].astype(np.float64) for k in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        chosen = np.random.default_rng(0).choice(len(triangles), PIECES, p=area / area.sum())
        vertices, corners = np.unique(triangles[chosen], return_inverse=True)
        self.head = TorchHead(head, vertices)
        self.register_buffer("corners", torch.as_tensor(corners.reshape(-1, 3)), persistent=False)
        self.register_buffer("cells", torch.arange(GRID, dtype=torch.float32) + 0.5, persistent=False)

    def forward(
        self,
        ours: tuple[Tensor, Tensor, Tensor, Tensor],
        true: tuple[Tensor, Tensor, Tensor, Tensor],
        cameras: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
        intrinsics: Tensor,
    ) -> dict[str, Tensor]:
        """`ours` and `true`: shape, expression, eyelids, jaw matrices; `cameras`: rotation (B, 3, 3) and translation
        (B, 3) m of both; intrinsics (B, 4) px of the crop. Gradients reach the camera only.

        -> "render_normals": mean 1 - cosine where the true skin is seen; "render_mask": mean squared difference.
        """
        (our_normals, our_points), (true_normals, true_points) = (
            self._seen(values, *camera) for values, camera in zip((ours, true), cameras, strict=True)
        )
        seen = _facing(true_normals, true_points)
        cosine = (our_normals * true_normals).sum(-1)
        normals = (seen * (1 - cosine)).sum(1) / seen.sum(1).clamp(min=1e-3)
        difference = self._mask(our_normals, our_points, intrinsics) - self._mask(true_normals, true_points, intrinsics)
        return {"render_normals": normals.mean(), "render_mask": difference.square().mean()}

    def _seen(
        self, values: tuple[Tensor, Tensor, Tensor, Tensor], rotation: Tensor, place: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Unit normals and centres (B, PIECES, 3) of the pieces in the camera's axes."""
        shape, expression, eyelids, jaw = (value.detach() for value in values)
        eye = torch.eye(3, dtype=jaw.dtype, device=jaw.device).expand(len(jaw), 1, 3, 3)
        posed = self.head(shape, expression, eyelids, torch.cat([eye, jaw[:, None], eye, eye], 1))
        in_camera = posed @ rotation.transpose(1, 2) + place[:, None]
        a, b, c = (in_camera[:, self.corners[:, k]] for k in range(3))
        normals = nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1, eps=1e-12)
        return normals, (a + b + c) / 3

    def _mask(self, normals: Tensor, points: Tensor, intrinsics: Tensor) -> Tensor:
        """(B, GRID, GRID): how much of each cell is covered, 0 to nearly 1."""
        depth = points[..., 2:].clamp(min=0.05)
        pixels = points[..., :2] / depth * intrinsics[:, None, :2] + intrinsics[:, None, 2:]
        places = pixels * (GRID / CROP_SIZE)
        across, down = (
            torch.exp(-0.5 * ((places[..., k, None] - self.cells) / SPREAD_CELLS).square()) for k in range(2)
        )
        weight = _facing(normals, points)
        return 1 - torch.exp(-torch.einsum("bn,bny,bnx->byx", weight, down, across))


def _facing(normals: Tensor, points: Tensor) -> Tensor:
    """(B, N) 0..1: 0 for what turns away from the camera, 1 for what faces it by more than 15 degrees."""
    towards = -nn.functional.normalize(points, dim=-1)
    return (4 * (normals * towards).sum(-1)).clamp(0, 1)
