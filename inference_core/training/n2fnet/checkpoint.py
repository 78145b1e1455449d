"""Checkpoints: written whole or not at all, read without running code from them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inference_core.errors import BadInput
from inference_core.formats.writing import written_whole
from inference_core.training.n2fnet.config import Config, as_dict, config_from_dict


@dataclass
class Progress:
    """Where a run stands; everything a resumed one must know beside the weights."""

    samples: int = 0
    steps: int = 0
    fresh: int = 0  # chunks taken from the stream; the others were stored ones
    seconds: float = 0.0
    best: float = float("inf")
    best_samples: int = 0
    stage: int = 1
    measures: dict[str, float] = field(default_factory=dict)


class Average:
    """An exponential moving average of a model's weights; the copy is what is validated and shipped."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    def update(self, model: nn.Module) -> None:
        """Move towards the model. Young averages follow quickly, so that the random start is forgotten."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for ours, theirs in zip(self.model.parameters(), model.parameters(), strict=True):
                ours.lerp_(theirs, 1 - decay)
            for kept, moved in zip(self.model.buffers(), model.buffers(), strict=True):
                kept.copy_(moved)


def save_checkpoint(
    path: Path,
    config: Config,
    head_sha256: str,
    progress: Progress,
    average: Average,
    model: nn.Module | None = None,
    optimiser: torch.optim.Optimizer | None = None,
) -> None:
    """Write the average, and with model and optimiser all that a resumed run needs."""
    state = {
        "config": as_dict(config),
        "head_sha256": head_sha256,
        "progress": vars(progress).copy(),
        "average": average.model.state_dict(),
        "average_steps": average.steps,
        "model": model.state_dict() if model is not None else None,
        "optimiser": optimiser.state_dict() if optimiser is not None else None,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        torch.save(state, file)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The saved state, tensors on the CPU.

    Raises:
        BadInput: where it is absent, damaged, or of another form.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state["config"] = config_from_dict(state["config"])
        state["progress"] = Progress(**state["progress"])
    except (OSError, KeyError, TypeError, RuntimeError, EOFError) as error:
        raise BadInput(f"The checkpoint {path.name} cannot be read: {error}.", "Start without it.") from error
    return state
