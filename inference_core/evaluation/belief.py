"""How far N2FNet's answers are to be believed, along each identity direction: measured on painted people with truth.

    python -m inference_core.evaluation.belief --count 400 [--write]

The people are drawn from the head's population and painted as photographs; normals and mask are the product's own, so
the errors are those that the product meets. `--write` puts the table into the network's card, from which the fit takes
its prior (`n2fnet.belief`). Measure again whenever the head's identities, N2FNet or the normals change.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer

from inference_core.errors import ModelMissing
from inference_core.evaluation.photographs import through_perception
from inference_core.evaluation.samples import open_head_samples
from inference_core.head import BUNDLED_HEAD, Head, load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, HeadRegressor
from inference_core.n2fnet.belief import CARD_KEY, Reliability, card_of
from inference_core.n2fnet.weights import regressor_for
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import NormalEstimator
from inference_core.training.geometry import Floats
from inference_core.training.n2fnet.config import HeadSpace

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def answers_and_truths(head: Head, regressor: HeadRegressor, count: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Shapes (S,): N2FNet's and the true one, of people drawn N(0, 1) whose face is found."""
    samples = open_head_samples(head, count, seed, replace(HeadSpace(), shape_sigma=1.0))
    for sample, seen in through_perception(head, samples, FaceFinder(), NormalEstimator(), seed):
        if seen is not None:
            answer = regressor.estimate(seen.normals, seen.face, seen.intrinsics).parameters.shape
            yield answer, sample.parameters.shape


@app.command()
def run(
    count: Annotated[int, typer.Option(min=2, help="People.")] = 400,
    seed: Annotated[int, typer.Option()] = 7,
    write: Annotated[bool, typer.Option("--write", help="Write the table into N2FNet's card.")] = False,
) -> None:
    """Print what the answers are worth: slope and width of directions, strongest first."""
    head = load_head(BUNDLED_HEAD)
    regressor = regressor_for(head, None)
    if regressor is None:
        print(f"There is no N2FNet for the head '{head.head_id}': train it first.", file=sys.stderr)
        raise typer.Exit(ModelMissing.exit_status)
    answers, truths = (
        np.array(values) for values in zip(*answers_and_truths(head, regressor, count, seed), strict=True)
    )
    table = Reliability.measured(answers, truths)
    before = np.sqrt(((truths - answers) ** 2).mean(axis=0))
    print(f"{len(answers)} people; directions: expected truth over answer, width about it, width about the answer")
    for first, last in ((0, 5), (5, 20), (20, 50), (50, 100), (100, head.shape_count)):
        part = slice(first, min(last, head.shape_count))
        if part.start < part.stop:
            values = (values[part].mean() for values in (table.slope, table.sigma, before))
            print(f"{first:4d} to {part.stop - 1:3d}: " + "  ".join(f"{value:.2f}" for value in values))
    if write:
        card = card_of(BUNDLED_WEIGHTS)
        values = json.loads(card.read_text(encoding="utf-8"))
        values[CARD_KEY] = {**table.as_card(), "people": len(answers), "seed": seed}
        card.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
