"""Whether the files of the library are whole: their hashes, and that they can be used."""

from __future__ import annotations

from inference_core.errors import CoreError, ModelMissing
from inference_core.head import load_head
from inference_core.inventory import Asset, network
from inference_core.n2fnet import Regressor
from inference_core.perception.session import Network


def examine(asset: Asset) -> None:
    """Read a file wholly, of a head its network too.

    Raises:
        ModelMissing: where one is missing or damaged.
    """
    remedy = "Install the package again."
    if not asset.bundled:
        remedy = f"Remove it and add it again: n2f models remove {asset.name}, n2f models add FILE."
    if asset.damage:
        raise ModelMissing(f"{asset.name} is damaged: {asset.damage}.", remedy)
    try:
        if asset.kind == "network":
            Network(asset.path)
            return
        head = load_head(asset.path)
    except CoreError as error:
        raise ModelMissing(error.sentence, remedy) from error
    if asset.network is not None:
        own = network(asset.network, "n2fnet", bundled=asset.bundled)
        if own.damage:
            raise ModelMissing(
                f"The network of {asset.name} is damaged: {own.damage}.", "Train it again, or delete it."
            )
        Regressor(asset.network).check(head)


def problem(asset: Asset) -> CoreError | None:
    """What `examine` raises."""
    try:
        examine(asset)
    except CoreError as error:
        return error
    return None
