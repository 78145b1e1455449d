"""Validation: the loss's own terms on a fixed set of unseen renders.

With perfect normals, with spoiled ones and, where the run has some, with those that the extractor estimated.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from inference_core.head import Head
from inference_core.training.n2fnet.config import Config
from inference_core.training.n2fnet.losses import Criterion, Truth
from inference_core.training.n2fnet.model import IDENTITY_6D, Prediction
from inference_core.training.n2fnet.render import NormalRenderer
from inference_core.training.n2fnet.stream import VALIDATION_STREAM, Chunk, make_chunk

BATCH = 64


def batch_on(chunk: Chunk, device: torch.device) -> tuple[Tensor, Truth]:
    """Normals as float32 and the truth, on the device."""

    def move(name: str) -> Tensor:
        return torch.from_numpy(getattr(chunk, name)).to(device, torch.float32)

    return move("normals"), Truth(*(move(name) for name in Truth._fields))


class Validation:
    """The fixed set. Draws do not depend on the training seed, so runs can be compared."""

    def __init__(self, head: Head, config: Config, device: torch.device, estimated: Sequence[Chunk] = ()) -> None:
        """`estimated`: stored chunks that training does not see."""
        renderer = NormalRenderer(head, config.network.map_size)
        count = max(1, config.schedule.validation_samples // (2 * BATCH))
        self.sets = {
            name: [
                batch_on(make_chunk(head, renderer, config.space, level, (VALIDATION_STREAM, k), BATCH), device)
                for k in range(count)
            ]
            for name, level in (("true", None), ("spoiled", config.corruption))
        }
        if estimated:
            self.sets["estimated"] = [batch_on(chunk, device) for chunk in estimated]

    def measure(self, model: nn.Module, criterion: Criterion) -> dict[str, float]:
        """Mean of every term per set, as "true_surface", ...; and "score", what the best checkpoint is chosen by."""
        result: dict[str, float] = {}
        with torch.inference_mode():
            for name, batches in self.sets.items():
                terms = [criterion(model(normals), truth)[1] for normals, truth in batches]
                for term in terms[0]:
                    result[f"{name}_{term}"] = float(torch.stack([t[term] for t in terms]).mean())
        result["score"] = sum(
            (result[f"{name}_surface"] + 0.1 * result[f"{name}_projection"]) / len(self.sets) for name in self.sets
        )
        return result

    def mean_head(self, criterion: Criterion) -> float:
        """The mean head's surface error on the same set, mm: what knowing nothing gives."""
        errors = []
        with torch.inference_mode():
            for _, truth in self.sets["true"]:
                jaw = torch.tensor(IDENTITY_6D, device=truth.shape.device).expand(len(truth.shape), 6)
                nothing = Prediction(
                    torch.zeros_like(truth.shape), torch.zeros_like(truth.expression), jaw,
                    torch.zeros_like(truth.eyelids), truth.rotation.transpose(1, 2).flatten(1)[:, :6], truth.placement,
                )  # fmt: skip
                errors.append(criterion(nothing, truth)[1]["surface"])
        return float(torch.stack(errors).mean())
