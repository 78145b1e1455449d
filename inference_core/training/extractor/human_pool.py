"""SynthHuman's samples as a pool that training draws from: cropped about the face once, before the first step."""

from __future__ import annotations

import json
from pathlib import Path

from rich.progress import track

from inference_core.errors import BadInput
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.training.extractor.pool import Pool, Record
from inference_core.training.extractor.synthhuman import find_humans, human_records

SEED = 98040


def human_pool(folder: Path, cache: Path, count: int | None = None, teacher: Path = BUNDLED_NORMALS) -> Pool:
    """The first `count` samples of `folder` as records in `cache`; read again only when either has changed.

    Samples without a face are left out.

    Raises:
        BadInput: where none is left, and for what `synthhuman` refuses.
    """
    photos = find_humans(folder)[:count]
    made_from = {"photos": [str(photo.relative_to(folder)) for photo in photos], "folder": str(folder.absolute())}
    note = cache / "made_from.json"
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) == made_from:
        return Pool(cache, len(photos))
    pool, filled = Pool(cache, len(photos)), 0
    for _, records in track(human_records(photos, NormalEstimator(teacher), SEED), "SynthHuman", len(photos)):
        for record in records[: len(photos) - filled]:
            pool.put(filled, record)
            filled += 1
    if not filled:
        raise BadInput(f"No face was found in the samples of '{folder}'.", "Name the part of the data set with faces.")
    for number in range(filled, len(photos)):  # the places of samples without a face
        again = number % filled
        pool.put(number, Record(pool.rgb[again], pool.normals[again], pool.labels[again]))
    note.write_text(json.dumps(made_from), encoding="utf-8")
    return pool
