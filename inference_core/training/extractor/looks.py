"""How skin, eyes and hair look: a few numbers each, drawn at random. Colours are linear RGB."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_core.training.extractor.anatomy import Anatomy
from inference_core.training.extractor.textures import BARE, Complexion, load_textures

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]

# Reflectance without pigment, and how strongly melanin and blood absorb, per channel.
BASE = (0.85, 0.70, 0.62)
MELANIN = (0.80, 0.95, 1.08)
BLOOD = (0.12, 0.60, 0.50)


class SkinLook(NamedTuple):
    """Skin as an absorbing layer, reflectance = BASE exp(-(melanin * M + blood * H)), and what grows and lies on it."""

    melanin: float
    blood: float
    melanin_variation: float
    blood_variation: float
    freckles: float  # 0..1
    flush: float  # extra blood on cheeks and nose
    lip_blood: float
    lip_paint: Float32s  # (3,)
    lip_paint_amount: float
    lid_paint: Float32s
    lid_paint_amount: float
    brow_colour: Float32s
    brow_density: float  # 0..1.4
    brow_strand: float  # how much single hairs show
    brow_painted: float  # 0..1, of the brows without a texture
    beard_colour: Float32s
    stubble: float  # 0..1
    beard: float  # 0: none; else how far it reaches, 0.3..1.2
    beard_kind: int  # 0 full, 1 moustache, 2 goatee, 3 moustache and goatee
    scalp_stubble: float
    moles: Float32s  # (K, 4) x y z radius on the template
    bump: float  # pores
    wrinkles: float
    gloss: float
    shininess: float
    offset: Float32s  # (3,) where in the noise this person lives
    mouth_light: float
    tooth: Float32s  # (3,)


class EyeLook(NamedTuple):
    """Eyeballs, painted by the angle to the pupil's axis, measured on the template."""

    centres: Float32s  # (2, 3)
    axes: Float32s  # (2, 3)
    iris: Float32s  # (3,)
    iris_cosine: float
    pupil_cosine: float
    iris_angle: float  # rad, as the cosines say
    pupil_angle: float
    map: Float32s  # (radius, angle, 3) an unrolled iris, times `iris`
    mapped: float  # 0..1, how much of it shows
    sclera: Float32s
    shine: float


class HairLook(NamedTuple):
    """A haircut as a stack of inflated shells that a coverage function cuts out."""

    layers: int  # 0: bald
    thickness: float  # m
    hairline: float  # threshold on the crown field: low grows into the face
    long: float  # 0..1, hangs down behind the ears
    front: float  # z up to which long hair covers the sides, m
    drop: float  # how far long hair is pulled down, m per m
    fringe: float  # y down to which hair covers the forehead, m
    strand: float  # strand noise, cells per m across
    curl: float  # 0 straight .. 1 no direction at all
    ragged: float
    contrast: float  # between strands: low is combed and smooth
    colour: Float32s
    tip: Float32s
    gloss: float


def _colour(values: Floats) -> Float32s:
    return np.asarray(values, np.float32)


def draw_hair_colour(rng: np.random.Generator) -> Floats:
    """(3,) from black by brown, red and blond to grey and white; now and then dyed."""
    kind = rng.random()
    if kind < 0.05:
        return rng.uniform(0.02, 0.6, 3)
    if kind < 0.22:
        return np.array([1.0, 0.97, 0.93]) * rng.uniform(0.12, 0.7)
    pheo = rng.uniform(0, 0.6)
    eu = np.exp(rng.uniform(np.log(0.7), np.log(14.0)))
    return np.asarray(0.008 + 0.7 * np.exp(-eu * np.array([0.42, 0.70, 1.1]) - pheo * np.array([0.19, 0.7, 1.2])))


def draw_skin(anatomy: Anatomy, hair: Floats, rng: np.random.Generator, wears: Complexion = BARE) -> SkinLook:
    """Any complexion; freckles, moles, make-up, brows, stubble, beards of several cuts. What textures bring is not
    painted once more."""
    left = 1.0 if wears.strength == 0 else 0.35
    melanin = rng.beta(1.1, 1.6) * 2.6 + 0.05
    bearded = rng.random()
    beard = rng.uniform(0.35, 1.2) if bearded < 0.2 else 0.0
    stubble = rng.uniform(0.05, 0.9) if 0.1 < bearded < 0.45 else 0.0
    beard_colour = hair * rng.uniform(0.5, 1.2) if rng.random() < 0.75 else draw_hair_colour(rng)
    paint = rng.random()
    # Brows are darker than the hair, and white hair mostly comes with grey ones.
    brow = hair * rng.uniform(0.25, 0.9)
    if rng.random() < 0.8:
        brow = brow * min(1.0, rng.uniform(0.02, 0.12) / max(float(brow.mean()), 1e-3))
    face = np.flatnonzero(anatomy.head.region("face"))
    moles = np.zeros((int(rng.integers(1, 9)), 4))
    moles[:, :3] = anatomy.head.template[rng.choice(face, len(moles))]
    moles[:, 3] = np.exp(rng.uniform(np.log(0.0006), np.log(0.003), len(moles))) * (rng.random(len(moles)) < 0.6)
    return SkinLook(
        melanin=float(melanin),
        blood=float(rng.uniform(0.12, 0.55)),
        melanin_variation=float(left * rng.uniform(0.02, 0.12)),
        blood_variation=float(left * rng.uniform(0.05, 0.35)),
        freckles=float(rng.uniform(0.1, 0.6) if rng.random() < 0.12 else 0.0),
        flush=float(left * rng.uniform(0, 0.7)),
        lip_blood=float((1.0 if left == 1 else 0.5) * rng.uniform(0.25, 1.6)),
        lip_paint=_colour(rng.uniform(0.0, 1.0, 3) * (0.9, 0.25, 0.3)),
        lip_paint_amount=float(rng.uniform(0.3, 0.95) if paint < 0.25 else 0.0),
        lid_paint=_colour(rng.uniform(0.0, 0.5, 3)),
        lid_paint_amount=float(rng.uniform(0.2, 0.8) if paint < 0.2 else 0.0),
        brow_colour=_colour(np.clip(brow, 0.004, 0.6)),
        brow_density=float(rng.uniform(0.35, 1.4)),
        brow_strand=float(rng.uniform(0.0, 1.2)),
        brow_painted=1.0 if wears.brow < 0 and wears.person < 0 else float(rng.uniform(0, 0.5) * (rng.random() < 0.3)),
        beard_colour=_colour(np.clip(beard_colour, 0.006, 0.8)),
        stubble=float(stubble),
        beard=float(beard),
        beard_kind=int(rng.choice(4, p=[0.55, 0.15, 0.1, 0.2])),
        scalp_stubble=float(rng.uniform(0, 0.9) * (rng.random() < 0.6)),
        moles=moles.astype(np.float32),
        bump=float(rng.uniform(0.02, 0.14)),
        wrinkles=float(rng.uniform(0, 0.35) * (rng.random() < 0.45)),
        gloss=float(rng.uniform(0.1, 2.2)),
        shininess=float(np.exp(rng.uniform(np.log(8), np.log(60)))),
        offset=_colour(rng.uniform(0, 32, 3)),
        mouth_light=float(rng.uniform(0.2, 1.0)),
        tooth=_colour(np.array([0.82, 0.78, 0.66]) * rng.uniform(0.6, 1.1) * (1, 1, rng.uniform(0.75, 1.1))),
    )


def draw_eyes(anatomy: Anatomy, rng: np.random.Generator) -> EyeLook:
    """Brown to blue irises."""
    brown, light = np.array([0.09, 0.04, 0.015]), rng.uniform(0.05, 0.35, 3) * (0.5, 0.9, 1.1)
    iris = brown * rng.uniform(0.3, 1.6) if rng.random() < 0.6 else light
    maps, mapped = load_textures().irises, rng.random() < 0.6
    wide, small = np.radians(rng.uniform(26.5, 30.5)), np.radians(rng.uniform(7, 17))
    if mapped:
        iris = np.exp(rng.normal(-0.35, 0.45)) * np.exp(rng.normal(0, 0.1, 3))
    return EyeLook(
        centres=anatomy.eye_centres.astype(np.float32),
        axes=anatomy.eye_axes.astype(np.float32),
        iris=iris.astype(np.float32),
        iris_cosine=float(np.cos(wide)),
        pupil_cosine=float(np.cos(small)),
        iris_angle=float(wide),
        pupil_angle=float(small),
        map=maps[rng.integers(len(maps))],
        mapped=1.0 if mapped else 0.0,
        sclera=_colour(np.array([0.78, 0.74, 0.72]) * rng.uniform(0.6, 1.05)),
        shine=float(rng.uniform(0.3, 2.5)),
    )


def draw_hair(anatomy: Anatomy, colour: Floats, rng: np.random.Generator) -> HairLook:
    """Bald, cropped, short, long, with or without a fringe, straight to frizzy."""
    kind = rng.random()
    bald, cropped = kind < 0.1, kind < 0.25
    curl = float(rng.uniform(0, 0.3) if rng.random() < 0.7 else rng.uniform(0.4, 1.0))
    thickness = rng.uniform(0.001, 0.005) if cropped else rng.uniform(0.006, 0.026) * (1 + 0.8 * (curl > 0.6))
    long = rng.random() < 0.55 and not cropped
    fringe = rng.random() < 0.3 and not cropped
    layers = 0 if bald else (2 if cropped else int(rng.integers(3, 6)))
    return HairLook(
        layers=layers,
        thickness=float(thickness),
        hairline=float(np.clip(rng.normal(0.22, 0.11), 0.03, 0.6)),
        long=1.0 if long else 0.0,
        front=float(anatomy.ear_depth + rng.uniform(-0.03, 0.045)),
        drop=float(rng.uniform(0.0, 2.0) if long else 0.0),
        fringe=float(anatomy.brow_height + rng.uniform(-0.012, 0.035)) if fringe else 1.0,
        strand=float(np.exp(rng.uniform(np.log(120), np.log(700)))),
        curl=curl,
        ragged=float(rng.uniform(0.05, 0.5)),
        contrast=float(rng.uniform(0.1, 1.0)),
        colour=_colour(colour),
        tip=_colour(np.clip(colour * rng.uniform(0.6, 1.8) if rng.random() < 0.6 else draw_hair_colour(rng), 0, 0.9)),
        gloss=float(rng.uniform(0.05, 0.9)),
    )


def bare_skin(skin: SkinLook) -> Floats:
    """(3,) this skin's colour without any of its variation."""
    absorbed = skin.melanin * np.array(MELANIN) + skin.blood * np.array(BLOOD)
    return np.asarray(np.array(BASE) * np.exp(-absorbed))
