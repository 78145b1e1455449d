"""Whether the machine has memory for what comes next, asked before anything waits for it.

OpenBLAS takes 32 MB for a thread's products with its first one, and keeps them. Where the system refuses it asks again,
for ever (`blas_memory_alloc`): a process under a limit on memory would not fail but hang. So its memory is taken while
models load, and whoever begins a long step asks first.
"""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final

import numpy as np

from inference_core.errors import OutOfMemory

BUFFER: Final = 64 << 20
"""Bytes: what OpenBLAS takes for a thread, and malloc's arena about it."""
PRODUCTS_AT_ONCE: Final = 3
"""Threads that multiply at the same time: a job's own, and the two that paint and grow."""
STEP: Final = 2 * BUFFER
"""Bytes without which no step is begun."""


def ask_for_room(size: int = STEP) -> None:
    """Nothing, where the system would give `size` bytes now.

    Raises:
        OutOfMemory: where it would not.
    """
    try:
        mmap.mmap(-1, size).close()
    except OSError as error:
        lack = f"There is not enough memory: {size >> 20} MB more are needed."
        raise OutOfMemory(lack, "Close other programs, or raise the limit on memory.") from error


def reserve_products(threads: int = PRODUCTS_AT_ONCE) -> None:
    """Has both OpenBLAS libraries, numpy's and scipy's, take their memory for so many threads.

    Raises:
        OutOfMemory: where there is not enough for that.
    """
    from scipy.linalg.lapack import dpotrf  # numpy's library is another one

    ask_for_room(2 * threads * BUFFER)
    begin = Barrier(threads)
    matrix = np.eye(256)

    def multiply() -> None:
        begin.wait()
        _ = matrix @ matrix
        dpotrf(matrix)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(multiply) for _ in range(threads)]:
            done.result()
