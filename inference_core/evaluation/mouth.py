"""`python -m inference_core.evaluation.mouth`: do teeth stay inside? ARKit's shapes and what faces make of them, on
random people.

A tooth is outside where the way from it into the mouth, towards the middle of its row, meets skin that looks outwards
(cheeks, lips, no lining) and nothing is before it: a lip that is rolled in lies behind teeth, but nobody sees it.
Printed: on how many people and in which shapes, and how far, mm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inference_core.evaluation.look import played, shape_names
from inference_core.formats.arkit import JAW_OPEN
from inference_core.head import BUNDLED_HEAD, Head, HeadParameters, load_head, pose_head
from inference_core.head.model import Indices
from inference_core.training.geometry import Floats

PEOPLE_STREAM = 0x1007
SLACK = 0.0002  # m: less is not seen
THROUGH = 0.010  # m a tooth may stand before the skin at most; what lies further inwards is the other cheek
COMBINATIONS: dict[str, dict[str, float]] = {
    "smile, teeth shown": {"mouthSmile": 1.0, "mouthUpperUp": 0.5, "mouthLowerDown": 0.5},
    "smile, teeth shown a little": {"mouthSmile": 0.6, "mouthUpperUp": 0.3, "mouthLowerDown": 0.3},
    "smile, jaw": {"mouthSmile": 1.0, "jawOpen": 0.3},
    "laugh": {"mouthSmile": 1.0, "mouthUpperUp": 0.5, "mouthLowerDown": 0.5, "jawOpen": 0.6},
    "both smiles and dimples": {"mouthSmile": 1.0, "mouthDimple": 0.6},
    "grimace": {"mouthStretch": 1.0, "mouthLowerDown": 1.0, "mouthUpperUp": 0.5},
    "scream": {"mouthStretch": 0.7, "mouthFrown": 0.5, "jawOpen": 1.0},
    "snarl": {"noseSneer": 1.0, "mouthUpperUp": 1.0},
    "cry": {"mouthFrown": 1.0, "mouthLowerDown": 0.7, "jawOpen": 0.2},
    "oh": {"mouthFunnel": 1.0, "jawOpen": 0.5},
    "oo": {"mouthPucker": 1.0, "jawOpen": 0.15},
    "em": {"mouthRollUpper": 0.7, "mouthRollLower": 0.7, "mouthPress": 0.5},
    "ef": {"mouthRollLower": 0.6, "mouthUpperUp": 0.4},
    "chew": {"jawOpen": 0.3, "jawLeft": 0.7, "mouthClose": 0.3},
}
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, eq=False)
class Probe:
    """Places on the teeth: their vertices and the middles of their polygons; and the triangles of the outer skin."""

    vertices: Indices  # (n,) all that is posed
    corners: Indices  # (P, 4) places in `vertices`; a place is its corners' mean
    skin: Indices  # (T, 3) places in `vertices`

    @classmethod
    def of(cls, head: Head) -> Probe:
        """Of a head with regions `teeth`, `mouth`, `lips`, `inner_mouth`."""
        teeth = head.region("teeth")
        quads = head.quads[teeth[head.quads].all(axis=1) & (head.quads[:, 3] >= 0)]
        points = np.concatenate([np.repeat(np.flatnonzero(teeth)[:, None], 4, axis=1), quads])
        around = head.template[teeth]
        low, high = around.min(axis=0) - 0.02, around.max(axis=0) + 0.03
        near = ((head.template > low) & (head.template < high)).all(axis=1)
        outer = head.region("skin") & ~head.region("inner_mouth") & ~head.region("hidden") & near
        skin = head.triangles[outer[head.triangles].all(axis=1)]
        vertices = np.unique(np.concatenate([points.ravel(), skin.ravel()])).astype(np.int32)
        place = np.full(head.vertex_count, -1, np.int32)
        place[vertices] = np.arange(len(vertices))
        return cls(vertices, place[points], place[skin])

    def outside(self, posed: Floats) -> Floats:
        """(P,) m: how far each place stands out of the skin, 0 inside; posed (n, 3)."""
        points = posed[self.corners].mean(axis=1)
        middle = points.mean(axis=0)
        inwards = middle - points
        inwards[:, 1] = 0.0
        inwards /= np.linalg.norm(inwards, axis=1, keepdims=True)
        a, b, c = (posed[self.skin[:, corner]] for corner in range(3))
        out = _met(points, inwards, a, b - a, c - a)
        covered = _met(points, -inwards, a, c - a, b - a) > 0
        return np.where(covered, 0.0, out)


def _met(points: Floats, ways: Floats, origin: Floats, one: Floats, two: Floats) -> Floats:
    """(P,) m along unit `ways` (P, 3) to the first triangle that looks against them, 0 for none within THROUGH.

    Moeller and Trumbore, "Fast, minimum storage ray-triangle intersection" (1997), with scalar triple products.
    """
    normal, moment = np.cross(one, two), np.cross(points, ways)
    facing = ways @ normal.T  # (P, T), below 0: the triangle looks towards the point
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (moment @ two.T - ways @ np.cross(two, origin).T) / -facing
        v = (moment @ one.T - ways @ np.cross(one, origin).T) / facing
        far = ((origin * normal).sum(axis=1) - points @ normal.T) / facing
    hit = (facing < 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (far > SLACK) & (far < THROUGH)
    return np.asarray(np.where(hit, far, 0.0).max(axis=1))


def shapes(head: Head) -> dict[str, HeadParameters]:
    """ARKit's 52 at full strength, and COMBINATIONS."""
    made = {name: played(head, name, 1.0) for name in shape_names(head)}
    return made | {name: combined(head, strengths) for name, strengths in COMBINATIONS.items()}


def combined(head: Head, strengths: dict[str, float]) -> HeadParameters:
    """Several shapes at once; a name without its side or half means both."""
    result = played(head, "jawOpen", 0.0)
    for name, strength in strengths.items():
        if name == "jawOpen":
            result.jaw[0] = strength * JAW_OPEN
            continue
        if name == "jawLeft":
            result.jaw[:] += played(head, name, strength).jaw
            continue
        for index, known in enumerate(head.expression_names):
            if known in (name, f"{name}Left", f"{name}Right"):
                result.expression[index] = strength
    return result


def measured(head: Head, count: int, seed: int, faces: dict[str, HeadParameters]) -> list[dict[str, float]]:
    """Of each of `count` random people: which of the `faces` -> how far the furthest tooth stands out, mm."""
    probe = Probe.of(head)
    people = []
    for number in range(count):
        shape = np.random.default_rng((PEOPLE_STREAM, seed, number)).normal(size=head.shape_count)
        found = {}
        for name, parameters in faces.items():
            posed = pose_head(head, replace(parameters, shape=shape), probe.vertices)
            found[name] = 1e3 * float(probe.outside(posed).max())
        people.append(found)
    return people


@app.command()
def main(
    head: Annotated[Path, typer.Option(help="The head file.")] = BUNDLED_HEAD,
    count: Annotated[int, typer.Option(help="How many people.")] = 50,
    seed: Annotated[int, typer.Option(help="Which people.")] = 0,
) -> None:
    """Print where teeth stand out of the skin."""
    known = load_head(head)
    people = measured(known, count, seed, shapes(known))
    out = [{name: far for name, far in one.items() if far > 0} for one in people]
    cases = Counter(name for one in out for name in one)
    worst = max((far for one in out for far in one.values()), default=0.0)
    print(f"{len(people)} people, {len(people[0])} shapes: teeth out of the skin on {sum(map(bool, out))} people,")
    print(f"in {sum(cases.values())} of {len(people) * len(people[0])} heads, at most {worst:.1f} mm")
    for name, number in cases.most_common():
        print(f"  {name:<28} {number:3d} people, at most {max(one.get(name, 0.0) for one in out):.1f} mm")


if __name__ == "__main__":
    app()
