"""`n2f models list`."""

from __future__ import annotations

from inference_core.cli.console import escape, out, print_json
from inference_core.errors import ModelMissing
from inference_core.reconstruct import assets


def run(*, as_json: bool) -> None:
    """Raises ModelMissing when there is nothing to list, or a network is absent, after listing the others."""
    found = [*assets.heads(), *assets.networks()]
    if as_json:
        print_json(
            [
                {
                    "name": asset.name,
                    "kind": asset.kind,
                    "path": str(asset.path),
                    "bytes": asset.size,
                    "license": asset.licence,
                    "commercial_use": asset.commercial_use,
                    "sha256": asset.sha256,
                }
                for asset in found
            ]
        )
    else:
        for asset in found:
            allowed = "" if asset.commercial_use else ", not for commercial use"
            licence = escape(asset.licence or "licence unknown")
            out.print(f"[bold]{asset.name}[/]  {asset.kind}, {asset.size / 1e6:.1f} MB, {licence}{allowed}")
            out.print(f"  sha256 {asset.sha256}", style="dim")
    present = {asset.name for asset in found if asset.kind == "network"}
    missing = [f"{name}.onnx" for name in assets.NETWORKS if name not in present]
    if not any(asset.kind == "head" for asset in found):
        missing.insert(0, "a head")
    if missing:
        raise ModelMissing(f"Missing: {', '.join(missing)}.", "Install the package again.")
