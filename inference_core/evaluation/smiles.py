"""`python -m inference_core.evaluation.smiles FOLDER`: smiles with shut teeth, fitted with and without that knowledge.

Of every portrait that shows shut teeth (`perception.teeth`), medians: how far the jaw opens, how far lips bare teeth,
how far Face Mesh's points lie off, all inner ones and those of the inner lips, over the distance between the eyes; how
much narrower the opening between the lips is than Face Mesh's; and how far normals are off.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inference_core.fit.model import LIP_GAPS
from inference_core.formats.options import ReconstructOptions
from inference_core.head import mediapipe_points
from inference_core.head.model import Floats
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstruction, Reconstructor

app = typer.Typer(add_completion=False)
SHUT = 0.8  # from here on a portrait counts
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324)
COLUMNS = ("jaw rad", "lower lip", "upper lip", "points %", "lips %", "opening %", "normals deg")


def row(made: Reconstruction, names: tuple[str, ...], index: list[int], points: Floats) -> list[float]:
    """One portrait's numbers, in the order of COLUMNS; points (M, 2) px of the head at Face Mesh's `index` (M,)."""
    place = {number: at for at, number in enumerate(index)}
    seen = made.face.points[index, :2].astype(np.float64)
    away = 100 * np.linalg.norm(points - seen, axis=1) / made.face.eye_distance
    pairs = np.array([(place[a], place[b]) for a, b in LIP_GAPS if a in place and b in place])
    upper, lower = pairs.T
    gaps = [np.linalg.norm(where[lower] - where[upper], axis=1).mean() for where in (points, seen)]
    bared = [
        float(np.mean([made.parameters.expression[i] for i, name in enumerate(names) if name.startswith(stem)]))
        for stem in ("mouthLowerDown", "mouthUpperUp")
    ]
    lips = away[[place[number] for number in INNER_LIPS if number in place]].mean()
    turned = np.nan if made.fit is None else np.degrees(made.fit.normal_error)
    opening = 100 * (gaps[0] - gaps[1]) / made.face.eye_distance
    return [
        float(made.parameters.jaw[0]),
        *bared,
        100 * made.landmark_error,
        float(lips),
        float(opening),
        float(turned),
    ]


@app.command()
def main(
    folder: Annotated[Path, typer.Argument(help="Portraits.")],
    head: Annotated[str, typer.Option(help="An installed head.")] = "open_head",
    every: Annotated[int, typer.Option(min=1, help="Only every Nth.")] = 1,
) -> None:
    """Print both rows."""
    reconstructor = Reconstructor(Models.load(head))
    known = reconstructor.models.head
    options, rows = ReconstructOptions(look="none", hair="none"), []
    for path in sorted(folder.glob("*.jpg"))[::every]:
        photo, chosen, _, _ = reconstructor.faces_of(path, options)
        shown = reconstructor.examine(photo, chosen[0][1], options)
        if shown.seen.teeth_shut < SHUT:
            continue
        both = []
        for shut in (0.0, shown.seen.teeth_shut):
            told = replace(shown, seen=replace(shown.seen, teeth_shut=shut))
            made = reconstructor.explained(told, reconstructor.fit(told))
            points = made.camera.project(mediapipe_points(known, made.vertices))
            both.append(row(made, known.expression_names, known.mediapipe_index.tolist(), points))
        rows.append(both)
    print(f"{len(rows)} portraits with shut teeth\n| | {' | '.join(COLUMNS)} |\n|{' --- |' * (1 + len(COLUMNS))}")
    for name, values in zip(("landmarks and normals", "and teeth"), np.median(rows, axis=0), strict=True):
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |")


if __name__ == "__main__":
    app()
