"""From stored records to what a training step sees: mirrored, moved, turned, recoloured and lit once more.

A rendered face costs a tenth of a second; each of these costs a millisecond, and makes another picture of it with
exact truth. Normals along the lines of sight know neither the crop's place nor its scale, so both may change freely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from inference_core.training.extractor.config import Config
from inference_core.training.extractor.network import CLASS_COUNT
from inference_core.training.extractor.pool import Record
from inference_core.training.extractor.subject import SIZE


@dataclass(frozen=True)
class Variety:
    """How far a batch's crops are moved: `zoom` a share of the side, `roll` degrees (standard deviation), `relit` the
    share that gets one more lamp."""

    zoom: float = 0.0
    roll: float = 0.0
    relit: float = 0.0

    @classmethod
    def of(cls, config: Config) -> Variety:
        """What a config asks for."""
        return cls(config.zoom, config.roll, config.relit)


def to_batch(
    records: Sequence[Record], rng: np.random.Generator | None = None, size: int = SIZE, variety: Variety | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Records -> rgb (N, 3, size, size) in [0, 1], normals (N, 3, size/2, size/2), labels (N, size/2, size/2) int64.

    With `rng` half of them are mirrored and all of them recoloured, and what `variety` says; `size` shrinks photos and
    truth.
    """
    rgb = torch.from_numpy(np.stack([r.rgb for r in records])).permute(0, 3, 1, 2).float() / 255
    normals = torch.from_numpy(np.stack([r.normals for r in records])).permute(0, 3, 1, 2).float() / 127
    labels = torch.from_numpy(np.stack([r.labels for r in records])).long()
    if rng is not None and variety is not None and (variety.zoom > 0 or variety.roll > 0):
        rgb, normals, labels = _moved(rgb, normals, labels, rng, size, variety)
    elif size != SIZE:
        rgb = functional.interpolate(rgb, size=(size, size), mode="bilinear")  # as `Product` does
        normals = functional.normalize(functional.interpolate(normals, size=(size // 2, size // 2), mode="bilinear"))
        # The likeliest class; taking the nearest pixel's would move every border by up to half a pixel.
        shares = functional.one_hot(labels, CLASS_COUNT).permute(0, 3, 1, 2).float()
        labels = functional.interpolate(shares, size=(size // 2, size // 2), mode="bilinear").argmax(1)
    if rng is not None:
        rgb, normals, labels = _mirrored(rgb, normals, labels, rng)
        if variety is not None and variety.relit > 0:
            rgb = _relit(rgb, normals, rng, variety.relit)
        rgb = _recoloured(rgb, rng)
    return rgb.contiguous(memory_format=torch.channels_last), normals, labels


def _mirrored(rgb: Tensor, normals: Tensor, labels: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    chosen = torch.from_numpy(rng.random(len(rgb)) < 0.5)
    rgb[chosen] = rgb[chosen].flip(3)
    normals[chosen] = normals[chosen].flip(3) * torch.tensor([-1.0, 1, 1])[:, None, None]
    labels[chosen] = labels[chosen].flip(2)
    return rgb, normals, labels


def _recoloured(rgb: Tensor, rng: np.random.Generator) -> Tensor:
    count = len(rgb)
    gain = torch.from_numpy(np.exp(rng.normal(0, 0.06, (count, 3, 1, 1))).astype(np.float32))
    power = torch.from_numpy(np.exp(rng.normal(0, 0.15, (count, 1, 1, 1))).astype(np.float32))
    return (rgb * gain).clamp(0, 1).pow(power)


def _moved(
    rgb: Tensor, normals: Tensor, labels: Tensor, rng: np.random.Generator, size: int, variety: Variety
) -> tuple[Tensor, Tensor, Tensor]:
    """Each crop scaled, shifted and turned about its middle; what comes from beyond the border is black background."""
    count = len(rgb)
    angle = np.radians(rng.normal(0, variety.roll, count))
    scale = np.exp(rng.uniform(-variety.zoom, variety.zoom, count))
    shift = rng.uniform(-variety.zoom, variety.zoom, (count, 2))  # of half a side
    theta = _affine(angle, scale, shift)
    photo = functional.affine_grid(theta, [count, 3, size, size], align_corners=False)
    truth = functional.affine_grid(theta, [count, 3, size // 2, size // 2], align_corners=False)
    rgb = functional.grid_sample(rgb, photo, align_corners=False)
    carried = functional.normalize(functional.grid_sample(normals, truth, align_corners=False))
    cosine, sine = (torch.from_numpy(f(angle).astype(np.float32))[:, None, None] for f in (np.cos, np.sin))
    x, y, z = carried.unbind(1)
    turned = torch.stack([cosine * x - sine * y, sine * x + cosine * y, z], 1)
    shares = functional.one_hot(labels, CLASS_COUNT).permute(0, 3, 1, 2).float()
    return rgb, turned, functional.grid_sample(shares, truth, align_corners=False).argmax(1)


def _affine(angle: NDArray[np.float64], scale: NDArray[np.float64], shift: NDArray[np.float64]) -> Tensor:
    """(N, 2, 3) from places in the new picture to places in the old one, both -1..1."""
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    rows = np.stack([np.stack([cosine, -sine, shift[:, 0]], 1), np.stack([sine, cosine, shift[:, 1]], 1)], 1)
    return torch.from_numpy(rows.astype(np.float32))


def _relit(rgb: Tensor, normals: Tensor, rng: np.random.Generator, share: float) -> Tensor:
    """One more soft lamp on some of them, by the truth's own normals; what has none keeps its light."""
    count = len(rgb)
    towards = rng.normal(0, 1, (count, 3)) * (1, 0.8, 0.4)
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    strength = rng.uniform(0.1, 0.5, count) * (rng.random(count) < share)
    lamp = torch.from_numpy((towards * strength[:, None]).astype(np.float32))
    shade = torch.einsum("nc,nchw->nhw", lamp, normals)[:, None]
    shade = functional.interpolate(shade, size=rgb.shape[2:], mode="bilinear")
    return (rgb * (1 + shade)).clamp(0, 1)
