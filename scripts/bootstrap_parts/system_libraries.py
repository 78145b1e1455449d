"""Shared libraries of the system that Blender's module and OpenGL need: what is missing, and getting it on Debian."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from .console import run_quietly
from .errors import SystemPackagesMissing

# What the bpy modules from 4.2 to 5.2 link to (ldd names those that are missing) or open while they run.
PACKAGE_OF_LIBRARY = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXi.so.6": "libxi6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libXfixes.so.3": "libxfixes3",
    "libXrender.so.1": "libxrender1",
    "libXt.so.6": "libxt6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
}
OPENED_WHILE_RUNNING = ("libEGL.so.1", "libGL.so.1")
# A vendor file tells libEGL which driver to load; without one Workbench and EEVEE abort the process.
EGL_VENDOR_FOLDERS = (Path("/usr/share/glvnd/egl_vendor.d"), Path("/etc/glvnd/egl_vendor.d"))
EGL_DRIVER_PACKAGES = ("libegl-mesa0", "libgl1-mesa-dri")
_one_apt_get = threading.Lock()  # environments are made beside each other, and apt-get refuses company


def missing_libraries(bpy_module: Path) -> list[str]:
    """Names of the shared objects that the module links to and the system lacks. Empty where there is no ldd."""
    if shutil.which("ldd") is None:
        return []
    answer = subprocess.run(["ldd", bpy_module], capture_output=True, text=True, check=False)
    linked = re.findall(r"^\s*(\S+) => not found", answer.stdout, flags=re.MULTILINE)
    return sorted({*linked, *(name for name in OPENED_WHILE_RUNNING if not _can_open(name))})


def packages_for(libraries: Sequence[str], *, egl_driver: bool) -> list[str]:
    """Debian's packages for these shared objects; one that is not known is guessed from Debian's naming rule."""
    packages = {PACKAGE_OF_LIBRARY.get(name) or _guess(name) for name in libraries}
    return sorted(packages | (set() if egl_driver else set(EGL_DRIVER_PACKAGES)))


def ensure_for_bpy(site_packages: Path) -> None:
    """Install what the bpy module in this environment lacks.

    Raises:
        SystemPackagesMissing: where this is no Debian, or not root.
        StepFailed: where apt-get fails.
    """
    if not sys.platform.startswith("linux"):
        return
    modules = sorted((site_packages / "bpy").glob("__init__*.so"))
    if not modules:
        return
    packages = packages_for(missing_libraries(modules[0]), egl_driver=has_egl_driver())
    if packages:
        install_packages(packages, "Blender and OpenGL")


def has_egl_driver() -> bool:
    """Whether libEGL finds a driver."""
    return any(folder.is_dir() and any(folder.glob("*.json")) for folder in EGL_VENDOR_FOLDERS)


def install_packages(packages: Sequence[str], purpose: str) -> None:
    """Install Debian packages when this is root on such a system, otherwise say how in one line.

    Raises:
        SystemPackagesMissing: where this is no Debian, or not root.
        StepFailed: where apt-get fails.
    """
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        names = " ".join(packages)
        raise SystemPackagesMissing(f"Missing for {purpose}: what Debian's packages {names} hold; install it first.")
    if os.geteuid() != 0:
        raise SystemPackagesMissing(f"Missing for {purpose}; run: sudo {' '.join(command)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _one_apt_get:
        _get(command, packages, environment)


def _get(command: Sequence[str], packages: Sequence[str], environment: Mapping[str, str]) -> None:
    log = Path(tempfile.gettempdir()) / f"n2f-apt-{os.getpid()}.log"
    run_quietly("system: package lists", ["apt-get", "update"], log, cwd=Path("/"), environment=environment)
    run_quietly(f"system: {' '.join(packages)}", command, log, cwd=Path("/"), environment=environment)


def _can_open(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _guess(library: str) -> str:
    """libFoo.so.6 -> libfoo6, libfoo2.so.1 -> libfoo2-1: the rule most of Debian's library packages follow."""
    stem, _, version = library.partition(".so.")
    return stem.lower() + ("-" if stem[-1:].isdigit() else "") + version.partition(".")[0]
