#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos, videos and takes to avatars without a window, by the same code as the panel.

    blender -b -P scripts/batch.py -- INPUT... --out DIR [--formats blend,glb] [--export PRESET] [--preview]
    .venv/bin/python scripts/batch.py INPUT... --out DIR

INPUT is a photo, a video, an image sequence (frame_####.png), a take.npz, or a folder of these. One input with one face
is written into DIR itself, several into a folder each; an input that fails is reported and the others go on. With
--one-person all photos become one head, with a camera for each.
DIR/batch_report.json holds what happened. A video that was interrupted goes on with --resume.

Exit status: 0 done, 1 some inputs failed, 2 bad usage or input, 3 no face, 4 model missing, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

try:
    import bpy
except ImportError:
    sys.exit("This Python has no bpy. Use Blender (blender -b -P) or the environment that has the bpy package.")

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

import addon_utils  # noqa: E402

from n2f_blender.core_client import (  # noqa: E402
    CoreClient,
    Job,
    ReconstructOptions,
    TrackOptions,
    find_core_python,
    server_command,
)
from n2f_blender.errors import CoreUnavailable, ExtensionError  # noqa: E402
from n2f_blender.export.presets import Preset, preset_for  # noqa: E402
from n2f_blender.formats.json_values import BadRequest  # noqa: E402
from n2f_blender.scene.avatar import Avatar, AvatarOptions  # noqa: E402
from n2f_blender.scene.export import VERIFIED, export_avatar, verify_export  # noqa: E402
from n2f_blender.scene.opening import open_take  # noqa: E402
from n2f_blender.scene.placement import Placement  # noqa: E402
from n2f_blender.scene.preview import VIEWS_DEGREES, render_frames, render_preview  # noqa: E402
from n2f_blender.scene.timing import set_rate  # noqa: E402
from n2f_blender.scene.turntable import render_turntable  # noqa: E402
from scripts.batch_parts.ledger import Foreign, Ledger  # noqa: E402
from scripts.batch_parts.outcome import Outcome, Work, exit_status, say, write_report  # noqa: E402
from scripts.batch_parts.usage import (  # noqa: E402
    distinct_names,
    expand,
    is_clip,
    parse,
    performance_options,
    track_options,
)

BAD_USAGE, INTERRUPTED = 2, 130


def batch(arguments: argparse.Namespace) -> int:
    """Do all inputs; the exit status."""
    inputs, left = expand(arguments.inputs)
    if left:
        shown = ", ".join(path.name for path in left[:20]) + (f" and {len(left) - 20} more" if len(left) > 20 else "")
        print(f"left out, neither pictures nor videos nor takes: {shown}", file=sys.stderr)
    out: Path = arguments.out.absolute()
    outcomes: list[Outcome] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(out, inputs)
        for item in works(inputs, out, arguments):
            outcome = item if isinstance(item, Outcome) else build(item, arguments, ledger)
            outcomes.append(outcome)
            say(outcome)
    except KeyboardInterrupt:
        write_report(out, outcomes, "interrupted")
        return INTERRUPTED
    except (Foreign, BadRequest) as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_USAGE
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror}. Choose another folder.", file=sys.stderr)
        return BAD_USAGE
    status = exit_status(outcomes)
    write_report(out, outcomes, "done" if status == 0 else "failed")
    return status


def works(inputs: list[Path], out: Path, arguments: argparse.Namespace) -> Iterator[Work | Outcome]:
    """First the takes that are there, then those that the core makes of photos and videos, as they come."""
    alone = len(inputs) == 1
    takes = [path for path in inputs if path.suffix.lower() == ".npz"]
    clips = [path for path in inputs if is_clip(path)]
    photos = [path for path in inputs if path not in takes and path not in clips]
    for path, name in zip(takes, distinct_names(takes), strict=True):
        yield Work(str(path), path, out if alone else out / name)
    if not photos and not clips:
        return
    with core_client(arguments) as client:
        if photos:
            folder = out / photos[0].stem if len(photos) == 1 and not alone else out
            options = ReconstructOptions(
                arguments.head,
                arguments.face,
                arguments.focal,
                one_person="yes" if arguments.one_person else "no",
                look=arguments.look,
                hair=arguments.hair,
                detail=arguments.detail,
                maps=arguments.maps,
            )
            yield from made_by(client, photos, folder, options)
        for path, name in zip(clips, distinct_names(clips), strict=True):
            yield from made_by(client, [path], out if alone else out / name, track_options(arguments))


@contextmanager
def core_client(arguments: argparse.Namespace) -> Iterator[CoreClient]:
    """The core, ended afterwards. What was begun stays, for --resume."""
    python = arguments.core or find_core_python(ROOT / "n2f_blender")
    if python is None:
        raise SystemExit("error: there is no core. Run scripts/bootstrap.py first, or name its Python with --core.")
    with tempfile.TemporaryDirectory(prefix="n2f_") as logs:
        client = CoreClient(server_command(python), Path(logs))
        try:
            yield client
        except KeyboardInterrupt:
            client.cancel()
            raise
        finally:
            client.shutdown()


def made_by(
    client: CoreClient, inputs: list[Path], folder: Path, options: ReconstructOptions | TrackOptions
) -> Iterator[Work | Outcome]:
    """Let the core make takes. What fails comes as an Outcome."""
    job = client.submit(inputs, folder, options)
    client.run(show_progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
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
        print(f"\r{job.label:<28} {100 * job.fraction:3.0f} %  {job.pace:<46}", end="", file=sys.stderr, flush=True)


def build(work: Work, arguments: argparse.Namespace, ledger: Ledger) -> Outcome:
    """A take to files, in an empty scene."""
    started = time.perf_counter()
    outcome = Outcome(work.source, take=str(work.take))
    options = AvatarOptions(
        Placement(arguments.placement), arguments.identity, work.photo, performance=performance_options(arguments)
    )
    try:
        bpy.ops.wm.read_homefile(use_empty=True)
        if arguments.scene_fps:
            set_rate(bpy.context.scene, arguments.scene_fps)
        avatar = open_take(bpy.context, work.take, {}, options)
        outcome.notes = avatar.notes
        work.folder.mkdir(parents=True, exist_ok=True)
        previews = [work.folder / f"preview_{view}.png" for view in VIEWS_DEGREES] if arguments.preview else []
        frames = work.folder.glob("frame_?????.png") if arguments.frames else ()
        turntable = work.folder.glob("turntable*.*") if arguments.turntable else ()
        ledger.allow([*(work.folder / f"avatar.{name}" for name in arguments.formats), *previews, *frames, *turntable])
        for name in arguments.formats:
            outcome.files[name] = str(write(avatar, work.folder / f"avatar.{name}"))
        for item in arguments.export:
            outcome.files |= exported(avatar, work.folder, item, ledger)
            if arguments.verify and item.format in VERIFIED:
                path = work.folder / item.key.lower() / f"avatar{item.ending}"
                outcome.notes = [*outcome.notes, f"{item.key}: {verify_export(bpy.context, avatar, path, item)}"]
        if arguments.preview:
            for picture in render_preview(avatar, work.folder):
                outcome.files[picture.stem] = str(picture)
        if arguments.turntable:
            for picture in render_turntable(avatar, work.folder, arguments.turntable):
                outcome.files[picture.stem] = str(picture)
        for picture in render_frames(avatar, work.folder, arguments.frames):
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
        export_avatar(bpy.context, avatar, path, preset_for(path.suffix))
        return path
    for camera in (item for item in avatar.collection.objects if item.type == "CAMERA"):
        for background in camera.data.background_images:
            if background.image.source == "FILE" and background.image.packed_file is None:
                background.image.pack()  # the .blend may be sent to somebody who does not have the photo
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True, check_existing=False)
    return path


def exported(avatar: Avatar, folder: Path, preset: Preset, ledger: Ledger) -> dict[str, str]:
    """What a preset writes, in a folder of its own: some formats are several files."""
    place = folder / preset.key.lower()
    ledger.allow(place.rglob("*"))
    written = export_avatar(bpy.context, avatar, place / f"avatar{preset.ending}", preset)
    return {path.relative_to(folder).as_posix(): str(path) for path in written}


def leave_installed_out() -> None:
    """The installed extension rests during this run: its classes and this checkout's do not know each other.

    The user's preferences stay as they are.
    """
    modules = [item.module for item in bpy.context.preferences.addons]
    for module in [name for name in modules if name.rpartition(".")[2] == "n2f_blender"]:
        addon_utils.disable(module, default_set=False)


def main() -> int:
    """Words after "--" under Blender, all words under Python."""
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    try:
        arguments = parse(words)
        leave_installed_out()
        return batch(arguments)
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
