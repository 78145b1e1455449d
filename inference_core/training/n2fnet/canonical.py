"""A backbone that first looks where the head is and then reads the face in the head's own coordinates.

A small network estimates the camera from a thumbnail. With it, the normals are sampled at fixed places of the mean face
(a cylinder unrolled about the head) and turned into head space. What is left for the tokens is the difference to the
mean face, which is nearly linear in shape and expression; a network that sees the crop itself must learn that for every
pose anew. Spatial transformers: Jaderberg et al., NeurIPS 2015.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inference_core.head import Head, vertex_normals
from inference_core.n2fnet.placement import REFERENCE_POINT, RULER_METRES
from inference_core.training.n2fnet.layers import Residual, convolution
from inference_core.training.raster import draw, gather
from inference_core.training.torch_head import matrix_from_6d

HALF_ANGLE_DEGREES = 95.0
AXIS_BEHIND_METRES = 0.075  # the unrolled cylinder's axis behind the face's front
BELOW_CHIN_METRES = 0.03  # room for the chin of an open mouth
GRID = 48


class CanonicalGrid(NamedTuple):
    """The mean face unrolled onto GRID x GRID cells."""

    points: NDArray[np.float32]  # (G * G, 3) m
    normals: NDArray[np.float32]  # (G * G, 3) unit, 0 where no face can be
    valid: NDArray[np.float32]  # (G * G,) 1 where a face can be


def canonical_grid(head: Head, size: int = GRID) -> CanonicalGrid:
    """Unroll the template's front: columns are angles about the vertical axis, rows are heights.

    Eyeballs and mouth are part of it, because lids close and lips move over them; what lies below the chin repeats it.
    """
    template = head.template.astype(np.float64)
    face = head.region("face")
    axis_z = template[face][:, 2].max() - AXIS_BEHIND_METRES
    low, high = template[face][:, 1].min() - BELOW_CHIN_METRES, template[face][:, 1].max() + 0.004
    x, y, z = template[:, 0], template[:, 1], template[:, 2] - axis_z
    across = np.degrees(np.arctan2(x, z)) / HALF_ANGLE_DEGREES  # -1..1
    down = (high - y) / (high - low) * 2 - 1
    depth = 1.0 - np.hypot(x, z)  # nearer the viewer the farther from the axis
    other = head.region("neck") | head.region("scalp") | head.region("ears")
    triangles = np.ascontiguousarray(head.triangles[~other[head.triangles].any(axis=1)], np.int32)
    triangle = np.full((size, size), -1, np.int32)
    barycentric = np.zeros((size, size, 3), np.float32)
    buffer = np.full((size, size), np.inf, np.float32)
    pseudo = np.stack([across * depth, down * depth, depth], axis=1)
    draw(np.ascontiguousarray(pseudo), triangles, np.array([size / 2] * 4), triangle, barycentric, buffer)
    carried = np.concatenate([template, vertex_normals(template, head.triangles)], axis=1).astype(np.float32)
    cells = np.zeros((size, size, 6), np.float32)
    gather(triangle, barycentric, triangles, carried, cells)
    hit = triangle >= 0
    rows = np.arange(size)[:, None]
    lowest = np.where(hit, rows, -1).max(axis=0)  # (size,) per column, -1: nothing
    below = (rows > lowest) & (lowest >= 0)
    repeated = np.take_along_axis(cells, np.maximum(lowest, 0)[None, :, None], axis=0)
    cells = np.where(below[..., None], repeated, cells)
    cells[..., 1] -= below * (rows - lowest) * np.float32((high - low) / size)
    flat = cells.reshape(-1, 6)
    length = np.linalg.norm(flat[:, 3:], axis=1, keepdims=True)
    valid = (hit | below).ravel().astype(np.float32)
    return CanonicalGrid(flat[:, :3], flat[:, 3:] / np.maximum(length, 1e-6), valid)


class CoarseCamera(nn.Module):
    """Rotation (6D) and placement from a 32 px thumbnail of normals and mask."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(convolution(4, 32, 2), convolution(32, 64, 2), convolution(64, 96, 2), nn.Flatten())
        self.hidden = nn.Linear(96 * 16, 128)
        self.last = nn.Linear(128, 9)
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias.copy_(torch.tensor([1.0, 0, 0, 0, -1, 0, 0, 0, 0]))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, 4, 32, 32) -> (B, 9)."""
        camera: Tensor = self.last(torch.relu(self.hidden(self.layers(maps))))
        return camera


class Canonical(nn.Module):
    """Normals -> coarse camera -> mean-face coordinates -> tokens on a 6 x 6 grid."""

    points: Tensor
    normals: Tensor
    valid: Tensor
    reference: Tensor
    flip: Tensor

    def __init__(self, width: int, head: Head) -> None:
        super().__init__()
        grid = canonical_grid(head)
        self.register_buffer("points", torch.from_numpy(grid.points))
        self.register_buffer("normals", torch.from_numpy(grid.normals))
        self.register_buffer("valid", torch.from_numpy(grid.valid))
        self.register_buffer("reference", torch.tensor(REFERENCE_POINT))
        self.register_buffer("flip", torch.tensor([1.0, -1.0, -1.0]))  # camera axes <-> normal map axes
        self.coarse = CoarseCamera()
        self.layers = nn.Sequential(
            convolution(8, 64, 2), convolution(64, 128, 2), convolution(128, width, 2), Residual(width)
        )
        self.camera_embedding = nn.Linear(9, width)

    def forward(self, normals: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) with zeros outside the mask -> tokens (B, 36, d) and the coarse camera (B, 9)."""
        mask = (normals.abs().sum(1, keepdim=True) > 1e-3).to(normals.dtype)
        maps = torch.cat([normals, mask], 1)
        camera = self.coarse(nn.functional.avg_pool2d(maps, normals.shape[3] // 32)).float()
        # What follows only reads the camera: were it to follow the tokens' gradient, it would stop being one.
        tokens: Tensor = self.layers(self.read(maps.float(), camera.detach()))
        embedded = self.camera_embedding(camera.detach())[:, None]
        return tokens.flatten(2).transpose(1, 2) + embedded, camera

    def read(self, maps: Tensor, camera: Tensor) -> Tensor:
        """(B, 4, H, W) normals and mask, camera (B, 9) -> (B, 8, G, G): normals and their difference to the mean
        face's in head space, how much of a cell was seen, and how much it faces the camera."""
        rotation = matrix_from_6d(camera[:, :6])
        placement = camera[:, 6:]
        # Scaled orthography: the graph does not know the focal length, and a cell is 4 mm wide.
        scale = torch.exp(placement[:, 2].clamp(-2, 2)) / RULER_METRES
        seen_from = (self.points - self.reference) @ rotation.transpose(1, 2)
        places = 2 * (placement[:, None, :2] + scale[:, None, None] * seen_from[..., :2])
        sampled = nn.functional.grid_sample(maps, places[:, None], mode="bilinear", align_corners=False)[:, :, 0]
        covered = sampled[:, 3]  # (B, G * G)
        observed = sampled[:, :3].transpose(1, 2) / covered.clamp(min=0.25)[..., None]
        in_head = (observed * self.flip) @ rotation
        facing = -(self.normals @ rotation[:, 2, :, None])[..., 0]
        weight = covered * self.valid * (4 * facing).clamp(0, 1)
        difference = (in_head - self.normals) * weight[..., None]
        channels = torch.cat([in_head * weight[..., None], difference, weight[..., None], facing[..., None]], 2)
        return channels.transpose(1, 2).reshape(-1, 8, GRID, GRID)
