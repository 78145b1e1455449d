# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process, started, spoken to and ended without ever waiting for it. No bpy."""
