"""The training loop: resumable at any moment, on CUDA where there is one and on a CPU otherwise."""

from __future__ import annotations

import csv
import math
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from inference_core.errors import BadInput
from inference_core.head import load_head
from inference_core.training.device import best_device, half_pays
from inference_core.training.n2fnet.checkpoint import Average, Progress, read_checkpoint, save_checkpoint
from inference_core.training.n2fnet.config import Config, Losses, Schedule
from inference_core.training.n2fnet.estimated import load_chunks
from inference_core.training.n2fnet.from_onnx import state_from_onnx
from inference_core.training.n2fnet.losses import Criterion
from inference_core.training.n2fnet.model import N2FNet
from inference_core.training.n2fnet.refit import CHUNKS, refit_codes
from inference_core.training.n2fnet.render import NormalRenderer
from inference_core.training.n2fnet.stream import Chunk, ChunkStream, make_chunk
from inference_core.training.n2fnet.validate import Validation, batch_on
from inference_core.training.n2fnet.warm_start import warm_start

CAMERA_TERMS = ("rotation", "placement", "projection", "render_normals", "render_mask")
REFIT_STREAM = 0x2EF17
HELD_OUT = 10  # every tenth stored chunk validates
LAST, BEST, CURVE = "last.pt", "best.pt", "curve.csv"


def learning_rate(schedule: Schedule, fraction: float) -> float:
    """Linear warm-up, then a cosine to a hundredth. `fraction` of the run (or of its stage) done."""
    if fraction < schedule.warm_up:
        return schedule.learning_rate * max(fraction / schedule.warm_up, 1e-3)
    rest = min((fraction - schedule.warm_up) / (1 - schedule.warm_up), 1.0)
    return schedule.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * rest)))


def stage_losses(losses: Losses, stages: str, stage: int) -> Losses:
    """All terms when trained jointly; with two stages first the FLAME module's, then the camera's."""
    if stages == "joint":
        return losses
    camera = {name: getattr(losses, name) if stage == 2 else 0.0 for name in CAMERA_TERMS}
    others = {name: 0.0 for name in vars(losses) if name not in CAMERA_TERMS} if stage == 2 else {}
    return Losses(**{**vars(losses), **camera, **others})


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM, so that a run ends between two steps and can be resumed."""
    caught: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        caught.append(number)

    old = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _attention(device: torch.device) -> AbstractContextManager[None]:
    """For a few dozen tokens a CPU is an eighth faster without the fused attention's backward pass."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def stored_chunk(estimated: list[Chunk], schedule: Schedule, step: int) -> Chunk | None:
    """The stored chunk that this step takes, None for a fresh one. Drawn from the seed and the step alone."""
    rng = np.random.default_rng((schedule.seed, step))
    if not estimated or rng.random() >= schedule.estimated_share:
        return None
    return estimated[int(rng.integers(len(estimated)))]


class Trainer:
    """One run in one folder: last.pt (to resume), best.pt (to export), curve.csv (one row per validation)."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        head_path: Path,
        resume: bool = False,
        start: Path | None = None,
        start_head: Path | None = None,
    ) -> None:
        """`start` begins from another run's weights; `start_head` is the head file they belong to, if it differs."""
        self.folder, self.head_path = folder, head_path
        self.progress = Progress()
        saved = read_checkpoint(folder / LAST) if resume else None
        self.config = saved["config"] if saved else config
        schedule = self.config.schedule
        self.device = best_device()
        if self.device.type == "cpu":
            torch.set_num_threads(schedule.threads)
        torch.manual_seed(schedule.seed)
        self.head = load_head(head_path)
        model = N2FNet(self.config.network, self.head)
        if start is not None and saved is None:
            old_head = load_head(start_head) if start_head else self.head
            finished = start.suffix == ".onnx"
            state = (
                state_from_onnx(start, self.config.network, old_head) if finished else read_checkpoint(start)["average"]
            )
            warm_start(model, state, old_head, self.head)
            if old_head.sha256 != self.head.sha256:
                refit_codes(model, self._first_chunks())
        self.model = model.to(self.device)
        self.model.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stub lacks it
        self.average = Average(self.model, schedule.ema)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": schedule.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            betas=(0.9, 0.99),
            fused=True,
        )
        if saved:
            self.progress = saved["progress"]
            self.model.load_state_dict(saved["model"])
            self.average.model.load_state_dict(saved["average"])
            self.average.steps = saved["average_steps"]
            self.optimiser.load_state_dict(saved["optimiser"])

    def _fraction(self) -> float:
        schedule = self.config.schedule
        if schedule.minutes > 0:
            return self.progress.seconds / (60 * schedule.minutes)
        return self.progress.samples / schedule.samples

    def _enter_stage(self, fraction: float) -> tuple[int, float]:
        """The stage and the fraction of it that is done; freezes what the second stage must not touch."""
        schedule = self.config.schedule
        if schedule.stages == "joint":
            return 1, fraction
        border = 1 - schedule.camera_share
        if fraction < border:
            return 1, fraction / border
        frozen: tuple[nn.Module, ...] = (self.model.backbone, self.model.flame)
        for module in frozen:
            module.requires_grad_(False)
            module.eval()
        if self.progress.stage == 1:
            # The paper freezes what stage 1 ended with; here that is its average.
            self.model.load_state_dict(self.average.model.state_dict())
        return 2, (fraction - border) / schedule.camera_share

    def run(self) -> Progress:
        """Train until the schedule ends or a signal asks to stop; returns where the run stands."""
        schedule = self.config.schedule
        criterion = Criterion(self.head, self.config.losses).to(self.device)
        stored = self._estimated()
        validation = Validation(self.head, self.config, self.device, stored[::HELD_OUT])
        mean_head = validation.mean_head(criterion)
        print(f"{sum(p.numel() for p in self.model.parameters()) / 1e6:.2f} M parameters, mean head {mean_head:.3f} mm")
        stream = ChunkStream(
            self.head_path, self.config.space, self.config.corruption, schedule.seed, self.config.network.map_size,
            schedule.batch, self.progress.fresh, schedule.workers,
        )  # fmt: skip
        next_validation = self.progress.samples + schedule.validate_every
        with stream, _stop_signals() as caught:
            kept = [chunk for index, chunk in enumerate(stored) if index % HELD_OUT]
            fresh = iter(stream)
            half = schedule.bfloat16 and half_pays(self.device)
            before = time.monotonic()
            while (fraction := self._fraction()) < 1 and not caught:
                self.model.train()
                self.progress.stage, part = self._enter_stage(fraction)
                criterion.losses = stage_losses(self.config.losses, schedule.stages, self.progress.stage)
                for group in self.optimiser.param_groups:
                    group["lr"] = learning_rate(schedule, part)
                chunk = stored_chunk(kept, schedule, self.progress.steps)
                if chunk is None:
                    chunk = next(fresh)
                    self.progress.fresh += 1
                normals, truth = batch_on(chunk, self.device)
                with (
                    torch.autocast(self.device.type, torch.bfloat16, enabled=half),
                    _attention(self.device),
                ):
                    predicted, coarse = self.model.with_coarse(normals.contiguous(memory_format=torch.channels_last))
                predicted = type(predicted)(*(value.float() for value in predicted))
                loss, terms = criterion(predicted, truth, coarse)
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
                self.optimiser.step()
                self.average.update(self.model)
                self.progress.samples += len(normals)
                self.progress.steps += 1
                now = time.monotonic()
                self.progress.seconds, before = self.progress.seconds + now - before, now
                if self.progress.samples >= next_validation:
                    next_validation += schedule.validate_every
                    self._validate(validation, criterion, terms)
                    before = time.monotonic()
            if not caught:
                self._validate(validation, criterion, {})
        self._save_last()
        return self.progress

    def _estimated(self) -> list[Chunk]:
        folder = self.config.schedule.estimated
        if not folder:
            return []
        found = load_chunks(Path(folder))
        if not found:
            raise BadInput(f"{folder} holds no chunks.", "Make them with inference_core.training.n2fnet.estimated.")
        codes = {(chunk.shape.shape[1], chunk.expression.shape[1]) for chunk in found}
        if codes != {(self.head.shape_count, self.head.expression_count)}:
            raise BadInput(f"The chunks in {folder} are of another head.", "Make them anew for this one.")
        return found

    def _first_chunks(self) -> Iterator[Chunk]:
        """Spoiled faces that neither training nor validation sees."""
        renderer = NormalRenderer(self.head, self.config.network.map_size)
        for index in range(CHUNKS):
            seed = (REFIT_STREAM, self.config.schedule.seed, index)
            yield make_chunk(self.head, renderer, self.config.space, self.config.corruption, seed, 32)

    def _save_last(self) -> None:
        save_checkpoint(
            self.folder / LAST, self.config, self.head.sha256, self.progress, self.average, self.model, self.optimiser
        )

    def _validate(self, validation: Validation, criterion: Criterion, training: dict[str, torch.Tensor]) -> None:
        measures = validation.measure(self.average.model, criterion)
        self.progress.measures = measures
        row = {
            "samples": self.progress.samples,
            "seconds": round(self.progress.seconds, 1),
            "rate": self.optimiser.param_groups[0]["lr"],
            **measures,
            **{f"training_{name}": float(training[name]) if name in training else math.nan for name in vars(Losses())},
        }
        curve = self.folder / CURVE
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = not curve.exists()
        with curve.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        if measures["score"] < self.progress.best:
            self.progress.best, self.progress.best_samples = measures["score"], self.progress.samples
            save_checkpoint(self.folder / BEST, self.config, self.head.sha256, self.progress, self.average)
        self._save_last()
        surfaces = "  ".join(f"{name} {measures[f'{name}_surface']:.3f} mm" for name in validation.sets)
        print(
            f"{self.progress.samples:>8} samples {self.progress.seconds / 60:6.1f} min  {surfaces}  "
            f"camera {measures['spoiled_projection']:.2f} px",
            flush=True,
        )
