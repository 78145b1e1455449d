"""`python -m inference_core.evaluation`: the table of errors, on renders with known truth."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from inference_core.errors import CoreError
from inference_core.evaluation.methods import Method, Seen, fitted, mean_head, perfect, regressed
from inference_core.evaluation.report import markdown, table
from inference_core.evaluation.run import Row, evaluate, summarise
from inference_core.evaluation.samples import Sample, open_head_samples
from inference_core.evaluation.spoiled import spoil
from inference_core.fit import FitSettings
from inference_core.head import BUNDLED_HEAD, Head, load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor

app = typer.Typer(add_completion=False)


def methods_of(head: Head, regressor: Regressor) -> dict[str, Method]:
    """What every input is given to."""
    start, mean = regressed(regressor), mean_head(head)
    settings = FitSettings()
    return {
        "mean head": mean,
        "landmarks, fit": fitted(head, mean, settings, with_normals=False),
        "mean head, fit": fitted(head, mean, settings),
        "N2FNet": start,
        "N2FNet, fit": fitted(head, start, settings),
    }


def run_all(head: Head, methods: dict[str, Method], count: int, photos: int, seed: int) -> tuple[list[Row], list[str]]:
    """Rows for true, spoiled and (where the normals network is there) estimated normals, and notes on them."""
    rows: list[Row] = []
    notes = [
        "*true*: rendered normals, mask and exact landmarks. *spoiled*: the same, corrupted as in training, landmarks "
        "1.6 px off. *RGB*: the sample painted as a photograph; landmarks, normals and mask are the product's own. "
        "The painter is the extractor's training data: blotches, beards and obstacles that mislead Face Mesh by 3 to "
        "10 px, so *RGB, true landmarks* shows the same normals with landmarks 1.6 px off."
    ]
    with Progress(console=Console(stderr=True)) as progress:

        def advancing(title: str, total: int) -> Callable[[], None]:
            task = progress.add_task(title, total=total)
            return lambda: progress.advance(task)

        samples = list(open_head_samples(head, count, seed))
        rows += evaluate(head, "true", ((s, perfect(s)) for s in samples), methods, advancing("true normals", count))
        rows += evaluate(head, "spoiled", spoil(samples, seed), methods, advancing("spoiled normals", count))
        if photos > 0:
            from inference_core.evaluation.photographs import with_true_landmarks

            seen, missed = _photographs(head, samples[:photos], seed)
            rows += evaluate(head, "RGB", seen, methods, advancing("photographs", len(seen)))
            better = list(with_true_landmarks(head, seen, seed))
            rows += evaluate(head, "RGB, true landmarks", better, methods, advancing("true landmarks", len(better)))
            if missed:
                notes.append(f"No face was found in {missed} of the {min(photos, count)} photographs.")
    return rows, notes


def _photographs(head: Head, samples: Sequence[Sample], seed: int) -> tuple[list[tuple[Sample, Seen]], int]:
    # Heavy, and needless for the other inputs: MediaPipe and the painter load only here.
    from inference_core.evaluation.photographs import through_perception
    from inference_core.perception.faces import FaceFinder
    from inference_core.perception.normals import NormalEstimator

    finder = FaceFinder()
    try:
        pairs = list(through_perception(head, samples, finder, NormalEstimator(), seed))
    finally:
        finder.close()
    seen = [(sample, what) for sample, what in pairs if what is not None and what.face.any()]
    return seen, len(pairs) - len(seen)


def _ict(head: Head, methods: dict[str, Method], folder: Path, count: int, seed: int) -> tuple[list[Row], list[str]]:
    from inference_core.evaluation.ict import IctModel, compare_scan, ict_scans

    model = IctModel(folder)
    rows: list[Row] = []
    missed = 0
    for expressive in (False, True):
        scans = [scan for scan in ict_scans(head, folder, count, seed, expressive) if scan is not None]
        missed += count - len(scans)
        for name, method in methods.items():
            errors, seconds = [], []
            for scan in scans:
                before = time.perf_counter()
                guess = method(scan.seen)
                seconds.append(time.perf_counter() - before)
                errors.append(compare_scan(head, guess, model, scan))
            rows.append(summarise("ICT expressive" if expressive else "ICT neutral", name, errors, seconds))
    notes = [
        "*ICT*: random identities of ICT-FaceKit (made from scans, MIT licence), true normals, landmarks by Face Mesh "
        f"on a plain rendering; it found no face in {missed} of {2 * count}."
    ]
    return rows, notes


@app.command()
def main(
    count: Annotated[int, typer.Option(help="Random heads with true and with spoiled normals.")] = 64,
    photos: Annotated[int, typer.Option(help="How many of them are painted as photographs; 0: none.")] = 32,
    seed: Annotated[int, typer.Option(help="Another seed, other heads.")] = 1,
    weights: Annotated[Path, typer.Option(help="The N2FNet to measure.")] = BUNDLED_WEIGHTS,
    head: Annotated[Path, typer.Option(help="Head file.")] = BUNDLED_HEAD,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    ict: Annotated[Path | None, typer.Option(help="Folder of ict_facekit.npz: also measure on its identities.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Also draw error maps of the first heads, PNG.")] = None,
    write: Annotated[Path | None, typer.Option(help="Also write a Markdown report, e.g. docs/benchmarks.md.")] = None,
) -> None:
    """Measure N2FNet and the fit on unseen renders with known truth."""
    try:
        loaded = load_head(head)
        regressor = Regressor(weights)
        regressor.check(loaded)
        methods = methods_of(loaded, regressor)
        rows, notes = run_all(loaded, methods, count, photos, seed)
        if ict is not None:
            more, further = _ict(loaded, methods, ict, max(4, count // 4), seed)
            rows, notes = rows + more, notes + further
    except CoreError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_status) from None
    if as_json:
        print(json.dumps({"seed": seed, "rows": [row.as_dict() for row in rows]}, indent=1))
    else:
        Console(width=200).print(table(rows, f"Open Head renders, seed {seed}"))
        for note in notes:
            print(note)
    if picture is not None:
        from inference_core.evaluation.pictures import error_sheet, write_sheet

        shown = list(spoil(open_head_samples(loaded, 4, seed), seed))
        chosen = {name: method for name, method in methods.items() if name.startswith("N2FNet")}
        write_sheet(picture, error_sheet(loaded, shown, chosen))
    if write is not None:
        write.write_text(markdown(rows, notes), encoding="utf-8")


if __name__ == "__main__":
    app()
