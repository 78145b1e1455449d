"""An exception as the message that tells a client of it."""

from __future__ import annotations

from inference_core.errors import CoreError
from inference_core.formats.replies import Failure


def failure_of(error: CoreError, id: str | None, image: str | None = None) -> Failure:
    """About one photo or clip, or where `image` is None about the whole request."""
    return Failure(id, image, error.code, error.sentence, error.remedy)
