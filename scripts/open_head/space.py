"""The identity space of the head, second edition: people from scans, widened by what scans lack. Head space, m.

Covariances of independent sources add up: the scans' people with their mirror images, and MakeHuman's sculpted
population scaled to what is missing of the variation that anthropometry measures. Their sum's principal directions are
the head's, one standard deviation each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import sculpted
from .cut import Cut
from .denture import place_teeth, teeth_motion
from .editions import map_from, small_motions
from .eyes import RADIUS, seat_of, shifts_with_balls, with_balls
from .identity import Modes, merge, mirrored, principal
from .inside import GUMS, mouth_steps
from .lips import OVERLAP, close_lips
from .regions import vertex_mask
from .scans import Scans
from .skinning import smooth_step
from .source import Flags, Floats, Source

SHAPE_COUNT = 200
BONE_START, BONE_RISE = 0.0, 0.04  # m, height in head space above which the head is aligned, fading in
SCULPTED_SHARE = 0.6
"""Of the sculpted population's width that is added. The scans alone have people's heights and breadths of head and
face, but noses, jaws and ears that are too much alike: anthropometry.py compares widths with published ones."""
TEETH = ("upper_teeth", "lower_teeth", "tongue")
TEETH_SIZE = np.array([0.88, 1.0, 1.0])
TEETH_FORWARD = np.array([0.0, 0.0005, 0.0030])
"""ICT's dentures, in head space: molars out to 32.6 mm, incisors 4.5 mm behind the line where the lips meet.
MakeHuman's are 8 mm wider and stand further back."""


@dataclass(frozen=True, eq=False)
class Space:
    """template (V,3), directions (S,V,3); eyes (2,3) the left and right ball's centres, radius m.

    `people` (N,V,3) and `cubes` (N,3) are the sculpted population with its joints: what joints are read from.
    """

    template: Floats
    directions: Floats
    eyes: Floats
    radius: float
    people: Floats
    cubes: dict[str, Floats]
    variance_kept: float
    first_edition: Floats  # (S + 6, 1 + S1): see editions.py
    deep: Floats  # (V,) how far a vertex moves with the mouth as one piece


def build_space(source: Source, cut: Cut, scans: Scans) -> Space:
    """Template and identity directions."""
    made = sculpted.sculpted_space(source, cut)
    template = 0.5 * (scans.mean + mirrored(scans.mean, cut.mirror))
    shape = sculpted.sculpted_mesh(source, cut)
    deep = _depth(cut, made.template, shape)
    template = _with_whole_mouth(template, made.template, deep)
    template = close_lips(template[None], shape, cut, OVERLAP)[0]
    template = 0.5 * (template + mirrored(template, cut.mirror))
    seat = seat_of(template, cut)
    template = with_balls(template, cut, seat)

    weight = _importance(source, cut, template)
    bone = weight * smooth_step((template[:, 1] - BONE_START) / BONE_RISE)
    sources = np.concatenate([without_rigid(scans.identity, template, bone), _widening(made, template, bone)])
    sources = sources + deep[:, None] * (_mouth_motion(sources, template, deep) - sources)
    sources = close_lips(sources, shape, cut, 0.0)
    sources = shifts_with_balls(sources, cut, seat)
    modes = _principal_with_mirror_images(sources, cut, weight)
    kept = Modes(modes.directions[:SHAPE_COUNT], modes.sigma[:SHAPE_COUNT])
    return Space(
        template=template,
        directions=kept.directions,
        eyes=np.stack([seat.centre, seat.centre * [-1.0, 1.0, 1.0]]),
        radius=RADIUS,
        people=made.people,
        cubes=made.cubes,
        variance_kept=float((kept.sigma**2).sum() / (modes.sigma**2).sum()),
        first_edition=map_from(made.template, made.directions, template, kept.directions, weight),
        deep=deep,
    )


def with_teeth(space: Space, source: Source, cut: Cut, read: Flags) -> Space:
    """The space with its teeth where they belong, and what is deep in the mouth going with them.

    Last of all, so that skin, joints, weights and networks trained on them do not depend on where the teeth are: `read`
    (V,) are the vertices that joints are read from, some of them in the throat. They stay as they were.
    """
    deep = np.where(read, 0.0, space.deep)
    outside = cut.parts["skin"] & (vertex_mask(source, cut, "inside-mouth") < 0.5)
    carried = teeth_motion(space.directions, space.template, cut, outside)
    directions = space.directions + deep[:, None] * (carried - space.directions)
    return replace(space, template=place_teeth(space.template, cut), directions=directions)


def _widening(made: sculpted.Sculpted, template: Floats, weight: Floats) -> Floats:
    """What MakeHuman's sliders add to the scans: form, for the scans' sizes vary as people's do."""
    motions = small_motions(template, weight, size=True)
    return SCULPTED_SHARE * (made.directions - _projected(made.directions, motions, weight))


def _importance(source: Source, cut: Cut, template: Floats) -> Floats:
    """(V,) what the principal directions count, summing to 1: area, the face most, the mouth's inside hardly."""
    ears = vertex_mask(source, cut, "ears") > 0.5
    share = np.where(cut.parts["skin"], 0.35 + 0.65 * vertex_mask(source, cut, "face"), 0.3) * np.where(ears, 0.4, 1.0)
    share = np.where(vertex_mask(source, cut, "inside-mouth") > 0.5, 0.1, share)
    weight = sculpted.vertex_areas(template, cut) * share
    return np.asarray(weight / weight.sum())


def without_rigid(directions: Floats, template: Floats, weight: Floats) -> Floats:
    """Offsets (S,V,3) without the small turn and shift that they contain on vertices of weight (V,)."""
    columns = small_motions(template, weight)
    return directions - _projected(directions, columns, weight)


def _projected(directions: Floats, columns: Floats, weight: Floats) -> Floats:
    """The part of offsets (S,V,3) that weighted least squares explains by columns (K,V,3)."""
    root = np.sqrt(weight)[:, None]
    a = (columns * root).reshape(len(columns), -1)
    b = (directions * root).reshape(len(directions), -1)
    share = np.linalg.solve(a @ a.T, a @ b.T)
    return np.asarray(np.tensordot(share.T, columns, axes=1))


def _depth(cut: Cut, template: Floats, apart: Floats) -> Floats:
    """(V,) how far a vertex moves with the mouth as one piece: teeth and tongue wholly, what lines the mouth the more
    the further it lies behind the line where the lips meet.
    """
    steps, _ = mouth_steps(cut, template, apart)
    lining = smooth_step((steps - 1) / (GUMS - 1)) * (steps > 0)
    return np.where(np.any([cut.parts[name] for name in TEETH], axis=0), 1.0, lining)


def _with_whole_mouth(template: Floats, sculpted_template: Floats, deep: Floats) -> Floats:
    """Teeth, tongue and the mouth's lining as sculpted, carried by the shift, turn and growth of what is around."""
    moved = _mouth_motion((template - sculpted_template)[None], sculpted_template, deep)[0]
    whole = (sculpted_template + moved) * TEETH_SIZE + TEETH_FORWARD
    return np.asarray(template + deep[:, None] * (whole - template))


def _mouth_motion(directions: Floats, template: Floats, deep: Floats) -> Floats:
    """(S,V,3): one small motion with growth for all that is deep in the mouth, from where it was carried."""
    weight = (deep == 1.0).astype(np.float64)
    return _projected(directions, small_motions(template, weight, size=True), weight)


def _principal_with_mirror_images(sources: Floats, cut: Cut, weight: Floats) -> Modes:
    """Principal directions of independent sources (S,V,3) and their mirror images: each is even or odd."""
    other = mirrored(sources, cut.mirror)
    parts = []
    for half in (0.5 * (sources + other), 0.5 * (sources - other)):
        found = principal(half, weight)
        scale = np.sqrt(len(half))  # principal() averages over samples; sources add up instead
        parts.append(Modes(found.directions * scale, found.sigma * scale))
    return merge(parts)
