# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another character: a performance on shape keys by ARKit's names and on bones of the user's choice."""
