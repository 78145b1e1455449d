# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lives beside the scene: the session with the core, preferences, properties, what is delivered."""
