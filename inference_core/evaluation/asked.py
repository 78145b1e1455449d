"""What was asked of the product, what is reached, and what was in sight when its constants were chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from inference_core.evaluation.focal_cost import cost
from inference_core.evaluation.real_people import RealPeople
from inference_core.evaluation.run import Row

PRODUCT = "N2FNet, fit"


@dataclass(frozen=True)
class Measured:
    """What the table is made from. `people` is None where no photographs were measured."""

    rows: Sequence[Row]
    people: RealPeople | None = None

    def row(self, inputs: str) -> Row | None:
        """Of the whole product; None: not measured."""
        return next((row for row in self.rows if (row.inputs, row.method) == (inputs, PRODUCT)), None)


Value = Callable[[Measured], tuple[str, str] | None]
"""What is reached, and the same with size held where that is another number; None: not measured."""


@dataclass(frozen=True)
class Asked:
    """A line of the table."""

    what: str
    limit: str
    sight: str
    value: Value


def _face(inputs: str) -> Value:
    def value(measured: Measured) -> tuple[str, str] | None:
        row = measured.row(inputs)
        return None if row is None else (f"{row.scaled_distance:.2f} mm", f"{row.distance['face']:.2f} mm")

    return value


def _painted(measured: Measured) -> tuple[str, str] | None:
    row = measured.row("RGB")
    if row is None:
        return None
    return f"{row.scaled_distance:.2f} mm; {row.landmarks:.1f} %", f"{row.distance['face']:.2f} mm"


def _landmarks(measured: Measured) -> tuple[str, str] | None:
    if measured.people is None or measured.people.portraits is None:
        return None
    return f"{np.median(measured.people.portraits.landmarks):.2f} %", ""


def _between_people(measured: Measured) -> tuple[str, str] | None:
    if measured.people is None or measured.people.portraits is None:
        return None
    between, drawn = measured.people.portraits.spread, measured.people.population
    return f"{between.scaled / drawn.scaled:.2f}", f"{between.held / drawn.held:.2f}"


def _one_person(measured: Measured) -> tuple[str, str] | None:
    if measured.people is None or measured.people.portraits is None or measured.people.one is None:
        return None
    within, between = measured.people.one.spread, measured.people.portraits.spread
    return f"{within.scaled / between.scaled:.2f}", f"{within.held / between.held:.2f}"


def _together(measured: Measured) -> tuple[str, str] | None:
    if measured.people is None or measured.people.together is None:
        return None
    return f"{np.max(measured.people.together):.2f} % in the worst", ""


def _focal(measured: Measured) -> tuple[str, str] | None:
    found = cost(measured.rows, "Perry-Smith")
    return None if found is None else (f"{found[0]:.2f} mm", f"{found[1]:.2f} mm")


SEEN, UNSEEN = "seen", "unseen"
FIT_SAW = "seen by the fit's constants; unseen in training"
ASKED = (
    Asked("Perry-Smith, RGB", "1.05 mm", FIT_SAW, _face("Perry-Smith, RGB")),
    Asked("Perry-Smith, true normals", "0.60 mm", FIT_SAW, _face("Perry-Smith, true")),
    Asked("FLAME Open's people, true normals", "0.65 mm", UNSEEN, _face("FLAME, true")),
    Asked("FLAME Open's people, RGB", "1.10 mm", UNSEEN, _face("FLAME, RGB")),
    Asked(
        "synthetic people, painted, whole pipeline; NME", "0.8 mm; 2.5 %", "people unseen; population seen", _painted
    ),
    Asked("inner landmarks on the portraits, median", "1.5 %", UNSEEN, _landmarks),
    Asked("spread between the portraits' people over the population's", "at least 0.7", UNSEEN, _between_people),
    Asked("spread of one person's photos, each alone, over that between people", "below 0.4", UNSEEN, _one_person),
    Asked("one person's four photos together: inner landmarks in each", "1.8 %", UNSEEN, _together),
    Asked("a focal length of half or twice the true one costs (Perry-Smith)", "below 0.15 mm", FIT_SAW, _focal),
    Asked("ICT's people at rest, true normals", "1.2 mm", SEEN, _face("ICT neutral (seen), true")),
    Asked("ICT's people with expressions, true normals", "1.2 mm", SEEN, _face("ICT expressive (seen), true")),
    Asked("Open Heads, true normals", "0.6 mm", SEEN, _face("true")),
)


def asked_lines(measured: Measured) -> list[str]:
    """The table in Markdown; lines that were not measured are left out."""
    lines = [
        "| asked for | at most | now, by NoW's alignment | size held | when constants were chosen |",
        "| --- | --- | --- | --- | --- |",
    ]
    for line in ASKED:
        value = line.value(measured)
        if value is not None:
            lines.append(f"| {line.what} | {line.limit} | {value[0]} | {value[1]} | {line.sight} |")
    return lines
