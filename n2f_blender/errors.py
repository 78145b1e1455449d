# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user is told when something cannot be done: a sentence that says what, a remedy that says what to do."""


class ExtensionError(Exception):
    """A failure explained to the user. `code` is for programs, `sentence` and `remedy` for people."""

    def __init__(self, sentence: str, remedy: str = "", code: str = "INTERNAL", details: str = "") -> None:
        super().__init__(f"{sentence} {remedy}".strip())
        self.sentence = sentence
        self.remedy = remedy
        self.code = code
        self.details = details


class TakeError(ExtensionError):
    """A take that cannot be opened."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence, remedy, code="BAD_TAKE")


class HeadError(ExtensionError):
    """A head file that is absent, damaged or not the one a take was made with."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence, remedy, code="BAD_HEAD")


class CoreUnavailable(ExtensionError):
    """The core cannot be started, has ended or does not answer."""


class RecordingError(ExtensionError):
    """A face recording (CSV) that cannot be read or written."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence, remedy, code="BAD_RECORDING")


class RetargetError(ExtensionError):
    """A performance that cannot be brought to another character."""

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence, remedy, code="RETARGET")


class InstallError(ExtensionError):
    """The core could not be installed, or is not whole. `code` says what to offer: see installer/faults.py."""
