"""The head: a 3D morphable model in FLAME's form, read from one npz file. All lengths in metres, head space.

Head space is FLAME's: +X the subject's left, +Y up, +Z out of the face.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import ModelMissing
from inference_core.formats.npz import FAULTS, read_npz
from inference_core.head.combinations import Combinations

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
Mask = NDArray[np.bool_]

BUNDLED_HEAD = Path(__file__).parents[1] / "assets" / "open_head.npz"
STATISTICAL_PREFIX = "expr."
"""Names of expressions that are modes of a statistical model, as FLAME's are: both signs, in standard deviations.

All others are units that go from 0, at rest, to 1, as ARKit's do."""
JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")
PARENTS = (-1, 0, 1, 1, 1)


@dataclass(frozen=True, eq=False)
class Head:
    """A head's template, directions, joints and correspondences. V vertices, T triangles, Q polygons.

    The five joints are JOINTS, their parents PARENTS. Barycentric data refer to `triangles`.
    """

    head_id: str
    sha256: str
    licence: str
    commercial_use: bool
    template: Float32s  # (V, 3)
    quads: Indices  # (Q, 4), -1 in the last column: a triangle
    triangles: Indices  # (T, 3)
    uv: Float32s  # (U, 2)
    uv_quads: Indices  # (Q, 4)
    material: Indices  # (Q,)
    material_names: tuple[str, ...]
    shape_dirs: Float32s  # (V, 3, S), one standard deviation each
    expression_dirs: Float32s  # (V, 3, E)
    expression_names: tuple[str, ...]
    expression_sigma: Float32s  # (E,) width of the prior
    pose_dirs: Float32s  # (V, 3, 36)
    eyelid_dirs: Float32s  # (V, 3, 2) left, right
    joint_regressor: Float32s  # (5, V)
    skin_weights: Float32s  # (V, 5)
    region_names: tuple[str, ...]
    region_masks: Mask  # (R, V)
    landmark_triangles: Indices  # (51,) iBUG 17..67
    landmark_barycentric: Float32s  # (51, 3)
    contour_yaw: Float32s  # (K,) degrees
    contour_triangles: Indices  # (K, 17) iBUG 0..16
    contour_barycentric: Float32s  # (K, 17, 3)
    mediapipe_index: Indices  # (M,)
    mediapipe_triangles: Indices  # (M,)
    mediapipe_barycentric: Float32s  # (M, 3)
    mediapipe_sigma: Float32s  # (M,) spread on the surface, m
    combinations: Combinations  # correctives of two motions together; FLAME heads have none
    tooth_places: Float32s | None = None  # (V, 2) tooth and height on it, see look.mouth; NaN elsewhere
    sketch_shift: Float32s | None = None  # (<= 50,) what teeth that were moved later took from n2fnet's basis_sketch
    # What only heads made from FLAME have; None or empty elsewhere.
    arkit_names: tuple[str, ...] = ()  # A of ARKit's names, beside the head's own expressions
    arkit_dirs: Float32s | None = None  # (V, 3, A) each as one shape, jaw, gaze and lids included
    makehuman_uv: Float32s | None = None  # (U, 2) where each place of the UV lies in MakeHuman's, whose skins are CC0
    open_head_triangles: Indices | None = None  # (V,) where each vertex lies on the Open Head: its triangle,
    open_head_barycentric: Float32s | None = None  # (V, 3) the place on it,
    open_head_offset: Float32s | None = None  # (V, 3) and the rest of the way from its template to ours, m

    @property
    def vertex_count(self) -> int:
        """V."""
        return self.template.shape[0]

    @property
    def worn_by_makehuman(self) -> Self:
        """The head with MakeHuman's UV, in which its CC0 skins are painted.

        Raises:
            ValueError: for other heads.
        """
        if self.makehuman_uv is None:
            raise ValueError(f"{self.head_id} does not know where it lies on MakeHuman's skins")
        return replace(self, uv=self.makehuman_uv)

    @property
    def shape_count(self) -> int:
        """S, the number of identity directions."""
        return self.shape_dirs.shape[2]

    @property
    def expression_count(self) -> int:
        """E, the number of expression directions."""
        return self.expression_dirs.shape[2]

    @cached_property
    def signed_expressions(self) -> Mask:
        """(E,) which expressions take both signs."""
        return signed_expressions(self.expression_names)

    def region(self, name: str) -> Mask:
        """(V,) bool: the vertices of a named region.

        Raises:
            KeyError: for a name the head does not have.
        """
        if name not in self.region_names:
            raise KeyError(f"{self.head_id} has no region {name!r}; it has {', '.join(self.region_names)}")
        return np.asarray(self.region_masks[self.region_names.index(name)])

    @cached_property
    def linear_dirs(self) -> Float32s:
        """(S+E+2, V*3): shape, expression and eyelid directions as rows, ready for one matrix product."""
        dirs = np.concatenate([self.shape_dirs, self.expression_dirs, self.eyelid_dirs], axis=2)
        return np.ascontiguousarray(dirs.reshape(-1, dirs.shape[2]).T)

    @property
    def whole_expression_dirs(self) -> Float32s:
        """(V, 3, E): with what only an open jaw brings out of mouthClose and tongueOut, see Combinations."""
        whole = self.expression_dirs.copy()
        for pair, (name, _) in enumerate(self.combinations.names):
            if name in self.expression_names:
                whole[:, :, self.expression_names.index(name)] += self.combinations.dirs[:, :, pair]
        return whole

    @cached_property
    def joint_template(self) -> Floats:
        """(5, 3): the joints of the template."""
        return np.asarray(self.joint_regressor.astype(np.float64) @ self.template)

    @cached_property
    def joint_dirs(self) -> Floats:
        """(5, 3, S+E): how the joints follow shape and expression."""
        moved = np.concatenate([self.shape_dirs, self.expression_dirs], axis=2)
        flat = self.joint_regressor.astype(np.float64) @ moved.reshape(self.vertex_count, -1)
        return np.asarray(flat.reshape(len(JOINTS), 3, -1))


@dataclass(frozen=True, eq=False)
class HeadParameters:
    """Omega without the camera. float64; leading batch dimensions are allowed, the same on every field.

    Rotations are rotation vectors about the joints, rad. Eyelids: 0 open, 1 closed; left, right.
    """

    shape: Floats  # (..., S)
    expression: Floats  # (..., E)
    neck: Floats  # (..., 3)
    jaw: Floats  # (..., 3)
    eyes: Floats  # (..., 2, 3) left, right
    eyelids: Floats  # (..., 2)

    @classmethod
    def neutral(cls, head: Head, batch: tuple[int, ...] = ()) -> Self:
        """The mean head at rest."""
        return cls(
            shape=np.zeros((*batch, head.shape_count)),
            expression=np.zeros((*batch, head.expression_count)),
            neck=np.zeros((*batch, 3)),
            jaw=np.zeros((*batch, 3)),
            eyes=np.zeros((*batch, 2, 3)),
            eyelids=np.zeros((*batch, 2)),
        )


def signed_expressions(names: Sequence[str]) -> Mask:
    """(E,) which expressions of these names take both signs."""
    return np.array([name.startswith(STATISTICAL_PREFIX) for name in names], dtype=np.bool_)


def load_head(path: Path = BUNDLED_HEAD) -> Head:
    """Read a head file; without a path the bundled Open Head.

    Raises:
        ModelMissing: where the file is missing, damaged or no head; with the reason.
    """
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        arrays = read_npz(path)
        meta = json.loads(str(arrays["meta"]))
        head = _head_from_arrays(arrays, meta, sha256)
    except FileNotFoundError as error:
        raise ModelMissing(f"The head file {path.name} is missing.", "Install the package again.") from error
    except FAULTS as error:
        raise ModelMissing(
            f"The head file {path.name} cannot be read: {error}.", "Install the package again."
        ) from error
    return head


def _head_from_arrays(arrays: dict[str, NDArray[np.generic]], meta: dict[str, object], sha256: str) -> Head:
    if meta.get("format") != "n2f-head" or meta.get("version") != 1:
        raise ValueError("it is not a head file of version 1")

    def floats(name: str) -> Float32s:
        return np.asarray(arrays[name], dtype=np.float32)

    def indices(name: str) -> Indices:
        return np.asarray(arrays[name], dtype=np.int32)

    def names(name: str) -> tuple[str, ...]:
        return tuple(str(word) for word in arrays[name])

    head = Head(
        head_id=str(meta["head_id"]),
        sha256=sha256,
        licence=str(meta["license"]),
        commercial_use=meta.get("commercial_use") is True,
        template=floats("template"),
        quads=indices("quads"),
        triangles=indices("triangles"),
        uv=floats("uv"),
        uv_quads=indices("uv_quads"),
        material=indices("material"),
        material_names=names("material_names"),
        shape_dirs=floats("shape_dirs"),
        expression_dirs=floats("expression_dirs"),
        expression_names=names("expression_names"),
        expression_sigma=floats("expression_sigma"),
        pose_dirs=floats("pose_dirs"),
        eyelid_dirs=floats("eyelid_dirs"),
        joint_regressor=floats("joint_regressor"),
        skin_weights=floats("skin_weights"),
        region_names=names("region_names"),
        region_masks=np.asarray(arrays["region_masks"], dtype=np.bool_),
        landmark_triangles=indices("landmark_triangles"),
        landmark_barycentric=floats("landmark_barycentric"),
        contour_yaw=floats("contour_yaw"),
        contour_triangles=indices("contour_triangles"),
        contour_barycentric=floats("contour_barycentric"),
        mediapipe_index=indices("mediapipe_index"),
        mediapipe_triangles=indices("mediapipe_triangles"),
        mediapipe_barycentric=floats("mediapipe_barycentric"),
        mediapipe_sigma=floats("mediapipe_sigma"),
        combinations=_combinations(arrays),
        arkit_names=names("arkit_names") if "arkit_names" in arrays else (),
        arkit_dirs=floats("arkit_dirs") if "arkit_dirs" in arrays else None,
        makehuman_uv=floats("makehuman_uv") if "makehuman_uv" in arrays else None,
        tooth_places=floats("tooth_places") if "tooth_places" in arrays else None,
        sketch_shift=floats("sketch_shift") if "sketch_shift" in arrays else None,
        open_head_triangles=indices("open_head_triangles") if "open_head_triangles" in arrays else None,
        open_head_barycentric=floats("open_head_barycentric") if "open_head_barycentric" in arrays else None,
        open_head_offset=floats("open_head_offset") if "open_head_offset" in arrays else None,
    )
    _check(head)
    return head


def _combinations(arrays: dict[str, NDArray[np.generic]]) -> Combinations:
    if "combination_names" not in arrays:
        return Combinations.none(len(arrays["template"]))
    return Combinations(
        names=tuple((str(one), str(other)) for one, other in arrays["combination_names"].tolist()),
        columns=np.asarray(arrays["combination_columns"], dtype=np.int32),
        scales=np.asarray(arrays["combination_scales"], dtype=np.float64),
        dirs=np.asarray(arrays["combination_dirs"], dtype=np.float32),
    )


def _check(head: Head) -> None:
    count = head.vertex_count
    pairs = head.combinations
    if pairs.columns.shape != (len(pairs.names), 2) or pairs.scales.shape != pairs.columns.shape:
        raise ValueError("its combinations do not fit each other")
    if pairs.dirs.shape != (count, 3, len(pairs.names)) or np.any(pairs.columns >= head.expression_count + 38):
        raise ValueError("its combinations do not fit its template")
    if head.pose_dirs.shape != (count, 3, 36) or head.eyelid_dirs.shape != (count, 3, 2):
        raise ValueError("its directions do not fit its template")
    if head.shape_dirs.shape[:2] != (count, 3) or head.expression_dirs.shape[:2] != (count, 3):
        raise ValueError("its directions do not fit its template")
    if head.skin_weights.shape != (count, len(JOINTS)) or head.joint_regressor.shape != (len(JOINTS), count):
        raise ValueError("its joints do not fit its template")
    if head.makehuman_uv is not None and head.makehuman_uv.shape != head.uv.shape:
        raise ValueError("its places on MakeHuman's skins do not fit its UV")
    if head.open_head_triangles is not None and (
        head.open_head_barycentric is None
        or head.open_head_triangles.shape != (count,)
        or head.open_head_barycentric.shape != (count, 3)
    ):
        raise ValueError("its places on the Open Head do not fit its template")
    if head.triangles.min() < 0 or head.triangles.max() >= count:
        raise ValueError("its triangles name vertices that do not exist")
    if not all(np.isfinite(a).all() for a in (head.template, head.shape_dirs, head.expression_dirs, head.pose_dirs)):
        raise ValueError("it holds values that are not finite")
