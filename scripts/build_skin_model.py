"""Learns the statistical skin that fills what no photo shows, from MakeHuman's CC0 skins.

    python scripts/build_skin_model.py MAKEHUMAN

MAKEHUMAN is a checkout of the CC0 assets with `system/skins/textures`. Writes `skin_model.npz` and its card to
`inference_core/assets`, the same bytes each time. How it is used: `inference_core.look.skin_model`.

A skin is what it does to the colour of its own cheeks, as natural logarithms of sRGB, at the Open Head's vertices.
Under its cropped hair a skin's colour is not to be seen and is continued over the surface; how dark the hair makes it
tells where hair grows.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from inference_core.head import Head, load_head  # noqa: E402
from inference_core.look.atlas import atlas_of  # noqa: E402
from inference_core.look.skin_model import MODES, cheek_vertices  # noqa: E402
from inference_core.look.surface_fill import membrane, surface_of  # noqa: E402

Floats = NDArray[np.float64]

OUT = ROOT / "inference_core" / "assets"
SIZE = 2048
HAIR = (0.35, 0.75)  # of the way from the forehead's brightness to the scalp's: where hair begins, and where it is full
LEAST, MOST = np.log(0.45), np.log(1.6)  # the mouth's red and the paint's faults are no skin


def skins(folder: Path) -> list[tuple[str, NDArray[np.uint8]]]:
    """Name and texture (SIZE, SIZE, 3) of each."""
    found = []
    for path in sorted(folder.glob("*_diffuse*.png")):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None or image.shape[:2] != (SIZE, SIZE):
            raise SystemExit(f"{path} is not a skin of {SIZE} px.")
        found.append((path.stem, np.ascontiguousarray(image[..., ::-1])))
    if not found:
        raise SystemExit(f"'{folder}' holds no skins.")
    return found


def at_vertices(head: Head, picture: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.bool_]]:
    """(V, 3) mean sRGB about each vertex, and where the texture paints the head (V,)."""
    part = atlas_of(head.worn_by_makehuman, SIZE).part("skin", "lips")
    colour = picture.reshape(-1, 3)[part.places].astype(np.float32)
    flat = picture[0, 0].astype(np.float32)  # all but the head is painted over with one colour
    painted = (np.abs(colour - flat).max(axis=1) > 0).astype(np.float32)
    mean, cover = part.gather(colour, painted)
    _, whole = part.gather(colour[:, :1], np.ones_like(painted))
    return mean, cover > 0.5 * np.maximum(whole, 1e-9)


def learnt(head: Head, picture: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """One skin's logarithms over its cheeks' (V, 3), and its hair (V,) 0..1."""
    mean, painted = at_vertices(head, picture)
    relative = np.log(np.maximum(mean, 1.0)) - np.log(np.median(mean[cheek_vertices(head)], axis=0))
    scalp = head.region("scalp")
    crown = scalp & (head.template[:, 1] > np.quantile(head.template[scalp, 1], 0.5))
    level = np.exp(relative.mean(axis=1))
    darkest = np.median(level[crown])
    hair = np.clip(((1 - level) / (1 - darkest) - HAIR[0]) / (HAIR[1] - HAIR[0]), 0, 1)
    surface = surface_of(head)
    hair = membrane(surface, hair[:, None], painted * 1.0, np.zeros(1))[:, 0] * _may_grow(head)
    known = painted & (hair < 0.02) & (np.abs(relative).max(axis=1) < MOST - LEAST)
    filled = membrane(surface, np.clip(relative, LEAST, MOST), known * 1.0, np.zeros(3))
    return filled, np.clip(hair, 0, 1)


def _may_grow(head: Head) -> NDArray[np.bool_]:
    return head.region("scalp") & ~head.region("ears")


def card(names: list[str], payload: bytes, shares: Floats) -> str:
    values = {
        "name": "skin_model",
        "task": "what a skin's colour is elsewhere, over that of the cheeks; where hair grows",
        "data": f"{len(names)} male skins of MakeHuman (CC0-1.0), painted from photos: {', '.join(names)}",
        "arrays": {
            "mean": "(V,3) float16, natural logarithm of sRGB over the cheeks' median, at the Open Head's vertices",
            "modes": "(K,V,3) float16, one standard deviation each",
            "hair": "(V,) float16, 0..1",
        },
        "recipe": "python scripts/build_skin_model.py MAKEHUMAN",
        "variance explained by the modes": [round(float(value), 3) for value in shares],
        "limits": "Men only, and few. It fills ears, neck, lids and scalp where no photo shows them.",
        "license": "CC0-1.0",
        "commercial_use": True,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    return json.dumps(values, indent=2) + "\n"


def packed(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    """As numpy.savez_compressed writes it, without the time of day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            inner = io.BytesIO()
            np.lib.format.write_array(inner, values, allow_pickle=False)  # type: ignore[no-untyped-call]
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), inner.getvalue(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("makehuman", type=Path)
    folder = parser.parse_args().makehuman / "system" / "skins" / "textures"
    head = load_head()
    names, found = zip(*((name, learnt(head, picture)) for name, picture in skins(folder)), strict=True)
    tones = np.array([tone for tone, _ in found])
    mean = tones.mean(axis=0)
    _, sizes, directions = np.linalg.svd((tones - mean).reshape(len(tones), -1), full_matrices=False)
    modes = (sizes[:MODES, None] / np.sqrt(len(tones) - 1) * directions[:MODES]).reshape(MODES, *mean.shape)
    hair = np.mean([grown for _, grown in found], axis=0)
    payload = packed({name: np.asarray(values, np.float16) for name, values in
                      (("mean", mean), ("modes", modes), ("hair", hair))})  # fmt: skip
    (OUT / "skin_model.npz").write_bytes(payload)
    shares = sizes**2 / (sizes**2).sum()
    (OUT / "skin_model.card.json").write_text(card(list(names), payload, shares[:MODES]), encoding="utf-8")
    print(f"skin_model.npz: {len(payload)} bytes, modes explain {shares[:MODES].sum():.2f} of {len(names)} skins")


if __name__ == "__main__":
    main()
