# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every word in the language of Blender's interface, also when its user changes that: docs/translating.md.

What stands in the source as it is shown Blender looks up itself. What has values in it goes through `tr`.
"""

from __future__ import annotations

import bpy

from . import wording

_OWNER = __package__ or __name__
_CONTEXTS = ("*", "Operator")  # Blender looks for an operator's label in a context of its own


def tr(text: str) -> str:
    """A text that is put together, in the interface's language."""
    return wording.translated(text, _language())


def tr_error(code: str, sentence: str) -> str:
    """The sentence of an error, by its code where nobody has translated it."""
    return wording.of_code(code, sentence, _language())


def register() -> None:
    """Hand the words to Blender."""
    bpy.app.translations.register(
        _OWNER,
        {
            language: {(context, english): word for english, word in words.items() for context in _CONTEXTS}
            for language, words in wording.LANGUAGES.items()
        },
    )


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(_OWNER)


def _language() -> str:
    view = bpy.context.preferences.view
    return bpy.app.translations.locale or "en_US" if view.use_translate_interface else "en_US"
