"""The commands' names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inference_core import __version__
from inference_core.cli.console import JOB_ID, Telling, explained, folder_of, show_log
from inference_core.formats.options import (
    DEFAULT_DETAIL,
    DEFAULT_HAIR,
    DEFAULT_HEAD,
    DEFAULT_LOOK,
    NO_MAPS,
    ReconstructOptions,
    Strengths,
    TrackOptions,
)
from inference_core.formats.requests import Reconstruct, Track
from inference_core.threads import limit_library_threads

app = typer.Typer(
    name="n2f",
    help="Photos and videos to posable heads: face, normals, N2FNet, fit. Runs on this computer only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="The heads and networks: bundled, and heads that you add.", no_args_is_help=True)
app.add_typer(models_app, name="models")


_LOOK = typer.Option(metavar="none|photo|albedo", help="The skin: none, as photographed, or its light taken out.")
_WORKERS = typer.Option(
    min=1, max=256, metavar="N", help="So many processes at a time; inputs may be folders, patterns and @lists."
)
_NORMALS = typer.Option(metavar="FILE", help="A normals network of your own: n2f train extractor --adapt CLIP.")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"n2f {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Photos and videos to posable heads: face, normals, N2FNet, fit. Runs on this computer only."""


@app.command()
def reconstruct(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Photos: JPEG, PNG, TIFF, WebP, BMP.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Where the results go.")],
    head: Annotated[str, typer.Option(help="The head: one that n2f models list shows.")] = DEFAULT_HEAD,
    face: Annotated[int | None, typer.Option(metavar="N", help="Which face: 0 is the largest, the default.")] = None,
    all_faces: Annotated[bool, typer.Option("--all-faces", help="Every face, each in a folder of its own.")] = False,
    one_person: Annotated[
        bool, typer.Option("--one-person", help="The photos show one person: one head, one take with all of them.")
    ] = False,
    focal_length: Annotated[
        float | None, typer.Option(metavar="PX", help="Focal length in pixels. Default: EXIF, else estimated.")
    ] = None,
    no_fit: Annotated[bool, typer.Option("--no-fit", help="N2FNet's answer as it is, without refinement.")] = False,
    look: Annotated[str, _LOOK] = DEFAULT_LOOK,
    hair: Annotated[
        str, typer.Option(metavar="auto|none|STYLE", help="The hair: as the photo shows it, none, or a style by name.")
    ] = DEFAULT_HAIR,
    detail: Annotated[
        str,
        typer.Option(metavar="none|static|moving", help="Relief finer than the mesh: none, as seen, or moving."),
    ] = DEFAULT_DETAIL,
    maps: Annotated[
        int, typer.Option(metavar="256|512|1024", help="Also dense maps in the head's UV, so many pixels a side.")
    ] = NO_MAPS,
    normals: Annotated[Path | None, _NORMALS] = None,
    workers: Annotated[int | None, _WORKERS] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The server's messages on stdout, one a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show where a defect of the program lies.")] = False,
) -> None:
    """Turn photos into takes: take.npz head.obj neutral.obj overlay.png normals.png mask.png report.json, and the
    skin as albedo.png roughness.png pores.png look.json, the hair as hair.npz hair.json, with --detail relief
    as detail_displacement.png detail_normal.png detail.json, with --maps dense maps and maps.json.

    One photo with one face is written to DIR itself, otherwise to DIR/<photo> or DIR/<photo>_face<N>. With --one-person
    DIR itself holds one take, whose frames are the photos, and overlay_<photo>.png of each.

    With --workers every photo has its own folder DIR/<photo>, what is done and whole is left alone, and
    DIR/n2f-batch.json tells of all.

    Exit status: 0 done, 1 some photos failed, 2 bad usage or input, 3 no face, 4 a model is missing, 130 interrupted.
    """
    from inference_core.cli.reconstruct import run
    from inference_core.errors import BadInput

    show_log(verbose)
    with explained():
        if all_faces and face is not None:
            raise BadInput("--face and --all-faces exclude each other.", "Give one of them.")
        choice = "all" if all_faces else "largest" if face is None else face
        options = ReconstructOptions(
            head=head,
            face=choice,  # type: ignore[arg-type]
            focal_length_px=focal_length,
            fit=not no_fit,
            look=look,  # type: ignore[arg-type]  # checked there
            hair=hair,
            detail=detail,  # type: ignore[arg-type]  # checked there
            maps=maps,
            one_person="yes" if one_person else "no",
        )
        if workers is not None:
            raise typer.Exit(_batch(images, out, options, workers, quiet, as_json or normals is not None))
        request = Reconstruct(JOB_ID, tuple(images), str(folder_of(out)), options)
        status = run(request, normals, Telling(quiet, as_json))
    raise typer.Exit(status)


def _batch(
    inputs: list[str],
    out: str,
    options: ReconstructOptions | TrackOptions,
    workers: int,
    quiet: bool,
    single: bool,
) -> int:
    """Many inputs on several processes. `single`: something was asked for that only one process can do."""
    from inference_core.cli.batch import Request, run
    from inference_core.errors import BadInput

    if single:
        raise BadInput("--workers goes without --json and --normals.", "Set $N2F_NORMALS for a network of your own.")
    return run(Request(tuple(inputs), folder_of(out), options, workers, quiet))


@app.command()
def track(
    clips: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO...",
            help="A video, a folder of pictures, or a pattern: frame_%04d.png. With --workers several videos.",
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Where the results go.")],
    head: Annotated[str, typer.Option(help="The head: one that n2f models list shows.")] = DEFAULT_HEAD,
    start: Annotated[int | None, typer.Option(metavar="N", help="The first frame, counted from 0.")] = None,
    end: Annotated[int | None, typer.Option(metavar="N", help="The first frame that is left out again.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run in DIR.")] = False,
    people: Annotated[str, typer.Option(metavar="largest|all|N", help="Whom to follow.")] = "largest",
    identity: Annotated[
        list[str] | None,
        typer.Option(metavar="TAKE|PHOTO", help="Whose shape to use instead of estimating it; may be repeated."),
    ] = None,
    focal_length: Annotated[
        float | None, typer.Option(metavar="PX", help="Focal length in pixels. Default: estimated.")
    ] = None,
    fps: Annotated[float | None, typer.Option(metavar="X", help="Rate of a sequence of pictures. Default: 24.")] = None,
    smoothing: Annotated[float, typer.Option(metavar="X", help="0 leaves the curves raw, 1 is the usual.")] = 1.0,
    look: Annotated[str, _LOOK] = DEFAULT_LOOK,
    normals: Annotated[Path | None, _NORMALS] = None,
    workers: Annotated[int | None, _WORKERS] = None,
    no_overlay: Annotated[bool, typer.Option("--no-overlay", help="Leave out overlay.mp4.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The server's messages on stdout, one a line.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show where a defect of the program lies.")] = False,
) -> None:
    """Turn a clip into a performance: take.npz raw.npz overlay.mp4 report.json, and from its best frames the person's
    skin as albedo.png roughness.png pores.png look.json.

    One person's results are written to DIR itself, those of several to DIR/person_<N>. An interrupted run keeps what is
    done in DIR/.n2f-track. With --workers every clip has its own folder DIR/<clip>, and the same command goes on.

    Exit status: 0 done, 1 a defect, 2 bad usage or input, 3 no face, 4 a model is missing, 130 interrupted.
    """
    from inference_core.cli.track import run
    from inference_core.errors import BadInput

    show_log(verbose)
    with explained():
        options = TrackOptions(
            head=head,
            people=int(people) if people.isdecimal() else people,  # type: ignore[arg-type]  # checked there
            start=start,
            end=end,
            resume=resume,
            fps=fps,
            focal_length_px=focal_length,
            identity=tuple(identity or ()),
            smoothing=Strengths.all(smoothing),
            overlay=not no_overlay,
            look=look,  # type: ignore[arg-type]  # checked there
        )
        if workers is not None:
            raise typer.Exit(_batch(clips, out, options, workers, quiet, as_json or normals is not None))
        if len(clips) > 1:
            raise BadInput("Several clips are a batch.", "Say how many processes may work: --workers 1, or more.")
        status = run(Track(JOB_ID, clips[0], str(folder_of(out)), options), normals, Telling(quiet, as_json))
    raise typer.Exit(status)


@app.command()
def export(
    take: Annotated[Path, typer.Argument(metavar="TAKE", help="A take.npz.")],
    kind: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="csv, json, bvh or glb.")] = "glb",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Default: beside the take, by its name.")
    ] = None,
    quantised: Annotated[bool, typer.Option("--quantised", help="glb: half the size, 0.01 mm off.")] = False,
    hair: Annotated[
        str, typer.Option("--hair", help="glb: cards, cut out; blended, soft but in one order; none.")
    ] = "cards",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
) -> None:
    """Write a take as curves (csv, json), as joints (bvh), or as the whole moving head (glb), without Blender.

    csv, json and glb say the face with ARKit's 52 shapes, 0 to 1; bvh holds the turns of head, jaw and eyes.
    """
    from inference_core.cli.export import run

    with explained():
        run(take, kind, out, quantised, hair, quiet)


@app.command()
def serve() -> None:
    """Serve a client over stdin and stdout until stdin closes (inference_core/formats/requests.py)."""
    from inference_core.server.__main__ import main as serve_main

    raise typer.Exit(serve_main())


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Check that everything is installed and works; says what to do about what does not."""
    from inference_core.cli.doctor import run

    with explained():
        status = run(as_json=as_json)
    raise typer.Exit(status)


@app.command()
def bench(
    image: Annotated[Path | None, typer.Argument(metavar="[IMAGE]", help="Default: scikit-image's portrait.")] = None,
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, max=10000, help="How often.")] = 20,
    part: Annotated[
        list[str] | None, typer.Option(help="Only this: photo, stream, fresh or backbone. May be repeated.")
    ] = None,
    head: Annotated[str, typer.Option(help="The head: one that n2f models list shows.")] = DEFAULT_HEAD,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What a photo and a face in a stream cost on this computer, stage by stage, beside the paper's backbone."""
    from inference_core.cli.bench import run

    with explained():
        run(image, runs, part or (), as_json=as_json, head=head)


@models_app.command("list")
def models_list(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Name, licence, size and sha256 of the heads and networks that are there."""
    from inference_core.cli.models import run_list

    with explained():
        run_list(as_json=as_json)


@models_app.command("add")
def models_add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FLAME's file (.pkl), or a head file (.npz).")],
    name: Annotated[str | None, typer.Option(help="Call the head so instead of by its own name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Progress and result as JSON, one object a line.")] = False,
) -> None:
    """Install a head. FLAME's files are read safely (no code in them runs) and converted once."""
    from inference_core.cli.models import run_add

    with explained():
        status = run_add(file, name, as_json=as_json)
    raise typer.Exit(status)


@models_app.command("remove")
def models_remove(name: Annotated[str, typer.Argument(metavar="NAME", help="As n2f models list shows it.")]) -> None:
    """Take an installed head away."""
    from inference_core.cli.models import run_remove

    with explained():
        run_remove(name)


@models_app.command("verify")
def models_verify(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Default: everything.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Compare every file with its sha256 and read it wholly. Exit status 4 where one is damaged."""
    from inference_core.cli.models import run_verify

    with explained():
        status = run_verify(name, as_json=as_json)
    raise typer.Exit(status)


# Their own --help, options and errors belong to the rooms they hand over to.
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASS_ON)
def train(context: typer.Context) -> None:
    """Train a network, or adapt one to a clip: n2f train extractor|n2fnet [--help ...]. Needs torch."""
    from inference_core.cli.development import train as run

    with explained():
        run(context.args)


@app.command(context_settings=_PASS_ON)
def evaluate(context: typer.Context) -> None:
    """Measure the product on renders with known heads: n2f evaluate [--help ...]."""
    from inference_core.cli.development import evaluate as run

    with explained():
        run(context.args)


def main() -> None:
    """Entry point of `n2f`."""
    limit_library_threads()
    app()
