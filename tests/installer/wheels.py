"""Small wheels with the names of the core's packages, and a lock file with their hashes."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

from n2f_blender.installer.places import Supplies

MODULES = {
    "numpy": ("numpy", "numpy/tests"),
    "scipy": ("scipy", "scipy/sparse", "scipy/io"),
    "opencv-python-headless": ("cv2",),
    "pillow": ("PIL", "PIL/Image"),
    "av": ("av",),
    "onnxruntime": ("onnxruntime",),
}
CORE_MODULES = (
    "inference_core",
    *(f"inference_core/{room}{module}" for room in ("server", "reconstruct", "track") for module in ("", "/job")),
    "inference_core/server/server",
)


def write_wheel(folder: Path, name: str, version: str, modules: tuple[str, ...], text: str = "") -> Path:
    """A wheel as pip wants it: modules, METADATA, WHEEL, RECORD with hashes."""
    stem = f"{name.replace('-', '_')}-{version}"
    files = {f"{module}/__init__.py": text or f"# {name} {version}\n" * 50 for module in modules}
    files[f"{stem}.dist-info/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{stem}.dist-info/WHEEL"] = "Wheel-Version: 1.0\nGenerator: n2f\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content.encode())}")
    files[f"{stem}.dist-info/RECORD"] = "\n".join([*rows, f"{stem}.dist-info/RECORD,,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def write_supplies(folder: Path, version: str = "1.0", text: str = "", more: int = 0) -> tuple[Supplies, Path]:
    """The core's wheel with a lock file, and a folder with all wheels that the lock names.

    `more` modules make the last package one that takes a while.
    """
    wheels = folder / "wheels"
    lines = []
    for name, modules in MODULES.items():
        if name == list(MODULES)[-1]:
            modules += tuple(f"{modules[0]}/more_{number}" for number in range(more))
        wheel = write_wheel(wheels, name, version, modules)
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
    lock = folder / "requirements.txt"
    lock.write_text("# pins\n" + "\n".join(lines) + "\n")
    return Supplies(write_wheel(folder / "core", "n2f-inference-core", version, CORE_MODULES, text), lock), wheels
