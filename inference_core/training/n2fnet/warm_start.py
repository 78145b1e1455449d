"""Begins from weights that were trained for another head: an earlier version of the same, or one of another mesh."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference_core.head import Head
from inference_core.n2fnet.transfer import Transfer
from inference_core.training.n2fnet.model import N2FNet

CANONICAL = ("backbone.points", "backbone.normals", "backbone.valid")


FAINT = 2e-6
"""m: what moves a vertex by less than this is not worth a large code."""


def shape_map(old: Head, new: Head) -> tuple[Tensor, Tensor]:
    """(S_new, S_old) and (S_new,): of two heads with one mesh, the new shape code nearest to an old one's is the first
    times it, plus the second.

    Least squares over the vertices of face and ears, |template' + S' b' + motion - (template + S b)|, with a faint
    prior on b'. The small rigid motion is free, for where a head stands is the camera's to say.
    """
    used = new.region("face") | new.region("ears")
    a = new.shape_dirs[used].reshape(-1, new.shape_count).astype(np.float64)
    b = old.shape_dirs[used].reshape(-1, old.shape_count).astype(np.float64)
    apart = (old.template[used].astype(np.float64) - new.template[used]).reshape(-1, 1)
    free = np.concatenate([a, _motions(new.template[used].astype(np.float64))], axis=1)
    prior = np.diag(np.concatenate([np.full(new.shape_count, FAINT**2 * used.sum()), np.zeros(6)]))
    solved = np.linalg.solve(free.T @ free + prior, free.T @ np.concatenate([b, apart], axis=1))[: new.shape_count]
    return torch.tensor(solved[:, :-1], dtype=torch.float32), torch.tensor(solved[:, -1], dtype=torch.float32)


def _motions(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3 N, 6) how points (N, 3) move when they are shifted and turned a little, in tenths of a metre and rad."""
    centred = points - points.mean(axis=0)
    shifts = np.broadcast_to(0.1 * np.eye(3), (len(points), 3, 3))
    turns = np.stack([np.cross(axis, centred) for axis in np.eye(3)], axis=2)
    return np.asarray(np.concatenate([shifts, turns], axis=2).reshape(-1, 6), np.float64)


def code_maps(old: Head, new: Head) -> tuple[Tensor, Tensor, Tensor]:
    """Shape (S_new, S_old) and its start (S_new,), expression (E_new, E_old): new codes from old ones, all linear."""
    if old.vertex_count != new.vertex_count:
        transfer = Transfer(old, new)
        shape, start, expression = (
            torch.tensor(values, dtype=torch.float32)
            for values in (transfer.shape_map, transfer.shape_start, transfer.expression_map)
        )
        return shape, start, expression
    named = [[float(one == other) for other in old.expression_names] for one in new.expression_names]
    return *shape_map(old, new), torch.tensor(named)


def warm_start(model: N2FNet, state: dict[str, Tensor], old: Head, new: Head) -> None:
    """Load `state`, its output layer, which is linear in the codes, carried over to the new head by `code_maps`."""
    state = dict(state)
    if old.sha256 != new.sha256:
        shape, start, expression = code_maps(old, new)
        scale = model.shape_scale.cpu()
        carry = shape * state["shape_scale"] / scale[:, None]
        state["shape_scale"] = scale
        for name in ("flame.last.weight", "flame.last.bias"):
            shapes, expressions, rest = torch.tensor_split(
                state[name], [old.shape_count, old.shape_count + old.expression_count]
            )
            state[name] = torch.cat([carry @ shapes, expression @ expressions, rest])
        state["flame.last.bias"][: new.shape_count] += start / scale
        # The unrolled mean face is the new head's.
        state.update({name: value for name, value in model.state_dict().items() if name in CANONICAL})
    model.load_state_dict(state)
