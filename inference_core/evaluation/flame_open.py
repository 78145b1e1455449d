"""FLAME 2023 Open's people: another model, made from thousands of scans, that nothing of the product learns from.

Only what its owners allow to be passed on is there: the mean and the first 60 identity directions, no expressions.
FLAME 2023 Open, Max Planck Institute for Intelligent Systems (Li et al., "Learning a model of facial shape and
expression from 4D scans", SIGGRAPH Asia 2017), CC BY 4.0. The data are not part of this repository.

What lies where on it comes from `flame.registration`, which moves the Open Head's mesh freely and knows nothing of its
statistics: regions and looks stay the same whatever population the head has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.evaluation.face_points import FacePoints, Paint, find_face_points
from inference_core.evaluation.measures import REGIONS, Mask
from inference_core.evaluation.target import REACH, Target, visible_vertices
from inference_core.flame.registration import SKIN, Registration, register
from inference_core.head import Head
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.landmarks import MESH_POINTS
from inference_core.training.geometry import Floats, Indices

FLAME_STREAM, POINT_STREAM = 0xF1A3E, 0xF1A3F
POINT_HEADS = 8  # identities on which Face Mesh's places are found; not those that are measured


@dataclass(frozen=True, eq=False)
class FlameOpen:
    """The linear model. Head space, m."""

    template: Floats  # (5023, 3)
    directions: Floats  # (5023, 3, 60), one standard deviation each
    triangles: Indices  # (9976, 3)
    published: NDArray[np.int32]  # (105,) Face Mesh's points that FLAME's authors placed
    published_corners: Indices  # (105, 3)
    published_barycentric: Floats  # (105, 3)

    @classmethod
    def read(cls, folder: Path) -> FlameOpen:
        """From flame_basis.npz.

        Raises:
            BadInput: where the file is absent or incomplete.
        """
        path = folder / "flame_basis.npz"
        try:
            with np.load(path, allow_pickle=False) as data:
                triangles = np.ascontiguousarray(data["faces"], np.int32)
                return cls(
                    data["v_template"].astype(np.float64),
                    data["shapedirs"].astype(np.float64),
                    triangles,
                    data["landmark_indices"].astype(np.int32),
                    triangles[data["lmk_face_idx"]],
                    data["lmk_b_coords"].astype(np.float64),
                )
        except (OSError, KeyError, ValueError) as error:
            raise BadInput(f"FLAME 2023 Open cannot be read from '{path}'.", "Name its folder.") from error

    def draw(self, rng: np.random.Generator) -> Floats:
        """(V, 3): a random person, all 60 weights N(0, 1)."""
        return np.asarray(self.template + self.directions @ rng.normal(size=self.directions.shape[2]))

    def people(self, count: int, seed: int) -> Iterator[Floats]:
        """Vertices of `count` people; the same for a seed."""
        for number in range(count):
            yield self.draw(np.random.default_rng((FLAME_STREAM, seed, number)))

    def laid(self, open_head: Head) -> Registration:
        """Which place of it is which of the Open Head's. About two seconds."""
        return register(open_head, self.template, self.triangles)

    def regions(self, open_head: Head, laid: Registration) -> dict[str, Mask]:
        """The Open Head's, carried over: what level cameras see of them, (V,) each."""
        usable = visible_vertices(self.template, self.triangles) & (np.arange(len(self.template)) < SKIN)
        corners = open_head.triangles[laid.triangles]
        owner = corners[np.arange(len(corners)), laid.barycentric.argmax(axis=1)]
        near = usable & (laid.distance < REACH)
        return {name: open_head.region(name)[owner] & near for name in REGIONS}

    def published_points(self) -> FacePoints:
        """Face Mesh's 105 points that FLAME's authors placed."""
        corners, weights = np.zeros((MESH_POINTS, 3), np.int32), np.full((MESH_POINTS, 3), 1 / 3)
        corners[self.published], weights[self.published] = self.published_corners, self.published_barycentric
        return FacePoints(corners, weights, np.isin(np.arange(MESH_POINTS), self.published).astype(np.int64))

    def target(self, open_head: Head, laid: Registration, mesher: FaceMesher, paint: Paint) -> Target:
        """The mean face with the Open Head's regions, and all of Face Mesh's places as found on painted people."""
        regions = self.regions(open_head, laid)
        rng = np.random.default_rng(POINT_STREAM)
        people = (self.draw(rng) for _ in range(POINT_HEADS))
        points = find_face_points(people, self.template, self.triangles, regions["face"], mesher, paint)
        return Target(self.template, self.triangles, regions, points)

    def from_published(self, target: Target) -> float:
        """Median distance, mm, of Face Mesh's places as found from those that FLAME's authors published."""
        away = np.linalg.norm(target.face_points.on(self.template) - self.published_points().on(self.template), axis=1)
        both = np.isin(np.arange(MESH_POINTS), self.published) & (target.face_points.weight > 0)
        return float(1000 * np.median(away[both]))
