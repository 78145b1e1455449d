"""What an earlier normals network made of the same pictures: a retraining's effect on the heads that come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference_core.evaluation.methods import Method
from inference_core.evaluation.run import Row, evaluate
from inference_core.evaluation.samples import Sample
from inference_core.head import Head

if TYPE_CHECKING:
    from inference_core.perception.normals import NormalEstimator

SHOWN = ("N2FNet", "N2FNet, fit")


def earlier_rows(
    head: Head,
    methods: dict[str, Method],
    estimator: NormalEstimator,
    samples: Sequence[Sample],
    seed: int,
    scan: Path | None,
) -> list[Row]:
    """Painted photographs, and the scan's pictures where its folder is named, seen by the earlier `estimator`.

    Everything else is as in `run_all` and `perry_smith_rows`. Distances in mm, as in `Row`.
    """
    # Heavy, and needless for the other inputs: Face Mesh and the painter load only here.
    from inference_core.evaluation.perry_smith import read_perry_smith
    from inference_core.evaluation.photographs import through_perception
    from inference_core.evaluation.scan_sets import measure_set, perry_smith_true, plainly, through_product
    from inference_core.perception.face_mesh import FaceMesher
    from inference_core.perception.faces import FaceFinder

    finder = FaceFinder()
    shown = {name: methods[name] for name in SHOWN}
    seen = through_perception(head, samples, finder, estimator, seed)
    pairs = [(sample, what) for sample, what in seen if what is not None and what.face.any()]
    rows = evaluate(head, "RGB", pairs, shown)
    if scan is not None:
        mesher = FaceMesher()
        model = read_perry_smith(head, scan, mesher)
        found = through_product(head, perry_smith_true(head, model), finder, estimator, plainly(model.paint))
        rows += measure_set(head, "Perry-Smith, RGB", [pair for pair, _ in found], shown)
    return rows


def before_and_now(earlier: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """The earlier network's rows, each followed by the present one's of the same input and method."""
    now = {(row.inputs, row.method): row for row in rows}
    pairs = [(row, now[row.inputs, row.method]) for row in earlier if (row.inputs, row.method) in now]
    return [
        replace(row, inputs=f"{row.inputs}, {when}")
        for pair in pairs
        for row, when in zip(pair, ("before", "now"), strict=True)
    ]
