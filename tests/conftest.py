"""Fixtures that several rooms share."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_core.threads import limit_library_threads
from scripts.bootstrap_parts.formats_link import link_formats

limit_library_threads()  # before numpy, as the product does
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core to a process: torch's threads would wait for each other
link_formats()  # before anything of the extension is imported

if importlib.util.find_spec("hypothesis"):  # not in the other Blenders' environments
    from hypothesis import settings

    settings.register_profile("n2f", deadline=None)  # how long an example takes is the machine's, not the code's
    settings.load_profile("n2f")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
CASES = SHARED_DATA.parent / "cases"
"""Inputs that once made the product fail; tests that use them skip where they are missing."""
LONGEST = (
    "test_inside.py",
    "test_cli.py",
    "test_build.py",
    "test_adapt.py",
    "test_shipped_weights.py",
    "test_newest_python.py",
)
"""Files that take half a minute and more: begun early, so that no core waits for them at the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, each Blender for itself; otherwise a file stays together: its fixtures are made once.

    This is what `-n 2 --dist loadgroup` goes by; without it the tests run in the same order, one after another.
    """
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
    for item in items:
        is_a_blender = item.path.name == "test_inside.py"
        item.add_marker(pytest.mark.xdist_group(item.name if is_a_blender else str(item.path)))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test data that lies beside a developer's checkout and is never committed."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared test data is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def flame_head_path(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head on FLAME's topology with what FLAME 2023 Open's owners allow to be passed on; skips without it."""
    return flame_folder(shared_data, tmp_path_factory) / "flame_test.npz"


def flame_folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """flame_test.pkl, a file in FLAME's form, and flame_test.npz, made from it: once for all processes of a run."""
    # Here, not above: the other Blenders' environments have neither SciPy nor the core.
    from inference_core.flame import convert_flame
    from inference_core.flame.synthetic import make_model, save

    run = tmp_path_factory.getbasetemp()
    ready = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "flame_test"
    if not ready.is_dir():
        made = tmp_path_factory.mktemp("flame_test")
        save(make_model(shared_data / "flame2023_open_identity" / "flame_basis.npz"), made / "flame_test.pkl")
        convert_flame(made / "flame_test.pkl", made / "flame_test.npz")
        with contextlib.suppress(OSError):  # another process was faster
            made.rename(ready)
    return ready


@pytest.fixture(scope="session")
def other_head_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second head, made from the Open Head, with FLAME's kind of values: always there."""
    from tests.other_head import write_other_head

    return write_other_head(tmp_path_factory.mktemp("other_head") / "other_head.npz")


@pytest.fixture(scope="session", autouse=True)
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A library of heads for the tests alone, also for the processes they start: the developer's own stays out."""
    folder = tmp_path_factory.mktemp("library")
    earlier = os.environ.get("N2F_DATA")
    os.environ["N2F_DATA"] = str(folder)
    yield folder
    if earlier is None:
        del os.environ["N2F_DATA"]
    else:
        os.environ["N2F_DATA"] = earlier
