"""Whether a head with its look is the person: recognised among portraits, as seen by the photo's own camera, in tone.

    python -m inference_core.evaluation.look_likeness PORTRAITS --out DIR [--count N] [--look albedo] [--size 2048]
        [--person PHOTOS]

Each portrait becomes a head; the head is drawn at 0, +-25, +-45 and +-70 degrees in neutral light and looked for among
all portraits of the folder. Pictures, likeness.json and a page of the worst twelve, worst.jpg, go to DIR. With
`--person` instead: the head of each of several photos of one person, looked for in each of the others among all
portraits. Needs requirements/likeness.txt.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import CoreError
from inference_core.evaluation.recognition import Gallery, Recogniser
from inference_core.evaluation.textured import open_sky, textured, turntable
from inference_core.formats.options import ReconstructOptions
from inference_core.head import Head
from inference_core.head.model import Floats
from inference_core.look.painter import Look, Sitter, paint
from inference_core.look.sampling import sample
from inference_core.look.skin_mask import skin_mask
from inference_core.look.skin_model import cheek_vertices
from inference_core.look.transfer import transfer
from inference_core.perception.image import read_photo
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor

YAWS = (0, 25, -25, 45, -45, 70, -70)
PICTURE = 480
"""px of a view's side: a face in it is some 250 px high, and the network looks at 150."""
_GAMMA = 2.2
"""Of sRGB, about: what is a factor of its numbers is that power of light."""
NOT_FOUND = 1.0
"""Distance that counts for a head in which no face is found: more than any stranger's."""
STRIP = 240
"""px of a row of the page of the worst."""
INSIDE = 1.5
"""Texels from a vertex at which a polygon's colour is looked up: what lies nearer is half the other island's."""
CLAY = 176
"""sRGB of a head without a look."""


@dataclass(frozen=True)
class Seen:
    """One head at one angle: how many others were nearer, and how far its own photo was; nan: no face was found."""

    name: str
    yaw: int
    rank: int
    own: float


@dataclass(frozen=True)
class Kept:
    """The head in its photo's camera and light against the photo: PSNR in dB, SSIM, the cheeks' difference of 255.

    `seam`: mean step of the texture across the UV's borders, of 255. `seconds`: processor time of painting it.
    """

    name: str
    psnr: float
    ssim: float
    cheeks: float
    coverage: float
    seam: float
    seconds: float


def gallery_of(portraits: Sequence[Path], recogniser: Recogniser, cache: Path) -> Gallery:
    """The portraits' own embeddings, kept in `cache`."""
    names = tuple(path.stem for path in portraits)
    if cache.exists():
        with np.load(cache) as file:
            known = tuple(str(name) for name in file["asked"])
            if known == names:
                return Gallery(tuple(str(name) for name in file["names"]), file["table"])
    found = [(path.stem, recogniser.embedding(read_photo(path).rgb)) for path in portraits]
    kept = [(name, values) for name, values in found if values is not None]
    gallery = Gallery(tuple(name for name, _ in kept), np.array([values for _, values in kept]))
    np.savez(cache, asked=np.array(names), names=np.array(gallery.names), table=gallery.table)
    return gallery


def against_photo(reconstructor: Reconstructor, made: Reconstruction, look: Look, seconds: float) -> Kept:
    """The look in the photo's own camera and light, over the skin that the photo shows."""
    head = reconstructor.models.head
    rgb, there = _lit_as_photographed(reconstructor, made, look)
    mask = skin_mask(made.photo, made.face, reconstructor.models.normals)
    row, column = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]] + 0.5
    place = mask.frame.to_crop(np.stack([column, row], axis=-1)).astype(np.float32) - np.float32(0.5)
    weight = np.asarray(cv2.remap(mask.weight, place[..., 0], place[..., 1], cv2.INTER_LINEAR))
    chosen = there & (weight > 0.5)
    photo = made.photo.rgb.astype(np.float64)
    error = float(((photo - rgb)[chosen] ** 2).mean())
    cheeks = made.camera.project(made.vertices[cheek_vertices(head)]).astype(int)
    x, y = cheeks[chosen[cheeks[:, 1].clip(0, len(rgb) - 1), cheeks[:, 0].clip(0, rgb.shape[1] - 1)]].T
    away = np.abs(np.median(photo[y, x], axis=0) - np.median(rgb[y, x].astype(np.float64), axis=0)).max()
    ssim = float(_ssim(photo, rgb.astype(np.float64))[chosen].mean())
    seam = float(steps_at_seams(head, look.picture).mean())
    psnr = 10 * np.log10(255**2 / max(error, 1e-9))
    return Kept(made.photo.path.stem, psnr, ssim, float(away), look.coverage, seam, seconds)


def steps_at_seams(head: Head, picture: NDArray[np.uint8]) -> Floats:
    """(n,): at the skin's vertices that lie at several places of the UV, how far the texture differs there, of 255.

    Looked up INSIDE texels within each polygon about the vertex; the mean of each island's, the largest channel. The
    sockets behind the eyeballs, which nobody sees, are left out.
    """
    skin = np.isin(head.material, [index for index, name in enumerate(head.material_names) if name in ("skin", "lips")])
    polygons = skin & (head.quads[:, 3] >= 0)
    vertex, corner = head.quads[polygons].ravel(), head.uv_quads[polygons].ravel()
    place = (head.uv.astype(np.float64) * (1.0, -1.0) + (0.0, 1.0)) * len(picture)
    middle = np.repeat(place[head.uv_quads[polygons]].mean(axis=1), 4, axis=0)
    inward = middle - place[corner]
    away = np.linalg.norm(inward, axis=1, keepdims=True)
    inside = place[corner] + inward * np.minimum(1.0, INSIDE / np.maximum(away, 1e-9))
    colour = sample(picture, inside.astype(np.float32)).astype(np.float64)
    count = np.bincount(corner, minlength=len(place))
    mean = np.stack([np.bincount(corner, channel, len(place)) for channel in colour.T], axis=1)
    pairs = np.unique(np.stack([vertex, corner], axis=1), axis=0)
    mean = (mean / np.maximum(count, 1)[:, None])[pairs[:, 1]]
    low, high = np.full((head.vertex_count, 3), np.inf), np.full((head.vertex_count, 3), -np.inf)
    np.minimum.at(low, pairs[:, 0], mean)
    np.maximum.at(high, pairs[:, 0], mean)
    torn = (np.bincount(pairs[:, 0], minlength=head.vertex_count) > 1) & ~head.region("hidden")
    return np.asarray((high - low)[torn].max(axis=1))


def _lit_as_photographed(
    reconstructor: Reconstructor, made: Reconstruction, look: Look
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The photo's light again: harmonics, and the cast shadows and highlights that were found beside them."""
    head = reconstructor.models.head
    if look.strength > 0:
        cast = np.exp(_GAMMA * look.cast)
        lit = look.light.through(transfer(head, made.vertices)) ** look.strength * cast
    else:
        lit = np.ones((head.vertex_count, 3))
    return textured(head, made.vertices, made.camera, look.picture, made.photo.size, lit)


def _ssim(one: Floats, other: Floats) -> Floats:
    """(H, W): Wang et al., Image Quality Assessment (IEEE TIP 13, 2004), on grey, Gaussian window of 1.5 px."""
    a, b = (picture @ np.array([0.299, 0.587, 0.114]) for picture in (one, other))

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return np.asarray((2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)))


def one_person(
    reconstructor: Reconstructor, photos: Sequence[Path], gallery: Gallery, recogniser: Recogniser, kind: str, size: int
) -> Iterator[Seen]:
    """Each photo's head at each angle, looked for in each OTHER photo among the gallery's strangers."""
    known = [(path.stem, recogniser.embedding(read_photo(path).rgb)) for path in photos]
    for path in photos:
        views, _ = _one(reconstructor, path, kind, size)
        for yaw in YAWS:
            probe = recogniser.embedding(views[yaw])
            for name, values in known:
                if name != path.stem and values is not None:
                    among = Gallery((*gallery.names, name), np.vstack([gallery.table, values]))
                    yield Seen(f"{path.stem} in {name}", yaw, *among.rank(name, probe))


def summary(seen: Iterable[Seen]) -> list[str]:
    """A line an angle (both signs together): rank-1, rank-5, the own photo's mean distance, faces not found."""
    rows = list(seen)
    lines = []
    for yaw in sorted({abs(one.yaw) for one in rows}):
        ranks = np.array([one.rank for one in rows if abs(one.yaw) == yaw])
        own = np.array([one.own for one in rows if abs(one.yaw) == yaw])
        mean = float(np.nanmean(own)) if np.isfinite(own).any() else float("nan")
        lines.append(
            f"{yaw:3d} degrees: rank-1 {np.mean(ranks == 0):.2f}  rank-5 {np.mean(ranks < 5):.2f}  "
            f"own distance {mean:.3f}  no face {np.isnan(own).mean():.2f}  of {len(ranks)}"
        )
    return lines


def worst(portraits: Sequence[Path], seen: Sequence[Seen], count: int = 12) -> list[Path]:
    """The portraits whose heads were least like them: without a face at most angles, then the farthest."""
    away: dict[str, list[float]] = {}
    for one in seen:
        away.setdefault(one.name, []).append(NOT_FOUND if np.isnan(one.own) else one.own)
    known = [path for path in portraits if path.stem in away]
    return sorted(known, key=lambda path: -float(np.mean(away[path.stem])))[:count]


def _strip(folder: Path, path: Path) -> NDArray[np.uint8]:
    """The photo's upper square with its name, and the views beside it, BGR, each without most of its grey."""
    sheet = np.asarray(cv2.imread(str(folder / f"{path.stem}.jpg"))).reshape(PICTURE, len(YAWS), PICTURE, 3)
    close = sheet[PICTURE // 12 : -PICTURE // 12, :, PICTURE // 6 : -PICTURE // 6].reshape(PICTURE * 5 // 6, -1, 3)
    width = round(STRIP * close.shape[1] / len(close))
    views = cv2.resize(close, (width, STRIP), interpolation=cv2.INTER_AREA)
    rgb = read_photo(path).rgb
    side = min(rgb.shape[:2])
    photo = cv2.resize(np.ascontiguousarray(rgb[:side, :side, ::-1]), (STRIP, STRIP), interpolation=cv2.INTER_AREA)
    cv2.putText(photo, path.stem, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(np.concatenate([photo, views], axis=1), dtype=np.uint8)


def main() -> None:
    """Measure the portraits of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=0, help="how many become heads, evenly chosen; 0: all")
    parser.add_argument("--look", choices=("none", "photo", "albedo"), default="albedo")
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--person", type=Path, help="several photos of one person")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    portraits = sorted(path for path in arguments.portraits.iterdir() if path.suffix.lower() in (".jpg", ".png"))
    recogniser = Recogniser()
    gallery = gallery_of(portraits, recogniser, arguments.out / "gallery.npz")
    known = [path for path in portraits if path.stem in gallery.names]
    step = max(1, len(known) // arguments.count) if arguments.count else 1
    chosen = known[::step][: arguments.count or None]
    reconstructor = Reconstructor(Models.load())
    if arguments.person is not None:
        photos = sorted(path for path in arguments.person.iterdir() if path.suffix.lower() in (".jpg", ".png"))
        found = one_person(reconstructor, photos, gallery, recogniser, arguments.look, arguments.size)
        print("\n".join(summary(found)))
        return
    seen: list[Seen] = []
    kept: list[Kept] = []
    for path in chosen:
        try:
            views, measured = _one(reconstructor, path, arguments.look, arguments.size)
        except CoreError as error:
            print(f"{path.stem}: {error.sentence}", flush=True)
            continue
        ranks = [Seen(path.stem, yaw, *gallery.rank(path.stem, recogniser.embedding(views[yaw]))) for yaw in YAWS]
        seen += ranks
        kept += [measured] if measured is not None else []
        sheet = np.concatenate([views[yaw] for yaw in sorted(YAWS)], axis=1)
        cv2.imwrite(str(arguments.out / f"{path.stem}.jpg"), sheet[..., ::-1])
        print(path.stem, " ".join(f"{one.yaw}:{one.rank}/{one.own:.2f}" for one in ranks), measured or "", flush=True)
        values = {"seen": [asdict(one) for one in seen], "kept": [asdict(one) for one in kept]}
        (arguments.out / "likeness.json").write_text(json.dumps(values, indent=1))
    print("\n".join(summary(seen)))
    if seen:
        page = np.concatenate([_strip(arguments.out, path) for path in worst(portraits, seen)])
        cv2.imwrite(str(arguments.out / "worst.jpg"), page)
    if kept:
        print(
            f"photo's camera: PSNR {np.mean([one.psnr for one in kept]):.1f} dB, SSIM "
            f"{np.mean([one.ssim for one in kept]):.3f}, cheeks within {max(one.cheeks for one in kept):.1f} of 255 "
            f"(mean {np.mean([one.cheeks for one in kept]):.1f}), "
            f"coverage {np.mean([one.coverage for one in kept]):.2f}, steps across the UV's borders "
            f"{np.mean([one.seam for one in kept]):.2f} of 255 (worst head {max(one.seam for one in kept):.2f}), "
            f"painted in {np.median([one.seconds for one in kept]):.1f} s of processor time "
            f"(the first {kept[0].seconds:.1f})"
        )


def _one(
    reconstructor: Reconstructor, path: Path, kind: str, size: int
) -> tuple[dict[int, NDArray[np.uint8]], Kept | None]:
    """The views of one portrait's head, and the head against its photo."""
    head, options = reconstructor.models.head, ReconstructOptions(look="none")
    photo, faces, _, _ = reconstructor.faces_of(path, options)
    made = reconstructor.reconstruct(photo, faces[0][1], options)
    picture, measured = np.full((8, 8, 3), CLAY, np.uint8), None
    if kind != "none":
        sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
        before = time.process_time()
        look = paint(head, [sitter], reconstructor.models.normals, "albedo" if kind == "albedo" else "photo", size)
        picture = look.picture
        measured = against_photo(reconstructor, made, look, time.process_time() - before)
    sky = open_sky(head, made.vertices)
    return {yaw: turntable(head, made.vertices, picture, yaw, PICTURE, sky) for yaw in YAWS}, measured


if __name__ == "__main__":
    main()
