"""Measures performances and writes docs/performance.md:  python -m inference_core.evaluation.performance CLIP...

Painted performances whose truth is known, then the clips named on the command line against MediaPipe's own points.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from inference_core.clip import open_clip
from inference_core.errors import BadInput
from inference_core.evaluation.performance_clips import measure_clip, own_points, repeated_share
from inference_core.evaluation.performance_known import (
    FOCALS,
    FocalMeasures,
    measure_detector,
    measure_focal,
    track_exactly,
)
from inference_core.evaluation.performance_report import Clip, Painted, write_report
from inference_core.evaluation.performance_truth import FOCAL, FPS, measure_truth, paint, play
from inference_core.formats.options import TrackOptions
from inference_core.reconstruct.models import Models
from inference_core.take import Take, load_take
from inference_core.track.job import ClipFailed, Event, TrackJob

PLAIN_LOOKS = (6, 8, 15)
"""Seeds of looks without beard, glasses or anything before the face: Face Mesh misplaces points on painted ones."""
FOCAL_LOOKS = (6, 15)
REPORT = Path(__file__).parents[2] / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, help="real clips of one face")
    parser.add_argument("--report", type=Path, default=REPORT)
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True)
    models = Models.load()
    with tempfile.TemporaryDirectory() as folder:
        painted = [
            _painted(models, looks, Path(folder))
            for looks in track(PLAIN_LOOKS, "painted performances", console=console)
        ]
        focals: list[tuple[int, FocalMeasures]] = [
            (looks, measure_focal(models, looks, focal))
            for looks in track(FOCAL_LOOKS, "focal lengths", console=console)
            for focal in FOCALS
        ]
        clips = [
            _real(models, clip, Path(folder) / clip.stem) for clip in track(chosen.clips, "clips", console=console)
        ]
    text = write_report(painted, focals, clips)
    print(text)
    chosen.report.write_text(text, encoding="utf-8")


def _tracked(models: Models, source: Path, out: Path, options: TrackOptions) -> dict[str, Take]:
    """Smoothed and raw take of the only person. Raises what the job failed with."""
    events: list[Event] = []
    TrackJob(str(source), out, options, events.append).run(models)
    for event in events:
        if isinstance(event, ClipFailed):
            raise event.error
    if not (out / "take.npz").is_file():
        raise BadInput(f"'{source.name}' shows several people.", "Give a clip of one face.")
    return {"smooth": load_take(out / "take.npz"), "raw": load_take(out / "raw.npz")}


def _painted(models: Models, looks: int, folder: Path) -> Painted:
    truth = play(models.head, seed=looks)
    pictures = folder / f"looks_{looks}"
    pictures.mkdir()
    frames = list(paint(models.head, truth, looks))
    for number, rgb in enumerate(frames):
        cv2.imwrite(str(pictures / f"frame_{number:04d}.png"), rgb[..., ::-1])
    options = TrackOptions(fps=FPS, focal_length_px=FOCAL, overlay=False)
    takes = _tracked(models, pictures, folder / f"take_{looks}", options)
    seen = own_points(frames)
    exact = track_exactly(models, truth, frames, np.where(np.isfinite(seen), seen, 0.0))
    rows = {**takes, "exact points": exact.smooth}
    found = {kind: measure_truth(models.head, truth, take) for kind, take in rows.items()}
    return Painted(f"looks {looks}", found, measure_detector(models.head, truth, seen))


def _real(models: Models, source: Path, out: Path) -> Clip:
    takes = _tracked(models, source, out, TrackOptions(overlay=False))
    with open_clip(str(source)) as clip:
        own = own_points(frame.rgb for frame in clip.frames())
    with open_clip(str(source)) as clip:
        repeated = repeated_share(frame.rgb for frame in clip.frames())
    found = {kind: measure_clip(models.head, take, own[: take.frame_count]) for kind, take in takes.items()}
    return Clip(source.stem, found, repeated)


if __name__ == "__main__":
    main()
