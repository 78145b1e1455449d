"""Everything that is loaded once and used for every photo."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from inference_core.errors import BadInput, ModelMissing
from inference_core.fit import warm_up
from inference_core.formats.options import DEFAULT_HEAD
from inference_core.head import Head, load_head
from inference_core.head.model import Floats
from inference_core.inventory import Asset, sha256
from inference_core.library.shelf import find_head
from inference_core.memory import reserve_products
from inference_core.n2fnet import HeadRegressor
from inference_core.n2fnet.weights import regressor_for, weights_for
from inference_core.perception.faces import FaceFinder
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.perception.session import providers, thread_count
from inference_core.reconstruct.usual import read_usual_shape

NORMALS_VARIABLE = "N2F_NORMALS"
"""Environment variable: the normals network to use instead of the bundled one, in Blender too."""


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
    def load(cls, head: str = DEFAULT_HEAD, normals: Path | None = None) -> Models:
        """The networks with the head of this name.

        `normals` is a normals network of one's own (`n2f train extractor --adapt`); without it $N2F_NORMALS, else the
        bundled one.

        Raises:
            BadInput: where there is no head of this name, or `normals` is no file.
            ModelMissing: where a network or the head's file is absent or damaged.
            OutOfMemory: where the machine has too little for the products that are to come.
        """
        asset = find_head(head)  # before anything that takes time
        reserve_products()
        with ThreadPoolExecutor(1) as pool:  # beside the head: both are read outside Python's lock
            faces = pool.submit(FaceFinder)
            return _with_head(asset, _normals(normals), faces.result)

    def for_head(self, name: str) -> Models:
        """These models with another head; themselves where it is the same file.

        Raises:
            BadInput: where there is no head of this name.
            ModelMissing: where its file or its network is damaged.
        """
        asset = find_head(name)
        if self.asset is not None and (asset.name, asset.sha256) == (self.asset.name, self.asset.sha256):
            return self
        return _with_head(asset, self.normals, lambda: self.faces)

    def regressor_on(self, threads: int) -> HeadRegressor | None:
        """The head's regressor once more, on as many threads, on the CPU."""
        if self.regressor is None:
            return None
        return regressor_for(self.head, self.asset.network if self.asset else None, threads, ("CPUExecutionProvider",))

    @property
    def usual_shape(self) -> Floats:
        """(S,) what is found on an average of photographed people; 0 where nobody has measured it."""
        return read_usual_shape(self.head.sha256, self.weights, self.head.shape_count)


def _normals(chosen: Path | None) -> NormalEstimator:
    named = os.environ.get(NORMALS_VARIABLE, "")
    if chosen is None and not named:
        return NormalEstimator(BUNDLED_NORMALS)
    path = Path(named).expanduser() if chosen is None else chosen
    try:
        return NormalEstimator(path)
    except ModelMissing as error:  # it is the user's own file: installing the package again would not help
        where = "--normals" if chosen is not None else f"the environment variable {NORMALS_VARIABLE}"
        raise BadInput(
            f"'{path}', which {where} names, cannot be used: {error.sentence}",
            "Name a network that n2f train extractor wrote, or leave it out.",
        ) from error


def _with_head(asset: Asset, normals: NormalEstimator, faces: Callable[[], FaceFinder]) -> Models:
    head = load_head(asset.path)
    warm_up(head)
    regressor = regressor_for(head, asset.network, thread_count(), providers())
    weights = {"normals": sha256(normals.path)}
    if regressor is not None:
        weights["n2fnet"] = sha256(weights_for(head, asset.network))
    return Models(head, faces(), normals, regressor, weights, asset)
