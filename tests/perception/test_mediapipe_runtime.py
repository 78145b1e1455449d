"""MediaPipe is imported without what it does not need, and is quiet unless it fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WITHOUT_MATPLOTLIB = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "matplotlib":
            raise ImportError("matplotlib is not here")

sys.meta_path.insert(0, Refuse())
import numpy as np
from inference_core.perception.faces import FaceFinder
print(FaceFinder().find(np.zeros((64, 64, 3), np.uint8)))
print("matplotlib" in sys.modules)
"""


def test_matplotlib_is_not_needed_and_no_stand_in_stays() -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_MATPLOTLIB], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["()", "False"]
    assert ran.stderr == ""


def test_a_real_matplotlib_still_loads() -> None:
    pytest.importorskip("matplotlib")
    code = "import inference_core.perception.faces as f; f.FaceFinder(); import matplotlib.pyplot as p; print(p.figure)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "<function figure" in ran.stdout


def test_failures_are_not_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    from inference_core.perception.mediapipe_runtime import quiet_stderr

    with quiet_stderr():
        os.write(2, b"a remark\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), quiet_stderr():
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert capfd.readouterr().err == "the reason\n"
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
