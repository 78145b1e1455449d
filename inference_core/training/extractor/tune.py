"""A short training from a finished network on records of one's own, mixed with painted ones so that nothing is lost."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from inference_core.head import load_head
from inference_core.training.device import best_device, half_pays
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.batch import to_batch
from inference_core.training.extractor.losses import extractor_losses
from inference_core.training.extractor.network import ExtractorNet
from inference_core.training.extractor.pool import Record, make_record, sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.train import average_into

PAINTED_SEED = 4242  # neither training, nor validation, nor test
WARM_UP = 10


@dataclass(frozen=True)
class Tuning:
    """How long and how strongly; `share` of each batch are one's own records."""

    steps: int = 240
    batch: int = 12
    share: float = 0.5
    learning_rate: float = 3e-4
    decay: float = 0.98  # of the averaged weights
    seed: int = 1


def painted(count: int, tell: Callable[[int, int], None] = lambda *_: None) -> list[Record]:
    """Painted records that no other training sees."""
    anatomy = build_anatomy(load_head())
    made = []
    for number in range(count):
        made.append(make_record(draw_sample(anatomy, sample_rng(PAINTED_SEED, number))))
        tell(number + 1, count)
    return made


def tuned(
    net: ExtractorNet,
    own: Sequence[Record],
    others: Sequence[Record],
    size: int,
    tuning: Tuning,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> ExtractorNet:
    """The averaged weights after `tuning.steps`; `net` itself is left alone. `size`: px of the pictures it takes.

    Without `others` all of a batch are one's own.
    """
    torch.manual_seed(tuning.seed)
    rng = np.random.default_rng([tuning.seed, 0x7])
    device = best_device()
    learner = copy.deepcopy(net).to(device).train()
    mean = copy.deepcopy(learner)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=tuning.learning_rate, weight_decay=0.0)
    half = half_pays(device)
    of_own = tuning.batch if not others else max(1, round(tuning.batch * tuning.share))
    for step in range(tuning.steps):
        for group in optimiser.param_groups:
            group["lr"] = tuning.learning_rate * _course(step, tuning.steps)
        batch = [own[i] for i in rng.integers(0, len(own), of_own)]
        if others:
            batch += [others[i] for i in rng.integers(0, len(others), tuning.batch - of_own)]
        rgb, normals, labels = (x.to(device) for x in to_batch(batch, rng, size))
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            raw = learner(rgb)
        losses = extractor_losses(raw, normals, labels)
        optimiser.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimiser.step()
        average_into(mean, learner, min(tuning.decay, (step + 1) / (step + 10)))
        tell(step + 1, tuning.steps)
    return mean.cpu().eval()


def _course(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine to a twentieth."""
    return min(1.0, (step + 1) / WARM_UP) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / max(1, steps))))
