"""The UV: every island once, upright, and most texels where a face is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference_core.head import Head
from inference_core.look.atlas import uv_triangles
from scripts.open_head.layout import islands, laid_out


def areas(head: Head, uv: NDArray[np.generic]) -> NDArray[np.float64]:
    """(T,) signed, of the square."""
    corners = uv[uv_triangles(head)].astype(np.float64)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(0.5 * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]))


def density(head: Head, uv: NDArray[np.generic], region: str) -> float:
    """Texels a millimetre at 2048 px, over a region of the template."""
    mine = head.region(region)[head.triangles].all(axis=1)
    sides = np.diff(head.template[head.triangles[mine]], axis=1)
    surface = 0.5 * np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum()
    return float(np.sqrt(np.abs(areas(head, uv)[mine]).sum() / surface) * 2048 / 1000)


def test_the_file_has_the_layout_of_its_source(head: Head) -> None:
    assert head.makehuman_uv is not None
    np.testing.assert_allclose(laid_out(head.makehuman_uv.astype(np.float64), head.uv_quads), head.uv, atol=1e-6)


def test_no_triangle_is_turned_over(head: Head) -> None:
    assert head.makehuman_uv is not None
    before, now = areas(head, head.makehuman_uv), areas(head, head.uv)
    assert (np.sign(before) == np.sign(now)).all()
    assert head.uv.min() >= 0 and head.uv.max() <= 1


def test_islands_stay_apart(head: Head) -> None:
    """Each texel of 512 px belongs to one island."""
    island = islands(len(head.uv), head.uv_quads)
    cells = np.floor(head.uv * 512).astype(int)
    owners: dict[tuple[int, ...], set[int]] = {}
    for cell, name in zip(map(tuple, cells), island.tolist(), strict=True):
        owners.setdefault(cell, set()).add(name)
    assert all(len(names) == 1 for names in owners.values())
    assert len(set(island.tolist())) == 10


@pytest.mark.parametrize(
    ("region", "least"), [("face", 4.5), ("eyelids", 4.5), ("lips", 5.0), ("nose", 4.0), ("teeth", 2.0)]
)
def test_the_face_has_the_texels(head: Head, region: str, least: float) -> None:
    assert head.makehuman_uv is not None
    assert density(head, head.uv, region) > least
    assert density(head, head.uv, region) > 2.2 * density(head, head.makehuman_uv, region)


def test_left_and_right_have_the_same(head: Head) -> None:
    """The same triangle mirrored has the same texels, to a tenth."""
    left = head.template[head.triangles].mean(axis=1)[:, 0]
    skin = head.region("face")[head.triangles].all(axis=1)
    area = np.abs(areas(head, head.uv))
    assert area[skin & (left > 0)].sum() == pytest.approx(area[skin & (left < 0)].sum(), rel=0.1)


def test_a_layout_that_is_not_makehumans_is_refused(head: Head) -> None:
    with pytest.raises(ValueError, match="MakeHuman"):
        laid_out(head.uv.astype(np.float64), head.uv_quads)
