"""The take: one person's parameters per frame, and nothing else. Everything Blender builds comes from it."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.formats.npz import FAULTS, Arrays, read_npz

SCHEMA_VERSION = 2
READ_VERSIONS = (1, 2)
"""Version 1 had no `photos`."""
HIGHEST_RATE = 1000.0
Float32s = NDArray[np.float32]


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

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> TakeMeta:
        """Raises ValueError, TypeError or KeyError when the text is not a take's meta."""
        values = json.loads(text)
        if values["schema_version"] not in READ_VERSIONS:
            raise ValueError(f"it has schema version {values['schema_version']}, this program reads {SCHEMA_VERSION}")
        values["expression_names"] = tuple(values["expression_names"])
        values["cuts"] = tuple(int(frame) for frame in values.get("cuts", ()))  # the first takes had none
        meta = cls(**values)
        words = (
            meta.head_id,
            meta.head_sha256,
            meta.source,
            meta.software_version,
            meta.look,
            meta.hair,
            *meta.expression_names,
        )
        if not all(isinstance(word, str) for word in words) or not isinstance(meta.weights, dict):
            raise ValueError("its meta holds numbers where words should be")
        if isinstance(meta.fps, bool) or not isinstance(meta.fps, int | float) or not 0 <= meta.fps <= HIGHEST_RATE:
            raise ValueError("its frame rate is none")
        return meta


@dataclass(frozen=True, eq=False)
class Photos:
    """The pictures that a take's F frames are, each under its own camera; of a clip there are none."""

    picture: tuple[str, ...]  # (F,) paths
    picture_size: NDArray[np.int32]  # (F, 2) width, height, upright
    picture_orientation: NDArray[np.int32]  # (F,) 1..8 as EXIF has it: how the file's pixels lie; 1 is upright
    picture_intrinsics: Float32s  # (F, 4) fx fy cx cy px


@dataclass(frozen=True, eq=False)
class Take:
    """F frames of one person. Frames and units: head space m, image px, rotation vectors rad."""

    meta: TakeMeta
    shape: Float32s  # (S,) one identity for the take
    expression: Float32s  # (F, E)
    jaw: Float32s  # (F, 3) rotation vector about its joint
    neck: Float32s  # (F, 3)
    eyes: Float32s  # (F, 2, 3) left, right
    eyelids: Float32s  # (F, 2) left, right; 0 open, 1 closed
    head_rotation: Float32s  # (F, 3) head to camera
    head_translation: Float32s  # (F, 3) m
    intrinsics: Float32s  # (4,) fx fy cx cy px, of the source image
    image_size: NDArray[np.int32]  # (2,) width, height
    frame_index: NDArray[np.int32]  # (F,) source frame
    timestamp: NDArray[np.float64]  # (F,) s
    valid: NDArray[np.bool_]  # (F,) False: no face in this frame
    confidence: Float32s  # (F,)
    landmarks_68: Float32s  # (F, 68, 2) px, projected from the mesh
    landmarks_68_head: Float32s  # (F, 68, 3) the same points on the mesh, head space
    bbox: Float32s  # (F, 4) x0 y0 x1 y1 px
    photos: Photos | None = None  # where the frames are photos; `intrinsics` and `image_size` are the first one's

    def __post_init__(self) -> None:
        """Raises ValueError where the arrays do not belong together."""
        frames = len(self.expression)
        per_frame = {
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
        for name, expected in per_frame.items():
            actual = np.shape(getattr(self, name))
            if actual != expected:
                raise ValueError(f"{name} has the shape {actual} instead of {expected}")
        if self.photos is not None:
            for name, expected in {"": (), "_size": (2,), "_orientation": (), "_intrinsics": (4,)}.items():
                actual = np.shape(getattr(self.photos, f"picture{name}"))
                if actual != (frames, *expected):
                    raise ValueError(f"picture{name} has the shape {actual} instead of {(frames, *expected)}")

    @property
    def frame_count(self) -> int:
        """F."""
        return len(self.expression)


_DTYPES = {"image_size": np.int32, "frame_index": np.int32, "timestamp": np.float64, "valid": np.bool_}
_ARRAYS = tuple(field.name for field in fields(Take) if field.name not in ("meta", "photos"))


def save_take(path: Path, take: Take) -> None:
    """Write atomically: a temporary file beside `path`, renamed when complete. Raises OSError."""
    arrays = {name: np.asarray(getattr(take, name), dtype=_DTYPES.get(name, np.float32)) for name in _ARRAYS}
    if take.photos is not None:
        arrays |= {field.name: np.asarray(getattr(take.photos, field.name)) for field in fields(Photos)}
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _write_npz(file, {"meta": np.array(take.meta.to_json()), **arrays})
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_npz(file: IO[bytes], arrays: dict[str, NDArray[np.generic]]) -> None:
    """As numpy.savez_compressed, which leaves its archive open where the disk refuses: it complains on stderr then."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, values, allow_pickle=False)  # type: ignore[no-untyped-call]


def load_take(path: Path) -> Take:
    """Read and check a take. Raises BadInput with what is wrong."""
    try:
        file = read_npz(path)
        arrays = {name: np.asarray(file[name], dtype=_DTYPES.get(name, np.float32)) for name in _ARRAYS}
        return Take(meta=TakeMeta.from_json(str(file["meta"])), photos=_photos_of(file), **arrays)
    except FileNotFoundError as error:
        raise BadInput(f"There is no take at {path}.") from error
    except FAULTS as error:
        raise BadInput(f"{path.name} is not a take that can be read: {error}.", "Make the take again.") from error


def _photos_of(file: Arrays) -> Photos | None:
    if "picture" not in file:
        return None
    return Photos(
        picture=tuple(str(name) for name in file["picture"]),
        picture_size=np.asarray(file["picture_size"], dtype=np.int32),
        picture_orientation=np.asarray(file["picture_orientation"], dtype=np.int32),
        picture_intrinsics=np.asarray(file["picture_intrinsics"], dtype=np.float32),
    )
