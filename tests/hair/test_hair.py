"""Hair on a head that we photograph ourselves: what grew is known, and the room has to find it again."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from inference_core.formats.json_values import BadRequest
from inference_core.formats.options import HAIR_STYLES, ReconstructOptions
from inference_core.hair import barber, files
from inference_core.hair.barber import Hair, as_asked, as_seen, usual_shell
from inference_core.hair.beard import grown_beard, lower_face
from inference_core.hair.capsule import Capsule, skin_of
from inference_core.hair.colour import _steadied
from inference_core.hair.ground import Ground, ground_of
from inference_core.hair.growth import grown
from inference_core.hair.matte import SIZE, Matte, not_the_suit, of_the_head
from inference_core.hair.scalp import roots_on, seen_growth, usual_growth
from inference_core.hair.seat import Seat, seat
from inference_core.hair.sight import Sight, sight_of
from inference_core.hair.strokes import Strokes, straightness, strokes_of
from inference_core.hair.styles import STYLES
from inference_core.head import Camera, Head, HeadParameters, load_head, pose_head
from inference_core.head.model import Floats, Mask
from inference_core.perception.crop import CropFrame
from inference_core.perception.sampling import Square

COUNT = 1200
"""Strands of a test: enough to see a haircut by."""
INTRINSICS = np.array([1500.0, 1500.0, 256.0, 256.0])
CAMERA = Camera(np.array([np.pi, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), INTRINSICS)


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def seated(head: Head) -> Seat:
    neutral = HeadParameters.neutral(head)
    return seat(head, neutral.shape, pose_head(head, neutral), CAMERA)


@pytest.fixture(scope="module")
def ground(seated: Seat) -> Ground:
    return ground_of(seated)


def photographed(seated: Seat, hair: Mask) -> Sight:
    """A photo whose hair is where `hair` (SIZE, SIZE) says; the rest of the head is skin."""
    frame = CropFrame(Square(np.full(2, SIZE / 2), float(SIZE)), SIZE, INTRINSICS)
    everything = np.ones((SIZE, SIZE), np.bool_)
    nothing = np.zeros((SIZE, SIZE), np.float32)
    rgb = np.where(hair[..., None], (90, 60, 40), (180, 180, 190)).astype(np.uint8)
    matte = Matte(frame, rgb, hair.astype(np.float32), nothing, nothing, everything)
    sight = sight_of(seated, matte, strokes_of(rgb))
    skin = cv2.resize(np.isfinite(sight.depth).astype(np.float32), (SIZE, SIZE)) * ~hair
    return replace(sight, matte=replace(matte, skin=skin.astype(np.float32)))


def worn(seated: Seat, ground: Ground, name: str) -> Floats:
    """A style as it grows where no photo is asked; hidden from the face."""
    blank = photographed(seated, np.zeros((SIZE, SIZE), np.bool_))
    return as_asked(ground, seated, blank, name, None, COUNT).points.astype(np.float64)


@pytest.mark.parametrize("name", ["parted_left", "bob_middle"])
def test_known_hair_is_found_again(seated: Seat, ground: Ground, name: str) -> None:
    blank = photographed(seated, np.zeros((SIZE, SIZE), np.bool_))
    truth = blank.coverage(worn(seated, ground, name), 8)
    sight = photographed(seated, truth)
    found = as_seen(ground, seated, sight, None, COUNT)
    covered = sight.coverage(found.points.astype(np.float64), 8)
    overlap = (covered & truth).sum() / (covered | truth).sum()
    assert found.kind == "hair"
    assert overlap > 0.75, f"{found.style}: {overlap:.2f}"
    assert (STYLES[found.style].back > barber.SHORT) == (STYLES[name].back > barber.SHORT)


def test_strands_stay_out_of_the_skin(seated: Seat, ground: Ground) -> None:
    dense = skin_of(seated.triangles, seated.vertices, seated.normals)
    points = worn(seated, ground, "bob_left").reshape(-1, 3)
    away, nearest = cKDTree(dense.places).query(points, distance_upper_bound=0.02)
    near = np.isfinite(away)
    over = ((points[near] - dense.places[nearest[near]]) * dense.normals[nearest[near]]).sum(axis=1)
    assert over.min() > -0.0015
    assert np.mean(over > -1e-4) > 0.995


def test_no_style_hangs_before_the_eyes(seated: Seat, ground: Ground) -> None:
    eyes = seated.vertices[seated.head.region("iris")].mean(axis=0)
    for name in ("mop", "bob_fringe"):
        points = worn(seated, ground, name)
        before = (
            (points[..., 2] > eyes[2]) & (np.abs(points[..., 0]) < 0.035) & (np.abs(points[..., 1] - eyes[1]) < 0.012)
        )
        assert before.mean() < 0.002, name


def test_a_bald_head_stays_bald(seated: Seat, ground: Ground) -> None:
    sight = photographed(seated, np.zeros((SIZE, SIZE), np.bool_))
    found = as_seen(ground, seated, sight, None, COUNT)
    assert found.kind == "bald"
    assert len(found.points) == 0
    assert found.note == ""


def test_a_hat_is_told_and_grows_nothing(seated: Seat, ground: Ground) -> None:
    sight = photographed(seated, np.zeros((SIZE, SIZE), np.bool_))
    matte = replace(sight.matte, cover=sight.matte.skin, skin=0 * sight.matte.skin)
    found = as_seen(ground, seated, replace(sight, matte=matte), None, COUNT)
    assert found.kind == "covered"
    assert len(found.points) == 0
    assert "hat" in found.note


def test_the_same_photo_gives_the_same_hair(seated: Seat, ground: Ground, tmp_path: Path) -> None:
    blank = photographed(seated, np.zeros((SIZE, SIZE), np.bool_))
    sight = photographed(seated, blank.coverage(worn(seated, ground, "crop"), 8))
    written = []
    for run in ("a", "b"):
        hair = as_seen(ground, seated, sight, None, 300)
        files.write_strands(tmp_path / run, hair)
        written.append((tmp_path / run).read_bytes())
    assert written[0] == written[1]
    assert json.loads(files.description(seated.head, hair))["head_sha256"] == seated.head.sha256
    with zipfile.ZipFile(io.BytesIO(written[0])) as archive:
        assert {Path(name).stem for name in archive.namelist()} == {"points", "root_uv", "colour"}


def test_a_capsule_counts_there_and_back(seated: Seat) -> None:
    capsule = Capsule.of(seated.head, seated.vertices)
    places = seated.vertices[seated.head.region("scalp") | seated.head.region("neck")]
    azimuth, fall, radius, _ = capsule.split(places)
    assert np.abs(capsule.places(azimuth, fall, radius) - places).max() < 1e-9


def test_the_seat_puts_the_neutral_skull_where_the_photo_has_it(head: Head) -> None:
    neutral = HeadParameters.neutral(head)
    turned = replace(neutral, neck=np.array([0.1, 0.3, -0.2]), jaw=np.array([0.3, 0.0, 0.0]))
    posed = pose_head(head, turned)
    seated = seat(head, neutral.shape, posed, CAMERA)
    skull = head.region("scalp") & (seated.vertices[:, 1] > 0.06)
    assert np.abs(seated.camera.project(seated.vertices[skull]) - CAMERA.project(posed[skull])).max() < 1.0


def test_any_first_part_of_the_roots_covers_the_scalp(seated: Seat, ground: Ground) -> None:
    growth = usual_growth(seated, ground)
    whole, part = roots_on(seated, growth, 4000), roots_on(seated, growth, 500)
    assert np.array_equal(whole.places[:500], part.places)
    assert np.quantile(cKDTree(part.places).query(whole.places)[0], 0.999) < 0.025


def test_collars_and_other_people_are_no_hair() -> None:
    hair = np.zeros((SIZE, SIZE), np.float32)
    hair[100:200, 150:350] = 1.0
    hair[400:500, 100:400] = 1.0
    kept = of_the_head(hair, mouth=300.0)
    assert kept[150, 200] == 1.0
    assert kept[450, 200] == 0.0


def test_strokes_run_as_the_lines_do() -> None:
    row, column = np.mgrid[0:128, 0:128]
    angle = np.radians(30.0)
    wave = 127 + 60 * np.sin(1.2 * (row * np.cos(angle) - column * np.sin(angle)))
    found: Strokes = strokes_of(np.repeat(wave[..., None], 3, axis=2).astype(np.uint8))
    inner = np.s_[32:96, 32:96]
    off = np.abs(np.angle(np.exp(2j * (found.angle[inner] - angle)))) / 2
    assert np.degrees(off.mean()) < 2.0
    assert found.sure[inner].mean() > 0.9


def test_every_style_can_be_asked_for_by_its_name() -> None:
    assert tuple(STYLES) == HAIR_STYLES


def test_every_style_grows(seated: Seat, ground: Ground) -> None:
    roots = roots_on(seated, usual_growth(seated, ground), 60)
    for name, style in STYLES.items():
        path = grown(ground, roots, style, usual_shell(style), 8, lambda places: np.zeros(places.shape[:-1], np.bool_))
        assert np.isfinite(path).all(), name
        assert np.linalg.norm(np.diff(path, axis=1), axis=2).sum(axis=1).mean() > 0.3 * style.sides, name


def test_a_style_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadRequest, match="mullet"):
        ReconstructOptions(hair="mullet")


def test_bald_heads_have_a_description_alone(seated: Seat) -> None:
    bald: Hair = barber.none_of("bald")
    facts = json.loads(files.description(seated.head, bald))
    assert facts["kind"] == "bald"
    assert "strands" not in facts


def test_roots_lie_where_their_texture_coordinates_say(seated: Seat, ground: Ground) -> None:
    """Blender finds a root by its UV on the head's surface: another triangle's would tear the hair off."""
    roots = roots_on(seated, usual_growth(seated, ground), 400)
    flat = seated.head.uv[seated.uv_triangles].mean(axis=1)
    solid = seated.vertices[seated.triangles].mean(axis=1)
    nearest = cKDTree(flat).query(roots.uv)[1]
    assert np.quantile(np.linalg.norm(solid[nearest] - roots.places, axis=1), 0.99) < 0.02


def test_a_dark_beard_is_grown_and_bare_skin_has_none(seated: Seat, ground: Ground) -> None:
    blank = photographed(seated, np.zeros((SIZE, SIZE), np.bool_))
    rgb = np.full((SIZE, SIZE, 3), (205, 150, 125), np.uint8)
    bare = replace(blank, matte=replace(blank.matte, rgb=rgb, known=np.ones((SIZE, SIZE), np.bool_)))
    assert grown_beard(ground, bare, None, None) is None
    face = lower_face(bare, None)
    dark = rgb.copy()
    for u, v in bare.pixels(face.roots.places)[0].astype(int):
        dark[v - 3 : v + 4, u - 3 : u + 4] = (60, 52, 50)
    beard = grown_beard(ground, replace(bare, matte=replace(bare.matte, rgb=dark)), None, None)
    assert beard is not None
    assert len(beard.points) > 500
    both = barber.with_beard(barber.none_of("bald"), beard)
    assert both.kind == "hair"
    assert len(both.points) == len(both.root_uv) == len(both.dye.strands)


def test_a_suit_below_the_chin_is_no_hair() -> None:
    hair = np.zeros((SIZE, SIZE), np.float32)
    hair[60:220, 180:330] = 1.0
    hair[220:420, 250:254] = 1.0  # a thread that the guided filter left
    hair[400:500, 60:450] = 1.0
    kept = not_the_suit(hair, mouth=330.0, chin=390.0)
    assert kept[150, 200] == 1.0
    assert not kept[400:].any()
    hair[220:420, 170:200] = 1.0  # hair that hangs
    assert not_the_suit(hair, mouth=330.0, chin=390.0)[450, 200] == 1.0


def test_curls_run_every_way_and_straight_hair_one() -> None:
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    everything = np.ones((SIZE, SIZE), np.bool_)
    straight = 127 + 60 * np.sin(0.9 * column)
    curls = 127 + 60 * np.sin(0.9 * np.hypot(row % 24 - 12, column % 24 - 12))
    one, every = (
        straightness(np.repeat(wave[..., None], 3, axis=2).astype(np.uint8), everything) for wave in (straight, curls)
    )
    assert one is not None and one > 0.9
    assert every is not None and every < barber.CURLS


def test_hair_in_the_middle_has_temples(seated: Seat, ground: Ground) -> None:
    """Bare corners of the forehead are bare where they are seen; no stripe of skin runs from them to the back."""
    camera = CropFrame(Square(np.full(2, SIZE / 2), float(SIZE)), SIZE, INTRINSICS).camera_in_crop(seated.camera)
    hair = np.zeros((SIZE, SIZE), np.uint8)
    crown = seated.vertices[seated.head.region("scalp") & (np.abs(seated.vertices[:, 0]) < 0.035)]
    hull = cv2.convexHull(camera.project(crown[crown[:, 1] > 0.09]).astype(np.int32))
    cv2.fillPoly(hair, [hull], 1.0)
    growth = seen_growth(photographed(seated, hair > 0), ground)
    assert growth.bare > 0.2
    x, y, z = seated.vertices.T
    ears = seated.vertices[seated.head.region("ears")]
    brows = float(seated.vertices[seated.head.region("brows"), 1].mean())
    temple = (np.abs(x) > 0.06) & (y > brows) & (y < brows + 0.03) & (z > ears[:, 2].max() + 0.002)
    temple &= z < ears[:, 2].max() + 0.02
    above_the_ear = (np.abs(x) > 0.06) & (y > brows + 0.03) & (np.abs(z - ears[:, 2].mean()) < 0.02)
    assert temple.sum() > 4
    density = growth.density(seated.vertices, growth.full)
    assert density[temple].mean() > 0.8
    assert density[above_the_ear].min() > 0.8


def test_hair_is_grown_unless_declined() -> None:
    assert ReconstructOptions().hair == "auto"


def test_a_flag_beside_the_hair_dyes_none_of_it() -> None:
    blond = np.tile([0.45, 0.32, 0.16], (50, 1))
    flag = np.array([[0.55, 0.06, 0.07]])
    red_over_green = np.divide(*_steadied(np.concatenate([blond, flag]), blond[0])[-1, :2])
    assert red_over_green < 1.1 * blond[0, 0] / blond[0, 1]
