"""The demo's picture: every part is in it, the face in the middle, and a missing part is named."""

from __future__ import annotations

from pathlib import Path

import compose_preview
import numpy as np
import pytest
from compose_preview import EMPTY, GAP_PX, RENDERS, TILE_PX, Tile, compose, head_window, read_rgb
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

COLOURS = {"astronaut": (200, 30, 30), "normals": (30, 200, 30), "overlay": (30, 30, 200)}
RENDER_COLOURS = ((200, 200, 30), (200, 30, 200))


@pytest.fixture
def demo_folder(tmp_path: Path) -> Path:
    for name, colour in COLOURS.items():
        Image.new("RGB", (512, 512), colour).save(tmp_path / f"{name}.png")
    for (name, _caption), colour in zip(RENDERS, RENDER_COLOURS, strict=True):
        Image.new("RGBA", (300, 300), (*colour, 255)).save(tmp_path / name)
    Image.new("L", (512, 512), 255).save(tmp_path / "mask.png")
    np.savez(tmp_path / "take.npz", bbox=np.array([[150.0, 60.0, 300.0, 220.0]], dtype=np.float32))
    return tmp_path


def test_every_part_is_in_the_picture(demo_folder: Path) -> None:
    assert compose_preview.main([str(demo_folder)]) == 0
    sheet = np.asarray(Image.open(demo_folder / "preview.png"))
    for colour in (*COLOURS.values(), *RENDER_COLOURS):
        assert np.all(sheet == colour, axis=-1).sum() >= TILE_PX**2 * 0.99, colour
    assert not list(demo_folder.glob("*.new*"))


def test_outside_the_mask_the_dimmed_photo_shows() -> None:
    photo, normals = Image.new("RGB", (4, 2), (200, 200, 200)), Image.new("RGB", (4, 2), (0, 0, 255))
    mask = Image.new("L", (4, 2), 0)
    mask.paste(255, (0, 0, 2, 2))
    shown = np.asarray(compose_preview.on_dim_photo(normals, mask, photo))
    assert np.all(shown[:, :2] == (0, 0, 255))
    assert np.all(shown[:, 2:] == 60)


def test_it_can_be_made_smaller(demo_folder: Path) -> None:
    assert compose_preview.main([str(demo_folder), "--out", str(demo_folder / "small.png"), "--width", "600"]) == 0
    assert Image.open(demo_folder / "small.png").width == 600


def test_a_missing_part_is_named(demo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (demo_folder / "overlay.png").unlink()
    assert compose_preview.main([str(demo_folder)]) == 1
    assert "overlay.png" in capsys.readouterr().err
    assert not (demo_folder / "preview.png").exists()


def test_a_shorter_row_has_wider_tiles_that_end_where_the_others_end() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    rows = [[Tile("a", Image.new("RGB", (9, 9), red))] * 3, [Tile("b", Image.new("RGB", (9, 9), blue))] * 2]
    sheet = np.asarray(compose(rows))
    above = np.flatnonzero(np.all(sheet == red, axis=-1).any(axis=0))
    below = np.flatnonzero(np.all(sheet == blue, axis=-1).any(axis=0))
    assert above.size == 3 * TILE_PX
    assert below.size == 3 * TILE_PX + GAP_PX  # a plain backdrop goes on to the tile's borders
    assert (above[0], above[-1]) == (below[0], below[-1]) == (GAP_PX, sheet.shape[1] - GAP_PX - 1)


def test_a_picture_without_a_plain_backdrop_keeps_its_proportions_on_the_quiet_ground(tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 400), (255, 0, 0))
    picture.paste((0, 255, 0), (0, 0, 200, 100))
    sheet = np.asarray(compose([[Tile("tall", picture)]]))
    assert np.flatnonzero(np.all(sheet == (255, 0, 0), axis=-1).any(axis=0)).size == TILE_PX // 2
    assert tuple(sheet[GAP_PX + TILE_PX // 2, GAP_PX + 5]) == EMPTY
    Image.new("RGBA", (400, 200), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_rgb(tmp_path / "clear.png").getpixel((5, 5)) == EMPTY


sizes = st.tuples(st.integers(40, 3000), st.integers(40, 3000))


@given(size=sizes, corner=st.tuples(*[st.floats(-0.2, 1)] * 2), extent=st.tuples(*[st.floats(0.01, 1.5)] * 2))
def test_the_window_is_a_square_inside_the_photo(
    size: tuple[int, int], corner: tuple[float, float], extent: tuple[float, float]
) -> None:
    left, top = corner[0] * size[0], corner[1] * size[1]
    box = [left, top, left + extent[0] * size[0] + 1, top + extent[1] * size[1] + 1]
    x0, y0, x1, y1 = head_window(box, size)
    assert x1 - x0 == y1 - y0 > 0
    assert x0 >= 0 and y0 >= 0 and x1 <= size[0] and y1 <= size[1]


@given(centre=st.tuples(st.floats(600, 1400), st.floats(600, 1400)), side=st.floats(100, 500))
def test_the_whole_face_is_in_the_window_when_there_is_room(centre: tuple[float, float], side: float) -> None:
    box = [centre[0] - side / 2, centre[1] - side / 2, centre[0] + side / 2, centre[1] + side / 2]
    x0, y0, x1, y1 = head_window(box, (2000, 2000))
    assert x0 <= box[0] and y0 <= box[1] and x1 >= box[2] and y1 >= box[3]
