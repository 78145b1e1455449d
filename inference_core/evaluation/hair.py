"""Hair against the photos that it was made from:

    python -m inference_core.evaluation.hair FOLDER [--every N] [--first K] [--bald p083,p096]

A line a portrait: what was found, the haircut, intersection over union of the strands' and the matte's silhouette, the
angle between strands and the photo's strokes where those are sure, CIEDE2000 between the strands' dye and the photo
where both show hair, and processor time. The matte is the network's own: where it is wrong, so is the measure. `--bald`
names the portraits in which a person sees no hair on the head; all others count as haired.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from inference_core.errors import CoreError
from inference_core.evaluation.colour_difference import ciede2000
from inference_core.formats.options import ReconstructOptions
from inference_core.hair.barber import Client, Hair, as_seen
from inference_core.hair.colour import sure_hair
from inference_core.hair.ground import ground_of
from inference_core.hair.matte import SIZE, matte_of
from inference_core.hair.seat import seat
from inference_core.hair.sight import Sight, sight_of
from inference_core.hair.strokes import strokes_of
from inference_core.head.model import Float32s
from inference_core.look.colour import linear
from inference_core.perception.person import bundled_finder
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor

LOCAL = 9.0
"""px of the square over which colours are averaged before they are compared: single hairs are random."""


def angle_off(agreement: float) -> float:
    """Degrees between two axes whose doubled angles have this mean cosine, -1..1."""
    return float(np.degrees(np.arccos(np.clip(agreement, -1.0, 1.0))) / 2)


def colour_off(hair: Hair, sight: Sight) -> float | None:
    """Mean CIEDE2000 between the dye of the strands in sight and the photo's hair there; None where both show none."""
    pixels, open_ = sight.pixels(hair.points.astype(np.float64))
    cell = np.clip(np.nan_to_num(pixels), 0, SIZE - 1).astype(np.int32)[open_]
    rows = np.broadcast_to(np.arange(len(pixels))[:, None], open_.shape)[open_]
    sums, count = np.zeros((SIZE, SIZE, 3)), np.zeros((SIZE, SIZE))
    np.add.at(sums, (cell[:, 1], cell[:, 0]), hair.dye.strands[rows])
    np.add.at(count, (cell[:, 1], cell[:, 0]), 1)
    sure = sure_hair(sight.matte)
    both = (sure & (count > 0)).astype(np.float32)
    near = cv2.GaussianBlur(both, (0, 0), LOCAL)
    compared = (both > 0) & (near > 0.1)
    if not compared.any():
        return None
    photo = linear(sight.matte.rgb.astype(np.float32))
    dyed = (sums / np.maximum(count, 1)[..., None]).astype(np.float32)
    one, other = (
        _lab(cv2.GaussianBlur(values * both[..., None], (0, 0), LOCAL) / np.maximum(near, 1e-4)[..., None])[compared]
        for values in (photo, dyed)
    )
    return float(ciede2000(one.astype(np.float64), other.astype(np.float64)).mean())


def _lab(values: Float32s | np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Float32s:
    """(H, W, 3) CIE L*a*b* of linear RGB."""
    return np.asarray(cv2.cvtColor(np.clip(values, 0, 1).astype(np.float32), cv2.COLOR_LRGB2LAB), np.float32)


@dataclass
class Tally:
    """What the portraits of a run said."""

    overlaps: list[float] = field(default_factory=list)
    angles: list[float] = field(default_factory=list)
    colours: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    bald: int = 0
    covered: int = 0
    failed: int = 0
    false_bald: list[str] = field(default_factory=list)
    false_hair: list[str] = field(default_factory=list)

    def told(self) -> str:
        """The means."""
        lines = [f"{len(self.overlaps)} with hair, {self.bald} bald, {self.covered} covered, {self.failed} failed"]
        if self.overlaps:
            worst, tenth = min(self.overlaps), np.quantile(self.overlaps, 0.1)
            lines += [
                f"IoU {np.mean(self.overlaps):.3f} (a tenth below {tenth:.3f}, worst {worst:.3f})",
                f"strands {np.mean(self.angles):.0f} degrees off",
                f"dye {np.mean(self.colours):.1f} CIEDE2000 off, {np.mean(np.array(self.colours) > 6):.0%} over 6",
            ]
        if self.seconds:
            lines.append(f"{np.mean(self.seconds):.1f} s of processor time, at most {max(self.seconds):.1f} s")
        lines.append(f"bald answers for hair: {' '.join(self.false_bald) or 'none'}")
        lines.append(f"hair for bald heads: {' '.join(self.false_hair) or 'none'}")
        return "\n".join(lines)


def measure(made: Reconstruction, models: Models) -> tuple[Hair, Sight, float]:
    """Hair of a reconstruction without a look, what it is compared with, and the processor time, s."""
    started = time.process_time()
    client = Client(made.photo, made.face, made.camera, made.parameters.shape, made.vertices, None)
    seated = seat(models.head, client.shape, client.vertices, client.camera)
    matte = matte_of(client.photo, client.face, seated.camera.intrinsics, models.normals, bundled_finder())
    sight = sight_of(seated, matte, strokes_of(matte.rgb))
    hair = as_seen(ground_of(seated), seated, sight, None)
    return hair, sight, time.process_time() - started


def main(words: Sequence[str] | None = None) -> None:
    """Every Nth picture of a folder, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--bald", default="", metavar="NAME,...")
    arguments = parser.parse_args(words)
    shaved = set(arguments.bald.split(","))
    reconstructor, options = Reconstructor(Models.load("open_head")), ReconstructOptions(look="none")
    tally = Tally()
    for path in sorted(arguments.folder.glob("*.jpg"))[arguments.first :: arguments.every]:
        try:
            photo, faces, _, _ = reconstructor.faces_of(path, options)
            made = reconstructor.reconstruct(photo, faces[0][1], options)
            hair, sight, seconds = measure(made, reconstructor.models)
        except CoreError as error:
            print(f"{path.stem}: {error.sentence}", flush=True)
            tally.failed += 1
            continue
        print(f"{path.stem}: {_counted(path.stem, hair, sight, seconds, tally, path.stem in shaved)}", flush=True)
    print(tally.told())


def _counted(name: str, hair: Hair, sight: Sight, seconds: float, tally: Tally, shaved: bool) -> str:
    """A portrait's line; the tally counts it."""
    tally.seconds.append(seconds)
    grown = hair.overlap is not None
    tally.bald += hair.kind == "bald" or (hair.kind == "hair" and not grown)
    tally.covered += hair.kind == "covered"
    if grown and shaved:
        tally.false_hair.append(name)
    if not grown and not shaved:
        tally.false_bald.append(name)
    if hair.overlap is None or hair.agreement is None:
        return f"{hair.kind}, {seconds:.1f} s"
    tally.overlaps.append(hair.overlap)
    tally.angles.append(angle_off(hair.agreement))
    colour = colour_off(hair, sight)
    tally.colours += [] if colour is None else [colour]
    shade = "no colour" if colour is None else f"dE {colour:.1f}"
    return f"{hair.style}, IoU {hair.overlap:.3f}, {tally.angles[-1]:.0f} degrees, {shade}, {seconds:.1f} s"


if __name__ == "__main__":
    main()
