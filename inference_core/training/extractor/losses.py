"""What the network is asked for: normals with their own uncertainty, and classes.

Normals: the negative log-likelihood of the angular von Mises-Fisher distribution (Bae, Budvytis and Cipolla,
"Estimating and exploiting the aleatoric uncertainty in surface normal estimation", ICCV 2021, equation 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inference_core.training.extractor.network import concentration

# How much each class's normals matter; the mouth's inside is only there so that nothing odd grows there.
NORMAL_WEIGHT = (0.0, 1.0, 0.7, 0.2, 0.5, 0.0, 0.0)
CLASS_WEIGHT = (1.0, 1.0, 1.8, 1.8, 1.2, 1.0, 1.2)


@dataclass(frozen=True)
class Losses:
    """total is what is minimised; angle is the mean angular error on the face, degrees."""

    total: Tensor
    normals: Tensor
    classes: Tensor
    angle: Tensor


def angle_between(a: Tensor, b: Tensor) -> Tensor:
    """(N, 1, H, W) rad between unit vectors (N, 3, H, W); stable at 0 and pi, gradient included."""
    cosine = (a * b).sum(1, keepdim=True)
    sine = torch.sqrt(torch.linalg.cross(a, b, dim=1).square().sum(1, keepdim=True) + 1e-8)
    return torch.atan2(sine, cosine)


def _relief(predicted: Tensor, normals: Tensor, weights: Tensor) -> Tensor:
    """How differently the two turn from pixel to pixel: what makes noses, lips and lids sharp."""
    total = predicted.new_zeros(())
    for axis in (2, 3):
        turns = predicted.diff(dim=axis) - normals.diff(dim=axis)
        size = weights.shape[axis] - 1
        both = torch.minimum(weights.narrow(axis, 0, size), weights.narrow(axis, 1, size))
        total = total + (turns.abs().sum(1, keepdim=True) * both).sum() / both.sum().clamp(min=1)
    return total


def overlap_loss(share: Tensor, truth: Tensor) -> Tensor:
    """One minus the soft intersection over union of a class over the whole batch: what the mask is judged by.

    share (N, H, W) in 0..1, truth (N, H, W) bool (Rahman and Wang, "Optimizing intersection-over-union in deep neural
    networks for image segmentation", ISVC 2016).
    """
    inside = (share * truth).sum()
    return 1 - inside / (share.sum() + truth.sum() - inside).clamp(min=1)


def extractor_losses(raw: Tensor, normals: Tensor, labels: Tensor) -> Losses:
    """raw as ExtractorNet's; normals (N, 3, H, W) unit or 0; labels (N, H, W) int64."""
    raw = raw.float()
    weights = torch.tensor(NORMAL_WEIGHT, device=raw.device)[labels][:, None]
    weights = weights * (normals.square().sum(1, keepdim=True) > 0.5)
    predicted = functional.normalize(raw[:, :3], dim=1, eps=1e-4)
    angle = angle_between(predicted, normals)
    kappa = concentration(raw)
    likelihood = -torch.log(kappa * kappa + 1) + kappa * angle + torch.log1p(torch.exp(-kappa * math.pi))
    # The likelihood alone gives up on what is hard; the plain angle keeps pulling there.
    each = likelihood + 2.0 * angle
    normal_loss = (each * weights).sum() / weights.sum().clamp(min=1)
    normal_loss = normal_loss + 3.0 * _relief(predicted, normals, weights)
    class_loss = functional.cross_entropy(
        raw[:, 3:-1], labels, weight=torch.tensor(CLASS_WEIGHT, device=raw.device), label_smoothing=0.01
    )
    class_loss = class_loss + overlap_loss(raw[:, 3:-1].softmax(1)[:, 1], labels == 1)
    face = (labels == 1)[:, None] & (weights > 0)
    mean_angle = torch.rad2deg((angle.detach() * face).sum() / face.sum().clamp(min=1))
    return Losses(normal_loss + 1.5 * class_loss, normal_loss.detach(), class_loss.detach(), mean_angle)
