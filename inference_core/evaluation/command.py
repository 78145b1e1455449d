"""`n2f evaluate`: the table of errors, on renders with known truth, on other models' people, scans and real photos."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from inference_core.errors import BadInput, CoreError, ModelMissing
from inference_core.evaluation.asked import Measured, asked_lines
from inference_core.evaluation.earlier import before_and_now, earlier_rows
from inference_core.evaluation.methods import Method, Seen, fitted, mean_head, perfect, regressed
from inference_core.evaluation.needs import Folders, found_beside, require
from inference_core.evaluation.pictures import Example, error_sheet, example_of_sample, write_sheet
from inference_core.evaluation.real_people import RealPeople, sentences
from inference_core.evaluation.report import command_line, markdown, table
from inference_core.evaluation.run import Row, evaluate
from inference_core.evaluation.samples import Sample, open_head_samples
from inference_core.evaluation.spoiled import spoil
from inference_core.fit import FitSettings
from inference_core.formats.options import DEFAULT_HEAD
from inference_core.head import Head, load_head
from inference_core.inventory import network_beside
from inference_core.library.shelf import head_path
from inference_core.n2fnet import HeadRegressor, Regressor
from inference_core.n2fnet.weights import regressor_for

if TYPE_CHECKING:
    from inference_core.perception.normals import NormalEstimator

app = typer.Typer(add_completion=False)

FLOOR_NOTE = (
    "*floor*: no method, but the least error that any parameters of the Open Head reach, laid onto the true surface "
    "itself (without scale). The fit is the same everywhere: how much normals and landmarks count follows from the "
    "errors that the observation names, none for a render's, the network's own estimate for a photograph's."
)


def methods_of(head: Head, regressor: HeadRegressor) -> dict[str, Method]:
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


def run_all(
    head: Head, methods: dict[str, Method], count: int, photos: int, seed: int
) -> tuple[list[Row], list[str], list[Example]]:
    """Rows for true, spoiled and (where the normals network is there) estimated normals, notes, faces to show."""
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
        spoiled = list(spoil(samples, seed))
        rows += evaluate(head, "spoiled", spoiled, methods, advancing("spoiled normals", count))
        shown = [
            example_of_sample(head, "Open Head, true", samples[0], perfect(samples[0])),
            example_of_sample(head, "Open Head, spoiled", *spoiled[min(1, count - 1)]),
        ]
        if photos > 0:
            from inference_core.evaluation.photographs import with_true_landmarks

            seen, missed = _photographs(head, samples[:photos], seed)
            rows += evaluate(head, "RGB", seen, methods, advancing("photographs", len(seen)))
            better = list(with_true_landmarks(head, seen, seed))
            rows += evaluate(head, "RGB, true landmarks", better, methods, advancing("true landmarks", len(better)))
            if missed:
                notes.append(f"No face was found in {missed} of the {min(photos, count)} photographs.")
    return rows, notes, shown


def ablated(head: Head, regressor: HeadRegressor, count: int, seed: int) -> list[Row]:
    """The table of what each part of the fit buys, on true and on spoiled normals."""
    from inference_core.evaluation.ablation import ablation_methods

    methods = ablation_methods(head, regressor)
    samples = list(open_head_samples(head, count, seed))
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("ablation", total=2 * count)
        true = ((sample, perfect(sample)) for sample in samples)
        rows = evaluate(head, "true", true, methods, lambda: progress.advance(task))
        return rows + evaluate(head, "spoiled", spoil(samples, seed), methods, lambda: progress.advance(task))


def against_adam(head: Head, regressor: HeadRegressor, count: int, seed: int) -> str:
    """One sentence of figures."""
    from inference_core.evaluation.adam import compare_with_adam, sentence

    pairs = [(sample, perfect(sample)) for sample in open_head_samples(head, count, seed)]
    return sentence(compare_with_adam(head, regressed(regressor), pairs))


def _photographs(head: Head, samples: Sequence[Sample], seed: int) -> tuple[list[tuple[Sample, Seen]], int]:
    # Heavy, and needless for the other inputs: Face Mesh and the painter load only here.
    from inference_core.evaluation.photographs import through_perception
    from inference_core.perception.faces import FaceFinder
    from inference_core.perception.normals import NormalEstimator

    finder = FaceFinder()
    pairs = list(through_perception(head, samples, finder, NormalEstimator(), seed))
    seen = [(sample, what) for sample, what in pairs if what is not None and what.face.any()]
    return seen, len(pairs) - len(seen)


def _earlier_network(path: Path) -> NormalEstimator:
    """Loaded before anything is measured, so that a wrong name costs no time.

    Raises:
        ModelMissing: where it is absent, damaged or not this interface.
    """
    from inference_core.perception.normals import NormalEstimator

    return NormalEstimator(path)


def _regressor(head: Head, path: Path, weights: Path | None) -> HeadRegressor:
    """The head's network, or the one whose weights are named.

    Raises:
        ModelMissing: where there is none for this head.
    """
    if weights is not None:
        regressor = Regressor(weights)
        regressor.check(head)
        return regressor
    found = regressor_for(head, network_beside(path))
    if found is None:
        raise ModelMissing(f"No network serves the head '{head.head_id}'.", "Install the package again.")
    return found


def other_faces(
    head: Head, methods: dict[str, Method], folders: Folders, count: int, photos: int, seed: int, cycles: bool
) -> tuple[list[Row], list[str], list[Example]]:
    """Rows, notes and faces to show for the people of other models and the scan, as far as their folders are named."""
    # Heavy, and needless for the other inputs: MediaPipe loads only here.
    from inference_core.evaluation.other_meshes import MEANS_NOTE, Found, flame_rows, ict_rows, perry_smith_rows
    from inference_core.evaluation.others import Perception, read_others

    found: list[Found] = []
    perception = Perception()
    others = read_others(head, folders, perception)
    if others.flame is not None:
        found.append(flame_rows(head, methods, others, perception, count, min(photos, count), seed))
    if others.ict is not None:
        found.append(ict_rows(head, methods, others, perception, count, seed, cycles))
    if others.scan is not None:
        found.append(perry_smith_rows(head, methods, others, perception))
    return (
        [row for one in found for row in one.rows],
        [note for one in found for note in one.notes] + [MEANS_NOTE],
        [example for one in found for example in one.examples],
    )


def real_faces(
    head: Head, regressor: HeadRegressor, folders: Folders, people: int, seed: int
) -> tuple[RealPeople, list[Row]]:
    """Photos through the whole product, and what a wrong focal length costs on the scan's pictures."""
    from inference_core.evaluation.focal_cost import focal_rows
    from inference_core.evaluation.perry_smith import read_perry_smith
    from inference_core.evaluation.real_people import (
        landmarks_together,
        photographs,
        pictures_in,
        population_spread,
        some_pictures,
    )
    from inference_core.evaluation.scan_sets import perry_smith_true, plainly
    from inference_core.perception.face_mesh import FaceMesher
    from inference_core.perception.faces import FaceFinder
    from inference_core.perception.normals import NormalEstimator
    from inference_core.reconstruct.models import Models
    from inference_core.reconstruct.pipeline import Reconstructor

    finder = FaceFinder()
    reconstructor = Reconstructor(Models(head, finder, NormalEstimator(), regressor))
    portraits = one = together = None
    rows: list[Row] = []
    with Progress(console=Console(stderr=True)) as progress:
        if folders.portraits is not None:
            paths = some_pictures(folders.portraits, people, seed)
            task = progress.add_task("portraits", total=len(paths))
            portraits = photographs(reconstructor, paths, lambda: progress.advance(task))
        if folders.one_person is not None:
            one = photographs(reconstructor, pictures_in(folders.one_person))
            together = landmarks_together(reconstructor, pictures_in(folders.one_person))
        if folders.scan is not None:
            mesher = FaceMesher()
            scan = read_perry_smith(head, folders.scan, mesher)
            views = [view for view, _ in perry_smith_true(head, scan)]
            rows = focal_rows(reconstructor, "Perry-Smith", views, plainly(scan.paint))
    return RealPeople(population_spread(head, seed), portraits, one, together), rows


@app.command()
def main(
    count: Annotated[int, typer.Option(help="Random heads with true and with spoiled normals.")] = 64,
    photos: Annotated[int, typer.Option(help="How many of them are painted as photographs; 0: none.")] = 32,
    people: Annotated[int, typer.Option(help="How many portraits go through the product.")] = 24,
    seed: Annotated[int, typer.Option(help="Another seed, other heads.")] = 1,
    weights: Annotated[
        Path | None, typer.Option(help="The N2FNet to measure. Default: what the product runs for the head.")
    ] = None,
    head: Annotated[str, typer.Option(metavar="NAME|FILE", help="An installed head, or a head file.")] = DEFAULT_HEAD,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder that holds all the folders below under their usual names.")
    ] = None,
    ict: Annotated[Path | None, typer.Option(help="Folder of ict_facekit.npz: also measure on its identities.")] = None,
    flame: Annotated[
        Path | None, typer.Option(help="Folder of FLAME 2023 Open's flame_basis.npz: also measure on its people.")
    ] = None,
    makehuman: Annotated[Path | None, typer.Option(help="MakeHuman's CC0 assets: FLAME's people wear them.")] = None,
    scan: Annotated[Path | None, typer.Option(help="Folder of LeePerrySmith.glb: also measure on it.")] = None,
    portraits: Annotated[Path | None, typer.Option(help="Portraits of many people, one photo each.")] = None,
    one_person: Annotated[Path | None, typer.Option(help="Photos of one person.")] = None,
    ablation: Annotated[int, typer.Option(help="Faces for the table of what each part of the fit buys.")] = 0,
    before: Annotated[
        Path | None, typer.Option(help="An earlier normals network, to compare the heads that come out.")
    ] = None,
    adam: Annotated[int, typer.Option(help="Faces on which Adam minimises the same energy.")] = 0,
    renderer: Annotated[
        str, typer.Option(help="raster, or cycles: ICT faces also by Blender's path tracer (slow).")
    ] = "raster",
    picture: Annotated[
        Path | None, typer.Option(help="Also draw error maps of some faces, PNG. Default: beside the report.")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Also write a Markdown report, e.g. docs/benchmarks.md.")] = None,
) -> None:
    """Measure N2FNet and the fit on unseen renders with known truth, on other models' people, scans and photos."""
    try:
        if renderer not in ("raster", "cycles"):
            raise BadInput(f"There is no renderer '{renderer}'.", "Name raster or cycles.")
        named = Folders(ict, flame, makehuman, scan, portraits, one_person)
        folders = named if data is None else found_beside(data, named)
        folders.check()
        require(scan=folders.scan is not None, torch=adam > 0, blender=renderer == "cycles")
        earlier = None if before is None else _earlier_network(before)
        path = head_path(head)
        loaded = load_head(path)
        regressor = _regressor(loaded, path, weights)
        methods = methods_of(loaded, regressor)
        rows, notes, shown = run_all(loaded, methods, count, photos, seed)
        if folders.any_mesh:
            more = other_faces(loaded, methods, folders, max(4, count), photos, seed, renderer == "cycles")
            rows, notes, shown = rows + more[0], notes + more[1], shown + more[2]
        measured = Measured(rows)
        if folders.any_photo or folders.scan is not None:
            found, focal = real_faces(loaded, regressor, folders, people, seed)
            rows, notes = rows + focal, notes + sentences(found)
            measured = Measured(rows, found)
        notes.append(FLOOR_NOTE)
        parts = ablated(loaded, regressor, ablation, seed) if ablation else []
        effect: list[Row] = []
        if earlier is not None:
            painted = list(open_head_samples(loaded, count, seed))[:photos]
            effect = before_and_now(earlier_rows(loaded, methods, earlier, painted, seed, folders.scan), rows)
        if adam:
            notes.append(against_adam(loaded, regressor, adam, seed))
    except CoreError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_status) from None
    if as_json:
        print(json.dumps({"seed": seed, "rows": [row.as_dict() for row in [*rows, *parts, *effect]]}, indent=1))
    else:
        Console(width=200).print(table([*rows, *parts, *effect], f"seed {seed}"))
        for note in (*asked_lines(measured), *notes):
            print(note)
    if write is not None:
        write.write_text(markdown(measured, notes, parts, effect, command_line(sys.argv[1:])), encoding="utf-8")
        picture = picture or write.with_name("error_maps.png")
    if picture is not None:
        chosen = {name: methods[name] for name in ("mean head", "N2FNet", "N2FNet, fit")}
        write_sheet(picture, error_sheet(shown, chosen))
