"""The energy's Jacobian against differences of its residuals, on a head where no term can hide."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.fit import FitSettings, Observation
from inference_core.fit.energy import ParameterLayout, State, data_terms
from inference_core.fit.model import FitModel
from inference_core.head import Camera, Head, mediapipe_points, pose_head
from tests.head.conftest import random_head, random_parameters

# No outliers and no shares: then the energy is a plain sum of squares, and its gradient can be differenced.
PLAIN = FitSettings(point_outlier=1e4, normal_outlier=1e4, focal_sigma=0.1, shape_count=5, normal_spacing=0.05)


def observed(head: Head, camera: Camera) -> Observation:
    rng = np.random.default_rng(0)
    points = camera.project(mediapipe_points(head, pose_head(head, random_parameters(head, 9, angle=0.05))))
    down, right = np.mgrid[0:160, 0:160] / 160.0  # a smooth map: its slope is taken by differences
    normals = np.stack([right - 0.4, 0.5 - down, np.ones_like(down)], axis=-1)
    normals = (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)
    return Observation(points, rng.random(len(points)), camera.intrinsics, normals, np.ones((160, 160), np.float32))


@pytest.mark.parametrize("zoom", [0.0, 0.3], ids=["focal length as given", "longer"])
@pytest.mark.parametrize("with_normals", [False, True], ids=["landmarks", "landmarks and normals"])
def test_gradient_is_that_of_the_value(with_normals: bool, zoom: float) -> None:
    head = random_head(4)
    camera = Camera(np.array([3.0, 0.2, 0.1]), np.array([0.02, -0.01, 1.0]), np.array([100.0, 100.0, 80.0, 80.0]))
    seen = observed(head, camera)
    if not with_normals:
        seen = Observation(seen.points, seen.point_weight, seen.intrinsics)
    model = FitModel(head, PLAIN.shape_count, PLAIN.normal_spacing)
    unknowns = ParameterLayout.of(model.patch.columns)
    state = State(random_parameters(head, 3, angle=0.05), camera)
    longer = np.zeros(unknowns.count)
    longer[unknowns.focal] = zoom
    state = state.moved(longer, unknowns)
    here = data_terms(model, seen, state, unknowns, PLAIN)
    step = 1e-3
    numeric = np.array(
        [
            (
                data_terms(model, seen, state.moved(row, unknowns), unknowns, PLAIN).value
                - data_terms(model, seen, state.moved(-row, unknowns), unknowns, PLAIN).value
            )
            / (2 * step)
            for row in step * np.eye(unknowns.count)
        ]
    )
    numeric[unknowns.head.neck] = 0.0  # the fit holds the neck: its columns are left out
    scale = np.abs(here.gradient).max()
    print(f"off by {np.abs(numeric - here.gradient).max() / scale:.1e}")
    # With another focal length the normals turn; how that changes over the picture is in the Jacobian to first order.
    assert np.abs(numeric - here.gradient).max() < (5e-3 if zoom == 0.0 else 2e-2) * scale
    value_alone = data_terms(model, seen, state, unknowns, PLAIN, derivatives=False)
    assert value_alone.value == pytest.approx(here.value, rel=1e-6) and value_alone.gradient.size == 0
