# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to the core. No bpy: it can be tested, and used, anywhere."""

from ..formats.options import ReconstructOptions, Strengths, TrackOptions
from ..formats.replies import Facts, Failure, Hello, Result
from .client import CoreClient
from .discovery import expand, find_core_python, install_command, server_command
from .job import Job, JobState
from .patience import Patience

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
    "Strengths",
    "TrackOptions",
    "expand",
    "find_core_python",
    "install_command",
    "server_command",
]
