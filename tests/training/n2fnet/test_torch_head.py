"""The torch forward pass is the numpy one, and its gradients are right."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inference_core.head import Head, HeadParameters, pose_head  # noqa: E402
from inference_core.head.forward import joint_rotations  # noqa: E402
from inference_core.head.rotations import matrix_from_6d as numpy_6d  # noqa: E402
from inference_core.training.torch_head import TorchHead, matrix_from_6d, matrix_from_vector  # noqa: E402


def random_parameters(head: Head, count: int) -> HeadParameters:
    rng = np.random.default_rng(3)
    return HeadParameters(
        shape=rng.normal(size=(count, head.shape_count)),
        expression=rng.random((count, head.expression_count)),
        neck=rng.normal(0, 0.3, (count, 3)),
        jaw=rng.normal(0, 0.3, (count, 3)),
        eyes=rng.normal(0, 0.3, (count, 2, 3)),
        eyelids=rng.random((count, 2)),
    )


def run(model: TorchHead, parameters: HeadParameters, dtype: torch.dtype) -> np.ndarray:
    values = (parameters.shape, parameters.expression, parameters.eyelids, joint_rotations(parameters))
    return model(*(torch.tensor(v, dtype=dtype) for v in values)).numpy()


def test_equals_numpy(head: Head) -> None:
    parameters = random_parameters(head, 3)
    expected = pose_head(head, parameters)
    assert np.abs(run(TorchHead(head), parameters, torch.float32) - expected).max() < 1e-6
    chosen = np.array([5, 17, 400])
    some = run(TorchHead(head, chosen), parameters, torch.float32)
    assert np.abs(some - expected[:, chosen]).max() < 1e-6


def test_gradients(head: Head) -> None:
    model = TorchHead(head, np.arange(0, head.vertex_count, 700), torch.float64)
    torch.manual_seed(0)
    vectors = torch.randn(1, 4, 3, dtype=torch.float64) * 0.2
    inputs = [
        torch.randn(1, head.shape_count, dtype=torch.float64),
        torch.rand(1, head.expression_count, dtype=torch.float64),
        torch.rand(1, 2, dtype=torch.float64),
        vectors,
    ]
    for value in inputs:
        value.requires_grad_()
    assert torch.autograd.gradcheck(lambda *v: model(*v[:3], matrix_from_vector(v[3])), inputs, fast_mode=True)


def test_rotations() -> None:
    vectors = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    matrix_from_vector(vectors).sum().backward()
    assert torch.isfinite(vectors.grad).all()
    six = np.random.default_rng(0).normal(size=(5, 6))
    assert np.allclose(matrix_from_6d(torch.tensor(six)).numpy(), numpy_6d(six))
