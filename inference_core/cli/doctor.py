"""`n2f doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from inference_core import __version__, inventory
from inference_core.cli.console import escape, out, print_json
from inference_core.errors import CoreError, ModelMissing
from inference_core.library.shelf import allowed_use

PACKAGES = ("numpy", "scipy", "opencv-python-headless", "pillow", "onnxruntime", "av", "typer", "rich")
STAND_INS = {
    "opencv-python-headless": ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime-directml"),
}
OLDEST_PYTHON = (3, 11)
REINSTALL = "Install the core's requirements again."


@dataclass(frozen=True)
class Finding:
    """One line of the report. `remedy` is empty where `ok`."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""


def run(*, as_json: bool) -> int:
    """Exit status: 0 when everything works, 4 when a model is missing or damaged, else 1."""
    findings = [_python(), *map(_package, PACKAGES)]
    models_start = len(findings)
    findings += [_head(), *map(_installed_head, inventory.installed_heads())]
    findings += [*map(_network, inventory.NETWORKS), _probe("face finder", _face_finder)]
    models = findings[models_start:]
    findings += [_probe("inference", _device), _probe("temporary folder", _writable)]
    if as_json:
        print_json({"software_version": __version__, "findings": [asdict(finding) for finding in findings]})
    else:
        table = Table(box=None, pad_edge=False)
        for title in ("", "what", "found"):
            table.add_column(title, overflow="fold")
        for finding in findings:
            mark = "[green]ok[/]" if finding.ok else "[bold red]NO[/]"
            text = escape(finding.detail) + (f"\n[yellow]{escape(finding.remedy)}[/]" if finding.remedy else "")
            table.add_row(mark, finding.what, text)
        out.print(table)
    if all(finding.ok for finding in findings):
        return 0
    return ModelMissing.exit_status if not all(finding.ok for finding in models) else 1


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", False, version, "Use Python 3.11 or newer.")
    return Finding("python", True, f"{version}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores")


def _package(name: str) -> Finding:
    for candidate in (name, *STAND_INS.get(name, ())):
        try:
            return Finding(name, True, f"{candidate} {importlib.metadata.version(candidate)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return Finding(name, False, "not installed", REINSTALL)


def _probe(what: str, check: Callable[[], str]) -> Finding:
    """`check` returns the detail or raises."""
    try:
        return Finding(what, True, check())
    except CoreError as error:
        return Finding(what, False, error.sentence, error.remedy)
    except Exception as error:  # the doctor reports any damage, it does not fall ill itself
        return Finding(what, False, f"{type(error).__name__}: {error}", REINSTALL)


def _head() -> Finding:
    def check() -> str:
        from inference_core.head import load_head

        head = load_head()
        return (
            f"{head.head_id}: {head.vertex_count} vertices, {head.shape_count} identity and {head.expression_count}"
            f" expression directions, {head.licence}, sha256 {head.sha256[:12]}"
        )

    return _probe("head", check)


def _installed_head(asset: inventory.Asset) -> Finding:
    def check() -> str:
        from inference_core.library.verify import examine

        examine(asset)
        network = "with its own N2FNet" if asset.network else "N2FNet by transfer"
        return f"{asset.size / 1e6:.1f} MB, {allowed_use(asset)}, {network}, sha256 {asset.sha256[:12]}"

    return _probe(f"head {asset.name}", check)


def _network(name: str) -> Finding:
    def check() -> str:
        from inference_core.perception.session import Network

        path = inventory.network_path(name)
        Network(path)
        if name == "n2fnet":
            from inference_core.head import load_head
            from inference_core.n2fnet import Regressor

            Regressor(path).check(load_head())
        asset = next(item for item in inventory.networks() if item.name == name)
        if asset.damage:
            raise ModelMissing(f"{path.name} is damaged: {asset.damage}.", "Install the package again.")
        return f"{asset.size / 1e6:.1f} MB, {asset.licence or 'licence unknown'}, sha256 {asset.sha256[:12]}"

    return _probe(f"{name} network", check)


def _face_finder() -> str:
    import numpy as np

    from inference_core.perception.faces import FaceFinder

    FaceFinder().find(np.zeros((64, 64, 3), np.uint8))
    return "its detectors and Face Mesh run"


def _device() -> str:
    from inference_core.perception.session import device, providers, thread_count

    return f"{device()} ({', '.join(providers())}), {thread_count()} threads"


def _writable() -> str:
    with tempfile.TemporaryDirectory(prefix="n2f-doctor-") as folder:
        (Path(folder) / "probe").write_bytes(b"1")
        return str(Path(folder).parent)
