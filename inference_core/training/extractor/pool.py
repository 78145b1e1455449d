"""Samples on disk: rendering processes fill a pool in the order of their numbers, training draws from it.

    python -m inference_core.training.extractor.pool FOLDER --count 20000 [--worker 0 --workers 2]

fills one in the background, or goes on with it; a config's `pool` names the folder.

Rendering a sample costs as much as learning from it. A pool lets each be seen a few times, mirrored and recoloured, and
lets both sides run at their own speed, while sample n stays a function of (seed, n) alone.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from inference_core.errors import BadInput, Internal
from inference_core.head import load_head
from inference_core.perception.sight import sight_lines, to_sight
from inference_core.training.extractor.anatomy import Anatomy, build_anatomy
from inference_core.training.extractor.sample import Sample, draw_sample
from inference_core.training.extractor.second_body import ict_head
from inference_core.training.extractor.subject import SIZE
from inference_core.training.extractor.textures import NO_PORTRAITS, PortraitSkins

HALF = SIZE // 2
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Record:
    """A sample as it is stored and learned from: truth at half the photo's resolution."""

    rgb: Bytes  # (SIZE, SIZE, 3)
    normals: NDArray[np.int8]  # (HALF, HALF, 3) unit * 127 along the lines of sight, 0 where unknown
    labels: Bytes  # (HALF, HALF)


def make_record(sample: Sample) -> Record:
    """Means of 2x2 normals, in the frames of their lines of sight, and the class most of the 2x2 have."""
    blocks = sample.normals.reshape(HALF, 2, HALF, 2, 3).sum(axis=(1, 3))
    length = np.linalg.norm(blocks, axis=2, keepdims=True)
    unit = np.divide(blocks, length, out=np.zeros_like(blocks), where=length > 1.0)
    lines = sight_lines(sample.intrinsics, SIZE, HALF)
    unit = to_sight(unit.transpose(2, 0, 1), lines).transpose(1, 2, 0)
    four = sample.labels.reshape(HALF, 2, HALF, 2).transpose(0, 2, 1, 3).reshape(HALF, HALF, 4)
    votes = (four[..., None] == four[..., None, :]).sum(axis=3)
    labels = np.take_along_axis(four, votes.argmax(axis=2)[..., None], axis=2)[..., 0]
    return Record(sample.rgb, np.round(unit * 127).astype(np.int8), labels)


class Pool:
    """`size` records in one folder, as memory-mapped arrays; `done` says which exist."""

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rgb = _map(folder / "rgb", size * SIZE * SIZE * 3).reshape(size, SIZE, SIZE, 3)
        self.normals = _map(folder / "normals", size * HALF * HALF * 3).view(np.int8).reshape(size, HALF, HALF, 3)
        self.labels = _map(folder / "labels", size * HALF * HALF).reshape(size, HALF, HALF)
        self.done = _map(folder / "done", size)

    @classmethod
    def made(cls, folder: Path) -> Pool:
        """The pool that another process filled or is filling.

        Raises:
            BadInput: where it holds nothing yet.
        """
        done = folder / "done"
        pool = cls(folder, done.stat().st_size) if done.is_file() else None
        if pool is None or not pool.done.any():
            raise BadInput(f"There are no samples in '{folder}'.", "Make them first; docs/training.md says how.")
        return pool

    def put(self, number: int, record: Record) -> None:
        """Store a record; `done` is set last."""
        self.rgb[number] = record.rgb
        self.normals[number] = record.normals
        self.labels[number] = record.labels
        self.done[number] = 1


def _map(path: Path, count: int) -> NDArray[np.uint8]:
    """`count` bytes of a file, writable; a file of another length is started anew."""
    fresh = not path.exists() or path.stat().st_size != count
    return np.memmap(path, np.uint8, "w+" if fresh else "r+", shape=(count,))


def sample_rng(seed: int, number: int) -> np.random.Generator:
    """The random numbers of sample `number`."""
    return np.random.default_rng([seed, number])


@dataclass(frozen=True)
class Bodies:
    """Whose shapes are painted: the Open Head's, and for `share` of the samples ICT-FaceKit's from `folder`; and whose
    skins: those of the file `skins` beside MakeHuman's."""

    folder: str = ""
    share: float = 0.0
    skins: str = ""

    def anatomies(self) -> tuple[Anatomy, ...]:
        """Built once; a few seconds."""
        head = load_head()
        own = build_anatomy(head)
        return (own, build_anatomy(ict_head(Path(self.folder), head))) if self.folder else (own,)

    def people(self, anatomy: Anatomy) -> PortraitSkins:
        """The portraits' skins, where there are some."""
        return PortraitSkins.load(Path(self.skins), anatomy) if self.skins else NO_PORTRAITS

    def sample(
        self,
        anatomies: tuple[Anatomy, ...],
        rng: np.random.Generator,
        draw: Callable[[Anatomy, np.random.Generator], Sample] = draw_sample,
    ) -> Sample:
        """A sample of whichever body it falls to, drawn by the rasteriser or by what else `draw` is."""
        second = len(anatomies) > 1 and rng.random() < self.share
        return draw(anatomies[int(second)], rng)


def render_into(
    folder: Path, size: int, seed: int, bodies: Bodies, worker: int, workers: int, alone: bool = False
) -> None:
    """A rendering process: fill every workers-th record that is missing; ends with its parent unless `alone`."""
    anatomies = bodies.anatomies()
    draw = partial(draw_sample, people=bodies.people(anatomies[0]))
    pool = Pool(folder, size)
    parent = os.getppid()
    for number in range(worker, size, workers):
        if pool.done[number]:
            continue
        pool.put(number, make_record(bodies.sample(anatomies, sample_rng(seed, number), draw)))
        if not alone and os.getppid() != parent:  # training ended or was killed
            return


def start_renderers(folder: Path, size: int, seed: int, bodies: Bodies, workers: int) -> list[SpawnProcess]:
    """Start the processes; they end by themselves, or with this one."""
    Pool(folder, size)
    context = multiprocessing.get_context("spawn")
    processes = []
    for worker in range(workers):
        process = context.Process(target=render_into, args=(folder, size, seed, bodies, worker, workers), daemon=True)
        process.start()
        processes.append(process)
    return processes


def wait_for(pool: Pool, count: int, processes: list[SpawnProcess]) -> None:
    """Return when records 0 .. count - 1 exist.

    Raises:
        Internal: when a renderer died.
    """
    while not pool.done[:count].all():
        if any(process.exitcode not in (None, 0) for process in processes):
            raise Internal("A rendering process ended early.", "Look at its traceback above.")
        time.sleep(0.2)


def main(
    folder: Annotated[Path, typer.Argument(help="The pool; what is in it stays.")],
    count: Annotated[int, typer.Option(min=1, help="Samples in all; of an existing pool: as before.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Never one that another pool has.")] = 20,
    worker: Annotated[int, typer.Option(min=0, help="Which of --workers this process is, from 0.")] = 0,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    second_body: Annotated[str, typer.Option(help="Folder of ICT-FaceKit, for some shapes of its own.")] = "",
    second_share: Annotated[float, typer.Option(min=0, max=1)] = 0.0,
    skins: Annotated[str, typer.Option(help="File of portrait_skins, for skins of real people.")] = "",
) -> None:
    """Paint samples until the pool is full."""
    done = folder / "done"
    size = done.stat().st_size if done.is_file() else count
    render_into(folder, size, seed, Bodies(second_body, second_share, skins), worker, workers, alone=True)


if __name__ == "__main__":
    typer.run(main)
