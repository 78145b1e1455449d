"""Inputs that once made the product fail, tried again: a table of what is right and what is now.

    python -m inference_core.evaluation.cases ../shared/cases [--only NAME ...]

Whether a resumed take is the uninterrupted one: inference_core.evaluation.kills; damaged files: its neighbour fuzz.
The Blender cases are run by the folder's own repro_blender.py, each in a process of its own. Exit status 1 where a case
is not as it should be.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from inference_core.clip import open_clip
from inference_core.clip.rate import usual_rate
from inference_core.errors import CoreError
from inference_core.fit.placement import place_points
from inference_core.formats.options import ReconstructOptions, TrackOptions
from inference_core.head import HeadParameters, load_head, mediapipe_points, pose_head
from inference_core.reconstruct import job as photos
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor
from inference_core.take import Take, load_take
from inference_core.track import job as clips

BLENDER_SECONDS = 1800
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Verdict:
    """Whether a case is right, and what was seen."""

    right: bool
    now: str


@dataclass
class Bench:
    """What the cases share: where they lie, a folder to write into, the models."""

    cases: Path
    scratch: Path

    @cached_property
    def models(self) -> Models:
        """Loaded with the first case that needs them."""
        return Models.load()

    @cached_property
    def blender_cases(self) -> Path:
        """A copy of repro_blender.py and its takes, which may be of the first edition."""
        folder = self.scratch / "blender"
        (folder / "_takes").mkdir(parents=True)
        shutil.copy(self.cases / "repro_blender.py", folder)
        shutil.copytree(self.cases / "_takes", folder / "_takes", dirs_exist_ok=True)
        return folder

    def photo(self, path: Path, out: Path | None = None, focal: float | None = None) -> CoreError | Take:
        """A photo's take, or why there is none."""
        folder = out or Path(tempfile.mkdtemp(dir=self.scratch))
        events: list[photos.Event] = []
        options = ReconstructOptions(focal_length_px=focal)
        photos.Job([str(path)], folder, options, events.append).run(Reconstructor(self.models))
        failed = [event.error for event in events if isinstance(event, photos.ImageFailed)]
        return failed[0] if failed else load_take(folder / "take.npz")

    def clip(self, path: Path, out: Path | None = None, *, overlay: bool = False) -> CoreError | Take:
        """A clip's take, or why there is none."""
        folder = out or Path(tempfile.mkdtemp(dir=self.scratch))
        events: list[clips.Event] = []
        clips.TrackJob(str(path), folder, TrackOptions(overlay=overlay), events.append).run(self.models)
        failed = [event.error for event in events if isinstance(event, clips.ClipFailed)]
        return failed[0] if failed else load_take(folder / "take.npz")

    def observed(self, case: str, folder: Path = ROOT) -> list[str]:
        """What repro_blender.py prints of a case, run in `folder`."""
        command = [sys.executable, str(self.blender_cases / "repro_blender.py"), case]
        found = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=BLENDER_SECONDS,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        return re.findall(r"observed: (.*?) ?\n  a test should assert", found.stdout, re.DOTALL)


def off(take: Take) -> float:
    """How far the head lies off the face where it is valid, at most: over the face's width."""
    middle = (take.landmarks_68.min(axis=1) + take.landmarks_68.max(axis=1)) / 2
    away = np.linalg.norm(middle - (take.bbox[:, :2] + take.bbox[:, 2:]) / 2, axis=1)
    return float((away / (take.bbox[:, 2] - take.bbox[:, 0]))[take.valid].max())


def far_points(_: Bench) -> Verdict:
    """01: points within 0.01 px at 5, 16, 60 m."""
    head = load_head()
    model = mediapipe_points(head, pose_head(head, HeadParameters.neutral(head)))
    worst = 0.0
    for distance in (0.3, 5.0, 15.0, 16.0, 60.0, 500.0):
        depth = distance - model[:, 2]
        seen = np.stack([500 + 1e4 * model[:, 0] / depth, 500 - 1e4 * model[:, 1] / depth], axis=1)
        camera = place_points(model, seen, np.array([1e4, 1e4, 500.0, 500.0]))
        worst = max(worst, float(np.linalg.norm(camera.project(model) - seen, axis=1).max()))
    return Verdict(worst < 0.01, f"within {worst:.1e} px from 0.3 to 500 m")


def far_photo(bench: Bench) -> Verdict:
    """01: done."""
    return _done(bench.photo(bench.cases / "01_far_face" / "tele_500mm.jpg"))


def far_clip(bench: Bench) -> Verdict:
    """01: a take, far frames keyed or lost."""
    take = bench.clip(bench.cases / "01_far_face" / "walks_away.mp4")
    if isinstance(take, CoreError):
        return Verdict(False, str(take))
    away = off(take)
    return Verdict(away < 0.2, f"{take.valid.sum()} of {take.frame_count} frames, head at most {100 * away:.0f} % off")


def variable_rate(bench: Bench) -> Verdict:
    """03: rate 30."""
    with open_clip(bench.cases / "03_vfr_rate" / "pause.mp4") as clip:
        times = np.array([frame.timestamp for frame in clip.frames()])
        rate = usual_rate(times, clip.info.fps)
    return Verdict(rate == 30.0 and len(times) == 40, f"{rate:g} frames/s, {len(times)} frames")


def odd_names(bench: Bench) -> Verdict:
    """05: the same as without the sign."""
    folder = bench.cases / "05_hash_names"
    counts = []
    for source in (folder / "take #3.mp4", folder / "seq", folder / "seq" / "take#2_####.png"):
        with open_clip(source) as clip:
            counts.append(len(list(clip.frames())))
    done = _done(bench.photo(folder / "portrait #2.png"))
    return Verdict(counts == [6, 3, 3] and done.right, f"{counts} frames, portrait {done.now}")


def overwritten(bench: Bench) -> Verdict:
    """06: every file that was there keeps its bytes."""
    changed: list[str] = []
    for source in sorted((bench.cases / "06_input_overwritten").iterdir()):
        folder = Path(tempfile.mkdtemp(dir=bench.scratch))
        copy = folder / source.name
        shutil.copy(source, copy)
        if source.suffix == ".mp4":
            bench.clip(copy, folder, overlay=True)
        else:
            bench.photo(copy, folder)
        changed += [source.name] if copy.read_bytes() != source.read_bytes() else []
    return Verdict(not changed, f"changed: {', '.join(changed) or 'none'}")


def negative_numbers(bench: Bench) -> Verdict:
    """08: -10 ... 2, grey 10 (n + 10) + 20."""
    with open_clip(bench.cases / "08_negative_sequence") as clip:
        greys = [round(float(frame.rgb.mean())) for frame in clip.frames()]
    return Verdict(greys == [20 + 10 * n for n in range(13)], f"{len(greys)} frames, {greys[0]} ... {greys[-1]}")


def milliseconds(bench: Bench) -> Verdict:
    """09: 60/600, 30/600."""
    folder = bench.cases / "09_csv_milliseconds"
    return _rows([folder / "ms60.csv", folder / "ms30.csv"], ["60.0", "600", "30.0", "600"])


def _rows(files: list[Path], right: list[str]) -> Verdict:
    """Rates and rows as the extension reads them, in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from scripts.bootstrap_parts.formats_link import link_formats\n"
        "link_formats(); from n2f_blender.motion.livelink import read_recording\n"
        "for name in sys.argv[1:]:\n r = read_recording(Path(name)); print(r.fps, len(r.frames))"
    )
    command = [sys.executable, "-c", code, *map(str, files)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    said = found.stdout.strip().replace("\n", ", ") or found.stderr.strip().rpartition("\n")[2]
    return Verdict(found.stdout.split() == right, said)


def grey_range(bench: Bench) -> Verdict:
    """12: found like float_up_to_1.tif."""
    found = [_done(bench.photo(path)) for path in sorted((bench.cases / "12_grey_range").iterdir())]
    return Verdict(all(one.right for one in found), ", ".join(one.now for one in found))


def offset_clock(bench: Bench) -> Verdict:
    """14: 20 frames, no note."""
    with open_clip(bench.cases / "14_offset_mkv" / "starts_at_one_hour.mkv") as clip:
        count, total = len(list(clip.frames())), clip.info.frame_count
        notes, damaged = clip.notes, clip.damaged_at
    right = (count, total, notes, damaged) == (20, 20, (), None)
    return Verdict(right, f"{count} frames of {total}, {len(notes)} notes")


def folder_skips(bench: Bench) -> Verdict:
    """15: every picture done or named."""
    found = {path: _done(bench.photo(path)) for path in sorted((bench.cases / "15_folder_skips").iterdir())}
    right = all(one.right or path.name in one.now for path, one in found.items())
    return Verdict(right, ", ".join(one.now for one in found.values()))


def other_formats(bench: Bench) -> Verdict:
    """17: HEIC read; a picture for Blender beside the take where it cannot read the file."""
    told = []
    for path in sorted((bench.cases / "17_avif_background").iterdir()):
        out = Path(tempfile.mkdtemp(dir=bench.scratch))
        done = _done(bench.photo(path, out))
        told.append((done.right and (out / "photo.jpg").exists(), f"{path.suffix[1:]} {done.now}"))
    return Verdict(all(right for right, _ in told), ", ".join(now for _, now in told))


def focal_in_mm(bench: Bench) -> Verdict:
    """18: refused, or "is this mm?"."""
    found = bench.photo(bench.cases / "18_focal_in_mm" / "portrait.png", focal=35.0)
    return Verdict(
        isinstance(found, CoreError) and "mm" in str(found), str(found) if isinstance(found, CoreError) else ""
    )


def no_confidence(bench: Bench) -> Verdict:
    """20: invalid, or within 20 %."""
    take = bench.clip(bench.cases / "20_confidence_zero" / "jumps.mp4")
    if isinstance(take, CoreError):
        return Verdict(False, str(take))
    away, least = off(take), float(take.confidence[take.valid].min())
    return Verdict(away < 0.2 and least > 0, f"head at most {100 * away:.0f} % off, least confidence {least:.2f}")


def damaged_takes(bench: Bench) -> Verdict:
    """exports_and_faults: one sentence, a typed error."""
    told = []
    for path in sorted((bench.cases / "exports_and_faults").glob("take_*_TRACEBACK_*.npz")):
        try:
            load_take(path)
            told.append("read")
        except CoreError as error:
            told.append(error.code)
        except Exception as error:
            told.append(f"TRACEBACK {type(error).__name__}")
    return Verdict(set(told) == {"BAD_INPUT"}, ", ".join(told))


def server_lives(_: Bench) -> Verdict:
    """exports_and_faults: a typed error, the server lives, and ends with stdin."""
    huge = (
        '{"type":"reconstruct","id":"a","images":["/x.jpg"],"out":"o","options":{"focal_length_px":1' + "0" * 400 + "}}"
    )
    lines = [huge, "[" * 100_000, '{"type":"ping","id":"p"}']
    command = [sys.executable, "-m", "inference_core.server"]
    try:
        found = subprocess.run(
            command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return Verdict(False, "it does not end")
    kinds = [json.loads(line)["type"] for line in found.stdout.splitlines()]
    right = kinds == ["hello", "error", "done", "error", "pong"] and found.returncode == 0
    return Verdict(right, f"{', '.join(kinds)}; exit {found.returncode}")


def output_folders(bench: Bench) -> Verdict:
    """track_out_errors: BAD_INPUT, as `reconstruct` says."""
    clip, photo = bench.cases / "08_negative_sequence", bench.cases / "18_focal_in_mm" / "portrait.png"
    a_file = bench.scratch / "file"
    a_file.write_bytes(b"kept")
    told = []
    for out in (Path("/proc/n2f"), bench.scratch / ("d" * 300), a_file):
        for found in (bench.clip(clip, out), bench.photo(photo, out)):
            told.append(found.code if isinstance(found, CoreError) else "done")
    return Verdict(set(told) == {"BAD_INPUT"} and a_file.read_bytes() == b"kept", ", ".join(told))


def spreadsheets(bench: Bench) -> Verdict:
    """smaller ones: CSV as UTF-16, with a `sep=` line, with a cut last row."""
    text = (bench.cases / "09_csv_milliseconds" / "ms30.csv").read_text(encoding="utf-8")
    written = {
        "utf16.csv": text.encode("utf-16"),
        "sep.csv": b"sep=,\r\n" + text.replace("\n", "\r\n").encode(),
        "cut.csv": text[: len(text) - 40].encode(),
    }
    for name, content in written.items():
        (bench.scratch / name).write_bytes(content)
    return _rows([bench.scratch / name for name in written], ["30.0", "600", "30.0", "600", "30.0", "599"])


def moving_picture(bench: Bench) -> Verdict:
    """smaller ones: an animated AVIF gives all of its frames."""
    greys = [Image.fromarray(np.full((96, 128, 3), 20 + 20 * number, np.uint8)) for number in range(6)]
    path = bench.scratch / "moving.avif"
    greys[0].save(path, save_all=True, append_images=greys[1:], duration=40)
    with open_clip(path) as clip:
        levels, fps = [round(float(frame.rgb.mean())) for frame in clip.frames()], clip.info.fps
    return Verdict(levels == [20, 40, 60, 80, 100, 120] and fps == 25.0, f"{len(levels)} frames at {fps:g}")


def orientation(bench: Bench) -> Verdict:
    """04: difference below 8 of 255 for every file, in Blender."""
    from skimage import data  # as the demo has it

    here = bench.scratch / "orientation"
    (here / "out" / "demo").mkdir(parents=True)
    portrait = np.asarray(data.astronaut())  # type: ignore[no-untyped-call]
    Image.fromarray(portrait).save(here / "out" / "demo" / "astronaut.png")
    command = here / ".venv" / "bin" / "n2f"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m inference_core.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    shutil.copytree(bench.cases / "04_orientation_blender", bench.blender_cases / "04_orientation_blender")
    seen = [ast.literal_eval(one) for one in bench.observed("orientation", here)]
    upright = (200, 256)  # of the one that is not square, which is compared with nothing else
    right = len(seen) == 5 and all(one[-1] == upright or one[-1] < 8 for one in seen)
    return Verdict(right, ", ".join(f"{one[0]} {one[-1]}" for one in seen))


def glb_rate(bench: Bench) -> Verdict:
    """glb_rate: the last key's time equals the take's within 1 ms at every rate."""
    with np.load(bench.cases / "_takes" / "performance_50fps.npz") as archive:
        take = {key: archive[key] for key in archive.files}
    worst = 0.0
    for rate in (29.97, 12.5):
        folder = Path(tempfile.mkdtemp(dir=bench.scratch))
        times = take["frame_index"] / rate
        meta = json.dumps({**json.loads(str(take["meta"])), "fps": rate})
        np.savez(folder / "take.npz", **{**take, "meta": np.array(meta), "timestamp": times})
        command = [sys.executable, str(ROOT / "scripts" / "batch.py"), str(folder / "take.npz"), "--out", str(folder)]
        subprocess.run([*command, "--formats", "glb"], capture_output=True, timeout=BLENDER_SECONDS, check=True)
        glb = (folder / "avatar.glb").read_bytes()
        figure = json.loads(glb[20 : 20 + int.from_bytes(glb[12:16], "little")])
        inputs = [figure["accessors"][one["input"]] for one in figure["animations"][0]["samplers"]]
        longest = max(inputs, key=lambda one: one["count"])
        lasts = longest["max"][0] - longest["min"][0]
        worst = max(worst, abs(lasts - (times[-1] - times[0])))
    return Verdict(worst < 0.001, f"at most {1000 * worst:.2f} ms off")


CORE: tuple[tuple[str, Callable[[Bench], Verdict]], ...] = (
    ("01_far_face points", far_points),
    ("01_far_face photo", far_photo),
    ("01_far_face clip", far_clip),
    ("03_vfr_rate", variable_rate),
    ("05_hash_names", odd_names),
    ("06_input_overwritten", overwritten),
    ("08_negative_sequence", negative_numbers),
    ("09_csv_milliseconds", milliseconds),
    ("12_grey_range", grey_range),
    ("14_offset_mkv", offset_clock),
    ("15_folder_skips", folder_skips),
    ("17_avif_background", other_formats),
    ("18_focal_in_mm", focal_in_mm),
    ("20_confidence_zero", no_confidence),
    ("damaged takes", damaged_takes),
    ("serve_reader_dies", server_lives),
    ("track_out_errors", output_folders),
    ("spreadsheets", spreadsheets),
    ("moving_picture", moving_picture),
    ("04_orientation_blender", orientation),
    ("glb_rate", glb_rate),
)

IN_BLENDER: dict[str, Callable[[list[str]], bool]] = {
    "hidden_export": lambda seen: all("'meshes': 1, 'skins': 1, 'nodes': 7" in one for one in seen),
    "vfr_rate": lambda seen: seen == ["(30.0, 'keys', 40, 'on whole frames', 40)"],
    "override": lambda seen: "Traceback" not in seen[0],
    "override_avatar": lambda seen: not any("Traceback" in one for one in seen),
    "unit_scale": lambda seen: _alike([float(number) for one in seen for number in re.findall(r"0\.\d{3,}", one)]),
    "negative_start": lambda seen: all(ast.literal_eval(one)[-1] == 6 for one in seen),
    "long_names": lambda seen: [name.split()[-1] for name in ast.literal_eval(seen[0])] == ["Head", "Rig", "Camera"],
    "scene_range": lambda seen: seen == ["(1, 250)"],
    "bound_camera": lambda seen: len(seen) == 1,  # the user's marker keeps its camera; the operator warns of it
}
"""By the names of repro_blender.py: whether what it prints is right."""


def _alike(heights: list[float]) -> bool:
    """Heights of one head, m: by the scene's unit, in glTF, in FBX; in two scenes."""
    return len(heights) == 6 and max(heights) - min(heights) < 0.001 and 0.25 < min(heights) < 0.35


def _done(found: CoreError | Take) -> Verdict:
    done = not isinstance(found, CoreError)
    return Verdict(done, "done" if done else str(found))


def verdicts(bench: Bench, only: list[str]) -> Iterator[tuple[str, str, Verdict, float]]:
    """Name, what is right, what is now, seconds; one after the other. A case that breaks is not right."""
    for name, case in CORE:
        if not only or name.split()[0] in only:
            begun = time.perf_counter()
            try:
                verdict = case(bench)
            except Exception as error:
                verdict = Verdict(False, f"{type(error).__name__}: {error}")
            yield name, (case.__doc__ or "").strip(), verdict, time.perf_counter() - begun
    for name, judge in IN_BLENDER.items():
        if not only or name in only:
            begun = time.perf_counter()
            try:
                seen = bench.observed(name)
            except subprocess.TimeoutExpired:
                seen = []
            now = "; ".join(one.replace("\n", " ") for one in seen) or "nothing was printed"
            yield name, "in Blender", Verdict(bool(seen) and judge(seen), now), time.perf_counter() - begun


def main() -> int:
    """Prints the table; 1 where something is not right."""
    parser = argparse.ArgumentParser(prog="inference_core.evaluation.cases", description=__doc__)
    parser.add_argument("cases", type=Path, help="the folder of the cases")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="only these")
    arguments = parser.parse_args()
    wrong = 0
    print("| case | right | now | |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="n2f_cases_") as scratch:
        for name, right, verdict, seconds in verdicts(Bench(arguments.cases, Path(scratch)), arguments.only):
            wrong += not verdict.right
            told = f"{'ok' if verdict.right else '**wrong**'}, {seconds:.0f} s"
            print(f"| {name} | {right} | {verdict.now[:160]} | {told} |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
