"""Learns the statistical skin that fills what no photo shows, from portraits and MakeHuman's CC0 skins.

    python scripts/build_skin_model.py PORTRAITS MAKEHUMAN

PORTRAITS is a folder of photos, one a person; MAKEHUMAN a checkout of the CC0 assets with `system/skins/textures`.
Writes `skin_model.npz` and its card to `inference_core/assets`. How it is used: `inference_core.look.skin_model`.

A skin is what it does to its own usual colour, as natural logarithms of sRGB, at the Open Head's vertices. Portraits,
their light taken out by harmonics, say it of the face: mean and modes by expectation and maximisation, each place of
each portrait with the weight that it was seen with (Tipping and Bishop, Probabilistic Principal Component Analysis,
JRSS B 61, 1999; with missing values, and outliers discounted as Geman and McClure do). Ears, neck and scalp hardly any
portrait shows: there the mean is that of MakeHuman's skins, which differ from the portraits' by a smooth field. How
dark cropped hair makes those skins tells where hair grows.
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

from inference_core.errors import CoreError  # noqa: E402
from inference_core.formats.options import ReconstructOptions  # noqa: E402
from inference_core.head import Head, load_head  # noqa: E402
from inference_core.look.atlas import atlas_of  # noqa: E402
from inference_core.look.composition import usual_colour  # noqa: E402
from inference_core.look.skin_model import MODES, NOISE, SAID_ONCE  # noqa: E402
from inference_core.look.study import Sitter, seen_skin  # noqa: E402
from inference_core.look.surface_fill import membrane, surface_of  # noqa: E402
from inference_core.reconstruct.models import Models  # noqa: E402
from inference_core.reconstruct.pipeline import Reconstructor  # noqa: E402

Floats = NDArray[np.float64]

OUT = ROOT / "inference_core" / "assets"
SIZE = 2048
HAIR = (0.35, 0.75)  # of the way from the forehead's brightness to the scalp's: where hair begins, and where it is full
SEEN_SIZE = 512  # px of the UV in which portraits are looked up: a vertex still has some twenty texels
FOREIGN = 0.25  # logarithm of a colour over the expected one at which it counts a quarter
FEW = 4.0  # portraits that a place must be seen in to say as much as what was expected
ENOUGH = 20.0  # portraits that must show a place for its mean to count: few see it at its outline, and wrong
UNSEEN = 0.003  # how stiffly a place that none shows keeps to MakeHuman's skins, over one that all show
ROUNDS = 10
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


def painted_skin(head: Head, picture: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """One of MakeHuman's skins: logarithms over its usual colour (V, 3), and its hair (V,) 0..1."""
    mean, painted = at_vertices(head, picture)
    relative = np.log(np.maximum(mean, 1.0)) - np.log(usual_colour(mean, painted * 1.0, head))
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


def photographed_skins(portraits: Path) -> tuple[Floats, Floats]:
    """Of N portraits, both sides together: logarithms over the usual colour (N, V, 3), and weight (N, V), 0..1."""
    reconstructor = Reconstructor(Models.load())
    head, options = reconstructor.models.head, ReconstructOptions(look="none")
    other = surface_of(head).mirror
    other = np.where(other >= 0, other, np.arange(len(other)))
    tones, weights = [], []
    for path in sorted(portraits.glob("*.jpg")):
        try:
            photo, faces, _, _ = reconstructor.faces_of(path, options)
            made = reconstructor.reconstruct(photo, faces[0][1], options)
            sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
            shot = seen_skin(head, sitter, reconstructor.models.normals, SEEN_SIZE, 1.0).shot
        except CoreError as error:
            print(f"{path.name}: {error.sentence}")
            continue
        mean, seen = shot.smooth()
        tone = np.log(np.maximum(mean, 1.0)) - np.log(usual_colour(mean, seen, head))
        weight = seen[:, None] ** 2
        both = weight + weight[other]
        tones.append((weight * tone + weight[other] * tone[other]) / np.maximum(both, 1e-9))
        weights.append(np.minimum(both[:, 0], 1.0))
    return np.array(tones), np.array(weights)


def learnt(head: Head, tones: Floats, weights: Floats, painted: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean (V, 3) and modes (K, V, 3), one standard deviation each, and how many portraits showed a place (V,)."""
    mean = np.zeros_like(painted)
    for _ in range(8):
        trust = weights / (1 + (np.abs(tones - mean).max(axis=-1) / FOREIGN) ** 2) ** 2
        mean = (trust[..., None] * tones).sum(axis=0) / (trust.sum(axis=0)[:, None] + 1e-6)
    shown = trust.sum(axis=0)
    known = shown > ENOUGH
    held = np.where(known, shown / (shown + FEW), UNSEEN)
    mean = painted + membrane(surface_of(head), (mean - painted) * known[:, None], held, np.zeros(3))
    flat = (trust[..., None] * (tones - mean)).reshape(len(tones), -1)
    _, sizes, directions = np.linalg.svd(flat, full_matrices=False)
    modes = (sizes[:MODES, None] / np.sqrt(len(tones)) * directions[:MODES]).reshape(MODES, *mean.shape)
    found = np.zeros((len(tones), MODES))
    away = tones - mean
    for _ in range(ROUNDS):
        off = np.abs(away - np.tensordot(found, modes, axes=1)).max(axis=-1) / FOREIGN
        trust = weights / (1 + off**2) ** 2
        design = modes.reshape(MODES, -1)
        moments = []
        for index, values in enumerate(away):
            say = np.repeat(trust[index] / (SAID_ONCE * NOISE**2), 3)
            spread = np.linalg.inv((design * say) @ design.T + np.eye(MODES))
            found[index] = spread @ ((design * say) @ values.ravel())
            moments.append(spread + np.outer(found[index], found[index]))
        normal = np.einsum("nv,nkl->vkl", trust, moments) + FEW * np.eye(MODES)
        target = np.einsum("nv,nvc,nk->vkc", trust, away, found)
        modes = np.linalg.solve(normal, target).transpose(1, 0, 2)
    _, sizes, directions = np.linalg.svd(modes.reshape(MODES, -1), full_matrices=False)
    signs = np.sign(directions.sum(axis=1))  # whichever way the machine's solver turns them
    return mean, (sizes * signs)[:, None, None] * directions.reshape(modes.shape), shown


def _may_grow(head: Head) -> NDArray[np.bool_]:
    return head.region("scalp") & ~head.region("ears")


def card(names: list[str], people: int, payload: bytes) -> str:
    values = {
        "name": "skin_model",
        "task": "what a skin's colour is elsewhere, over the face's usual one; where hair grows",
        "data": f"{people} official portraits of members of Congress (works of the US government, public domain), "
        f"women and men, and {len(names)} male skins of MakeHuman (CC0-1.0): {', '.join(names)}",
        "arrays": {
            "mean": "(V,3) float16, natural logarithm of sRGB over the usual colour, at the Open Head's vertices",
            "modes": "(K,V,3) float16, one standard deviation each",
            "hair": "(V,) float16, 0..1",
        },
        "recipe": "python scripts/build_skin_model.py PORTRAITS MAKEHUMAN",
        "limits": "Adults. Ears, neck and scalp are MakeHuman's mean, the same for everybody but for the usual colour; "
        "no photo is changed by it where it shows skin, but for light.",
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
    parser.add_argument("portraits", type=Path)
    parser.add_argument("makehuman", type=Path)
    arguments = parser.parse_args()
    head = load_head()
    folder = arguments.makehuman / "system" / "skins" / "textures"
    names, found = zip(*((name, painted_skin(head, picture)) for name, picture in skins(folder)), strict=True)
    tones, weights = photographed_skins(arguments.portraits)
    mean, modes, shown = learnt(head, tones, weights, np.mean([tone for tone, _ in found], axis=0))
    hair = np.mean([grown for _, grown in found], axis=0)
    payload = packed({name: np.asarray(values, np.float16) for name, values in
                      (("mean", mean), ("modes", modes), ("hair", hair))})  # fmt: skip
    (OUT / "skin_model.npz").write_bytes(payload)
    (OUT / "skin_model.card.json").write_text(card(list(names), len(tones), payload), encoding="utf-8")
    for region in ("face", "nose", "lips", "ears", "neck", "scalp"):
        place = head.region(region)
        print(f"{region:6s} {np.exp(np.median(mean[place], axis=0)).round(3)} shown by {np.median(shown[place]):.0f}")
    print(f"skin_model.npz: {len(payload)} bytes, {len(tones)} portraits and {len(names)} painted skins")


if __name__ == "__main__":
    main()
