"""A training run's settings, read from a TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from inference_core.errors import BadInput

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Config:
    """Everything that decides the weights, but for the package's own code and head."""

    seed: int
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    warm_up: int  # steps of linear warm-up before the cosine
    ema: float  # decay of the averaged weights
    pool_start: int  # samples that exist before the first step
    pool_per_step: float  # new samples per step
    size: int = 192  # px that the network works at: the product's 256 are shrunk, a multiple of 32
    small: int = 160  # px of the photos in the first steps: cheaper, most of the learning
    small_steps: int = 0
    workers: int = 1  # rendering processes
    second_body: str = ""  # folder of ICT-FaceKit; without one all shapes are the Open Head's
    second_share: float = 0.0  # of the samples, with ICT's shapes
    traced: str = ""  # folder that path_traced filled with heads lit by Cycles
    traced_share: float = 0.0  # of every batch
    channels: tuple[int, ...] = (32, 64, 128, 192)  # at strides 4, 8, 16, 32
    depths: tuple[int, ...] = field(default=(1, 1, 3, 2))
    fine: int = 16  # channels at stride 2
    refine: tuple[int, ...] = (0, 0, 0, 0)  # more blocks on the way up, at strides 2, 4, 8, 16
    validation: int = 96  # unseen samples
    normalised: bool = True  # False: without batch normalisation, the form of a finished network that learns on
    pool: str = ""  # folder that `pool` fills in the background; nothing is rendered by the training itself then
    real: str = ""  # folder of a pool of real photographs with pseudo truth
    real_share: float = 0.0  # of every batch
    zoom: float = 0.0  # each crop is scaled by up to this share and moved by half of it; normals by lines of sight stay
    roll: float = 0.0  # degrees (standard deviation) that each crop is turned by
    relit: float = 0.0  # share of the crops that get one more soft lamp, by their true normals

    @property
    def pool_size(self) -> int:
        """Samples rendered in the whole run."""
        return int(self.pool_start + self.steps * self.pool_per_step) + 1

    def available(self, step: int) -> int:
        """Samples that a step may draw from: fixed by the step, so that a run repeats however fast the machine is."""
        return min(int(self.pool_start + step * self.pool_per_step), self.pool_size)


def load_config(name: str) -> Config:
    """Read a config by its path, or by the name of one in the package.

    Raises:
        BadInput: for a file that cannot be read, unknown keys, or missing ones.
    """
    path = Path(name) if name.endswith(".toml") else CONFIGS / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"The training config {name} cannot be read: {error}.", "Give a TOML file.") from error
    known = {item.name for item in fields(Config)}
    if unknown := sorted(set(values) - known):
        raise BadInput(f"The training config has unknown keys: {', '.join(unknown)}.", f"Known: {sorted(known)}.")
    for key in ("channels", "depths", "refine"):
        if key in values:
            values[key] = tuple(values[key])
    try:
        return Config(**values)
    except TypeError as error:
        raise BadInput(f"The training config is incomplete: {error}.", "Compare with configs/shipped.toml.") from error
