"""python -m inference_core.training.pace: samples a CPU second, of painting and of both networks' training steps.

By the process's own CPU time on one thread, so that a busy machine changes little. Before: with batch normalisation and
in bfloat16, as training ran until the second edition; after: as a fine-tuning runs now on this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from inference_core.head import load_head
from inference_core.training.device import best_device, half_pays
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.batch import Variety, to_batch
from inference_core.training.extractor.build import build_net
from inference_core.training.extractor.config import load_config
from inference_core.training.extractor.losses import extractor_losses
from inference_core.training.extractor.pool import Record, make_record, sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.n2fnet.config import Config
from inference_core.training.n2fnet.losses import Criterion
from inference_core.training.n2fnet.model import N2FNet
from inference_core.training.n2fnet.render import NormalRenderer
from inference_core.training.n2fnet.stream import Chunk, make_chunk
from inference_core.training.n2fnet.validate import batch_on

SEED = 31
ROUNDS = 3


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of ROUNDS, after one that warms up."""
    work()
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def normals_step(records: list[Record], normalised: bool, half: bool) -> float:
    """Samples a CPU second of a step of the normals network, batch included."""
    config = replace(load_config("finetune"), normalised=normalised)
    net = build_net(config).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rng = np.random.default_rng(SEED)

    def step() -> None:
        rgb, normals, labels = to_batch(records, rng, config.size, Variety.of(config))
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            raw = net(rgb)
        extractor_losses(raw.float(), normals, labels).total.backward()  # type: ignore[no-untyped-call]

    return len(records) / seconds(step)


def n2fnet_step(chunk: Chunk, normalised: bool, half: bool) -> float:
    """Samples a CPU second of a step of N2FNet, rendering not included."""
    head, config = load_head(), Config()
    model = N2FNet(replace(config.network, normalised=normalised), head).train()
    model.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    criterion = Criterion(head, config.losses)
    normals, truth = batch_on(chunk, torch.device("cpu"))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            said, coarse = model.with_coarse(normals.contiguous(memory_format=torch.channels_last))
        said = type(said)(*(value.float() for value in said))
        criterion(said, truth, coarse)[0].backward()

    return len(chunk) / seconds(step)


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    head, config = load_head(), Config()
    anatomy, renderer = build_anatomy(head), NormalRenderer(head, config.network.map_size)
    records = [make_record(draw_sample(anatomy, sample_rng(SEED, n))) for n in range(16)]
    chunk = make_chunk(head, renderer, config.space, config.corruption, (SEED, 0), 32)
    numbers = iter(range(10**6))
    painted = 4 / seconds(lambda: [draw_sample(anatomy, sample_rng(SEED, next(numbers))) for _ in range(4)])
    rendered = 32 / seconds(lambda: make_chunk(head, renderer, config.space, config.corruption, (SEED, 1), 32))
    print("| samples a CPU second | before | after |\n| --- | --- | --- |")
    print(f"| painted faces | - | {painted:.1f} |\n| normal maps for N2FNet, spoiled | - | {rendered:.0f} |")
    half = half_pays(best_device())
    rows = (
        ("a step of the normals network", normals_step(records, True, True), normals_step(records, False, half)),
        ("a step of N2FNet", n2fnet_step(chunk, True, True), n2fnet_step(chunk, False, half)),
    )
    for name, before, after in rows:
        print(f"| {name} | {before:.1f} | {after:.1f} |")
    print(f"\nHardware bfloat16: {'yes' if half else 'no'}; 1 thread, torch {torch.__version__}.")


if __name__ == "__main__":
    main()
