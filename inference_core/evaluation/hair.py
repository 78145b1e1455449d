"""Hair against the photos that it was made from: python -m inference_core.evaluation.hair FOLDER [--every N].

A line a portrait: what was found, the haircut, intersection over union of the strands' and the matte's silhouette, the
angle between strands and the photo's strokes where those are sure, and the time. The matte is the network's own: where
it is wrong, so is the measure.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference_core.errors import CoreError
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.options import Options
from inference_core.reconstruct.pipeline import Reconstructor


def angle_off(agreement: float) -> float:
    """Degrees between two axes whose doubled angles have this mean cosine, -1..1."""
    return float(np.degrees(np.arccos(np.clip(agreement, -1.0, 1.0))) / 2)


def main(words: Sequence[str] | None = None) -> None:
    """Every Nth picture of a folder, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=12)
    arguments = parser.parse_args(words)
    reconstructor, options = Reconstructor(Models.load("open_head")), Options(look="none", hair="auto")
    overlaps: list[float] = []
    angles: list[float] = []
    times: list[float] = []
    bald = failed = 0
    for path in sorted(arguments.folder.glob("*.jpg"))[:: arguments.every]:
        try:
            photo, faces, _, _ = reconstructor.faces_of(path, options)
            made = reconstructor.groomed(reconstructor.reconstruct(photo, faces[0][1], options), options)
        except CoreError as error:
            print(f"{path.stem}: {error.sentence}", flush=True)
            failed += 1
            continue
        hair, seconds = made.hair, made.timings_ms["hair"] / 1e3
        times.append(seconds)
        if hair is None or hair.overlap is None or hair.agreement is None:
            kind = "failed" if hair is None else hair.kind
            bald += kind == "bald"
            failed += kind == "failed"
            print(f"{path.stem}: {kind}, {seconds:.1f} s", flush=True)
            continue
        overlaps.append(hair.overlap)
        angles.append(angle_off(hair.agreement))
        print(
            f"{path.stem}: {hair.style}, IoU {overlaps[-1]:.3f}, {angles[-1]:.0f} degrees, {seconds:.1f} s", flush=True
        )
    if overlaps:
        print(
            f"{len(overlaps)} with hair, {bald} bald, {failed} failed: IoU {np.mean(overlaps):.3f} (worst "
            f"{min(overlaps):.3f}), strands {np.mean(angles):.0f} degrees off, {np.mean(times):.1f} s"
        )


if __name__ == "__main__":
    main()
