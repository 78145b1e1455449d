"""One face under three lights: is its skin one colour once the light is out, and the true one?

    python -m inference_core.evaluation.look_lights PERRY_SMITH --out DIR

Cycles renders the Perry-Smith scan from one side under three lights (`training.extractor.cycles`, needs bpy); each
picture becomes a head by itself, with the look as photographed and as albedo. Printed are mean differences of 255, over
the skin that all three show: of pairs, and to the scan's own colours, looked up as the photo is. How bright and how
warm the light on a face is no photo tells, so cheeks are brought to one colour first; the pairs' rows say it without
that, too. DIR/lights.jpg: the three pictures, the faces' textures as photographed, as albedo, and the true one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.normals.truths import LIGHTS, LIGHTS_YAW
from inference_core.formats.options import LookKind, ReconstructOptions
from inference_core.head.model import Floats, Mask
from inference_core.look.atlas import Part, atlas_of
from inference_core.look.colour import encoded
from inference_core.look.painter import Sitter, paint
from inference_core.look.shot import View, shoot
from inference_core.look.skin_mask import skin_mask
from inference_core.look.skin_model import cheek_vertices
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.training.extractor import cycles
from inference_core.training.extractor.scan import RENDER_SIZE, Scan, read_scan
from inference_core.training.raster import interpolate, rasterise

SIZE = 512
"""px of the textures that are compared: a texel is a millimetre, which is what a fit is off by."""
KINDS: tuple[LookKind, ...] = ("photo", "albedo")
SURE = 0.9
"""Weight from which a photo shows a texel."""
CELL = 320  # px

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Lit:
    """One picture's head, of the skin's texels (M,): its looks (M, 3) sRGB, the truth (M, 3), where it is seen (M,)."""

    picture: Bytes
    looks: dict[LookKind, Floats]
    truth: Floats
    seen: Mask


def unlit(scan: Scan, view: cycles.View) -> Bytes:
    """(H, W, 3): the scan's own colours where Cycles' camera sees them."""
    middle = RENDER_SIZE / 2
    intrinsics = np.array([view.focal, view.focal, middle, middle])
    camera = scan.points @ view.rotation.T + view.translation
    raster = rasterise(camera, scan.triangles, intrinsics, (RENDER_SIZE, RENDER_SIZE))
    height, width = scan.colour.shape[:2]
    place = interpolate(raster, scan.triangles, scan.uv) * (width, height)
    column, row = np.moveaxis(place.astype(int), -1, 0)
    found = scan.colour[row.clip(0, height - 1), column.clip(0, width - 1)]
    return np.asarray(encoded(found) * (raster.triangle >= 0)[..., None] + 0.5, np.uint8)


def looked_at(reconstructor: Reconstructor, path: Path, truth: Bytes) -> Lit:
    """A picture's head with both looks, and the true colours (H, W, 3) as its camera finds them."""
    head, normals = reconstructor.models.head, reconstructor.models.normals
    part = atlas_of(head, SIZE).part("skin", "lips")
    photo, faces, _, _ = reconstructor.faces_of(path, ReconstructOptions(look="none"))
    made = reconstructor.reconstruct(photo, faces[0][1], ReconstructOptions(look="none"))
    sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
    mask = skin_mask(photo, made.face, normals)
    shot = shoot(part, View(head, truth, made.camera, made.vertices, mask))
    looks = {kind: texels(part, paint(head, [sitter], normals, kind, 2 * SIZE).picture) for kind in KINDS}
    return Lit(photo.rgb, looks, shot.colour.astype(np.float64), shot.weight > SURE)


def texels(part: Part, picture: Bytes) -> Floats:
    """(M, 3): a texture at the part's size."""
    small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return small.reshape(-1, 3)[part.places].astype(np.float64)


def difference(one: Floats, other: Floats, where: Mask) -> float:
    """Mean over places and channels, levels of 255."""
    return float(np.abs(one - other)[where].mean())


def lines(found: Sequence[Lit], cheeks: Mask) -> list[str]:
    """A line a kind of look. `cheeks` (M,)."""
    seen = np.all([one.seen for one in found], axis=0)
    rows = []
    for kind in KINDS:
        plain = [one.looks[kind] for one in found]
        alike = [like(colour, found[0].truth, cheeks & seen) for colour in plain]
        pairs = [difference(a, b, seen) for a, b in combinations(alike, 2)]
        raw = [difference(a, b, seen) for a, b in combinations(plain, 2)]
        away = [difference(colour, one.truth, seen) for colour, one in zip(alike, found, strict=True)]
        rows.append(
            f"{kind:6s}: two lights {np.mean(pairs):.1f} apart (most {max(pairs):.1f}; with their own brightness "
            f"{np.mean(raw):.1f}), the true colour {np.mean(away):.1f} away (most {max(away):.1f}); {seen.sum()} texels"
        )
    return rows


def like(colour: Floats, target: Floats, cheeks: Mask) -> Floats:
    """`colour` (M, 3) with the cheeks' median of `target` (M, 3)."""
    gain = np.median(target[cheeks], axis=0) / np.median(colour[cheeks], axis=0)
    return np.asarray(np.clip(colour * gain, 0.0, 255.0))


def page(found: Sequence[Lit], part: Part) -> Bytes:
    """A row a light: the picture, the textures' faces as photographed and as albedo, the truth."""
    rows = []
    for one in found:
        cells = [one.picture]
        for colour in (*(one.looks[kind] for kind in KINDS), one.truth):
            sheet = np.zeros((SIZE * SIZE, 3), np.uint8)
            sheet[part.places[one.seen]] = colour[one.seen]
            row, column = np.divmod(part.places[one.seen], SIZE)
            cells.append(sheet.reshape(SIZE, SIZE, 3)[row.min() : row.max() + 1, column.min() : column.max() + 1])
        rows.append(np.concatenate([cv2.resize(cell, (CELL, CELL), interpolation=cv2.INTER_AREA) for cell in cells], 1))
    return np.concatenate(rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    renders = cycles.same_face(arguments.scan, LIGHTS, LIGHTS_YAW, arguments.out)
    truth = unlit(read_scan(arguments.scan), cycles.frontal_view(LIGHTS_YAW))
    reconstructor = Reconstructor(Models.load())
    head = reconstructor.models.head
    found = []
    for number, render in zip(LIGHTS, renders, strict=True):
        path = arguments.out / f"light_{number}.png"
        cv2.imwrite(str(path), render.rgb[..., ::-1])
        found.append(looked_at(reconstructor, path, truth))
    part = atlas_of(head, SIZE).part("skin", "lips")
    print("\n".join(lines(found, part.interpolate(cheek_vertices(head)) > SURE)))
    cv2.imwrite(str(arguments.out / "lights.jpg"), page(found, part)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
