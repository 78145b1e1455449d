"""ICT-FaceKit identities: a model made from light-stage scans that neither N2FNet nor the fit has ever seen.

The normals network has: a few hundred of its painted faces have people of this model (other draws). Where it works from
pictures of ICT, its share of the result is not that of an unseen model.

ICT Face Model Light, USC Institute for Creative Technologies, MIT licence. The data are not part of this repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inference_core.evaluation.face_points import find_face_points
from inference_core.evaluation.target import Target, carried_regions, lay_head, visible_vertices
from inference_core.head import Head
from inference_core.perception.face_mesh import FaceMesher
from inference_core.training.geometry import Floats

ICT_STREAM, POINT_STREAM = 0x1C7, 0x1C8
NARROW_FACE, SKIN = 6706, 11248  # vertices before these: the face without ears, neck and scalp; all skin
CM = 0.01
POINT_HEADS = 16  # identities on which Face Mesh's places are found; not those that are measured


class IctModel:
    """The linear model in metres, its axes those of head space."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "ict_facekit.npz", allow_pickle=False) as data:
            self.neutral = data["neutral"].astype(np.float64) * CM
            self.identity = data["identity"].astype(np.float32) * np.float32(CM)
            self.expression = data["expression"].astype(np.float32) * np.float32(CM)
            self.names = tuple(str(name) for name in data["expression_names"])
            quads = data["faces"]
        quads = np.where(quads < 0, quads[:, :1], quads)
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        distinct = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
        self.triangles = np.ascontiguousarray(triangles[distinct], np.int32)
        # Head space has its origin inside the head; where exactly does not matter to any measure.
        self.neutral -= self.neutral[:NARROW_FACE].mean(axis=0) - np.array([0.0, 0.0, 0.05])

    def draw(self, rng: np.random.Generator, expressive: bool) -> Floats:
        """(V, 3): a random person; `expressive` adds a handful of expression units."""
        vertices = self.neutral + np.tensordot(rng.normal(size=len(self.identity)), self.identity, axes=1)
        if expressive:
            usable = [i for i, name in enumerate(self.names) if not name.startswith("eyeLook")]
            chosen = rng.choice(usable, rng.integers(2, 7), replace=False)
            weights = rng.beta(1.2, 2.0, len(chosen))
            vertices = vertices + np.tensordot(weights, self.expression[chosen], axes=1)
        return np.asarray(vertices)

    def target(self, head: Head, mesher: FaceMesher) -> Target:
        """The mean face with regions and Face Mesh's places; people are its `with_vertices`. Takes some seconds."""
        usable = visible_vertices(self.neutral, self.triangles) & (np.arange(len(self.neutral)) < SKIN)
        rng = np.random.default_rng(POINT_STREAM)
        people = (self.draw(rng, False) for _ in range(POINT_HEADS))
        skin = np.arange(len(self.neutral)) < NARROW_FACE
        points = find_face_points(people, self.neutral, self.triangles, skin & usable, mesher)
        laid = lay_head(head, self.neutral, self.triangles, usable, points)
        regions = carried_regions(head, laid, self.neutral, usable)
        return Target(self.neutral, self.triangles, regions, points)


def ict_people(model: IctModel, count: int, seed: int, expressive: bool) -> Iterator[Floats]:
    """Vertices (V, 3) m of `count` random people; the same for a seed."""
    for number in range(count):
        yield model.draw(np.random.default_rng((ICT_STREAM, seed, int(expressive), number)), expressive)
