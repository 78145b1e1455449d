"""A person's own head: the identity baked into the template, for whoever fits one person many times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.head.model import Floats, Head


def with_identity(head: Head, shape: Floats) -> Head:
    """The head whose template is the person of `shape` (S,) and which has no shape directions left (V, 3, 0).

    Posed with the same parameters and an empty shape it has the same vertices, to float32's precision: the joint
    regressor is linear, so it finds the person's joints on the new template. head_id and sha256 stay those of the file.
    """
    directions = head.shape_dirs.reshape(-1, head.shape_count).astype(np.float64)
    template = head.template + (directions @ np.asarray(shape, dtype=np.float64)).reshape(-1, 3)
    return replace(head, template=template.astype(np.float32), shape_dirs=head.shape_dirs[:, :, :0], sketch_shift=None)
