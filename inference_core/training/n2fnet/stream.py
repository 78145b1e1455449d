"""The endless stream of training data: chunks drawn and rendered in worker processes, the same for the same seed.

Chunk k depends on (seed, k) alone, so a resumed run sees what an uninterrupted one would have seen, whatever the
number of workers.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import Internal
from inference_core.head import Head, load_head, pose_head
from inference_core.head.rotations import matrix_from_vector
from inference_core.n2fnet.placement import placement_from_translation
from inference_core.training.n2fnet.config import Corruption, HeadSpace
from inference_core.training.n2fnet.corrupt import corrupt
from inference_core.training.n2fnet.crop import CROP_SIZE, crop_intrinsics, landmark_batch
from inference_core.training.n2fnet.draw import draw_heads
from inference_core.training.n2fnet.render import NormalRenderer

Float32s = NDArray[np.float32]

EYE_CORNERS = ((36, 39), (42, 45))  # iBUG, outer and inner
VALIDATION_STREAM = 0x5EED  # keeps validation's seeds apart from training's


@dataclass(frozen=True, eq=False)
class Chunk:
    """n samples. Truth in float32; the maps in float16 because they travel between processes."""

    normals: NDArray[np.float16]  # (n, 3, H, W), 0 outside the mask
    shape: Float32s  # (n, S)
    expression: Float32s  # (n, E)
    eyelids: Float32s  # (n, 2)
    jaw: Float32s  # (n, 3, 3) matrices
    rotation: Float32s  # (n, 3, 3) head to camera
    placement: Float32s  # (n, 3)
    intrinsics: Float32s  # (n, 4) of the 256 px crop

    def __len__(self) -> int:
        return len(self.shape)


def make_chunk(
    head: Head,
    renderer: NormalRenderer,
    space: HeadSpace,
    corruption: Corruption | None,
    seed: tuple[int, ...],
    count: int,
    exact_crop: bool = False,
) -> Chunk:
    """Draw, pose, crop, render and (unless None) corrupt `count` samples from one seed."""
    rng = np.random.default_rng(seed)
    drawn = draw_heads(rng, head, count, space)
    vertices = pose_head(head, drawn.parameters)
    turned = drawn.rotation.swapaxes(1, 2)
    landmarks = landmark_batch(head, vertices, drawn.rotation) @ turned + drawn.translation[:, None]
    intrinsics = crop_intrinsics(rng, landmarks, space, exact_crop)
    pixels = landmarks[..., :2] / landmarks[..., 2:] * intrinsics[:, None, :2] + intrinsics[:, None, 2:]
    eyes = np.stack([pixels[:, list(pair)].mean(axis=1) for pair in EYE_CORNERS], axis=1) * renderer.size / CROP_SIZE
    points = vertices @ turned + drawn.translation[:, None]
    maps = np.empty((count, renderer.size, renderer.size, 3), np.float16)
    for i in range(count):
        view = renderer.render(points[i], intrinsics[i])
        maps[i] = view.normals * view.face[..., None] if corruption is None else corrupt(rng, view, eyes[i], corruption)
    return Chunk(
        normals=np.ascontiguousarray(maps.transpose(0, 3, 1, 2)),
        shape=drawn.parameters.shape.astype(np.float32),
        expression=drawn.parameters.expression.astype(np.float32),
        eyelids=drawn.parameters.eyelids.astype(np.float32),
        jaw=matrix_from_vector(drawn.parameters.jaw).astype(np.float32),
        rotation=drawn.rotation.astype(np.float32),
        placement=placement_from_translation(drawn.rotation, drawn.translation, intrinsics).astype(np.float32),
        intrinsics=intrinsics.astype(np.float32),
    )


def _work(
    out: Queue[Chunk | str],
    head_path: Path,
    space: HeadSpace,
    corruption: Corruption,
    seed: int,
    size: int,
    count: int,
    first: int,
    step: int,
) -> None:
    try:
        head = load_head(head_path)
        renderer = NormalRenderer(head, size)
        index = first
        while True:
            out.put(make_chunk(head, renderer, space, corruption, (seed, index), count))
            index += step
    except (KeyboardInterrupt, BrokenPipeError, EOFError):
        return
    except Exception as error:  # the parent must learn of it, whatever it is
        out.put(f"{type(error).__name__}: {error}")


class ChunkStream:
    """Chunks `first`, `first` + 1, ... in order, from `workers` processes that run ahead by a few chunks."""

    def __init__(
        self,
        head_path: Path,
        space: HeadSpace,
        corruption: Corruption,
        seed: int,
        size: int,
        count: int,
        first: int,
        workers: int,
    ) -> None:
        self._arguments = (head_path, space, corruption, seed, size, count)
        self._first = first
        self._workers = max(1, workers)

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        # Workers share the cores with the training process: linear algebra in each must not start threads of its own.
        old = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        os.environ.update(dict.fromkeys(old, "1"))
        try:
            self._queues: list[Queue[Chunk | str]] = [context.Queue(maxsize=3) for _ in range(self._workers)]
            self._processes = [
                context.Process(target=_work, args=(out, *self._arguments, self._first + k, self._workers), daemon=True)
                for k, out in enumerate(self._queues)
            ]
            for process in self._processes:
                process.start()
        finally:
            for name, value in old.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(timeout=5)

    def __iter__(self) -> Iterator[Chunk]:
        turn = 0
        while True:
            yield self._next(turn)
            turn = (turn + 1) % self._workers

    def _next(self, turn: int) -> Chunk:
        while True:
            try:
                item = self._queues[turn].get(timeout=5)
            except queue.Empty:
                if not self._processes[turn].is_alive():
                    raise Internal("A render worker ended unexpectedly.", "Start again with --resume.") from None
                continue
            if isinstance(item, str):
                raise Internal(f"A render worker failed: {item}.", "Start again with --resume.")
            return item
