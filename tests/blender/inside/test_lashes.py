"""Lashes stand on the rims of the lids, in the face's own direction, and go where a blink takes them."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from conftest import OPEN_HEAD
from helpers import write_take
from numpy.typing import NDArray
from reference import random_take
from test_look import naming_look, opened, write_look

from n2f_blender.files.head import HeadFile, load_head
from n2f_blender.scene.avatar import Avatar
from n2f_blender.scene.hair import LASH_ROLE
from n2f_blender.scene.lashes import STEPS, lashes_of
from n2f_blender.scene.lookup import ROLE

pytestmark = pytest.mark.skipif(not OPEN_HEAD.is_file(), reason="the Open Head is not built")


@pytest.fixture(scope="module")
def head() -> HeadFile:
    return load_head(OPEN_HEAD)


def test_lashes_grow_out_of_the_rims_and_bend_away_from_the_eye(head: HeadFile) -> None:
    shape = np.random.default_rng(4).normal(size=20)
    lashes = lashes_of(head, shape)
    assert lashes is not None
    rims = np.concatenate([rim.vertices @ head.identity(shape) for rim in head.lid_rims])
    roots, tips = lashes.points[:, 0], lashes.points[:, -1]
    assert np.linalg.norm(roots[:, None] - rims, axis=2).min(axis=1).max() < 0.004
    assert (tips[:, 2] > roots[:, 2]).all()
    length = np.linalg.norm(np.diff(lashes.points, axis=1), axis=2).sum(axis=1)
    assert length.min() > 0.001 and length.max() < 0.014
    upper = tips[:, 1] > roots[:, 1]
    assert 0.5 < upper.mean() < 0.75  # more above than below
    assert (np.abs((tips[:, 0] > 0).mean() - 0.5)) < 0.02


def test_a_head_that_names_no_rims_has_no_lashes(egg: Path) -> None:
    assert lashes_of(load_head(egg), np.zeros(2)) is None


def tips(avatar: Avatar) -> NDArray[np.float32]:
    (item,) = (one for one in avatar.collection.objects if one.get(ROLE) == LASH_ROLE)
    curves = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    places = np.empty(len(curves.points) * 3, np.float32)
    curves.points.foreach_get("position", places)
    return places.reshape(-1, STEPS, 3)[:, -1]


def test_lashes_follow_a_blink(head: HeadFile, folder: Path) -> None:
    """Upper ones go down with the lid; renders show all, a viewport none unless asked to; a plain head has none."""
    (folder / "lashed").mkdir()
    write_look(folder / "lashed", OPEN_HEAD)
    path = write_take(folder / "lashed" / "take.npz", naming_look(random_take(OPEN_HEAD, 1), "look.json"))
    avatar = opened(path, OPEN_HEAD)
    (item,) = (one for one in avatar.collection.objects if one.get(ROLE) == LASH_ROLE)
    assert item.hide_viewport and not item.hide_render
    item.hide_viewport = False
    keys = avatar.head.data.shape_keys.key_blocks
    lids = [key for key in keys if "eyeBlink" in key.name and key.name.endswith(("Left", "Right"))]
    heights = []
    for value in (0.0, 1.0):
        for key in lids:
            key.value = value
        bpy.context.view_layer.update()
        heights.append(tips(avatar)[:, 2])
    lashes = lashes_of(head, np.zeros(1))
    assert lashes is not None and len(heights[0]) == len(lashes.points)
    fallen = heights[0] - heights[1]
    assert np.quantile(fallen, 0.8) > 0.004
    plain = opened(write_take(folder / "unlashed" / "take.npz", random_take(OPEN_HEAD, 1)), OPEN_HEAD)
    assert not any(one.get(ROLE) == LASH_ROLE for one in plain.collection.objects)
