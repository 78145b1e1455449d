"""Hair as cards: what leaves is counted, measured against the head and seen from around, by other code than made it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from typer.testing import CliRunner

from inference_core.cli.app import app
from inference_core.export.figure_of_take import figure_of
from inference_core.formats.arkit import APPLE_NAMES
from inference_core.formats.cards.atlas import CAP, HEIGHT, WIDTH
from inference_core.formats.cards.worn import TRIANGLES, Groom, groomed, triangle_count, worn_by
from inference_core.formats.figure import CUTOFF, Alpha, Figure, normals_of, posed, triangles_of
from inference_core.formats.glb import GlbOptions, vertex_sources, write_glb
from inference_core.formats.strands import Strands
from inference_core.hair.capsule import skin_of
from inference_core.hair.ground import ground_of
from inference_core.hair.scalp import roots_on, usual_growth
from inference_core.hair.seat import seat
from inference_core.head import BUNDLED_HEAD, Camera, HeadParameters, load_head, pose_head
from inference_core.head.model import Floats, Head, Mask
from inference_core.take import load_take
from n2f_blender.export.reading import Reading
from tests.blender.performances import performance

pytestmark = pytest.mark.skipif(not BUNDLED_HEAD.is_file(), reason="the Open Head is not built")
STRANDS, POINTS, STEP = 1600, 12, 0.012
LIGHT, DARK = np.float32([0.30, 0.18, 0.08]), np.float32([0.05, 0.03, 0.02])
CAMERA = Camera(np.array([np.pi, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.array([1500.0, 1500.0, 256.0, 256.0]))


@pytest.fixture(scope="module")
def head() -> Head:
    return load_head()


@pytest.fixture(scope="module")
def strands(head: Head) -> Strands:
    """Half long hair that rises and falls, dark on one side; below the ears it would go through the neck."""
    neutral = HeadParameters.neutral(head)
    seated = seat(head, neutral.shape, pose_head(head, neutral), CAMERA)
    roots = roots_on(seated, usual_growth(seated, ground_of(seated)), STRANDS)
    rng = np.random.default_rng(1)
    way = roots.normals + 0.2 * rng.normal(size=roots.normals.shape)
    path = [roots.places + 0.001 * roots.normals]
    for step in range(POINTS - 1):
        way = way + np.array([0.0, -0.35 if step else 0.0, 0.0])
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        path.append(path[-1] + STEP * way * rng.uniform(0.85, 1.0, (STRANDS, 1)))
    colour = np.where(roots.places[:, :1] > 0, LIGHT, DARK)
    return Strands("made", np.stack(path, axis=1).astype(np.float32), roots.uv, colour, 0.0002)


@pytest.fixture(scope="module")
def take_path(head: Head, strands: Strands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("haired")
    arrays = performance(BUNDLED_HEAD, frames=6, fps=24.0)
    meta = json.loads(str(arrays["meta"]))
    arrays["shape"], arrays["meta"] = 0 * arrays["shape"], np.array(json.dumps({**meta, "hair": "hair.json"}))
    np.savez(folder / "take.npz", **arrays)
    np.savez(folder / "hair.npz", points=strands.points, root_uv=strands.root_uv, colour=strands.colour)
    facts = {"format": "n2f-hair", "version": 1, "head_sha256": head.sha256, "kind": "hair", "strands": "hair.npz"}
    (folder / "hair.json").write_text(json.dumps({**facts, "radius": strands.radius}))
    return folder / "take.npz"


@pytest.fixture(scope="module")
def figure(head: Head, take_path: Path) -> Figure:
    return figure_of(load_take(take_path), head, "somebody")


@pytest.fixture(scope="module")
def groom(strands: Strands) -> Groom:
    return groomed(strands)


@pytest.fixture(scope="module")
def hair(figure: Figure, groom: Groom) -> Figure:
    return worn_by(figure, groom)


def of_the_cap(hair: Figure) -> Mask:
    """(Q,) polygons whose picture is the scalp's square."""
    filled = hair.polygons >= 0
    u, v = np.where(filled, hair.uv[..., 0], 0), np.where(filled, hair.uv[..., 1], 1)
    return np.asarray(((u <= CAP / WIDTH) & (v >= 1 - CAP / HEIGHT)).all(axis=1))


def albedo(groom: Groom) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(groom.albedo)))


def test_no_level_has_more_than_its_triangles(figure: Figure, groom: Groom, hair: Figure) -> None:
    middle = worn_by(figure, groom, TRIANGLES[1])
    assert 0.5 * TRIANGLES[1] < triangle_count(middle) <= TRIANGLES[1]
    assert triangle_count(middle) < triangle_count(hair) <= TRIANGLES[0]


def windings(places: Floats, corners: Floats) -> Floats:
    """(N,) how often triangles (T, 3, 3) go around each of places (N, 3): 1 inside, 0 outside, also of what is open.

    Jacobson, Kavan, Sorkine-Hornung, "Robust inside-outside segmentation using generalized winding numbers" (2013); the
    solid angle by van Oosterom and Strackee (1983).
    """
    a, b, c = (corners[None, :, corner] - places[:, None] for corner in range(3))
    la, lb, lc = (np.linalg.norm(way, axis=2) for way in (a, b, c))
    volume = (a * np.cross(b, c)).sum(axis=2)
    around = la * lb * lc + (a * b).sum(axis=2) * lc + (b * c).sum(axis=2) * la + (c * a).sum(axis=2) * lb
    return np.asarray(np.arctan2(volume, around).sum(axis=1) / (2 * np.pi))


def test_no_vertex_lies_inside_the_head(figure: Figure, hair: Figure) -> None:
    triangles, _, _ = triangles_of(figure.polygons)
    skin = skin_of(triangles, figure.vertices, normals_of(figure.vertices, triangles))
    away, nearest = cKDTree(skin.places).query(hair.vertices)
    over = ((hair.vertices - skin.places[nearest]) * skin.normals[nearest]).sum(axis=1)
    doubtful = hair.vertices[(over < 0.0003) & (away < 0.02)]
    others = hair.vertices[(over >= 0.0003) | (away >= 0.02)][::50]
    tested = np.concatenate([doubtful, others])
    assert len(others) > 100
    # The neck is open: what hangs below its rim is a little "inside" of what the rim would close.
    tested = tested[tested[:, 1] > figure.vertices[:, 1].min() + 0.01]
    found = np.concatenate([windings(part, figure.vertices[triangles]) for part in np.array_split(tested, 8)])
    assert found.max() < 0.5, f"{(found >= 0.5).sum()} of {len(tested)}: {tested[found >= 0.5][:5]}"


def test_triangles_lie_from_the_scalp_outwards(figure: Figure, hair: Figure) -> None:
    cap = of_the_cap(hair)
    assert not cap[np.argmin(cap) :].any(), "the cap comes first"
    quads = hair.polygons[~cap]
    card = np.cumsum(np.concatenate([[0], (quads[1:, 0] != quads[:-1, 1])]))
    over = cKDTree(figure.vertices).query(hair.vertices[quads].mean(axis=1))[0]
    mean = np.bincount(card, over) / np.bincount(card)
    assert len(mean) > 200
    assert spearmanr(np.arange(len(mean)), mean).statistic > 0.95


def test_hair_hangs_on_the_bones_below_it(figure: Figure, hair: Figure) -> None:
    assert np.abs(hair.weights.sum(axis=1) - 1).max() < 1e-5
    assert hair.bones == figure.bones
    high = hair.vertices[:, 1] > figure.vertices[:, 1].max() - 0.05
    assert hair.weights[high, figure.bones.index("neck")].min() > 0.99


def test_shapes_carry_the_scalp_and_its_cap_alike(figure: Figure, hair: Figure) -> None:
    assert "browInnerUp" in hair.shape_names
    assert "eyeLookUpLeft" not in hair.shape_names
    row, ours = APPLE_NAMES.index("browInnerUp"), hair.shape_names.index("browInnerUp")
    used = np.unique(hair.polygons[of_the_cap(hair)])
    used = used[used >= 0]
    away, vertex = cKDTree(figure.vertices).query(hair.vertices[used])
    assert away.max() < 0.0007
    assert np.abs(hair.shapes[ours][used] - figure.shapes[row][vertex]).max() < 1e-6


def test_the_atlas_has_no_rim_of_another_colour(groom: Groom, strands: Strands) -> None:
    picture = albedo(groom).astype(np.float64) / 255
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)[..., :3]
    hidden = picture[..., 3] == 0
    assert 0.2 < hidden.mean() < 0.9
    tiles = np.ones(hidden.shape, np.bool_)
    tiles[:CAP, :CAP] = False
    assert linear[hidden & tiles].max() <= strands.colour.max() + 0.01
    assert linear[hidden & tiles].min() >= 0.7 * strands.colour.min()
    warm = linear[hidden & tiles]
    assert (warm[:, 0] >= warm[:, 2]).all(), "brown, as the strands"


def test_the_maps_say_which_way_and_how_deep(groom: Groom) -> None:
    flow, depth = (np.asarray(Image.open(io.BytesIO(groom.maps[name]))) for name in ("flow", "depth"))
    assert flow.shape == depth.shape == (HEIGHT // 2, WIDTH // 2, 3)
    way = flow[..., :2] / 127.5 - 1
    tiles = np.s_[CAP // 2 :, :]
    assert np.median(np.linalg.norm(way[tiles], axis=-1)) > 0.9
    assert np.median(way[tiles][..., 1]) > 0.8, "most hair runs along its strip"
    assert depth[tiles][..., 0].std() > 20
    assert len(np.unique(depth[tiles][..., 1])) > 100
    column = depth[CAP // 2 + 2 : CAP // 2 + 126, :, 2].mean(axis=1)
    assert (np.diff(column[10:-10]) > -0.5).all(), "from the root to the tip"


@pytest.mark.parametrize("quantised", [False, True])
def test_a_glb_brings_the_hair_along(figure: Figure, hair: Figure, tmp_path: Path, quantised: bool) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(write_glb(replace(figure, worn=(hair,)), GlbOptions(quantised=quantised)))
    file = Reading.of(path)
    document = file.document
    assert [mesh["name"] for mesh in document["meshes"]] == ["somebody", "somebody Hair"]
    primitive = document["meshes"][1]["primitives"][0]
    came = file.accessor(primitive["attributes"]["POSITION"])
    scale = np.abs(file.accessor(document["skins"][0]["inverseBindMatrices"])[0, 0])
    source = vertex_sources(hair)
    assert np.abs(came * scale - hair.vertices[source]).max() < (2e-5 if quantised else 1e-6)
    shares = file.accessor(primitive["attributes"]["WEIGHTS_0"])
    assert np.abs(shares.sum(axis=1) - 1).max() < 1e-5
    material = document["materials"][primitive["material"]]
    assert (material["alphaMode"], material["alphaCutoff"], material["doubleSided"]) == ("MASK", CUTOFF, True)
    assert {"KHR_materials_anisotropy", "KHR_materials_specular"} <= set(document["extensionsUsed"])
    corners = file.accessor(primitive["indices"])[:, 0].astype(int).reshape(-1, 3)
    kept, _, _ = triangles_of(hair.polygons)
    assert np.array_equal(source[corners], kept), "in the order that blending needs"
    tangents = file.accessor(primitive["attributes"]["TANGENT"])
    normals = file.accessor(primitive["attributes"]["NORMAL"])
    assert np.abs(np.linalg.norm(tangents[:, :3], axis=1) - 1).max() < 0.02
    assert np.abs((tangents[:, :3] * normals).sum(axis=1)).max() < 0.02
    quads = np.flatnonzero(~of_the_cap(hair))
    across = hair.vertices[hair.polygons[quads, 3]] - hair.vertices[hair.polygons[quads, 0]]
    across *= np.sign(hair.uv[quads, 3, 0] - hair.uv[quads, 0, 0])[:, None]
    down = hair.vertices[hair.polygons[quads, 1]] - hair.vertices[hair.polygons[quads, 0]]
    at = np.searchsorted(source, hair.polygons[quads, 0])
    assert ((tangents[at, :3] * across).sum(axis=1) > 0).mean() > 0.99, "along the picture's u"
    aside = np.cross(normals[at], tangents[at, :3]) * tangents[at, 3:]
    assert ((aside * down).sum(axis=1) > 0).mean() > 0.97, "and aside of it from root to tip, as the flow counts"
    nodes = {channel["target"]["node"] for channel in document["animations"][0]["channels"]
             if channel["target"]["path"] == "weights"}  # fmt: skip
    assert nodes == {len(figure.bones) + 1, len(figure.bones) + 2}


def test_hair_moves_with_its_head(figure: Figure, hair: Figure) -> None:
    assert figure.clip is not None
    stance = figure.clip.stance(3)
    turned = posed(figure, stance)
    worn = posed(hair, replace(stance, values=figure.values_of(hair, stance.values)))
    used = np.unique(hair.polygons[of_the_cap(hair)])
    used = used[used >= 0]
    before = cKDTree(figure.vertices).query(hair.vertices[used])[1]
    assert np.linalg.norm(worn[used] - turned[before], axis=1).max() < 0.001


def silhouette(places: Floats, turn: float, thick: int) -> Mask:
    """(150, 150), 3 mm a pixel: places (N, 3) seen along a level axis."""
    across = places @ np.array([np.cos(turn), 0.0, -np.sin(turn)])
    cells = np.floor(np.stack([-places[:, 1], across], axis=1) / 0.003).astype(int) + 75
    seen = np.zeros((150, 150), np.bool_)
    inside = ((cells >= 0) & (cells < 150)).all(axis=1)
    seen[cells[inside, 0], cells[inside, 1]] = True
    return np.asarray(binary_dilation(seen, iterations=thick)) if thick else seen


def test_cards_look_as_the_strands_from_all_sides(hair: Figure, groom: Groom, strands: Strands) -> None:
    points = strands.points.astype(np.float64)
    dense = np.concatenate([points[:, :-1] * (1 - t) + points[:, 1:] * t for t in np.linspace(0, 1, 6)]).reshape(-1, 3)
    picture = albedo(groom)[..., 3] / 255
    quads = ~of_the_cap(hair)
    i, j = (grid.ravel() for grid in np.meshgrid(np.linspace(0.02, 0.98, 12), np.linspace(0.02, 0.98, 12)))
    shares = np.stack([(1 - i) * (1 - j), i * (1 - j), i * j, (1 - i) * j], axis=1)
    uv = shares @ hair.uv[quads].astype(np.float64)
    row, column = ((1 - uv[..., 1]) * HEIGHT).astype(int), (uv[..., 0] * WIDTH).astype(int)
    drawn = picture[row, column] >= CUTOFF
    places = (shares @ hair.vertices[hair.polygons[quads]])[drawn]
    overlaps = []
    for turn in np.arange(8) * np.pi / 4:
        meant, came = silhouette(dense, turn, 1), silhouette(places, turn, 1)
        overlaps.append((meant & came).sum() / (meant | came).sum())
    assert min(overlaps) > 0.85, np.round(overlaps, 3)


def test_the_same_strands_give_the_same_cards(figure: Figure, strands: Strands) -> None:
    few = replace(
        strands, points=strands.points[:60], root_uv=strands.root_uv[:60], colour=strands.colour[:60]
    )  # fmt: skip
    first, second = (worn_by(figure, groomed(few)) for _ in range(2))
    assert first.picture == second.picture
    assert np.array_equal(first.vertices, second.vertices)


def test_n2f_export_takes_the_hair_along(take_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.glb"
    answer = CliRunner().invoke(app, ["export", str(take_path), "--hair", "blended", "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    document = Reading.of(out).document
    assert document["materials"][-1]["alphaMode"] == Alpha.BLEND.value
    assert CliRunner().invoke(app, ["export", str(take_path), "--hair", "none", "--out", str(out)]).exit_code == 0
    assert len(Reading.of(out).document["meshes"]) == 1


def test_hair_that_cannot_be_read_is_told(take_path: Path, tmp_path: Path) -> None:
    for name in ("take.npz", "hair.json"):
        (tmp_path / name).write_bytes(take_path.with_name(name).read_bytes())
    (tmp_path / "hair.npz").write_bytes(b"no archive")
    out = tmp_path / "a.glb"
    answer = CliRunner().invoke(app, ["export", str(tmp_path / "take.npz"), "--out", str(out)])
    assert answer.exit_code == 2
    assert "--hair none" in " ".join(answer.output.split())
    assert not out.exists()
    assert CliRunner().invoke(app, ["export", str(take_path), "--hair", "wig"]).exit_code == 2
