"""The training loop: AdamW with averaged weights, resumable, with its curve in a CSV file."""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from inference_core.formats.writing import written_whole
from inference_core.head import load_head
from inference_core.training.device import best_device, half_pays
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.batch import Variety, to_batch
from inference_core.training.extractor.build import build_net, inherit
from inference_core.training.extractor.config import Config
from inference_core.training.extractor.from_onnx import network_from_onnx
from inference_core.training.extractor.losses import extractor_losses
from inference_core.training.extractor.network import CLASS_COUNT, ExtractorNet
from inference_core.training.extractor.pool import (
    Bodies,
    Pool,
    Record,
    make_record,
    sample_rng,
    start_renderers,
    wait_for,
)
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.shade import OCCLUDER

VALIDATION_SEED = 7919  # never a training seed
SAVE_EVERY = 100
CURVE = ("step", "seconds", "loss", "normals", "classes", "angle_face", "valid_angle_face", "valid_iou_face")


def rate(config: Config, step: int, along: float | None = None) -> float:
    """Learning rate: linear warm-up, then a cosine down to a hundredth; `along` 0..1 is how much of the run is over."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    if along is None:
        along = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(along, 1.0))))


@torch.no_grad()
def average_into(mean: ExtractorNet, net: ExtractorNet, decay: float) -> None:
    """Exponential moving average of weights and of the normalisation's statistics."""
    for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast.to(slow.dtype), 1 - decay)
        else:
            slow.copy_(fast)


@torch.no_grad()
def validate(net: ExtractorNet, records: list[Record], size: int) -> tuple[float, float]:
    """Mean angular error on the face in degrees, and the face class's intersection over union."""
    net.eval()
    device = next(net.parameters()).device
    errors, inter, union = [], 0, 0
    for start in range(0, len(records), 16):
        rgb, normals, labels = (x.to(device) for x in to_batch(records[start : start + 16], size=size))
        raw = net(rgb)
        unit = functional.normalize(raw[:, :3], dim=1)
        cosine = (unit * normals).sum(1).clamp(-1, 1)
        truth = labels == 1
        found = raw[:, 3 : 3 + CLASS_COUNT].argmax(1) == 1
        errors.append(torch.rad2deg(torch.acos(cosine))[truth & (normals.square().sum(1) > 0.5)])
        inter += int((truth & found).sum())
        union += int((truth | found).sum())
    return float(torch.cat(errors).mean()), inter / max(union, 1)


@dataclass(frozen=True, eq=False)
class Extra:
    """Records from elsewhere, all that exist by now, which fill a `share` of every batch."""

    pool: Pool
    share: float

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The pool's filled places, by now."""
        return np.flatnonzero(self.pool.done)


def batches(pool: Pool, config: Config, step: int, extras: Sequence[Extra] = ()) -> list[Record]:
    """The records of one step, drawn by its own generator; newer samples as likely as older ones.

    A quarter of them are the more covered one of two: most of what masks get wrong lies at glasses and hands.
    """
    rng = np.random.default_rng([config.seed, 1, step])
    counts = [round(config.batch * extra.share) for extra in extras]
    if counts and sum(extra.share for extra in extras) > 0.999:
        counts[-1] = config.batch - sum(counts[:-1])
    painted = rng.integers(0, config.available(step), (config.batch - sum(counts), 2))
    drawn = [(pool, pair) for pair in painted]
    for extra, count in zip(extras, counts, strict=True):
        drawn += [(extra.pool, pair) for pair in rng.choice(extra.numbers, (count, 2))]
    picky = rng.random(len(drawn)) < 0.25
    records = []
    for (source, pair), choose in zip(drawn, picky, strict=True):
        covered = [(source.labels[n] == OCCLUDER).sum() for n in pair] if choose else (0, 0)
        n = pair[int(covered[1] > covered[0])]
        records.append(Record(source.rgb[n], source.normals[n], source.labels[n]))
    return records


def stored_pools(config: Config) -> list[Extra]:
    """What other processes made or are making: heads in Cycles, real photographs, painted heads for the rest.

    Raises:
        BadInput: where one of them is still empty.
    """
    named = [(config.traced, config.traced_share), (config.real, config.real_share)]
    shares = [(folder, share) for folder, share in named if folder and share > 0]
    if config.pool:
        shares.append((config.pool, 1 - sum(share for _, share in shares)))
    return [Extra(Pool.made(Path(folder)), share) for folder, share in shares]


def validation_set(count: int) -> list[Record]:
    """Unseen people, rendered once."""
    anatomy = build_anatomy(load_head())
    return [make_record(draw_sample(anatomy, sample_rng(VALIDATION_SEED, n))) for n in range(count)]


def train(
    config: Config,
    folder: Path,
    threads: int = 1,
    initial: Path | None = None,
    extras: Sequence[Extra] = (),
    minutes: float | None = None,
) -> Path:
    """Train to the config's last step, from the folder's checkpoint where there is one; returns the checkpoint's path.

    `extras`, and the config's own, take the place of painted records; with all of a batch nothing is painted.
    `initial` starts fresh training from another run's averaged weights. With `minutes` the learning rate follows the
    clock and the run ends with it: for machines whose speed nobody knows. Such a run cannot be repeated exactly.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    device = best_device()
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "last.pt"
    net = build_net(config)
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if initial is not None and initial.suffix == ".onnx":
        net.load_state_dict(network_from_onnx(initial, config)[0].state_dict())
    elif initial is not None:
        inherit(net, torch.load(initial, map_location=device, weights_only=True)["mean"])
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    first, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        optimiser.load_state_dict(state["optimiser"])
        first, spent = int(state["step"]), float(state.get("seconds", 0.0))
    bodies = Bodies(config.second_body, config.second_share)
    extras = [*extras, *stored_pools(config)]
    painting = sum(extra.share for extra in extras) < 1
    workers = config.workers if painting else 0
    size = config.pool_size if painting else 1
    processes = start_renderers(folder / "pool", size, config.seed, bodies, workers)
    pool = Pool(folder / "pool", size)
    valid = validation_set(config.validation)
    writer = _curve(folder / "curve.csv")
    next(writer)
    half, variety = half_pays(device), Variety.of(config)
    began = time.monotonic() - spent
    for step in range(first, config.steps):
        if painting:
            wait_for(pool, config.available(step), processes)
        along = None if minutes is None else (time.monotonic() - began) / (60 * minutes)
        for group in optimiser.param_groups:
            group["lr"] = rate(config, step, along)
        size = config.small if step < config.small_steps else config.size
        rng = np.random.default_rng([config.seed, 2, step])
        rgb, normals, labels = (x.to(device) for x in to_batch(batches(pool, config, step, extras), rng, size, variety))
        net.train()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            raw = net(rgb)
        losses = extractor_losses(raw, normals, labels)
        optimiser.zero_grad(set_to_none=True)
        losses.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        average_into(mean, net, min(config.ema, (step + 1) / (step + 10)))
        row: list[float] = [
            step + 1,
            time.monotonic() - began,
            *(x.item() for x in (losses.total, losses.normals, losses.classes)),
        ]
        row.append(losses.angle.item())
        last = step + 1 == config.steps or (along is not None and along >= 1)
        if (step + 1) % SAVE_EVERY == 0 or last:
            row += validate(mean, valid, config.size)
            seconds = time.monotonic() - began
            _save(checkpoint, {"net": net, "mean": mean, "optimiser": optimiser}, step + 1, seconds, config)
        writer.send(row)
        if last:
            break
    writer.close()
    return checkpoint


def _save(
    path: Path, parts: dict[str, torch.nn.Module | torch.optim.Optimizer], step: int, seconds: float, config: Config
) -> None:
    state: dict[str, object] = {name: part.state_dict() for name, part in parts.items()}
    with written_whole(path) as file:
        torch.save({**state, "step": step, "seconds": seconds, "config": asdict(config)}, file)


def _curve(path: Path) -> Generator[None, Sequence[float], None]:
    """Rows sent in are appended to the CSV file; every 20th, and each with a validation, is printed."""
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(CURVE)
        while True:
            row = yield
            texts = [str(row[0]), *(f"{value:.4g}" for value in row[1:])]
            writer.writerow(texts)
            file.flush()
            if row[0] % 20 == 0 or len(row) == len(CURVE):
                print(" ".join(texts), flush=True)
