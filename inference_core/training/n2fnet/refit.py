"""The output layer on a new identity space, in closed form: ridge regression of the codes on what the layer sees.

Codes that are carried over by least squares on vertices (`warm_start`) say the old population's opinion in the new
one's words. Where the population itself has changed that is no better than its mean; a fit of the last layer alone to
two thousand new faces is, and takes half a minute.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from inference_core.training.n2fnet.model import N2FNet
from inference_core.training.n2fnet.stream import Chunk
from inference_core.training.n2fnet.validate import batch_on

CHUNKS = 64
RIDGE = 0.03
"""Share of the features' mean variance: 2,000 faces for 512 features need some."""


@torch.no_grad()
def refit_codes(model: N2FNet, chunks: Iterable[Chunk]) -> None:
    """Set the rows of the output layer that answer with shape and expression; all else stays. On the CPU."""
    seen: list[Tensor] = []
    handle = model.flame.last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].double()))
    codes = []
    training = model.training
    model.eval()
    try:
        for chunk in chunks:
            normals, truth = batch_on(chunk, torch.device("cpu"))
            model(normals)
            codes.append(torch.cat([truth.shape / model.shape_scale, truth.expression], 1).double())
    finally:
        handle.remove()
        model.train(training)
    features, wanted = torch.cat(seen), torch.cat(codes)
    middle, mean = features.mean(0), wanted.mean(0)
    centred = features - middle
    gram = centred.T @ centred
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weight = torch.linalg.solve(gram, centred.T @ (wanted - mean)).T
    rows = wanted.shape[1]
    model.flame.last.weight[:rows] = weight.float()
    model.flame.last.bias[:rows] = (mean - weight @ middle).float()
