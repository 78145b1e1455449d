#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every preset, read by others: who puts each vertex where. The table and the picture of docs/export.md.

    .venv/bin/python scripts/prove_exports.py TAKE [--performance TAKE] --out DIR [--csv RECORDING]
        [--picture FILE.jpg] [--only WEB,USD]

Blender's importers read always. Others where they are: N2F_NODE_MODULES names a node_modules with three, babylonjs,
babylonjs-loaders, puppeteer-core, gltf-validator, @pixiv/three-vrm, @pixiv/types-vrmc-vrm-1.0 and typescript, and there
is a Chromium; N2F_READERS_PYTHON names a Python with numpy, ufbx and usd-core. Who is missing is said. --csv: a
recording of Live Link Face is played on the glb as well; without it that of the take. Exit status: 0 all within the
limits, 1 not, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402
import numpy as np  # noqa: E402

from scripts.bootstrap_parts.formats_link import link_formats  # noqa: E402

link_formats()

import n2f_blender  # noqa: E402
from n2f_blender.errors import ExtensionError  # noqa: E402
from n2f_blender.export.options import ExportOptions  # noqa: E402
from n2f_blender.export.presets import PRESETS, Format, Preset, preset  # noqa: E402
from n2f_blender.export.reading import Reading  # noqa: E402
from n2f_blender.export.visemes import with_visemes  # noqa: E402
from n2f_blender.formats.figure import Figure  # noqa: E402
from n2f_blender.formats.glb import vertex_sources  # noqa: E402
from n2f_blender.scene.avatar import Avatar  # noqa: E402
from n2f_blender.scene.export import export_avatar  # noqa: E402
from n2f_blender.scene.figure import figure_of  # noqa: E402
from scripts.export_readers import browser, live_link, side_by_side  # noqa: E402
from scripts.export_readers.by_blender import imported  # noqa: E402
from scripts.export_readers.question import Answer, Question, measured  # noqa: E402
from scripts.export_readers.whole import opened  # noqa: E402

MOST_MM, MOST_MS = 0.1, 1.0
_PYTHON = os.environ.get("N2F_READERS_PYTHON", "")
_HEAD = "| preset | reader | shapes | rest mm | each shape mm | ten frames mm | end ms | also |\n" + 8 * "| --- " + "|"


def asked(avatar: Avatar, item: Preset) -> Question:
    """What a preset was meant to write."""
    figure = figure_of(bpy.context.scene, avatar, ExportOptions(animation=item.animation))
    return Question(with_visemes(figure) if item.visemes else figure)


def by_engines(item: Preset, question: Question, path: Path, view: browser.View) -> Iterator[Answer]:
    """three.js on all that it reads, Babylon on glTF."""
    source = vertex_sources(question.figure) if path.suffix != ".fbx" else None
    for engine in ("three", "babylon") if path.suffix == ".glb" else ("three",):
        lacking = browser.missing(engine)
        if lacking:
            yield Answer(f"{engine}: {lacking}", 0)
            continue
        shown = browser.browse(engine, path, path.parent / engine, view, question.poses)
        came = shown.positions * item.unit_m
        if path.suffix == ".fbx":  # whose bones stand as the first frame has them: its rest is in the one that is still
            count = 1 + len(question.figure.shape_names)
            still = path.with_name(f"still{path.suffix}")
            resting = browser.browse(engine, still, still.with_suffix(""), view, question.poses[:count]).positions
            came[:count] = resting * item.unit_m
        if path.suffix == ".vrm":  # stands on its feet
            came = came - np.array(Reading.of(path).document["nodes"][0]["translation"])
        rest, shape, frames = measured(question, came, source)
        clock = clock_ms(question.figure, float(shown.said["duration"])) if frames is not None else None
        names = [name for name in shown.said["shapes"] if name in question.figure.shape_names]
        also = json.dumps(shown.said["vrm"]) if shown.said.get("vrm") else ""
        label = f"{'three.js' if engine == 'three' else 'Babylon'} {shown.said['version']}"
        yield Answer(label, len(names), rest, shape, frames, clock, also or "; ".join(shown.said["faults"]))


def by_python(question: Question, path: Path) -> Iterator[Answer]:
    """ufbx and usd-core, in a Python of their own."""
    script = Path(__file__).parent / "export_readers" / f"read_{path.suffix[1:4]}.py"
    if not _PYTHON:
        yield Answer(f"{script.stem}: N2F_READERS_PYTHON is not set", 0)
    elif path.suffix == ".fbx":
        said = subprocess.run([_PYTHON, str(script), str(path)], check=True, capture_output=True, text=True).stdout
        found = json.loads(said)
        axes = " ".join(found["axes"])
        groups = found["lod_groups"]
        levels = f"{groups} group{'s' * (groups > 1)} of {found['meshes'] // groups} levels"
        also = f"right, up, front {axes}; unit {found['unit_metres']:g} m; {levels}; {found['bones']} bones"
        yield Answer(
            "ufbx", found["shapes"], said=f"{also}; {found['pictures']} picture{'s' * (found['pictures'] > 1)}"
        )
    else:
        out = path.with_suffix(".npz")
        times = ",".join(map(str, question.seconds))
        subprocess.run([_PYTHON, str(script), str(path), str(out), times], check=True)
        with np.load(out) as found:
            said, count = json.loads(str(found["said"])), len(question.figure.shape_names)
            order = [list(found["names"]).index(name) for name in question.figure.shape_names]
            shapes = 1000 * np.linalg.norm(found["shapes"][order] - question.figure.shapes, axis=2).max()
            frames = 1000 * np.linalg.norm(found["frames"] - question.expected()[1 + count :], axis=2).max()
        also = f"{said['preview_surfaces']} UsdPreviewSurface; subdivision {said['scheme']}; {said['unit_metres']:g} m"
        clock = clock_ms(question.figure, said["seconds"])
        yield Answer(f"usd-core {said['version']}", len(order), None, shapes, frames, clock, also)


def clock_ms(figure: Figure, seconds: float) -> float:
    """How far the end is off."""
    assert figure.clip is not None
    return 1000.0 * abs(seconds - float(figure.clip.seconds[-1]))


def answers(item: Preset, question: Question, path: Path, view: browser.View, rate: tuple[int, float]) -> list[Answer]:
    """All that can read it."""
    found: list[Answer] = []
    if item.format in (Format.GLB, Format.VRM):
        lacking = browser.missing("validator")
        found.append(Answer("Khronos' validator", 0, said=lacking or browser.validated(path)))
    if item.format is Format.VRM:
        lacking = browser.missing("types")
        found.append(Answer("the types of VRM's schema", 0, said=lacking or browser.typed(path)))
    if item.format in (Format.GLB, Format.VRM, Format.FBX):
        found += by_engines(item, question, path, view)
    if item.format in (Format.FBX, Format.USD):
        found += by_python(question, path)
    if item.format is not Format.VRM:
        found.append(imported(question, path, rate))
    return found


def within(answer: Answer) -> bool:
    """Nothing that was measured is beyond the limits, no error was found."""
    worst = max((value or 0.0 for value in (answer.rest_mm, answer.shape_mm, answer.frames_mm)), default=0.0)
    judged = answer.reader.startswith(("Khronos", "the types"))
    clean = not judged or answer.said.startswith(("0 errors", "there is", "$N2F"))
    return worst <= MOST_MM and (answer.clock_ms or 0.0) <= MOST_MS and clean


def main() -> int:
    """0, 1 beyond the limits, 2 bad usage."""
    parser = argparse.ArgumentParser(description="Every preset, read by others.")
    parser.add_argument("take", type=Path)
    parser.add_argument("--performance", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--only", default=",".join(item.key for item in PRESETS))
    arguments = parser.parse_args()
    chosen = [preset(key) for key in arguments.only.split(",") if key]
    out: Path = arguments.out.absolute()
    n2f_blender.register()
    try:
        avatar = opened(arguments.take, arguments.performance)
    except ExtensionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    render = bpy.context.scene.render
    rate = render.fps, render.fps_base
    written = []
    for item in chosen:
        files = export_avatar(bpy.context, avatar, out / item.key / f"avatar{item.ending}", item)
        path = next(file for file in files if file.suffix == item.ending)
        if item.format is Format.FBX:
            still = ExportOptions(animation=False)
            export_avatar(bpy.context, avatar, path.with_name(f"still{path.suffix}"), item, still)
        written.append((item, asked(avatar, item), path))
    view = side_by_side.view_of(written[0][1].figure.vertices)
    if arguments.picture is not None:
        print(*side_by_side.compose(avatar, out, arguments.picture.absolute()), sep="\n", flush=True)
    for line in live_link.played(avatar, arguments.csv, out, view):
        print(line, flush=True)
    print(_HEAD)
    good = True
    for item, question, path in written:  # last: Blender's importers close the file
        for answer in answers(item, question, path, view, rate):
            print(f"| {item.label} | {answer} |", flush=True)
            good &= within(answer)
    return 0 if good else 1


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    os._exit(exit_code)
