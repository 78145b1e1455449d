"""The lines of the overlay on a mesh that was cut into triangles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inference_core.head import load_head
from inference_core.head.surface import paired_triangles
from inference_core.track.overlay_lines import head_lines


def test_a_grid_cut_into_triangles_is_a_grid_again() -> None:
    side = 7
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    vertices = np.stack([x.ravel(), 1.1 * y.ravel(), 0 * x.ravel()], axis=1)
    first = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    quads = np.stack([first, first + 1, first + side + 1, first + side], axis=1)
    falling = np.arange(len(quads)) % 3 == 0  # cut one way or the other
    turned = np.where(falling[:, None], np.roll(quads, 1, axis=1), quads)
    triangles = np.concatenate([turned[:, [0, 1, 2]], turned[:, [0, 2, 3]]]).astype(np.int32)
    found = paired_triangles(np.random.default_rng(1).permutation(triangles), vertices)
    assert sorted(map(sorted, found.tolist())) == sorted(map(sorted, quads.tolist()))
    a, b = vertices[found[:, 2]] - vertices[found[:, 0]], vertices[found[:, 3]] - vertices[found[:, 1]]
    assert (np.cross(a, b)[:, 2] > 0).all()  # still counter-clockwise


def test_flames_mesh_has_a_wire_and_eyes(flame_head_path: Path) -> None:
    head = load_head(flame_head_path)
    lines = head_lines(head)
    assert len(lines.wire) > 500
    assert lines.wire_quads.max() < len(lines.quads)
    assert [len(eye.rim) > 6 for eye in lines.eyes] == [True, True]
    assert all(len(feature.pairs) for feature in lines.features)
