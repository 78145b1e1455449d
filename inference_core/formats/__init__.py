# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""What core and extension both know: files, names and messages. Standard library and numpy only.

The core's room and, vendored or linked, the extension's `n2f_blender.formats`: imports inside are relative, and nothing
else of either part is imported.
"""
