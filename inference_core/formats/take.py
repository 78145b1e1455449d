# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""The take: one person's parameters per frame, and nothing else. Everything Blender builds comes from it.

The core works with it in single precision, as it is stored, the extension in double: `Take[np.float32]` and
`Take[np.float64]`.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import BinaryIO, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from .npz import Arrays, read_npz
from .writing import written_whole

SCHEMA_VERSION: Final = 2
READ_VERSIONS: Final = (1, 2)
"""Version 1 had no `photos`."""
HIGHEST_RATE: Final = 1000.0
F = TypeVar("F", np.float32, np.float64)


@dataclass(frozen=True)
class TakeMeta:
    """Where a take comes from and what its numbers refer to."""

    head_id: str
    head_sha256: str
    expression_names: tuple[str, ...]
    source: str
    fps: float
    software_version: str
    weights: dict[str, str]  # network name -> sha256
    schema_version: int = SCHEMA_VERSION
    cuts: tuple[int, ...] = ()  # source frames at which a new scene begins, ascending
    look: str = ""  # look.json beside the take, where the person's skin is described; "": there is none
    hair: str = ""  # the same of hair.json
    detail: str = ""  # and of detail.json
    turn: int = 0  # degrees clockwise by which a clip's stored frames were stood upright: 0, 90, 180, 270

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> TakeMeta:
        """What `to_json` gave.

        Raises:
            ValueError: for text that is no JSON, another schema version, or values that no take has.
            TypeError: for JSON that is no table.
            KeyError: where a field is missing.
        """
        values = json.loads(text)
        if values["schema_version"] not in READ_VERSIONS:
            raise ValueError(f"it has schema version {values['schema_version']}, this program reads {SCHEMA_VERSION}")
        values["expression_names"] = tuple(values["expression_names"])
        values["cuts"] = tuple(int(frame) for frame in values.get("cuts", ()))  # the first takes had none
        meta = cls(**values)
        words = (meta.head_id, meta.head_sha256, meta.source, meta.software_version, meta.look, meta.hair, meta.detail)
        if not all(isinstance(word, str) for word in (*words, *meta.expression_names)) or not isinstance(
            meta.weights, dict
        ):
            raise ValueError("its meta holds numbers where words should be")
        if isinstance(meta.fps, bool) or not isinstance(meta.fps, int | float) or not 0 <= meta.fps <= HIGHEST_RATE:
            raise ValueError("its frame rate is none")
        if isinstance(meta.turn, bool) or meta.turn not in (0, 90, 180, 270):
            raise ValueError("its source is not turned by quarters")
        return meta


@dataclass(frozen=True, eq=False)
class Photos(Generic[F]):
    """The pictures that a take's F frames are, each under its own camera; of a clip there are none."""

    picture: tuple[str, ...]  # (F,) paths
    picture_size: NDArray[np.int32]  # (F, 2) width, height, upright
    picture_orientation: NDArray[np.int32]  # (F,) 1..8 as EXIF has it: how the file's pixels lie; 1 is upright
    picture_intrinsics: NDArray[F]  # (F, 4) fx fy cx cy px

    def size(self, row: int) -> tuple[int, int]:
        """Width and height, px."""
        width, height = self.picture_size[row].tolist()
        return width, height

    def orientation(self, row: int) -> int:
        """1..8; what is none of these counts as upright."""
        value = int(self.picture_orientation[row])
        return value if 1 <= value <= 8 else 1


@dataclass(frozen=True, eq=False)
class Take(Generic[F]):
    """F frames of one person. Frames and units: head space m, image px, rotation vectors rad."""

    meta: TakeMeta
    shape: NDArray[F]  # (S,) one identity for the take
    expression: NDArray[F]  # (F, E)
    jaw: NDArray[F]  # (F, 3) rotation vector about its joint
    neck: NDArray[F]  # (F, 3)
    eyes: NDArray[F]  # (F, 2, 3) left, right
    eyelids: NDArray[F]  # (F, 2) left, right; 0 open, 1 closed
    head_rotation: NDArray[F]  # (F, 3) head to camera
    head_translation: NDArray[F]  # (F, 3) m
    intrinsics: NDArray[F]  # (4,) fx fy cx cy px, of the source image
    image_size: NDArray[np.int32]  # (2,) width, height
    frame_index: NDArray[np.int32]  # (F,) source frame
    timestamp: NDArray[np.float64]  # (F,) s
    valid: NDArray[np.bool_]  # (F,) False: no face in this frame
    confidence: NDArray[F]  # (F,)
    landmarks_68: NDArray[F]  # (F, 68, 2) px, projected from the mesh
    landmarks_68_head: NDArray[F]  # (F, 68, 3) the same points on the mesh, head space
    bbox: NDArray[F]  # (F, 4) x0 y0 x1 y1 px
    photos: Photos[F] | None = None  # where the frames are photos; `intrinsics` and `image_size` are the first one's

    def __post_init__(self) -> None:
        """Refuse values that cannot be.

        Raises:
            ValueError: where the arrays do not belong together.
        """
        frames = len(self.expression)
        expected: dict[str, tuple[int, ...]] = {
            "shape": (len(self.shape),),
            "expression": (frames, len(self.meta.expression_names)),
            "jaw": (frames, 3),
            "neck": (frames, 3),
            "eyes": (frames, 2, 3),
            "eyelids": (frames, 2),
            "head_rotation": (frames, 3),
            "head_translation": (frames, 3),
            "intrinsics": (4,),
            "image_size": (2,),
            "frame_index": (frames,),
            "timestamp": (frames,),
            "valid": (frames,),
            "confidence": (frames,),
            "landmarks_68": (frames, 68, 2),
            "landmarks_68_head": (frames, 68, 3),
            "bbox": (frames, 4),
        }
        if self.photos is not None:
            expected |= {
                "picture": (frames,),
                "picture_size": (frames, 2),
                "picture_orientation": (frames,),
                "picture_intrinsics": (frames, 4),
            }
        for name, wanted in expected.items():
            actual = np.shape(getattr(self.photos if name.startswith("picture") else self, name))
            if actual != wanted:
                raise ValueError(f"{name} has the shape {actual} instead of {wanted}")

    @property
    def frame_count(self) -> int:
        """F."""
        return len(self.expression)

    @property
    def first_valid(self) -> int:
        """The row of the first frame with a face.

        Raises:
            IndexError: where no frame has one.
        """
        return int(np.flatnonzero(self.valid)[0])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the source image, px."""
        width, height = self.image_size.tolist()
        return width, height

    @property
    def name(self) -> str:
        """What the person is called: the source's file name without its ending."""
        return Path(self.meta.source.replace("\\", "/")).stem or "Face"


_WHOLE: Final = {"image_size": np.int32, "frame_index": np.int32}
_REAL: Final = tuple(
    field.name for field in fields(Take) if field.name not in ("meta", "photos", "timestamp", "valid", *_WHOLE)
)


PER_FRAME: Final = (
    *("expression", "jaw", "neck", "eyes", "eyelids", "head_rotation", "head_translation", "landmarks_68"),
    *("landmarks_68_head", "bbox", "frame_index", "timestamp", "valid", "confidence"),
)
"""Whose first axis are the frames, in every take."""


def rows_of(take: Take[F], rows: slice) -> Take[F]:
    """Some frames of a clip's take, as a take."""
    return replace(take, **{name: getattr(take, name)[rows] for name in PER_FRAME})


def read_take(path: Path, precision: type[F]) -> Take[F]:
    """Read and check a take.

    Raises:
        npz.FAULTS: one of them, with the reason, for what is no take.
        FileNotFoundError: where there is no such file.
    """
    file = read_npz(path)

    def real(name: str) -> NDArray[F]:
        return np.asarray(file[name], dtype=precision)

    take: Take[F] = Take(
        meta=TakeMeta.from_json(str(file["meta"])),
        shape=real("shape"),
        expression=real("expression"),
        jaw=real("jaw"),
        neck=real("neck"),
        eyes=real("eyes"),
        eyelids=real("eyelids"),
        head_rotation=real("head_rotation"),
        head_translation=real("head_translation"),
        intrinsics=real("intrinsics"),
        image_size=_whole(file, "image_size"),
        frame_index=_whole(file, "frame_index"),
        timestamp=np.asarray(file["timestamp"], dtype=np.float64),
        valid=np.asarray(file["valid"], dtype=np.bool_),
        confidence=real("confidence"),
        landmarks_68=real("landmarks_68"),
        landmarks_68_head=real("landmarks_68_head"),
        bbox=real("bbox"),
        photos=_photos(file, precision),
    )
    _check_values(take)
    return take


def save_take(path: Path, take: Take[F]) -> None:
    """Write atomically, in single precision.

    Raises:
        OSError: where it cannot be written; `path` stays as it was.
    """
    arrays: Arrays = {name: np.asarray(getattr(take, name), dtype=np.float32) for name in _REAL}
    arrays |= {name: np.asarray(getattr(take, name), dtype=kind) for name, kind in _WHOLE.items()}
    arrays |= {"timestamp": np.asarray(take.timestamp, np.float64), "valid": np.asarray(take.valid, np.bool_)}
    if take.photos is not None:
        arrays |= {field.name: np.asarray(getattr(take.photos, field.name)) for field in fields(Photos)}
    with written_whole(path) as file:
        _write_npz(file, {"meta": np.array(take.meta.to_json()), **arrays})


def _write_npz(file: BinaryIO, arrays: Arrays) -> None:
    """As numpy.savez_compressed, which leaves its archive open where the disk refuses: it complains on stderr then."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)  # type: ignore[no-untyped-call]


def _photos(file: Arrays, precision: type[F]) -> Photos[F] | None:
    if "picture" not in file:
        return None
    return Photos(
        picture=tuple(str(name) for name in file["picture"]),
        picture_size=_whole(file, "picture_size"),
        picture_orientation=_whole(file, "picture_orientation"),
        picture_intrinsics=np.asarray(file["picture_intrinsics"], dtype=precision),
    )


def _whole(file: Arrays, name: str) -> NDArray[np.int32]:
    """Whole numbers of the type that takes have.

    Raises:
        ValueError: for what is no whole number, which a cast would make one of.
    """
    values = file[name]
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name} holds no whole numbers")
    return np.asarray(values, dtype=np.int32)


def _check_values(take: Take[F]) -> None:
    """Refuse numbers that no take has.

    Raises:
        ValueError: for what is infinite, not a number, or negative where that means nothing.
    """
    for name in ("timestamp", *_REAL):
        if not np.isfinite(getattr(take, name)).all():
            raise ValueError(f"{name} holds values that are not finite")
    if min(take.size) < 1 or not (take.intrinsics[:2] > 0).all():
        raise ValueError("its camera has no size or no focal length")
    if (take.frame_index < 0).any() or (take.confidence < 0).any():
        raise ValueError("it counts frames or confidence below zero")
    if take.photos is not None:
        lenses, sizes = take.photos.picture_intrinsics, take.photos.picture_size
        if not np.isfinite(lenses).all() or not (lenses[:, :2] > 0).all() or (sizes < 1).any():
            raise ValueError("one of its photos has no size or no focal length")
