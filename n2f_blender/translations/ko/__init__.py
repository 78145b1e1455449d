# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Korean, a file per subject. Keys are the English words in the source; {} stands for a value, {1} for the second one."""

from __future__ import annotations

from . import core, head, install, retarget, takes

WORDS = install.WORDS | head.WORDS | takes.WORDS | retarget.WORDS | core.WORDS
CODES = core.CODES
