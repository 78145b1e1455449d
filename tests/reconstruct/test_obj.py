"""The OBJ holds the head's own polygons, texture corners and materials."""

from __future__ import annotations

import dataclasses

import numpy as np

from inference_core.head import Head
from inference_core.reconstruct.obj import obj_text
from tests.head.conftest import random_head


def parsed(text: str) -> tuple[np.ndarray, np.ndarray, dict[str, list[list[tuple[int, int]]]]]:
    """Positions, texture coordinates and, per material, polygons as (vertex, texture) corners counted from 0."""
    positions, texture, polygons, material = [], [], {}, ""
    for line in text.splitlines():
        kind, *values = line.split()
        if kind == "v":
            positions.append([float(value) for value in values])
        elif kind == "vt":
            texture.append([float(value) for value in values])
        elif kind == "usemtl":
            material = values[0]
            polygons[material] = []
        elif kind == "f":
            corners = [tuple(int(part) - 1 for part in value.split("/")) for value in values]
            polygons[material].append(corners)
    return np.array(positions), np.array(texture), polygons


def two_material_head() -> Head:
    """Quads and triangles in two materials, and texture corners that differ from the vertices'."""
    head = random_head(3)
    quads = head.quads.copy()
    quads[::2, 3] = (quads[::2, 2] + 1) % head.vertex_count
    uv_quads = np.where(quads >= 0, (quads * 7) % len(head.uv), -1).astype(np.int32)
    material = (np.arange(len(quads)) % 3 == 0).astype(np.int32)
    return dataclasses.replace(
        head, quads=quads, uv_quads=uv_quads, material=material, material_names=("skin", "teeth")
    )


def test_round_trip() -> None:
    head = two_material_head()
    vertices = head.template.astype(np.float64)
    positions, texture, polygons = parsed(obj_text(head, vertices, "a comment"))
    np.testing.assert_allclose(positions, vertices, atol=1e-7)
    np.testing.assert_allclose(texture, head.uv, atol=1e-6)
    assert list(polygons) == ["skin", "teeth"]
    for number, name in enumerate(head.material_names):
        mine = head.material == number
        expected = {
            tuple(zip(quad[quad >= 0].tolist(), corner[corner >= 0].tolist(), strict=True))
            for quad, corner in zip(head.quads[mine], head.uv_quads[mine], strict=True)
        }
        assert {tuple(polygon) for polygon in polygons[name]} == expected
        assert len(polygons[name]) == mine.sum()
