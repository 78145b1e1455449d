"""python -m inference_core.evaluation.normals.gallery docs/training_samples.jpg: 64 training samples in one picture.

The upper half by Cycles, the lower by the rasteriser; none chosen, none left out. With ICT-FaceKit at hand some of the
shapes are its own, as in training. Needs Blender's module bpy.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.normals.showcase import write_small
from inference_core.training.extractor.path_traced import Studio, traced_rng
from inference_core.training.extractor.pool import Bodies, sample_rng
from inference_core.training.extractor.realphotos import DATA
from inference_core.training.extractor.sample import draw_sample

GALLERY_SEED = 64
CELL = 128
SECOND_SHARE = 0.3


def gallery(bodies: Bodies, rows: int = 8, columns: int = 8) -> NDArray[np.uint8]:
    """(rows * CELL, columns * CELL, 3) uint8: the first samples of GALLERY_SEED, half of each renderer."""
    anatomies, studio = bodies.anatomies(), Studio()
    half = rows * columns // 2
    drawn = [bodies.sample(anatomies, traced_rng(GALLERY_SEED, n), studio.draw) for n in range(half)]
    drawn += [bodies.sample(anatomies, sample_rng(GALLERY_SEED, n), draw_sample) for n in range(half)]
    cells = [cv2.resize(sample.rgb, (CELL, CELL), interpolation=cv2.INTER_AREA) for sample in drawn]
    lines = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, rows * columns, columns)]
    return np.asarray(np.concatenate(lines), np.uint8)


if __name__ == "__main__":
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    second = DATA / "ict_facekit"
    write_small(Path(sys.argv[1]), gallery(Bodies(str(second), SECOND_SHARE) if second.is_dir() else Bodies()))
