"""The core's environment, really made: from nothing, after a kill, after damage, from one version to another.

The wheels are small ones (wheels.py); N2F_WHEELS=FOLDER, made by scripts/build_offline.py for this Python, and
N2F_EXTENSION=ZIP install the real ones, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from n2f_blender.core_client import CoreClient, ReconstructOptions, TrackOptions, server_command
from n2f_blender.installer import faults
from n2f_blender.installer.distributions import RULE, installed
from n2f_blender.installer.following import Installation
from n2f_blender.installer.maker import _alone
from n2f_blender.installer.places import CoreFolder, Supplies, supplies_in
from n2f_blender.installer.state import CoreKind, look
from n2f_blender.installer.unpacking import suits, unpack
from tests.installer.wheels import write_supplies, write_wheel

PYTHON = Path(sys.executable)


def follow(installation: Installation, until: Callable[[Installation], bool] = lambda it: it.finished) -> Installation:
    end = time.monotonic() + 120
    while not until(installation):
        assert time.monotonic() < end
        installation.step()
        time.sleep(0.02)
    return installation


def install(core: CoreFolder, supplies: Supplies, wheels: Path, *, thorough: bool = False) -> Installation:
    return follow(Installation(PYTHON, core, supplies, wheels, thorough=thorough))


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[CoreFolder, Supplies, Path]:
    """An installed core, in a folder with letters that are not ASCII and a space."""
    folder = tmp_path_factory.mktemp("Jürgen 한글")
    supplies, wheels = write_supplies(folder)
    core = CoreFolder(folder / "core")
    assert look(core, supplies).kind is CoreKind.ABSENT
    installation = install(core, supplies, wheels)
    assert installation.error is None, (installation.error, installation.error.details if installation.error else "")
    return core, supplies, wheels


def answer(core: CoreFolder, code: str) -> str:
    return subprocess.run([str(core.python), "-I", "-c", code], capture_output=True, text=True, check=True).stdout


def test_from_nothing(ready: tuple[CoreFolder, Supplies, Path]) -> None:
    core, supplies, _wheels = ready
    assert look(core, supplies).kind is CoreKind.READY
    assert str(core.environment) in answer(core, "import inference_core as c; print(c.__file__)")
    assert not core.wheels.exists(), "the wheels take room for nothing"
    assert not list(core.folder.glob("*-removed-*"))
    assert core.site_packages is not None
    assert (core.site_packages / "scipy" / "sparse").is_dir()
    for unneeded in ("numpy/tests", "scipy/io"):
        assert not (core.site_packages / unneeded).exists()


def test_what_another_rule_left_out_is_installed_anew(ready: tuple[CoreFolder, Supplies, Path]) -> None:
    core, _supplies, _wheels = ready
    assert core.site_packages is not None
    scipy = installed(core.site_packages)["scipy"]
    assert scipy.is_whole(thoroughly=True)
    kept = (scipy.folder / RULE).read_text()
    (scipy.folder / RULE).write_text(kept + "\nscipy/spatial/*")
    assert not scipy.is_whole()
    (scipy.folder / RULE).write_text(kept)
    (scipy.folder.parent / "scipy" / "__init__.py").rename(scipy.folder.parent / "scipy" / "other.py")
    assert not scipy.is_whole()
    (scipy.folder.parent / "scipy" / "other.py").rename(scipy.folder.parent / "scipy" / "__init__.py")


def test_a_wheel_that_leads_out_of_its_folder(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "bad", "1.0", ("../outside",))
    with pytest.raises(ValueError, match="leads out"):
        unpack(wheel, tmp_path / "environment" / "site-packages")
    assert not (tmp_path / "environment" / "outside").exists()


@pytest.mark.parametrize(
    ("platform", "tag", "fits"),
    [
        ("linux-x86_64", "cp311-cp311-manylinux_2_28_x86_64", True),
        ("linux-x86_64", "cp37-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("linux-x86_64", "cp311-cp311-win_amd64", False),
        ("linux-aarch64", "cp311-cp311-manylinux_2_28_x86_64", False),
        ("win-amd64", "cp311-cp311-win_amd64", True),
        ("win-amd64", "cp312-cp312-win_amd64", False),
        ("macosx-11.0-arm64", "cp311-cp311-macosx_14_0_arm64", True),
        ("macosx-11.0-arm64", "cp311-cp311-macosx_11_0_x86_64", False),
        ("win-amd64", "py3-none-any", True),
    ],
)
def test_a_wheel_for_this_system(monkeypatch: pytest.MonkeyPatch, platform: str, tag: str, fits: bool) -> None:
    monkeypatch.setattr("sysconfig.get_platform", lambda: platform)
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: "311")
    assert suits(f"numpy-2.4.6-{tag}.whl") is fits


def test_damage_is_found_and_repaired(ready: tuple[CoreFolder, Supplies, Path]) -> None:
    core, supplies, wheels = ready
    assert core.site_packages is not None
    file = core.site_packages / "numpy" / "__init__.py"
    whole = file.read_text()
    file.write_text(whole.replace("numpy", "NUMPY"))  # the same size: only the hash can tell
    assert install(core, supplies, wheels, thorough=True).done
    assert file.read_text() == whole
    shutil.rmtree(core.site_packages / "cv2")
    assert install(core, supplies, wheels).done
    assert answer(core, "import cv2; print(cv2.__name__)").strip() == "cv2"


def test_a_python_that_is_gone_or_a_folder_that_moved(ready: tuple[CoreFolder, Supplies, Path], tmp_path: Path) -> None:
    core, supplies, wheels = ready
    moved = CoreFolder(tmp_path / "moved")
    shutil.copytree(core.folder, moved.folder, symlinks=True)
    assert look(moved, supplies).kind is CoreKind.BROKEN
    record = moved.record.read_text()
    moved.record.write_text(record.replace(str(core.folder), str(moved.folder)))
    assert look(moved, supplies).kind is CoreKind.READY
    moved.record.write_text(moved.record.read_text().replace(str(PYTHON.resolve()), "/gone/python"))
    assert look(moved, supplies).sentence.startswith("The Blender that the core was installed with")
    moved.python.unlink()
    moved.python.symlink_to("/gone/python")
    assert install(moved, supplies, wheels).done
    assert look(moved, supplies).kind is CoreKind.READY


def test_another_version_and_back(ready: tuple[CoreFolder, Supplies, Path], tmp_path: Path) -> None:
    core, supplies, wheels = ready
    beside = core.folder.parent / "takes"
    beside.mkdir(exist_ok=True)
    (beside / "take.npz").write_bytes(b"take")
    newer, newer_wheels = write_supplies(tmp_path, "2.0", "VERSION = 2\n")
    assert look(core, newer).kind is CoreKind.OTHER_VERSION
    assert look(core, newer).usable
    assert install(core, newer, newer_wheels).done
    assert answer(core, "import inference_core as c; print(c.VERSION)").strip() == "2"
    assert look(core, newer).kind is CoreKind.READY
    assert install(core, supplies, wheels).done
    assert look(core, supplies).kind is CoreKind.READY
    assert (beside / "take.npz").read_bytes() == b"take"


def test_killed_in_the_middle_and_resumed(tmp_path: Path) -> None:
    supplies, wheels = write_supplies(tmp_path, more=3000)
    core = CoreFolder(tmp_path / "core")
    first = follow(Installation(PYTHON, core, supplies, wheels), lambda it: it.finished or it.share > 0.8)
    first.cancel()
    assert first.finished
    assert look(core, supplies).kind is CoreKind.UNFINISHED
    assert core.site_packages is not None
    already = {place: place.stat().st_ino for place in core.site_packages.glob("*.dist-info/RECORD")}
    assert already, "nothing was installed before the kill"
    second = install(core, supplies, wheels)
    assert second.error is None, second.error
    again = {place: place.stat().st_ino for place in already if "inference_core" not in place.parent.name}
    assert again == {place: already[place] for place in again}, "what was done was done again"
    assert look(core, supplies).kind is CoreKind.READY


def test_two_at_once(tmp_path: Path) -> None:
    supplies, wheels = write_supplies(tmp_path)
    core = CoreFolder(tmp_path / "core")
    with _alone(core):  # as the other one's child does
        second = install(core, supplies, wheels)
    assert second.error is not None
    assert second.error.code == "BUSY"


@pytest.mark.parametrize("spoil", ["missing", "hash"])
def test_a_folder_that_does_not_do(tmp_path: Path, spoil: str) -> None:
    supplies, wheels = write_supplies(tmp_path)
    (wheel,) = wheels.glob("scipy*")
    if spoil == "missing":
        wheel.unlink()
    else:
        wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    core = CoreFolder(tmp_path / "core")
    installation = install(core, supplies, wheels)
    assert installation.error is not None
    assert installation.error.code == ("INCOMPLETE_FOLDER" if spoil == "missing" else "WRONG_HASH")
    assert installation.error.remedy
    assert wheel.exists() is (spoil == "hash"), "a file of the user's was touched"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    supplies, wheels = write_supplies(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(faults.InstallError) as caught:
        install(CoreFolder(tmp_path / "file" / "core"), supplies, wheels)
    assert caught.value.code == "READ_ONLY"


def test_a_python_without_venv(tmp_path: Path) -> None:
    """What is made by hand is an environment, too: own packages, the other's standard library."""
    supplies, wheels = write_supplies(tmp_path)
    core = CoreFolder(tmp_path / "core")
    core.folder.mkdir(exist_ok=True)
    code = (
        "from n2f_blender.installer import environment; from n2f_blender.installer.places import CoreFolder; "
        "from pathlib import Path; environment._make_by_hand(CoreFolder(Path(__import__('sys').argv[1])))"
    )
    subprocess.run([sys.executable, "-c", code, str(core.folder)], check=True, cwd=Path(__file__).parents[2])
    python = core.python.stat().st_ino
    assert install(core, supplies, wheels).done
    assert core.python.stat().st_ino == python
    assert str(core.environment) in answer(core, "import sys, numpy; print(sys.prefix, numpy.__file__)")


OUTPUT = {
    "NO_SPACE": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "PROXY": "Max retries exceeded with url: / (Caused by ProxyError('Unable to connect to proxy', OSError("
    "'Tunnel connection failed: 407 Proxy Authentication Required')))",
    "NO_NETWORK": "NewConnectionError('<x>: Failed to establish a new connection: [Errno -3] Temporary failure in "
    "name resolution')\nERROR: No matching distribution found for numpy==2.4.6",
    "CERTIFICATE": "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
    "WRONG_HASH": "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    "TOO_LONG": "OSError: [WinError 206] The filename or extension is too long: 'C:\\\\Users'",
    "READ_ONLY": "OSError: [Errno 30] Read-only file system: '/home/x'",
    "BLOCKED": "OSError: [WinError 5] Access is denied: 'C:\\\\Users\\\\x\\\\cv2.pyd'",
    "NO_WHEEL": "ERROR: No matching distribution found for onnxruntime==1.31.1",
    "NO_PIP": "/usr/bin/python3: No module named ensurepip",
    "UNKNOWN": "Traceback: something new",
}


@pytest.mark.parametrize("code", OUTPUT)
def test_what_pip_says_becomes_a_sentence_and_a_remedy(code: str) -> None:
    error = faults.of_output(OUTPUT[code])
    assert error.code == code
    assert error.sentence.endswith(".")
    assert error.remedy.endswith(".")


@pytest.mark.skipif("N2F_WHEELS" not in os.environ, reason="N2F_WHEELS and N2F_EXTENSION name real wheels and zip")
def test_the_real_thing(tmp_path: Path) -> None:
    with zipfile.ZipFile(os.environ["N2F_EXTENSION"]) as archive:
        archive.extractall(tmp_path / "extension")
    supplies = supplies_in(tmp_path / "extension")
    assert supplies is not None
    core = CoreFolder(tmp_path / "core")
    installation = install(core, supplies, Path(os.environ["N2F_WHEELS"]))
    assert installation.error is None, installation.error
    size = sum(path.stat().st_size for path in core.folder.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"installed: {size / 1e6:.0f} MB")
    sample = Path(__file__).parents[2] / "addon_manifest" / "assets" / "sample.jpg"
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(3):
        shutil.copy(sample, frames / f"frame_{number:04}.jpg")
    client = CoreClient(server_command(core.python), tmp_path / "logs")
    photo = ReconstructOptions(look="albedo", hair="auto")
    for name, source, options in (("photo", sample, photo), ("clip", frames, TrackOptions())):
        client.submit([source], tmp_path / name, options)
        job = client.run()
        assert (job.error, job.failures) == (None, []), f"{job.error} {job.failures}"
        assert job.results[0].take.is_file()
    client.shutdown()
