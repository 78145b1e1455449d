#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Learn which wrinkles come with expressions from portraits of many people.

    python scripts/build_wrinkles.py PORTRAITS [--every 2] [--cache DIR]

Every second portrait teaches; the others stay unseen, for measuring. Per texel the heights of all people are told
apart into what is there at rest and what grows with the regions' amounts, robustly; both sides of the face teach each
other. Writes inference_core/assets/wrinkles.npz and its card.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from inference_core.detail.evidence import evidence_of
from inference_core.detail.ground import Ground, ground_of
from inference_core.detail.moving import BASIS
from inference_core.detail.regions import REGIONS, amounts_of, shares_of
from inference_core.detail.relief import Subject, lines_alone
from inference_core.errors import CoreError
from inference_core.formats.options import ReconstructOptions
from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import atlas_of
from inference_core.look.sampling import sample
from inference_core.look.study import Sitter
from inference_core.reconstruct.models import Models
from inference_core.reconstruct.pipeline import Reconstructor

SIZE = 512
"""px of the basis: 0.8 mm of skin a texel, which is as fine as people's wrinkles lie alike."""
RIDGE = 0.6
"""Of one person's weight, on the moving part."""
SMOOTH = 1.2
"""Texels by which people's wrinkles, which lie here and there, are made one."""
OUTLIER = 0.08
LEAST = 0.006
"""mm at which a region's mean is anything but noise."""
ACTIVE, SHARE = 0.4, 0.7
"""Amount from which a person's region counts as moved, and what of the relief there is the expression's."""


def learned(paths: list[Path], models: Models, cache: Path | None) -> Iterator[tuple[Float32s, Float32s, Floats]]:
    """Heights and weights (S, S), and amounts (R,), of each portrait that shows skin."""
    reconstructor = Reconstructor(models)
    for path in paths:
        kept = None if cache is None else cache / f"{path.stem}.npz"
        if kept is not None and kept.is_file():
            with np.load(kept) as data:
                yield data["heights"].astype(np.float32), data["weight"].astype(np.float32), data["amounts"]
            continue
        try:
            options = ReconstructOptions(look="none", hair="none")
            photo, faces, _, _ = reconstructor.faces_of(path, options)
            made = reconstructor.reconstruct(photo, faces[0][1], options)
            ground = ground_of(atlas_of(models.head, SIZE), made.vertices)
            sitter = Sitter(made.photo, made.face, made.camera, made.vertices)
            evidence = evidence_of(ground, sitter, models.normals)
        except CoreError as error:
            print(f"{path.name}: {error.sentence}")
            continue
        subject = Subject(sitter, made.frame, made.normal_map, made.parameters.expression)
        heights, weight = lines_alone(evidence, subject)
        amounts = amounts_of(models.head, made.parameters.expression)
        whole = ground.whole(heights), ground.whole(weight), amounts
        if kept is not None:
            np.savez_compressed(
                kept, heights=whole[0].astype(np.float16), weight=whole[1].astype(np.float16), amounts=amounts
            )
        print(
            path.name,
            dict(zip((region.name for region in REGIONS), np.round(amounts, 2).tolist(), strict=True)),
            flush=True,
        )
        yield whole


def solved(people: list[tuple[Float32s, Float32s, Floats]], ground: Ground) -> tuple[Float32s, Float32s]:
    """(S, S) mm each: static and moving means of people."""
    shares = ground.whole(ground.over(shares_of(ground.part.atlas.head)))
    come = [shares @ amounts.astype(np.float32) for _, _, amounts in people]
    static = moving = np.zeros(shares.shape[:2], np.float32)
    for turn in range(4):
        one, mixed, two, first, second = (np.zeros(shares.shape[:2], np.float32) for _ in range(5))
        for (heights, weight, _), amount in zip(people, come, strict=True):
            trust = weight if turn == 0 else weight / (1.0 + ((heights - static - amount * moving) / OUTLIER) ** 2)
            one += trust
            mixed += trust * amount
            two += trust * amount * amount
            first += trust * heights
            second += trust * amount * heights
        one += np.float32(1e-3)
        two += np.float32(RIDGE)
        whole = one * two - mixed * mixed
        static = np.asarray((two * first - mixed * second) / whole, np.float32)
        moving = np.asarray((one * second - mixed * first) / whole, np.float32)
    return static, moving


def of_one_person(moving: Float32s, people: list[tuple[Float32s, Float32s, Floats]], ground: Ground) -> Float32s:
    """(S, S) mm: the mean as deep as one person's wrinkles: people's lie beside each other, and their mean is shallow.

    Regions of which the portraits say next to nothing become flat.
    """
    shares = ground.whole(ground.over(shares_of(ground.part.atlas.head)))
    depth = np.zeros(len(REGIONS), np.float32)
    for row in range(len(REGIONS)):
        here = shares[..., row] > 0.5
        if not here.any() or np.percentile(np.abs(moving[here]), 98) < LEAST:
            continue
        own = np.sqrt((moving[here] ** 2).mean())
        ratios = []
        for heights, weight, amounts in people:
            if amounts[row] > ACTIVE:
                seen = max(float(weight[here].sum()), 1e-3)
                ratios.append(np.sqrt((weight[here] * heights[here] ** 2).sum() / seen) / amounts[row] / own)
        depth[row] = SHARE * np.median(ratios) if ratios else 0.0
    total = np.maximum(shares.sum(axis=2), 1e-6)
    return np.asarray(moving * (shares @ depth) / total * np.minimum(total, 1.0), np.float32)


def both_sides(picture: Float32s, ground: Ground) -> Float32s:
    """The mean of a picture (S, S) and of its mirror image on the head."""
    part = ground.part
    other = sample(picture, np.nan_to_num(part.mirrored, nan=-1.0))
    own = picture.reshape(-1)[part.places]
    out = np.zeros(picture.size, np.float32)
    out[part.places] = np.where(np.isnan(part.mirrored[:, 0]), own, 0.5 * (own + other))
    return out.reshape(picture.shape)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    if arguments.cache is not None:
        arguments.cache.mkdir(parents=True, exist_ok=True)
    models = Models.load()
    head = models.head
    paths = sorted(arguments.portraits.glob("*.jpg"))[:: arguments.every]
    people = list(learned(paths, models, arguments.cache))
    ground = ground_of(atlas_of(head, SIZE), head.template.astype(np.float64))
    _static, moving = solved(people, ground)
    moving = both_sides(np.asarray(cv2.GaussianBlur(moving, (0, 0), SMOOTH), np.float32), ground)
    moving = of_one_person(moving, people, ground)
    meta = json.dumps({"format": "n2f-wrinkles", "version": 1, "head_sha256": head.sha256})
    np.savez_compressed(BASIS, meta=np.array(meta), heights=moving.astype(np.float16))
    shares = ground.whole(ground.over(shares_of(head)))
    deepest = {
        region.name: round(float(np.percentile(np.abs(moving[shares[..., row] > 0.5]), 98)), 3)
        for row, region in enumerate(REGIONS)
        if (shares[..., row] > 0.5).any()
    }
    card = {
        "name": "Wrinkles that come with expressions",
        "data": f"{len(people)} official portraits, works of the US government (public domain): every "
        f"{arguments.every}. of the folder; the others are not used",
        "recipe": "scripts/build_wrinkles.py PORTRAITS",
        "license": "CC0-1.0",
        "head_sha256": head.sha256,
        "sha256": hashlib.sha256(BASIS.read_bytes()).hexdigest(),
        "measures": {"deepest_mm_by_region": deepest},
        "limits": "most of these people smile and few raise or knit their brows: what hardly moved is left flat",
    }
    BASIS.with_suffix(".card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card, indent=2))


if __name__ == "__main__":
    main()
