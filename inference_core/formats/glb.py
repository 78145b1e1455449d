# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""A figure as glTF 2.0 in one file: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html.

Written here and not by Blender's exporter: the core has no Blender, and there the clock is wrong at broken rates and
shapes that are muted are lost.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .figure import CUTOFF, Alpha, Clip, Figure, Floats, Surface, normals_of, triangles_of

Json = dict[str, object]
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_COMPONENT = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
_KIND = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_VERTICES, _INDICES = 34962, 34963  # bufferView.target
_STILL = 2e-6  # m: an offset below this is left out of a shape
_UNBENT = 0.004  # of a unit normal: a quarter of a degree is left out of a shape


@dataclass(frozen=True)
class GlbOptions:
    """quantised: KHR_mesh_quantization, 16 bits a coordinate (10 micrometres on a head), 8 bits a normal.

    normals: shapes bend the normals too, so that light follows an expression. bone_names: Figure's bone -> the file's.
    """

    quantised: bool = False
    normals: bool = True
    bone_names: Mapping[str, str] = field(default_factory=dict)


def write_glb(figure: Figure, options: GlbOptions, generator: str = "N2F") -> bytes:
    """The file's bytes."""
    document, buffer = build_gltf(figure, options, generator)
    return pack(document, buffer)


def build_gltf(figure: Figure, options: GlbOptions, generator: str) -> tuple[Json, bytes]:
    """The JSON and the binary chunk. Nodes: 0 the figure, 1 .. B its bones, B + 1 the mesh, then what is worn."""
    binary = _Binary()
    count = len(figure.bones)
    whole = (figure, *figure.worn)
    scale = max(map(_extent, whole)) if options.quantised else 1.0
    meshes: list[Json] = []
    materials: list[Json] = []
    pictures = _Pictures(binary)
    for part in whole:
        meshes.append(_mesh(part, options, binary, scale, len(materials)))
        materials += _materials(part, pictures)
    nodes = _nodes(figure, options)
    nodes.append({"name": f"{figure.name} Mesh", "mesh": 0, "skin": 0})
    nodes += [{"name": part.name, "mesh": mesh, "skin": 0} for mesh, part in enumerate(figure.worn, 1)]
    bind = np.tile(np.eye(4), (count, 1, 1))
    bind[:, :3, :3] *= scale
    bind[:, :3, 3] = -figure.joints
    inverse = binary.accessor(np.swapaxes(bind, 1, 2).reshape(count, 16).astype(np.float32))
    document: Json = {
        "asset": {"version": "2.0", "generator": generator},
        "scene": 0,
        "scenes": [{"nodes": [0, *range(count + 1, count + 1 + len(whole))]}],
        "nodes": nodes,
        "meshes": meshes,
        "skins": [{"inverseBindMatrices": inverse, "joints": list(range(1, count + 1)), "skeleton": 0}],
        "materials": materials,
    }
    if pictures.images:
        document["images"], document["textures"] = pictures.images, pictures.textures
        document["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}]
    if figure.clip is not None and (animation := _animation(figure, figure.clip, binary)):
        document["animations"] = [animation]
    used = sorted({name for item in materials for name in dict_of(item.get("extensions"))})
    if options.quantised:
        used.append("KHR_mesh_quantization")
        document["extensionsRequired"] = ["KHR_mesh_quantization"]
    if used:
        document["extensionsUsed"] = used
    document["accessors"], document["bufferViews"] = binary.accessors, binary.views
    document["buffers"] = [{"byteLength": len(binary.data)}]
    return document, bytes(binary.data)


def pack(document: Json, buffer: bytes) -> bytes:
    """The container of glTF 2.0, section 4."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    buffer += b"\0" * (-len(buffer) % 4)
    total = 12 + 8 + len(text) + 8 + len(buffer)
    return b"".join(
        (struct.pack("<IIIII", _MAGIC, 2, total, len(text), _JSON), text, struct.pack("<II", len(buffer), _BIN), buffer)
    )


class _Binary:
    """The binary chunk as it grows, with its views and accessors."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[Json] = []
        self.accessors: list[Json] = []

    def view(self, content: bytes, target: int | None = None, stride: int | None = None) -> int:
        self.data += b"\0" * (-len(self.data) % 4)
        view: Json = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content)}
        if stride is not None:
            view["byteStride"] = stride
        if target is not None:
            view["target"] = target
        self.data += content
        self.views.append(view)
        return len(self.views) - 1

    def accessor(
        self, values: NDArray[np.generic], target: int | None = None, normalised: bool = False, bounds: bool = False
    ) -> int:
        """A dense accessor of (N,) or (N, n) values."""
        table = values.reshape(len(values), -1)
        padded, stride = table, None
        width = table.shape[1] * table.itemsize
        if target == _VERTICES and width % 4:  # vertex attributes begin on four bytes
            spare = (-width % 4) // table.itemsize
            padded, stride = np.pad(table, ((0, 0), (0, spare))), width + spare * table.itemsize
        item = self._describe(table, normalised, bounds)
        item["bufferView"] = self.view(np.ascontiguousarray(padded).tobytes(), target, stride)
        self.accessors.append(item)
        return len(self.accessors) - 1

    def sparse(self, values: NDArray[np.generic], normalised: bool, bounds: bool) -> int:
        """Only the rows (N, n) that are not zero, where that is smaller."""
        rows = np.flatnonzero(values.any(axis=1))
        kind = np.uint16 if len(values) <= 0xFFFF else np.uint32
        width = values.shape[1] * values.itemsize
        if len(rows) * (width + np.dtype(kind).itemsize) >= len(values) * (width + -width % 4):
            return self.accessor(values, _VERTICES, normalised, bounds)
        item = self._describe(values, normalised, bounds)
        if len(rows):
            item["sparse"] = {
                "count": len(rows),
                "indices": {
                    "bufferView": self.view(rows.astype(kind).tobytes()),
                    "componentType": _COMPONENT[np.dtype(kind).name],
                },
                "values": {"bufferView": self.view(np.ascontiguousarray(values[rows]).tobytes())},
            }
        self.accessors.append(item)
        return len(self.accessors) - 1

    @staticmethod
    def _describe(table: NDArray[np.generic], normalised: bool, bounds: bool) -> Json:
        item: Json = {
            "componentType": _COMPONENT[table.dtype.name],
            "count": len(table),
            "type": _KIND[table.shape[1]],
        }
        if normalised:
            item["normalized"] = True
        if bounds:
            item["min"], item["max"] = table.min(axis=0).tolist(), table.max(axis=0).tolist()
        return item


class _Pictures:
    """Images and the textures that show them, one each."""

    def __init__(self, binary: _Binary) -> None:
        self.images: list[Json] = []
        self.textures: list[Json] = []
        self._binary = binary

    def texture(self, name: str, content: bytes) -> Json:
        mime = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
        self.images.append({"name": name, "mimeType": mime, "bufferView": self._binary.view(content)})
        self.textures.append({"sampler": 0, "source": len(self.images) - 1})
        return {"index": len(self.textures) - 1}


def _extent(figure: Figure) -> float:
    """m, what no coordinate is beyond."""
    return float(np.abs(figure.vertices).max() + np.abs(figure.shapes).max(initial=0.0))


def _mesh(figure: Figure, options: GlbOptions, binary: _Binary, scale: float, first_material: int) -> Json:
    """The mesh, its coordinates over `scale`."""
    triangles, owner, columns = triangles_of(figure.polygons)
    source, uv, corners = _split(triangles, figure.uv[owner[:, None], columns])
    normals = normals_of(figure.vertices, triangles) if figure.normals is None else figure.normals

    def place(points: Floats) -> NDArray[np.generic]:
        if not options.quantised:
            return np.asarray(points, np.float32)
        return np.asarray(np.rint(points / scale * 32767.0), np.int16)

    def way(vectors: Floats) -> NDArray[np.generic]:
        if not options.quantised:
            return np.asarray(vectors, np.float32)
        return np.asarray(np.rint(np.clip(vectors, -1.0, 1.0) * 127.0), np.int8)

    small = options.quantised
    flipped = np.column_stack([uv[:, 0], 1.0 - uv[:, 1]])  # glTF counts v downwards
    inside = small and bool(((flipped >= 0) & (flipped <= 1)).all())
    seen = np.rint(flipped * 65535.0).astype(np.uint16) if inside else flipped.astype(np.float32)
    joints, shares = _influences(figure.weights)
    attributes = {
        "POSITION": binary.accessor(place(figure.vertices[source]), _VERTICES, small, bounds=True),
        "NORMAL": binary.accessor(way(normals[source]), _VERTICES, small),
        "TEXCOORD_0": binary.accessor(seen, _VERTICES, inside),
        "JOINTS_0": binary.accessor(joints[source], _VERTICES),
        "WEIGHTS_0": binary.accessor(shares[source], _VERTICES),
    }
    if any(surface.anisotropy > 0 for surface in figure.materials):
        attributes["TANGENT"] = binary.accessor(way(_tangents(figure.vertices, normals, source, flipped, corners)),
                                                _VERTICES, small)  # fmt: skip
    targets: list[Json] = []
    for offsets in figure.shapes.astype(np.float64):
        moved = np.where(np.linalg.norm(offsets, axis=1, keepdims=True) > _STILL, offsets, 0.0)
        target: Json = {"POSITION": binary.sparse(place(moved[source]), small, bounds=True)}
        if options.normals and figure.normals is None:
            bent = normals_of(figure.vertices + moved, triangles) - normals
            bent[np.linalg.norm(bent, axis=1) < _UNBENT] = 0.0
            target["NORMAL"] = binary.sparse(way(bent[source]), small, bounds=False)
        targets.append(target)
    kind = np.uint16 if len(source) <= 0xFFFF else np.uint32
    material = figure.material[owner]
    primitives: list[Json] = []
    for slot in range(len(figure.materials)):
        part = corners[material == slot]
        if len(part):
            indices = binary.accessor(part.ravel().astype(kind), _INDICES)
            primitive: Json = {"attributes": attributes, "indices": indices, "material": first_material + slot,
                               "mode": 4}  # fmt: skip
            primitives.append(primitive | ({"targets": targets} if targets else {}))
    mesh: Json = {"name": figure.name, "primitives": primitives}
    if targets:
        mesh |= {"weights": figure.stance.values.tolist(), "extras": {"targetNames": list(figure.shape_names)}}
    return mesh


def _tangents(
    vertices: Floats, normals: Floats, source: NDArray[np.int64], uv: Floats, corners: NDArray[np.int64]
) -> Floats:
    """(N, 4) of the file's vertices: the way of growing u, at right angles to the normal, and the side (+1 or -1) on
    which v grows from it, as glTF counts v: downwards, which is a strip's way from root to tip. `uv` (N, 2).
    """
    place, (du, dv) = vertices[source[corners]], np.moveaxis(uv[corners[:, 1:]] - uv[corners[:, :1]], 2, 0)
    first, second = place[:, 1] - place[:, 0], place[:, 2] - place[:, 0]
    area = np.sign(du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0])[:, None]
    along_u = area * (first * dv[:, 1:] - second * dv[:, :1])
    along_v = area * (second * du[:, :1] - first * du[:, 1:])
    sums = np.zeros((2, len(source), 3))
    for total, faces in zip(sums, (along_u, along_v), strict=True):
        for axis in range(3):
            total[:, axis] = np.bincount(corners.ravel(), np.repeat(faces[:, axis], 3), len(source))
    normal = normals[source]
    tangent = sums[0] - (sums[0] * normal).sum(axis=1, keepdims=True) * normal
    # Where a polygon has no area on the picture, any way at right angles does.
    spare = np.cross(normal, np.where(np.abs(normal[:, :1]) > 0.9, (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    tangent = np.where(np.linalg.norm(tangent, axis=1, keepdims=True) > 1e-9, tangent, spare)
    tangent = tangent / np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.where((np.cross(normal, tangent) * sums[1]).sum(axis=1) < 0, -1.0, 1.0)
    return np.column_stack([tangent, side])


def vertex_sources(figure: Figure) -> NDArray[np.int64]:
    """(N,): the figure's vertex that each of the file's comes from."""
    triangles, owner, columns = triangles_of(figure.polygons)
    return _split(triangles, figure.uv[owner[:, None], columns])[0]


def _split(
    triangles: NDArray[np.int32], uv: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """A vertex of the file per vertex and texture coordinate: its source (N,), its uv (N, 2), the corners (T, 3)."""
    rows = np.column_stack([triangles.ravel(), np.rint(uv.reshape(-1, 2) * 2**20)]).astype(np.int64)
    _, first, back = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return rows[first, 0], uv.reshape(-1, 2)[first], back.reshape(-1, 3)


def _influences(weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The four strongest bones of each vertex (V, 4) and their shares, which sum to 1; unused ones are bone 0."""
    full = np.pad(weights, ((0, 0), (0, max(0, 4 - weights.shape[1]))))
    strongest = np.argsort(-full, axis=1, kind="stable")[:, :4]
    shares = np.take_along_axis(full, strongest, axis=1)
    shares = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return np.where(shares > 0, strongest, 0).astype(np.uint8), shares


def _nodes(figure: Figure, options: GlbOptions) -> list[Json]:
    """The figure and its bones, as they stand."""
    stance = figure.stance
    nodes: list[Json] = [{"name": figure.name}]
    if not np.allclose(stance.place, np.eye(4), atol=1e-9):
        nodes[0] |= {
            "translation": stance.place[:3, 3].tolist(),
            "rotation": _xyzw(_quaternions(stance.place[None, :3, :3]))[0].tolist(),
        }
    for bone, (name, parent) in enumerate(zip(figure.bones, figure.parents, strict=True)):
        node: Json = {"name": options.bone_names.get(name, name), "translation": _rest(figure)[bone].tolist()}
        if not np.allclose(stance.turns[bone], (1, 0, 0, 0), atol=1e-9):
            node["rotation"] = _xyzw(stance.turns[bone : bone + 1])[0].tolist()
        nodes.append(node)
        above = nodes[parent + 1]
        above["children"] = [*list_of(above.get("children")), bone + 1]
    return nodes


def list_of(value: object) -> list[object]:
    """A JSON list, or nothing."""
    return value if isinstance(value, list) else []


def _rest(figure: Figure) -> Floats:
    """(B, 3): each joint from its parent's."""
    parents = np.array(figure.parents)
    return np.asarray(figure.joints - np.where(parents[:, None] >= 0, figure.joints[parents], 0.0))


def dict_of(value: object) -> Json:
    """A JSON object, or nothing."""
    return value if isinstance(value, dict) else {}


def _materials(figure: Figure, pictures: _Pictures) -> list[Json]:
    """A figure's, with the pictures that they share."""
    picture = None if figure.picture is None else pictures.texture("Albedo", figure.picture)
    maps = {name: pictures.texture(name.capitalize(), content) for name, content in figure.maps.items()}
    return [_material(surface, picture, maps) for surface in figure.materials]


def _material(surface: Surface, picture: Json | None, maps: Mapping[str, Json]) -> Json:
    """Either the picture or a colour, never one times the other."""
    shine: Json = {"metallicFactor": 0.0, "roughnessFactor": surface.roughness}
    if surface.painted and picture is not None:
        shine["baseColorTexture"] = picture
    else:
        shine["baseColorFactor"] = [*surface.colour, 1.0]
    material: Json = {"name": surface.name, "pbrMetallicRoughness": shine}
    if surface.alpha is not Alpha.OPAQUE:
        material |= {"alphaMode": surface.alpha.value, "doubleSided": True}
    if surface.alpha is Alpha.MASK:
        material["alphaCutoff"] = CUTOFF
    if "depth" in maps:  # its red: what lies deep gets less light from around
        material["occlusionTexture"] = {**maps["depth"], "strength": 0.5}
    extensions: Json = {}
    if surface.coat > 0:
        extensions["KHR_materials_clearcoat"] = {"clearcoatFactor": surface.coat, "clearcoatRoughnessFactor": 0.03}
    if surface.anisotropy > 0 and "flow" in maps:
        extensions["KHR_materials_anisotropy"] = {
            "anisotropyStrength": surface.anisotropy, "anisotropyTexture": maps["flow"],
        }  # fmt: skip
    if surface.gloss < 1:
        extensions["KHR_materials_specular"] = {"specularFactor": surface.gloss}
    return material | ({"extensions": extensions} if extensions else {})


def _animation(figure: Figure, clip: Clip, binary: _Binary) -> Json:
    """Linear keys on every frame; what stays as it stands gets none."""
    times = binary.accessor(clip.seconds.astype(np.float32), bounds=True)
    samplers: list[Json] = []
    channels: list[Json] = []

    def add(node: int, path: str, values: Floats, still: Floats) -> None:
        if np.allclose(values, still, atol=1e-7):
            return
        width = 1 if path == "weights" else values.shape[1]
        output = binary.accessor(values.reshape(-1, width).astype(np.float32))
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})

    stance = figure.stance
    add(0, "translation", clip.places[:, :3, 3], stance.place[:3, 3])
    turned = continuous(_quaternions(clip.places[:, :3, :3]))
    add(0, "rotation", _xyzw(turned), _xyzw(_quaternions(stance.place[None, :3, :3])))
    for bone in range(len(figure.bones)):
        add(bone + 1, "rotation", _xyzw(continuous(clip.turns[:, bone])), _xyzw(stance.turns[bone][None]))
    for node, part in enumerate((figure, *figure.worn), len(figure.bones) + 1):
        if part.shape_names:
            add(node, "weights", figure.values_of(part, clip.values), part.stance.values)
    return {"name": clip.name, "samplers": samplers, "channels": channels} if channels else {}


def _xyzw(turns: Floats) -> Floats:
    """Quaternions w x y z as glTF counts, x y z w."""
    return np.asarray(np.roll(turns, -1, axis=-1))


def continuous(turns: Floats) -> Floats:
    """(F, 4) with signs chosen so that neighbours interpolate the short way."""
    flips = np.sum(turns[1:] * turns[:-1], axis=1) < 0
    signs = np.cumprod(np.concatenate([[1.0], np.where(flips, -1.0, 1.0)]))
    return np.asarray(turns * signs[:, None])


def _quaternions(matrices: Floats) -> Floats:
    """Rotation matrices (N, 3, 3) -> unit quaternions (N, 4) w x y z (Bar-Itzhack 2000)."""
    k = np.empty((len(matrices), 4, 4))
    trace = np.trace(matrices, axis1=1, axis2=2)
    k[:, 0, 0] = trace
    k[:, 1:, 1:] = matrices + np.swapaxes(matrices, 1, 2) - trace[:, None, None] * np.eye(3)
    turn = np.stack([matrices[:, i, j] - matrices[:, j, i] for i, j in ((2, 1), (0, 2), (1, 0))], axis=1)
    k[:, 0, 1:] = k[:, 1:, 0] = turn
    _, vectors = np.linalg.eigh(k)
    turns = vectors[:, :, -1]
    return np.asarray(np.where(turns[:, :1] < 0, -turns, turns))
