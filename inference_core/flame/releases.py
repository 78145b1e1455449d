"""Which FLAME a file is, and what its licence allows.

Only one sum is known for certain; every other file is called by its name and content, and counts as not for commercial
use, because of all versions only FLAME 2023 Open is free for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference_core.flame.model import FlameModel

OPEN_SHA256 = "e75a0990728ba038c7da2a420ae4396f7ddd7781366c13026066c5b24f127623"
RESEARCH = "FLAME model licence (non-commercial research)"


@dataclass(frozen=True)
class FlameFacts:
    """What is told about a FLAME file before and after it is added.

    `recognised_by`: "sha256" (exactly this file was published), "name" (it is called like a published file) or
    "form" (it has FLAME's form and no more is known). `head_id` is a proposal for its name in the library.
    """

    version: str
    head_id: str
    licence: str
    commercial_use: bool
    recognised_by: str
    source_sha256: str
    shape_count: int
    expression_count: int
    attribution: str


_PAPER = "Li, Bolkart, Black, Li, Romero: Learning a model of facial shape and expression from 4D scans (2017)"
_NAMES = (
    (r"flame_?2023_?open", "FLAME 2023 Open (by its name; the file differs from the published one)", "flame2023_open"),
    (r"flame_?2023_?no_?jaw", "FLAME 2023 without jaw", "flame2023_no_jaw"),
    (r"flame_?2023", "FLAME 2023", "flame2023"),
    (r"flame_?2020", "FLAME 2020", "flame2020"),
    (r"flame_?2019", "FLAME 2019", "flame2019"),
    (r"generic_model|flame_neutral", "FLAME 2019 or 2020", "flame"),
    (r"female_model|flame_female", "FLAME 2019 or 2020, female", "flame_female"),
    (r"male_model|flame_male", "FLAME 2019 or 2020, male", "flame_male"),
)


def facts_of(model: FlameModel) -> FlameFacts:
    """What is known of a checked file."""
    counts = model.shape_dirs.shape[2], model.expression_dirs.shape[2]
    if model.sha256 == OPEN_SHA256:
        attribution = f"FLAME 2023 Open, Max Planck Institute for Intelligent Systems, CC BY 4.0. {_PAPER}."
        return FlameFacts(
            "FLAME 2023 Open", "flame2023_open", "CC-BY-4.0", True, "sha256", model.sha256, *counts, attribution
        )
    for pattern, version, head_id in _NAMES:
        if re.search(pattern, model.name.lower()):
            return FlameFacts(version, head_id, RESEARCH, False, "name", model.sha256, *counts, f"{_PAPER}.")
    stem = re.sub(r"[^a-z0-9_.-]+", "_", model.name.lower().rsplit(".", 1)[0]).strip("._-")[:40]
    return FlameFacts(
        "a file of FLAME's form", stem or "flame", RESEARCH, False, "form", model.sha256, *counts, f"{_PAPER}."
    )
