"""An environment reaches its pinned state from none, half made, killed in the middle, out of date, or not ours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bootstrap_parts.environment import Environment, Install
from bootstrap_parts.errors import NotAnEnvironment, PythonMissing, StepFailed

from .conftest import FILES_OF_SLOW, REPOSITORY

pytestmark = [pytest.mark.skipif(os.name == "nt", reason="kills process groups"), pytest.mark.usefixtures("tiny_index")]

VERSION = (sys.version_info[0], sys.version_info[1])
DRIVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bootstrap_parts.environment import Environment, Install
Environment(Path(sys.argv[2]), sys.version_info[:2]).prepare([Install.requirements("tiny", Path(sys.argv[3]))])
"""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One with nothing but pip, made once: that takes five seconds."""
    environment = Environment(tmp_path_factory.mktemp("empty") / ".venv", VERSION)
    environment._make_if_needed()
    return environment


@pytest.fixture
def environment(tmp_path: Path, empty: Environment) -> Environment:
    """A copy of it."""
    shutil.copytree(empty.folder, tmp_path / ".venv", symlinks=True)
    return Environment(tmp_path / ".venv", VERSION)


@pytest.fixture
def missing(tmp_path: Path) -> Environment:
    """One that is not there."""
    return Environment(tmp_path / ".venv", VERSION)


def requirements(tmp_path: Path, *lines: str) -> Install:
    file = tmp_path / "tiny.txt"
    file.write_text("# tiny\n" + "\n".join(lines) + "\n")
    return Install.requirements("tiny", file)


def modules(environment: Environment, package: str) -> int:
    return len(list((environment.site_packages / package).glob("module_*.py")))


def pip_runs(environment: Environment) -> int:
    return environment.log.read_text().count("$ ")


def test_a_second_run_does_nothing(environment: Environment, tmp_path: Path) -> None:
    install = requirements(tmp_path, "tinyone==1.0")
    environment.prepare([install])
    assert modules(environment, "tinyone") == 3
    before = pip_runs(environment)
    started = time.monotonic()
    environment.prepare([install])
    assert pip_runs(environment) == before
    assert time.monotonic() - started < 0.5


def test_a_changed_pin_is_installed_and_a_lost_package_comes_back(environment: Environment, tmp_path: Path) -> None:
    environment.prepare([requirements(tmp_path, "tinyone==1.0")])
    newer = requirements(tmp_path, "tinyone==2.0")
    environment.prepare([newer])
    assert modules(environment, "tinyone") == 4
    for folder in environment.site_packages.glob("tinyone*"):
        shutil.rmtree(folder)
    environment.prepare([newer])  # its stamp says done
    assert modules(environment, "tinyone") == 4


def test_an_install_killed_in_the_middle_is_repaired(environment: Environment, tmp_path: Path) -> None:
    install = requirements(tmp_path, "tinyslow==1.0")
    arguments = [str(REPOSITORY / "scripts"), str(environment.folder), str(install.file)]
    run = subprocess.Popen([sys.executable, "-c", DRIVER, *arguments], start_new_session=True)
    deadline = time.monotonic() + 120
    while modules(environment, "tinyslow") < 50:
        assert run.poll() is None and time.monotonic() < deadline, "the install ended before it could be killed"
        time.sleep(0.005)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    # The worst that pip can leave: a metadata folder, by which pip takes the package for installed, without RECORD.
    info = environment.site_packages / "tinyslow-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tinyslow\nVersion: 1.0\n")
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").unlink(missing_ok=True)
    (environment.site_packages / "tinyslow" / "module_00000.py").unlink()

    environment.prepare([install])
    assert modules(environment, "tinyslow") == FILES_OF_SLOW


def test_a_truncated_file_is_repaired(environment: Environment, tmp_path: Path) -> None:
    install = requirements(tmp_path, "tinyone==1.0")
    environment.prepare([install])
    victim = environment.site_packages / "tinyone" / "module_00001.py"
    whole = victim.read_text()
    victim.write_text("")
    environment._mark("underway", "tiny")  # what a run that was killed leaves in the stamp
    environment.prepare([install])
    assert victim.read_text() == whole


def test_a_half_made_environment_is_made_anew(missing: Environment, tmp_path: Path) -> None:
    missing.python.parent.mkdir(parents=True)
    missing.python.symlink_to(sys.executable)
    (missing.folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    (missing.site_packages / "pip").mkdir(parents=True)  # ensurepip was at work when it ended
    missing.prepare([requirements(tmp_path, "tinyone==1.0")])
    assert modules(missing, "tinyone") == 3
    assert [path.name for path in tmp_path.glob(".venv*")] == [".venv"]


def test_a_folder_that_is_no_environment_is_left_alone(missing: Environment, tmp_path: Path) -> None:
    missing.folder.mkdir()
    treasure = missing.folder / "thesis.txt"
    treasure.write_text("years of work")
    with pytest.raises(NotAnEnvironment, match="move it away"):
        missing.prepare([requirements(tmp_path, "tinyone==1.0")])
    assert treasure.read_text() == "years of work"


def test_a_failing_install_shows_pips_words_and_can_be_repeated(
    environment: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StepFailed, match=r"install\.log"):
        environment.prepare([requirements(tmp_path, "tinynone==1.0")])
    assert "No matching distribution found for tinynone==1.0" in capsys.readouterr().out
    environment.prepare([requirements(tmp_path, "tinyone==1.0")])
    assert modules(environment, "tinyone") == 3


def test_a_step_may_not_replace_what_another_pins(environment: Environment, tmp_path: Path) -> None:
    needy = tmp_path / "needy.txt"
    needy.write_text("tinyneedy==1.0\n")  # which needs tinyone>=2
    with pytest.raises(StepFailed, match=r"install\.log"):
        environment.prepare([requirements(tmp_path, "tinyone==1.0"), Install.requirements("needy", needy)])
    assert modules(environment, "tinyone") == 3


def test_a_missing_python_is_named(tmp_path: Path) -> None:
    with pytest.raises(PythonMissing, match=r"install python3\.99 so that it is on PATH"):
        Environment(tmp_path / ".venv", (3, 99)).prepare([requirements(tmp_path, "tinyone==1.0")])
    assert not (tmp_path / ".venv").exists()
