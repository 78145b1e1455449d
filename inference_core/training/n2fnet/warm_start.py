"""Begins from weights that were trained for an earlier version of the head, whose identity basis was another one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from inference_core.errors import BadInput
from inference_core.head import Head
from inference_core.training.n2fnet.model import N2FNet

CANONICAL = ("backbone.points", "backbone.normals", "backbone.valid")


def shape_map(old: Head, new: Head) -> Tensor:
    """(S_new, S_old): the new head's shape code nearest to an old one's, by least squares with a faint prior."""
    if old.vertex_count != new.vertex_count:
        raise BadInput("The two head files have different meshes.", "Train without a start.")
    used = new.region("face") | new.region("ears")
    a = new.shape_dirs[used].reshape(-1, new.shape_count).astype(np.float64)
    b = old.shape_dirs[used].reshape(-1, old.shape_count).astype(np.float64)
    prior = (2e-6**2) * used.sum() * np.eye(new.shape_count)
    return torch.tensor(np.linalg.solve(a.T @ a + prior, a.T @ b), dtype=torch.float32)


def warm_start(model: N2FNet, state: dict[str, Tensor], old: Head, new: Head) -> None:
    """Load `state`, its output layer carried over to the new head: shape by `shape_map`, expressions by name."""
    state = dict(state)
    if old.sha256 != new.sha256:
        carry = shape_map(old, new) * state["shape_scale"] / model.shape_scale[:, None].cpu()
        state["shape_scale"] = model.shape_scale.cpu()
        for name in ("flame.last.weight", "flame.last.bias"):
            values = state[name]
            target = model.state_dict()[name].clone()
            target[: new.shape_count] = carry @ values[: old.shape_count]
            for index, expression in enumerate(new.expression_names):
                if expression in old.expression_names:
                    place = old.shape_count + old.expression_names.index(expression)
                    target[new.shape_count + index] = values[place]
            target[-8:] = values[-8:]
            state[name] = target
        # The unrolled mean face is the new head's.
        state.update({name: value for name, value in model.state_dict().items() if name in CANONICAL})
    model.load_state_dict(state)
