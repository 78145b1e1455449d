"""The fit's energy once more, in torch: what a fit by automatic differentiation minimises. Needs torch.

Term by term `inference_core.fit.energy` and `inference_core.fit.prior`, on the same vertices, so that both fits differ
in nothing but how they go downhill. tests/evaluation/test_adam.py compares the values.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from inference_core.fit.energy import GRAZING, TO_NORMAL_FRAME, ParameterLayout, State
from inference_core.fit.model import FitModel
from inference_core.fit.observation import Observation
from inference_core.fit.prior import Prior
from inference_core.fit.settings import FitSettings
from inference_core.training.torch_head import TorchHead, matrix_from_vector


class TorchEnergy:
    """A function of the unknowns (count,) in the order of `ParameterLayout`, float32, one picture."""

    def __init__(
        self,
        model: FitModel,
        seen: Observation,
        start: State,
        prior: Prior,
        unknowns: ParameterLayout,
        settings: FitSettings,
    ) -> None:
        """`start`: its rotation and place are where the unknowns' turn and shift are 0. `seen` has normals."""
        assert seen.normals is not None
        self._columns, self._unknowns, self._settings = unknowns.head, unknowns, settings
        self._head = TorchHead(model.head, model.patch.vertices.astype(np.int64))
        self._beyond = _tensor(start.parameters.shape[unknowns.head.shape.stop :])
        self._rotation, self._translation = _tensor(start.camera.matrix), _tensor(start.camera.translation)
        self._intrinsics = _tensor(start.camera.intrinsics)
        self._mean, self._inverse = _tensor(prior.mean), _tensor(prior.inverse)
        self._corners, self._corner_weights = torch.tensor(model.corners), _tensor(model.corner_weights)
        self._points, self._point_weight = _tensor(seen.points), _tensor(seen.point_weight)
        self._point_sigma = _tensor(np.broadcast_to(np.square(seen.point_sigma), len(seen.points)))
        self._spread = _tensor(model.head.mediapipe_sigma)
        self._ring = torch.tensor(model.ring)
        self._member_ring, self._member_sample = torch.tensor(model.member_ring), torch.tensor(model.member_sample)
        self._sample, self._sample_weight = torch.tensor(model.sample_in_patch), _tensor(model.sample_weight)
        maps = seen.normal_field[..., :5].transpose(2, 0, 1)[None]
        self._maps = _tensor(maps)  # (1, 5, H, W): normals, weight, sigma
        self._size = _tensor([seen.normals.shape[1], seen.normals.shape[0]])
        self._to_map = _tensor(TO_NORMAL_FRAME)

    def __call__(self, unknowns: Tensor) -> Tensor:
        """The energy, a scalar."""
        columns = self._columns
        shape = torch.cat([unknowns[columns.shape], self._beyond])
        joints = torch.cat([unknowns[columns.neck], unknowns[columns.jaw], unknowns[columns.eyes]]).reshape(1, 4, 3)
        surface = self._head(
            shape[None],
            unknowns[columns.expression][None],
            unknowns[columns.eyelids][None],
            matrix_from_vector(joints),
        )[0]
        rotation = matrix_from_vector(unknowns[self._unknowns.turn]) @ self._rotation
        translation = self._translation + unknowns[self._unknowns.shift]
        away = unknowns - self._mean
        prior = 0.5 * away @ self._inverse @ away
        return self._landmarks(surface, rotation, translation) + self._normals(surface, rotation, translation) + prior

    def _landmarks(self, surface: Tensor, rotation: Tensor, translation: Tensor) -> Tensor:
        settings = self._settings
        on_head = (surface[self._corners] * self._corner_weights[..., None]).sum(1)
        in_camera = on_head @ rotation.T + translation
        spread = self._spread * self._intrinsics[0] / in_camera[:, 2].detach()
        weight = self._point_weight / (settings.point_sigma**2 + spread**2 + self._point_sigma).sqrt()
        residual = (self._project(in_camera) - self._points) * weight[:, None]
        return settings.point_share * _robust(residual, torch.tensor(settings.point_outlier))

    def _normals(self, surface: Tensor, rotation: Tensor, translation: Tensor) -> Tensor:
        settings = self._settings
        a, b, c = surface[self._ring].unbind(1)
        area = torch.linalg.cross(b - a, c - a)
        summed = torch.zeros(len(self._sample), 3).index_add(0, self._member_sample, area[self._member_ring])
        turned = torch.nn.functional.normalize(summed, dim=1) @ rotation.T
        in_camera = surface[self._sample] @ rotation.T + translation
        pixels = self._project(in_camera)
        place = (2 * pixels / self._size - 1)[None, None]
        seen = torch.nn.functional.grid_sample(self._maps, place, padding_mode="border", align_corners=False)[0, :, 0].T
        length = seen[:, :3].norm(dim=1)
        facing = -(turned * in_camera).sum(1) / in_camera.norm(dim=1)
        within = ((pixels > 0) & (pixels < self._size)).all(1)
        # What is believed is decided anew at every step, as the fit does, and is no way downhill.
        believed = (seen[:, 3] * within * (facing > GRAZING) * (length > 0.5)).detach()
        sigma = seen[:, 4].detach()
        weight = believed.sqrt() * self._sample_weight / (settings.normal_sigma**2 + sigma**2).sqrt()
        residual = turned @ self._to_map - seen[:, :3] / length.clamp_min(1e-6)[:, None]
        outlier = (settings.normal_outlier * weight).clamp_min(1e-9)
        return settings.normal_share * _robust(residual * weight[:, None], outlier)

    def _project(self, points: Tensor) -> Tensor:
        fx, fy, cx, cy = self._intrinsics
        x, y, z = points.unbind(1)
        return torch.stack([fx * x / z + cx, fy * y / z + cy], 1)


def _robust(residual: Tensor, outlier: Tensor) -> Tensor:
    """Geman-McClure: residuals (n, c) and widths in sigmas."""
    squared = (residual**2).sum(1) / outlier**2
    return 0.5 * (outlier**2 * squared / (1 + squared)).sum()


def _tensor(values: object) -> Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float32)
