"""python -m inference_core.training.extractor.gallery docs/training_samples.jpg: 64 training samples in one picture.

With ICT-FaceKit at hand a third of the shapes are its own, as in the last run of the shipped weights; else none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.training.extractor.pool import Bodies
from inference_core.training.extractor.realphotos import DATA
from inference_core.training.extractor.showcase import write_small

GALLERY_SEED = 64
CELL = 128
SECOND_SHARE = 0.3


def gallery(bodies: Bodies, rows: int = 8, columns: int = 8) -> NDArray[np.uint8]:
    """(rows * CELL, columns * CELL, 3) uint8: the first samples of GALLERY_SEED, none left out."""
    anatomies = bodies.anatomies()
    cells = []
    for number in range(rows * columns):
        rgb = bodies.record(anatomies, GALLERY_SEED, number).rgb
        cells.append(cv2.resize(rgb, (CELL, CELL), interpolation=cv2.INTER_AREA))
    lines = [np.concatenate(cells[i * columns : (i + 1) * columns], axis=1) for i in range(rows)]
    return np.asarray(np.concatenate(lines), np.uint8)


if __name__ == "__main__":
    second = DATA / "ict_facekit"
    write_small(Path(sys.argv[1]), gallery(Bodies(str(second), SECOND_SHARE) if second.is_dir() else Bodies()))
