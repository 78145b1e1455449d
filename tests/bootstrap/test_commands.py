"""Arguments, statuses and summaries of scripts/bootstrap.py; system packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bootstrap_parts import checks, commands, demo, system_libraries
from bootstrap_parts.console import run_quietly, seconds
from bootstrap_parts.environment import Environment
from bootstrap_parts.errors import StepFailed, SystemPackagesMissing
from bootstrap_parts.interpreters import find_python

from .conftest import REPOSITORY

BOOTSTRAP = REPOSITORY / "scripts" / "bootstrap.py"


def test_unknown_arguments_are_refused_except_for_tests() -> None:
    for arguments in ([], ["core", "--bogus"], ["demo", "x"], ["frobnicate"]):
        with pytest.raises(SystemExit) as stop:
            commands.main(arguments)
        assert stop.value.code == 2


@pytest.mark.parametrize("into", [[], ["--into", "elsewhere"]])
def test_the_core_goes_where_it_is_told(
    into: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made: list[Path] = []
    monkeypatch.setattr(Environment, "prepare", lambda self, _steps: made.append(self.folder))
    assert commands.main(["core", *into]) == 0
    assert made == [tmp_path / "elsewhere" if into else REPOSITORY / ".venv"]
    assert str(made[0]) in capsys.readouterr().out


def test_what_installs_waits_for_its_turn_and_tests_do_not_hold_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.layout, "ROOT", tmp_path)
    free: dict[str, bool] = {}

    def note(name: str) -> None:
        question = (
            "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        )
        answer = subprocess.run([sys.executable, "-c", question, tmp_path], capture_output=True, check=False)
        free[name] = answer.returncode == 0

    monkeypatch.setattr(commands, "_prepare_for_tests", lambda _report, *, train: note(f"install {train}"))
    monkeypatch.setattr(commands, "check_style_and_types", lambda *_: None)
    monkeypatch.setattr(commands, "run_tests", lambda *_: note("tests"))
    assert commands.main(["test", "--train"]) == 0
    assert free == {"install True": False, "tests": True}


def test_another_python_without_3_11_says_so_in_one_line() -> None:
    other = find_python((3, 13)) or find_python((3, 12)) or find_python((3, 9))
    if other is None:
        pytest.skip("there is only one Python here")
    answer = subprocess.run(
        [other, BOOTSTRAP, "core"], env={"PATH": "/nonexistent"}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "install python3.11 so that it is on PATH" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_failing_step_passes_its_status_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", "print('because'); raise SystemExit(3)"]
    with pytest.raises(StepFailed) as failure:
        run_quietly("thing", command, tmp_path / "log", cwd=tmp_path)
    assert failure.value.status == 3
    assert "| because" in capsys.readouterr().out


def test_the_demo_stops_at_the_step_that_fails(tmp_path: Path) -> None:
    environment = Environment(tmp_path / ".venv", (3, 11))
    environment.python.parent.mkdir(parents=True)
    environment.python.write_text("#!/bin/sh\nexit 0\n")
    environment.program("n2f").write_text("#!/bin/sh\nexit 4\n")
    for program in (environment.python, environment.program("n2f")):
        program.chmod(0o755)
    with pytest.raises(StepFailed) as failure:
        demo.run_demo(REPOSITORY, environment, tmp_path / "demo")
    assert failure.value.status == 4


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed, 3 skipped in 4.20s", (12, 0, 3)),
        ("=== 1 failed, 10 passed, 2 errors, 1 xfailed in 0.1s ===", (10, 3, 1)),
        ("no tests ran in 0.01s", (0, 0, 0)),
        ("5 passed, 7 deselected in 1s", (5, 0, 0)),
    ],
)
def test_pytests_closing_line_is_counted(line: str, counts: tuple[int, int, int]) -> None:
    outcome = checks.Outcome("tests", 0, 1.0)
    outcome.count(line)
    assert (outcome.passed, outcome.failed, outcome.skipped) == counts


def test_the_summary_ends_with_the_plain_count(capsys: pytest.CaptureFixture[str]) -> None:
    report = checks.Report(
        [checks.Outcome("a", 0, 1.0, 3, 0, 1), checks.Outcome("b", 5, 2.0), checks.Outcome("c", 1, 61.0, 2, 1, 0)]
    )
    report.show()
    assert capsys.readouterr().out.splitlines()[-1] == "5 passed, 1 failed, 1 skipped"
    assert report.status == 5


def test_every_script_is_type_checked_once() -> None:
    named = [argument for arguments in checks.typed(REPOSITORY).values() for argument in arguments]
    for path in (REPOSITORY / "scripts").rglob("*.py"):
        inside = path.relative_to(REPOSITORY).as_posix()
        assert sum(inside == name or inside.startswith(f"{name}/") for name in named) == 1, inside
    assert {"inference_core", "n2f_blender"} <= set(named)


def test_missing_libraries_become_debian_packages() -> None:
    packages = system_libraries.packages_for(["libEGL.so.1", "libXfixes.so.3", "libfoo2.so.5"], egl_driver=False)
    assert packages == ["libegl-mesa0", "libegl1", "libfoo2-5", "libgl1-mesa-dri", "libxfixes3"]
    assert system_libraries.packages_for([], egl_driver=True) == []


def test_ldds_gaps_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ldd = tmp_path / "ldd"
    ldd.write_text("#!/bin/sh\nprintf '\\tlibX11.so.6 => not found\\n\\tlibc.so.6 => /lib/libc.so.6 (0x1)\\n'\n")
    ldd.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(system_libraries, "_can_open", lambda name: name != "libEGL.so.1")
    assert system_libraries.missing_libraries(tmp_path / "bpy.so") == ["libEGL.so.1", "libX11.so.6"]


def test_without_root_the_exact_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemPackagesMissing) as stop:
        system_libraries.install_packages(["libegl1", "libxi6"], "Blender and OpenGL")
    assert stop.value.sentence.endswith("sudo apt-get install -y --no-install-recommends libegl1 libxi6")
    assert "\n" not in stop.value.sentence


@pytest.mark.parametrize(
    ("duration", "text"), [(0.04, "0.0 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s")]
)
def test_durations_read_well(duration: float, text: str) -> None:
    assert seconds(duration) == text
