"""What FLAME lacks and we make: correspondences, lids, landmarks, regions, texture coordinates, ARKit's shapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference_core.flame.model import SHAPES
from inference_core.flame.rings import flame_lid_rings
from inference_core.flame.seams import CONTACT, gap, lip_seam
from inference_core.head import Head, HeadParameters, landmarks_68, load_head, mediapipe_points, pose_head
from inference_core.head.model import Floats
from inference_core.head.raster import rasterise
from n2f_blender.formats.arkit import NAMES

SKIN = 3931
HEAD_TO_CAMERA = np.diag([1.0, -1.0, -1.0])


@pytest.fixture(scope="module")
def neutral(flame_head: Head) -> HeadParameters:
    return HeadParameters.neutral(flame_head)


def _ball_pixels(head: Head, vertices: Floats, yaw: float, pitch: float) -> int:
    """Pixels, a quarter of a millimetre wide, that show an eyeball, from one side."""
    a, b = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    centre = head.template[head.region("eyes")].mean(axis=0)
    points = (vertices - centre) @ (HEAD_TO_CAMERA @ about_x @ about_y).T + np.array([0.0, 0.0, 1.0])
    seen = rasterise(points, head.triangles, np.array([4000.0, 4000.0, 240.0, 100.0]), (480, 200)).triangle
    balls = head.region("left_eyeball") | head.region("right_eyeball")
    return int(balls[head.triangles[:, 0]][seen[seen >= 0]].sum())


def test_closed_lids_cover_the_balls(flame_head: Head, neutral: HeadParameters) -> None:
    views = [(0, 0), (0, -25), (0, 25), (30, 0), (-30, 0)]
    closed = pose_head(flame_head, replace(neutral, eyelids=np.ones(2)))
    shown = [_ball_pixels(flame_head, closed, *view) for view in views]
    opened = _ball_pixels(flame_head, pose_head(flame_head, neutral), 0, 0)
    print(f"ball seen: open {opened} px, closed {shown} px")
    assert opened > 3000 and max(shown) <= 0.002 * opened


def test_closed_lids_on_other_people(flame_head: Head, neutral: HeadParameters) -> None:
    """The directions are one for all: how much of the ball shows on people at one standard deviation."""
    random = np.random.default_rng(5)
    shares = []
    for _ in range(6):
        person = replace(neutral, shape=random.normal(size=flame_head.shape_count))
        opened = _ball_pixels(flame_head, pose_head(flame_head, person), 0, 0)
        closed = _ball_pixels(flame_head, pose_head(flame_head, replace(person, eyelids=np.ones(2))), 0, 0)
        shares.append(closed / opened)
    print("share of the open eye that shows when closed:", np.round(shares, 3))
    assert np.mean(shares) < 0.05 and max(shares) < 0.2


@pytest.mark.parametrize("amount", [0.25, 0.5, 0.75, 1.0])
def test_lids_do_not_cut_the_ball(flame_head: Head, neutral: HeadParameters, amount: float) -> None:
    vertices = pose_head(flame_head, replace(neutral, eyelids=np.full(2, amount)))
    for side, part in enumerate((slice(3931, 4477), slice(4477, 5023))):
        rings = flame_lid_rings(flame_head.template.astype(np.float64), flame_head.triangles[:9976], side)
        spokes = vertices[part] - vertices[part].mean(axis=0)
        for ring in rings[1:]:
            at = vertices[ring.members] - vertices[part].mean(axis=0)
            nearest = (at @ (spokes / np.linalg.norm(spokes, axis=1, keepdims=True)).T).argmax(axis=1)
            lack = np.linalg.norm(spokes, axis=1)[nearest] - np.linalg.norm(at, axis=1)
            assert lack.max() < 2e-4, f"{1e3 * lack.max():.2f} mm inside the ball"


def test_left_is_left(flame_head: Head) -> None:
    moved = np.linalg.norm(flame_head.eyelid_dirs, axis=1)
    for side, sign in ((0, 1), (1, -1)):
        assert (sign * flame_head.template[moved[:, side] > 1e-3, 0] > 0.008).all()
    names = flame_head.arkit_names
    assert flame_head.arkit_dirs is not None
    for name in names:
        if name.endswith(("Left", "Right")) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            strength = np.linalg.norm(flame_head.arkit_dirs[:, :, names.index(name)], axis=1)
            middle = (strength * flame_head.template[:, 0]).sum() / strength.sum()
            assert (middle > 0) == name.endswith("Left"), name


@pytest.mark.parametrize(("way", "degrees", "axis"), [("Up", 25, 1), ("Down", 30, 1), ("In", 30, 0), ("Out", 30, 0)])
@pytest.mark.parametrize(("side", "ball", "left"), [("Left", "left_eyeball", 1), ("Right", "right_eyeball", -1)])
def test_a_look_turns_the_ball_by_its_angle(
    flame_head: Head, side: str, ball: str, left: int, way: str, degrees: float, axis: int
) -> None:
    """The ball moves by (R - I)(x - joint), whose turn is measured here; its front goes where the name says."""
    assert flame_head.arkit_dirs is not None
    places = flame_head.template[flame_head.region(ball)].astype(np.float64)
    moves = flame_head.arkit_dirs[flame_head.region(ball)][:, :, flame_head.arkit_names.index(f"eyeLook{way}{side}")]
    spokes = places - places.mean(axis=0)
    turn = np.linalg.lstsq(spokes, moves - moves.mean(axis=0), rcond=None)[0].T + np.eye(3)
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(degrees, abs=0.5)
    sign = {"Up": 1, "Down": -1, "In": -left, "Out": left}[way]
    assert sign * moves[spokes[:, 2].argmax()][axis] > 0.003


def test_correspondence(flame_head: Head) -> None:
    """Every FLAME vertex has its place on the Open Head; the offset is the rest of the way."""
    open_head = load_head()
    assert flame_head.open_head_triangles is not None and flame_head.open_head_barycentric is not None
    assert flame_head.open_head_offset is not None
    corners = open_head.triangles[flame_head.open_head_triangles]
    at = (open_head.template[corners] * flame_head.open_head_barycentric[..., None]).sum(axis=1)
    assert np.abs(at + flame_head.open_head_offset - flame_head.template).max() < 1e-6
    assert np.abs(flame_head.open_head_barycentric.sum(axis=1) - 1).max() < 1e-5
    face = flame_head.region("face") | flame_head.region("lips")
    assert np.linalg.norm(flame_head.open_head_offset[face], axis=1).mean() < 0.008
    # Upper lips lie on upper lips: what the Open Head's jaw carries is FLAME's lower row.
    seam = lip_seam(flame_head.template[:5023].astype(np.float64), flame_head.triangles[:9976])
    jaw = (open_head.skin_weights[corners][..., 2] * flame_head.open_head_barycentric).sum(axis=1)
    for ring in seam.rings[CONTACT:]:
        assert jaw[ring.upper].max() < 0.5 < jaw[ring.lower][4:-4].min()


def test_mediapipes_own_embedding(flame_head: Head, shared_data: Path) -> None:
    """105 of Face Mesh's points on FLAME were published; ours come from the Open Head by registration."""
    with np.load(shared_data / "flame2023_open_identity" / "flame_basis.npz") as basis:
        corners = flame_head.triangles[basis["lmk_face_idx"]]
        theirs = (flame_head.template[corners] * basis["lmk_b_coords"][..., None]).sum(axis=1)
        index = basis["landmark_indices"]
    ours = mediapipe_points(flame_head, flame_head.template.astype(np.float64))
    row = {int(value): place for place, value in enumerate(flame_head.mediapipe_index)}
    pairs = [(place, row[int(value)]) for place, value in enumerate(index) if int(value) in row]
    distance = np.array([np.linalg.norm(theirs[a] - ours[b]) for a, b in pairs])
    print(f"Face Mesh's points: {1e3 * np.median(distance):.2f} mm median, {1e3 * distance.max():.2f} mm worst")
    assert len(pairs) > 100 and np.median(distance) < 0.0026 and distance.max() < 0.009


def test_landmarks_are_in_order(flame_head: Head) -> None:
    points = landmarks_68(flame_head, flame_head.template.astype(np.float64), 0.0)
    x, y = points[:, 0], points[:, 1]
    assert (np.diff(x[:17]) > 0).all() and np.ptp(y[6:11]) < 0.01
    assert x[36] < x[39] < x[42] < x[45] and (np.diff(x[17:27]) > 0).all()
    assert y[27] > y[30] > y[51] > y[62] >= y[66] - 1e-3 > y[57] > y[8]
    assert np.abs(points[[36, 39, 42, 45], 1] - flame_head.joint_template[3:, 1].mean()).max() < 0.008
    assert len(flame_head.contour_yaw) == len(flame_head.contour_triangles) == 27


def test_regions(flame_head: Head) -> None:
    open_head = load_head()
    assert flame_head.region_names == open_head.region_names
    for name in ("face", "eyes", "nose", "mouth", "ears", "skin", "scalp", "neck", "lips", "eyelids", "iris", "pupil"):
        mask = flame_head.region(name)
        assert mask.sum() >= 20, name
        x = flame_head.template[mask, 0]
        assert abs(float(x.mean())) < 0.004, f"{name} is not on both sides alike"
    front = flame_head.region("face")
    assert flame_head.template[front, 2].min() > -0.04 and not (front & flame_head.region("neck")).any()


def test_texture_coordinates(flame_head: Head) -> None:
    """Every polygon has a place; smeared are only those around the crown, turned over only ears and nostrils."""
    places = flame_head.uv[flame_head.uv_quads[:9976, :3]].astype(np.float64)
    assert flame_head.uv.min() >= 0 and flame_head.uv.max() <= 1
    edge_a, edge_b = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    area = 0.5 * (edge_a[:, 0] * edge_b[:, 1] - edge_a[:, 1] * edge_b[:, 0])
    skin = (flame_head.triangles[:9976] < SKIN).all(axis=1)
    visible = skin & ~flame_head.region("hidden")[flame_head.triangles[:9976]].any(axis=1)
    assert (np.ptp(places[visible], axis=1).max(axis=1) > 0.15).sum() < 20
    assert (area[visible] > 0).mean() > 0.87
    front = flame_head.region("face")[flame_head.triangles[:9976]].all(axis=1)
    assert (area[front] > 0).mean() > 0.97


def test_arkit(flame_head: Head) -> None:
    assert set(flame_head.arkit_names) == set(NAMES)
    assert flame_head.arkit_dirs is not None
    size = np.linalg.norm(flame_head.arkit_dirs, axis=1).max(axis=0)
    moving = dict(zip(flame_head.arkit_names, size.tolist(), strict=True))
    assert min(value for name, value in moving.items() if name != "tongueOut") > 0.001
    assert max(moving.values()) < 0.06
    # No spikes: a vertex moves much as its neighbours do.
    corners = flame_head.arkit_dirs[flame_head.triangles[:9976]]
    length = np.linalg.norm(np.diff(flame_head.template[flame_head.triangles[:9976]], axis=1), axis=2)
    stretch = np.linalg.norm(np.diff(corners, axis=1), axis=2) / np.maximum(length, 5e-4)[..., None]
    for name, most in zip(flame_head.arkit_names, stretch.max(axis=(0, 1)).tolist(), strict=True):
        # What lines the lips hangs between them and the teeth: mouthClose stretches its few millimetres.
        assert most < (9.0 if name == "mouthClose" else 6.0), name


def test_mouth_close_closes_what_jaw_open_opens(flame_head: Head) -> None:
    assert flame_head.arkit_dirs is not None
    template, triangles = flame_head.template[:5023].astype(np.float64), flame_head.triangles[:9976]
    contact = lip_seam(template, triangles).rings[CONTACT]
    shapes = {name: flame_head.arkit_dirs[:5023, :, i] for i, name in enumerate(flame_head.arkit_names)}
    opened = template + shapes["jawOpen"]
    assert gap(opened, contact)[0][:, 1].max() > 0.015
    above, below = gap(opened + shapes["mouthClose"], contact)
    print(f"lips apart: {1e3 * above[:, 1].max():.3f} mm at most, {1e3 * above[:, 1].min():.3f} mm at least")
    assert max(above[:, 1].max(), (-below[:, 1]).max()) < 3e-4 and above[:, 1].min() > -1e-3


def test_flames_own_are_untouched(flame_model: dict[str, np.ndarray], flame_head: Head) -> None:
    directions = flame_model["shapedirs"]
    own = flame_head.expression_dirs[:5023]
    assert np.array_equal(own, directions[:, :, SHAPES : SHAPES + own.shape[2]].astype(np.float32))
    assert np.array_equal(flame_head.pose_dirs[:5023], flame_model["posedirs"].astype(np.float32))
    assert flame_head.expression_names[:2] == ("expr.000", "expr.001")
    assert (flame_head.quads[:9976, 3] == -1).all()
