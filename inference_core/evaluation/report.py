"""The results as a table on the terminal, as JSON and as docs/benchmarks.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from inference_core.evaluation.asked import Measured, asked_lines
from inference_core.evaluation.measures import REGIONS
from inference_core.evaluation.run import Row

COLUMNS = ("input", "method", "n", "face scaled", "by vertex", "p90", "MNE", "CR", "NME %", "ms")

PAPER = (
    "| method (on Multiface) | CD mm | MNE | CR | FPS |\n"
    "| --- | --- | --- | --- | --- |\n"
    "| DECA | 1.36 | 0.266 | 0.77 | 48.38 |\n"
    "| EMOCA | 1.48 | 0.289 | 0.73 | 36.38 |\n"
    "| SMIRK | 1.34 | 0.264 | 0.77 | 100.36 |\n"
    "| Pixel3DMM (iterative fit) | 1.13 | 0.227 | 0.84 | 0.27 |\n"
    "| N2FNet (the paper's) | 1.18 | 0.235 | 0.82 | 6.42 |\n"
)

MEASURES = (
    "- **CD**: the result is aligned rigidly (no scale) to the true face, first by vertex, then by the distance to the "
    "surface, as in the NoW benchmark's metrical protocol; then the mean distance from the true vertices of a region "
    "to the result's surface, mm. *Face scaled*: the face after NoW's standard alignment, which is rotation, "
    "translation and scaling. *By vertex*: the mean distance between corresponding vertices of the face, which also "
    "punishes sliding. *p90*: the CD that nine of ten faces stay under.\n"
    "- **MNE**: mean angle between a true vertex normal and the normal at the closest point, rad.\n"
    "- **CR**: share of the true face's vertices within 2 mm of the result.\n"
    "- **NME**: 68 projected landmarks against the true ones, over the distance of the outer eye corners, per cent.\n"
    "- **ms**: median time of the named steps alone on the machine that ran this; perception not included.\n"
)

EFFECT = (
    "The same pictures through the whole chain with an earlier normals network (*before*) and the shipped one (*now*); "
    "everything else is the same. NME is the error of the 68 landmarks. Real pictures, whose truth nobody knows: "
    "[normals.md](normals.md)."
)

DIFFERENCES = (
    "The two tables do not compare: the paper measures on Multiface, scans of real people, with FLAME; ours are "
    "renders of random Open Heads, whose truth lies within the model, from seeds no training uses; people of FLAME "
    "2023 Open, a model that nothing learned from; people of ICT-FaceKit, which teaches; and one scan of a real head. "
    "Errors of a model measured on its own family of heads are smaller than on scans. The original NoW protocol aligns "
    "the scale too: that is *face scaled*. What the tables share is the measures and the order of the methods within "
    "each.\n\n"
    "The normals network itself, on renders and on real pictures: [normals.md](normals.md).\n"
)


def table(rows: Sequence[Row], title: str) -> Table:
    """For the terminal."""
    made = Table(title=title)
    for name in (*COLUMNS[:3], *(f"CD {region}" for region in REGIONS), *COLUMNS[3:]):
        made.add_column(name, justify="left" if name in COLUMNS[:2] else "right")
    for row in rows:
        made.add_row(*_cells(row))
    return made


def _number(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _cells(row: Row) -> list[str]:
    return [
        row.inputs,
        row.method,
        str(row.count),
        *(_number(row.distance[region], 2) for region in REGIONS),
        _number(row.scaled_distance, 2),
        _number(row.vertex_distance["face"], 2),
        _number(row.face_p90, 2),
        _number(row.normal, 3),
        _number(row.complete, 2),
        _number(row.landmarks, 2),
        _number(row.milliseconds, 1),
    ]


def command_line(arguments: Sequence[str]) -> str:
    """The command that was run, without the places that files have on this machine."""
    words = [word for word in arguments if word != "evaluate"]
    return " ".join(["n2f evaluate", *(Path(word).name if Path(word).is_absolute() else word for word in words)])


def markdown(
    measured: Measured,
    notes: Sequence[str],
    ablation: Sequence[Row] = (),
    effect: Sequence[Row] = (),
    command: str = "n2f evaluate",
) -> str:
    """docs/benchmarks.md. effect: what a retraining of the normals network did, before and now."""
    parts = f"## What each part of the fit buys\n\n{_lines(ablation)}\n\n" if ablation else ""
    if effect:
        parts += f"## Before and after the normals network was retrained\n\n{EFFECT}\n\n{_lines(effect)}\n\n"
    return (
        "# Benchmarks\n\n"
        f"Written by `{command}`, error maps too; folders are named without their places. Distances in mm.\n\n"
        + "\n".join(asked_lines(measured))
        + "\n\n![Where each result is off](error_maps.png)\n\n"
        + "*Distance of the true face from each result after rigid alignment, as the paper's figure 5 shows it: given "
        "normals, truth, and the errors of the mean head, of N2FNet and of the fit.*\n\n"
        + _lines(measured.rows)
        + "\n\n"
        + "".join(f"{note}\n\n" for note in notes)
        + parts
        + "## Measures\n"
        + MEASURES
        + "\n## The paper's table\n"
        + PAPER
        + "\n"
        + DIFFERENCES
    )


def _lines(rows: Sequence[Row]) -> str:
    head = [*COLUMNS[:3], *(f"CD {region}" for region in REGIONS), *COLUMNS[3:]]
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    return "\n".join(lines)
