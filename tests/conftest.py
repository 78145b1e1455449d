"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.bootstrap_parts.formats_link import link_formats

link_formats()  # before anything of the extension is imported

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
CASES = SHARED_DATA.parent / "cases"
"""Inputs that once made the product fail; tests that use them skip where they are missing."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test data that lies beside a developer's checkout and is never committed."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared test data is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def flame_head_path(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head on FLAME's topology with what FLAME 2023 Open's owners allow to be passed on; skips without it."""
    # Here, not above: the other Blenders' environments have neither SciPy nor the core.
    from inference_core.flame import convert_flame
    from inference_core.flame.synthetic import make_model, save

    folder = tmp_path_factory.mktemp("flame_head")
    save(make_model(shared_data / "flame2023_open_identity" / "flame_basis.npz"), folder / "flame_test.pkl")
    convert_flame(folder / "flame_test.pkl", folder / "flame_test.npz")
    (folder / "flame_test.pkl").unlink()
    return folder / "flame_test.npz"


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
