# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where scripts outside this project look for takes: `files.take`, as it was called before."""

from .files.take import Take, load_take

__all__ = ["Take", "load_take"]
