"""Backbones by name: normal map -> tokens on a square grid, and a coarse camera where they have one.

All are trained from scratch here. "canonical" is the product's default, "compact" a plain convolutional network.
"vit_l16" has the shape of the paper's DINOv3 ViT-L/16 (d = 1024, 24 layers, patches of 16 px of a 256 px map), for
comparing cost; its weights are not shipped.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inference_core.errors import BadInput
from inference_core.head import Head
from inference_core.training.n2fnet.canonical import GRID, Canonical
from inference_core.training.n2fnet.layers import Residual, convolution


class Compact(nn.Module):
    """Patches of 4 px, then a small residual network down to a grid of 1/16: 8 x 8 tokens for 128 px."""

    def __init__(
        self, width: int, channels: tuple[int, int, int] = (48, 96, 192), depth: tuple[int, int, int] = (0, 1, 2)
    ) -> None:
        super().__init__()
        first, second, third = channels
        # Bare convolutions on raw patches lose too much; a 7 px window with stride 4 overlaps its neighbours.
        self.stem = nn.Sequential(
            nn.Conv2d(4, first, 7, 4, 3, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        self.stages = nn.Sequential(
            *(Residual(first) for _ in range(depth[0])),
            convolution(first, second, 2),
            *(Residual(second) for _ in range(depth[1])),
            convolution(second, third, 2),
            *(Residual(third) for _ in range(depth[2])),
            nn.Conv2d(third, width, 1),
        )

    def forward(self, normals: Tensor) -> tuple[Tensor, None]:
        """(B, 3, H, W) with zeros outside the mask -> tokens (B, H/16 * W/16, d)."""
        mask = (normals.abs().sum(1, keepdim=True) > 1e-3).to(normals.dtype)
        grid: Tensor = self.stages(self.stem(torch.cat([normals, mask], 1)))
        return grid.flatten(2).transpose(1, 2), None


class VisionTransformer(nn.Module):
    """Patches of 16 px and a stack of pre-norm encoder layers (Dosovitskiy et al., ICLR 2021)."""

    def __init__(self, width: int, layers: int, heads: int, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, width, 16, 16)
        self.places = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, normals: Tensor) -> tuple[Tensor, None]:
        """(B, 3, H, W) -> tokens (B, H/16 * W/16, d)."""
        x = self.embed(normals).flatten(2).transpose(1, 2) + self.places
        for layer in self.layers:
            x = layer(x)
        return self.norm(x), None


def build_backbone(name: str, width: int, size: int, head: Head) -> tuple[nn.Module, int]:
    """The backbone and the side of its token grid for maps of `size` px.

    Raises:
        BadInput: for an unknown name.
    """
    if name == "canonical":
        return Canonical(width, head), GRID // 8
    if name == "compact":
        return Compact(width), size // 16
    if name == "vit_s16":
        return VisionTransformer(width, 12, max(1, width // 64), (size // 16) ** 2), size // 16
    if name == "vit_l16":
        return VisionTransformer(width, 24, 16, (size // 16) ** 2), size // 16
    raise BadInput(f"There is no backbone {name!r}.", "Use canonical, compact, vit_s16 or vit_l16.")
