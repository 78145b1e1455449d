"""Runs n2fnet.onnx and reads its outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference_core.errors import BadInput, ModelMissing
from inference_core.head import Camera, Head, HeadParameters, signed_expressions
from inference_core.head.rotations import matrix_from_6d, vector_from_matrix
from inference_core.n2fnet.belief import ShapeBelief, read_reliability
from inference_core.n2fnet.placement import CROP_SIZE, translation_from_placement

BUNDLED_WEIGHTS = Path(__file__).parents[1] / "assets" / "n2fnet.onnx"
OUTPUTS = ("shape", "expression", "jaw", "eyelids", "rotation", "placement")
SKETCHED = 50
SKETCH_TOLERANCE = 0.1  # unrelated directions differ by about 1
SHAPE_LIMIT = 4.0  # standard deviations; beyond them a head is not a head
SIGNED_LIMIT = 3.0  # standard deviations, of expressions that take both signs

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Estimate:
    """One face. The camera's intrinsics are the crop's (256 px); rotation and translation hold for the photograph.

    `belief`: what the answer says of the person's shape; None where nobody has measured it.
    """

    parameters: HeadParameters
    camera: Camera
    belief: ShapeBelief | None = None


class HeadRegressor(Protocol):
    """What gives a first guess for a head: its own network, or another head's with a transfer."""

    def estimate(self, normals: Floats | Float32s, face_mask: NDArray[np.generic], crop_intrinsics: Floats) -> Estimate:
        """As `Regressor.estimate`."""
        ...


def basis_sketch(head: Head) -> Floats:
    """(<= 50,): how the first identity directions lie to a fixed, arbitrary one; cosines times a constant.

    Says whether weights and head mean the same by a shape code. Not a hash: a corrected lip or a new UV map does not
    make weights worthless, another basis does. A head whose teeth were moved later, where no network sees them, says
    what that took away (Head.sketch_shift).
    """
    sketch = sketch_of(head.shape_dirs)
    return sketch if head.sketch_shift is None else sketch + head.sketch_shift


def sketch_of(shape_dirs: NDArray[np.float16] | Float32s) -> Floats:
    """The same of directions (V, 3, S)."""
    count = min(SKETCHED, shape_dirs.shape[2])
    directions = shape_dirs[..., :count].reshape(-1, count).astype(np.float64)
    arbitrary = np.cos(np.arange(len(directions), dtype=np.float64) ** 2)
    return np.asarray(arbitrary @ directions / np.linalg.norm(directions, axis=0))


class Regressor:
    """The network, loaded once. Use it from one thread at a time or from several: sessions are thread-safe."""

    def __init__(
        self, path: Path = BUNDLED_WEIGHTS, threads: int = 0, providers: tuple[str, ...] = ("CPUExecutionProvider",)
    ) -> None:
        """threads: 0 lets ONNX Runtime decide.

        Raises:
            ModelMissing: where the file is absent, no network that this version of ONNX Runtime reads, or does not name
                its head.
        """
        if not path.is_file():
            raise ModelMissing(f"The network {path.name} is missing.", "Install the package again.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Spinning workers would eat the core that the next stage runs on.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
            metadata = self._session.get_modelmeta().custom_metadata_map
            self.head_id = metadata["head_id"]
            self._basis = np.asarray(json.loads(metadata["basis"]), dtype=np.float64)
            self._expression_names = tuple(json.loads(metadata["expression_names"]))
            shape_count = int(self._session.get_outputs()[OUTPUTS.index("shape")].shape[1])
            self._reference = np.asarray(json.loads(metadata["reference_point"]), dtype=np.float64)
        except KeyError as error:
            raise ModelMissing(
                f"The network {path.name} does not name its head.", "Install the package again."
            ) from error
        except Exception as error:  # ONNX Runtime's own exceptions share no public base
            raise ModelMissing(
                f"The network {path.name} cannot be loaded: {error}.", "Install the package again."
            ) from error

        self._reliability = read_reliability(path, shape_count)

    def check(self, head: Head) -> None:
        """See to it that these weights serve this head.

        Raises:
            ModelMissing: unless they were trained for it, or for one that means the same.
        """
        sketch = basis_sketch(head)
        same = sketch.shape == self._basis.shape and np.abs(sketch - self._basis).max() < SKETCH_TOLERANCE
        if not same or self._expression_names != head.expression_names:
            raise ModelMissing(
                f"The N2FNet weights were trained for another head ({self.head_id}) than {head.head_id}.",
                "Choose the weights that belong to the head, or train them.",
            )

    def estimate(self, normals: Floats | Float32s, face_mask: NDArray[np.generic], crop_intrinsics: Floats) -> Estimate:
        """normals (256, 256, 3) unit, camera frame (+X right, +Y up, +Z to the camera); face_mask (256, 256) bool or
        0..1; crop_intrinsics (4,) fx fy cx cy of the crop, px.

        Raises:
            BadInput: for other shapes.
        """
        if normals.shape != (CROP_SIZE, CROP_SIZE, 3) or face_mask.shape != (CROP_SIZE, CROP_SIZE):
            raise BadInput(f"N2FNet reads 256 x 256 px, not {normals.shape} with a mask of {face_mask.shape}.")
        return self.estimate_batch(normals[None], face_mask[None], np.asarray(crop_intrinsics)[None])[0]

    def estimate_batch(
        self, normals: Floats | Float32s, face_masks: NDArray[np.generic], crop_intrinsics: Floats
    ) -> list[Estimate]:
        """`estimate` for (n, 256, 256, 3), (n, 256, 256), (n, 4)."""
        masked = normals.astype(np.float32) * face_masks.astype(np.float32)[..., None]
        outputs = self._session.run(list(OUTPUTS), {"normals": np.ascontiguousarray(masked.transpose(0, 3, 1, 2))})
        values = {name: np.asarray(value, dtype=np.float64) for name, value in zip(OUTPUTS, outputs, strict=True)}
        count = len(masked)
        rotation = matrix_from_6d(values["rotation"])
        translation = translation_from_placement(rotation, values["placement"], crop_intrinsics, self._reference)
        vectors = vector_from_matrix(rotation)
        jaw = vector_from_matrix(matrix_from_6d(values["jaw"]))
        shape = np.clip(values["shape"], -SHAPE_LIMIT, SHAPE_LIMIT)
        signed = signed_expressions(self._expression_names)
        low, high = np.where(signed, -SIGNED_LIMIT, 0.0), np.where(signed, SIGNED_LIMIT, 1.0)
        expression, eyelids = np.clip(values["expression"], low, high), np.clip(values["eyelids"], 0, 1)
        return [
            Estimate(
                HeadParameters(
                    shape=shape[i],
                    expression=expression[i],
                    neck=np.zeros(3),
                    jaw=jaw[i],
                    eyes=np.zeros((2, 3)),
                    eyelids=eyelids[i],
                ),
                Camera(vectors[i], translation[i], np.asarray(crop_intrinsics[i], dtype=np.float64)),
                None if self._reliability is None else self._reliability.belief(shape[i]),
            )
            for i in range(count)
        ]
