#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos and takes to avatars without a window, by the same code as the panel.

    blender -b -P scripts/batch.py -- INPUT... --out DIR [--formats blend,glb,fbx] [--preview]
    .venv/bin/python scripts/batch.py INPUT... --out DIR

INPUT is a photo, a take.npz, or a folder of these. One input with one face is written into DIR itself, several into a
folder each; an input that fails is reported and the others go on. DIR/batch_report.json holds what happened.

Exit status: 0 done, 1 some inputs failed, 2 bad usage or input, 3 no face, 4 model missing, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

try:
    import bpy
except ImportError:
    sys.exit("This Python has no bpy. Use Blender (blender -b -P) or the environment that has the bpy package.")

from n2f_blender.core_client import (  # noqa: E402
    CoreClient,
    Job,
    ReconstructOptions,
    find_core_python,
    server_command,
)
from n2f_blender.errors import CoreUnavailable, ExtensionError  # noqa: E402
from n2f_blender.scene.avatar import Avatar, AvatarOptions  # noqa: E402
from n2f_blender.scene.export import ExportOptions, export_avatar  # noqa: E402
from n2f_blender.scene.opening import open_take  # noqa: E402
from n2f_blender.scene.placement import Placement  # noqa: E402
from n2f_blender.scene.preview import render_preview  # noqa: E402

FORMATS = ("blend", "glb", "fbx")
PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
EXIT_STATUS = {"NO_FACE": 3, "MODEL_MISSING": 4, "BAD_INPUT": 2, "BAD_TAKE": 2, "BAD_HEAD": 4, "MULTIPLE_FACES": 2}
SOME_FAILED, BAD_USAGE, INTERRUPTED = 1, 2, 130
REPORT_NAME = "batch_report.json"


@dataclass
class Outcome:
    """What became of one face of one input."""

    input: str
    status: str = "done"
    take: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    code: str | None = None
    sentence: str | None = None
    remedy: str | None = None

    @classmethod
    def failed(cls, source: str, code: str, sentence: str, remedy: str) -> Outcome:
        """An input that could not be done."""
        return cls(source, status="failed", code=code, sentence=sentence, remedy=remedy)


@dataclass(frozen=True)
class Work:
    """A take to build: where it lies, what it came from, where its avatar goes."""

    source: str
    take: Path
    folder: Path
    photo: Path | None


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line. Exits with 2 on bad usage."""
    parser = argparse.ArgumentParser(prog="batch.py", description="Photos and takes to avatars.")
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="photo, take.npz or folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--formats", default="blend,glb", help=f"of {','.join(FORMATS)}; default: %(default)s")
    parser.add_argument("--preview", action="store_true", help="render the head from two sides")
    parser.add_argument(
        "--face", default="largest", help="largest, all, or a number (0: the largest); default: %(default)s"
    )
    parser.add_argument("--focal", type=float, metavar="PX", help="focal length in pixels; default: from the photo")
    parser.add_argument("--identity", type=int, default=0, metavar="N", help="how many identity sliders; default: 0")
    parser.add_argument("--placement", choices=[item.value for item in Placement], default=Placement.AUTO.value)
    parser.add_argument("--core", type=Path, metavar="PYTHON", help="the Python that the core is installed in")
    arguments = parser.parse_args(words)
    arguments.formats = [name.strip().lower() for name in arguments.formats.split(",") if name.strip()]
    if unknown := sorted(set(arguments.formats) - set(FORMATS)):
        parser.error(f"unknown format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    if arguments.face not in ("largest", "all"):
        if not arguments.face.isdigit():
            parser.error("--face is largest, all, or a number (0: the largest)")
        arguments.face = int(arguments.face)
    return arguments


def expand(inputs: Sequence[Path]) -> list[Path]:
    """Folders become the photos and takes in them; everything else stays, also what does not exist."""
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            inside = sorted(item for item in path.iterdir() if item.suffix.lower() in (*PHOTOS, ".npz"))
            found += inside or [path]
        else:
            found.append(path)
    return [path.absolute() for path in found]


def batch(arguments: argparse.Namespace) -> int:
    """Do all inputs; the exit status."""
    inputs = expand(arguments.inputs)
    out: Path = arguments.out.absolute()
    outcomes: list[Outcome] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for item in works(inputs, out, arguments):
            outcome = item if isinstance(item, Outcome) else build(item, arguments)
            outcomes.append(outcome)
            say(outcome)
    except KeyboardInterrupt:
        write_report(out, outcomes, "interrupted")
        return INTERRUPTED
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror}. Choose another folder.", file=sys.stderr)
        return BAD_USAGE
    status = exit_status(outcomes)
    write_report(out, outcomes, "done" if status == 0 else "failed")
    return status


def works(inputs: list[Path], out: Path, arguments: argparse.Namespace) -> Iterator[Work | Outcome]:
    """First the takes that are there, then those that the core makes of the photos, as they come."""
    alone = len(inputs) == 1
    takes = [path for path in inputs if path.suffix.lower() == ".npz"]
    photos = [path for path in inputs if path not in takes]
    for path, name in zip(takes, distinct_names(takes), strict=True):
        yield Work(str(path), path, out if alone else out / name, None)
    if photos:
        folder = out / photos[0].stem if len(photos) == 1 and not alone else out
        yield from reconstruct(photos, folder, arguments)


def distinct_names(takes: list[Path]) -> list[str]:
    """A folder's name for each take: take.npz is called after the folder it lies in; no name comes twice."""
    names: list[str] = []
    for path in takes:
        base = path.parent.name if path.stem == "take" else path.stem
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


def reconstruct(photos: list[Path], folder: Path, arguments: argparse.Namespace) -> Iterator[Work | Outcome]:
    """Let the core make takes. What fails comes as an Outcome."""
    python = arguments.core or find_core_python(ROOT / "n2f_blender")
    if python is None:
        raise SystemExit("error: there is no core. Run scripts/bootstrap.py first, or name its Python with --core.")
    options = ReconstructOptions(face=arguments.face, focal_length_px=arguments.focal)
    with tempfile.TemporaryDirectory(prefix="n2f_") as logs:
        client = CoreClient(server_command(python), Path(logs))
        try:
            job = client.submit(photos, folder, options)
            client.run(show_progress)
            if sys.stderr.isatty():
                print(file=sys.stderr)
        except KeyboardInterrupt:
            client.cancel()
            raise
        finally:
            client.shutdown()
        yield from takes_of(job)


def takes_of(job: Job) -> Iterator[Work | Outcome]:
    """What a finished job has made, then what failed in it."""
    for result in job.results:
        yield Work(result.image, result.take, result.folder, Path(result.image))
    for failure in job.failures:
        yield Outcome.failed(failure.image or "job", failure.code, failure.sentence, failure.remedy)
    if isinstance(job.error, CoreUnavailable):
        done = {result.image for result in job.results} | {failure.image for failure in job.failures}
        if job.error.details:
            print(job.error.details, file=sys.stderr)
        for image in job.images:
            if str(image) not in done:
                yield Outcome.failed(str(image), job.error.code, job.error.sentence, job.error.remedy)


def show_progress(job: Job) -> None:
    """One line that is written over, in a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{job.label:<40} {100 * job.fraction:3.0f} %", end="", file=sys.stderr, flush=True)


def build(work: Work, arguments: argparse.Namespace) -> Outcome:
    """A take to files, in an empty scene."""
    started = time.perf_counter()
    outcome = Outcome(work.source, take=str(work.take))
    options = AvatarOptions(Placement(arguments.placement), arguments.identity, work.photo)
    try:
        bpy.ops.wm.read_homefile(use_empty=True)
        avatar = open_take(bpy.context, work.take, {}, options)
        work.folder.mkdir(parents=True, exist_ok=True)
        for name in arguments.formats:
            outcome.files[name] = str(write(avatar, work.folder / f"avatar.{name}"))
        if arguments.preview:
            for picture in render_preview(avatar, work.folder):
                outcome.files[picture.stem] = str(picture)
    except ExtensionError as error:
        return Outcome.failed(work.source, error.code, error.sentence, error.remedy)
    except (OSError, RuntimeError) as error:  # Blender's operators raise RuntimeError
        return Outcome.failed(work.source, "INTERNAL", f"The avatar cannot be written: {error}.", "")
    except Exception as error:  # a defect of ours must not cost the inputs that are still to come
        traceback.print_exc()
        return Outcome.failed(work.source, "INTERNAL", f"{type(error).__name__}: {error}.", "Report it with the log.")
    outcome.seconds = round(time.perf_counter() - started, 3)
    return outcome


def write(avatar: Avatar, path: Path) -> Path:
    """Write the avatar in the format of the ending."""
    if path.suffix != ".blend":
        export_avatar(bpy.context, avatar, path, ExportOptions(correctives=path.suffix == ".glb"))
        return path
    if avatar.camera is not None:
        for background in avatar.camera.data.background_images:
            if background.image.source == "FILE" and background.image.packed_file is None:
                background.image.pack()  # the .blend may be sent to somebody who does not have the photo
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, check_existing=False)
    return path


def say(outcome: Outcome) -> None:
    """One line an outcome."""
    if outcome.status == "done":
        print(f"{outcome.input}: {', '.join(Path(name).name for name in outcome.files.values())}", flush=True)
    else:
        print(f"error: {outcome.input}: {outcome.sentence} {outcome.remedy}".rstrip(), file=sys.stderr, flush=True)


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """0 when all is done, 1 when some failed; when nothing came out, what all failures have in common."""
    failed = [outcome for outcome in outcomes if outcome.status != "done"]
    if not failed:
        return 0
    statuses = {EXIT_STATUS.get(outcome.code or "", SOME_FAILED) for outcome in failed}
    return statuses.pop() if len(failed) == len(outcomes) and len(statuses) == 1 else SOME_FAILED


def write_report(out: Path, outcomes: Sequence[Outcome], status: str) -> None:
    """batch_report.json, written to a temporary name first."""
    report = {"status": status, "blender": bpy.app.version_string, "inputs": [asdict(outcome) for outcome in outcomes]}
    unfinished = out / f".{REPORT_NAME}.unfinished"
    unfinished.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(out / REPORT_NAME)


def main() -> int:
    """Words after "--" under Blender, all words under Python."""
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    try:
        return batch(parse(words))
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
            return BAD_USAGE
        return int(stop.code or 0)


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's own way out costs time and has crashed on some versions after an export; everything is written.
    os._exit(exit_code)
