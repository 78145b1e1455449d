"""Everything that a training run of N2FNet depends on, in one place; a TOML file may change any of it.

Defaults are the paper's where they fit the Open Head. Where they do not: ARKit's expression units only go from 0 to 1,
lids from open to closed, and photographs show wider poses than the paper's camera.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Literal, TypeVar

from inference_core.errors import BadInput


@dataclass(frozen=True)
class HeadSpace:
    """How heads and cameras are drawn. Angles in degrees, lengths in metres."""

    shape_sigma: float = 1.0  # the population is that of scanned people, as wide as they are
    jaw_open_degrees: float = 9.0  # half-normal
    jaw_open_limit_degrees: float = 27.0
    jaw_shut_share: float = 0.4
    jaw_side_degrees: float = 2.0
    neutral_share: float = 0.12
    smile_share: float = 0.3
    expression_pairs: tuple[int, int] = (1, 9)  # how many names (left and right counted once) are active
    expression_together_share: float = 0.75  # left and right alike
    signed_sigma: float = 0.5  # of expressions that take both signs, as the paper draws FLAME's
    pitch_degrees: float = 13.0
    yaw_degrees: float = 20.0
    roll_degrees: float = 10.0
    wide_share: float = 0.2
    wide_pitch_degrees: float = 30.0
    wide_yaw_degrees: float = 55.0
    wide_roll_degrees: float = 35.0
    field_of_view_degrees: tuple[float, float] = (8.0, 60.0)  # of the whole photograph, drawn log-uniformly
    face_share: tuple[float, float] = (0.15, 0.8)  # face height in photograph height
    distance_limits: tuple[float, float] = (0.3, 6.0)
    crop_scale: tuple[float, float] = (1.2, 1.6)
    crop_shift: float = 0.06  # of the crop's side


@dataclass(frozen=True)
class Corruption:
    """How a perfect normal map is spoiled, so that the network lives on an extractor's. Lengths for 128 px maps."""

    clean_share: float = 0.12
    blur_px: float = 2.0
    flatten: float = 0.6
    flatten_px: tuple[float, float] = (3.0, 9.0)
    bend_degrees: float = 5.0  # half-normal width of the smooth angular error's strength
    bend_limit_degrees: float = 14.0
    tilt_degrees: float = 2.0  # one rotation of the whole map
    noise_degrees: float = 4.0
    border_px: float = 3.0
    forehead_share: float = 0.35
    chin_share: float = 0.15
    side_share: float = 0.2
    glasses_share: float = 0.15
    blotch_share: float = 0.3


@dataclass(frozen=True)
class Network:
    """The regressor's form. `backbone` is a name that `backbones.build_backbone` knows."""

    backbone: str = "canonical"
    width: int = 256
    heads: int = 8
    pool: Literal["mean", "places"] = "places"
    camera_pool: int = 2  # the camera block reads tokens averaged over this many by this many
    hidden: int = 512
    map_size: int = 128  # the graph averages 256 px down to this
    normalised: bool = True  # False: without batch normalisation, the form of a finished network that learns on


@dataclass(frozen=True)
class Losses:
    """Weights. Lengths enter in mm, image distances in px of the 256 px crop."""

    surface: float = 0.4  # posed face, rigidly aligned: the measure itself
    # The same without its size. A head's size hardly shows in a picture; left in, its error drowns what does show.
    form: float = 1.0
    placed: float = 0.2  # posed face, not aligned
    identity: float = 0.25
    motion: float = 0.25  # expression, lids and jaw alone
    landmarks: float = 0.25
    head: float = 0.1  # rest of the head
    shape_squares: float = 0.1
    expression_squares: float = 2.0
    jaw_squares: float = 5.0
    eyelid_squares: float = 1.0
    rotation: float = 0.2
    placement: float = 0.2
    projection: float = 0.2
    coarse_rotation: float = 0.2
    coarse_placement: float = 0.2
    # The paper's L_param with each parameter weighted by the millimetres it moves the face: squares, mm^2.
    parameters: float = 0.0
    # The paper's L_render, beside `projection`; see `render_loss`.
    render_normals: float = 0.0
    render_mask: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, how often. `stages` "two" is the paper's: first all but the camera module, then it alone."""

    stages: Literal["joint", "two"] = "joint"
    camera_share: float = 0.2  # of the samples, for the second stage
    samples: int = 600_000
    minutes: float = 0.0  # > 0: stretch the schedule so that it ends after this wall-clock time
    batch: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warm_up: float = 0.03
    ema: float = 0.998
    workers: int = 1
    threads: int = 1
    bfloat16: bool = True
    estimated: str = ""  # folder of chunks made by `estimated`, mixed in
    estimated_share: float = 0.25  # of the batches
    validate_every: int = 20_000  # samples
    validation_samples: int = 1024
    seed: int = 1


@dataclass(frozen=True)
class Config:
    """One training run."""

    space: HeadSpace = field(default_factory=HeadSpace)
    corruption: Corruption = field(default_factory=Corruption)
    network: Network = field(default_factory=Network)
    losses: Losses = field(default_factory=Losses)
    schedule: Schedule = field(default_factory=Schedule)


_T = TypeVar("_T")


def _overlay(default: _T, values: dict[str, object], where: str) -> _T:
    assert is_dataclass(default) and not isinstance(default, type)
    known = {entry.name: getattr(default, entry.name) for entry in fields(default)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise BadInput(f"The training configuration names {where}{unknown[0]}, which does not exist.", "Correct it.")
    for name, value in values.items():
        old = known[name]
        if is_dataclass(old):
            if not isinstance(value, dict):
                raise BadInput(f"The training configuration's {where}{name} must be a table.", "Correct it.")
            known[name] = _overlay(old, value, f"{where}{name}.")
            continue
        if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(old, tuple) and isinstance(value, list):
            value = tuple(type(old[0])(part) for part in value)
        if type(value) is not type(old):
            raise BadInput(f"The training configuration's {where}{name} must be like {old!r}.", "Correct it.")
        known[name] = value
    return type(default)(**known)


def config_from_dict(values: dict[str, object]) -> Config:
    """The defaults with some values replaced.

    Raises:
        BadInput: for unknown names and wrong types.
    """
    return _overlay(Config(), values, "")


def load_config(path: Path) -> Config:
    """Read a TOML file of tables [space], [corruption], [network], [losses], [schedule].

    Raises:
        BadInput: for what is no TOML, unknown keys, or values of other types.
    """
    try:
        return config_from_dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"The training configuration {path.name} cannot be read: {error}.", "Correct it.") from error


def as_dict(config: Config) -> dict[str, object]:
    """Plain values for JSON; `config_from_dict` reads them back."""
    return asdict(config)
