# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""Strands of hair -> cards that engines draw. numpy only.

`locks` gathers strands that run together, `ribbons` lays a strip along each, `skin` keeps them out of the head and says
what they hang on, `atlas` draws the strands into a picture, `cap` darkens the scalp below them, `worn` joins them into
a figure that the head wears.
"""
