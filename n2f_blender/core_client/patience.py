# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the core is waited for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Seconds. The core answers a ping also while it works, so one that is silent for long hangs."""

    start: float = 30.0  # until hello
    ping: float = 5.0  # of silence in a job, then it is asked for a sign of life
    silence: float = 30.0  # in a job, then the user is told
    cancel: float = 4.0  # from a cancel request to the end of a job on photos
    cancel_clip: float = 120.0  # the same for a clip: what was tracked is smoothed and written first
