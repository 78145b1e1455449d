"""N2FNet: backbone -> tokens -> FLAME module (Omega) and camera module (C), as in Lee and Chang (JBE 31(2), 2026).

Kept from the paper: one transformer encoder layer and an MLP per module. Changed: the backbone is small and looks where
the head is first (see `canonical`), the pool keeps the tokens' places (a token always sees the same part of the face),
and the camera is predicted as `inference_core.n2fnet.placement` says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from inference_core.head import Head
from inference_core.training.folding import drop_normalisations
from inference_core.training.n2fnet.backbones import build_backbone
from inference_core.training.n2fnet.config import Network
from inference_core.training.torch_head import matrix_from_6d

IDENTITY_6D = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
FACING_6D = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)  # columns of diag(1, -1, -1): a head that looks into the camera


class Prediction(NamedTuple):
    """Raw outputs, in the order of the exported graph."""

    shape: Tensor  # (B, S)
    expression: Tensor  # (B, E)
    jaw: Tensor  # (B, 6)
    eyelids: Tensor  # (B, 2)
    rotation: Tensor  # (B, 6)
    placement: Tensor  # (B, 3) u, v, s


class TokenModule(nn.Module):
    """Block -> pool -> MLP. `merge` averages the token grid by that factor first."""

    def __init__(self, network: Network, grid: int, merge: int, outputs: int) -> None:
        super().__init__()
        width = network.width
        self.width, self.grid, self.merge = width, grid, merge
        tokens = (grid // merge) ** 2
        self.places = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
        self.block = nn.TransformerEncoderLayer(
            width, network.heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(width)
        self.flat = network.pool == "places"
        if self.flat:
            self.squeeze = nn.Linear(width, width // 8)
        inputs = tokens * (width // 8) if self.flat else width
        self.hidden = nn.Linear(inputs, network.hidden)
        self.last = nn.Linear(network.hidden, outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, n, d) -> (B, outputs)."""
        if self.merge > 1:
            cells = tokens.transpose(1, 2).reshape(-1, self.width, self.grid, self.grid)
            tokens = nn.functional.avg_pool2d(cells, self.merge).flatten(2).transpose(1, 2)
        tokens = self.norm(self.block(tokens + self.places))
        pooled = self.squeeze(tokens).flatten(1) if self.flat else tokens.mean(1)
        values: Tensor = self.last(nn.functional.gelu(self.hidden(pooled)))
        return values


def direction_scale(head: Head) -> Tensor:
    """(S,) in 0.05..1: how large an output step each identity direction gets.

    Adam moves all outputs alike, but a standard deviation of the first direction is 5 mm on the face and one of the
    last 0.05 mm; unscaled, hundreds of faint directions would add noise faster than the strong ones are learnt.
    """
    strength = np.linalg.norm(head.shape_dirs[head.region("face")], axis=1).mean(axis=0)
    return torch.tensor(np.clip(np.sqrt(strength / strength.max()), 0.05, 1.0), dtype=torch.float32)


class N2FNet(nn.Module):
    """Normals times mask in, Omega and C out. Heads' sizes come from the head file (S, E)."""

    shape_scale: Tensor

    def __init__(self, network: Network, head: Head) -> None:
        super().__init__()
        self.network = network
        self.counts = (head.shape_count, head.expression_count, 6, 2)
        self.register_buffer("shape_scale", direction_scale(head))
        self.backbone, grid = build_backbone(network.backbone, network.width, network.map_size, head)
        if not network.normalised:
            drop_normalisations(self.backbone)
        self.flame = TokenModule(network, grid, 1, sum(self.counts))
        self.camera = TokenModule(network, grid, network.camera_pool, 9)
        with torch.no_grad():
            for module in (self.flame, self.camera):
                module.last.weight.mul_(0.1)
                module.last.bias.zero_()
            place = head.shape_count + head.expression_count
            self.flame.last.bias[place : place + 6] = torch.tensor(IDENTITY_6D)
            coarse = network.backbone == "canonical"
            self.camera.last.bias[:6] = torch.tensor(IDENTITY_6D if coarse else FACING_6D)

    def forward(self, normals: Tensor) -> Prediction:
        """(B, 3, map, map) unit normals with zeros outside the mask."""
        return self.with_coarse(normals)[0]

    def with_coarse(self, normals: Tensor) -> tuple[Prediction, Tensor | None]:
        """`forward`, and the backbone's own first guess of the camera (B, 9) where it makes one."""
        tokens, coarse = self.backbone(normals)
        shape, expression, jaw, eyelids = self.flame(tokens).split(self.counts, 1)
        camera = self.camera(tokens).float()
        rotation, placement = camera[:, :6], camera[:, 6:]
        if coarse is not None:
            # The module corrects the first guess; it need not find the camera again.
            first = coarse.detach()
            turned = matrix_from_6d(rotation) @ matrix_from_6d(first[:, :6])
            rotation = torch.cat([turned[:, :, 0], turned[:, :, 1]], 1)
            placement = placement + first[:, 6:]
        return Prediction(shape * self.shape_scale, expression, jaw, eyelids, rotation, placement), coarse


class ExportedN2FNet(nn.Module):
    """The graph that is shipped: takes the 256 px map, averages it down and gives every covered pixel unit length."""

    def __init__(self, model: N2FNet, input_size: int = 256) -> None:
        super().__init__()
        self.model = model
        self.factor = input_size // model.network.map_size

    def forward(self, normals: Tensor) -> Prediction:
        """(N, 3, 256, 256)."""
        small = nn.functional.avg_pool2d(normals, self.factor) if self.factor > 1 else normals
        length = (small * small).sum(1, keepdim=True).sqrt()
        # Training has hard masks: a border pixel less than half covered counts as outside.
        small = torch.where(length > 0.5, small / length.clamp(min=0.5), torch.zeros_like(small))
        prediction: Prediction = self.model(small)
        return prediction
