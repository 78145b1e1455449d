"""The failures of setting up, each told in one sentence instead of a traceback."""

from __future__ import annotations

from typing import ClassVar


class BootstrapError(Exception):
    """A failure that is explained to the user; `exit_status` goes to the shell."""

    exit_status: ClassVar[int] = 1

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class PythonMissing(BootstrapError):
    """No interpreter of the version that an environment needs can be started."""


class NotAnEnvironment(BootstrapError):
    """The folder of an environment holds something else, which is not ours to remove."""


class SystemPackagesMissing(BootstrapError):
    """Shared libraries of the system are missing and this user may not install them."""


class RequirementNotPinned(BootstrapError):
    """A line of a requirement file is not of the form name==version."""


class StepFailed(BootstrapError):
    """A command that a step runs exited with a status other than 0; that status is passed on."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status
