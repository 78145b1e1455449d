"""The kills themselves, on a toy: what they see of a command that resumes well, badly, or leaves a child behind."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from inference_core.evaluation.kills import Run, Work, differences, moments, run, tried
from inference_core.evaluation.soak import Reading, grown

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")

TOY = """
import sys, time, pathlib
import numpy as np
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1]); out.mkdir(exist_ok=True)
{before}
end = time.process_time() + {busy}
while time.process_time() < end: pass
np.savez(out / "take.npz", a=np.full(3, {value}))
(out / "report.json").write_text("{{}}")
"""


def toy(busy: float = 0.15, value: str = "1.0", before: str = "") -> Work:
    return Work((sys.executable, "-c", TOY.format(busy=busy, value=value, before=before)), ("--resume",))


def test_a_command_that_goes_on_as_it_should(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(toy(), tmp_path, 2, np.random.default_rng(1)) == 0
    assert capsys.readouterr().out.count("| 0 |") >= 1


def test_another_result_after_a_kill(tmp_path: Path) -> None:
    assert tried(toy(value="1.0 + 1e-4 * ('--resume' in sys.argv)"), tmp_path, 1, np.random.default_rng(1)) == 1


def test_a_child_that_lives_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference_core.evaluation.kills.PATIENCE", 0.3)
    child = "import subprocess; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])"
    found = run(toy(busy=5.0, before=child), tmp_path / "out", until=0.5)
    assert found.status is None and found.orphans == 1


def test_a_run_to_its_end(tmp_path: Path) -> None:
    found = run(toy(), tmp_path / "out")
    assert isinstance(found, Run) and found.status == 0 and found.orphans == 0
    assert 0 < found.begun < found.used


def test_what_differs(tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 1.0 + 1e-7), ("c", 1.1)):
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "take.npz", x=np.full(2, value), frames=np.arange(2))
        (tmp_path / name / "report.json").write_text('{"cuts": [1]}' if name != "c" else '{"cuts": []}')
    assert differences(tmp_path / "b", tmp_path / "a") == []
    told = differences(tmp_path / "c", tmp_path / "a")
    assert "take.npz: x by 1.0e-01" in told and "report: cuts" in told
    (tmp_path / "b" / ".left").touch()
    assert differences(tmp_path / "b", tmp_path / "a") == [".left is only in one"]


def test_growth() -> None:
    flat = [Reading(100 * k, 200.0 + k % 3, 12, 9, float(k)) for k in range(30)]
    assert not grown(flat)
    assert grown([Reading(100 * k, 200.0 + 2 * k, 12, 9, float(k)) for k in range(30)])
    assert grown([*flat, Reading(3100, 200.0, 14, 9, 31.0)])


def test_moments_reach_every_part_of_a_run_and_its_writing() -> None:
    found = np.sort(moments(Run(0, 2.0, 9.0, 10.0, 0, "start"), 40, np.random.default_rng(1)))
    assert found.min() >= 2.0 and found.max() <= 10.0
    assert np.diff(found[found < 9.0]).max() < 2 * 8.0 / 30
    assert (found >= 9.0).sum() >= 10
