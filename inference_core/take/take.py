"""The core's takes: in single precision, as they are stored; what is wrong with one is told as the core tells it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from inference_core.errors import BadInput
from inference_core.formats import take as formats
from inference_core.formats.npz import FAULTS

Take: TypeAlias = formats.Take[np.float32]
Photos: TypeAlias = formats.Photos[np.float32]


def load_take(path: Path) -> Take:
    """Read and check a take.

    Raises:
        BadInput: where it is missing, damaged or no take; with what is wrong.
    """
    try:
        return formats.read_take(path, np.float32)
    except FileNotFoundError as error:
        raise BadInput(f"There is no take at {path}.") from error
    except FAULTS as error:
        raise BadInput(f"{path.name} is not a take that can be read: {error}.", "Make the take again.") from error
