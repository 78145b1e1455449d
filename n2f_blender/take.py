# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a take: the parameters per frame that everything in the scene is built from. No bpy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import TakeError
from .formats.npz import FAULTS, read_npz
from .timecode import usual_rate

SCHEMA_VERSION = 2
READ_VERSIONS = (1, 2)  # version 1 had no photos
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TakeMeta:
    """Where a take comes from and which head its numbers refer to."""

    head_id: str
    head_sha256: str
    expression_names: tuple[str, ...]
    source: str
    fps: float
    cuts: tuple[int, ...] = ()  # source frames at which a new scene begins, ascending
    hair: bool = False  # whether its hair lies beside it


@dataclass(frozen=True, eq=False)
class Photos:
    """The pictures that a take's F frames are, each under its own camera; of a clip there are none."""

    picture: tuple[str, ...]  # (F,) paths
    picture_size: NDArray[np.int64]  # (F, 2) width, height, upright
    picture_orientation: tuple[int, ...]  # (F,) 1..8 as EXIF has it: how the file's pixels lie; 1 is upright
    picture_intrinsics: Floats  # (F, 4) fx fy cx cy px

    def size(self, row: int) -> tuple[int, int]:
        """Width and height, px."""
        width, height = self.picture_size[row].tolist()
        return width, height


@dataclass(frozen=True, eq=False)
class Take:
    """F frames of one person: S shape and E expression values. Head space m, image px, rotation vectors rad."""

    meta: TakeMeta
    shape: Floats  # (S,)
    expression: Floats  # (F, E)
    jaw: Floats  # (F, 3)
    neck: Floats  # (F, 3)
    eyes: Floats  # (F, 2, 3) left, right
    eyelids: Floats  # (F, 2) left, right; 0 open, 1 closed
    head_rotation: Floats  # (F, 3) head to camera
    head_translation: Floats  # (F, 3) m
    intrinsics: Floats  # (4,) fx fy cx cy, px
    image_size: tuple[int, int]  # width, height
    frame_index: NDArray[np.int64]  # (F,)
    valid: NDArray[np.bool_]  # (F,)
    timestamp: Floats  # (F,) s
    confidence: Floats  # (F,) 0..1
    landmarks_68_head: Floats  # (F, 68, 3) points on the mesh, head space
    photos: Photos | None = None  # where the frames are photos; `intrinsics` and `image_size` are the first one's

    @property
    def frame_count(self) -> int:
        """F."""
        return len(self.expression)

    @property
    def first_valid(self) -> int:
        """The row of the first frame with a face."""
        return int(np.flatnonzero(self.valid)[0])

    @property
    def name(self) -> str:
        """What the person's collection is called: the source's file name without its ending."""
        return Path(self.meta.source.replace("\\", "/")).stem or "Face"


def load_take(path: Path) -> Take:
    """Read and check a take. Raises TakeError with what is wrong and what to do."""
    if not path.is_file():
        raise TakeError(f"There is no take at {path}.", "Choose a take.npz.")
    try:
        take = _from_arrays(read_npz(path))
    except FAULTS as error:
        raise TakeError(
            f"{path.name} is not a take that can be read: {error}.", "Reconstruct the photo again."
        ) from error
    if not take.valid.any():
        raise TakeError(f"{path.name} has no frame with a face.", "Reconstruct from another photo or video.")
    return take


def _from_arrays(arrays: dict[str, NDArray[np.generic]]) -> Take:
    meta = json.loads(str(arrays["meta"]))
    if meta["schema_version"] not in READ_VERSIONS:
        raise ValueError(f"it has schema version {meta['schema_version']}, this extension reads {SCHEMA_VERSION}")
    expression = np.asarray(arrays["expression"], dtype=np.float64)
    names = tuple(str(name) for name in meta["expression_names"])
    frames = len(expression)

    def floats(name: str, *shape: int) -> Floats:
        values = np.asarray(arrays[name], dtype=np.float64)
        if values.shape != shape:
            raise ValueError(f"{name} has the shape {values.shape} instead of {shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds values that are not finite")
        return values

    width, height = (int(value) for value in arrays["image_size"])
    if min(width, height) < 1 or not (np.asarray(arrays["intrinsics"], dtype=np.float64)[:2] > 0).all():
        raise ValueError("its camera has no size or no focal length")
    timestamp = floats("timestamp", frames)
    return Take(
        meta=TakeMeta(
            head_id=str(meta["head_id"]),
            head_sha256=str(meta["head_sha256"]),
            expression_names=names,
            source=str(meta["source"]),
            fps=usual_rate(timestamp, float(meta["fps"])),
            cuts=tuple(int(frame) for frame in meta.get("cuts", ())),  # the first takes had none
            hair=bool(meta.get("hair")),
        ),
        shape=floats("shape", *arrays["shape"].shape[:1]),
        expression=floats("expression", frames, len(names)),
        jaw=floats("jaw", frames, 3),
        neck=floats("neck", frames, 3),
        eyes=floats("eyes", frames, 2, 3),
        eyelids=floats("eyelids", frames, 2),
        head_rotation=floats("head_rotation", frames, 3),
        head_translation=floats("head_translation", frames, 3),
        intrinsics=floats("intrinsics", 4),
        image_size=(width, height),
        frame_index=np.asarray(arrays["frame_index"], dtype=np.int64).reshape(frames),
        valid=np.asarray(arrays["valid"], dtype=np.bool_).reshape(frames),
        timestamp=timestamp,
        confidence=floats("confidence", frames),
        landmarks_68_head=floats("landmarks_68_head", frames, 68, 3),
        photos=_photos(arrays, floats("picture_intrinsics", frames, 4)) if "picture" in arrays else None,
    )


def _photos(arrays: dict[str, NDArray[np.generic]], intrinsics: Floats) -> Photos:
    count = len(intrinsics)
    sizes = np.asarray(arrays["picture_size"], dtype=np.int64).reshape(count, 2)
    orientations = np.asarray(arrays["picture_orientation"], dtype=np.int64).reshape(count)
    if sizes.min() < 1 or not (intrinsics[:, :2] > 0).all():
        raise ValueError("one of its photos has no size or no focal length")
    return Photos(
        tuple(str(name) for name in np.asarray(arrays["picture"]).reshape(count)),
        sizes,
        tuple(int(value) if 1 <= value <= 8 else 1 for value in orientations),
        intrinsics,
    )
