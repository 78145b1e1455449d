"""One training sample: a photo that never was, with its true normals and classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.head.raster import Raster
from inference_core.training.extractor.anatomy import CROWN, OCCLUSION, SCALP, Anatomy
from inference_core.training.extractor.backdrop import draw_backdrop
from inference_core.training.extractor.exposure import expose
from inference_core.training.extractor.light import Light, draw_light
from inference_core.training.extractor.lines import draw_folds, draw_liner
from inference_core.training.extractor.looks import (
    HairLook,
    bare_skin,
    draw_eyes,
    draw_hair,
    draw_hair_colour,
    draw_skin,
)
from inference_core.training.extractor.noise import Lattice, make_lattice
from inference_core.training.extractor.shade import (
    BACKGROUND,
    FACE,
    OCCLUDER,
    SKIN_OTHER,
    mottle,
    shade_hair,
    shade_head,
    shade_plain,
)
from inference_core.training.extractor.subject import ANYHOW, PORTRAIT, SIZE, Subject, draw_subject, fast_normals
from inference_core.training.extractor.textures import NO_PORTRAITS, PortraitSkins, draw_complexion, surface_of
from inference_core.training.extractor.wear import (
    Sheet,
    draw_brim,
    draw_glasses,
    draw_lashes,
    draw_obstacle,
    draw_torso,
)
from inference_core.training.raster import interpolate, rasterise

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]

OFFICIAL = 0.35
"""Share of samples that are taken as official portraits are: facing the camera, well lit, before a soft ground."""


@dataclass(frozen=True, eq=False)
class Sample:
    """rgb (256, 256, 3) uint8; normals (256, 256, 3) float32 unit, +X right +Y up +Z to the camera, 0 where no head is
    seen; labels (256, 256) uint8, an index into `shade.CLASS_NAMES`; intrinsics (4,) of the crop, px."""

    rgb: NDArray[np.uint8]
    normals: Float32s
    labels: NDArray[np.uint8]
    intrinsics: Floats


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Keep samples, camera and whole truth included, in an .npz file."""
    names = [field.name for field in fields(Sample)]
    np.savez_compressed(path, **{name: np.stack([getattr(one, name) for one in samples]) for name in names})


def read_samples(path: Path) -> list[Sample]:
    """What `write_samples` wrote.

    Raises:
        BadInput: for anything else.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            columns = [data[field.name] for field in fields(Sample)]
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise BadInput(f"'{path}' holds no samples: {error}.", "Make it with path_traced --samples.") from error
    return [Sample(*values) for values in zip(*columns, strict=True)]


@dataclass(frozen=True, eq=False)
class _Canvas:
    depth: Float32s
    rgb: Float32s
    labels: NDArray[np.uint8]
    lattice: Lattice
    light: Light


def draw_sample(
    anatomy: Anatomy,
    rng: np.random.Generator,
    subject: Subject | None = None,
    people: PortraitSkins = NO_PORTRAITS,
) -> Sample:
    """Draw everything afresh from `rng`; a given subject is painted instead of a drawn one."""
    official = rng.random() < OFFICIAL
    subject = subject or draw_subject(anatomy.head, rng, PORTRAIT if official else ANYHOW)
    lattice = make_lattice(rng)
    colour = draw_hair_colour(rng)
    hair, eyes = draw_hair(anatomy, colour, rng), draw_eyes(anatomy, rng)
    wears = draw_complexion(rng, bald=hair.layers == 0, people=len(people))
    skin = draw_skin(anatomy, colour, rng, wears)
    light = draw_light(subject.points, anatomy.triangles, rng)

    raster = rasterise(subject.points, anatomy.triangles, subject.intrinsics, (SIZE, SIZE))
    values = np.concatenate(
        [anatomy.fields, mottle(anatomy.fields, skin.offset, lattice), subject.normals.astype(np.float32)], axis=1
    )
    values[:, OCCLUSION] **= np.float32(rng.uniform(0.8, 1.9))  # sockets and folds from shallow to deep
    pixels = interpolate(raster, anatomy.triangles, values)
    normals = pixels[..., -3:]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True) + np.float32(1e-9)
    canvas = _Canvas(
        depth=raster.depth,
        rgb=np.zeros((SIZE, SIZE, 3), np.float32),
        labels=np.zeros((SIZE, SIZE), np.uint8),
        lattice=lattice,
        light=light,
    )
    where = np.array([*anatomy.mouth, anatomy.mouth_half_width, anatomy.brow_height], np.float32)
    shade_head(
        raster.triangle,
        raster.depth,
        pixels,
        np.ascontiguousarray(normals),
        subject.intrinsics,
        skin,
        eyes,
        light,
        where,
        lattice,
        surface_of(anatomy, raster, pixels, wears, people),
        canvas.rgb,
        canvas.labels,
    )
    if rng.random() < 0.8:
        draw_lashes(subject, canvas.depth, canvas.rgb, rng)
    if rng.random() < 0.3:
        draw_folds(subject, canvas.depth, canvas.rgb, rng)
    if rng.random() < 0.12:
        draw_liner(subject, canvas.depth, canvas.rgb, rng)
    if rng.random() < 0.92:
        bare = bare_skin(skin) if rng.random() < 0.15 else None
        if official and rng.random() < 0.6:
            bare = rng.uniform(0.005, 0.06) * rng.uniform(0.8, 1.3, 3)  # a dark suit
        _cloth(canvas, subject, draw_torso(anatomy, subject, rng), bare, rng)
    _hair(canvas, anatomy, subject, hair)
    if rng.random() < (0.01 if official else 0.12):
        _hat(canvas, anatomy, subject, rng)
    if rng.random() < 0.22:
        draw_glasses(anatomy, subject, canvas.depth, canvas.rgb, canvas.labels, OCCLUDER, rng)
    background = ~np.isfinite(canvas.depth)
    backdrop = draw_backdrop(SIZE, rng)
    if official:
        backdrop = np.asarray(cv2.GaussianBlur(backdrop, (0, 0), float(rng.uniform(3, 30))), np.float32)
    canvas.rgb[background] = backdrop[background]
    for _ in range(int(rng.choice(3, p=[0.97, 0.03, 0.0] if official else [0.75, 0.17, 0.08]))):
        draw_obstacle(subject, canvas.rgb, canvas.labels, bare_skin(skin), OCCLUDER, rng)

    rgb = expose(canvas.rgb, canvas.labels == FACE, rng, care=rng.uniform(0.6, 1.0) if official else 0.0)
    labels = canvas.labels
    truth = normals * np.array([1, -1, -1], np.float32)
    if rng.random() < 0.06:
        _cut_border(rgb, labels, rng)
    truth = truth * ((labels >= FACE) & (labels <= SKIN_OTHER))[..., None]
    return Sample(rgb=rgb, normals=truth.astype(np.float32), labels=labels, intrinsics=subject.intrinsics)


def _cut_border(rgb: NDArray[np.uint8], labels: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """The crop reaches over the photo's border: the product fills that with black."""
    depth = int(rng.integers(4, SIZE // 4))
    side = int(rng.integers(4))
    for image in (rgb, labels):
        turned = np.rot90(image, side)  # a view
        turned[:depth] = 0


def grown(anatomy: Anatomy, subject: Subject, thickness: float, drop: float) -> Floats:
    """The head's points pushed out along softened normals; below the ears pulled down too. Camera space."""
    points, template = subject.points, anatomy.head.template
    centre = points[anatomy.head.region("scalp")].mean(0)
    radial = points - centre
    radial /= np.linalg.norm(radial, axis=1, keepdims=True) + 1e-9
    out = subject.normals + 1.2 * radial
    out /= np.linalg.norm(out, axis=1, keepdims=True) + 1e-9
    grown = points + thickness * out
    if drop > 0:
        below = np.maximum(anatomy.ear_height - template[:, 1], 0)[:, None]
        side = subject.rotation[:, 0] * np.sign(template[:, :1])
        grown = grown - drop * below * subject.rotation[:, 1] + 0.15 * drop * below * side
    return np.asarray(grown)


def _hair(canvas: _Canvas, anatomy: Anatomy, subject: Subject, hair: HairLook) -> None:
    up = subject.rotation[:, 1].astype(np.float32)
    limits = np.array([anatomy.ear_height, anatomy.ear_depth], np.float32)
    columns = [0, 1, 2, SCALP, CROWN]
    for layer in range(hair.layers):
        level = (layer + 1) / hair.layers
        points = grown(anatomy, subject, 0.001 + hair.thickness * level, hair.drop)
        raster = rasterise(points, anatomy.shell, subject.intrinsics, (SIZE, SIZE))
        normals = fast_normals(points, anatomy.shell).astype(np.float32)
        fields = interpolate(raster, anatomy.shell, np.concatenate([anatomy.fields[:, columns], normals], axis=1))
        shade_hair(
            raster.triangle,
            raster.depth,
            fields,
            level,
            up,
            subject.intrinsics,
            hair,
            limits,
            canvas.light,
            canvas.lattice,
            canvas.depth,
            canvas.rgb,
            canvas.labels,
        )


def _hat(canvas: _Canvas, anatomy: Anatomy, subject: Subject, rng: np.random.Generator) -> None:
    """A cap, a brimmed hat, a headband or a hood."""
    kind = rng.random()
    height = anatomy.brow_height + rng.uniform(0.008, 0.045)
    thickness = rng.uniform(0.006, 0.016) if kind < 0.7 else rng.uniform(0.015, 0.035)
    points = grown(anatomy, subject, thickness, 0.0)
    raster = rasterise(points, anatomy.shell, subject.intrinsics, (SIZE, SIZE))
    fields = interpolate(
        raster,
        anatomy.shell,
        np.concatenate([anatomy.fields[:, :3], fast_normals(points, anatomy.shell).astype(np.float32)], axis=1),
    )
    x, y, z = fields[..., 0], fields[..., 1], fields[..., 2]
    tilt = rng.uniform(-0.1, 0.5) * (z - anatomy.ear_depth - 0.1)
    covered = y > height + tilt
    if kind > 0.85:
        middle = (anatomy.brow_height + anatomy.chin_height) / 2
        opening = (x / (0.95 * anatomy.ear_width)) ** 2 + ((y - middle) / (height - middle)) ** 2
        covered = (opening > 1) | (z < anatomy.ear_depth + 0.02)
    elif kind > 0.7:
        covered &= y < height + tilt + rng.uniform(0.02, 0.05)
    colours = _colours(rng)
    _plain(canvas, raster, fields, covered, colours, OCCLUDER, rng)
    if kind < 0.5:
        sheet = draw_brim(anatomy, subject, height + 0.004, rng)
        _cloth(canvas, subject, sheet, colours[0], rng, OCCLUDER)


def _colours(rng: np.random.Generator) -> Float32s:
    base = rng.uniform(0.01, 0.8, (2, 3)) if rng.random() < 0.6 else np.repeat(rng.uniform(0.01, 0.85, (2, 1)), 3, 1)
    if rng.random() < 0.5:
        base[1] = base[0] * rng.uniform(0.7, 1.2)
    return base.astype(np.float32)


def _cloth(
    canvas: _Canvas,
    subject: Subject,
    sheet: Sheet,
    colour: Floats | Float32s | None,
    rng: np.random.Generator,
    label: int = BACKGROUND,
) -> None:
    raster = rasterise(sheet.points, sheet.triangles, subject.intrinsics, (SIZE, SIZE))
    # Both windings are in the list; the first half alone gives the normals, turned to face the camera.
    normals = fast_normals(sheet.points, sheet.triangles[: len(sheet.triangles) // 2])
    normals *= np.where((normals * sheet.points).sum(1) > 0, -1.0, 1.0)[:, None]
    fields = interpolate(raster, sheet.triangles, np.concatenate([sheet.place, normals], axis=1))
    colours = _colours(rng)
    if colour is not None:
        colours[:] = colour
    _plain(canvas, raster, fields, raster.triangle >= 0, colours, label, rng)


def _plain(
    canvas: _Canvas,
    raster: Raster,
    fields: Float32s,
    covered: NDArray[np.bool_],
    colours: Float32s,
    label: int,
    rng: np.random.Generator,
) -> None:
    cells = np.exp(rng.uniform(np.log(8), np.log(250), 3))
    pattern = np.array([*cells, rng.choice([0.5, 1.0, 20.0]), rng.uniform(0, 0.3)], np.float32)
    shade_plain(
        raster.triangle,
        raster.depth,
        fields,
        covered,
        colours,
        pattern,
        label,
        canvas.light,
        canvas.lattice,
        canvas.depth,
        canvas.rgb,
        canvas.labels,
    )
