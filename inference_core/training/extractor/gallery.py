"""python -m inference_core.training.extractor.gallery docs/training_samples.jpg: 64 training samples in one picture."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import load_head
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.pool import sample_rng
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.showcase import write_small

GALLERY_SEED = 64
CELL = 128


def gallery(rows: int = 8, columns: int = 8) -> NDArray[np.uint8]:
    """(rows * CELL, columns * CELL, 3) uint8: the first samples of GALLERY_SEED, none left out."""
    anatomy = build_anatomy(load_head())
    cells = []
    for number in range(rows * columns):
        rgb = draw_sample(anatomy, sample_rng(GALLERY_SEED, number)).rgb
        cells.append(cv2.resize(rgb, (CELL, CELL), interpolation=cv2.INTER_AREA))
    lines = [np.concatenate(cells[i * columns : (i + 1) * columns], axis=1) for i in range(rows)]
    return np.asarray(np.concatenate(lines), np.uint8)


if __name__ == "__main__":
    write_small(Path(sys.argv[1]), gallery())
