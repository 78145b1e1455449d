"""python -m inference_core.evaluation.normals.report [--before OLD.onnx]: measures normals, writes docs/normals.md.

With --before the same tables are made for an earlier network too, and what the change does to the heads that come out.
--adapted FOLDER adds what `n2f train extractor --adapt` wrote there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference_core.errors import CoreError
from inference_core.evaluation.normals import report_text as text
from inference_core.evaluation.normals.downstream import painted_rows, real_errors, scan_rows
from inference_core.evaluation.normals.real_measures import real_rows
from inference_core.evaluation.normals.truths import (
    ANSWERS,
    CACHE,
    LIGHTS,
    LIGHTS_YAW,
    Truth,
    errors_of,
    light_difference,
    of_paintings,
    of_renders,
    reliability,
)
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.training.extractor.cycles import cycles_renders, same_face
from inference_core.training.extractor.measure import measure_synthetic, unseen_samples
from inference_core.training.extractor.realphotos import DATA, RealFace, real_faces
from inference_core.training.extractor.sample import Sample, read_samples
from inference_core.training.extractor.scan import read_scan, renders

REPORT = Path("docs/normals.md")


@dataclass(frozen=True)
class Wanted:
    """What is measured on: how many Cycles renders, rasterised renders and painted faces."""

    data: Path
    cycles: int
    rasterised: int
    painted: int
    unseen: int
    downstream: int


@dataclass(frozen=True)
class Network:
    """A network under its name in the tables."""

    name: str
    estimator: NormalEstimator


def known_sets(wanted: Wanted) -> dict[str, list[Truth]]:
    """The faces whose normals are known, by the name of their set."""
    scan = wanted.data / "lee_perry_smith"
    sets: dict[str, list[Truth]] = {}
    if scan.is_dir() and wanted.cycles:
        sets["Perry-Smith, Cycles"] = list(of_renders(cycles_renders(scan, wanted.cycles, CACHE)))
    if scan.is_dir() and wanted.rasterised:
        sets["Perry-Smith, rasterised"] = list(of_renders(renders(read_scan(scan), wanted.rasterised)))
    if wanted.painted:
        sets["painted faces"] = list(of_paintings(wanted.painted))
    return sets


def truth_tables(models: Models, networks: Sequence[Network], sets: dict[str, list[Truth]]) -> str:
    """Mean errors of every answer, and whether sigma is to be believed."""
    lines = [["", "faces", "network", *ANSWERS]]
    trust = [["", "network", *(f"{low} to {high}" for low, high in text.SIGMA_BINS)]]
    for name, truths in sets.items():
        found = errors_of(truths, models, [one.estimator for one in networks])
        for network, errors in zip(networks, found, strict=True):
            lines.append([name, str(len(truths)), network.name, *(f"{errors[answer]:.1f}" for answer in ANSWERS)])
            bins = reliability(truths, network.estimator, text.SIGMA_BINS)
            trust.append([name, network.name, *("" if np.isnan(value) else f"{value:.1f}" for value in bins)])
    return text.TRUTH + text.table(lines) + text.SIGMA + text.table(trust)


def light_table(networks: Sequence[Network], scan: Path) -> str:
    """Whether light is baked in: one face, one view, several lights."""
    shown = same_face(scan, LIGHTS, LIGHTS_YAW, CACHE)
    lines = [["network", "between two lights, deg"]]
    lines += [[one.name, f"{light_difference(one.estimator, shown):.1f}"] for one in networks]
    return text.LIGHTS.format(count=len(shown)) + text.table(lines)


def synthetic_table(networks: Sequence[Network], painted: int, traced: Sequence[Sample]) -> str:
    """Unseen faces, painted and by Cycles: error on the true face, overlap of each class."""
    lines = [["", "faces", "network", "mean degrees", "median", "IoU face", "eyes", "hair", "occluder"]]
    sets = {"painted": list(unseen_samples(painted))}
    if traced:
        sets["by Cycles"] = list(traced)
    for name, samples in sets.items():
        for network in networks:
            found = measure_synthetic(network.estimator, samples)
            values = [f"{found[f'synthetic_{key}_degrees']:.1f}" for key in ("mean", "median")]
            values += [f"{found[f'synthetic_{key}_iou']:.3f}" for key in text.CLASSES]
            lines.append([name, str(len(samples)), network.name, *values])
    return text.SYNTHETIC + text.table(lines)


def real_table(models: Models, networks: Sequence[Network], faces: Sequence[RealFace]) -> str:
    """Real photos and clips."""
    lines = [["", "pictures", "network", *text.REAL_COLUMNS]]
    for network in networks:
        for row in real_rows(models, network.estimator, faces):
            values = [row.fit, row.prior, row.network_prior, *row.changes.values()]
            lines.append([row.name, str(row.count), network.name, *(f"{value:.1f}" for value in values)])
    return text.REAL + text.table(lines)


def downstream_table(models: Models, networks: Sequence[Network], faces: Sequence[RealFace], wanted: Wanted) -> str:
    """The heads that come out, with each network."""
    estimators = [one.estimator for one in networks]
    lines = [["input", "network", "method", "n", "CD face", "eyes", "nose", "mouth", "MNE", "NME %"]]
    sets = [painted_rows(models, estimators, wanted.downstream)]
    scan = wanted.data / "lee_perry_smith"
    if scan.is_dir():
        sets.append(scan_rows(models, estimators, scan))
    names = [*(network.name for network in networks), f"{networks[-1].name}, with prior"]
    for rows_of in sets:
        for name, rows in zip(names, rows_of, strict=True):
            for row in rows:
                values = [f"{row.distance[region]:.2f}" for region in ("face", "eyes", "nose", "mouth")]
                values += [f"{row.normal:.3f}", f"{row.landmarks:.2f}"]
                lines.append([row.inputs, name, row.method, str(row.count), *values])
    real = [["network", "N2FNet alone %", "N2FNet's form, placed %", "with fit %"]]
    for network, errors in zip(networks, real_errors(models, estimators, faces), strict=True):
        real.append([network.name, f"{errors.alone:.2f}", f"{errors.shape:.2f}", f"{errors.fitted:.2f}"])
    return text.DOWNSTREAM + text.table(lines) + text.DOWNSTREAM_REAL.format(count=len(faces)) + text.table(real)


def adapted_table(folders: Sequence[Path]) -> str:
    """What adaptations gained, from their cards."""
    lines = [["", "frames held out", *text.HELD_OUT.values()]]
    for folder in folders:
        card = json.loads((folder / "normals.card.json").read_text(encoding="utf-8"))
        for when in ("before", "after"):
            found = card["measures"][f"held_out_{when}"]
            values = [f"{found[key]:.2f}" for key in text.HELD_OUT]
            lines.append([f"{folder.name}, {when}", f"{found['frames']:.0f}", *values])
    return text.ADAPTED + text.table(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    parser.add_argument("--weights", type=Path, default=BUNDLED_NORMALS)
    parser.add_argument("--before", type=Path, help="an earlier network to compare with")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/, videos/, lee_perry_smith/")
    parser.add_argument("--cycles", type=int, default=16, help="Cycles renders of the scan; kept in runs/")
    parser.add_argument("--rasterised", type=int, default=24)
    parser.add_argument("--painted", type=int, default=48)
    parser.add_argument("--unseen", type=int, default=200, help="unseen painted faces for error and classes")
    parser.add_argument("--traced", type=Path, help="unseen faces that path_traced --samples wrote")
    parser.add_argument("--downstream", type=int, default=16, help="painted photographs through the whole chain")
    parser.add_argument("--adapted", type=Path, nargs="*", default=[], help="folders that --adapt wrote")
    parser.add_argument("--write", type=Path, default=REPORT)
    chosen = parser.parse_args(arguments)
    wanted = Wanted(chosen.data, chosen.cycles, chosen.rasterised, chosen.painted, chosen.unseen, chosen.downstream)
    try:
        networks = [Network("now", NormalEstimator(chosen.weights))]
        if chosen.before is not None:
            networks.insert(0, Network("before", NormalEstimator(chosen.before)))
        models = Models.load(normals=chosen.weights)
        traced = [] if chosen.traced is None else read_samples(chosen.traced)
    except CoreError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    faces = real_faces(chosen.data)
    parts = [text.HEADING, truth_tables(models, networks, known_sets(wanted))]
    if (chosen.data / "lee_perry_smith").is_dir() and wanted.cycles:
        parts.append(light_table(networks, chosen.data / "lee_perry_smith"))
    if wanted.unseen:
        parts.append(synthetic_table(networks, wanted.unseen, traced))
    parts.append(real_table(models, networks, faces))
    parts.append(text.PRIOR)
    if wanted.downstream:
        parts.append(downstream_table(models, networks, faces, wanted))
    if chosen.adapted:
        parts.append(adapted_table(chosen.adapted))
    parts += [text.CLASSES_TEXT, text.PICTURES]
    chosen.write.write_text("\n".join(parts), encoding="utf-8")
    print(chosen.write.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
