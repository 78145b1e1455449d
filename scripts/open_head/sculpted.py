"""MakeHuman's people, as sculpted: population, PCA, smooth modes, closed lips. Head space, m.

The first edition of the Open Head was this. Scans are laid on its template, and it widens what scans lack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cut import METRES, Cut
from .identity import Modes, identity_modes, kept_count, mirrored
from .lips import OVERLAP, close_lips, narrow_slit
from .nostrils import carry_nostrils
from .population import sample_population
from .regions import vertex_mask
from .skinning import eye_row, smooth_step
from .smooth_modes import smooth_modes
from .source import Flags, Floats, Source

SAMPLES = 1500
SEED = 20240611
KEPT_VARIANCE = 0.997
SHAPE_COUNT = 300
ORIGIN = np.array([0.0, 0.7095, 0.0990])  # m, source space: our origin, placed as in FLAME's head space
TEETH_SHIFT = {"upper_teeth": (0.0, -0.0032, 0.0025), "lower_teeth": (0.0, -0.0015, 0.0020)}
"""m. MakeHuman's upper teeth end where the lips meet, a centimetre behind them: a smile showed a dark hole. At rest the
upper incisors stand some 3 mm below the upper lip's edge (Vig and Brundo, "The kinetics of anterior tooth display",
1978)."""
SKULL_BOTTOM, SKULL_RISE = 0.655, 0.03  # m, source height: the head is aligned by what lies above, fading in


@dataclass(frozen=True)
class Sculpted:
    """Template (V,3), directions (S,V,3), and the population (N,V,3) with its joint cubes (N,3), all in head space."""

    template: Floats
    directions: Floats
    people: Floats
    cubes: dict[str, Floats]
    eyes: Floats  # (2,3) centres of left and right ball on the template
    radius: float  # m, of the ball on the template
    pca_count: int
    pca_variance: float


def sculpted_mesh(source: Source, cut: Cut) -> Floats:
    """(V,3) m in source space: the base mesh as it was sculpted, its lips slightly apart."""
    return cut.assemble(source.base.positions, source) * METRES


def vertex_areas(vertices: Floats, cut: Cut) -> Floats:
    """(V,) a third of the area of the triangles around each vertex, m^2."""
    triangles = cut.triangles()
    corner = vertices[triangles]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(area, 3), minlength=len(vertices)).astype(np.float64)


def sculpted_space(source: Source, cut: Cut) -> Sculpted:
    """Draw the population and make template and identity directions of it."""
    sculpted = sculpted_mesh(source, cut)
    area = vertex_areas(sculpted, cut)
    skin = cut.parts["skin"]
    face = vertex_mask(source, cut, "face")
    ears = vertex_mask(source, cut, "ears") > 0.5
    upper = np.clip((sculpted[:, 1] - SKULL_BOTTOM) / SKULL_RISE, 0, 1)
    population = sample_population(source, cut, (area * skin * ~ears * upper)[: len(cut.kept)], SAMPLES, SEED)
    people = carry_nostrils(narrow_slit(population.vertices - ORIGIN, sculpted, cut), cut)

    # The PCA counts area, the face most; what is inside the mouth hardly.
    importance = np.where(skin, 0.35 + 0.65 * face, 0.3) * np.where(ears, 0.4, 1.0)
    importance = importance * np.where(sculpted[:, 1] < 0.60, 0.4, 1.0)
    importance = np.where(vertex_mask(source, cut, "inside-mouth") > 0.5, 0.1, importance)
    weight = area * importance
    weight /= weight.sum()
    template, modes = identity_modes(people, cut.mirror, weight)
    count = kept_count(modes, KEPT_VARIANCE)
    pca = Modes(modes.directions[:count], modes.sigma[:count])
    balls = ("left_eyeball", "right_eyeball")
    eyes = np.stack([template[cut.parts[ball]].T @ eye_row(cut, ball)[cut.parts[ball]] for ball in balls])
    radius = float(np.linalg.norm(template[cut.parts["left_eyeball"]] - eyes[0], axis=1).mean())
    sites, strength = _field_sites(template, eyes, radius, face, ears)
    parity = _parity(pca.directions, cut)
    extra = smooth_modes(template, sites, strength, weight, pca, parity, SHAPE_COUNT - count)
    template, directions = _closed(template, np.concatenate([pca.directions, extra.directions]), sculpted, cut)
    for name, shift in TEETH_SHIFT.items():
        template[cut.parts[name]] += shift
    return Sculpted(
        template=template,
        directions=directions,
        people=people,
        cubes={name: places - ORIGIN for name, places in population.cubes.items()},
        eyes=eyes,
        radius=radius,
        pca_count=count,
        pca_variance=float((pca.sigma**2).sum() / (modes.sigma**2).sum()),
    )


def _parity(directions: Floats, cut: Cut) -> Floats:
    """(S,) +1 for left-right symmetric directions, -1 for antisymmetric ones."""
    return np.asarray(np.sign((mirrored(directions, cut.mirror) * directions).sum(axis=(1, 2))))


def _closed(template: Floats, directions: Floats, sculpted: Floats, cut: Cut) -> tuple[Floats, Floats]:
    """Template and directions with closed lips. Closing reads nearest vertices, so exact symmetry is restored after
    it.
    """
    parity = _parity(directions, cut)[:, None, None]
    template = close_lips(template[None], sculpted, cut, OVERLAP)[0]
    directions = close_lips(directions, sculpted, cut, 0.0)
    return (
        0.5 * (template + mirrored(template, cut.mirror)),
        0.5 * (directions + parity * mirrored(directions, cut.mirror)),
    )


def _field_sites(template: Floats, eyes: Floats, radius: float, face: Floats, ears: Flags) -> tuple[Floats, Floats]:
    """Where each vertex reads the smooth fields (V,3), held at the ball's centre around an eye, and how strongly
    (V,).
    """
    sites = template.copy()
    for eye in eyes:
        hold = 1 - smooth_step(np.linalg.norm(template - eye, axis=1) / radius - 1.25)[:, None]
        sites = sites * (1 - hold) + eye * hold
    strength = np.where(ears, 0.6, 0.6 + 0.4 * face)
    near = np.linalg.norm(template[:, None] - eyes[None], axis=2).min(axis=1)
    return sites, np.where(near < 2.5 * radius, 1.0, strength)
