# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others' readers of what we export, asked where every vertex stands: scripts/prove_exports.py."""
