"""Everything that is loaded once and used for every photo."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference_core.fit import warm_up
from inference_core.head import BUNDLED_HEAD, Head, load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.perception.session import providers, thread_count
from inference_core.reconstruct.assets import sha256


@dataclass(frozen=True, eq=False)
class Models:
    """Head, face finder and networks. Without `normals` or `regressor` the landmarks stand alone."""

    head: Head
    faces: FaceFinder
    normals: NormalEstimator | None
    regressor: Regressor | None
    weights: dict[str, str] = field(default_factory=dict)  # network name -> sha256, as a take records it

    @classmethod
    def load(cls) -> Models:
        """The bundled ones. Raises ModelMissing."""
        head = load_head(BUNDLED_HEAD)
        regressor, normals, weights = None, None, {}
        if BUNDLED_WEIGHTS.is_file():
            regressor = Regressor(BUNDLED_WEIGHTS, thread_count(), providers())
            regressor.check(head)
            weights["n2fnet"] = sha256(BUNDLED_WEIGHTS)
        if BUNDLED_NORMALS.is_file():
            normals = NormalEstimator(BUNDLED_NORMALS)
            weights["normals"] = sha256(BUNDLED_NORMALS)
        warm_up(head)
        return cls(head, FaceFinder(), normals, regressor, weights)

    def close(self) -> None:
        """Gives the memory of the models that hold some outside Python back at once."""
        self.faces.close()
