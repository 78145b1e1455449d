"""A photo and the head in it -> the head's hair: joins the room, and chooses the haircut."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from inference_core.errors import BadInput
from inference_core.formats.options import AUTO_HAIR
from inference_core.hair import colour
from inference_core.hair.beard import Beard, grown_beard
from inference_core.hair.capsule import cells, looked_up
from inference_core.hair.ground import Ground, ground_of
from inference_core.hair.growth import Fringe, cut_short, grown, hanging, points_of
from inference_core.hair.hairline import azimuths
from inference_core.hair.matte import SIZE, Matte, matte_of
from inference_core.hair.scalp import Growth, roots_on, seen_growth, usual_growth
from inference_core.hair.seat import Seat, seat
from inference_core.hair.shell import Shell, sampled, seen_shell
from inference_core.hair.sight import Sight, sight_of
from inference_core.hair.strokes import straightness, strokes_of
from inference_core.hair.styles import STYLES, Style
from inference_core.hair.undercoat import cover_of
from inference_core.head import Camera, Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.light import Light
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.normals import NormalEstimator
from inference_core.perception.person import bundled_finder

BEARD_ALONE = "beard"
"""The style of a bald head with a beard."""
LOG = logging.getLogger(__name__)
STRANDS = 7000
TRIED = 400
"""Hairs with which a haircut is tried."""
SPARSE = 10
"""px between so few hairs that one sees as hair."""
RADIUS = 0.00022
"""m at the root: one of ours stands for ten real ones."""
LEAST_HAIR = 0.04
"""Share of the seen scalp below which a head is bald."""
HIDDEN = 0.5
"""Share of the seen scalp from which a hat hides the hair."""
SHORTEST = 0.0035
"""m of hair that is worth keeping where the photo cut it off."""
AT_THE_ROOT = 0.004
"""m of hair that stay where a root is: the hairline has said that there is one."""
STROKES_SAY = 0.5
"""What agreement with the photo's strokes is worth against overlap with its hair."""
CUT_OFF = 0.7
"""What hair costs a haircut that the photo cuts off: real hair lies beside the face instead."""
CLOSE_CUT, REACHES = 0.007, 2.4
"""m, and of how far it stands off: how long short hair can be."""
OPEN = (0.055, 0.035)
"""m before the skull's middle from which on the face is open, at the brows and at the chin."""
CURLS, TIGHT, WAVES, FULL = 0.45, 0.27, 0.6, 0.022
"""Straightness below which hair is curly, tightly so, and may be curly if it stands off the scalp so far, m."""
CLOSE, CLOSE_TIGHT = 0.010, 0.37
"""m off the scalp up to which hair is too short for loose curls, and straightness below which it is tightly curled."""
FRINGE, FRINGED = 0.03, 0.2
"""m from which hair that is combed forward hangs into the forehead, and the share of it that such hair covers."""
STEEPEST_SWEEP = 0.8
"""rad by which a fringe runs aside at most."""
FELLOWS, ALONE = 6, 2.0
"""A hair is alone whose so many nearest are so many times further away than usual."""
HUGS, HUGGED = 0.015, 0.03
"""Hair that lies so close to the cheek may come so much further into the face, m."""
CROPPED = 0.003
"""m that a buzz cut stands off the scalp at most."""

HANGING = 0.025
"""Share of the seen hair below the mouth from which it is more than short, and below the chin from which it is long."""
SURELY = 0.3
"""And from which it is no bob."""
SHORT, BOB, LONGEST = 0.10, 0.25, 1.0
"""m at the back: where each begins."""


@dataclass(frozen=True, eq=False)
class Hair:
    """Strands on the neutral head, and what was found out. No strands: bald, or nothing that can be told."""

    kind: str  # hair, bald, covered; growing: the head is there before its hair; failed
    style: str  # "" without strands
    points: Float32s  # (S, K, 3) m, head space of the neutral head, root first
    root_uv: Float32s  # (S, 2) where each root is in the head's UV
    dye: colour.Dye
    radius: float  # m at the root
    frizz: float
    overlap: float | None = None  # intersection over union with the photo's hair; None: not from the photo
    agreement: float | None = None  # -1..1 with the photo's strokes
    cover: Float32s | None = None  # (undercoat.SIZE,) * 2 in the head's UV: how thickly it hides the skin, 0..1

    @property
    def note(self) -> str:
        """A sentence for the user; "" says nothing."""
        if self.kind == "covered":
            return "A hat or scarf hides the hair: the head comes without; --hair STYLE gives it some."
        return ""


@dataclass(frozen=True, eq=False)
class Client:
    """One photo's head, explained: what the barber needs of a reconstruction."""

    photo: Photo
    face: Face
    camera: Camera  # the photo's
    shape: Floats  # (S,) identity
    vertices: Floats  # (V, 3) posed, head space, m
    light: Light | None  # what the skin says of it


def cut_hair(head: Head, client: Client, normals: NormalEstimator, choice: str = AUTO_HAIR) -> Hair:
    """The hair of a head: as the photo shows it, or a style by name in the photo's colour.

    Raises:
        BadInput: for a head without a scalp to grow it on, or a style that does not exist.
    """
    if "scalp" not in head.region_names or not head.region("scalp").any():
        raise BadInput(f"The head '{head.head_id}' has no scalp for hair to grow on.")
    if choice != AUTO_HAIR and choice not in STYLES:
        raise BadInput(f"There is no hair style '{choice}'.", f"Give one of {', '.join(STYLES)}.")
    seated = seat(head, client.shape, client.vertices, client.camera)
    matte = matte_of(client.photo, client.face, seated.camera.intrinsics, normals, bundled_finder())
    sight = sight_of(seated, matte, strokes_of(matte.rgb))
    ground = ground_of(seated)
    if choice == AUTO_HAIR:
        return as_seen(ground, seated, sight, client.light)
    return as_asked(ground, seated, sight, choice, client.light)


def none_of(kind: str) -> Hair:
    """No hair."""
    nothing = np.zeros((0, 2, 3), np.float32)
    return Hair(kind, "", nothing, np.zeros((0, 2), np.float32), colour.plain(0), RADIUS, 0.0)


def as_seen(ground: Ground, seated: Seat, sight: Sight, light: Light | None, strands: int = STRANDS) -> Hair:
    """The hair that a photo shows: its outline, its fall, its colour; what nobody saw continues it."""
    hair = _on_the_scalp(ground, seated, sight, light, strands)
    if hair.kind == "covered":
        return hair
    beard = grown_beard(ground, sight, light, hair.dye.length if hair.dye.seen else None)
    return hair if beard is None else with_beard(hair, beard)


def with_beard(hair: Hair, beard: Beard) -> Hair:
    """Both, in an order whose any first part is some of either."""
    steps = hair.points.shape[1] if len(hair.points) else beard.points.shape[1]
    at = np.linspace(0, beard.points.shape[1] - 1, steps)
    low = np.minimum(at.astype(int), beard.points.shape[1] - 2)
    share = (at - low)[:, None]
    points = (1 - share) * beard.points[:, low] + share * beard.points[:, low + 1]
    rank = np.concatenate([(np.arange(len(part)) + 0.5) / len(part) for part in (hair.points, points) if len(part)])
    order = np.argsort(rank, kind="stable")
    joined = [
        np.concatenate([part for part in parts if len(part)])[order]
        for parts in (
            (hair.points, points.astype(np.float32)),
            (hair.root_uv, beard.roots.uv),
            (hair.dye.strands, beard.colour),
        )
    ]
    middle = np.median(beard.colour, axis=0).astype(np.float64)
    alone = colour.Dye(strands=beard.colour, root=middle, length=middle, grey=0.0, seen=True)
    colours = hair.dye if len(hair.points) else alone
    return replace(
        hair,
        kind="hair",
        style=hair.style or BEARD_ALONE,
        points=joined[0],
        root_uv=joined[1],
        dye=replace(colours, strands=joined[2]),
    )


def _on_the_scalp(ground: Ground, seated: Seat, sight: Sight, light: Light | None, strands: int) -> Hair:
    growth = seen_growth(sight, ground)
    if growth.covered > HIDDEN:
        return none_of("covered")
    if growth.shown > 0 and growth.bare > 1 - LEAST_HAIR:
        return none_of("bald")
    shell = seen_shell(seated, ground.capsule, ground.skull, sight.matte)
    if not growth.full.any() or not sight.matte.mask.any():
        return none_of("bald")
    name = _best_style(ground, seated, sight, growth, shell)
    style = STYLES[name]
    roots = roots_on(seated, growth, strands)
    barred = _barred(ground, seated, sight)
    worn, longest = _worn(style, shell, ground), longest_of(style, shell)
    fringe = _fringe(seated, sight, growth)
    path, kept = _trimmed(grown(ground, roots, style, worn, points_of(style), barred, longest, fringe), barred)
    kept &= _in_company(path)
    path, roots = path[kept], roots.where(kept)
    dyed = colour.dye(path, sight, light)
    return Hair(
        "hair", name, path.astype(np.float32), roots.uv, dyed, RADIUS, style.frizz,
        sight.overlap(path), sight.agreement(path), cover_of(seated, growth),
    )  # fmt: skip


def as_asked(
    ground: Ground, seated: Seat, sight: Sight, name: str, light: Light | None, strands: int = STRANDS
) -> Hair:
    """A style by name, in the photo's colour."""
    style = STYLES[name]
    growth = usual_growth(seated, ground)
    roots = roots_on(seated, growth, strands)
    worn = _worn(style, Shell(usual_shell(style), np.zeros_like(ground.skull)), ground)

    def barred(places: Floats) -> Mask:
        return before_face(ground, seated, places)

    path = grown(ground, roots, style, worn, points_of(style), barred)
    over = barred(path)
    over[:, 0] = False
    path, _ = cut_short(path, over)
    kept = _run(path) > SHORTEST * min(1.0, style.top / 0.02)
    path, roots = path[kept], roots.where(kept)
    dyed = colour.dye(path, sight, light) if sight.matte.mask.sum() > colour.LEAST else colour.plain(len(path))
    cover = cover_of(seated, growth)
    return Hair("hair", name, path.astype(np.float32), roots.uv, dyed, RADIUS, style.frizz, cover=cover)


def _worn(style: Style, shell: Shell, ground: Ground) -> Floats:
    return hanging(shell.depth, ground.skull, shell.weight) if style.back > SHORT else shell.depth


def usual_shell(style: Style) -> Floats:
    """(FALLS, AZIMUTHS) m: how far a style stands off where no photo says it."""
    azimuth, fall = cells()
    side = np.clip((fall - 0.75) / 0.45, 0, 1)
    rear = np.clip((np.abs(azimuth) - 1.9) / 0.7, 0, 1)
    low = style.sides + rear * (style.back - style.sides)
    thin = style.volume * np.clip(low / max(style.top, 1e-6), 0.25, 1.0)
    depth = style.volume + side * (thin - style.volume)
    hanging = np.clip((fall - 1.9) / 0.6, 0, 1)
    return np.asarray(np.maximum(depth * (1 - 0.3 * hanging), 0.002))


def longest_of(style: Style, shell: Shell) -> Floats | None:
    """(FALLS, AZIMUTHS) m: short hair that lies close is short; how close it lies the outline says."""
    if style.back > SHORT:
        return None
    return np.asarray(CLOSE_CUT + REACHES * shell.depth)


def _barred(ground: Ground, seated: Seat, sight: Sight) -> Callable[[Floats], Mask]:
    """Where hair of a photo cannot be: what it contradicts, before the face, and below the lowest hair in it."""
    hem = _hem(ground, sight)

    def barred(places: Floats) -> Mask:
        open_face = before_face(ground, seated, places) & ~sight.shows_hair(places)
        return sight.contradicted(places) | open_face | (places[..., 1] < hem)

    return barred


def _hem(ground: Ground, sight: Sight) -> float:
    """m: height at which hair that hangs ends in the photo, at the depth of the skull's middle; -inf if it is short."""
    rows = np.cumsum(sight.matte.mask.sum(axis=1))
    camera = sight.matte.frame.camera_in_crop(sight.seat.camera)
    upright = np.linspace(-0.45, 0.2, 400)
    line = camera.project(np.stack([np.zeros(400), upright, np.full(400, ground.capsule.z)], axis=1))[:, 1]
    last = int(np.searchsorted(rows, (1 - HANGING / 4) * rows[-1]))
    hem = float(np.interp(-last, -line, upright))
    ends_in_the_photo = bool(sight.matte.known[min(last + 8, SIZE - 1)].any())
    return hem if hem < _lips(sight.seat) and ends_in_the_photo else -np.inf


def _lips(seated: Seat) -> float:
    return float(seated.vertices[seated.head.region("lips"), 1].mean())


def before_face(ground: Ground, seated: Seat, path: Floats) -> Mask:
    """(...): places (..., 3) before the eyes, cheeks or mouth, or in the air beside them.

    The face is open to either side: hair hangs from the temples backwards, and comes forward again below the chin.
    """
    head = seated.head
    brows = float(seated.vertices[head.region("brows"), 1].mean())
    chin = float(seated.vertices[head.region("face"), 1].min())
    below = np.clip((brows - path[..., 1]) / (brows - chin), 0, 1)
    forward = np.clip((chin - path[..., 1]) / 0.10, 0, 1)
    azimuth, fall, radius, _ = ground.capsule.split(path)
    close = radius - looked_up(ground.skull, azimuth, fall) < HUGS
    front = ground.capsule.z + OPEN[0] + (OPEN[1] - OPEN[0]) * below + 0.05 * forward + HUGGED * close
    return np.asarray((path[..., 2] > front) & (path[..., 1] < brows - 0.004))


def _best_style(ground: Ground, seated: Seat, sight: Sight, growth: Growth, shell: Shell) -> str:
    """The haircut that covers the seen hair best and runs as it does."""
    roots = roots_on(seated, growth, TRIED)
    barred, fringe = _barred(ground, seated, sight), _fringe(seated, sight, growth)
    scores = {}
    for name in _candidates(seated, sight.matte, shell):
        style = STYLES[name]
        worn, longest = _worn(style, shell, ground), longest_of(style, shell)
        whole = grown(ground, roots, style, worn, min(points_of(style), 12), barred, longest, fringe)
        path, kept = _trimmed(whole, barred)
        lost = 1 - float((_run(path) * kept).sum() / _run(whole).sum())
        path = path[kept]
        score = sight.overlap(path, SPARSE) + STROKES_SAY * sight.agreement(path) if len(path) else -1.0
        scores[name] = score - CUT_OFF * lost
    LOG.debug("haircuts: %s", scores)
    return max(scores, key=lambda name: scores[name])


def _candidates(seated: Seat, matte: Matte, shell: Shell) -> list[str]:
    """Styles as long as the hair that hangs below the mouth says, and as full as it stands on top."""
    camera = matte.frame.camera_in_crop(seated.camera)
    mouth, chin = (
        float(camera.project(places)[:, 1].max())
        for places in (seated.posed[seated.head.region("lips")], seated.posed[seated.head.region("face")])
    )
    row = np.arange(len(matte.hair))[:, None] + 0.5
    hair = max(1, int(matte.mask.sum()))
    hangs = float((matte.mask & (row > mouth)).sum()) / hair > HANGING
    falls = float((matte.mask & (row > chin)).sum()) / hair
    shortest = BOB if falls > SURELY else SHORT if hangs else 0.0
    lengths = (shortest, LONGEST if falls > HANGING else BOB if hangs else SHORT)
    _, fall = cells()
    top = (fall < 1.1) & (shell.weight > 0.3)
    volume = float(np.median(shell.depth[top])) if top.any() else 0.02
    flat = not hangs and volume < CROPPED
    straight = straightness(matte.rgb, colour.sure_hair(matte))
    close = volume < CLOSE and not hangs
    tight = straight is not None and straight < (CLOSE_TIGHT if close else TIGHT)
    curly = tight or (straight is not None and straight < CURLS and not close)
    wavy = straight is not None and CURLS <= straight < WAVES and volume > FULL
    fringed = _fringed(seated, matte)
    return [
        name
        for name, style in STYLES.items()
        if lengths[0] <= style.back < lengths[1]
        and style.comb != "tied"
        and (flat or name != "buzz")
        and (style.curly == curly or (wavy and not style.tight))
        and (not curly or hangs or style.tight == tight)
        and (fringed or not style.fringed or style.top < FRINGE)
    ]


def _fringed(seated: Seat, matte: Matte) -> bool:
    """Whether hair hangs into the middle of the forehead."""
    head, vertices = seated.head, seated.vertices
    brows = float(vertices[head.region("brows"), 1].mean())
    forehead = head.region("face") & (vertices[:, 1] > brows + 0.014) & (vertices[:, 1] < brows + 0.04)
    forehead &= np.abs(vertices[:, 0]) < 0.035
    pixels = matte.frame.camera_in_crop(seated.camera).project(vertices[forehead])
    return bool((sampled(matte.hair, pixels) > 0.5).mean() > FRINGED)


def _fringe(seated: Seat, sight: Sight, growth: Growth) -> Fringe | None:
    """What the photo shows before the forehead, and which way it runs there on either side of the middle."""
    if not _fringed(seated, sight.matte):
        return None
    head, vertices = seated.head, seated.vertices
    brows = float(vertices[head.region("brows"), 1].mean())
    forehead = head.region("face") & (vertices[:, 1] > brows + 0.008)
    forehead &= (growth.line.inside(vertices) < 0.02) & (np.abs(vertices[:, 0]) < 0.055)
    pixels, seen = sight.pixels(vertices[forehead])
    hair = seen * sampled(sight.matte.hair, pixels)
    doubled = np.stack(
        [sampled(np.ascontiguousarray(sight.strokes.doubled[..., part]), pixels) for part in (0, 1)], axis=1
    )
    aside = vertices[forehead, 0]
    sweeps = []
    for side in (-1, 1):
        cosine, sine = (doubled * (hair * np.clip(0.5 + side * aside / 0.04, 0, 1))[:, None]).sum(axis=0)
        # An axis from the picture's right towards its bottom; from straight down, towards its right, it is this:
        sweeps.append(np.clip(0.5 * np.arctan2(sine, -cosine), -STEEPEST_SWEEP, STEEPEST_SWEEP))
    sweep = np.interp(azimuths(), (-0.5, 0.5), sweeps)
    return Fringe(gaussian_filter1d(growth.hangs, 2.0), sweep)


def _trimmed(path: Floats, barred: Callable[[Floats], Mask]) -> tuple[Floats, Mask]:
    """Hairs cut off where they cannot be, and which of them are worth keeping."""
    along = np.linalg.norm(np.diff(path, axis=1), axis=2).cumsum(axis=1)
    over = barred(path)
    over[:, 0] = False
    over[:, 1:] &= along > AT_THE_ROOT
    path, left = cut_short(path, over)
    run = _run(path)
    return path, np.asarray((left > 0) & (run > np.minimum(SHORTEST, 0.7 * np.median(run))))


def _in_company(path: Floats) -> Mask:
    """(S,): not the few hairs that went a way of their own, across the face or into the air."""
    steps = path.shape[1]
    company = np.ones(len(path), np.bool_)
    for step in (steps // 2, steps - 1):
        places = path[:, step]
        away = cKDTree(places).query(places, k=min(FELLOWS + 1, len(places)))[0][:, -1]
        company &= away < ALONE * max(float(np.median(away)), 0.002)
    return company


def _run(path: Floats) -> Floats:
    """(S,) m: how long hairs (S, K, 3) are."""
    return np.asarray(np.linalg.norm(np.diff(path, axis=1), axis=2).sum(axis=1))
