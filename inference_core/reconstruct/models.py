"""Everything that is loaded once and used for every photo."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference_core.errors import ModelMissing
from inference_core.fit import warm_up
from inference_core.head import BUNDLED_HEAD, Head, load_head
from inference_core.n2fnet import BUNDLED_WEIGHTS, Regressor
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.perception.session import providers, thread_count
from inference_core.library.assets import sha256


@dataclass(frozen=True, eq=False)
class Models:
    """Head, face finder and networks.

    A head that the regressor's weights were not trained for has no `regressor`: its fits start from the mean head.
    """

    head: Head
    faces: FaceFinder
    normals: NormalEstimator
    regressor: Regressor | None
    weights: dict[str, str] = field(default_factory=dict)  # network name -> sha256, as a take records it

    @classmethod
    def load(cls) -> Models:
        """The bundled ones. Raises ModelMissing."""
        head = load_head(BUNDLED_HEAD)
        warm_up(head)
        normals = NormalEstimator(BUNDLED_NORMALS)
        regressor = Regressor(BUNDLED_WEIGHTS, thread_count(), providers())
        weights = {"normals": sha256(BUNDLED_NORMALS), "n2fnet": sha256(BUNDLED_WEIGHTS)}
        try:
            regressor.check(head)
        except ModelMissing:  # the result is still good, and `n2f doctor` names the cause
            return cls(head, FaceFinder(), normals, None, {"normals": weights["normals"]})
        return cls(head, FaceFinder(), normals, regressor, weights)

    def close(self) -> None:
        """Gives the memory of the models that hold some outside Python back at once."""
        self.faces.close()
