"""The closed-form Jacobian against central differences of the forward pass, column by column."""

from __future__ import annotations

import numpy as np
import pytest

from inference_core.head import Head, HeadParameters, pose_head
from inference_core.head.jacobian import Patch
from tests.head.conftest import random_parameters


@pytest.mark.parametrize("turned", [True, False], ids=["turned", "at rest"])
def test_equals_central_differences(head: Head, turned: bool) -> None:
    rng = np.random.default_rng(2)
    vertices = np.sort(rng.choice(head.vertex_count, 30, replace=False)).astype(np.int32)
    parameters = random_parameters(head, 3) if turned else HeadParameters.neutral(head)
    patch = Patch(head, vertices, shape_count=5)
    positions, jacobian = patch.evaluate(parameters)
    assert np.abs(positions - pose_head(head, parameters)[vertices]).max() < 1e-6

    vector, step = patch.columns.pack(parameters), 1e-2
    for column in range(patch.columns.count):
        ends = []
        for sign in (-2, -1, 1, 2):  # fourth order, so that a step that float32 resolves is still accurate
            moved = vector.copy()
            moved[column] += sign * step
            ends.append(pose_head(head, patch.columns.unpack(moved, parameters))[vertices])
        numeric = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        assert np.abs(numeric - jacobian[:, :, column]).max() < 2e-5, f"column {column}"


def test_pack_and_unpack_are_inverse(head: Head) -> None:
    parameters = random_parameters(head, 8)
    columns = Patch(head, np.arange(3, dtype=np.int32), shape_count=4).columns
    back = columns.unpack(columns.pack(parameters), parameters)
    for name, value in vars(parameters).items():
        assert np.array_equal(value, getattr(back, name)), name
