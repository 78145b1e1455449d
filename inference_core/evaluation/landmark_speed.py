"""What the face networks cost beside the package mediapipe's:  python -m inference_core.evaluation.landmark_speed

CPU milliseconds of a call, the least of many, on scikit-image's portrait; then Face Mesh alone, several faces in one
call, a face. Needs the package mediapipe 0.10.21 (requirements/landmarks.txt).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage

from inference_core.errors import CoreError
from inference_core.evaluation.landmark_parity import Ours, Package
from inference_core.evaluation.mediapipe_package import PackageMesher
from inference_core.perception.face_mesh import FOUND, FaceMesher, mesh_points
from inference_core.perception.image import read_photo
from inference_core.perception.sampling import Square

RUNS = 60
FACE = Square(np.array([224.0, 128.0]), 160.0)
"""The portrait's."""


def main() -> int:
    """The command; returns the exit status."""
    rgb = read_photo(Path(skimage.__file__).parent / "data" / "astronaut.png").rgb
    try:
        package, ours = Package(), Ours()
    except CoreError as error:
        print(f"{error.sentence} {error.remedy}", file=sys.stderr)
        return error.exit_status
    followers = PackageMesher(FOUND, following=True), FaceMesher(ours.networks, following=True)
    rows = {
        "short range": (lambda: package.short_range.detect(rgb), lambda: ours.short_range.detect(rgb)),
        "full range": (lambda: package.full_range.detect(rgb), lambda: ours.full_range.detect(rgb)),
        "a photo's points": (lambda: package.mesher.points(rgb), lambda: ours.mesher.points(rgb)),
        "a followed face's": (lambda: followers[0].points(rgb), lambda: followers[1].points(rgb)),
    }
    print("| CPU ms | package | ours |\n| --- | --- | --- |")
    for name, (theirs, own) in rows.items():
        print(f"| {name} | {least_ms(theirs):.1f} | {least_ms(own):.1f} |")
    print("\n| faces in one call | CPU ms a face |\n| --- | --- |")
    for count in (1, 2, 4, 8):
        faces = [FACE] * count
        spent = least_ms(lambda faces=faces: mesh_points(ours.networks.mesh, rgb, faces))  # type: ignore[misc]
        print(f"| {count} | {spent / count:.1f} |")
    return 0


def least_ms(call: Callable[[], object]) -> float:
    """CPU time of all threads, the least of RUNS after a first one: other work on the machine only adds to it."""
    call()
    spent = []
    for _ in range(RUNS):
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)
    return min(spent) * 1e3


if __name__ == "__main__":
    sys.exit(main())
