# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to the core. No bpy: it can be tested, and used, anywhere."""

from .client import CoreClient
from .discovery import expand, find_core_python, install_command, server_command
from .job import Job, JobState
from .messages import Facts, Failure, Hello, Result
from .patience import Patience
from .requests import ReconstructOptions, SmoothingStrengths, TrackOptions

__all__ = [
    "CoreClient",
    "Facts",
    "Failure",
    "Hello",
    "Job",
    "JobState",
    "Patience",
    "ReconstructOptions",
    "Result",
    "SmoothingStrengths",
    "TrackOptions",
    "expand",
    "find_core_python",
    "install_command",
    "server_command",
]
