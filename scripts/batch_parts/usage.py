# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of scripts/batch.py, and what its words mean for the core and the scene."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from n2f_blender.core_client import Strengths, TrackOptions
from n2f_blender.export.presets import PRESETS, Preset, preset
from n2f_blender.formats.numbering import PHOTOS, PICTURES, VIDEOS, is_pattern, without_place
from n2f_blender.formats.options import (
    DEFAULT_DETAIL,
    DEFAULT_HAIR,
    DEFAULT_HEAD,
    DEFAULT_LOOK,
    DETAIL_CHOICES,
    LOOK_CHOICES,
    MAP_SIZES,
    NO_MAPS,
)
from n2f_blender.formats.smoothing import Smoothing
from n2f_blender.scene.performance import PerformanceOptions
from n2f_blender.scene.placement import Placement
from n2f_blender.scene.timing import Timing
from n2f_blender.scene.turntable import MOST_VIEWS

FORMATS = ("blend", "glb", "fbx", "usdc")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The command line. Exits with 2 on bad usage."""
    parser = argparse.ArgumentParser(prog="batch.py", description="Photos, videos and takes to avatars.")
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="photo, video, sequence, take or folder")
    parser.add_argument("--out", type=_folder, required=True, metavar="DIR")
    parser.add_argument("--formats", default="blend,glb", help=f"of {','.join(FORMATS)}; default: %(default)s")
    parser.add_argument(
        "--export",
        action="append",
        default=[],
        type=_preset,
        metavar="PRESET",
        help=f"{', '.join(item.key for item in PRESETS)}; into a folder of its own; may be repeated",
    )
    parser.add_argument("--verify", action="store_true", help="read again what --export wrote, report the difference")
    parser.add_argument("--preview", action="store_true", help="render the head from two sides")
    parser.add_argument("--turntable", type=int, default=0, metavar="N", help="render N views around the head, a film")
    parser.add_argument(
        "--face",
        "--people",
        dest="face",
        default="largest",
        help="largest, all, or a number (0: the largest in a photo, the first seen in a video); default: %(default)s",
    )
    parser.add_argument("--one-person", action="store_true", help="the photos show one person: one head for all")
    parser.add_argument("--head", default=DEFAULT_HEAD, metavar="NAME", help="installed head; default: %(default)s")
    parser.add_argument("--focal", type=float, metavar="PX", help="focal length in pixels; default: from the photo")
    parser.add_argument(
        "--look", choices=LOOK_CHOICES, default=DEFAULT_LOOK, help="skin: plain, as photographed, or without light"
    )
    parser.add_argument(
        "--hair", default=DEFAULT_HAIR, metavar="STYLE", help="auto: as in the photo; none; or a style's name"
    )
    parser.add_argument(
        "--detail",
        choices=DETAIL_CHOICES,
        default=DEFAULT_DETAIL,
        help="relief finer than the mesh, of photos; default: %(default)s",
    )
    parser.add_argument(
        "--maps",
        type=int,
        choices=(NO_MAPS, *MAP_SIZES),
        default=NO_MAPS,
        help="px of dense maps in the head's UV; 0: none",
    )
    parser.add_argument("--identity", type=int, default=0, metavar="N", help="how many identity sliders; default: 0")
    parser.add_argument("--placement", choices=[item.value for item in Placement], default=Placement.AUTO.value)
    video = parser.add_argument_group("videos and image sequences")
    video.add_argument("--start", type=int, metavar="N", help="first frame that is tracked, from 0")
    video.add_argument("--end", type=int, metavar="N", help="frame before which tracking ends")
    video.add_argument("--fps", type=float, help="frames a second of an image sequence")
    video.add_argument("--person", type=Path, action="append", default=[], metavar="TAKE_OR_PHOTO",
                       help="whose head it is; default: the video tells")  # fmt: skip
    video.add_argument("--smoothing", type=float, default=1.0, metavar="X", help="0: none; default: %(default)s")
    video.add_argument("--frames", type=int, default=0, metavar="N", help="render N frames through the camera")
    video.add_argument("--no-overlay", dest="overlay", action="store_false", help="write no overlay.mp4")
    video.add_argument("--resume", action="store_true", help="go on where an earlier run was stopped")
    video.add_argument("--start-frame", type=int, default=1, metavar="N", help="scene frame of the first key")
    video.add_argument("--scene-fps", type=float, metavar="FPS", help="the scene's rate; default: the video's")
    parser.add_argument("--core", type=Path, metavar="PYTHON", help="the Python that the core is installed in")
    arguments = parser.parse_args(words)
    arguments.formats = [name.strip().lower() for name in arguments.formats.split(",") if name.strip()]
    if unknown := sorted(set(arguments.formats) - set(FORMATS)):
        parser.error(f"unknown format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    if not 0 <= arguments.turntable <= MOST_VIEWS:
        parser.error(f"--turntable takes 1 to {MOST_VIEWS} views")
    if arguments.face not in ("largest", "all"):
        if not arguments.face.isdigit():
            parser.error("--face is largest, all, or a number (0: the largest)")
        arguments.face = int(arguments.face)
    return arguments


def _preset(key: str) -> Preset:
    try:
        return preset(key)
    except KeyError:
        known = ", ".join(item.key for item in PRESETS)
        raise argparse.ArgumentTypeError(f"there is no preset '{key}'; there are {known}") from None


def _folder(name: str) -> Path:
    if not name.strip():
        raise argparse.ArgumentTypeError("has no name; --out . is the current folder")
    return Path(name)


def expand(inputs: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Folders become the photos, videos and takes in them; everything else stays, also what does not exist.

    Second: the files in folders that are left out, for their endings; hidden ones are not meant.
    """
    found: list[Path] = []
    left: list[Path] = []
    for path in inputs:
        if path.is_dir():
            files = [item for item in sorted(path.iterdir()) if item.is_file() and not item.name.startswith(".")]
            known = [item for item in files if item.suffix.lower() in (*PHOTOS, *PICTURES, *VIDEOS, ".npz")]
            left += [item for item in files if item not in known]
            found += known or [path]
        else:
            found.append(path)
    return [path.absolute() for path in found], left


def is_clip(path: Path) -> bool:
    """A video, or the pattern of an image sequence. A file that is there is what its ending says, whatever its name."""
    return path.suffix.lower() in VIDEOS or (path.suffix.lower() != ".npz" and is_pattern(path))


def track_options(arguments: argparse.Namespace) -> TrackOptions:
    """The options of videos."""
    strength = arguments.smoothing
    return TrackOptions(
        head=arguments.head,
        people=arguments.face,
        start=arguments.start,
        end=arguments.end,
        resume=arguments.resume,
        focal_length_px=arguments.focal,
        fps=arguments.fps,
        identity=tuple(str(path.absolute()) for path in arguments.person),
        smoothing=Strengths.all(strength),
        overlay=arguments.overlay,
    )


def distinct_names(inputs: list[Path]) -> list[str]:
    """A folder's name for each input: take.npz is called after the folder it lies in; no name comes twice."""
    names: list[str] = []
    for path in inputs:
        stem = without_place(path.stem).strip(" ._-") or path.parent.name if is_pattern(path) else path.stem
        base = path.parent.name if path.stem == "take" else stem
        name, number = base, 1
        while name.casefold() in (other.casefold() for other in names):
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


def performance_options(arguments: argparse.Namespace) -> PerformanceOptions:
    """How a video gets onto the timeline."""
    strength = arguments.smoothing
    return PerformanceOptions(
        start_frame=arguments.start_frame,
        timing=Timing.REMAP if arguments.scene_fps else Timing.CONFORM,
        smoothing=Smoothing(strength, strength, strength, strength),
    )
