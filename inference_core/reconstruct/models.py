"""Everything that is loaded once and used for every photo."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference_core.fit import warm_up
from inference_core.head import Head, load_head
from inference_core.library.assets import Asset, sha256
from inference_core.library.shelf import find_head
from inference_core.n2fnet import HeadRegressor
from inference_core.n2fnet.choice import regressor_for, weights_for
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.perception.session import providers, thread_count
from inference_core.reconstruct.options import DEFAULT_HEAD


@dataclass(frozen=True, eq=False)
class Models:
    """Head, face finder and networks.

    Without a network that can serve the head there is no `regressor`: its fits start from the mean head.
    """

    head: Head
    faces: FaceFinder
    normals: NormalEstimator
    regressor: HeadRegressor | None
    weights: dict[str, str] = field(default_factory=dict)  # network name -> sha256, as a take records it
    asset: Asset | None = None  # of the head

    @classmethod
    def load(cls, head: str = DEFAULT_HEAD) -> Models:
        """The bundled networks with the head of this name. Raises BadInput for no such head, ModelMissing."""
        asset = find_head(head)  # before anything that takes time
        return _with_head(asset, NormalEstimator(BUNDLED_NORMALS), None)

    def for_head(self, name: str) -> Models:
        """These models with another head; themselves where it is the same file. Raises BadInput, ModelMissing."""
        asset = find_head(name)
        if self.asset is not None and (asset.name, asset.sha256) == (self.asset.name, self.asset.sha256):
            return self
        return _with_head(asset, self.normals, self.faces)

    def regressor_on(self, threads: int) -> HeadRegressor | None:
        """The head's regressor once more, on as many threads, on the CPU."""
        if self.regressor is None:
            return None
        return regressor_for(self.head, self.asset.network if self.asset else None, threads, ("CPUExecutionProvider",))

    def close(self) -> None:
        """Gives the memory of the models that hold some outside Python back at once."""
        self.faces.close()


def _with_head(asset: Asset, normals: NormalEstimator, faces: FaceFinder | None) -> Models:
    head = load_head(asset.path)
    warm_up(head)
    regressor = regressor_for(head, asset.network, thread_count(), providers())
    weights = {"normals": sha256(BUNDLED_NORMALS)}
    if regressor is not None:
        weights["n2fnet"] = sha256(weights_for(head, asset.network))
    return Models(head, faces or FaceFinder(), normals, regressor, weights, asset)
