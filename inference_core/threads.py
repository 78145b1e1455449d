"""How many threads the numeric libraries may use. To be called before numpy is imported."""

from __future__ import annotations

import os


def limit_library_threads() -> None:
    """One thread for OpenBLAS, unless the user's environment says otherwise.

    The fit's matrices are small. OpenBLAS's threads wait for each other in busy loops: on a machine that also runs
    Blender a fit took ten times as long with two threads as with one.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
