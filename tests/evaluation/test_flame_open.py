"""FLAME Open's people: drawn as their model says, painted so that the product sees a face in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from inference_core.errors import BadInput
from inference_core.evaluation.cc0_looks import Wardrobe, triangle_uv
from inference_core.evaluation.flame_open import FlameOpen
from inference_core.evaluation.painted_flame import FlamePainter
from inference_core.evaluation.scan_sets import PICTURE_SIZE, wider
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import turned_view
from inference_core.flame.registration import SKIN
from inference_core.head import Head, load_head


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def model(shared_data: Path) -> FlameOpen:
    return FlameOpen.read(shared_data / "flame2023_open_identity")


@pytest.fixture(scope="module")
def painted(head: Head, model: FlameOpen, shared_data: Path) -> tuple[FlamePainter, Target]:
    laid = model.laid(head)
    painter = FlamePainter(model, head, laid, Wardrobe(head, shared_data / "makehuman"))
    return painter, Target(model.template, model.triangles, model.regions(head, laid), model.published_points())


def test_people_vary_as_the_model_says(model: FlameOpen) -> None:
    first, again = (list(model.people(3, 5)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    many = np.stack(list(model.people(200, 1)))
    wide = np.sqrt((model.directions**2).sum(axis=2))  # each coordinate's own width, m
    assert np.median(many.std(axis=0) / wide) == pytest.approx(1.0, abs=0.05)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "flame_basis.npz").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="flame_basis"):
        FlameOpen.read(tmp_path)


def test_every_corner_of_the_head_has_its_own_place_in_the_texture(head: Head) -> None:
    corners = triangle_uv(head)
    assert corners.shape == (len(head.triangles), 3, 2)
    assert ((corners >= 0) & (corners <= 1)).all()
    polygon = {frozenset(quad): row for row, quad in enumerate(head.quads.tolist())}
    for triangle in range(0, len(head.triangles), 997):
        vertices = head.triangles[triangle].tolist()
        row = next(row for quad, row in polygon.items() if set(vertices) <= quad)
        place = dict(zip(head.quads[row].tolist(), head.uv_quads[row].tolist(), strict=True))
        expected = head.worn_by_makehuman.uv[[place[vertex] for vertex in vertices]] * (1, -1) + (0, 1)
        assert np.allclose(corners[triangle], expected)


def test_regions_lie_where_they_belong(painted: tuple[FlamePainter, Target]) -> None:
    _, mean = painted
    middle = {name: mean.vertices[mask].mean(axis=0) for name, mask in mean.regions.items()}
    assert middle["eyes"][1] > middle["nose"][1] > middle["mouth"][1]
    assert middle["nose"][2] > middle["eyes"][2] > middle["ears"][2]
    assert all(abs(place[0]) < 0.002 for place in middle.values())
    assert not any(mask[SKIN:].any() for mask in mean.regions.values())


def test_a_picture_is_a_face_to_the_product(model: FlameOpen, painted: tuple[FlamePainter, Target]) -> None:
    from inference_core.perception.face_mesh import FaceMesher

    painter, mean = painted
    person = mean.with_vertices(next(model.people(1, 3)))
    view = turned_view("somebody", person, 15, 0, 0.8)
    view = replace(view, camera=wider(view.camera))
    rgb = painter.picture(view, PICTURE_SIZE)
    assert np.array_equal(rgb, painter.picture(view, PICTURE_SIZE))  # the view's name alone says how it looks
    assert not np.array_equal(rgb, painter.picture(replace(view, name="another"), PICTURE_SIZE))
    mesher = FaceMesher()
    found = mesher.points(rgb)
    assert found is not None
    places = view.camera.project(person.face_points.on(person.vertices))[model.published]
    eyes = np.linalg.norm(found[33, :2] - found[263, :2])
    assert np.linalg.norm(found[model.published, :2] - places, axis=1).mean() < 0.06 * eyes
