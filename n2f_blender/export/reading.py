# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A .glb or .vrm read again and evaluated by the specification alone, for the report on what was written. No bpy.

Written apart from the writer: accessors with strides, normalised integers and sparse rows (glTF 2.0, 3.6.2), morph
targets (3.7.2.2), skinning by node matrices (3.7.3.3), linear animation (appendix C).
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..formats.figure import Floats

_DTYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
Json = dict[str, Any]  # what json gives


@dataclass(frozen=True, eq=False)
class Reading:
    """One file with one skinned mesh."""

    document: Json
    binary: bytes
    _read: dict[int, Floats] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, path: Path) -> Reading:
        """Read a .glb or .vrm.

        Raises:
            OSError: where it cannot be read.
            ValueError: for what is no binary glTF 2.0.
        """
        data = path.read_bytes()
        magic, version, length, size, kind = struct.unpack_from("<4sIIII", data)
        if (magic, version, length, kind) != (b"glTF", 2, len(data), 0x4E4F534A):
            raise ValueError(f"{path.name} is no binary glTF 2.0")
        return cls(cast(Json, json.loads(data[20 : 20 + size])), data[28 + size :])

    @property
    def shape_names(self) -> tuple[str, ...]:
        """Of the mesh's morph targets."""
        return tuple(self.document["meshes"][0].get("extras", {}).get("targetNames", ()))

    def accessor(self, index: int) -> Floats:
        """(N, n) as numbers, read once."""
        if index not in self._read:
            self._read[index] = self._decoded(index)
        return self._read[index]

    def _decoded(self, index: int) -> Floats:
        item = self.document["accessors"][index]
        width = _WIDTHS[item["type"]]
        kind: np.dtype[Any] = np.dtype(_DTYPES[item["componentType"]])
        values: NDArray[Any] = np.zeros((item["count"], width), kind)
        if "bufferView" in item:
            values = self._rows(item["bufferView"], item.get("byteOffset", 0), item["count"], width, kind)
        if "sparse" in item:
            sparse = item["sparse"]
            places, filled = sparse["indices"], sparse["values"]
            rows = self._rows(places["bufferView"], 0, sparse["count"], 1, np.dtype(_DTYPES[places["componentType"]]))[
                :, 0
            ]
            values = values.copy()
            values[rows] = self._rows(filled["bufferView"], 0, sparse["count"], width, kind)
        numbers = values.astype(np.float64)
        return np.maximum(numbers / np.iinfo(kind).max, -1.0) if item.get("normalized") else numbers

    def _rows(self, view: int, offset: int, count: int, width: int, kind: np.dtype[Any]) -> NDArray[Any]:
        place = self.document["bufferViews"][view]
        stride = place.get("byteStride", width * kind.itemsize)
        start = place.get("byteOffset", 0) + offset
        content = np.frombuffer(self.binary, np.uint8)
        at = start + np.arange(count)[:, None] * stride + np.arange(width * kind.itemsize)
        return np.ascontiguousarray(content[at]).view(kind)

    @property
    def key_times(self) -> Floats:
        """(F,) s of the animation; empty without one."""
        animations = self.document.get("animations", [])
        return self.accessor(animations[0]["samplers"][0]["input"])[:, 0] if animations else np.zeros(0)

    def posed(self, seconds: float | None = None, weights: Floats | None = None) -> Floats:
        """(N, 3) the mesh's vertices in the world: as the file stands, or at a time, or with these shape weights."""
        nodes = [dict(node) for node in self.document["nodes"]]
        mesh = self.document["meshes"][0]
        values = np.array(mesh.get("weights", [0.0] * len(self.shape_names)))
        if seconds is not None:
            animation = self.document["animations"][0]
            for channel in animation["channels"]:
                node, path = channel["target"]["node"], channel["target"]["path"]
                sampler = animation["samplers"][channel["sampler"]]
                if path == "weights" and nodes[node]["mesh"] != 0:  # of what it wears
                    continue
                found = self._sampled(sampler, seconds, len(values) if path == "weights" else None)
                if path == "weights":
                    values = found
                else:
                    nodes[node][path] = found
        if weights is not None:
            values = weights
        primitive = mesh["primitives"][0]
        points = self.accessor(primitive["attributes"]["POSITION"])
        for value, target in zip(values, primitive.get("targets", ()), strict=True):
            if value:
                points = points + value * self.accessor(target["POSITION"])
        skin = self.document["skins"][0]
        worlds = _worlds(nodes)
        bind = self.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        matrices = np.stack([worlds[joint] for joint in skin["joints"]]) @ bind
        joints = self.accessor(primitive["attributes"]["JOINTS_0"]).astype(int)
        shares = self.accessor(primitive["attributes"]["WEIGHTS_0"])
        blended = (shares[..., None, None] * matrices[joints]).sum(axis=1)
        return np.asarray((blended[:, :3, :3] @ points[..., None])[..., 0] + blended[:, :3, 3])

    def _sampled(self, sampler: Json, seconds: float, width: int | None) -> Floats:
        times, values = self.accessor(sampler["input"])[:, 0], self.accessor(sampler["output"])
        if width is not None:
            values = values.reshape(-1, width)
        row = int(np.clip(np.searchsorted(times, seconds, side="right") - 1, 0, max(0, len(times) - 2)))
        after = min(row + 1, len(times) - 1)
        span = times[after] - times[row]
        share = float(np.clip((seconds - times[row]) / span, 0.0, 1.0)) if span > 0 else 0.0
        return np.asarray((1.0 - share) * values[row] + share * values[after])


def _worlds(nodes: list[Json]) -> list[Floats]:
    parents = {child: index for index, node in enumerate(nodes) for child in node.get("children", ())}

    def world(index: int) -> Floats:
        local = _local(nodes[index])
        return world(parents[index]) @ local if index in parents else local

    return [world(index) for index in range(len(nodes))]


def _local(node: Json) -> Floats:
    matrix = np.eye(4)
    turn = np.array(node.get("rotation", (0, 0, 0, 1)), float)
    x, y, z, w = turn / np.linalg.norm(turn)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.get("scale", (1, 1, 1)), float)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix
