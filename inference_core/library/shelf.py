"""Finding a head by its name. Standard library only."""

from __future__ import annotations

from pathlib import Path

from inference_core.errors import BadInput, ModelMissing
from inference_core.inventory import Asset, heads


def find_head(name: str) -> Asset:
    """The head of this name.

    Raises:
        BadInput: where there is none.
        ModelMissing: where its file is damaged.
    """
    there = {asset.name: asset for asset in heads()}
    if name not in there:
        known = ", ".join(there) or "none at all"
        raise BadInput(
            f"There is no head '{name}'.", f"Installed: {known}. Another one is added with: n2f models add FILE."
        )
    asset = there[name]
    if asset.damage:
        raise ModelMissing(
            f"The head '{name}' is damaged: {asset.damage}.",
            f"Remove it and add it again: n2f models remove {name}, n2f models add FILE.",
        )
    return asset


def head_path(text: str) -> Path:
    """A head's file from its name, or from the path of a head file.

    Raises:
        BadInput: where there is no head of this name.
        ModelMissing: where its file is damaged.
    """
    path = Path(text).expanduser()
    if path.suffix == ".npz" and not is_installed(text):
        return path
    return find_head(text).path


def is_installed(name: str) -> bool:
    """Whether the library has a head of this name, whole or damaged."""
    return any(asset.name == name for asset in heads())


def allowed_use(asset: Asset) -> str:
    """What a file may be used for, as half a sentence."""
    licence = asset.licence or "licence unknown"
    if asset.commercial_use:
        return f"{licence}; commercial use is allowed"
    return f"{licence}; not for commercial use"
