# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where scripts outside this project look for the session: `app.session`, as it was called before."""

from .app.session import session

__all__ = ["session"]
