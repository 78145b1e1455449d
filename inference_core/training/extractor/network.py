"""The network: a small U-Net that works at stride 4 of a 256x256 photo and answers at stride 2.

Dense 3x3 convolutions: on a CPU, in training (oneDNN) as in ONNX Runtime, they beat depthwise ones of the same quality.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASS_COUNT = 7


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, padding: int | None = None) -> nn.Sequential:
    pad = kernel // 2 if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        return functional.relu(x + self.norm(self.second(self.first(x))))


class Single(nn.Module):
    """One 3x3 convolution around a shortcut, where resolution is high."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        out: Tensor = x + self.inner(x)
        return out


class Refine(nn.Module):
    """Two 3x3 convolutions added to what is there; fresh, it adds nothing, so that a trained network can grow by it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        out: Tensor = x + self.norm(self.second(self.first(x)))
        return out


class Context(nn.Module):
    """Adds what the whole picture says (its mean) to every place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        out: Tensor = x + self.mix(x.mean(dim=(2, 3), keepdim=True))
        return out


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class ExtractorNet(nn.Module):
    """rgb (N, 3, 256, 256) in [0, 1] -> raw (N, 3 + CLASS_COUNT + 1, 128, 128): normals, logits, concentration.

    channels and depths: of the encoder at strides 4, 8, 16, 32; refine: more blocks on the way up, at strides 2, 4, 8,
    16.
    """

    def __init__(
        self,
        channels: tuple[int, ...] = (32, 64, 128, 192),
        depths: tuple[int, ...] = (1, 1, 3, 2),
        fine: int = 16,
        refine: tuple[int, ...] = (0, 0, 0, 0),
    ) -> None:
        super().__init__()
        c0, c1, c2, c3 = channels
        self.fine = _conv(3, fine, 6, 2, 2)
        self.enter = _conv(3, c0, 8, 4, 2)
        self.encode0 = nn.Sequential(*(Single(c0) for _ in range(depths[0])))
        self.encode1 = nn.Sequential(_conv(c0, c1, 3, 2), *(Residual(c1) for _ in range(depths[1])))
        self.encode2 = nn.Sequential(_conv(c1, c2, 3, 2), *(Residual(c2) for _ in range(depths[2])))
        self.encode3 = nn.Sequential(_conv(c2, c3, 3, 2), *(Residual(c3) for _ in range(depths[3])), Context(c3))
        self.lift2, self.decode2 = nn.Conv2d(c3, c2, 1), Residual(c2)
        self.lift1, self.decode1 = nn.Conv2d(c2, c1, 1), Residual(c1)
        self.lift0, self.decode0 = nn.Conv2d(c1, c0, 1), Single(c0)
        self.refine_fine, self.refine0, self.refine1, self.refine2 = (
            nn.Sequential(*(Refine(width) for _ in range(count)))
            for width, count in zip((fine, c0, c1, c2), refine, strict=True)
        )
        self.lift = nn.Conv2d(c0, fine * 4, 1)
        self.head = nn.Sequential(_conv(fine, fine), nn.Conv2d(fine, 3 + CLASS_COUNT + 1, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        """See the class."""
        x = rgb * 4 - 2
        fine = self.fine(x)
        e0 = self.encode0(self.enter(x))
        e1 = self.encode1(e0)
        e2 = self.encode2(e1)
        e3 = self.encode3(e2)
        d2 = self.refine2(self.decode2(e2 + _double(self.lift2(e3))))
        d1 = self.refine1(self.decode1(e1 + _double(self.lift1(d2))))
        d0 = self.refine0(self.decode0(e0 + _double(self.lift0(d1))))
        both = functional.relu(fine + functional.pixel_shuffle(self.lift(d0), 2))
        out: Tensor = self.head(self.refine_fine(both))
        return out


def concentration(raw: Tensor) -> Tensor:
    """(N, 1, H, W) kappa of the angular von Mises-Fisher distribution, at least 1."""
    return 1 + functional.softplus(raw[:, -1:])


class Product(nn.Module):
    """What is exported: unit normals, probabilities, expected angular error in rad, at half the picture's size.

    Enlarging them, and averaging with the answer to the mirror image, are linear and cheaper outside the graph
    (`inference_core.perception.normals`).
    """

    def __init__(self, net: ExtractorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """rgb (N, 3, S, S) in [0, 1] -> normals (N, 3, ...), classes (N, CLASS_COUNT, ...), sigma (N, 1, ...), S/2."""
        raw = self.net(rgb)
        # Softmax by hand: ONNX Runtime's own over channels costs half as much as the network.
        logits = raw[:, 3:-1]
        weights = torch.exp(logits - logits.amax(dim=1, keepdim=True))
        classes = weights / weights.sum(dim=1, keepdim=True)
        kappa = concentration(raw)
        return _unit(raw[:, :3]), classes, 2 * kappa / (1 + kappa * kappa)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / (vectors.square().sum(dim=1, keepdim=True) + 1e-6).sqrt()
